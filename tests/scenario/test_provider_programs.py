# SPDX-License-Identifier: Apache-2.0
"""exec, httpreq and acme.sh hooks: the same script and the same service serve lego and us; hooks run from a copy of acme.sh in the runner."""
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading

import dnspeers
import pytest
from dnshooks import SCRIPT, Hooks, acme_sh, environment, program
from provider_tool import VALUES, fine, refused

import bed

NAME = "_acme-challenge.example.test"
@pytest.fixture
def named(tmp_path):
    if not dnspeers.Named.here():
        pytest.skip("BIND is not installed")
    peer = dnspeers.Named(tmp_path / "named")
    yield peer
    peer.stop()


@pytest.fixture
def place():
    """A folder that passes the runner's check: nobody else may write it."""
    folder = bed.scratch("certwright-hooks-")
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def lego_run(tmp_path, tls, names, provider, env):
    """lego's own client orders apex + wildcard through the provider; the CA asks BIND."""
    done = subprocess.run(["lego", "--accept-tos", "--path", tmp_path / "lego", "-s", names["directory"], "-m", "a@example.test", "--dns", provider,
                           "--dns.resolvers", f"127.0.0.1:{names['port']}", "--dns.disable-cp", "-d", "example.test", "-d", "*.example.test", "run"],
                          env={**os.environ, **env, "LEGO_CA_CERTIFICATES": str(tls / "ca.pem"), "EXEC_SEQUENCE_INTERVAL": "0",
                               "EXEC_PROPAGATION_TIMEOUT": "10", "EXEC_POLLING_INTERVAL": "1"}, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_script_serves_lego_and_us(named, place, tmp_path, tls):
    script = program(place, "dns-hook", SCRIPT)
    env = environment(named)
    own = {"program": f"dns-hook={script}"}
    if shutil.which("lego") and bed.PEBBLE:
        ca = bed.Pebble(tmp_path, named.port, bed.free_port(), None, True, {"PEBBLE_VA_NOSLEEP": "1"}, False, tls)
        try:
            lego_run(tmp_path, tls, {"directory": ca.directory, "port": named.port}, "exec", {**env, "EXEC_PATH": str(script)})
        finally:
            ca.stop()
        assert named.values(NAME) == []
    lines = "".join(f"{k}={v}\n" for k, v in env.items())
    call = {"program": own["program"], "environment": lines}
    for _ in range(2):
        exec_call("publish", *VALUES, **call)
    assert named.values(NAME) == sorted(VALUES)
    exec_call("publish", "third", **call)
    exec_call("withdraw", *VALUES, **call)
    assert named.values(NAME) == ["third"]
    for _ in range(2):
        exec_call("withdraw", "third", **call)
    assert named.values(NAME) == []


def exec_call(act, *values, program, environment=""):
    """The field is called program, as the tool's own option is: the field goes in by hand."""
    done = subprocess.run([bed.BUILD / "tests/tool/provider", "exec", act, NAME, *values, "--", "program=dns-hook", f"environment={environment}",
                           f"+program={program}"], capture_output=True, text=True, timeout=600, check=False)
    answer = json.loads(done.stdout)
    assert answer["ok"], answer
    return answer


def tool(kind, act, *values, **fields):
    extra = [f"+program={p}" for p in fields.pop("programs")]
    done = subprocess.run([bed.BUILD / "tests/tool/provider", kind, act, NAME, *values, "--", *[f"{k}={v}" for k, v in fields.items()], *extra],
                          capture_output=True, text=True, timeout=600, check=False)
    return json.loads(done.stdout)


def test_what_a_program_does_wrong_is_said(named, place):
    bad = program(place, "bad", "#!/bin/sh\necho \"no login with $TOKEN\" >&2\nexit 3\n")
    answer = tool("exec", "publish", VALUES[0], program="bad", environment="TOKEN=s3cret-token", programs=[f"bad={bad}"])
    assert answer["code"] == "remote-busy" and "status 3" in str(answer) and "no login with" in str(answer) and "s3cret" not in str(answer)
    answer = tool("exec", "publish", VALUES[0], program="other", programs=[f"bad={bad}"])
    assert answer["code"] == "invalid" and "other" in str(answer), answer
    bad.chmod(0o777)
    answer = tool("exec", "publish", VALUES[0], program="bad", programs=[f"bad={bad}"])
    assert not answer["ok"], "a program that everybody may write was run"


def test_the_same_service_serves_lego_and_us(named, tmp_path, tls):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", bed.free_port()), Hooks)
    server.peer = named
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        if shutil.which("lego") and bed.PEBBLE:
            ca = bed.Pebble(tmp_path, named.port, bed.free_port(), None, True, {"PEBBLE_VA_NOSLEEP": "1"}, False, tls)
            try:
                lego_run(tmp_path, tls, {"directory": ca.directory, "port": named.port}, "httpreq",
                         {"HTTPREQ_ENDPOINT": url, "HTTPREQ_USERNAME": "user", "HTTPREQ_PASSWORD": "password"})
            finally:
                ca.stop()
            assert named.values(NAME) == []
        for _ in range(2):
            fine("httpreq", "publish", NAME, *VALUES, url=url, username="user", password="password")
        assert named.values(NAME) == sorted(VALUES)
        fine("httpreq", "withdraw", NAME, *VALUES, url=url, username="user", password="password")
        assert named.values(NAME) == []
        refused("unauthenticated", "httpreq", "publish", NAME, VALUES[0], url=url, username="user", password="wrong")
    finally:
        server.shutdown()
        server.server_close()


def test_a_hook_runs_unchanged_and_leaves_nothing_behind(named, place):
    acme = acme_sh(place)
    programs = [f"acme-sh={acme}"]
    options = f"TEST_Port={named.port}\nTEST_Key='{dnspeers.KEY}:{dnspeers.SECRET}'\n"
    before = set(place.rglob("*"))

    def hook(act, *values, name="dns_test", lines=options):
        return tool("acmesh", act, *values, program="acme-sh", hook=name, options=lines, programs=programs)

    assert hook("publish", *VALUES)["ok"] and named.values(NAME) == sorted(VALUES)
    assert hook("publish", "third")["ok"]
    assert hook("withdraw", *VALUES)["ok"] and named.values(NAME) == ["third"]
    assert hook("withdraw", "third")["ok"] and named.values(NAME) == []
    assert set(place.rglob("*")) == before  # account.conf with the key in clear was in the private directory
    for path in ("/tmp", "/dev/shm", "/run"):
        for found in pathlib.Path(path).glob("*/account.conf"):
            assert dnspeers.SECRET not in found.read_text(errors="replace"), found
    answer = hook("publish", VALUES[0], lines=f"TEST_Port={named.port}\n")
    assert answer["code"] == "remote-busy" and "TEST_Key (TSIG key, name:secret)" in answer["error"]["hint"], answer
    answer = hook("publish", VALUES[0], name="dns_other")
    assert answer["code"] == "invalid" and "no hook 'dns_other'" in str(answer), answer
    answer = hook("publish", VALUES[0], lines=f"TEST_Port=1\nTEST_Key={dnspeers.KEY}:{dnspeers.SECRET}\n")
    assert not answer["ok"] and dnspeers.SECRET not in str(answer), answer


def test_a_hook_says_what_it_needs(named, place):
    acme = acme_sh(place)
    done = subprocess.run([bed.BUILD / "tests/tool/provider", "acmesh", "info", "dns_test", "--", "program=acme-sh", "hook=dns_test",
                           f"+program=acme-sh={acme}"], capture_output=True, text=True, timeout=600, check=False)
    options = json.loads(done.stdout)["result"]
    assert [(o["name"], o["optional"], o["default"]) for o in options] == [("TEST_Port", False, None), ("TEST_Key", False, None), ("TEST_Ttl", True, "60")]


real = pytest.mark.skipif(not os.environ.get("ACME_SH"), reason="ACME_SH does not name an acme.sh with its dnsapi folder")


# hooks that name no option: what they take is written as lines, by their documentation
SILENT = {"dns_mydevil": "it names no options"}


@real
def test_every_real_hook_of_acme_sh_says_what_it_needs(place):
    """Read as the form reads it."""
    theirs = pathlib.Path(os.environ["ACME_SH"])
    acme = shutil.copy(theirs, place / "acme.sh")
    shutil.copytree(theirs.parent / "dnsapi", place / "dnsapi")
    silent = set()
    for hook in sorted((place / "dnsapi").glob("dns_*.sh")):
        done = subprocess.run([bed.BUILD / "tests/tool/provider", "acmesh", "info", hook.stem, "--", "program=acme-sh", f"hook={hook.stem}",
                               f"+program=acme-sh={acme}"], capture_output=True, text=True, timeout=600, check=False)
        answer = json.loads(done.stdout)
        assert answer["ok"], (hook, answer)
        assert all(o["help"] and "\n" not in o["help"] for o in answer["result"]), (hook, answer)
        silent |= set() if answer["result"] else {hook.stem}
    assert not silent - set(SILENT), "of these a person has to look why, and either they are read or they get their line above"


@real
def test_a_real_hook_of_acme_sh_runs_against_bind(named, tmp_path, place):
    acme = os.environ["ACME_SH"]
    key = place / "key.conf"
    key.write_text(f'key "{dnspeers.KEY}" {{ algorithm hmac-sha256; secret "{dnspeers.SECRET}"; }};\n')
    options = f"NSUPDATE_SERVER=127.0.0.1\nNSUPDATE_SERVER_PORT={named.port}\nNSUPDATE_KEY={key}\nNSUPDATE_ZONE=example.test\n"
    answer = tool("acmesh", "publish", *VALUES, program="acme-sh", hook="dns_nsupdate", options=options, programs=[f"acme-sh={acme}"])
    assert answer["ok"], answer
    assert named.values(NAME) == sorted(VALUES)
    assert tool("acmesh", "withdraw", *VALUES, program="acme-sh", hook="dns_nsupdate", options=options, programs=[f"acme-sh={acme}"])["ok"]
    assert named.values(NAME) == []
