# SPDX-License-Identifier: Apache-2.0
"""Faults around the engine, one test per row of the fault table (faults.py): the CA's answers, the clock, the disk, the database, the processes.

After each: all orders are over and valid, the CA issued one certificate for each, nothing is left behind. The slow ones run in make
check; those that walk many errors need a build with crash hooks, in which the pause after an error can be shortened
(CERTWRIGHT_RETRY_MS).
"""
import concurrent.futures
import ctypes
import email.utils
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

import pytest
from helpers import ask, nothing_left, order, wait_all, wait_order

import bed as beds
from through import KINDS, QUICK, needs_hooks, until_over

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a file system of its own, other processes' threads")


# ---- F5: told to end ----


@pytest.mark.parametrize("after", [0.05, 0.3, 0.7, 1.5])
def test_f5_told_to_end_in_the_middle_it_ends_in_time_and_goes_on_where_it_was(make_bed, after):
    bed = make_bed(pebble_env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "1", "PEBBLE_AUTHZREUSE": "0"})
    account = bed.account()
    orders = [order(bed, account, [f"end{i}.example.test"], ("dns-01", "http-01")[i % 2]) for i in range(10)]
    time.sleep(after)
    start = time.monotonic()
    bed.server.process.proc.send_signal(signal.SIGTERM)
    assert bed.server.process.proc.wait(240) == 0
    assert time.monotonic() - start < 90
    with sqlite3.connect(f"file:{bed.server.state / 'certwright.db'}?mode=ro", uri=True) as db:
        assert db.execute("SELECT count(*) FROM orders WHERE lease_owner IS NOT NULL").fetchone() == (0,), "no lease is left to wait for"
    bed.server.start()
    over = until_over(bed, [o["id"] for o in orders])
    # what the CA asked while nobody answered, it has refused in its own words
    wrong = [o for o in over.values() if o["status"] != "valid" and "could not validate" not in (o["reason"] or {}).get("detail", "")]
    assert len(over) == 10 and not wrong, wrong[:2]
    assert bed.ca.issued() == sum(o["status"] == "valid" for o in over.values())
    nothing_left(bed, ["end0.example.test"])


# ---- F7: the same request many times at once ----


def test_f7_forty_times_the_same_wish_at_once_is_one_order_with_and_without_a_key(bed):
    account = bed.account()
    for name, headers in (("bare.example.test", {}), ("key.example.test", {"Idempotency-Key": "the same"})):
        body = {"account_id": account["id"], "names": [name], "validation": "dns-01"}
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _, b=body, h=headers: bed.server.request("POST", "/orders", b, h)[:2], range(40)))
        assert {status for status, _ in answers} <= {200, 201, 409}, [a for a in answers if a[0] not in (200, 201, 409)][:2]
        made = {doc["id"] for status, doc in answers if status in (200, 201)}
        live = [o for o in bed.server.request("GET", "/orders?limit=200")[1]["items"] if o["names"] == [name]]
        # without a key a wish that comes when the order is over already is a new one, and says so by its own number
        assert made == {o["id"] for o in live} and (len(made) == 1 or not headers), answers[:3]
        for one in made:
            assert wait_order(bed, one)["status"] == "valid"
        assert bed.ca.issued() >= len(made)


# ---- F8: nonces ----


def test_f8_a_ca_that_refuses_every_nonce_is_asked_a_bounded_number_of_times_and_later_obeyed(through):
    t = through()
    problem = json.dumps({"type": "urn:ietf:params:acme:error:badNonce", "detail": "never good enough", "status": 400})
    t.proxy.rule("new-order", times=None, status=400, headers={"Content-Type": "application/problem+json", "Replay-Nonce": "bm9uY2U"}, body=problem)
    made = t.order("nonce.example.test")
    shown = beds.wait_for(lambda: t.show(made)["attempts"] and t.show(made), 240, "the order tells of an error")
    assert 2 <= t.proxy.count("new-order") <= 11, "ten tries, then a pause"
    assert shown["status"] == "pending" and shown["reason"]["code"] == "nonce" and shown["next_at"], shown
    t.proxy.clear()
    t.all_end_valid_once([made])


