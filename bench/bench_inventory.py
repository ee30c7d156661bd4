# SPDX-License-Identifier: Apache-2.0
"""1,000,000 certificates in SQLite. Over the real API on one kept connection, so that the API's own work is in each time: a page of 50 of
every filter in both orders with no match, one, and all; every filter that all match beside every one that none does; substrings of
names; the dashboard. Then what the server's memory has grown by, and the scheduler's question what is due.

The rows are written by SQL in one transaction (some 90 bytes of names and 300 in all each), not by a million imports; what is counted
(store/kept.h) is left to the server, which finds it missing and mends it as it starts."""
import http.client
import itertools
import json
import os
import re
import shutil
import sqlite3
import ssl
import statistics
import sys
import time
import urllib.parse

from common import TOP, rss_mib

sys.path.insert(0, str(TOP / "tests" / "fake"))
import bed as beds  # noqa: E402

MANY = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
ROUNDS = 9
BARS = {"page": 20, "substring": 50, "dashboard": 5, "due": 5}
DASHBOARD = [("status", "/api/v1/status"), ("expiry, 13 weeks", "/api/v1/expiry"), ("expiry, a year", "/api/v1/expiry?weeks=53"), ("notices", "/api/v1/notices")]
# Each filter with what no certificate fits, what one fits (in the middle of the numbers), what all others fit.
FILTERS = {
    "status": ("status:waiting", "status:revoked", "status:active"), "set aside": ("status:expired", "status:set-aside", None),
    "expires<": ("expires<1h", "expires<2d", "expires<9999d"), "expires>": ("expires>9999d", "expires>900d", "expires>1h"),
    "vendor": ("vendor:digicert", "vendor:zerossl", "vendor:letsencrypt"), "tag": ("tag:nothing", "tag:one", "tag:all"),
    "owner": ("owner:nobody", "owner:one", "owner:all"), "key": ("key:p384", "key:rsa4096", "key:p256"),
    "managed": (None, "managed:no", "managed:yes"), "source": ("source:other", "source:imported", "source:issued"),
}
NAMES = {
    "word": ("nothing-like-it", f"left-{MANY // 3}.pool", "pool"), "exact": ("name:no.example.net", f"name:left-{MANY // 3}.pool.example.net", None),
    "middle": ("nothing.pool.example.nothing", f"{MANY // 3}.pool", None),
    "letters of all": ("pleft", f"t-{MANY // 3}.p", "eft-"), "four letters": ("plef", None, "xamp"), "two names": ("pool.left-1", f"{MANY // 3}.pool.example.net", "ol.example"),
    "suffix": ("name:*.example.org", f"name:*t-{MANY // 3}.pool.example.net", "name:*.pool.example.net"),
}


def searches():
    for what, values in {**FILTERS, **NAMES}.items():
        for match, q in zip(("none", "one", "all"), values):
            for sort in ("created", "expires"):
                if q:
                    yield "substring" if what in NAMES and sort == "created" else "page", f"{what}, {match}, by {sort}", q, sort
    for (a, x), (b, y) in itertools.permutations({**FILTERS, **NAMES}.items(), 2):
        for sort in ("created", "expires"):
            if x[2] and y[0] and re.match(r"\w+\W", x[2] + " ")[0] != re.match(r"\w+\W", y[0] + " ")[0]:
                yield "page", f"{a} all and {b} none, by {sort}", f"{x[2]} {y[0]}", sort
    for sort in ("created", "expires"):
        yield "page", f"nothing asked, by {sort}", "", sort


def fill(path):
    """Number n has two names; one row in the middle is other than the rest in each column that a filter asks for."""
    db = sqlite3.connect(path)
    now, start = int(time.time() * 1000), db.execute("SELECT coalesce(max(num), 0) FROM certificate").fetchone()[0]
    db.executescript(f"""
PRAGMA cache_size = -600000; PRAGMA synchronous = OFF; BEGIN;
INSERT INTO key (id, purpose, type, public_hash, created_ms) VALUES ('k1', 'account', 'p256', 'h1', 1), ('k2', 'account', 'p256', 'h2', 1);
INSERT INTO account (id, num, name, vendor, directory_url, email, status, key_id, created_ms, updated_ms) VALUES
 ('A1', 901, 'one', 'letsencrypt', 'https://127.0.0.1:9/d1', 'a@example.net', 'valid', 'k1', 1, 1),
 ('A2', 902, 'two', 'zerossl', 'https://127.0.0.1:9/d2', 'a@example.net', 'valid', 'k2', 1, 1);
WITH RECURSIVE c(n) AS (SELECT {start} + 1 UNION ALL SELECT n + 1 FROM c WHERE n < {start} + {MANY})
INSERT INTO certificate (id, num, source, names, names_hash, account_id, validation, key_policy, key_type, managed, status, not_before_ms,
 not_after_ms, renew_at_ms, next_attempt_ms, created_ms, updated_ms, owner)
 SELECT printf('01%024d', n), n, 'issued', printf('left-%d.pool.example.net', n) || char(10) || printf('right-%d.pool.example.net', n), 'h', 'A1', 'http-01',
  'new', 'p256', 1, 'active', {now} - 5000000000, {now} + 4000000000 + (n * 7919 % 8000000) * 1000, {now} + 4000000000 + (n * 7919 % 8000000) * 500,
  {now} + 4000000000 + (n * 7919 % 8000000) * 500, {now} - {MANY} + n, {now}, 'all' FROM c;
INSERT INTO certificate_names (rowid, names) SELECT num, names FROM certificate WHERE num > {start};
INSERT INTO certificate_tag (certificate_id, tag, num) SELECT id, 'all', num FROM certificate WHERE num > {start};
UPDATE certificate SET source = 'imported', account_id = 'A2', key_type = 'rsa4096', managed = 0, status = 'revoked', owner = 'one',
 not_after_ms = {now} + 86400000 WHERE num = {start} + {MANY} / 2;
UPDATE certificate SET status = 'set-aside', not_after_ms = {now} + 80000000000 WHERE num = {start} + {MANY} / 2 + 1;
INSERT INTO certificate_tag (certificate_id, tag, num) SELECT id, 'one', num FROM certificate WHERE num = {start} + {MANY} / 2;
INSERT INTO counter (name, n) VALUES ('certificate', {start} + {MANY}) ON CONFLICT (name) DO UPDATE SET n = excluded.n;
COMMIT;""")
    db.close()


