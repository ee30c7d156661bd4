# SPDX-License-Identifier: Apache-2.0
"""Is everything right with this server? Each row when it is, and when what it looks at is broken for real."""
import email.utils
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import bed as beds
import pdns
import pytest
import sinks

needs_peers = pytest.mark.skipif(bool(pdns.missing() or sinks.missing()), reason=str(pdns.missing() or sinks.missing()))


class Doctor:
    """`certwright doctor` as root on the server's host, which also asks the server."""

    def __init__(self, bed, scratch):
        self.bed, self.server, self.scratch = bed, bed.server, scratch

    def run(self, *args, settings=None, state=None):
        more = ["--state", str(state or self.server.state)]
        for key, value in {**self.server.settings, **(settings or {})}.items():
            more += ["--set", f"{key}={value}"]
        env = {**os.environ, **self.server.env, **self.server.cli_env()}
        done = subprocess.run([beds.PROGRAM, "doctor", "--json", *more, *args], capture_output=True, text=True, check=False, env=env, timeout=300)
        doc = json.loads(done.stdout)
        assert done.returncode == (7 if doc["counts"]["error"] else 0), done
        for row in doc["rows"]:
            assert set(row) == {"where", "check", "about", "state", "text", "todo"} and row["text"], row
            assert row["state"] in ("ok", "not-checked") or row["todo"], f"it says what to do: {row}"
        return doc

    def rows(self, check, *args, where=None, **more):
        return [r for r in self.run(*args, **more)["rows"] if r["check"] == check and where in (None, r["where"])]

    def states(self, check, *args, **more):
        return {r["state"] for r in self.rows(check, *args, **more)}

    def bad(self, check, *args, state="error", **more):
        rows = [r for r in self.rows(check, *args, **more) if r["state"] == state]
        assert rows, self.rows(check, *args, **more)
        return " ".join(f"{r['about']} {r['text']} {r['todo']}" for r in rows)


def backup(bed, scratch, age=0):
    word = scratch / "passphrase"
    word.write_text("nine lives of a tabby cat\n")
    word.chmod(0o600)
    args = ["--to", scratch / f"{age}.backup", "--passphrase-file", word, *bed.server.arguments()]
    subprocess.run([beds.PROGRAM, "backup", *args], check=True, capture_output=True)
    subprocess.run([beds.PROGRAM, "key", "show-escrow", *bed.server.arguments()], check=True, capture_output=True)


@pytest.fixture(scope="module")
def one_server(tls):
    """What each test breaks it mends again."""
    folder = beds.scratch("certwright-doctor-")
    bed = beds.Bed(folder, tls=tls, ca="fake").start()
    bed.account()
    yield bed
    bed.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def doctor(one_server, scratch):
    yield Doctor(one_server, scratch)
    one_server.ca.rules.clear()
    if not one_server.server.process.running():
        one_server.server.start()


@needs_peers
def test_a_server_that_has_everything_is_right_in_every_row(make_bed, scratch):
    server, smtp = pdns.PowerDns(scratch, ["example.test"]), sinks.Smtp(scratch)
    try:
        bed = make_bed(forward=[server.port], settings={"resolve.servers": f"127.0.0.1:{server.port}", "dns.hostname": "ns.example.test"})
        bed.account()
        (scratch / "api").write_text(pdns.KEY + "\n")
        bed.server.call("provider", "create", "--kind", "powerdns", "--name", "inside", "--set", f"url={server.url}", "--secret-file", f"api_key={scratch / 'api'}")
        bed.server.call("view", "create", "--name", "zone servers", "--kind", "servers", "--address", f"127.0.0.1:{server.port}")
        cert, _ = sinks.certificate(scratch)
        status, made, _ = bed.server.request("POST", "/channels", {
            "kind": "email", "name": "ops", "connection": {"ca_pem": cert.read_text(), "allow": ["127.0.0.0/8"]},
            "settings": {"host": "127.0.0.1", "port": smtp.port, "user": "robot", "password": "p4ss word", "from": "c@example.test", "to": ["o@example.test"]}})
        assert status == 201, made
        backup(bed, scratch)
        one = Doctor(bed, scratch)
        doc = one.run()
        troubled = [r for r in doc["rows"] if r["state"] != "ok" and not (r["check"] == "proxy" or r["check"] == "disk")]
        assert not troubled, troubled
        seen = {r["check"] for r in doc["rows"]}
        assert seen == {"config", "last-error", "rights", "master-key", "disk", "listeners", "store", "edge", "clock", "proxy", "vendor", "account", "view", "provider",
                        "mail", "notification", "job", "history", "backup"}, seen
        assert doc["counts"]["ok"] == sum(r["state"] == "ok" for r in doc["rows"]) and doc["ran_at"] and doc["node"]
        assert "1 zone" in next(r["text"] for r in doc["rows"] if r["check"] == "provider")
        assert not smtp.mails, "nothing was sent"
        assert one.run("--last")["ran_at"] == doc["ran_at"], "what was found last is kept"

        # a refused credential, a mail server that is down, a resolver that is dead
        (scratch / "api").write_text("not the key\n")
        provider = bed.server.call("provider", "list")["items"][0]
        bed.server.call("provider", "update", provider["id"], "--secret-file", f"api_key={scratch / 'api'}")
        smtp.stop()
        bed.server.call("view", "create", "--name", "dead", "--kind", "servers", "--address", f"127.0.0.1:{beds.free_port()}")
        doc = one.run()
        text = {check: " ".join(f"{r['state']} {r['about']} {r['text']}" for r in doc["rows"] if r["check"] == check) for check in ("provider", "mail", "view")}
        assert "error inside" in text["provider"] and "error ops" in text["mail"] and "TCP" in text["mail"], text
        assert "error view 'dead', resolver 127.0.0.1" in text["view"] and "ok view 'zone servers', resolver" in text["view"], text
        wrong = sinks.Smtp(scratch, password="changed since", port=smtp.port)
        try:
            assert "does not accept the user and password" in one.bad("mail")
        finally:
            wrong.stop()
    finally:
        server.stop()