@pytest.mark.parametrize("kind", ["account", "new-order", "nonce"])
def test_f8_an_answer_without_a_nonce_costs_one_more_request_and_nothing_else(through, kind):
    t = through()
    t.proxy.rule(kind, times=3, drop=["Replay-Nonce"])
    t.all_end_valid_once([t.order(f"none{i}.example.test") for i in range(3)])


# ---- F9: Retry-After ----


def in_seconds(s):
    return lambda: (str(s), s)


def at_a_date(spelling, ahead=300):
    """The date is made when it is sent, and is told as seconds from then."""
    def make():
        now = time.time()
        then = int(now) + ahead
        return time.strftime(spelling, time.gmtime(then)), then - now
    return make


# How each is made: (header, seconds until the next try from the moment of the answer; None: as without the header).
RETRY_VALUES = (
    in_seconds(300), at_a_date("%a, %d %b %Y %H:%M:%S GMT"), at_a_date("%A, %d-%b-%y %H:%M:%S GMT"), at_a_date("%a %b %e %H:%M:%S %Y"),
    lambda: ("1000000000000", 7 * 86400), lambda: (email.utils.formatdate(time.time() - 4000, usegmt=True), None), lambda: ("0", None),
    lambda: ("-1", None), lambda: ("soon", None), lambda: ("", None), lambda: ("1e3", None), lambda: (None, None),
)


@pytest.mark.slow
@needs_hooks
def test_f9_retry_after_in_every_spelling_is_obeyed_clamped_shown_and_survives_a_restart(through):
    t = through(env=QUICK)
    problem = json.dumps({"type": "urn:ietf:params:acme:error:rateLimited", "detail": "slower", "status": 429})
    waits = {}
    for i, make in enumerate(RETRY_VALUES):
        value, seconds = make()
        before = time.time()
        headers = {"Content-Type": "application/problem+json", **({"Retry-After": value} if value is not None else {})}
        t.proxy.rule("new-order", status=429, headers=headers, body=problem)
        made = t.order(f"ra{i}.example.test")
        if seconds is None:
            assert until_over(t.bed, [made["id"]]).get(made["id"], {}).get("status") == "valid", f"Retry-After {value!r} is as none"
            continue
        shown = beds.wait_for(lambda: t.show(made)["attempts"] and t.show(made), 240, f"the order tells of {value!r}")
        # it was answered between these two instants, however long either side took to get there
        at, after = parse(shown["next_at"]), time.time()
        a_date = not value.isdigit()
        earliest, latest = before + seconds - 1.1, (before if a_date else after) + seconds + 1.1
        assert earliest <= at <= latest, (value, at - before, at - after)
        assert shown["reason"]["code"] == "remote-limit" and "slower" in json.dumps(shown["reason"]), shown
        waits[made["id"]] = shown["next_at"]
    # one name over its limit stops nobody else
    beside = t.order("beside.example.test")
    assert wait_order(t.bed, beside["id"])["status"] == "valid"
    t.bed.server.stop()
    t.bed.server.start()
    for one, at in waits.items():
        doc = t.bed.server.request("GET", f"/orders/{one}")[1]
        assert doc["next_at"] == at or doc["status"] == "valid", "a restart forgets no pause"


