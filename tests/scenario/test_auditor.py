# SPDX-License-Identifier: Apache-2.0
"""Eight questions of an auditor, one command each (docs/admin/auditor.md), and what each answer has to say."""
import csv
import io
import re
import shutil
import sqlite3

import bed as beds
import pytest
from api_client import Client
from helpers import wait_order

PASSWORD = "correct horse battery "
NAME = "pay.example.test"


class Year:
    """What happened in a small year."""

    def __init__(self, bed):
        self.bed, self.server = bed, bed.server
        self.admin = Client(self.server.url, token=self.server.token_file.read_text().strip())
        post = self.admin.post
        for name, role, rights in (("olga", "operator", ["key-export"]), ("vera", "viewer", ["audit"]), ("nina", "viewer", [])):
            assert post("/users", {"name": name, "role": role, "rights": rights, "password": PASSWORD + name}).status_code == 201
        self.account = bed.account()
        self.olga = self.admin.sign_in("olga", PASSWORD + "olga")
        self.token = self.olga.post("/tokens", {"name": "pipeline", "role": "operator", "rights": ["key-export"], "days": 400}).json()["info"]
        assert self.olga.post("/tokens", {"name": "=HYPERLINK(1)"}).status_code == 201
        made = self.olga.post("/orders", {"account_id": self.account["id"], "names": [NAME], "validation": "http-01"}).json()
        assert wait_order(bed, made["id"])["status"] == "valid"
        self.certificate = self.admin.get(f"/orders/{made['id']}").json()["certificate_id"]
        at = f"/certificates/{self.certificate}"
        assert self.admin.ask("PATCH", at, json={"owner": "payments", "notes": "", "tags": []}, headers={"If-Match": "*"}).status_code == 200
        assert self.olga.post(f"{at}/export", {"format": "pem", "with_key": True, "reason": "moved to the new load balancer"}).status_code == 200
        failed = self.olga.post("/orders", {"account_id": self.account["id"], "names": ["nowhere.example.test"], "validation": "http-01"}).json()
        assert wait_order(bed, failed["id"])["status"] == "invalid"
        assert self.admin.ask("PATCH", "/users/vera", json={"role": "operator", "rights": ["audit", "revoke"]}, headers={"If-Match": "*"}).status_code == 200
        csr = self.server.call("csr", "create", "--name", "gone.example.test", "--key", "p256")
        assert self.admin.ask("DELETE", f"/csrs/{csr['id']}", headers={"If-Match": "*"}).status_code == 204
        self.server.stop()  # the engine, too, reads this row, thinks, and writes it
        with sqlite3.connect(self.server.state / "certwright.db", timeout=120) as db:
            assert db.execute("UPDATE renewal SET failing_since_ms = 1790000000000, reason = ? WHERE certificate_id = ?",
                              ('{"code":"network","title":"t","detail":"the authority was not reached","chain":[]}', self.certificate)).rowcount == 1
        db.close()
        self.server.start()
        # asked by the one who has nothing but the right to
        self.vera = self.admin.sign_in("vera", PASSWORD + "vera")

    def command(self, *args):
        return self.server.cli("report", "auditor", *args)

    def ask(self, part, *args):
        done = self.command("--show", part, *args)
        assert done.status == 0, done
        return list(csv.DictReader(io.StringIO(done.out)))


@pytest.fixture(scope="module")
def year(tls):
    folder = beds.scratch("certwright-auditor-")
    bed = beds.Bed(folder, tls=tls, never=["nowhere.example.test"], settings={"resolve.ask_view": "yes", "dns.rate_limit": "0"}).start()
    yield Year(bed)
    bed.stop()
    shutil.rmtree(folder, ignore_errors=True)


def one(rows, **what):
    found = [r for r in rows if all(r[k] == v for k, v in what.items())]
    assert len(found) == 1, (what, rows)
    return found[0]


def test_1_who_may_do_what_and_when_did_each_sign_in_last(year):
    rows = year.ask("users")
    olga, vera = one(rows, name="olga"), one(rows, name="vera")
    assert olga["role"] == "operator" and olga["rights"] == "key-export" and olga["status"] == "active" and olga["last_sign_in"].endswith("Z")
    assert vera["role"] == "operator" and set(vera["rights"].split()) == {"audit", "revoke"}
    assert one(rows, name="nina")["last_sign_in"] == "", "one who never came"
    assert len(rows) == 4


