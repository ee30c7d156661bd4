# SPDX-License-Identifier: Apache-2.0
"""dnspeers - name servers that other people wrote, as peers of dynamic updates: BIND, Knot DNS, PowerDNS. Each has the zone example.test, a TSIG
key "certwright-key" that may change TXT there, and listens on loopback only."""
import base64
import pathlib
import shutil
import subprocess

import bed

SECRET = base64.b64encode(b"a secret of thirty-two bytes! :-").decode()
OTHER_SECRET = base64.b64encode(b"another secret of thirty-two....").decode()
KEY, ALGORITHM = "certwright-key", "hmac-sha256"
ZONE = "$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 86400 5\n@ IN NS ns1\nns1 IN A 127.0.0.1\n"


class Peer:
    """What all have: a port, a process, and how to look at a name."""

    def values(self, name):
        out = subprocess.run(["dig", "+short", "+tcp", "-p", str(self.port), "@127.0.0.1", "TXT", name], capture_output=True, text=True, check=True).stdout
        return sorted(line.strip('"') for line in out.splitlines() if not line.startswith(";"))

    def put(self, name, values):
        self.update("\n".join([f"update delete {name} TXT", *(f'update add {name} 60 TXT "{v}"' for v in values)]))

    def texts(self):
        """{name: [values]} of all TXT records of the zone, by a transfer."""
        out = subprocess.run(["dig", "+tcp", "+nocmd", "+nostats", "-p", str(self.port), "-y", f"{ALGORITHM}:{KEY}:{SECRET}", "@127.0.0.1", "AXFR", "example.test"],
                             capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 4) for line in out.splitlines() if line and not line.startswith(";")]
        assert any(row[3] == "SOA" for row in rows), out
        found = {}
        for name, _, _, rtype, data in rows:
            if rtype == "TXT":
                found.setdefault(name.rstrip("."), []).append(data.strip('"'))
        return {name: sorted(values) for name, values in found.items()}

    def update(self, text):
        subprocess.run(["nsupdate", "-y", f"{ALGORITHM}:{KEY}:{SECRET}"], input=f"server 127.0.0.1 {self.port}\nzone example.test\n{text}\nsend\n", text=True,
                       check=True)

    def wait(self):
        bed.wait_for(lambda: self.process.running() and "NOERROR" in subprocess.run(
            ["dig", "+time=1", "+tries=1", "-p", str(self.port), "@127.0.0.1", "SOA", "example.test"], capture_output=True, text=True, check=False).stdout,
                     120, f"{type(self).__name__} answers\n{self.process.text()}")
        return self

    def stop(self):
        self.process.stop()


class Named(Peer):
    """BIND with TSIG: the key may change TXT below example.test; sub.example.test is a zone cut, cut.example.test is delegated elsewhere."""

    @staticmethod
    def here():
        return shutil.which("named") or (pathlib.Path("/usr/sbin/named").exists() and "/usr/sbin/named") or None

    def __init__(self, folder, port=None, algorithm=ALGORITHM, policy=f"grant {KEY} wildcard *.example.test. TXT;"):
        self.folder, self.port = pathlib.Path(folder), port or bed.free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "named.conf").write_text(f"""
key "{KEY}" {{ algorithm {algorithm}; secret "{SECRET}"; }};
key "no-rights" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
options {{ directory "{self.folder}"; pid-file "named.pid"; session-keyfile "session.key"; lock-file none;
  listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no;
  managed-keys-directory "."; new-zones-directory "."; allow-transfer {{ key {KEY}; }}; }};
controls {{ }};
zone "example.test" {{ type primary; file "example.test.zone"; update-policy {{ {policy} }}; }};
zone "sub.example.test" {{ type primary; file "sub.zone"; allow-update {{ key {KEY}; }}; }};
""")
        extra = "alias._acme IN CNAME elsewhere\n_acme-challenge.alias IN CNAME target.elsewhere.test.\n_acme-challenge.led IN CNAME _acme-challenge.led.acme\ncut IN NS ns.elsewhere.test.\nsub IN NS ns1\n"
        (self.folder / "example.test.zone").write_text(ZONE + extra)
        (self.folder / "sub.zone").write_text(ZONE)
        self.process = bed.Process("named", [self.here(), "-c", self.folder / "named.conf", "-g", "-n", "1"], self.folder)
        self.wait()


class Knot(Peer):
    @staticmethod
    def here():
        return shutil.which("knotd") or (pathlib.Path("/usr/sbin/knotd").exists() and "/usr/sbin/knotd") or None

    def __init__(self, folder, acl=f"acl:\n  - id: certwright\n    key: {KEY}\n    action: update\n    update-type: TXT\n"):
        self.folder, self.port = pathlib.Path(folder), bed.free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "knot.conf").write_text(f"""
server:
    rundir: "{self.folder}"
    listen: 127.0.0.1@{self.port}
database:
    storage: "{self.folder}"
key:
  - id: {KEY}
    algorithm: {ALGORITHM}
    secret: {SECRET}
{acl}  - id: transfer
    key: {KEY}
    action: transfer
template:
  - id: default
    storage: "{self.folder}"
zone:
  - domain: example.test
    file: example.test.zone
    acl: [certwright, transfer]
""")
        (self.folder / "example.test.zone").write_text("$ORIGIN example.test.\n" + ZONE)
        self.process = bed.Process("knotd", [self.here(), "-c", self.folder / "knot.conf"], self.folder)
        self.wait()


class PowerDns(Peer):
    @staticmethod
    def here():
        return shutil.which("pdns_server") or (pathlib.Path("/usr/sbin/pdns_server").exists() and "/usr/sbin/pdns_server") or None

    def __init__(self, folder):
        self.folder, self.port = pathlib.Path(folder), bed.free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        schema = pathlib.Path("/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql").read_text()
        import sqlite3
        with sqlite3.connect(self.folder / "pdns.sqlite3") as db:
            db.executescript(schema)
        (self.folder / "pdns.conf").write_text(f"""
launch=gsqlite3
gsqlite3-database={self.folder}/pdns.sqlite3
gsqlite3-pragma-foreign-keys=yes
local-address=127.0.0.1
local-port={self.port}
socket-dir={self.folder}
default-ttl=60
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
disable-syslog=yes
""")
        for args in (["create-zone", "example.test", "ns1.example.test"], ["import-tsig-key", KEY, ALGORITHM, SECRET],
                     ["set-meta", "example.test", "TSIG-ALLOW-DNSUPDATE", KEY]):
            subprocess.run(["pdnsutil", f"--config-dir={self.folder}", *args], check=True, capture_output=True)
        self.process = bed.Process("pdns", [self.here(), f"--config-dir={self.folder}", "--daemon=no", "--guardian=no"], self.folder)
        self.wait()