def parse(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@pytest.mark.slow
@needs_hooks
@pytest.mark.parametrize("kind", ("directory", *KINDS))
def test_f9_a_load_balancers_503_parks_the_vendor_for_as_long_as_it_says_and_no_longer(through, kind):
    t = through(env=QUICK)
    anew = kind in ("directory", "nonce")  # kept for a while: a new process asks for them
    if anew:
        t.bed.server.stop()
    t.proxy.rule(kind, status=503, headers={"Content-Type": "text/html", "Retry-After": "6"}, body="<html><h1>Busy</h1></html>")
    if anew:
        t.bed.server.start()
    first = t.order("lb0.example.test")
    told = beds.wait_for(lambda: t.show(first)["attempts"] and t.show(first), 240, "the order tells why it waits")
    assert told["reason"]["code"] in ("remote-busy", "remote-limit"), told
    since, until = time.monotonic(), time.monotonic() + parse(told["next_at"]) - time.time()
    # who comes now is not sent there before the time is over; what is measured is our own word, not how fast this machine is
    orders = [first, *(t.order(f"lb{i}.example.test") for i in (1, 2))]
    over = wait_all(t.bed, [o["id"] for o in orders])
    assert {o["status"] for o in over.values()} == {"valid"} and len(over) == 3, "by itself, without a person"
    assert any(done.get("status") == 503 for _, _, done in t.proxy.log)
    during = [k for when, k, _ in t.proxy.log if since < when < until - 0.05]
    assert not during, f"asked {during} while it had said to wait"
    assert t.bed.ca.issued() == 3
    nothing_left(t.bed, t.names)


# ---- F11: cut answers ----


@pytest.mark.slow
@needs_hooks
def test_f11_answers_cut_at_bytes_all_over_each_message_lose_and_double_nothing(through):
    t = through(env=QUICK)
    pick = random.Random(20261123)
    orders, cuts = [], 0
    for turn in range(10):
        for kind in KINDS:
            for _ in range(4):
                how = pick.choice(("cut", "cut", "cut", "head_cut", "longer", "chunked", "reset"))
                k = {"cut": pick.randrange(0, 1200 if kind == "certificate" else 700), "head_cut": pick.randrange(1, 400),
                     "longer": pick.randrange(1, 300), "chunked": pick.randrange(0, 3), "reset": True}[how]
                t.proxy.rule(kind, **{how: k})
                cuts += 1
        batch = [t.order(f"cut{turn}x{i}.example.test") for i in range(4)]
        orders += batch
        over = until_over(t.bed, [o["id"] for o in batch])
        assert {o["status"] for o in over.values()} == {"valid"} and len(over) == 4, [t.show(o) for o in batch]
        t.proxy.clear()
    t.all_end_valid_once(orders)
    met = sum(1 for _, _, done in t.proxy.log if done)
    print(f"{met} of {cuts} broken answers were met by {len(orders)} orders")
    assert met > cuts / 2


# ---- F13: a CA that is slow without end ----


@pytest.mark.slow
@needs_hooks
@pytest.mark.parametrize("how", [{"stall": 60}, {"drip": 1.0}, {"delay": 60}], ids=["stall", "drip", "delay"])
def test_f13_a_ca_that_never_finishes_its_answers_holds_up_only_itself(through, how):
    t = through(env={**QUICK, "CERTWRIGHT_STEP_MS": "4000", "CERTWRIGHT_LEASE_MS": "12000"})
    other = t.bed.account("other@certwright.test")

    def eight(word):
        """Seconds that eight orders at the other CA take here and now."""
        start = time.monotonic()
        over = wait_all(t.bed, [order(t.bed, other, [f"{word}{i}.example.test"])["id"] for i in range(8)])
        assert len(over) == 8 and {o["status"] for o in over.values()} == {"valid"}, over
        return time.monotonic() - start

    alone = eight("alone")
    t.proxy.rule("*", times=None, **how)
    slow = [t.order(f"slow{i}.example.test") for i in range(20)]
    beds.wait_for(lambda: len(t.proxy.log) > 20, 240, "the slow CA is being asked")
    # a worker that hangs is gone for 4 s: standing in line behind twenty of them would be seen each time, what else runs on this machine is not
    turns, beside = 1, eight("beside")
    while turns < 3 and beside >= 3 * alone + 12:
        turns, beside = turns + 1, min(beside, eight(f"beside{turns}x"))
    assert beside < 3 * alone + 12, f"the other CA's orders are held up: {beside:.1f} s beside the slow one, {alone:.1f} s without"
    told = beds.wait_for(lambda: [s for s in map(t.show, slow[:8]) if s["attempts"]], 240, "the slow ones tell why")
    assert told[0]["reason"]["code"] in ("timeout", "network"), told[0]
    t.proxy.clear()
    over = until_over(t.bed, [o["id"] for o in slow])
    assert len(over) == 20 and {o["status"] for o in over.values()} == {"valid"}, [t.show(o) for o in slow if o["id"] not in over][:2]
    assert t.bed.ca.issued() == 28 + 8 * turns


# ---- F19: the clock ----

HOUR, DAY = 3600, 86400


@pytest.mark.slow
@needs_hooks
@pytest.mark.parametrize("jump", [HOUR, 40 * DAY, -HOUR, -3652 * DAY, "1970"])
def test_f19_a_clock_that_jumps_in_the_middle_of_orders_neither_ends_nor_stalls_them(make_bed, scratch, jump):
    offset = scratch / "clock"
    set_offset(offset, 0)
    bed = make_bed(env={**QUICK, "CERTWRIGHT_CLOCK_FILE": str(offset)}, pebble_env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "3"})
    account = bed.account()
    orders = [order(bed, account, [f"jump{i}.example.test"], ("dns-01", "http-01")[i % 2]) for i in range(8)]
    time.sleep(0.5)
    seconds = 86400 - time.time() if jump == "1970" else jump
    set_offset(offset, int(seconds * 1000))
    over = wait_all(bed, [o["id"] for o in orders])
    assert len(over) == 8, "no order waits for the clock to come back"
    # certificates are judged by the clock there is: at another time they are rightly kept as evidence, or too new
    statuses = {o["status"] for o in over.values()}
    assert statuses == {"valid"} if abs(seconds) <= HOUR else statuses <= {"valid", "invalid"}, list(over.values())[:2]
    assert bed.ca.issued() <= 8, "whatever the clock says, nothing is ordered twice"
    set_offset(offset, 0)
    made = order(bed, account, ["after.example.test"])
    assert until_over(bed, [made["id"]])[made["id"]]["status"] == "valid", "the clock is right again, so is the server"
    assert "the clock jumped" in bed.server.process.text()
    nothing_left(bed, ["after.example.test", "jump0.example.test"])