def test_rights_and_the_master_key_are_looked_at_on_the_host_and_in_the_server(doctor):
    state, key = doctor.server.state, doctor.server.state / "master.key"
    assert doctor.states("rights") == {"ok"} and doctor.states("master-key") == {"ok"}
    state.chmod(0o755)
    assert f"chmod 700 '{state}'" in doctor.bad("rights", where="host") and f"chmod 700 '{state}'" in doctor.bad("rights", where="server")
    state.chmod(0o700)
    (state / "certwright.db").chmod(0o644)
    assert "certwright.db others may read it (mode 0644)" in doctor.bad("rights")
    (state / "certwright.db").chmod(0o600)
    secret = doctor.scratch / "word"
    secret.write_text("x" * 20)
    secret.chmod(0o666)
    assert "others may write it" in doctor.bad("rights", "--local", settings={"backup.passphrase_file": secret})
    whole = key.read_bytes()
    other = doctor.scratch / "other.key"
    subprocess.run([beds.PROGRAM, "key", "create", other], check=True, capture_output=True)
    key.write_bytes(other.read_bytes())
    assert "was sealed" in doctor.bad("master-key", where="host") and "certwright key restore-escrow" in doctor.bad("master-key", where="server")
    key.unlink()
    assert "is missing" in doctor.bad("master-key", where="host") and "is missing" in doctor.bad("master-key", where="server")
    key.write_bytes(whole)
    key.chmod(0o644)
    assert "is open to others" in doctor.bad("master-key")
    key.chmod(0o400)
    if os.geteuid() == 0:
        user = beds.user_of_parts()
        os.chown(key, user.pw_uid, user.pw_gid)
    assert doctor.states("master-key") == {"ok"}


def test_a_configuration_that_is_wrong_or_was_changed_says_so(doctor):
    assert doctor.states("config") == {"ok"}
    assert "dns.rate_limit" in doctor.bad("config", "--local", settings={"dns.rate_limit": "many"})
    file = doctor.scratch / "certwright.conf"
    file.write_text("[log]\nlevel = info\n[engine]\nworkers = 4\n")
    file.chmod(0o644)
    doctor.server.stop()
    args = doctor.server.arguments
    doctor.server.arguments = lambda: [*args(), "--config", str(file)]
    doctor.server.start()
    doctor.server.arguments = args
    assert doctor.states("config", where="server") == {"ok"}
    file.write_text("[log]\nlevel = info\n[engine]\nworkers = 5\nworkrs = 3\n")
    assert "'engine.workrs' is not a key" in doctor.bad("config", where="server")
    file.write_text("[log]\nlevel = info\n[engine]\nworkers = 5\n")
    assert "engine.workers was changed since the server started" in doctor.bad("config", where="server", state="warning")
    doctor.server.stop()


def test_a_clock_that_is_off_is_seen_by_the_date_of_an_authority(doctor):
    assert doctor.states("clock") == {"ok"}
    for off, state, says in ((60, "warning", "behind"), (-90, "warning", "ahead of"), (3600, "error", "behind")):
        doctor.bed.ca.rule("directory", times=4, headers={"Date": lambda off=off: email.utils.formatdate(time.time() + off, usegmt=True)})
        text = doctor.bad("clock", state=state)
        assert says in text and "NTP" in text, text
        doctor.bed.ca.rules.clear()
    doctor.bed.ca.rule("directory", times=4, headers={"Date": None})
    assert doctor.states("clock") == {"not-checked"}


def test_an_authority_that_is_gone_or_hangs_stops_no_other_row(doctor):
    assert doctor.states("vendor") == {"ok"}
    doctor.bed.ca.rule("directory", times=9, stall=600)
    begun = time.monotonic()
    doc = doctor.run()
    assert time.monotonic() - begun < 240
    vendor = next(r for r in doc["rows"] if r["check"] == "vendor")
    assert vendor["state"] in ("error", "not-checked") and doctor.bed.ca.directory in vendor["about"], vendor
    assert {r["check"] for r in doc["rows"]} >= {"store", "edge", "view", "backup", "job"}
    doctor.bed.ca.rules.clear()
    doctor.bed.ca.rule("directory", times=9, status=503, body="down for maintenance")
    assert "answers 503" in doctor.bad("vendor")