def test_2_which_tokens_are_there(year):
    assert one(year.ask("tokens"), name="'=HYPERLINK(1)"), "no cell is a formula"
    row = one(year.ask("tokens"), name="pipeline")
    assert row["owner"] == "olga" and row["role"] == "operator" and row["rights"] == "key-export" and row["status"] == "active"
    assert row["expires_at"] > row["created_at"] and row["last_used_at"] == "" and row["id"] == year.token["id"]


def test_3_which_certificates_from_whom_whose_and_who_ordered_them(year):
    row = one(year.ask("certificates"), names=NAME)
    assert "Pebble" in row["issuer"] and row["key_type"] == "p256" and row["key"] == "here" and row["owner"] == "payments"
    assert row["ordered_by"] == "olga" and row["first_order"] and row["managed"] == "yes" and row["status"] == "active"
    assert re.fullmatch("[0-9a-fA-F:]{64,95}", row["fingerprint_sha256"]) and row["not_after"] > row["not_before"] and row["id"] == year.certificate


def test_4_who_took_a_private_key_away_and_why(year):
    rows = year.ask("key-exports")
    assert len(rows) == 1
    row = rows[0]
    assert row["who"] == "olga" and row["object"] == NAME and row["reason"] == "moved to the new load balancer" and row["from_address"] == "127.0.0.1"
    assert year.ask("key-exports", "--until", "2020-01-01T00:00:00Z") == [] and year.ask("key-exports", "--since", "2020-01-01T00:00:00Z") == rows


def test_5_which_renewals_fail_or_have_failed_since_when_and_why(year):
    rows = year.ask("failed-renewals")
    now, then = one(rows, what="failing now"), one(rows, what="failed")
    assert now["names"] == NAME and now["reason"] == "the authority was not reached" and now["at"].startswith("2026-09-2") and now["expires"]
    assert then["names"] == "nowhere.example.test" and then["reason"] and then["object"] == "order"


def test_6_which_settings_weaken_something(year):
    rows = year.ask("settings")
    for setting in ("resolve.ask_view", "dns.rate_limit", "net.allow", "master key", "backup", "user admin"):
        row = one(rows, setting=setting)
        assert row["why"] and row["what_to_do"], row
    assert one(rows, setting="net.allow")["value"] == "127.0.0.0/8"
    tokens = [r for r in rows if r["setting"] == "token pipeline"]
    assert {("more than a year" in r["why"], "from anywhere" in r["why"]) for r in tokens} == {(True, False), (False, True)}, tokens


def test_7_who_gave_which_right(year):
    rows = year.ask("rights-changes")
    changed = one(rows, action="user.update", object="vera")
    assert changed["who"] == "admin" and '"audit revoke"' in changed["after"] and '"viewer"' in changed["before"]
    assert {r["action"] for r in rows} >= {"setup.admin", "user.create", "user.update", "token.create"}


def test_8_what_was_removed_and_by_whom(year):
    row = one(year.ask("removals"), action="csr.delete")
    assert row["who"] == "admin" and "gone.example.test" in row["object"] + row["before"]


def test_all_of_it_goes_into_a_folder_with_a_page_that_says_what_it_is(year, scratch):
    out = scratch / "report"
    done = year.command("--out", out)
    assert done.status == 0, done
    index = (out / "index.md").read_text()
    tables = set(re.findall(r"\]\((\S+?)\.csv\)", index))
    assert {p.name for p in out.iterdir()} == {f"{t}.csv" for t in tables} | {"index.md"} and len(tables) == 8
    questions = [line.split("|")[1].strip() for line in index.splitlines() if line.startswith("| Who") or line.startswith("| Wh")]
    assert len(questions) == 8
    guide = (beds.TOP / "docs/admin/auditor.md").read_text()
    for question, table in zip(questions, re.findall(r"--show (\S+)`", index)):
        assert question in guide and f"certwright report auditor --show {table}" in guide, (question, table)
    for table in tables:
        rows = list(csv.DictReader(io.StringIO((out / f"{table}.csv").read_text())))
        assert all(None not in r and None not in r.values() for r in rows), table
        assert (out / f"{table}.csv").stat().st_mode & 0o777 == 0o600