def due_ms(path):
    """The statement of src/store/certificate.c, when a third of all is due."""
    source = (TOP / "src/store/certificate.c").read_text()
    columns = "".join(re.findall(r'"([^"]*)"', re.search(r"#define COLUMNS(.*?)\n\n", source, re.S)[1]))
    text = "".join(re.findall(r'"([^"]*)"', re.search(r"CERTIFICATE_DUE\[\] =(.*?);", source, re.S)[1].replace("COLUMNS", f'"{columns}"')))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        when = db.execute("SELECT next_attempt_ms FROM certificate WHERE managed = 1 AND deleted_ms = 0 ORDER BY next_attempt_ms LIMIT 1 OFFSET ?", (MANY // 3,)).fetchone()[0]
        times = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            assert len(db.execute(text, {"1": when, "2": 100}).fetchall()) == 100
            times.append((time.monotonic() - began) * 1000)
    return times


def ask(connection, token, path):
    began = time.monotonic()
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, body)
    return (time.monotonic() - began) * 1000, body


class Judge:
    def __init__(self):
        self.failed, self.worst = 0, {}

    def say(self, kind, what, times, more="", show=True):
        ms = statistics.median(times)
        bad = ms > BARS[kind]
        self.failed += bad
        self.worst[kind] = max(self.worst.get(kind, (0, "", 0)), (ms, what, min(times)))
        if show or bad:
            print(f"{kind:10} {what:60} {ms:7.1f} ms, best {min(times):6.1f} (bar {BARS[kind]}){more}{'  FAILED' if bad else ''}", flush=True)

    def end(self):
        for kind, (ms, what, best) in self.worst.items():
            print(f"worst {kind:10} {ms:7.1f} ms, best of {ROUNDS} {best:.1f}: {what}")


def wait_noted(path):
    """The blocks of names (store/name_block.h), which such a filling leaves out too."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        for _ in range(1200):
            row = db.execute("SELECT n FROM counter WHERE name = 'name_block'").fetchone()
            if row and row[0] >= MANY // 64:
                return
            time.sleep(0.5)
    raise SystemExit(f"the names are noted as far as {row} after ten minutes")


def wait_counted(connection, token):
    for _ in range(600):
        n = json.loads(ask(connection, token, "/api/v1/status")[1])["certificates"]["all"]
        if n >= MANY:
            return
        time.sleep(0.5)
    raise SystemExit(f"the kept counts say {n} certificates after five minutes")


def main():
    folder, judge = beds.scratch("certwright-inventory-"), Judge()
    server = beds.Server(folder, settings={"dns.listen": "", "http01.listen": ""}, user=beds.user_of_parts()).start()
    time.sleep(5)
    empty = rss_mib(server.parts()["core"])
    server.stop()
    path = next((folder / "state").glob("*.db"))
    began = time.monotonic()
    fill(path)
    print(f"{MANY} certificates put in, {time.monotonic() - began:.0f} s, {path.stat().st_size / 2 ** 20:.0f} MiB")
    server.start()
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    connection, token = http.client.HTTPSConnection(server.url.split("//")[1], context=trust), server.token_file.read_text().strip()
    began = time.monotonic()
    wait_counted(connection, token)
    print(f"counts mended beside the work, {time.monotonic() - began:.1f} s after the start")
    wait_noted(path)
    connection.close()  # the server ends what is idle
    print(f"names noted in blocks beside the work, {time.monotonic() - began:.1f} s after the start, {path.stat().st_size / 2 ** 20:.0f} MiB")
    for kind, what, q, sort in (list(searches()) if not os.environ.get("BENCH_SHORT") else [s for s in searches() if s[0] == "substring"]):
        path_of = "/api/v1/certificates?" + urllib.parse.urlencode({"q": q, "sort": sort, "limit": 50})
        got = [ask(connection, token, path_of) for _ in range(ROUNDS)]
        doc = json.loads(got[0][1])
        judge.say(kind, what, [t for t, _ in got], f", {len(doc['items'])} rows{', more' if doc['has_more'] else ''}", " and " not in what)
    for what, where in DASHBOARD:
        judge.say("dashboard", what, [ask(connection, token, where)[0] for _ in range(ROUNDS)])
    grown = rss_mib(server.parts()["core"]) - empty
    server.stop()
    judge.say("due", "100 of a third that is due", due_ms(path))
    judge.end()
    judge.failed += grown > 10 / 1.048576
    print(f"memory     {empty:.1f} MiB empty, {grown:+.1f} MiB now (bar +9.5)")
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if judge.failed else 0)


if __name__ == "__main__":
    main()