def set_offset(path, ms):
    new = path.with_suffix(".new")
    new.write_text(str(ms))
    new.chmod(0o644)
    new.rename(path)


# ---- F20: no room ----


@pytest.fixture
def small_disk(make_bed):
    """A bed whose state folder is a small file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    bed = make_bed(start=False, pebble_env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "2"})
    state = bed.server.state
    state.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(state)], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    user = beds.user_of_parts()
    os.chown(state, user.pw_uid, user.pw_gid)
    state.chmod(0o700)
    try:
        yield bed.start()
    finally:
        bed.server.stop()
        subprocess.run(["umount", "-l", str(state)], check=False)


def fill(state):
    with open(state / "fill", "wb", buffering=0) as f:
        size = 1 << 20
        while size:
            try:
                f.write(b"x" * size)
            except OSError:
                size //= 2


def keys_handed_out(bed, certificate):
    """How often its key was handed out, until that was refused for want of room for the row that says so (the files may have room for many)."""
    for n in range(100):
        status, body, _ = bed.server.request("POST", f"/certificates/{certificate}/export", {"format": "pem", "with_key": True, "reason": "full disk"})
        if status != 200:
            assert status in (503, 507) and "PRIVATE KEY" not in json.dumps(body), (status, body)
            return n
        assert "PRIVATE KEY" in body
    return n + 1


def test_f20_a_full_disk_refuses_new_work_keeps_answering_and_recovers_by_itself(small_disk):
    bed = small_disk
    account = bed.account()
    first = order(bed, account, ["before.example.test"], "http-01")
    certificate = wait_order(bed, first["id"])["certificate_id"]
    orders = [first] + [order(bed, account, [f"full{i}.example.test"], ("dns-01", "http-01")[i % 2]) for i in range(6)]
    time.sleep(0.3)
    fill(bed.server.state)
    refused = None
    for i in range(40):  # what the files still have room for is taken first
        status, doc, _ = bed.server.request("POST", "/orders", {"account_id": account["id"], "names": [f"more{i}.example.test"],
                                                                "validation": "dns-01"})
        if status >= 400:
            refused = status, doc
            break
        orders.append(doc)
    assert refused and refused[0] in (503, 507), refused
    assert refused[1]["title"] in ("No space left", "Database could not be used"), refused
    assert ask(bed, "_acme-challenge.full0.example.test", "SOA").answer, "the name server answers all the while"
    assert bed.server.request("GET", "/orders")[0] == 200, "what can be read is shown"
    time.sleep(4)
    (bed.server.state / "fill").unlink()
    before = bed.server.parts()["core"]
    over = until_over(bed, [o["id"] for o in orders])
    wrong = [o for o in orders if over.get(o["id"], {}).get("status") != "valid"]
    assert not wrong, [bed.server.request("GET", f"/orders/{o['id']}")[1] for o in wrong][:3]
    assert bed.server.parts()["core"] == before, "without a restart"
    assert bed.ca.issued() == len(orders)
    nothing_left(bed, ["full0.example.test"])
    fill(bed.server.state)
    handed_out = keys_handed_out(bed, certificate)
    (bed.server.state / "fill").unlink()
    bed.server.stop()
    with sqlite3.connect(bed.server.state / "certwright.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        told = dict(db.execute("SELECT action, count(*) FROM audit GROUP BY action"))
        assert (told["order.create"], told.get("certificate.export-key", 0)) == (len(orders), handed_out), "neither a row without its deed nor a deed without its row"


@needs_root
def test_f20_a_disk_that_becomes_read_only_or_fails_refuses_keeps_answering_and_loses_nothing(make_bed):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    bed = make_bed(pebble_env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "2"})
    account = bed.account()
    orders = []
    for i, (calls, error) in enumerate((("pwrite64", "EROFS"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fdatasync,fsync", "EIO"))):
        orders += [order(bed, account, [f"disk{i}x{k}.example.test"], ("dns-01", "http-01")[k % 2]) for k in range(3)]
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}",
                                   "-p", str(bed.server.parts()["core"])], stderr=subprocess.DEVNULL)
        try:
            body = {"account_id": account["id"], "names": [f"refused{i}.example.test"], "validation": "dns-01"}
            status, doc, _ = beds.wait_for(lambda b=body: refused(bed, b), 240, f"a write is refused after {error}")
            assert status in (503, 507, 500) and doc["title"] and doc["detail"], (error, doc)
            assert ask(bed, f"_acme-challenge.disk{i}x0.example.test", "SOA").answer, "the name server answers all the while"
            assert bed.server.request("GET", "/orders")[0] == 200, "what can be read is shown"
        finally:
            tracer.terminate()
            tracer.wait(120)
        # a failed flush may have lost what was written: writing ends until a restart, and the server says so itself
        if bed.server.request("POST", "/orders", {"account_id": account["id"], "names": [f"again{i}.example.test"], "validation": "dns-01"})[0] >= 500:
            time.sleep(3)
        if refused(bed, {"account_id": account["id"], "names": [f"again{i}.example.test"], "validation": "dns-01"}):
            bed.server.stop()
            bed.server.start()
        over = until_over(bed, [o["id"] for o in orders])
        wrong = [o for o in orders if over.get(o["id"], {}).get("status") != "valid"]
        assert not wrong, (error, [bed.server.request("GET", f"/orders/{o['id']}")[1] for o in wrong][:2])
    every = [o for o in bed.server.request("GET", "/orders?limit=200")[1]["items"]]
    over = until_over(bed, [o["id"] for o in every])
    assert {o["status"] for o in over.values()} == {"valid"} and len(over) == len(every)
    assert bed.ca.issued() == len(every), "one certificate for each order that was taken"
    bed.server.stop()
    with sqlite3.connect(bed.server.state / "certwright.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def refused(bed, body):
    """The refusal of a write; None when it was taken (then it is an order like others)."""
    answer = bed.server.request("POST", "/orders", body)
    return answer if answer[0] >= 500 else None


# ---- F21: another process has the database ----


def test_f21_another_process_with_the_write_lock_delays_and_refuses_but_loses_nothing(make_bed):
    bed = make_bed(pebble_env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "2"})
    account = bed.account()
    orders = [order(bed, account, [f"busy{i}.example.test"]) for i in range(4)]
    holder = sqlite3.connect(bed.server.state / "certwright.db", isolation_level=None, timeout=120)
    holder.execute("BEGIN IMMEDIATE")
    try:
        start = time.monotonic()
        status, doc, _ = bed.server.request("POST", "/orders", {"account_id": account["id"], "names": ["held.example.test"], "validation": "dns-01"})
        waited = time.monotonic() - start
        assert status == 503 and doc["detail"], (status, doc)
        assert waited < 100, f"a bounded wait: {waited:.0f} s"
        assert bed.server.request("GET", "/orders")[0] == 200, "reading goes on"
        time.sleep(max(0, 12 - (time.monotonic() - start)))
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    over = until_over(bed, [o["id"] for o in orders])
    assert len(over) == 4 and {o["status"] for o in over.values()} == {"valid"}
    assert bed.ca.issued() == 4
    nothing_left(bed, [f"busy{i}.example.test" for i in range(4)])


# ---- F28: a worker that hangs ----

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


WAITS_FOR_THE_NETWORK = (7, 271, 232, 281, 45, 47)  # x86-64: poll, ppoll, epoll_wait, epoll_pwait, recvfrom, recvmsg


class Held:
    """
    Threads stopped by the debugger's interface, each where a worker of ours can hang: waiting for the network. A thread stopped at
    any other place may hold a lock of the C library (its allocator, its output), and then all others wait for it; no fault in
    the world does that to a process, and on a loaded machine it happens to this test often.
    """

    def __init__(self, pid, tids, n):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.pid, self.tids = pid, []
        until = time.monotonic() + 10
        while len(self.tids) < n and time.monotonic() < until:
            for tid in set(tids) - set(self.tids):
                if len(self.tids) < n and self.where(tid) in WAITS_FOR_THE_NETWORK:
                    self.hold(tid)

    def where(self, tid):
        try:
            number = pathlib.Path(f"/proc/{self.pid}/task/{tid}/syscall").read_text().split()[0]
        except OSError:
            return None
        return int(number) if number.lstrip("-").isdigit() else None

    def hold(self, tid):
        """Stopped, and still there once it has stopped: else it is let go."""
        if self.libc.ptrace(PTRACE_SEIZE, tid, None, None):
            return
        self.libc.ptrace(PTRACE_INTERRUPT, tid, None, None)
        os.waitpid(tid, WALL)
        if self.where(tid) in WAITS_FOR_THE_NETWORK:
            self.tids.append(tid)
        else:
            self.libc.ptrace(PTRACE_DETACH, tid, None, None)

    def release(self):
        for tid in self.tids:
            self.libc.ptrace(PTRACE_DETACH, tid, None, None)
        self.tids = []


def workers(bed):
    core = bed.server.parts()["core"]
    return [int(t.name) for t in pathlib.Path(f"/proc/{core}/task").iterdir() if (t / "comm").read_text().startswith("worker-")]


@pytest.mark.slow
@needs_hooks
@needs_root
def test_f28_workers_that_hang_in_the_middle_are_done_without_and_their_results_dropped(make_bed):
    bed = make_bed(env={**QUICK, "CERTWRIGHT_LEASE_MS": "3000", "CERTWRIGHT_STEP_MS": "1000"},
                   pebble_env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "2", "PEBBLE_WFE_NONCEREJECT": "0"})
    account = bed.account()
    pick = random.Random(20261123)
    orders = []
    hung = 0
    for turn in range(5):
        orders += [order(bed, account, [f"hang{turn}x{i}.example.test"]) for i in range(8)]
        time.sleep(pick.uniform(0, 0.4))
        held = Held(bed.server.parts()["core"], workers(bed), 4)
        hung += len(held.tids)
        try:
            time.sleep(4)
            health = bed.server.http("/healthz", timeout=30)
            assert health and health[0] == 200, health
        finally:
            held.release()
    assert hung, "no worker was met while it waited for the network"
    over = until_over(bed, [o["id"] for o in orders])
    assert len(over) == 40 and {o["status"] for o in over.values()} == {"valid"}, [o for o in over.values() if o["status"] != "valid"][:2]
    assert bed.ca.issued() == 40
    nothing_left(bed, ["hang0x0.example.test"])


# ---- F30: one part is killed ----


@pytest.mark.parametrize("part", ["core", "edge", "supervisor"])
def test_f30_each_part_killed_in_turn_is_there_again_and_the_rest_goes_on(make_bed, part):
    bed = make_bed(pebble_env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "2"})
    account = bed.account()
    orders = [order(bed, account, [f"part{i}.example.test"], ("dns-01", "http-01")[i % 2]) for i in range(6)]
    time.sleep(0.5)
    if part == "supervisor":
        others = bed.server.parts()
        os.kill(bed.server.process.pid, signal.SIGKILL)
        bed.server.process.proc.wait(120)
        beds.wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}/status").exists() for pid in others.values()), 240,
                      "core and edge end when nobody watches over them")
        bed.server.start()
    else:
        other = {"core": "edge", "edge": "core"}[part]
        kept = bed.server.parts()[other]
        bed.server.kill(part)
        beds.wait_for(lambda: bed.server.parts().get(part) and bed.server.ready(), 240, f"{part} is there again")
        assert bed.server.parts()[other] == kept, f"{other} was left alone"
    over = until_over(bed, [o["id"] for o in orders])
    valid = [o for o in over.values() if o["status"] == "valid"]
    # with the supervisor gone nobody answers: what the CA asked in that moment it has refused, and the order says so
    unheard = [o for o in over.values() if part == "supervisor" and "could not validate" in (o["reason"] or {}).get("detail", "")]
    assert len(over) == 6 == len(valid) + len(unheard), list(over.values())
    assert bed.ca.issued() == len(valid)
    nothing_left(bed, [f"part{i}.example.test" for i in range(6)])


# ---- F31: no file descriptor is left ----


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def as_its_user(*args):
    """A command run as the user of the parts: limits of a process are its user's to lower."""
    user = beds.user_of_parts()
    return subprocess.run(args, capture_output=True, text=True, check=True, user=user.pw_uid, group=user.pw_gid, extra_groups=[]).stdout.strip()


