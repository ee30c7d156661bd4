# SPDX-License-Identifier: Apache-2.0
"""The log at a collector (rsyslog takes it apart), a collector that is down, wrong or silent; the heartbeat; the documented events."""
import http.server
import itertools
import json
import re
import socket
import ssl
import subprocess
import threading
import time

import bed as beds
import collector
import pytest

needs_rsyslog = pytest.mark.skipif(bool(collector.missing()), reason=str(collector.missing()))


def server_with(scratch, **settings):
    folder = scratch / "server"
    folder.mkdir(exist_ok=True)
    return beds.Server(folder, user=beds.user_of_parts(), settings={"dns.listen": "", "http01.listen": "", **settings})


def marks(server, names):
    for name in names:
        server.call("view", "create", "--name", name, "--kind", "system")


@pytest.fixture
def sink(scratch):
    one = collector.Collector(scratch)
    yield one
    one.stop()


@needs_rsyslog
def test_every_line_comes_to_the_collector_as_rfc_5424_and_as_it_stands_in_the_local_log(scratch, sink):
    server = server_with(scratch, **{"log.target": f"syslog://127.0.0.1:{sink.port}", "log.target_ca": str(sink.ca)}).start()
    try:
        marks(server, ["view with ünïcode \\ and \"quotes\""])
        audit = sink.wait(lambda m: m["msgid"] == "audit" and "view.create" in m["msg"], "the audit row comes")
        ready = sink.wait(lambda m: m["msgid"] == "serving", "what was logged before it was connected comes, too")
        assert audit["pri"] == str(13 * 8 + 6) and ready["pri"] == str(3 * 8 + 6), (audit, ready)
        assert audit["app"] == "certwright" and audit["version"] == "1" and audit["procid"] == str(server.parts()["core"]) and audit["host"] == socket.gethostname().split(".")[0]
        doc = json.loads(audit["msg"])
        assert doc["msg"] == "audit" and doc["object"] == "view with ünïcode \\ and \"quotes\"" and audit["time"][:19] == doc["time"][:19]
        local = [json.loads(line) for line in server.process.text().splitlines() if line.startswith("{")]
        assert doc in local
    finally:
        server.stop()
    stopping = sink.wait(lambda m: m["msgid"] == "stopping", "the last lines come")
    assert stopping


@needs_rsyslog
def test_what_edge_and_the_supervisor_log_comes_there_too_and_edge_has_no_way_out(scratch, sink):
    server = beds.Server(scratch, user=beds.user_of_parts(), settings={"log.target": f"syslog://127.0.0.1:{sink.port}", "log.target_ca": str(sink.ca)}).start()
    local = lambda: [json.loads(x) for x in server.process.text().splitlines() if x.startswith("{")]  # noqa: E731

    def came(msgid, pid):
        got = sink.wait(lambda m: m["msgid"] == msgid and m["procid"] == str(pid), f"{msgid} of {pid} comes", 60)
        assert json.loads(got["msg"]) in local() and got["pri"].isdigit(), got
        return got

    try:
        first = server.parts()["edge"]
        came("edge-started", first)
        came("full-set-of-challenges-loaded", first)
        came("ready", server.process.pid)
        sockets = subprocess.run(["ss", "-Htnp"], capture_output=True, text=True, check=True).stdout
        assert f"pid={first}," not in sockets, "edge has no connection of its own"
        server.kill("edge")
        died = came("a-part-of-the-server-ended--it-i", server.process.pid)
        assert '"part":"edge"' in died["msg"] and died["pri"] == str(3 * 8 + 3)
        second = beds.wait_for(lambda: server.parts().get("edge"), 120, "edge is started again")
        assert second != first and came("edge-started", second)
        server.kill("core")
        assert '"part":"core"' in sink.wait(lambda m: "a part of the server ended" in m["msg"] and '"part":"core"' in m["msg"], "what was logged while core was away comes", 60)["msg"]
        sink.wait(lambda m: m["msgid"] == "core-is-away--answering-from-wha" and m["procid"] == str(second), "of edge, too", 60)
        assert not any(m["msgid"] == "audit" and m["procid"] != str(server.parts()["core"]) and '"process":"core"' not in m["msg"] for m in sink.messages())
        beds.wait_for(server.ready, 120, "core is back")
        seen = [m["msg"] for m in sink.messages() if json.loads(m["msg"])["process"] != "core"]
        assert len(seen) == len(set(seen)), "each line once"
    finally:
        server.stop()


