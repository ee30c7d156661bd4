# SPDX-License-Identifier: Apache-2.0
"""Stores that former versions left (tests/data/stores, made by tests/tool/store_fixture.py), and a server whose state folder is one of them."""
import os
import pathlib
import re
import shutil
import signal
import sqlite3

import bed as beds

STORES = sorted((beds.TOP / "tests/data/stores").glob("*.sql"))
MIGRATIONS = sorted((beds.TOP / "src/store/migrations").glob("*.sql"))
MOVED = {"session", "write_mark", "setup_token", "lane", "job", "event", "feed_item", "counter", "meta", "idempotency", "debt"}  # the program's own, or ended
WORDS = {"@INT@": "BIGINT", "@BLOB@": "BYTEA", "@STRICT@": "", "@SQLITE@": "--", "@PGSQL@": ""}


def ours():
    return sorted(int(p.name[:4]) for p in MIGRATIONS)


def load(store, path):
    with sqlite3.connect(path) as db:
        db.executescript("PRAGMA journal_mode = WAL;" + store.read_text())
    db.close()


def schemas(path):
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert not db.execute("PRAGMA foreign_key_check").fetchall()
    got = [v for v, in db.execute("SELECT version FROM schema_migration ORDER BY version")]
    db.close()
    return got


def many_rows(path, n=120_000):
    """So that making indexes takes a while."""
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO audit (id, at_ms, actor_kind, actor_name, action, object_kind, object_id, object_name) "
                   f"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {n}) "
                   "SELECT printf('01J0000000%016d', i), i, 'user', 'ada', 'order.create', 'order', printf('%d', i), printf('n%d.example.test', i) FROM c")
    db.close()


def literal(value):
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return "NULL" if value is None else str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def load_postgres(store, postgres, folder):
    """The same rows in the tables that the same migrations make there."""
    load(store, folder / "rows.db")
    db = sqlite3.connect(folder / "rows.db")
    applied = {v for v, in db.execute("SELECT version FROM schema_migration")}
    text = "".join(p.read_text() for p in MIGRATIONS if int(p.name[:4]) in applied)
    text = re.sub("|".join(WORDS), lambda m: WORDS[m[0]], text)
    text += ";CREATE TABLE schema_migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms BIGINT NOT NULL);\n"
    text += "SET session_replication_role = replica;\n"
    for table, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid").fetchall():
        columns = [r[1] for r in db.execute(f"PRAGMA table_info({table})")]
        for row in db.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            text += f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(map(literal, row))});\n"
    db.close()
    (folder / "rows.sql").write_text(text)
    postgres.sql_file(folder / "rows.sql")


def own(server):
    """Files that the test made are the server's."""
    for path in (server.state / "master.key", server.password_file):
        path.chmod(0o600)
    if user := beds.user_of_parts():
        beds.chown_tree(server.state, user)


def server_of(store, scratch, settings=None):
    """Not started; its database is the caller's to put there."""
    folder = scratch / "server"
    folder.mkdir()
    server = beds.Server(folder, {"engine.workers": "2", **(settings or {})}, beds.user_of_parts(), prepare=False)
    server.state.mkdir(mode=0o700)
    server.store = store
    shutil.copy(store.with_suffix(".key"), server.state / "master.key")
    server.password_file.write_text("correct horse battery staple\n")
    return server


def kill_everything(server):
    """kill -9 of all its processes. It is held first, so that it starts none that would outlive it, and those that died are still there."""
    def held():
        text = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text()
        return text[text.rindex(")") + 2] in "TZ"

    os.kill(server.process.pid, signal.SIGSTOP)
    beds.wait_for(held, 60, "the supervisor is held", 0.001)
    for pid in [*server.parts().values(), server.process.pid]:
        os.kill(pid, signal.SIGKILL)
    server.process.proc.wait(60)


def sign_in(server):
    """With a token that may export keys; the first schema knew no rights."""
    login = ("login", "--user", "admin", "--password-file", server.password_file, "--fingerprint", server.fingerprint)
    for args in (login, ("user", "right", "admin", "--grant", "key-export"), login,
                 ("token", "create", "--name", "after", "--right", "key-export", "--out", server.token_file)):
        done = server.cli(*args, env={"CERTWRIGHT_TOKEN_FILE": ""})
        assert done.status == 0, done
