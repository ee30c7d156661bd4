# SPDX-License-Identifier: Apache-2.0
"""F5 BIG-IP: a fake device group, judged first by F5's own Ansible modules, then used against our publisher: one record at a time, twenty at
once beside another administrator, fail-over, refusals, and our iRule running under tclsh."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import time

import pytest
from provider_tool import provider

import bed
import bigip

TOKEN, VALUE = "DGyRejmCefe7v4NfDGDKfA_0123456789", "DGyRejmCefe7v4NfDGDKfA_0123456789.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_python_interpreter: /usr/bin/python3
    provider: {server: 127.0.0.1, server_port: PORT, user: admin, password: "{{ pw }}", validate_certs: false, no_f5_teem: true}
  tasks:
    - f5networks.f5_modules.bigip_data_group: {provider: "{{provider}}", name: dg_acme, internal: true, type: string,
        records: [{key: tokenA, value: tokenA.thumb}, {key: tokenB, value: tokenB.thumb}]}
    - f5networks.f5_modules.bigip_irule: {provider: "{{provider}}", module: ltm, name: acme_rule, content: "when HTTP_REQUEST { return }"}
    - f5networks.f5_modules.bigip_virtual_server: {provider: "{{provider}}", name: vs_http, irules: [acme_rule]}
"""


@pytest.fixture
def group(tls):
    made = []

    def make(units=1, web=False):
        made.append(bigip.Group([bed.free_port() for _ in range(units)], tls, bed.free_port() if web else None))
        return made[-1]
    yield make
    for one in made:
        one.stop()


def fields(g, tls, **other):
    return {"trust": tls / "ca.pem", "url": g.units[0].url, "peers": "\n".join(u.url for u in g.units[1:]) or None, "username": bigip.USER,
            "password": bigip.PASSWORD, **other}


def call(act, g, tls, token=TOKEN, value=VALUE, before=(), **other):
    values = [token, value] if act in ("publish", "withdraw") else [other.pop("server")] if act in ("attach", "detach") else []
    return provider("f5", act, "www.example.test", *values, before=before, **fields(g, tls, **other))


def fine(*args, **more):
    answer = call(*args, **more)
    assert answer["ok"], answer
    return answer["result"]


def refused(code, *args, **more):
    answer = call(*args, **more)
    assert answer["code"] == code, answer
    assert bigip.PASSWORD not in str(answer)
    return str(answer["error"])


def carried(slow, *args):
    """As the engine carries a deed out: a device that was not reached within its five seconds, on a busy machine, is asked again."""
    until = time.monotonic() + 240
    while (answer := call(*args)).get("code") in ("timeout", "network") and time.monotonic() < until:
        slow.append(answer)
    return answer


def no_tokens(g):
    return all(not u.tokens for u in g.units)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ansible-playbook"), reason="Ansible is not installed")
def test_f5s_own_ansible_modules_judge_the_fake(group, tmp_path):
    g = group()
    (tmp_path / "play.yml").write_text(PLAY.replace("PORT", str(g.units[0].port)))

    def play(password):
        return subprocess.run(["ansible-playbook", "-i", "localhost,", "-e", f"pw={password}", tmp_path / "play.yml"], capture_output=True, text=True,
                              timeout=900, check=False, env={**os.environ, "F5_TELEMETRY_OFF": "true", "HOME": str(tmp_path), "ANSIBLE_NOCOLOR": "1"})
    first = play(bigip.PASSWORD)
    assert first.returncode == 0 and "changed=3" in first.stdout, first.stdout + first.stderr
    assert g.records("dg_acme") == {"tokenA": "tokenA.thumb", "tokenB": "tokenB.thumb"}
    assert g.config.objects["virtual"]["/Common/vs_http"]["rules"] == ["/Common/acme_rule"]
    again = play(bigip.PASSWORD)
    assert again.returncode == 0 and "changed=0" in again.stdout, again.stdout + again.stderr
    wrong = play("wrong")
    assert wrong.returncode != 0 and "401" in wrong.stdout and "failed=1" in wrong.stdout, wrong.stdout
    assert no_tokens(g)


