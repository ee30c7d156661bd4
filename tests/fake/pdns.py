# SPDX-License-Identifier: Apache-2.0
"""A real PowerDNS Authoritative Server with its HTTP API on loopback: what a publisher is judged by."""
import json
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request

import bed as beds

PROGRAM = shutil.which("pdns_server") or ("/usr/sbin/pdns_server" if pathlib.Path("/usr/sbin/pdns_server").exists() else None)
SCHEMA = pathlib.Path("/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql")
KEY = "test-api-key-0123456789"


def missing():
    """Why it cannot be had, or None."""
    if not PROGRAM:
        return "pdns-server is not installed (tools/setup --test)"
    if not SCHEMA.exists():
        return "pdns-backend-sqlite3 is not installed (tools/setup --test)"
    return None


class PowerDns:
    def __init__(self, folder, zones, address="127.0.0.1", port=None):
        self.folder = pathlib.Path(folder) / "pdns"
        self.folder.mkdir()
        self.port, self.api_port = port or beds.free_port(), beds.free_port()
        self.url = f"http://{address}:{self.api_port}"
        subprocess.run(["sqlite3", str(self.folder / "pdns.sqlite3")], input=SCHEMA.read_text(), text=True, check=True, capture_output=True)
        (self.folder / "pdns.conf").write_text(f"""launch=gsqlite3
gsqlite3-database=pdns.sqlite3
gsqlite3-pragma-foreign-keys=yes
local-address={address}
local-port={self.port}
socket-dir={self.folder}
api=yes
api-key={KEY}
webserver=yes
webserver-address={address}
webserver-port={self.api_port}
webserver-allow-from=127.0.0.0/8,10.0.0.0/8
default-ttl=60
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
disable-syslog=yes
loglevel=4
""")
        self.process = beds.Process("pdns", [PROGRAM, f"--config-dir={self.folder}", "--daemon=no", "--guardian=no"], self.folder,
                                    cwd=self.folder)
        beds.wait_for(self.answers, 120, "PowerDNS answers")
        for zone in zones:
            self.api("POST", "/zones", {"name": f"{zone}.", "kind": "Native", "nameservers": [f"ns1.{zone}."], "soa_edit_api": "INCREASE"})

    def answers(self):
        if not self.process.running():
            raise beds.BedError(f"PowerDNS ended:\n{self.process.text()}")
        try:
            return self.api("GET", "")
        except OSError:
            return None

    def api(self, method, path, body=None):
        request = urllib.request.Request(f"{self.url}/api/v1/servers/localhost{path}", method=method,
                                         data=json.dumps(body).encode() if body is not None else None,
                                         headers={"X-API-Key": KEY, "Accept": "application/json", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return json.loads(text) if text else {}

    def put(self, zone, name, values, rtype="TXT"):
        records = [{"content": f'"{v}"' if rtype == "TXT" else v, "disabled": False} for v in values]
        self.api("PATCH", f"/zones/{zone}.", {"rrsets": [{"name": f"{name}.", "type": rtype, "ttl": 60, "changetype": "REPLACE", "records": records}]})

    def texts(self, zone):
        """{name: [values]} of all TXT records of the zone."""
        sets = self.api("GET", f"/zones/{zone}.")["rrsets"]
        return {s["name"].rstrip("."): sorted(r["content"].strip('"') for r in s["records"]) for s in sets if s["type"] == "TXT"}

    def stop(self):
        self.process.stop(5)
