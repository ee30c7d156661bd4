# SPDX-License-Identifier: Apache-2.0
"""Who is told: mail to a real SMTP server, signed webhooks, sinks that are down, refuse or die, and kill -9 in between."""
import json
import time

import bed as beds
import pytest
import sinks
from api_fixtures import api, own_api  # noqa: F401
from helpers import order, wait_order

pytestmark = pytest.mark.skipif(sinks.missing() is not None, reason=str(sinks.missing()))


@pytest.fixture
def connection(scratch):
    cert, _ = sinks.certificate(scratch)
    return {"ca_pem": cert.read_text(), "allow": ["127.0.0.0/8"]}


@pytest.fixture
def smtp(scratch):
    one = sinks.Smtp(scratch)
    yield one
    one.stop()


@pytest.fixture
def hook(scratch):
    one = sinks.Webhook(scratch, port=sinks.free_port())  # which nobody takes while it is down
    yield one
    one.stop()


def mail_settings(smtp, **more):
    return {"host": "127.0.0.1", "port": smtp.port, "user": "robot", "password": "p4ss word", "from": "certwright@example.test",
            "to": ["ops@example.test", "second@example.test"], **more}


def patch(client, path, body, seen):
    return client.ask("PATCH", path, json=body, headers={"If-Match": seen.headers["ETag"]})


def settled(client, answer):
    """A job's answer: the channel, once the job is over."""
    if answer.status_code == 202:
        job = answer.json()
        until = time.monotonic() + 120
        while job["state"] in ("queued", "running"):
            assert time.monotonic() < until, job
            time.sleep(0.1)
            job = client.get(f"/jobs/{job['id']}").json()
        return client.get(f"/channels/{job['subject_id']}").json()
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_test_mail_goes_out_by_starttls_with_sign_in_and_is_readable(own_api, smtp, connection):
    made = own_api.admin.post("/channels", {"kind": "email", "name": "Büro ops", "settings": mail_settings(smtp),
                                            "connection": connection})
    assert made.status_code == 201, made.text
    assert made.json()["settings"]["password"] == "set" and "p4ss" not in made.text and made.json()["settings"]["security"] == "starttls"
    done = settled(own_api.admin, own_api.admin.post(f"/channels/{made.json()['id']}/test"))
    assert done["status"] == "ok" and done["reason"] is None, done
    mail = smtp.wait(1)[0]
    assert mail["Subject"] == "Test of the channel Büro ops"
    assert smtp.envelopes[0] == ("certwright@example.test", ["ops@example.test", "second@example.test"])
    assert "Nothing is wrong" in mail.get_content() and "UTC" in mail.get_content()
    assert mail["Message-ID"].endswith("@example.test>") and mail["Auto-Submitted"] == "auto-generated"


def test_what_is_wrong_with_a_mail_server_is_said_with_the_leg_that_failed(own_api, smtp, connection, scratch):
    bare = {"allow": connection["allow"]}
    plain = sinks.Smtp(scratch, tls=False)
    cases = [
        (mail_settings(smtp, password="wrong"), connection, "user and password"),
        (mail_settings(smtp), bare, "TLS"),
        (mail_settings(smtp, port=sinks.free_port()), connection, "TCP"),
        (mail_settings(smtp, host="nothing.invalid"), connection, "name look-up"),
        (mail_settings(plain), connection, "STARTTLS"),
    ]
    try:
        for i, (settings, conn, words) in enumerate(cases):
            made = own_api.admin.post("/channels", {"kind": "email", "name": f"bad {i}", "settings": settings, "connection": conn})
            assert made.status_code == 201, made.text
            done = settled(own_api.admin, own_api.admin.post(f"/channels/{made.json()['id']}/test"))
            assert done["status"] == "failing" and words in done["reason"]["detail"], (words, done["reason"])
            assert "wrong" not in json.dumps(done)
    finally:
        plain.stop()
    assert not smtp.mails and not plain.mails