def test_a_token_comes_and_goes_and_nothing_else_is_touched(group, tls):
    g = group()
    for _ in range(2):
        fine("publish", g, tls)
    assert g.records() == {TOKEN: VALUE}
    before = json.dumps(g.config.objects["virtual"], sort_keys=True) + json.dumps(sorted(g.config.objects["rule"]))
    fine("publish", g, tls, token="-starts_with_a_hyphen", value="-starts_with_a_hyphen.thumb")
    for _ in range(2):
        fine("withdraw", g, tls)
    assert g.records() == {"-starts_with_a_hyphen": "-starts_with_a_hyphen.thumb"}
    fine("withdraw", g, tls, token="-starts_with_a_hyphen", value="-starts_with_a_hyphen.thumb")
    assert g.records() == {} and no_tokens(g)
    assert json.dumps(g.config.objects["virtual"], sort_keys=True) + json.dumps(sorted(g.config.objects["rule"])) == before
    assert not any(m == "PATCH" and b"records" in body for m, _, body in g.units[0].requests), "the whole list was written"


def test_twenty_at_once_and_another_administrators_record_survives(group, tls):
    g = group()
    fine("publish", g, tls)
    unit, slow = g.units[0], []
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        jobs = [pool.submit(carried, slow, "publish", g, tls, f"token{i:02}", f"token{i:02}.thumb") for i in range(20)]
        for i in range(20):
            with g.lock:
                unit.one_record(unit.config.objects["data-group/internal"]["/Common/certwright_acme"], f"records add {{ other{i} {{ data x }} }}")
        assert not [j.result() for j in jobs if not j.result()["ok"]]
    assert len(g.records()) == 41
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert all(a["ok"] for a in pool.map(lambda i: carried(slow, "withdraw", g, tls, f"token{i:02}", f"token{i:02}.thumb"), range(20)))
    assert sorted(g.records()) == sorted([TOKEN, *(f"other{i}" for i in range(20))])
    assert no_tokens(g) or slow, "a visit that was cut off leaves its token, which ends by itself"


def test_somebody_elses_record_of_that_name_is_left_alone(group, tls):
    g = group()
    fine("publish", g, tls, value=f"{TOKEN}.another")
    fine("withdraw", g, tls)
    assert g.records() == {TOKEN: f"{TOKEN}.another"}
    fine("publish", g, tls)
    assert g.records() == {TOKEN: VALUE}


def test_the_active_unit_is_found_and_after_fail_over_the_other(group, tls):
    g = group(2)
    g.fail_over()
    fine("publish", g, tls)
    assert TOKEN in g.records() and no_tokens(g)
    g.fail_over()
    g.units[1].down = True
    fine("publish", g, tls)
    assert TOKEN in g.records()
    g.fail_over()
    assert "standby" in refused("remote-busy", "publish", g, tls)
    g.units[0].down = True
    refused("network", "publish", g, tls)
    assert no_tokens(g)


def test_only_our_own_changes_are_copied_to_the_group_unless_asked(group, tls):
    g = group(2)
    g.units[0].users[bigip.USER] = (bigip.PASSWORD, "resource-admin")
    sync = {"sync": "clean", "device_group": "failover", "save": "true"}
    fine("publish", g, tls, **sync)
    assert g.syncs == 1 and g.units[0].saved == 1 and not g.pending
    g.fail_over()
    assert TOKEN in g.records()
    g.fail_over()
    g.pending = True  # somebody is at work
    fine("withdraw", g, tls, **sync)
    assert g.syncs == 1
    fine("publish", g, tls, **{**sync, "sync": "always"})
    assert g.syncs == 2
    g.units[0].users[bigip.USER] = (bigip.PASSWORD, "manager")
    assert "config-sync" in refused("denied", "withdraw", g, tls, **sync)
    assert "device group is missing" in refused("invalid", "publish", g, tls, sync="clean")


def test_what_a_device_refuses_has_its_class_and_words(group, tls):
    g = group()
    answer = call("publish", g, tls, password="another-password")
    assert answer["code"] == "unauthenticated" and "Authentication failed" in str(answer) and "another-password" not in str(answer)
    g.units[0].tokens = {f"T{i}": ("admin", 1e12) for i in range(100)}
    assert "maximum active login tokens" in refused("remote-limit", "publish", g, tls)
    g.units[0].tokens = {}
    g.units[0].faults = [(503, b"<html>Configuration Utility restarting...</html>")]
    assert "restarting" in refused("remote-busy", "publish", g, tls)
    g.units[0].faults = [(200, b"<html>guest network</html>")]
    refused("remote-bad-answer", "publish", g, tls)
    refused("invalid", "publish", g, tls, token="a } delete {", value="x")
    assert "https://" in refused("invalid", "publish", g, tls, url=g.units[0].url.replace("https", "http"))
    refused("untrusted", "publish", g, tls, trust=None)  # whose certificate nobody vouches for
    assert g.records() == {}