def test_it_needs_the_right_to_read_the_audit_and_shows_no_secret(year):
    assert year.vera.get("/reports/auditor/users.csv").status_code == 200
    assert year.olga.get("/reports/auditor/users.csv").status_code == 403
    assert year.vera.get("/reports/auditor/nothing.csv").status_code == 404 and year.vera.get("/reports/auditor/users").status_code == 404
    assert year.vera.get("/reports/auditor/key-exports.csv?since=yesterday").status_code == 400
    assert year.command("--show", "everything").status == 2 and year.command().status == 2
    for part in ("users", "tokens", "certificates", "settings", "rights-changes"):
        text = year.vera.get(f"/reports/auditor/{part}.csv").text
        assert PASSWORD not in text and "$argon2" not in text and "PRIVATE KEY" not in text and "cw_" not in text.replace("cw_…", "")


def clone(db, table, n, **changed):
    """n more rows of a table like its first, but for these columns."""
    columns = [c[1] for c in db.execute(f"PRAGMA table_info({table})")]
    first = dict(zip(columns, db.execute(f"SELECT * FROM {table} ORDER BY num LIMIT 1").fetchone()))
    for i in range(n):
        row = {**first, **{name: make(i) for name, make in changed.items()}}
        db.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", [row[c] for c in columns])


def test_nobody_is_left_out_where_there_are_more_than_a_page(year):
    with sqlite3.connect(year.server.state / "certwright.db", timeout=120) as db:
        clone(db, "users", 250, id=lambda i: f"01USER{i:020}", num=lambda i: 10000 + i, name=lambda i: f"many{i:03}", role=lambda i: "admin",
              rights=lambda i: "audit revoke key-export" if i == 249 else "", disabled=lambda i: 0)
        clone(db, "token", 250, id=lambda i: f"01TOKEN{i:019}", num=lambda i: 10000 + i, name=lambda i: f"long{i:03}", hash=lambda i: f"{i:064x}", revoked_ms=lambda i: 0,
              created_ms=lambda i: 1700000000000 + i, expires_ms=lambda i: 4000000000000)
    assert {f"many{i:03}" for i in range(250)} <= {row["name"] for row in year.ask("users")}
    assert {f"long{i:03}" for i in range(250)} <= {row["name"] for row in year.ask("tokens")}
    weak = {row["setting"] for row in year.ask("settings")}
    assert {f"token long{i:03}" for i in range(250)} <= weak and "user many249" in weak
    certificates(year.server.state / "certwright.db", 1201)
    rows = [row["id"] for row in year.ask("certificates")]
    assert {f"01CERT{i:020}" for i in range(1201)} <= set(rows) and len(rows) == len(set(rows)), "each once, over three pages with many of one instant"


def certificates(path, n):
    """Beside those that were issued; a hundred of each instant."""
    with sqlite3.connect(path, timeout=120) as db:
        clone(db, "certificate", n, id=lambda i: f"01CERT{i:020}", num=lambda i: 10000 + i, managed=lambda i: 0,
              created_ms=lambda i: 1700000000000 + i // 100)


PAGES_PGSQL = """
CREATE TEMPORARY TABLE one AS SELECT * FROM certificate LIMIT 1;
INSERT INTO certificate SELECT (jsonb_populate_record(one, jsonb_build_object('id', '01CERT' || lpad(i::text, 20, '0'), 'num', 10000 + i, 'managed', 0,
  'created_ms', 1700000000000 + i / 100))).* FROM one, generate_series(0, 1200) AS i
"""


def test_the_same_tables_come_from_postgresql_page_by_page(make_bed, postgres):
    bed = make_bed(settings=postgres.settings())
    made = bed.server.call("order", "create", "--account", bed.account()["id"], "--name", NAME, "--validation", "http-01")
    assert wait_order(bed, made["id"])["status"] == "valid"
    postgres.sql(PAGES_PGSQL)
    out = bed.folder / "report"
    done = bed.server.cli("report", "auditor", "--out", out)
    assert done.status == 0, done
    rows = {p.stem: list(csv.DictReader(io.StringIO(p.read_text()))) for p in out.glob("*.csv")}
    assert len(rows) == 8 and one(rows["users"], name="admin") and rows["tokens"] and rows["settings"]
    ids = [row["id"] for row in rows["certificates"]]
    assert len(ids) == len(set(ids)) == 1202 and {f"01CERT{i:020}" for i in range(1201)} <= set(ids)
