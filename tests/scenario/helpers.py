# SPDX-License-Identifier: Apache-2.0
"""What several scenarios ask: is this order over, is nothing left behind, what does the certificate say."""
import http.client
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ENDED = ("valid", "invalid")


def order(bed, account, names, validation="dns-01", *extra):
    args = ["order", "create", "--account", account["id"], "--validation", validation, *extra]
    if validation == "dns-01" and "--dns" not in extra:
        args += ["--dns", "delegation"]
    for name in names:
        args += ["--name", name]
    return bed.server.call(*args)


def wait_order(bed, order_id, timeout=240):
    """The order when it is over, read through the API (the server may be restarting meanwhile)."""
    until = time.monotonic() + timeout
    last = None
    while time.monotonic() < until:
        try:
            status, last, _ = bed.server.request("GET", f"/orders/{order_id}")
            if status == 200 and last["status"] in ENDED:
                return last
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    raise AssertionError(f"order {order_id} is not over after {timeout} s: {last}")


def wait_all(bed, ids, timeout=240):
    """{id: order} when all are over."""
    until = time.monotonic() + timeout
    over = {}
    while time.monotonic() < until and len(over) < len(ids):
        for status in ENDED:
            cursor = ""
            while True:
                code, page, _ = bed.server.request("GET", f"/orders?status={status}&limit=200{cursor}")
                assert code == 200, page
                over.update({o["id"]: o for o in page["items"] if o["id"] in ids})
                if not page["has_more"]:
                    break
                cursor = f"&cursor={page['cursor']}"
        time.sleep(0.25)
    return over


def chain(bed, order_id):
    done = bed.server.cli("order", "download", order_id)
    assert done.status == 0, done
    end = b"-----END CERTIFICATE-----"  # Debian 12's cryptography reads one at a time
    return [x509.load_pem_x509_certificate(part + end) for part in done.out.encode().split(end) if b"BEGIN" in part]


def names_of(certificate):
    return sorted(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName))


def key_kind(certificate):
    key = certificate.public_key()
    return "rsa" if isinstance(key, rsa.RSAPublicKey) else "ec" if isinstance(key, ec.EllipticCurvePublicKey) else "?"


def ask(bed, name, kind="TXT", tcp=False):
    q = dns.message.make_query(name, kind)
    q.flags &= ~dns.flags.RD
    ask_by = dns.query.tcp if tcp else dns.query.udp
    return ask_by(q, "127.0.0.1", port=bed.server.dns_port, timeout=30)


def txt(bed, name):
    """TXT values our DNS answers for a name; an empty list for none."""
    answer = ask(bed, name)
    return sorted(b"".join(r.strings).decode() for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TXT for r in rrset)


def nothing_left(bed, names, timeout=120):
    """No challenge is answered any more, and every record is withdrawn."""
    until = time.monotonic() + timeout
    left = None
    while time.monotonic() < until:
        left = {name: txt(bed, f"_acme-challenge.{name.removeprefix('*.')}") for name in names}
        records = bed.server.call("record", "list", "--limit", 200)["items"]
        live = [r for r in records if r["status"] not in ("withdrawn", "valid", "invalid") or not r["withdrawn_at"]]
        if not any(left.values()) and not live:
            return
        time.sleep(0.2)
    raise AssertionError(f"left behind: {left}, records {live}")