FAULTS = {
    "refused credential": ((401, {"code": 401, "message": "Authentication required!"}), {"unauthenticated", "remote-busy"}),
    "refused right": ((403, {"code": 403, "message": "01070822:3: Access Denied"}), {"denied"}),
    "too many": ((429, b""), {"remote-limit"}),
    "restarting": ((503, b"<html>Configuration Utility restarting...</html>"), {"remote-busy"}),
    "a proxy's page": ((200, b"<html>guest network</html>"), {"remote-bad-answer"}),
    "nothing": ((200, b""), {"remote-bad-answer"}),
    "broken inside": ((500, {"code": 500, "message": "java.lang.NullPointerException \u001b[31m"}), {"remote-busy", "remote-refused", "remote-bad-answer"}),
    "done, the answer lost": (bigip.LOST, {"network", "remote-busy"}),
    "not done, the connection lost": (bigip.AWAY, {"network", "remote-busy"}),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_each_request_is_named_and_a_second_try_ends_well(group, tls, kind):
    fault, codes = FAULTS[kind]
    g = group()
    fine("publish", g, tls, token="of-somebody-else", value="of-somebody-else.thumb")
    for act in ("publish", "withdraw"):
        at, used = 0, 1
        while used > at:  # until a whole visit has fewer requests than that
            if act == "withdraw":
                fine("publish", g, tls)
            begun = len(g.units[0].requests)
            g.units[0].faults = [None] * at + [fault]
            answer = call(act, g, tls)
            used = len(g.units[0].requests) - begun
            g.units[0].faults = []
            where = (act, at, [r[:2] for r in g.units[0].requests[begun:]][at:at + 1], answer)
            assert bigip.PASSWORD not in str(answer) and "\x1b" not in str(answer)
            assert answer["ok"] or (answer["code"] in codes and used > at), where
            if answer["ok"]:  # a fault that does not matter has left the deed whole
                assert (g.records().get(TOKEN) == VALUE) == (act == "publish"), where
            else:
                fine(act, g, tls)
            if act == "publish":
                fine("withdraw", g, tls)
            assert g.records() == {"of-somebody-else": "of-somebody-else.thumb"}, where
            at += 1


def test_virtual_servers_are_listed_and_the_rule_goes_in_front_and_away_again(group, tls):
    g = group(web=True)
    look = fine("look", g, tls)
    assert look["version"] == bigip.VERSION and look["state"] == "active" and look["host"] == "bigip1.example.test"
    servers = {s["name"]: s for s in look["servers"]}
    assert (servers["/Common/vs_http"]["address"], servers["/Common/vs_http"]["port"], servers["/Common/vs_http"]["unfit"]) == ("10.0.0.5", 80, None)
    assert (servers["/Common/vs_v6"]["address"], servers["/Common/vs_v6"]["port"]) == ("2001:db8::5", 80)
    assert "port 443" in servers["/Common/vs_https"]["unfit"] and "HTTP profile" in servers["/Common/vs_l4"]["unfit"]
    assert servers["/Common/vs_http"]["rules_attached"] == ["/Common/certwright_acme_rule", "/Common/others_rule"]
    for name in ("vs_https", "vs_l4", "vs_none"):
        refused("invalid", "attach", g, tls, server=f"/Common/{name}")
    for _ in range(2):
        done = fine("attach", g, tls, server="/Common/vs_http")
        assert done["after"] == ["/Common/certwright_acme_rule", "/Common/others_rule"]
    fine("publish", g, tls)
    assert g.web.answer(f"/.well-known/acme-challenge/{TOKEN}") == (200, VALUE)
    assert g.web.answer("/.Well-Known/acme-challenge/none")[0] == 404 and g.web.answer("/index.html")[0] == 404
    fine("withdraw", g, tls)
    assert g.web.answer(f"/.well-known/acme-challenge/{TOKEN}")[0] == 404
    done = fine("detach", g, tls, server="/Common/vs_http")
    assert (done["before"], done["after"]) == (["/Common/certwright_acme_rule", "/Common/others_rule"], ["/Common/others_rule"])
    assert no_tokens(g)