def limit_files(pid, n):
    as_its_user("prlimit", f"--pid={pid}", f"--nofile={n}:")


def open_files(pid):
    return max(int(p.name) for p in pathlib.Path(f"/proc/{pid}/fd").iterdir()) + 1


def connections(port, n):
    made = []
    for _ in range(n):
        s = socket.socket()
        s.settimeout(2)
        try:
            s.connect(("127.0.0.1", port))
            made.append(s)
        except OSError:
            s.close()
    return made


@needs_root
@pytest.mark.parametrize("part", ["core", "edge"])
def test_f31_without_a_free_file_descriptor_nothing_spins_and_all_is_well_when_there_are_some_again(bed, part):
    account = bed.account()
    pid = bed.server.parts()[part]
    soft = as_its_user("prlimit", f"--pid={pid}", "--nofile", "--output=SOFT", "--noheadings")
    orders = [order(bed, account, [f"fd{i}.example.test"]) for i in range(3)]
    limit_files(pid, open_files(pid))
    held = connections(bed.server.api_port if part == "core" else bed.server.dns_port, 30)
    try:
        time.sleep(0.5)
        before = cpu_seconds(pid)
        time.sleep(3)
        spent = cpu_seconds(pid) - before
        assert spent < 1.5, f"{part} used {spent:.1f} s of processor in 3 s: it spins"
        assert ask(bed, "_acme-challenge.fd0.example.test", "SOA").answer, "UDP is answered all the while"
        assert bed.server.parts()[part] == pid, "it did not end"
    finally:
        for s in held:
            s.close()
        limit_files(pid, soft)
    beds.wait_for(bed.server.ready, 240, "the API answers again")
    orders.append(order(bed, account, ["fd-after.example.test"]))
    over = until_over(bed, [o["id"] for o in orders])
    assert len(over) == 4 and {o["status"] for o in over.values()} == {"valid"}, [bed.server.request("GET", f"/orders/{o['id']}")[1] for o in orders]
    assert ask(bed, "_acme-challenge.fd0.example.test", "SOA", tcp=True).answer
    assert bed.ca.issued() == 4


