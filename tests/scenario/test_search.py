# SPDX-License-Identifier: Apache-2.0
"""The search of the inventory: the same in API and command line; what is found, in which order, page by page; what is refused and why;
and that no search walks the whole table, however many certificates there are."""
import contextlib
import pathlib
import shutil
import sqlite3
import time
import urllib.parse

import pytest

import bed as beds
from test_import import Maker

MANY = 20000


@contextlib.contextmanager
def inventory(database, env=None):
    """A server on that database, with nothing in it yet; its postgres is None on SQLite."""
    if database == "postgresql" and not list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        pytest.skip("PostgreSQL is not installed")
    folder = beds.scratch("certwright-search-")
    settings, postgres = {"dns.listen": "", "http01.listen": ""}, None
    if database == "postgresql":
        postgres = beds.Postgres(folder)
        settings |= postgres.settings()
    one = beds.Server(folder, settings=settings, user=beds.user_of_parts(), env=env).start()
    one.postgres = postgres
    yield one
    one.stop()
    if postgres:
        postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request):
    with inventory(request.param) as one:
        maker = Maker(one.folder)
        for name, owner, tags in (("shop", "Team Web", ["prod", "edge"]), ("mail", "Team Mail", ["prod"]), ("test", "", [])):
            maker.leaf(f"{name}.example.com")
            noted = ["--owner", owner] if owner else []
            done = one.cli("import", one.folder / f"{name}.pem", *noted, *[x for t in tags for x in ("--tag", t)])
            assert done.status == 0, done
        yield one


def found(server, q, **more):
    query = urllib.parse.urlencode({"q": q, **more})
    status, doc, _ = server.request("GET", f"/certificates?{query}")
    assert status == 200, doc
    return [next((n for n in c["names"] if not n.startswith("www.")), "") for c in doc["items"]], doc


@pytest.mark.parametrize("q,names", [
    ("", ["test", "mail", "shop"]), ("tag:prod", ["mail", "shop"]), ("tag:prod tag", []), ("owner:\"Team Web\"", ["shop"]), ("tag:prod mail", ["mail"]),
    ("name:shop.example.com", ["shop"]), ("name:*.example.com", ["test", "mail", "shop"]), ("name:*.example.org", []), ("HOP.exam", ["shop"]),
    ("key:p256", ["test", "mail", "shop"]), ("key:rsa2048", []), ("source:imported managed:no", ["test", "mail", "shop"]), ("managed:yes", []),
    ("vendor:letsencrypt", []), ("status:revoked", []), ("status:waiting", []), ("expires<30d", ["shop", "mail", "test"]), ("expires<3d", []),
    ("status:active", ["test", "mail", "shop"]), ("expires>1d tag:edge", ["shop"]), ("100%", []), ("a_b", []), ("\"exa\"", ["test", "mail", "shop"]),
])
def test_what_is_asked_for_is_found(server, q, names):
    assert found(server, q)[0] == [f"{n}.example.com" for n in names]
    done = server.call("certificate", "list", "--q", q)
    assert len(done["items"]) == len(names)


@pytest.mark.parametrize("q,why", [("colour:red", "there is no such key"), ("ab", "at least three"), ("expires<soon", "a time is"), ("\"open", "no end")])
def test_what_cannot_be_meant_is_refused_with_a_sentence(server, q, why):
    status, doc, _ = server.request("GET", "/certificates?" + urllib.parse.urlencode({"q": q}))
    assert status == 400 and why in str(doc), doc
    done = server.cli("certificate", "list", "--q", q)
    assert done.status == 2 and why in done.err, done


def test_owner_tags_and_notes_are_changed_by_who_read_them_last(server):
    number = found(server, "test")[1]["items"][0]["num"]
    _, _, head = server.request("GET", f"/certificates/{number}")
    body = {"owner": "Team QA", "notes": "only for tests", "tags": ["QA", "qa", "lab"]}
    status, doc, _ = server.request("PATCH", f"/certificates/{number}", body, {"If-Match": head["ETag"]})
    assert status == 200 and doc["tags"] == ["lab", "qa"] and doc["owner"] == "Team QA" and doc["notes"] == "only for tests", doc
    assert server.request("PATCH", f"/certificates/{number}", body, {"If-Match": head["ETag"]})[0] == 412
    assert server.request("PATCH", f"/certificates/{number}", {**body, "tags": ["two words"]}, {"If-Match": "*"})[0] == 400
    assert server.cli("certificate", "note", number, "--owner", "", "--tag", "").status == 0
    doc = server.request("GET", f"/certificates/{number}")[1]
    assert doc["owner"] is None and doc["tags"] == [] and doc["notes"] == "only for tests"


