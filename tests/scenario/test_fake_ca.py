# SPDX-License-Identifier: Apache-2.0
"""The scripted CA itself, judged by clients that others wrote: lego, uacme and certbot issue from it, and it is as strict as a CA is."""
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from cryptography import x509
from helpers import order, wait_all, wait_order

import bed as beds
import ca as fakes
from ca.pki import cert_id
from ca.validate import Never, Real


@pytest.fixture
def make_ca(scratch):
    made = []

    def make(**options):
        made.append(fakes.CA(scratch / f"ca{len(made)}", **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def run(*args, env=None, timeout=600, **kw):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, timeout=timeout, env={**os.environ, **(env or {})},
                          stdin=subprocess.DEVNULL, **kw)
    assert done.returncode == 0, f"{args}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def clean(ca, count):
    assert ca.issued() == count and not ca.twice() and not ca.orphans() and not ca.log.disobeyed()


def names_in(path):
    cert = x509.load_pem_x509_certificate(pathlib.Path(path).read_bytes())
    return sorted(cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName))


@pytest.mark.skipif(not shutil.which("lego"), reason="lego is not installed")
def test_lego_binds_an_external_account_issues_by_http01_renews_and_revokes(make_ca, scratch):
    port = beds.free_port()
    ca = make_ca(validate=Real(http_port=port), eab_required=True, authz_delay=0.3, order_delay=0.3, nonce_reject=10)
    hmac = ca.add_eab("kid-7")
    common = ["lego", "--accept-tos", "--path", scratch / "lego", "-s", ca.directory, "-m", "a@example.test", "--eab", "--kid", "kid-7", "--hmac", hmac,
              "--http", "--http.port", f"127.0.0.1:{port}", "-d", "www.example.test", "-d", "two.example.test"]
    env = {"LEGO_CA_CERTIFICATES": str(ca.trust)}
    run(*common, "run", env=env)
    clean(ca, 1)
    assert names_in(scratch / "lego/certificates/www.example.test.crt") == ["two.example.test", "www.example.test"]
    run(*common, "renew", "--days", "200", "--no-random-sleep", env=env)
    assert ca.issued() == 2
    run(*common, "revoke", "--keep", env=env)
    assert [c.revoked is not None for c in ca.certificates.values()] == [False, True]


@pytest.mark.skipif(not shutil.which("certbot"), reason="certbot is not installed")
def test_certbot_registers_updates_issues_an_rsa_certificate_and_leaves_the_account(make_ca, scratch):
    port = beds.free_port()
    ca = make_ca(validate=Real(http_port=port), authz_delay=0.2)
    folder = scratch / "certbot"
    common = ["--server", ca.directory, "-n", *(x for k in ("config", "work", "logs") for x in (f"--{k}-dir", folder / k))]
    env = {"REQUESTS_CA_BUNDLE": str(ca.trust)}
    run("certbot", "register", "--agree-tos", "-m", "a@example.test", "--no-eff-email", *common, env=env)
    run("certbot", "update_account", "-m", "b@example.test", "--no-eff-email", *common, env=env)
    assert [a.contact for a in ca.accounts.values()] == [["mailto:b@example.test"]]
    run("certbot", "certonly", "--standalone", "--http-01-port", port, "--key-type", "rsa", "-d", "bot.example.test", "-d", "w.bot.example.test",
        *common, env=env)
    clean(ca, 1)
    assert names_in(folder / "config/live/bot.example.test/cert.pem") == ["bot.example.test", "w.bot.example.test"]
    run("certbot", "unregister", *common, env=env)
    assert [a.status for a in ca.accounts.values()] == ["deactivated"]


HOOK = """#!/bin/sh
# uacme's contract: method type ident token auth; a DNS server of the tests is told
[ "$2" = dns-01 ] || exit 1
case $1 in
begin) what=set-txt value=",\\"value\\":\\"$5\\"" ;;
*) what=clear-txt value= ;;
esac
curl -sf -d "{\\"host\\":\\"_acme-challenge.$3.\\"$value}" "http://127.0.0.1:$MANAGEMENT/$what"
"""


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(not shutil.which("uacme") or not shutil.which("pebble-challtestsrv"), reason="uacme or pebble-challtestsrv is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="uacme reads only the system's CA file: needs root to put another in its place for it alone")
def test_uacme_issues_a_wildcard_by_dns01_and_revokes(make_ca, scratch):
    dns, management = beds.free_port(), beds.free_port()
    usage = subprocess.run(["pebble-challtestsrv", "-h"], capture_output=True, text=True, check=False).stderr
    flag = "-dnsserver" if "-dnsserver" in usage else "-dns01"  # renamed in 2.10
    server = beds.Process("challtestsrv", ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", flag, f"127.0.0.1:{dns}",
                                           *(("-doh", "") if "-doh" in usage else ()), "-http01", "",
                                           "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{management}"], scratch)
    try:
        ca = make_ca(validate=Real(dns_port=dns), authz_delay=0.2, retry_after={"order": 1, "authz": 1, "finalize": 1}, order_delay=0.5)
        hook = scratch / "hook"
        hook.write_text(HOOK)
        hook.chmod(0o755)
        beds.wait_for(lambda: listens(management), 120, "the DNS server listens")

        def uacme(*args):
            return run("unshare", "-m", "--propagation", "private", "sh", "-c",
                       f'mount --bind {ca.trust} /etc/ssl/certs/ca-certificates.crt && exec "$@"', "sh", "uacme", "-v", "-a", ca.directory, "-c", scratch / "uacme",
                       "-t", "EC", "-y", *args, env={"MANAGEMENT": str(management)})

        uacme("new", "a@example.test")
        uacme("-h", hook, "issue", "*.ua.example.test", "ua.example.test")
        clean(ca, 1)
        found = next((scratch / "uacme").glob("*/cert.pem"))
        assert names_in(found) == ["*.ua.example.test", "ua.example.test"]
        uacme("revoke", found)
        assert [c.revoked for c in ca.certificates.values()] == [0]
    finally:
        server.stop()