@pytest.mark.parametrize("change, field", [
    ({"to": []}, "/settings/to"),
    ({"to": ["a@b.example\r\nBcc: x@y.example"]}, "/settings/to/0"),
    ({"from": "Ops <a@b.example>"}, "/settings/from"),
    ({"host": "mail example"}, "/settings/host"),
    ({"port": 0}, "/settings/port"),
    ({"security": "ssl"}, "/settings/security"),
    ({"password": None}, "/settings/password"),
    ({"colour": "red"}, "/settings/colour"),
    ({"host": "169.254.169.254", "port": 25}, "/settings/host"),
    ({"host": "10.0.0.1", "port": 25}, "/settings/host"),
    ({"host": "mail.example.com", "port": 25, "security": "none"}, "/settings/security"),
    ({"host": "mail.example.com", "port": 6379}, "/settings/host"),
])
def test_settings_that_cannot_work_are_refused_with_their_field(api, change, field):
    settings = {"host": "mail.example.com", "port": 587, "user": "u", "password": "p", "from": "a@b.example", "to": ["c@d.example"], **change}
    made = api.admin.post("/channels", {"kind": "email", "name": "x", "settings": settings})
    assert made.status_code == 400, made.text
    assert [e["pointer"] for e in made.json()["errors"]] == [field], made.text


def test_a_webhook_is_judged_on_create_and_on_update(api):
    for url in ("http://example.com/", "https://10.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://user:pw@example.com/", "https://example.com:25/"):
        made = api.admin.post("/channels", {"kind": "webhook", "name": "w", "settings": {"url": url}})
        assert made.status_code == 400 and made.json()["errors"][0]["pointer"] == "/settings/url", (url, made.text)
    made = api.admin.post("/channels", {"kind": "webhook", "name": "w", "settings": {"url": "https://example.com/hook"}})
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    got = api.admin.get(f"/channels/{made.json()['id']}")
    assert "secret" not in got.json() and made.json()["secret"] not in got.text
    bad = patch(api.admin, f"/channels/{made.json()['id']}", {"settings": {"url": "https://169.254.169.254/"}}, got)
    assert bad.status_code == 400, bad.text


def test_only_administrators_see_what_stands_behind_a_webhooks_host(api):
    url = "https://hooks.example.com:8443/services/T0/B0/secret?token=x"
    made = api.admin.post("/channels", {"kind": "webhook", "name": "slack", "settings": {"url": url}}).json()
    assert api.admin.get(f"/channels/{made['id']}").json()["settings"]["url"] == url
    for role in ("viewer", "operator"):
        client = api.by_role[role]
        one, listed = client.get(f"/channels/{made['id']}"), client.get("/channels")
        assert one.json()["settings"]["url"] == "https://hooks.example.com:8443/..."
        assert "secret" not in one.text and "/services" not in listed.text and "token=x" not in listed.text


@pytest.mark.parametrize("rules, field", [({"tags": ["Two Words"]}, "/rules/tags/0"), ({"owners": [""]}, "/rules/owners/0"), ({"tags": "prod"}, "/rules"),
                                          ({"names": []}, "/rules/names"), ({"search": "colour:red"}, "/rules/search"), ({"search": "x" * 513}, "/rules/search"),
                                          ({"search": ["prod"]}, "/rules/search")])
def test_rules_that_mean_nothing_are_refused_with_their_field(api, rules, field):
    made = api.admin.post("/channels", {"kind": "webhook", "name": "ruled", "settings": {"url": "https://example.com/"}, "rules": rules})
    assert made.status_code == 400 and [e["pointer"] for e in made.json()["errors"]] == [field], made.text


def test_a_password_does_not_go_along_to_another_host(api):
    settings = {"host": "mail.example.com", "user": "u", "password": "p", "from": "a@b.example", "to": ["c@d.example"]}
    made = api.admin.post("/channels", {"kind": "email", "name": "moves", "settings": settings})
    one = f"/channels/{made.json()['id']}"
    moved = patch(api.admin, one, {"settings": {"host": "evil.example.com"}}, made)
    assert moved.status_code == 400 and moved.json()["errors"][0]["pointer"] == "/settings/password", moved.text
    same = patch(api.admin, one, {"settings": {"to": ["e@f.example"]}}, made)
    assert same.status_code == 200 and same.json()["settings"]["password"] == "set"


def test_a_rotated_secret_signs_beside_the_new_one(own_api, hook, connection):
    made = own_api.admin.post("/channels", {"kind": "webhook", "name": "chat", "settings": {"url": hook.url}, "connection": connection}).json()
    rotated = own_api.admin.post(f"/channels/{made['id']}/secret").json()
    assert rotated["secret"] != made["secret"]
    settled(own_api.admin, own_api.admin.post(f"/channels/{made['id']}/test"))
    headers, body = hook.wait(1)[0]
    assert sinks.signature_ok(made["secret"], headers, body) and sinks.signature_ok(rotated["secret"], headers, body)
    assert not sinks.signature_ok(made["secret"], headers, body + b" ")
    assert json.loads(body)["type"] == "test"


