# SPDX-License-Identifier: Apache-2.0
"""ZeroSSL with one click: the vendor is chosen, Certwright fetches the external account by e-mail address or access key, registers, and
issues. The real program, told nothing but its proxy; ZeroSSL behind it is tests/fake/zerossl.py."""
import bed as beds
import ca as fakes
import pytest
from ca.validate import Real
from helpers import chain, wait_order
from zerossl import ZeroSSL

KEY = "canary-access-key-7f3a"


@pytest.fixture
def zero(scratch, make_bed):
    authority = fakes.CA(scratch / "authority")
    one = ZeroSSL(scratch, authority)
    one.ca.chmod(0o644)
    bed = make_bed(ca="fake", settings={"net.proxy": one.url, "net.trust": str(one.ca)})
    authority.validate = Real(bed.resolver.port, bed.http_port)
    one.bed = bed
    yield one
    one.stop()
    authority.stop()


def register(zero, *extra):
    return zero.bed.server.cli("account", "register", "--vendor", "zerossl", "--email", "a@example.test", "--agree-tos", "--json", *extra)


def key_file(zero, text=KEY):
    path = zero.bed.folder / "access-key"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def test_by_e_mail_the_account_is_bound_and_issues(zero):
    done = register(zero, "--eab-from-email")
    assert done.status == 0, done
    account = done.json
    assert account["status"] == "valid" and account["vendor"] == "zerossl" and account["eab_kid"] and account["eab_bytes"] == 64
    assert account["eab_held"] is False, "the HMAC key is forgotten"
    assert zero.asked == [("email", "a@example.test")]
    made = zero.bed.server.call("order", "create", "--account", account["id"], "--name", "zero.example.test", "--validation", "http-01")
    assert wait_order(zero.bed, made["id"])["status"] == "valid"
    assert chain(zero.bed, made["id"]) and zero.authority.issued("zero.example.test") == 1
    assert set(zero.hosts) == {"api.zerossl.com:443", "acme.zerossl.com:443"}


def test_by_access_key_the_key_is_used_once_and_kept_nowhere(zero):
    zero.access_keys.add(KEY)
    done = register(zero, "--eab-access-key-file", key_file(zero))
    assert done.status == 0 and done.json["status"] == "valid", done
    assert done.json["eab_held"] is False
    assert zero.asked == [("access-key", KEY)]
    zero.bed.server.stop()
    held = [p for p in zero.bed.folder.rglob("*") if p.is_file() and p.name != "access-key" and KEY.encode() in p.read_bytes()]
    assert not held, f"the access key stands in {held}"


def test_a_refusal_is_said_with_what_to_do_and_nobody_asks_on(zero):
    done = register(zero, "--eab-access-key-file", key_file(zero, "unknown"))
    assert done.status != 0 and "invalid_access_key" in done.err and "Check the e-mail address or the access key" in done.err, done
    account = zero.bed.server.call("account", "list")["items"][0]
    assert account["status"] == "invalid" and account["url"] is None and "unknown" not in str(account["reason"])
    assert len(zero.asked) == 1 and not zero.authority.accounts


def test_too_many_credentials_today_is_waited_for(zero):
    zero.refusal = 2905
    status, doc, _ = zero.bed.server.request("POST", "/accounts", {"vendor": "zerossl", "email": "b@example.test", "agree_tos": True, "eab_from": "email"})
    assert status == 202, doc
    job = beds.wait_for(lambda: next((j for j in [zero.bed.server.request("GET", f"/jobs/{doc['id']}")[1]] if j["reason"]), None), 120, "it says why")
    assert "no more credentials today" in str(job["reason"]), job
    assert len(zero.asked) <= 2
