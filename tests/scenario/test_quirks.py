# SPDX-License-Identifier: Apache-2.0
"""The hostile CA: every line of quirk_lines.py has its script or its test, and every script ends as it says: what the user sees, what is
stored, how often the authority was asked. All scripts run side by side against one server, which has to stay small meanwhile."""
import datetime
import json
import pathlib
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import txt
from quirk_lines import LINES
from quirk_scripts import ELSEWHERE, INVALID, PENDING, REFUSED, SCRIPTS, VALID, WORKING

import bed as beds
import ca as fakes
from ca.validate import Real

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def pss_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))


class Run:
    """One script on its way."""

    def __init__(self, place, script, n):
        self.place, self.script = place, script
        self.name = f"q{n}-{re.sub('[^a-z0-9]+', '-', script.name)}.example.test"
        self.ca, self.account, self.id, self.doc, self.problem, self.took = None, None, None, {}, None, None
        self.asked_again, self.seen_at, self.failure = 0.0, 0.0, None

    def begin(self):
        s = self.script
        self.ca = self.place.authority(**s.own)
        if s.rules:
            s.rules(self.ca, self.name)
        self.account = self.register()
        if self.account is None:
            return
        if s.after:
            s.after(self.ca, self.name)
        self.order()

    def register(self):
        body = {"directory_url": self.script.directory_url or self.ca.directory + self.script.directory, "email": "a@example.test", "agree_tos": True}
        if self.script.account.get("eab"):
            body.update(eab_kid="kid-1", eab_hmac_key=self.ca.add_eab("kid-1"))
        status, doc, _ = self.place.call("POST", "/accounts", body)
        until = time.monotonic() + 120
        while status == 202 and doc["state"] in ("queued", "running") and not (self.script.ends == REFUSED and doc["reason"]) and time.monotonic() < until:
            time.sleep(0.1)
            doc = self.place.call("GET", f"/jobs/{doc['id']}")[1]
        if status == 202 and doc["state"] == "done":
            doc = self.place.call("GET", f"/accounts/{doc['result']['account_id']}")[1]
        self.problem = doc
        return doc if doc.get("status") == "valid" else None

    def order(self):
        s = self.script
        names = [n.replace("{}", self.name) for n in s.names]
        body = {"account_id": self.account["id"], "validation": s.validation, **({"dns": "delegation"} if s.validation == "dns-01" else {}), **s.order}
        if str(body.get("not_after", "")).endswith("d"):
            body["not_after"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + int(body["not_after"][:-1]) * 86400))
        if s.csr:
            status, doc, _ = self.place.call("POST", "/csrs/upload", {"pem": s.csr(*names)})
            assert status in (200, 201), doc
            body["csr_id"] = doc["id"]
        else:
            body["names"] = names
        status, doc, _ = self.place.call("POST", "/orders", body)
        if status not in (200, 201):
            self.problem = doc
            return
        self.id = doc["id"]

    def judge(self):
        """At its end: what the user sees, what is stored, how often the authority was asked."""
        s, doc = self.script, self.doc
        if s.ends == REFUSED:
            assert self.account is None, "the account was registered"
            assert s.says in self.text(), self.text()
            return
        if not self.id:
            return
        ended = doc["status"] if doc["status"] in (VALID, INVALID) else PENDING if doc["reason"] else WORKING
        assert ended == s.ends, self.text()[:3000]
        if s.code:
            assert doc["reason"]["code"] == s.code, doc["reason"]
        assert s.says in self.text(), f"'{s.says}' is not said: {doc['reason']}"
        if s.ends in (PENDING, INVALID):
            assert doc["reason"]["detail"] and len(self.text()) < 200000
        if s.ends == PENDING:
            assert doc["next_at"], "it says when it goes on"
        issued = s.issued if s.issued is not None else int(s.ends == VALID)
        assert self.ca.issued(self.name) == issued, f"{self.ca.issued(self.name)} certificates"
        assert not self.ca.twice()
        n = self.ca.log.count(name=self.name)
        assert n <= s.asked, f"asked {n} times"
        if s.ends == VALID:
            assert doc["certificate_id"]
        if s.evidence:
            cert = self.place.call("GET", f"/certificates/{doc['certificate_id']}")[1]
            assert cert["status"] == "set-aside" and doc["set_aside"], cert
        if s.check:
            s.check(self)

    def end(self, seconds):
        self.took, self.failure = seconds, None
        try:
            self.judge()
        except (AssertionError, LookupError, beds.BedError) as e:
            self.failure = f"{type(e).__name__}: {e} at {e.__traceback__.tb_next and e.__traceback__.tb_next.tb_lineno}"

    # ---- looking ----

    def look(self):
        """True when it has come to its end."""
        if not self.id:
            return True
        self.see()
        ends = self.script.ends
        if self.doc["status"] in (VALID, INVALID):
            return True
        waits = bool(self.doc["reason"]) and self.doc["attempts"] > 0
        if ends == PENDING and waits:
            return True
        if ends == WORKING and self.doc["step"] in ("validate", "collect") and self.doc["next_at"] and self.next_in() > 1:
            return True
        if ends in (VALID, INVALID) and waits and self.script.asks_again and time.monotonic() - self.asked_again > 5.2:
            self.asked_again = time.monotonic()
            self.place.call("POST", f"/orders/{self.id}/refresh")
        return False

    def see(self):
        self.doc = self.place.call("GET", f"/orders/{self.id}")[1]
        self.seen_at = time.time()

    def next_in(self):
        """Seconds from when it was looked at: the judge may have to wait for the others."""
        return parse(self.doc["next_at"]) - self.seen_at

    def text(self):
        return json.dumps(self.doc if self.id else self.problem)

    def status(self):
        return self.place.call("GET", "/status")[1]

    def txt(self):
        return txt(self.place.bed, f"_acme-challenge.{self.name}")

    def wait(self, condition, what):
        beds.wait_for(condition, 120, what, 0.2)


