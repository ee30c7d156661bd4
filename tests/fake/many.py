# SPDX-License-Identifier: Apache-2.0
"""many - a store with very many rows of everything that has a list: what is there once is there MANY times. The server does not run."""
import sqlite3
import time

# table, which row is the pattern, columns of its own in each copy besides id and num: n is the copy's number, at its time
_COPIES = [
    ("csr", "1 = 1", {"created_ms": "at", "names": "name", "made_for_order": None}),
    ("certificate", "status = 'active'", {"created_ms": "at", "updated_ms": "at", "names": "name", "not_after_ms": "later", "renew_at_ms": "renew", "managed": 1}),
    ("orders", "status = 'valid'", {"created_ms": "at", "updated_ms": "at", "ended_ms": "at", "names": "name", "request_hash": "id", "certificate_id": None,
                                    "csr_id": None}),
    ("record", "status = 'withdrawn'", {"created_ms": "at", "updated_ms": "at", "domain": "name", "value": "id", "withdrawn_ms": "at"}),
    ("job", "state = 'done'", {"created_ms": "at", "updated_ms": "at"}),
    ("audit", "1 = 1", {"at_ms": "at", "object_name": "name"}),
]
_SPREAD_MS = 60_000  # between two copies
_DAY_MS = 86_400_000


def _copy(db, table, where, own, many, now):
    cursor = db.execute(f"SELECT * FROM {table} WHERE {where} LIMIT 1")
    columns, pattern = [c[0] for c in cursor.description], cursor.fetchone()
    if not pattern:
        raise LookupError(f"there is no row of {table} to copy")
    start = db.execute(f"SELECT max(num) FROM {table}").fetchone()[0] if "num" in columns else 0

    def rows():
        for k in range(1, many + 1):
            n = start + k
            at = now - (many - k) * _SPREAD_MS
            values = {"id": f"01{n:024d}", "num": n, "at": at, "name": f"host-{n}.pool.example.net", "later": now + (70 + n % 900) * _DAY_MS, "renew": now + (40 + n % 900) * _DAY_MS}
            yield tuple(values["id"] if c == "id" else n if c == "num" else (values.get(own[c], own[c]) if c in own else v)
                        for c, v in zip(columns, pattern))
    db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows())
    return start


def fill(path, many):
    """Orders, certificates, CSRs, records, jobs and audit rows in the SQLite store at path: many more of each."""
    db = sqlite3.connect(path)
    now = int(time.time() * 1000)
    for table, where, own in _COPIES:
        start = _copy(db, table, where, own, many, now)
        if table == "certificate":
            db.execute("INSERT INTO certificate_names (rowid, names) SELECT num, names FROM certificate WHERE num > ?", (start,))
        if table != "audit":
            db.execute(f"UPDATE counter SET n = (SELECT max(num) FROM {table}) WHERE name = ?", ("order" if table == "orders" else table,))
    db.commit()
    db.close()