@pytest.fixture
def world(make_bed):
    return make_bed()


def make(bed, kind, name, connection, *more):
    path = bed.folder / f"connection-{name}.json"
    path.write_text(json.dumps(connection))
    return bed.server.call("notification", "create", "--kind", kind, "--name", name, "--connection", path, *more)


def test_an_issued_certificate_is_told_once_and_survives_a_sink_that_is_down_and_kill_9(world, hook, connection, scratch):
    made = make(world, "webhook", "down", connection, "--url", hook.url, "--event", "issued", "--event", "renewed")
    port, account = hook.port, world.account()
    hook.stop()
    one = order(world, account, ["told.example.test"], "dns-01")
    done = wait_order(world, one["id"])
    assert done["status"] == "valid", done
    beds.wait_for(lambda: world.server.call("notification", "show", made["id"])["status"] == "failing", 120, "the sink is not reached")
    again = sinks.Webhook(scratch, port=port)
    try:
        world.server.kill("core")
        world.server.call("notification", "test", made["id"])  # what waits is sent at once
        again.wait(2)
        told = [(h, b) for h, b in again.got if json.loads(b)["type"] == "certificate.issued"]
        assert len(told) == 1 and sinks.signature_ok(made["secret"], *told[0])
        data = json.loads(told[0][1])["data"]
        assert data["names"] == ["told.example.test"] and len(data["fingerprint"]) == 64 and data["old_fingerprint"] is None
        assert "PRIVATE" not in told[0][1].decode()

        def messages():
            return [(r["event"], r["state"]) for r in world.server.call("notification", "messages", made["id"])["items"]]

        beds.wait_for(lambda: messages() == [("issued", "sent")], 120, "what the sink has taken is noted as sent")  # after its answer
    finally:
        again.stop()


def test_a_channel_is_told_only_about_its_tags_and_owners(world, hook, connection):
    make(world, "webhook", "prod", connection, "--url", hook.url, "--event", "issued", "--event", "renewed", "--tag", "prod", "--owner", "Web")
    shown = world.server.call("notification", "list")["items"][0]["rules"]
    assert shown["tags"] == ["prod"] and shown["owners"] == ["Web"] and shown["search"] == ""
    account = world.account()
    one = wait_order(world, order(world, account, ["ruled.example.test"], "http-01")["id"])
    for change, told in ((["add-tags", "--tag", "prod"], 0), (["set-owner", "--owner", "Web"], 1)):
        assert world.server.cli("certificate", "bulk", change[0], one["certificate_id"], *change[1:]).status == 0
        again = world.server.call("certificate", "renew", one["certificate_id"])["items"][0]["order_id"]
        assert wait_order(world, again)["status"] == "valid"
        if told:
            hook.wait(told)
        assert [json.loads(b)["type"] for _, b in hook.got] == ["certificate.renewed"] * told


def test_a_channel_is_told_only_about_what_its_search_finds_when_something_is_told(world, hook, connection):
    made = make(world, "webhook", "seen", connection, "--url", hook.url, "--event", "issued", "--event", "renewed",
                "--search", "tag:prod name:*.example.test vendor:custom key:p256")
    assert made["rules"]["search"] == "tag:prod name:*.example.test vendor:custom key:p256"
    account = world.account()
    one = wait_order(world, order(world, account, ["found.example.test"], "http-01")["id"])
    assert world.server.cli("certificate", "bulk", "add-tags", one["certificate_id"], "--tag", "prod").status == 0
    found = world.server.call("certificate", "list", "--q", made["rules"]["search"])["items"]
    assert [c["id"] for c in found] == [one["certificate_id"]], found
    again = world.server.call("certificate", "renew", one["certificate_id"])["items"][0]["order_id"]
    assert wait_order(world, again)["status"] == "valid"
    hook.wait(1)
    gone = world.server.call("notification", "update", made["id"], "--search", "")
    assert gone["rules"]["search"] == ""
    last = world.server.call("certificate", "renew", one["certificate_id"])["items"][0]["order_id"]
    assert wait_order(world, last)["status"] == "valid"
    hook.wait(2)
    assert [json.loads(b)["type"] for _, b in hook.got] == ["certificate.renewed"] * 2