class Place:
    """One server, the common authority, and as many others as scripts want for themselves."""

    def __init__(self, folder):
        self.folder = folder
        self.bed = beds.Bed(folder, ca="fake", settings={"log.level": "warning"})
        self.common = self.bed.ca
        self.others = []
        self.bed.start()

    def call(self, method, path, body=None):
        return self.bed.server.request(method, path, body)

    def authority(self, **settings):
        one = fakes.CA(self.folder / f"ca{len(self.others)}", Real(self.bed.resolver.port, self.bed.http_port), identity=self.common, **settings)
        self.others.append(one)
        return one

    def stop(self):
        self.bed.stop()
        for one in self.others:
            one.stop()


@pytest.fixture(scope="module")
def place():
    if not beds.PROGRAM.exists():
        pytest.fail(f"'{beds.PROGRAM}' is not built")
    folder = beds.scratch("certwright-quirks-")
    one = Place(folder)
    one.bed.server.canary.expect("a private key as PEM")  # an authority that sends one in a chain is among them
    yield one
    one.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def runs(place, request):
    """{script name: Run}, all begun together and come to their ends; only those that are asked for. Each is looked at from its own
    beginning on, while others begin and are judged: what waits has not tried again meanwhile."""
    wanted = {item.callspec.params["script"].name for item in request.session.items
              if getattr(item, "callspec", None) and "script" in item.callspec.params and item.path == request.path}
    all_runs = [Run(place, s, n) for n, s in enumerate(SCRIPTS) if s.name in wanted]
    core = place.bed.server.parts()["core"]
    before = pss_kib(core)
    start = time.monotonic()
    place.grown_kib = 0
    open_ = [r for r in all_runs]
    with ThreadPoolExecutor(8) as beginners, ThreadPoolExecutor(8) as judges:
        begun = {r.name: beginners.submit(r.begin) for r in all_runs}
        until, ends = start + 600, []
        while open_ and time.monotonic() < until:
            for r in [r for r in open_ if begun[r.name].done()]:
                begun[r.name].result()
                if r.look():
                    ends.append(judges.submit(r.end, time.monotonic() - start))
                    open_.remove(r)
            place.grown_kib = max(place.grown_kib, pss_kib(core) - before)
            time.sleep(0.3)
        for end in ends:
            end.result()
    slowest = sorted((r for r in all_runs if r.took), key=lambda r: -r.took)[:5]
    print("slowest:", [(r.script.name, round(r.took)) for r in slowest], "open:", [r.script.name for r in open_])
    print(f"{len(all_runs)} scripts in {time.monotonic() - start:.0f} s; core grew by {place.grown_kib} KiB at most")
    assert place.bed.server.parts()["core"] == core, "core has not ended"
    return {r.script.name: r for r in all_runs}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.name)
def test_the_script_ends_as_it_says(runs, script):
    run = runs[script.name]
    if script.ends != REFUSED:
        assert run.account is not None, f"no account: {run.problem}"
        assert run.id, f"no order: {run.problem}"
        assert run.took is not None, f"has not come to '{script.ends}': {run.doc}"
    assert not run.failure, run.failure


def test_core_stays_small_whatever_it_is_told(place, runs):
    assert place.grown_kib < 40 * 1024, f"{place.grown_kib} KiB"


def test_retry_after_is_obeyed_everywhere(place, runs):
    for ca in (place.common, *place.others):
        assert not ca.log.disobeyed(), ca.log.disobeyed()[0]


def test_nobody_was_stormed(place, runs):
    for ca in (place.common, *place.others):
        rows = [r for r in ca.log.rows if r["kind"] == "new-account"]
        assert len(rows) <= 10, "registration is asked for by a person only"


# ---- the table ----


def exists(reference):
    path, _, name = reference.partition(":")
    text = (TOP / path).read_text()
    return re.search(rf"(def test_{re.escape(name)}\b|TEST\({re.escape(name)}\)|def {re.escape(name)}\b)", text)


@pytest.mark.parametrize("line", LINES, ids=lambda k: k)
def test_every_line_has_a_script(line):
    scripts = [s.name for s in SCRIPTS if line in s.lines]
    assert scripts or ELSEWHERE.get(line), f"nothing shows: {LINES[line]}"
    for reference in ELSEWHERE.get(line, ()):
        assert exists(reference), f"{reference} is not there"


def test_scripts_name_only_lines_that_are_in_the_table():
    named = {line for s in SCRIPTS for line in s.lines} | set(ELSEWHERE)
    assert named <= set(LINES), named - set(LINES)
    assert len({s.name for s in SCRIPTS}) == len(SCRIPTS)
