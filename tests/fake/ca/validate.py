# SPDX-License-Identifier: Apache-2.0
"""validate - proof of control as RFC 8555 8.3 and 8.4 ask for it: over a name server and a port that the test says."""
import base64
import hashlib
import socket

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype


def problem(kind, detail):
    return {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": 400}


class Always:
    """Everything is valid."""

    def __call__(self, kind, name, token, authorization):
        return None


class Never:
    """Nothing is ever decided."""

    def __call__(self, kind, name, token, authorization):
        return "pending"


class Real:
    """dns-01 by asking a name server, http-01 by asking 127.0.0.1 on a port with the name as host."""

    def __init__(self, dns_port=None, http_port=None, timeout=30.0, address="127.0.0.1"):
        self.dns_port, self.http_port, self.timeout, self.address = dns_port, http_port, timeout, address

    def __call__(self, kind, name, token, authorization):
        """None when it is proven, else a problem document."""
        return self.dns01(name, authorization) if kind == "dns-01" else self.http01(name, token, authorization)

    def dns01(self, name, authorization):
        want = base64.urlsafe_b64encode(hashlib.sha256(authorization.encode()).digest()).rstrip(b"=").decode()
        owner = f"_acme-challenge.{name}"
        try:
            q = dns.message.make_query(owner, "TXT")
            answer, _ = dns.query.udp_with_fallback(q, self.address, port=self.dns_port, timeout=self.timeout)
        except (OSError, dns.exception.DNSException) as e:
            return problem("dns", f"DNS problem: looking up TXT for {owner}: {e}")
        found = [b"".join(r.strings).decode(errors="replace") for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TXT for r in rrset]
        if answer.rcode() != dns.rcode.NOERROR:
            return problem("dns", f"DNS problem: {dns.rcode.to_text(answer.rcode())} looking up TXT for {owner}")
        if want in found:
            return None
        if not found:
            return problem("unauthorized", f"No TXT record found at {owner}")
        return problem("unauthorized", f'Incorrect TXT record "{found[0][:60]}" (and {len(found) - 1} more) found at {owner}')

    def http01(self, name, token, authorization):
        path = f"/.well-known/acme-challenge/{token}"
        try:
            with socket.create_connection((self.address, self.http_port), self.timeout) as s:
                s.settimeout(self.timeout)
                s.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: fake-ca-validation\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode())
                data = b""
                while len(data) < 65536:
                    part = s.recv(4096)
                    if not part:
                        break
                    data += part
        except OSError as e:
            return problem("connection", f"{self.address}: Fetching http://{name}{path}: {e}")
        head, _, body = data.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        if status != [b"200"]:
            return problem("unauthorized", f"Invalid response from http://{name}{path}: {status[0].decode() if status else 'none'}")
        if body.rstrip() != authorization.encode():
            return problem("unauthorized", f"The key authorization file from the server did not match this challenge: {body[:64]!r}")
        return None