def fill_postgres(postgres, many):
    postgres.sql(f"""INSERT INTO certificate (id, num, source, names, names_hash, validation, key_policy, key_type, managed, status, not_before_ms,
        not_after_ms, created_ms, updated_ms) SELECT '01' || lpad(n::text, 24, '0'), n, 'imported', 'host-' || n || '.pool.example.net', 'h', '', 'new',
        CASE n % 2 WHEN 1 THEN 'p384' ELSE 'rsa2048' END, 0, 'active', 1, 4000000000000 + n, 1, 1
        FROM (SELECT m + k AS n FROM generate_series(1, {many}) k, (SELECT max(num) AS m FROM certificate) o) numbers""")
    postgres.sql("INSERT INTO certificate_tag (certificate_id, tag, num) SELECT id, 'all', num FROM certificate WHERE names LIKE '%.pool.%'")


def fill(server, many):
    """Rows as an import would leave them: number n has the name host-n.pool.example.net."""
    if server.postgres:
        fill_postgres(server.postgres, many)
    else:
        fill_sqlite(next((server.folder / "state").glob("*.db")), many)


def fill_sqlite(path, many):
    db = sqlite3.connect(path, timeout=120)
    now = int(time.time() * 1000)
    start = db.execute("SELECT max(num) FROM certificate").fetchone()[0]

    def rows():
        for n in range(start + 1, start + 1 + many):
            yield (f"01{n:024d}", n, "imported", f"host-{n}.pool.example.net", "h", "", "new", "p384" if n % 2 else "rsa2048", 0, "active", now - 10 ** 9,
                   now + (n % 1000) * 86400000, now, now)
    db.executemany("INSERT INTO certificate (id, num, source, names, names_hash, validation, key_policy, key_type, managed, status, not_before_ms,"
                   " not_after_ms, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows())
    db.execute("INSERT INTO certificate_names (rowid, names) SELECT num, names FROM certificate WHERE num > ?", (start,))
    db.execute("INSERT INTO certificate_tag (certificate_id, tag, num) SELECT id, 'all', num FROM certificate WHERE num > ?", (start,))
    db.commit()
    db.close()


def test_many_are_paged_through_and_none_is_lost(server):
    fill(server, MANY)
    names, doc = found(server, "pool.example.net", limit=200)
    seen = list(names)
    while doc["has_more"]:
        names, doc = found(server, "pool.example.net", limit=200, cursor=doc["cursor"])
        seen += names
    assert len(seen) == len(set(seen)) == MANY
    # what is judged row by row comes in short pages, and all of it comes
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        names, doc = found(server, "tag:all key:p384 host-1", limit=200, **({"cursor": cursor} if cursor else {}))
        seen, cursor, pages = seen + names, doc["cursor"] if doc["has_more"] else None, pages + 1
    want = {f"host-{n}.pool.example.net" for n in range(4, MANY + 4) if n % 2 and str(n).startswith("1")}
    assert set(seen) == want and len(seen) == len(want)
    assert found(server, "host-777.pool")[0] == ["host-777.pool.example.net"]
    # a part in the middle of a name: rare, in many, common trigrams that stand nowhere beside each other
    everybody = [f"host-{n}.pool.example.net" for n in range(4, MANY + 4)]
    for part in ("1234.pool", "333.p", "77.pool.exa", "-199", "st-12345", "oolhost", "t-9.pool", "0.pool.example.net"):
        want, seen, cursor = {name for name in everybody if part in name}, [], None
        while cursor is not None or not seen:
            names, doc = found(server, part, limit=200, **({"cursor": cursor} if cursor else {}))
            seen, cursor = seen + names, doc["cursor"] if doc["has_more"] else None
            if cursor is None:
                break
        assert set(seen) == want and len(seen) == len(want), part
