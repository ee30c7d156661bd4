# SPDX-License-Identifier: Apache-2.0
"""The parts as units of systemd: the unit files of the package, the generator that gives the sockets their addresses, one part
restarted without the others. Where systemd is not process 1, tests/fake/units.py runs what the units say and systemd's own
systemd-socket-activate and systemd-analyze judge what they can."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess

import dns.message
import dns.query
import pytest

import bed as beds
import collector
import units

UNITS = pathlib.Path(os.environ.get("CERTWRIGHT_UNITS", beds.TOP / "packaging/systemd"))


def write_conf(path, server, runner, **more):
    rows = {"api": {"listen": f"127.0.0.1:{server.api_port}"}, "dns": {"listen": f"127.0.0.1:{server.dns_port}", "hostname": "ns.certwright.test"},
            "http01": {"listen": f"127.0.0.1:{server.http_port}"}, "keys": {"master": "master.key"}, "run": {"sockets": runner, "user": "nobody"},
            "net": {"allow": "127.0.0.0/8"}, **more}
    path.write_text("".join(f"[{s}]\n" + "".join(f"{k} = {v}\n" for k, v in kv.items()) for s, kv in rows.items()))


@pytest.fixture
def host(scratch):
    """A host with the units, certwright.conf and a master key; the parts are not started yet."""
    user = beds.user_of_parts()
    server = beds.Server(scratch / "x" if (scratch / "x").mkdir() is None else None, user=user)
    run, generated, key, conf = (scratch / n for n in ("run", "generated", "master.key", "certwright.conf"))
    run.mkdir(), generated.mkdir()
    write_conf(conf, server, run)
    server.settings = {}
    server.arguments = lambda: ["--state", str(server.state), "--config", str(conf)]
    subprocess.run([beds.PROGRAM, "key", "create", key], check=True, capture_output=True)
    subprocess.run([beds.PROGRAM, "config", "units", generated, "--config", conf], check=True)
    program = f"{beds.PROGRAM}"
    manager = units.Manager(scratch, [UNITS, generated], {"/usr/bin/certwright": program, "/run/certwright": run, "/etc/certwright/master.key": key}, user=user,
                            env={**server.env, "TEST_WATCHDOG_S": "1", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")})
    server.manager, server.conf, server.generated = manager, conf, generated
    server.prepare()
    yield server
    manager.close()


def start_core(host, wait=True):
    host.manager.start("certwright.service", wait=wait, args=host.arguments())
    if wait:
        host.learn_fingerprint()


def start_edge(host):
    host.manager.start("certwright-edge.service", args=host.arguments())


def ask(host):
    q = dns.message.make_query("_acme-challenge.nothing.test", "TXT")
    return dns.query.udp(q, "127.0.0.1", timeout=60, port=host.dns_port).rcode()


def edge_loaded(host):
    return beds.wait_for(lambda: host.manager.heard("certwright-edge.service", "STATUS=answering"), 120, "edge says that it answers")


def test_the_parts_serve_as_units_and_say_so(host):
    start_edge(host)
    start_core(host)
    edge_loaded(host)
    assert ask(host) == dns.rcode.REFUSED, "asked for a name it has nothing about"
    beds.wait_for(lambda: host.manager.heard("certwright.service", "WATCHDOG=1"), 120, "core's sign of life")
    beds.wait_for(lambda: host.manager.heard("certwright.service", "edge answers"), 120, "a later one tells that edge answers")
    assert host.call("status")["version"]
    assert not (host.state / "master.key").exists(), "the master key stays outside the state folder"
    assert host.manager.stop("certwright.service") == 0
    assert host.manager.heard("certwright.service", "STOPPING=1")


def test_one_part_is_restarted_and_the_sockets_keep_what_arrives(host):
    start_edge(host)
    start_core(host)
    edge_loaded(host)
    host.manager.stop("certwright-edge.service", signal.SIGKILL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(120)
        s.sendto(dns.message.make_query("_acme-challenge.nothing.test", "TXT").to_wire(), ("127.0.0.1", host.dns_port))
        start_edge(host)
        assert dns.message.from_wire(s.recv(4096)).rcode() == dns.rcode.REFUSED, "asked while edge was away, answered when core had loaded it"
    host.manager.stop("certwright.service", signal.SIGKILL)
    assert ask(host) == dns.rcode.REFUSED, "edge answers without core"
    start_core(host)
    assert host.call("status")


def test_two_cores_never_share_a_state_folder(host):
    start_core(host)
    second = subprocess.run([beds.PROGRAM, "core", *host.arguments()], capture_output=True, text=True, check=False,
                            user=host.manager.user.pw_uid if host.manager.user else None, extra_groups=[] if host.manager.user else None,
                            env={**os.environ, "CREDENTIALS_DIRECTORY": str(host.manager.folder / "credentials/certwright.service")})
    assert second.returncode != 0 and "another server uses the state folder" in second.stderr, second.stderr


WHO_AM_I = """#!/bin/sh
keeper=$(sed -n 's/^PPid:\t//p' /proc/$$/status)
unit=$(sed -n 's/^PPid:\t//p' "/proc/$keeper/status")
echo "$1 $2 by $unit" >>FILE
[ "$1" = present ] || exit 0
echo "the zone is closed" >&2
exit 3
"""


@pytest.fixture
def who_am_i(scratch):
    """A program that notes whose grandchild it is (a keeper is between), in a folder that nobody else may write, and fails to publish."""
    folder = beds.scratch("certwright-hooks-")
    folder.chmod(0o755)
    noted = scratch / "noted"
    noted.touch()
    noted.chmod(0o666)
    (folder / "who").write_text(WHO_AM_I.replace("FILE", str(noted)))
    (folder / "who").chmod(0o755)
    yield folder / "who", noted
    shutil.rmtree(folder, ignore_errors=True)


def start_runner(host):
    return host.manager.start("certwright-runner.service", args=host.arguments())


def test_a_foreign_program_runs_in_the_runner_unit(host, scratch, who_am_i):
    program, noted = who_am_i
    write_conf(host.conf, host, scratch / "run", programs={"who": program})
    unit = start_runner(host)
    assert stat.S_IMODE(os.stat(scratch / "run/runner.sock").st_mode) == 0o600, "core alone may connect"
    start_core(host)
    provider = host.call("provider", "create", "--kind", "exec", "--name", "hook", "--set", "program=who")
    done = host.cli("provider", "test", provider["id"], "--zone", "example.test")
    assert "ended with status 3" in done.err + done.out and "the zone is closed" in done.err + done.out, done
    assert noted.read_text().splitlines()[0].startswith("present _acme-challenge") and noted.read_text().splitlines()[0].endswith(f"by {unit}"), noted.read_text()
    assert host.manager.stop("certwright-runner.service") == 0


@pytest.mark.skipif(bool(collector.missing()), reason=str(collector.missing()))
def test_what_the_runner_unit_logs_comes_to_the_collector(host, scratch, who_am_i):
    program, _ = who_am_i
    program.write_text("#!/bin/sh\nkill -9 $PPID\nsleep 60\n")
    sink = collector.Collector(scratch)
    try:
        write_conf(host.conf, host, scratch / "run", programs={"who": program}, log={"target": f"syslog://127.0.0.1:{sink.port}", "target_ca": sink.ca})
        first = start_runner(host)  # before core, whose socket systemd has made by then
        start_core(host)
        provider = host.call("provider", "create", "--kind", "exec", "--name", "hook", "--set", "program=who")
        assert host.request("POST", f"/providers/{provider['id']}/test", {"zone": "example.test"})[0] in (200, 202), "it is tried again and again: nobody waits"
        got = sink.wait(lambda m: "the keeper of a job was killed" in m["msg"], "the runner's line comes", 60)
        assert got["procid"] == str(first) and json.loads(got["msg"])["process"] == "runner", got
        host.manager.stop("certwright-runner.service", signal.SIGKILL)
        host.manager.stop("certwright.service")
        second = start_runner(host)
        assert not any(m["procid"] == str(second) for m in sink.messages()), "core is away"
        start_core(host)
        sink.wait(lambda m: m["procid"] == str(second) and m["msgid"] == "ready", "what was logged while core was away comes", 60)
        host.manager.stop("certwright-runner.service")
    finally:
        sink.stop()


def test_a_password_protected_file_is_opened_in_the_runner_unit(host, scratch):
    start_runner(host)
    start_core(host)
    beds.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "one.key", "-out", "one.pem", "-days", "30", "-subj",
                 "/CN=one.example.test", "-addext", "subjectAltName=DNS:one.example.test", cwd=scratch)
    beds.openssl("pkcs12", "-export", "-in", "one.pem", "-inkey", "one.key", "-passout", "pass:geheim", "-out", "one.p12", cwd=scratch)
    (scratch / "word").write_text("geheim\n")
    (scratch / "word").chmod(0o600)
    done = host.cli("import", scratch / "one.p12", "--password-file", scratch / "word", "--json")
    assert done.status == 0 and [i["result"] for i in done.json["items"]] == ["imported"], done
    host.manager.stop("certwright-runner.service", signal.SIGKILL)


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="systemd-socket-activate is not installed")
def test_systemd_itself_hands_the_https_socket_over(host, scratch):
    """systemd-socket-activate makes one kind of socket under one name, so core is what it can start."""
    user = host.manager.user
    cred = scratch / "cred"
    cred.mkdir()
    shutil.copy(scratch / "master.key", cred / "master.key")
    if user:
        os.chown(cred, user.pw_uid, user.pw_gid), os.chown(cred / "master.key", user.pw_uid, user.pw_gid)
    process = beds.Process("activate", ["systemd-socket-activate", "-l", f"127.0.0.1:{host.api_port}", "--fdname=https", "-E", f"CREDENTIALS_DIRECTORY={cred}",
                                        beds.PROGRAM, "core", *host.arguments()], scratch, user=user)
    try:
        beds.wait_for(lambda: host.http("/healthz"), 120, "core was activated by a connection")
        # said when the engine has started too, which is after the first answer
        beds.wait_for(lambda: '"serving"' in process.text() or not process.running(), 120, "core says that it serves")
        assert process.stop() == 0, process.text()
    finally:
        process.stop()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit, most", [("certwright-edge", 0.3), ("certwright", 1.2), ("certwright-runner", 1.5)])
def test_the_exposure_of_a_unit_is_low(unit, most):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / f"{unit}.service")], capture_output=True, text=True,
                          check=False)
    score = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score and float(score[1]) <= most, done.stdout[-2000:] + done.stderr


def test_nothing_is_offered_until_the_administrator_says_where(tmp_path):
    """As the package is installed: the generator gives HTTPS a loopback address, and neither DNS nor HTTP any, nor is edge started."""
    conf = tmp_path / "certwright.conf"
    conf.write_text(subprocess.run([beds.TOP / "packaging/default-conf", beds.PROGRAM], capture_output=True, text=True, check=True).stdout)
    subprocess.run([beds.PROGRAM, "config", "units", tmp_path, "--config", conf], check=True)
    text = {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*.conf") if p != conf}
    assert list(text) and not [n for n in text if "dns" in n or "http.socket" in n or "edge" in n], text
    listens = re.findall(r"Listen\w+=(.*)", "".join(text.values()))
    assert listens == ["127.0.0.1:8443"], "HTTPS on loopback only"
    assert not (tmp_path / "certwright.service.wants").exists()
    known = subprocess.run([beds.PROGRAM, "config", "keys"], capture_output=True, text=True, check=True).stdout
    for key in re.findall(r"^\| `([a-z0-9_]+)\.([a-z0-9_]+)`", known, re.M):
        assert re.search(rf"^#?{key[1]} =", conf.read_text(), re.M), f"{'.'.join(key)} is in the file"
