#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""store_fixture - a small store with data in every table, as the version of today (or an earlier schema) wrote it, for the tests of upgrades.

	tests/tool/store_fixture.py [--schema N] FOLDER     (with a built tree in build/)

writes FOLDER/NNNN.sql and FOLDER/NNNN.key (its master key, used nowhere else), NNNN being the newest migration it has. Run it for each release, on
the commit that is tagged, with tests/data/stores as FOLDER; tests/scenario/test_upgrade.py takes up every store that lies there.
--schema N leaves out the tables and columns that later migrations brought: for versions that were never released as a package.
"""
import argparse
import pathlib
import shutil
import sqlite3
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests/fake"), str(TOP / "tests/scenario")]
import bed as beds  # noqa: E402
import helpers  # noqa: E402

MIGRATIONS = sorted((TOP / "src/store/migrations").glob("*.sql"))
WORDS = {"@INT@": "INTEGER", "@BLOB@": "BLOB", "@STRICT@": "STRICT", "@SQLITE@": "", "@PGSQL@": "--"}
# What only PostgreSQL, or a moment of minutes, leaves in a table.
RARE = {"write_mark": "INSERT INTO write_mark (id, at_ms) VALUES ('01J00000000000000000000000', 1)",
        "setup_token": "INSERT INTO setup_token (hash, created_ms, expires_ms) VALUES ('00', 1, 2)"}
UNKEPT = ("sqlite_sequence",)


def number(path):
    return int(path.name[:4])


def schema_of(newest):
    """An empty database as the migrations up to that number make it."""
    db = sqlite3.connect(":memory:")
    for path in MIGRATIONS:
        if number(path) <= newest:
            text = path.read_text(encoding="ascii")
            for token, word in WORDS.items():
                text = text.replace(token, word)
            db.executescript(text)
    return db


def life(bed):
    """Something of everything: accounts, certificates, orders of all ends, a provider, people, settings."""
    server = bed.server
    account = bed.account()
    done = [helpers.order(bed, account, ["one.example.test", "*.one.example.test"])["id"],
            helpers.order(bed, account, ["two.example.test"], "http-01")["id"]]
    csr = server.call("csr", "create", "--name", "three.example.test")["id"]
    done.append(server.call("order", "create", "--account", account["id"], "--validation", "dns-01", "--csr", csr)["id"])
    over = helpers.wait_all(bed, done, 120)
    if {o["status"] for o in over.values()} != {"valid"}:
        raise beds.BedError(f"not all valid: {over}")
    body = {"account_id": account["id"], "names": ["waits.never.test"], "validation": "dns-01", "dns": "manual", "mode": "automatic"}
    status, made, _ = server.request("POST", "/orders", body, {"Idempotency-Key": "fixture"})
    if status not in (200, 201):
        raise beds.BedError(str(made))
    password = server.folder / "second"
    password.write_text("another horse battery staple\n")
    password.chmod(0o600)
    server.call("user", "add", "bob", "--role", "operator", "--password-file", str(password))
    server.request("POST", "/session", {"name": "admin", "password": server.password_file.read_text().strip()})
    server.call("provider", "create", "--kind", "powerdns", "--name", "dns", "--set", "url=http://127.0.0.1:8081", "--secret-file", f"api_key={password}")
    beds.wait_for(lambda: server.call("record", "list", "--limit", 200)["items"][0]["status"] in ("not-ready", "ready"), 60, "the record by hand is shown")


def rows(db, table, columns):
    return db.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1").fetchall()


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def dump(db, newest, out):
    shape = schema_of(newest)
    tables = [n for n, in shape.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid") if n not in UNKEPT]
    empty = []
    out.write("-- SPDX-License-Identifier: Apache-2.0\n-- A store as a former version left it; made by tests/tool/store_fixture.py. Names, keys and people exist in tests only.\n"
              "BEGIN;\n")
    out.write("".join(f"{text};\n" for text, in shape.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")))
    out.write(db.execute("SELECT sql FROM sqlite_master WHERE name = 'schema_migration'").fetchone()[0] + ";\n")
    for table in [*tables, "schema_migration"]:
        columns = [r[1] for r in (shape if table in tables else db).execute(f"PRAGMA table_info({table})")]
        if table in RARE and not rows(db, table, columns):
            db.execute(RARE[table])
        found = [r for r in rows(db, table, columns) if table != "schema_migration" or r[0] <= newest]
        if not found:
            empty.append(table)
        out.write("".join(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(map(literal, r))});\n" for r in found))
    out.write("COMMIT;\n")
    return empty


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--schema", type=int, default=number(MIGRATIONS[-1]))
    args.add_argument("folder", type=pathlib.Path)
    given = args.parse_args()
    bed = beds.Bed(beds.scratch("certwright-store-"), never=["never.test"]).start()
    try:
        life(bed)
        time.sleep(1)  # what edge reported, and the jobs behind the orders
    finally:
        bed.stop()
    given.folder.mkdir(parents=True, exist_ok=True)
    name = f"{given.schema:04d}"
    (given.folder / f"{name}.key").write_bytes((bed.server.state / "master.key").read_bytes())
    db = sqlite3.connect(bed.server.state / "certwright.db")
    with open(given.folder / f"{name}.sql", "w", encoding="utf-8") as out:
        empty = dump(db, given.schema, out)
    shutil.rmtree(bed.folder)
    if empty:
        sys.exit(f"these tables have no row: {', '.join(empty)}")


if __name__ == "__main__":
    main()
