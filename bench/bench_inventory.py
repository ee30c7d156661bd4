# SPDX-License-Identifier: Apache-2.0
"""1,000,000 certificates in SQLite: the worst page of 50 of each search, with no match, one, and all, over the real API; and what the
server's memory grows by. Time is that of a request on one connection, so the API's own overhead is in it."""
import http.client
import json
import shutil
import ssl
import statistics
import sys
import time
import urllib.parse

from common import TOP, rss_mib

sys.path.insert(0, str(TOP / "tests" / "fake"))
import bed as beds  # noqa: E402
from test_search import fill  # noqa: E402

MANY = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
ROUNDS = 9
BARS = {"page": 20, "substring": 50, "dashboard": 5}
DASHBOARD = [("status", "/api/v1/status"), ("expiry, 13 weeks", "/api/v1/expiry"), ("notices", "/api/v1/notices")]
QUERIES = [  # kind, what, search
    ("page", "none asked for", ""), ("page", "tag, all", "tag:all"), ("page", "tag, none", "tag:nothing"), ("page", "key, half", "key:p384"),
    ("page", "key, none", "key:rsa4096"), ("page", "owner, none", "owner:nobody"), ("page", "source, all", "source:imported"),
    ("page", "vendor, none", "vendor:digicert"), ("page", "managed, none", "managed:yes"), ("page", "status, none", "status:revoked"),
    ("page", "expires, all", "expires>1h"), ("page", "expires, none", "expires>9999d"), ("page", "expiring", "status:expiring"),
    ("page", "expired", "status:expired"), ("page", "tag and key, half", "tag:all key:p384"), ("page", "tag and owner, none", "tag:all owner:nobody"),
    ("page", "expires and key, none", "expires>1h key:rsa4096"),
    ("substring", "all", "pool"), ("substring", "one", "host-777777.pool"), ("substring", "none", "nothing-like-it"),
    ("substring", "suffix, all", "name:*.pool.example.net"), ("substring", "exact, one", "name:host-500000.pool.example.net"),
    ("substring", "parts that are everywhere, the whole nowhere", "1.pool.example.net.pool"), ("substring", "and key, none", "pool key:rsa4096"),
]


def ask(connection, token, q):
    began = time.monotonic()
    connection.request("GET", "/api/v1/certificates?" + urllib.parse.urlencode({"q": q, "limit": 50}), headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    doc = json.loads(answer.read())
    assert answer.status == 200, doc
    return (time.monotonic() - began) * 1000, len(doc["items"]), doc["has_more"]


def get(connection, token, path):
    began = time.monotonic()
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, path
    return (time.monotonic() - began) * 1000


def main():
    folder = beds.scratch("certwright-inventory-")
    server = beds.Server(folder, settings={"dns.listen": "", "http01.listen": ""}, user=beds.user_of_parts()).start()
    empty = rss_mib(server.parts()["core"])
    beds.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(folder / "k"), "-out", str(folder / "c.pem"), "-days", "9", "-subj", "/CN=a.example")
    assert server.cli("import", folder / "c.pem").status == 0
    server.stop()
    began = time.monotonic()
    fill(next((folder / "state").glob("*.db")), MANY)
    print(f"{MANY} certificates put in, {time.monotonic() - began:.0f} s")
    server.start()
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    host = server.url.split("//")[1]
    connection, token, failed = http.client.HTTPSConnection(host, context=trust), server.token_file.read_text().strip(), 0
    for kind, what, q in QUERIES:
        times = [ask(connection, token, q) for _ in range(ROUNDS)]
        ms = statistics.median(t[0] for t in times)
        failed += ms > BARS[kind]
        print(f"{kind:10} {what:48} {ms:7.1f} ms (bar {BARS[kind]}), {times[0][1]} rows{', more' if times[0][2] else ''}{'' if ms <= BARS[kind] else '  FAILED'}")
    for what, path in DASHBOARD:
        times = [get(connection, token, path) for _ in range(ROUNDS)]
        ms = statistics.median(times)
        failed += ms > BARS["dashboard"]
        print(f"dashboard  {what:48} {ms:7.1f} ms (bar {BARS['dashboard']}){'' if ms <= BARS['dashboard'] else '  FAILED'}")
    grown = rss_mib(server.parts()["core"]) - empty
    failed += grown > 10
    print(f"memory     {empty:.1f} MiB empty, {grown:+.1f} MiB now (bar +10)")
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