@needs_rsyslog
def test_a_collector_that_was_away_gets_what_was_logged_meanwhile_and_nobody_waited(scratch):
    port, away, tries = beds.free_port(), "the log collector is not reached", itertools.count()
    sink = None
    server = server_with(scratch, **{"log.target": f"syslog://127.0.0.1:{port}", "log.target_fingerprint": "0" * 64}).start()  # started without one
    try:
        marks(server, ["before"])
        beds.wait_for(lambda: away in server.process.text(), 120, "it is said")
        server.stop()
        sink = collector.Collector(scratch, port)
        sink.stop()
        server.settings["log.target_fingerprint"] = sink.fingerprint()
        server.start()
        begun = time.monotonic()
        marks(server, [f"while down {i}" for i in range(20)])
        assert time.monotonic() - begun < 100, "a try to connect takes up to ten seconds: nobody waited for one"
        sink.start()
        sink.wait(lambda m: "while down 0" in m["msg"], "what waited comes", 150)
        sink.wait(lambda m: "while down 19" in m["msg"], "all of it")
        beds.wait_for(lambda: "the log collector is reached again" in server.process.text(), 120, "it says so")
        said = server.process.text().count(away)
        sink.stop()
        marks(server, ["down again"])

        def noticed():  # what is written first to a peer that has gone is lost: nothing tells so
            marks(server, [f"is it there {next(tries)}"])
            return server.process.text().count(away) > said

        beds.wait_for(noticed, 120, "it is noticed", 0.5)
        marks(server, ["and later"])
        sink.start()
        sink.wait(lambda m: "and later" in m["msg"], "it comes back once more", 150)
        assert server.process.text().count(away) <= 4, "it is said once, not with every try"
        assert "down again" in server.process.text()
    finally:
        server.stop()
        if sink:
            sink.stop()


@needs_rsyslog
def test_a_collector_whose_certificate_is_anothers_gets_nothing(scratch, sink):
    server = server_with(scratch, **{"log.target": f"syslog://127.0.0.1:{sink.port}"}).start()
    try:
        marks(server, ["secret of the house"])
        line = beds.wait_for(lambda: next((x for x in server.process.text().splitlines() if "the log collector is not reached" in x), None), 120, "it says so")
        assert "TLS" in line and "not accepted" in line
        assert not any("secret of the house" in m["msg"] for m in sink.messages())
    finally:
        server.stop()


def test_a_collector_that_takes_the_connection_and_says_nothing_stops_nobody(scratch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = server_with(scratch, **{"log.target": f"syslog://127.0.0.1:{silent.getsockname()[1]}"})
        begun = time.monotonic()
        server.start()
        try:
            marks(server, [f"silent {i}" for i in range(10)])
            assert time.monotonic() - begun < 90, "nobody waited for it"
            assert all(f"silent {i}" in server.process.text() for i in range(10)), "the local log has all"
        finally:
            begun = time.monotonic()
            server.stop()
            assert time.monotonic() - begun < 60


@pytest.mark.parametrize("key,value,says", [("log.target", "syslog:127.0.0.1", "syslog://HOST"), ("log.target", "syslog://h:99999", "has no port"),
                                            ("log.target", "udp://h", "syslog://HOST"), ("log.target_ca", "/nowhere/ca.pem", "log.target_ca"),
                                            ("heartbeat.url", "ftp://h/", "heartbeat.url"), ("heartbeat.every", "0", "heartbeat.every")])
def test_what_cannot_be_is_said_by_the_check_of_the_configuration(scratch, key, value, says):
    server = server_with(scratch, **{"log.target": "syslog://127.0.0.1:6514", "heartbeat.url": "https://h.example/x", key: value})
    done = subprocess.run([beds.PROGRAM, "config", "check", *server.arguments()], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and says in done.stdout + done.stderr, done


class Beats:
    def __init__(self, folder):
        beds.make_tls(folder)
        self.seen = seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.command, self.path))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "srv.pem", folder / "srv.key")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url, self.ca = f"https://127.0.0.1:{self.server.server_port}/ping/0123456789-secret-path", folder / "ca.pem"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_heartbeat_is_sent_at_start_and_its_path_stays_out_of_logs(scratch, method):
    (scratch / "beats").mkdir()
    beats = Beats(scratch / "beats")
    beats.ca.chmod(0o644), (scratch / "beats").chmod(0o755)
    server = server_with(scratch, **{"heartbeat.url": beats.url, "heartbeat.method": method, "heartbeat.every": "1", "net.trust": str(beats.ca)}).start()
    try:
        beds.wait_for(lambda: beats.seen, 120, "a heartbeat comes")
        assert beats.seen[0] == (method, "/ping/0123456789-secret-path")
        assert "certwright_job_last_success_timestamp_seconds{kind=\"heartbeat\"}" in beds.wait_for(
            lambda: (lambda t: t if 'kind="heartbeat"' in t else None)(server.http("/metrics")[1].decode()), 120, "the metric tells when")
        assert "secret-path" not in server.process.text()
    finally:
        server.stop()
        beats.stop()


def test_every_line_that_was_logged_is_an_event_of_the_document(scratch):
    known = set(re.findall(r"^\| `([^`]+)`", (beds.TOP / "docs/generated/log-events.md").read_text(), re.M))
    assert len(known) > 60
    server = server_with(scratch, **{"log.level": "debug"}).start()
    marks(server, ["one"])
    server.cli("view", "list")
    server.stop()
    said = {json.loads(line)["msg"] for line in server.process.text().splitlines() if line.startswith("{")}
    assert said and said <= known, said - known