# ---- F32: no child can be made ----


@needs_root
def test_f32_when_no_process_can_be_made_the_rest_goes_on_and_the_part_comes_back_when_one_can(bed):
    account = bed.account()
    supervisor, kept = bed.server.process.pid, bed.server.parts()["edge"]
    owner = pathlib.Path(f"/proc/{supervisor}").stat().st_uid
    if owner == 0:
        pytest.skip("the supervisor runs as root here, whom no limit of processes stops")
    made = order(bed, account, ["fork.example.test"])
    assert wait_order(bed, made["id"])["status"] == "valid"
    as_its_user("prlimit", f"--pid={supervisor}", "--nproc=1:")
    try:
        bed.server.kill("core")
        time.sleep(4)
        before = cpu_seconds(supervisor)
        time.sleep(2)
        assert cpu_seconds(supervisor) - before < 0.5, "it does not spin"
        assert bed.server.parts().get("edge") == kept
        assert ask(bed, "_acme-challenge.fork.example.test", "SOA").answer, "edge answers all the while"
        assert bed.server.process.running(), "the supervisor goes on trying"
    finally:
        as_its_user("prlimit", f"--pid={supervisor}", "--nproc=4096:")
    beds.wait_for(lambda: bed.server.parts().get("core") and bed.server.ready(), 240, "core is there again")
    again = order(bed, account, ["fork-after.example.test"])
    assert wait_order(bed, again["id"])["status"] == "valid"
    assert bed.ca.issued() == 2
