# SPDX-License-Identifier: Apache-2.0
"""First contact with a host that nobody we trust vouches for: its certificate is looked at, compared by a person, and pinned."""
import hashlib
import json
import ssl

import bed as beds
import pytest


@pytest.fixture
def strange(make_bed):
    """A bed that does not trust its authority."""
    other = {"net.trust": "/etc/ssl/certs/ca-certificates.crt"}
    return make_bed(settings=other)


def real_fingerprint(bed):
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", bed.ca.port)))
    return hashlib.sha256(der).hexdigest()


def register(bed, *extra):
    return bed.server.cli("account", "register", "--directory", bed.ca.directory, "--email", "a@example.test", "--agree-tos", "--json", *extra)


def refusal(bed, path, body):
    status, doc = bed.server.settled(*bed.server.request("POST", path, body)[:2], path)
    assert status in (400, 502), doc
    return doc


def why_not(bed, **connection):
    """What the registration says whose authority shows a certificate that nobody trusts: at once, since waiting mends nothing."""
    body = {"directory_url": bed.ca.directory, "email": "b@example.test", "agree_tos": True, **({"connection": connection} if connection else {})}
    doc = refusal(bed, "/accounts", body)
    assert doc["title"] == "Certificate of the remote service not accepted", doc
    return doc["detail"]


def test_what_a_host_shows_is_looked_at_compared_and_pinned(strange):
    bed = strange
    assert "TLS" in why_not(bed)
    shown = bed.server.call("network", "look", bed.ca.directory)
    assert shown["fingerprint"] == real_fingerprint(bed), shown
    assert "localhost" in shown["subject"] and "test-https-ca" in shown["issuer"] and "127.0.0.1" in shown["names"], shown
    assert shown["not_before"] < shown["not_after"]
    assert "TLS" in why_not(bed), "a look is no trust"
    pin = bed.folder / "pin.json"
    pin.write_text(json.dumps({"fingerprint": shown["fingerprint"]}))
    done = register(bed, "--connection", pin)
    assert done.status == 0 and done.json["status"] == "valid", done
    assert done.json["connection"]["fingerprint"] == shown["fingerprint"]


def test_another_certificate_than_the_pinned_one_is_refused(strange):
    assert "TLS" in why_not(strange, fingerprint="ab" * 32)


@pytest.mark.parametrize("url,field", [("http://ca.example/dir", "/url"), ("https://169.254.169.254/", "/url"), ("nonsense", "/url"), ("https://user:pw@ca.example/", "/url")])
def test_an_address_that_may_not_be_asked_names_the_field(bed, url, field):
    status, doc, _ = bed.server.request("POST", "/network/look", {"url": url})
    assert status in (400, 403, 422) and doc["errors"][0]["pointer"] == field, doc


def test_a_host_that_is_not_there_says_so(bed):
    doc = refusal(bed, "/network/look", {"url": f"https://127.0.0.1:{beds.free_port()}/"})
    assert "could not look at the certificate" in doc["detail"], doc