def test_certwright_issues_from_it_by_both_validations_and_each_request_is_in_the_log(make_bed):
    bed = make_bed(ca="fake", ca_options={"authz_delay": 0.2, "order_delay": 0.2, "nonce_reject": 20})
    account = bed.account()
    ids = [order(bed, account, names, kind)["id"] for names, kind in ((["a.example.test", "*.a.example.test"], "dns-01"), (["b.example.test"], "http-01"))]
    assert {o["status"] for o in wait_all(bed, ids).values()} == {"valid"}
    clean(bed.ca, 2)
    rows = [json.loads(line) for line in (bed.ca.folder / "requests.jsonl").read_text().splitlines()]
    assert {"directory", "nonce", "new-account", "new-order", "authz", "challenge", "finalize", "cert"} <= {r["kind"] for r in rows}


def test_a_script_spoils_just_what_it_names(make_bed):
    bed = make_bed(ca="fake")
    account = bed.account()
    rule = bed.ca.rule("new-order", name="bad.example.test", times=None, problem="rejectedIdentifier", detail="not for you")
    good, bad = (order(bed, account, [n]) for n in ("good.example.test", "bad.example.test"))
    assert wait_order(bed, good["id"])["status"] == "valid"
    over = wait_order(bed, bad["id"])
    assert over["status"] == "invalid" and "not for you" in json.dumps(over["reason"])
    assert rule.used == 1, "what is refused for good is asked once"


def test_it_validates_for_real(make_bed):
    bed = make_bed(ca="fake")
    account = bed.account()
    bed.ca.validate = Real(beds.free_port(), beds.free_port(), timeout=1)  # nobody answers there
    over = wait_order(bed, order(bed, account, ["c.example.test"])["id"])
    assert over["status"] == "invalid" and bed.ca.issued() == 0


# ---- renewal information, limits, judges ----


def get(ca, url, method="GET"):
    request = urllib.request.Request(url, method=method)
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(ca.trust)), timeout=60) as r:
        return r.status, r.headers, r.read()


def test_renewal_windows_are_told_and_can_be_moved(make_bed):
    bed = make_bed(ca="fake")
    account = bed.account()
    assert wait_order(bed, order(bed, account, ["ari.example.test"])["id"])["status"] == "valid"
    cert = bed.ca.certificate("ari.example.test")
    url = f"{bed.ca.url}/ari/{cert_id(cert)}"
    status, headers, body = get(bed.ca, url)
    window = json.loads(body)["suggestedWindow"]
    assert status == 200 and headers["Retry-After"] == "21600" and window["start"] < window["end"]
    now = time.time()
    bed.ca.set_window("ari.example.test", now - 7200, now - 3600, "https://ca.test/incident")
    doc = json.loads(get(bed.ca, url)[2])
    assert doc["explanationURL"] == "https://ca.test/incident" and doc["suggestedWindow"]["end"] < window["start"]


def test_limits_are_those_that_are_published_and_refill_on_their_clock():
    clock = fakes.Clock(speed=0.0)
    limits = fakes.Limits(clock)
    assert [limits.take("certificates-per-set", "a") for _ in range(6)][:5] == [None] * 5
    wait = limits.take("certificates-per-set", "a")
    assert 33.5 * 3600 < wait < 34 * 3600, "1 per 34 hours"
    clock.forward(wait + 1)
    assert limits.take("certificates-per-set", "a") is None
    assert sum(limits.take("orders-per-account", "x") is None for _ in range(400)) == 300
    clock.forward(36.1)
    assert limits.take("orders-per-account", "x") is None
    assert sum(limits.request("nonce", "127.0.0.1") is None for _ in range(50)) == 10


def test_the_judges_see_what_is_wrong():
    log = fakes.Judge()
    first = {"kind": "order", "path": "/order/1", "names": ["a"], "began": 1.0, "at": 1.0, "status": 200, "retry_after_s": 5.0}
    log.add(dict(first))
    log.add({**first, "began": 3.0, "at": 3.0, "retry_after_s": None})
    assert len(log.disobeyed()) == 1
    other = fakes.Judge()
    other.add(dict(first))
    other.add({**first, "began": 6.0, "at": 6.0, "retry_after_s": None})
    other.add({**first, "path": "/order/2", "began": 2.0, "at": 2.0, "retry_after_s": None})
    assert other.disobeyed() == [] and other.busiest(0.5) == 1 and other.busiest(window=10) == 3
    assert fakes.parse_retry_after("7", 0) == 7 and fakes.parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 30) == 30


def test_a_signature_nonce_or_address_that_is_wrong_is_refused(make_ca):
    ca = make_ca(validate=Never())
    for body, status in ((b"{}", 400), (b'{"protected":"e30","payload":"","signature":""}', 400), (b"x", 400)):
        request = urllib.request.Request(ca.url + "/new-order", data=body, headers={"Content-Type": "application/jose+json"})
        try:
            urllib.request.urlopen(request, context=ssl.create_default_context(cafile=str(ca.trust)), timeout=60)
            raise AssertionError("taken")
        except urllib.error.HTTPError as e:
            assert e.code == status, body
    assert not ca.orders and not ca.accounts
