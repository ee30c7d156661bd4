# SPDX-License-Identifier: Apache-2.0
"""akamai_api - Akamai Edge DNS (config-dns v2) as far as record sets go, with state; checks each EdgeGrid signature and its clock window. What it
answers is held against Akamai's own description by Prism, and the signatures against Akamai's own library, in
tests/scenario/test_provider_akamai.py."""
import base64
import calendar
import hashlib
import hmac
import json
import re
import time
import urllib.parse

from vendor import Vendor

HOST = "akab-test.luna.akamaiapis.net"
PROBLEM = "https://problems.luna.akamaiapis.net/"
NOW = "2026-11-26T17:00:00Z"
FORM = re.compile(r"EG1-HMAC-SHA256 client_token=([^;]+);access_token=([^;]+);timestamp=([0-9]{8}T[0-9:]{8}\+0000);nonce=([^;]+);signature=(.+)$")


class Akamai(Vendor):
    CLIENT, ACCESS, SECRET = "akab-client-0123456789abcdef", "akab-access-0123456789abcdef", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTAxMjM="

    def __init__(self, zones, port):
        super().__init__(zones, port)
        self.nonces = set()

    def edgerc(self):
        return f"[default]\nhost = {HOST}\nclient_token = {self.CLIENT}\nclient_secret = {self.SECRET}\naccess_token = {self.ACCESS}\n"

    def json(self, status, document, **headers):
        return status, {"Content-Type": "application/json", **headers}, json.dumps(document).encode()

    def problem(self, status, kind, detail):
        document = {"type": PROBLEM + kind, "title": detail.split(".")[0], "detail": detail, "status": status, "instance": PROBLEM + "x",
                    "requestTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        return status, {"Content-Type": "application/problem+json"}, json.dumps(document).encode()

    def unsigned(self, q):
        """The problem with the signature, or None."""
        m = FORM.match(q.headers.get("Authorization", ""))
        if not m or m[1] != self.CLIENT or m[2] != self.ACCESS:
            return self.problem(401, "-/pep-authn/deny", "The client token or access token is not known")
        if abs(calendar.timegm(time.strptime(m[3], "%Y%m%dT%H:%M:%S+0000")) - time.time()) > 30:
            return self.problem(400, "-/pep-authn/request-error", "Invalid timestamp")
        if m[4] in self.nonces:
            return self.problem(400, "-/pep-authn/request-error", "Duplicate nonce")
        self.nonces.add(m[4])
        body = base64.b64encode(hashlib.sha256(q.body[:131072]).digest()).decode() if q.method == "POST" and q.body else ""
        data = "\t".join([q.method, "https", HOST, q.path, "", body, q.headers["Authorization"].partition("signature=")[0]])
        key = base64.b64encode(hmac.new(self.SECRET.encode(), m[3].encode(), hashlib.sha256).digest())
        if base64.b64encode(hmac.new(key, data.encode(), hashlib.sha256).digest()).decode() != m[5]:
            return self.problem(401, "-/pep-authn/deny", "The signature does not match")
        return None

    def zone(self, name):
        return {"contractId": "1-ABC123", "zone": name, "type": "PRIMARY", "comment": "test", "aliasCount": 0, "signAndServe": False,
                "versionId": "ae02357c-693d-4ac4-b33d-8352d9b7c786", "lastModifiedDate": NOW, "lastModifiedBy": "test", "lastActivationDate": NOW,
                "activationState": "ACTIVE"}

    def answer(self, q):
        wrong = self.unsigned(q)
        if wrong:
            return wrong
        url = urllib.parse.urlsplit(q.path)
        parts = [urllib.parse.unquote(p) for p in url.path.strip("/").split("/")]
        if parts[:3] != ["config-dns", "v2", "zones"]:
            return self.problem(404, "authoritative-dns/notFound", "Not found")
        if len(parts) == 3:
            names = sorted(self.zones.zones)
            if urllib.parse.parse_qs(url.query).get("showAll") != ["true"]:
                names = names[:25]
            return self.json(200, {"metadata": {"page": 1, "pageSize": len(names), "showAll": True, "totalElements": len(self.zones.zones)},
                                   "zones": [self.zone(n) for n in names]})
        zone = parts[3]
        if zone not in self.zones.zones:
            return self.problem(404, "authoritative-dns/notFound", f"Zone \"{zone}\" not found")
        if len(parts) == 4:
            return self.json(200, self.zone(zone))
        if len(parts) == 8 and parts[4] == "names" and parts[6:] == ["types", "TXT"]:
            return self.record_set(q, zone, parts[5])
        return self.problem(404, "authoritative-dns/notFound", "Not found")

    def record_set(self, q, zone, name):
        there = self.zones.get(zone, name)
        if q.method == "POST" and there:
            return self.problem(409, "authoritative-dns/conflict", f"Record Set \"{name}\" TXT already exists")
        if q.method in ("GET", "PUT", "DELETE") and not there:
            return self.problem(404, "authoritative-dns/notFound", f"Record Set \"{name}\" TXT not found")
        if q.method == "DELETE":
            self.zones.put(zone, name, 0, [])
            return 204, {}, b""
        if q.method in ("POST", "PUT"):
            body = json.loads(q.body)
            if set(body) != {"name", "type", "ttl", "rdata"} or body["name"] != name or body["type"] != "TXT" or not body["rdata"]:
                return self.problem(422, "authoritative-dns/invalid", "The record set is not valid")
            self.zones.put(zone, name, body["ttl"], body["rdata"])
        ttl, rdata = self.zones.get(zone, name)
        location = {"Location": f"/config-dns/v2/zones/{zone}/names/{name}/types/TXT"} if q.method == "POST" else {}
        return self.json(201 if q.method == "POST" else 200, {"name": name, "type": "TXT", "ttl": ttl, "rdata": rdata}, **location)
