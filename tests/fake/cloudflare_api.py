# SPDX-License-Identifier: Apache-2.0
"""cloudflare_api - Cloudflare's API v4 as far as DNS records go, with state. What it answers is held against Cloudflare's own description by Prism
and against other people's clients in tests/scenario/test_provider_cloudflare.py. JSON without blanks: some clients grep it."""
import hashlib
import json
import re
import urllib.parse

from vendor import Vendor

NOW = "2026-11-26T17:00:00.000000Z"
ACCOUNT = "a" * 32


def zone_id(name):
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


class Cloudflare(Vendor):
    TOKEN = "cf-Token_0123456789abcdefghijklmnopqrstuv"

    def __init__(self, zones, port):
        super().__init__(zones, port)
        self.ids, self.next = {}, 1  # {record id: (zone, name, type, content)}

    def json(self, status, document):
        return status, {"Content-Type": "application/json"}, json.dumps(document, separators=(",", ":")).encode()

    def good(self, result, info=None):
        return self.json(200, {"result": result, "success": True, "errors": [], "messages": [], **({"result_info": info} if info else {})})

    def bad(self, status, code, message):
        return self.json(status, {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []})

    def answer(self, q):
        url = urllib.parse.urlsplit(q.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if q.headers.get("Authorization") != f"Bearer {self.TOKEN}":
            return self.bad(403, 10000, "Authentication error")
        parts = url.path.strip("/").split("/")
        if parts[:3] == ["client", "v4", "zones"] and len(parts) == 3:
            return self.list_zones(query)
        if parts[:4] == ["client", "v4", "user", "tokens"]:
            return self.good({"id": "t" * 32, "status": "active"})
        zone = next((z for z in self.zones.zones if len(parts) > 4 and zone_id(z) == parts[3]), None)
        if zone is None:
            return self.bad(404, 7003, "Could not route to the zone, perhaps your object identifier is invalid?")
        if len(parts) == 5 and q.method == "GET":
            return self.list_records(zone, query)
        if len(parts) == 5 and q.method == "POST":
            return self.create(zone, json.loads(q.body))
        if len(parts) == 6 and q.method == "DELETE":
            return self.delete(zone, parts[5])
        return self.bad(405, 10405, "Method not allowed for this authentication scheme")

    @staticmethod
    def page(items, query, standard):
        per_page, page = int(query.get("per_page", standard)), int(query.get("page", 1))
        info = {"page": page, "per_page": per_page, "count": len(items[(page - 1) * per_page:page * per_page]), "total_count": len(items),
                "total_pages": -(-len(items) // per_page)}
        return items[(page - 1) * per_page:page * per_page], info

    def list_zones(self, query):
        names = [z for z in sorted(self.zones.zones) if query.get("name", z) == z]
        chosen, info = self.page(names, query, 20)
        return self.good([{"id": zone_id(z), "name": z, "status": "active", "paused": False, "type": "full", "development_mode": 0,
                           "name_servers": ["ns1." + z, "ns2." + z], "original_name_servers": None, "original_registrar": None,
                           "original_dnshost": None, "created_on": NOW, "modified_on": NOW, "activated_on": NOW,
                           "meta": {"cdn_only": False, "custom_certificate_quota": 0, "dns_only": True, "foundation_dns": False,
                                    "page_rule_quota": 3, "phishing_detected": False, "step": 4},
                           "account": {"id": ACCOUNT, "name": "test"},
                           "owner": {"id": ACCOUNT, "name": "test", "type": "organization"}} for z in chosen], info)

    def record(self, rid):
        zone, name, kind, content = self.ids[rid]
        return {"id": rid, "zone_id": zone_id(zone), "zone_name": zone, "name": name, "type": kind, "content": content, "proxiable": False,
                "proxied": False, "ttl": self.zones.get(zone, name, kind)[0], "locked": False, "meta": {"auto_added": False, "source": "primary"},
                "comment": "", "tags": [], "created_on": NOW, "modified_on": NOW}

    def list_records(self, zone, query):
        found = [rid for rid, (z, name, kind, content) in self.ids.items()
                 if z == zone and query.get("name", name).rstrip(".").lower() == name and query.get("type", kind) == kind and
                 query.get("content", content).strip('"') == content.strip('"')]
        chosen, info = self.page(found, query, 100)
        return self.good([self.record(rid) for rid in chosen], info)

    def create(self, zone, body):
        name, kind, content, ttl = body["name"].rstrip(".").lower(), body["type"], body["content"], body.get("ttl", 1)
        if self.zones.holding(name) != zone:
            return self.bad(400, 1004, "DNS Validation Error")
        if ttl != 1 and not 60 <= ttl <= 86400:
            return self.bad(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
        if any((z, n, k, c.strip('"')) == (zone, name, kind, content.strip('"')) for z, n, k, c in self.ids.values()):
            return self.bad(400, 81058, "An identical record already exists.")
        rid = f"{self.next:032x}"
        self.next += 1
        self.ids[rid] = (zone, name, kind, content)
        self.store(zone, name, kind, 300 if ttl == 1 else ttl)
        return self.good(self.record(rid))

    def delete(self, zone, rid):
        if not re.fullmatch("[0-9a-f]{32}", rid) or rid not in self.ids:
            return self.bad(404, 81044, "Record does not exist.")
        _, name, kind, _ = self.ids.pop(rid)
        ttl = self.zones.get(zone, name, kind)[0]
        self.store(zone, name, kind, ttl)
        return self.json(200, {"result": {"id": rid}})

    def store(self, zone, name, kind, ttl):
        self.zones.put(zone, name, ttl, [c for z, n, k, c in self.ids.values() if (z, n, k) == (zone, name, kind)], kind)