def test_a_proxy_that_is_closed_is_named(make_bed, scratch):
    bed = make_bed(ca="fake")
    bed.account()
    bed.server.stop()
    bed.server.settings["net.proxy"] = f"http://127.0.0.1:{beds.free_port()}"
    bed.server.start()
    one = Doctor(bed, scratch)
    assert "proxy" in one.bad("proxy") and bed.server.settings["net.proxy"] in one.bad("proxy")
    assert one.states("vendor") == {"error"}


def test_an_old_backup_and_none_are_errors(doctor):
    assert "no backup was ever made" in doctor.bad("backup") and "key show-escrow" in doctor.bad("backup", state="warning")
    backup(doctor.bed, doctor.scratch)
    assert doctor.states("backup") == {"ok"}
    doctor.server.stop()
    subprocess.run(["sqlite3", doctor.server.state / "certwright.db", "UPDATE meta SET value = '1000000000000 4096' WHERE name = 'backup.made'"], check=True)
    doctor.server.start()
    assert "hours old" in doctor.bad("backup") and "certwright-backup.service" in doctor.bad("backup")


def test_a_server_that_is_down_says_why_and_what_has_its_port(doctor):
    assert doctor.states("listeners") == {"ok"} and doctor.states("last-error") == {"ok"}
    doctor.server.stop()
    doc = doctor.run()
    texts = {(r["check"], r["about"]): r for r in doc["rows"]}
    assert texts["listeners", "server"]["state"] == "error" and texts["server", ""]["state"] == "error"
    assert texts["listeners", f"dns.listen 127.0.0.1:{doctor.server.dns_port} (UDP)"]["text"] == "is free for Certwright"
    assert {r["check"] for r in doc["rows"]} == {"config", "last-error", "rights", "master-key", "disk", "listeners", "server"}
    with socket.create_server(("127.0.0.1", doctor.server.http_port)):
        text = doctor.bad("listeners", "--local")
        assert "the port is in use by" in text and f"(process {os.getpid()})" in text, text
        doctor.server.start(wait=False)
        beds.wait_for(lambda: not doctor.server.process.running(), 180, "it gives up")
        assert "did not start at" in doctor.bad("last-error", "--local") and "the port is in use" in doctor.bad("last-error", "--local")
    doctor.server.start()
    assert doctor.states("last-error") == {"ok"}, "it is over with the next start"


def test_a_part_that_does_not_answer_is_seen_from_within(doctor):
    doctor.server.kill("edge", signal.SIGSTOP)
    try:
        text = doctor.bad("listeners", where="server")
        assert "dns.listen" in text and "UDP" in text and "http01.listen" in text, text
    finally:
        doctor.server.kill("edge", signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is made by root")
def test_a_disk_that_fills_is_a_warning_then_an_error_and_its_growth_says_when(doctor):
    small = doctor.scratch / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=0700", "tmpfs", small], check=False, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        assert "MB and" in doctor.bad("disk", "--local", state="warning", settings={"backup.dir": small})
        (small / "full").write_bytes(b"\0" * (150 << 20))
        text = doctor.bad("disk", "--local", settings={"backup.dir": small})
        assert "MB are free" in text and "Give it more room" in text
    finally:
        subprocess.run(["umount", small], check=True)
    state = doctor.server.state
    now, free = int(time.time() * 1000), shutil.disk_usage(state).free
    (state / "growth").write_text(f"{now - 10 * 86400000} 1000000 {free}\nnonsense\n{now} {1000000 + free} {free}\n")
    (state / "growth").chmod(0o600)
    assert "fills the disk in" in doctor.bad("disk", "--local", state="warning")
    (state / "growth").write_text(f"{now - 2 * 86400000} 1000000 {free}\n{now} {1000000 + 2 * free} {free}\n")
    assert "fills the disk in" in doctor.bad("disk", "--local")


def test_nothing_secret_is_shown_and_jobs_show_only_how_many(doctor):
    doctor.run()
    rows = doctor.server.request("GET", "/checks")[1]["rows"]
    assert rows and {r["where"] for r in rows} == {"server"}
    jobs = [j for j in doctor.server.request("GET", "/jobs")[1]["items"] if j["kind"] == "server-check"]
    assert set(jobs[0]["result"]) == {"ok", "warning", "error", "not-checked"}, "a job is shown to more people than the rows"
    word = pathlib.Path(doctor.server.state / "master.key").read_text().split()[-1]
    assert word not in json.dumps(doctor.run())


def test_on_another_host_only_the_server_is_asked_and_names_are_as_before(doctor):
    done = doctor.server.cli("doctor", "--json", "--server", doctor.server.url)
    assert done.json["rows"] and {r["where"] for r in done.json["rows"]} == {"server"}, done
    names = doctor.server.cli("doctor", "nowhere.example.test", "--json")
    assert "facts" in names.out and names.status in (0, 7), names
