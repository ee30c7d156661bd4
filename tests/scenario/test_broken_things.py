# SPDX-License-Identifier: Apache-2.0
"""Things that break, and what they get."""
import concurrent.futures
import json
import os
import time

import pytest
from helpers import ask, chain, nothing_left, order, wait_all, wait_order

import bed as beds


@pytest.mark.parametrize("validation", ["dns-01", "http-01"])
def test_core_then_edge_killed_in_the_middle_of_orders_end_valid_once_and_leave_nothing(make_bed, validation):
    # a slow CA keeps the orders in the middle: validation takes up to three seconds
    bed = make_bed(pebble_env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "3"})
    account = bed.account()
    names = [f"kill{i}.example.test" for i in range(4)]
    orders = [order(bed, account, [name], validation) for name in names]
    time.sleep(0.8)
    bed.server.kill("core")
    time.sleep(1.2)
    bed.server.kill("edge")
    over = wait_all(bed_when_ready(bed), [o["id"] for o in orders])
    assert {o["status"] for o in over.values()} == {"valid"} and len(over) == len(names), json.dumps(list(over.values()))
    assert bed.ca.issued() == len(names)
    nothing_left(bed, names)


def bed_when_ready(bed):
    beds.wait_for(bed.server.ready, 180, "Certwright is ready again")
    return bed


def test_core_killed_again_and_again_loses_nothing(make_bed):
    bed = make_bed()
    account = bed.account()
    names = [f"again{i}.example.test" for i in range(6)]
    orders = []
    for name in names:
        orders.append(order(bed, account, [name, f"*.{name}"]))
        beds.wait_for(lambda: not bed.server.near_set_aside(), 120, "nobody is killed for the third time")
        time.sleep(0.03)
        bed.server.kill("core")
        bed_when_ready(bed)
    over = wait_all(bed, [o["id"] for o in orders])
    assert len(over) == len(names) and {o["status"] for o in over.values()} == {"valid"}, json.dumps(list(over.values()))
    assert bed.ca.issued() == len(names)
    nothing_left(bed, names)


def test_edge_answers_while_core_is_away(bed):
    account = bed.account()
    made = order(bed, account, ["away.example.test"], "dns-01", "--step-by-step")
    bed.server.cli("order", "watch", made["id"])
    os.kill(bed.server.parts()["core"], 19)  # SIGSTOP: away, not dead
    try:
        assert ask(bed, "_acme-challenge.away.example.test", "SOA").answer, "edge answers from memory"
        assert ask(bed, "_acme-challenge.away.example.test", "SOA", tcp=True).answer
    finally:
        os.kill(bed.server.parts()["core"], 18)


@pytest.mark.parametrize("reuse", [0, 100])
def test_a_ca_that_refuses_every_second_nonce_and_reuses_authorizations_or_not(make_bed, reuse):
    bed = make_bed(pebble_env={"PEBBLE_WFE_NONCEREJECT": "50", "PEBBLE_AUTHZREUSE": str(reuse)}, strict=True)
    account = bed.account()
    # names are used twice, so that valid authorizations can be met again
    ids = []
    for turn in range(2):
        orders = [order(bed, account, [f"n{i}.example.test", f"*.n{i}.example.test"], "dns-01", "--key", ("p256", "p384")[turn]) for i in range(5)]
        orders += [order(bed, account, [f"h{i}.example.test"], "http-01", "--key", ("p256", "p384")[turn]) for i in range(5)]
        over = wait_all(bed, [o["id"] for o in orders], 600)  # ten refused nonces in a row are retried after a minute
        assert len(over) == 10 and {o["status"] for o in over.values()} == {"valid"}, json.dumps(list(over.values()))
        ids += list(over)
    assert bed.ca.issued() == len(ids) == 20
    nothing_left(bed, [f"n{i}.example.test" for i in range(5)])


def test_of_200_orders_at_once_one_can_never_validate_and_says_why(make_bed):
    bed = make_bed(pebble_env={"PEBBLE_WFE_NONCEREJECT": "10"}, never=["never.test"])
    account = bed.account()

    def submit(i):
        name = "bad.never.test" if i == 77 else f"m{i}.example.test"
        status, doc, _ = bed.server.request("POST", "/orders", {"account_id": account["id"], "names": [name], "validation": ("dns-01", "http-01")[i % 2]})
        assert status == 201, doc
        return doc["id"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(submit, range(200)))
    over = wait_all(bed, ids, 600)
    bad = over.pop(ids[77], None)
    assert len(over) == 199 and {o["status"] for o in over.values()} == {"valid"}, [o for o in over.values() if o["status"] != "valid"][:3]
    assert bad and bad["status"] == "invalid", bad
    detail = bed.server.call("order", "show", ids[77])
    reason = detail["reason"]
    assert reason and reason.get("remote"), reason
    assert reason["remote_type"].startswith("urn:ietf:params:acme:error:"), reason
    assert bed.ca.issued() == 199


@pytest.fixture(scope="module")
def shared(tls):
    """One server for the tables of bad input."""
    folder = beds.scratch("certwright-test-")
    (folder / "bed").mkdir()
    bed = beds.Bed(folder / "bed", tls=tls)
    try:
        bed.start()
        bed.one_account = bed.account()
        yield bed
    finally:
        bed.stop()
        import shutil
        shutil.rmtree(folder, ignore_errors=True)


ORDERS = [
    # (members beside account_id, pointer of the field that is named)
    ({"names": ["*.a.example.test"], "validation": "http-01"}, "/"),
    ({"names": ["a.example.test", "*.example.test"], "validation": "dns-01"}, "/names"),
    ({"names": ["a b.example.test"], "validation": "dns-01"}, "/names/0"),
    ({"names": ["ok.example.test", "-bad.example.test"], "validation": "dns-01"}, "/names/1"),
    ({"names": ["192.0.2.1"], "validation": "http-01"}, "/names/0"),
    ({"names": ["x" * 64 + ".example.test"], "validation": "dns-01"}, "/names/0"),
    ({"names": ["*.*.example.test"], "validation": "dns-01"}, "/names/0"),
    ({"names": [], "validation": "dns-01"}, "/names"),
    ({"names": ["a.example.test"] * 101, "validation": "dns-01"}, "/names"),
    ({"validation": "dns-01"}, "/"),
    ({"names": ["a.example.test"]}, "/validation"),
    ({"names": ["a.example.test"], "validation": "dns-02"}, "/validation"),
    ({"names": ["a.example.test"], "validation": "dns-01", "key_type": "rsa1024"}, "/key_type"),
    ({"names": ["a.example.test"], "validation": "dns-01", "colour": "red"}, "/colour"),
    ({"names": "a.example.test", "validation": "dns-01"}, "/names"),
    ({"names": [7], "validation": "dns-01"}, "/names/0"),
    ({"names": ["a.example.test"], "validation": "dns-01", "dns": "nowhere"}, "/dns"),
    ({"names": ["a.example.test"], "validation": "dns-01", "mode": "slowly"}, "/mode"),
    ({"csr_id": "999999", "validation": "dns-01"}, "/csr_id"),
    ({"names": ["a.example.test"], "validation": "dns-01", "account_id": "999999"}, "/account_id"),
]


@pytest.mark.parametrize("body,pointer", ORDERS, ids=range(len(ORDERS)))
def test_a_bad_order_is_refused_with_the_field_and_nothing_is_stored(shared, body, pointer):
    before = len(shared.server.call("order", "list", "--limit", 200)["items"])
    status, doc, head = shared.server.request("POST", "/orders", {"account_id": shared.one_account["id"], **body})
    assert 400 <= status < 500, doc
    assert head["Content-Type"].startswith("application/problem+json")
    assert doc["detail"] and doc["type"].startswith("urn:certwright:error:")
    assert any(e["pointer"].startswith(pointer) for e in doc.get("errors", [])), doc
    assert len(shared.server.call("order", "list", "--limit", 200)["items"]) == before


BODIES = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":1,"a":2}', b'{"names":["\\u0000"]}', b"[" * 100, b'{"names":1e999}', b'"x"', b"{} trailing"]


@pytest.mark.parametrize("path", ["/orders", "/csrs", "/csrs/upload", "/accounts", "/delegations", "/tokens"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_not_what_it_should_be_is_one_clear_problem(shared, path, body):
    status, doc, _ = shared.server.request("POST", path, body)
    assert status == 400 and doc["detail"], (status, doc)


def test_a_body_that_is_too_large_is_refused(shared):
    status, doc, _ = shared.server.request("POST", "/orders", b'{"names":["' + b"a" * 300000 + b'"]}')
    assert status == 413, doc


COMMANDS = [
    # (arguments, exit status, words of the sentence)
    (["order", "create", "--account", "1", "--name", "*.w.example.test", "--validation", "http-01"], 2, "wildcard"),
    (["order", "create", "--account", "1", "--validation", "dns-01"], 2, "--name"),
    (["order", "create", "--name", "a.example.test", "--validation", "dns-01"], 2, "--account"),
    (["order", "create", "--account", "1", "--name", "a.example.test", "--validation", "dns-01", "--colour", "red"], 2, "--colour"),
    (["order", "show", "999999"], 3, ""),
    (["order", "show", "../../etc/passwd"], 3, ""),
    (["order", "show"], 2, "id"),
    (["order", "show", "1", "2"], 2, "too many"),
    (["order", "list", "--limit", "0"], 2, "limit"),
    (["order", "list", "--limit", "many"], 2, "limit"),
    (["order", "list", "--status", "happy"], 2, "status"),
    (["order", "list", "--cursor", "nonsense"], 2, "cursor"),
    (["csr", "create"], 2, "--name"),
    (["csr", "create", "--name", "a.example.test", "--key", "rsa1024"], 2, "key_type"),
    (["csr", "create", "--name", "a.example.test", "--country", "DEU"], 2, "country"),
    (["csr", "upload", "/nonexistent"], 3, "/nonexistent"),
    (["csr", "upload", "/etc/passwd"], 2, ""),
    (["account", "register", "--vendor", "nobody", "--email", "a@example.test"], 2, "vendor"),
    (["account", "register", "--email", "a@example.test"], 2, "--vendor"),
    (["account", "register", "--directory", "http://127.0.0.1/dir", "--email", "a@example.test"], 2, "http"),
    (["account", "register", "--directory", "https://169.254.169.254/dir", "--email", "a@example.test", "--agree-tos"], 2, "169.254.169.254"),
    (["account", "register", "--vendor", "letsencrypt", "--email", "not an address"], 2, "mail"),
    (["account", "register", "--vendor", "letsencrypt", "--eab-kid", "k"], 2, "--eab-hmac-file"),
    (["certificate", "export", "999999", "--format", "pem"], 3, ""),
    (["nonsense"], 2, "nonsense"),
    (["order", "nonsense"], 2, "order"),
    (["vendor", "list", "--json=yes"], 2, "json"),
]


@pytest.mark.parametrize("args,status,words", COMMANDS, ids=[" ".join(c[0])[:60] for c in COMMANDS])
def test_a_bad_command_is_one_clear_sentence_and_its_exit_status(shared, args, status, words):
    done = shared.server.cli(*args)
    assert done.status == status, done
    assert words.lower() in done.err.lower() and done.err.strip(), done
    assert "Traceback" not in done.err and done.out == "", done


def test_a_csr_that_differs_from_the_orders_names_is_refused(shared):
    csr = shared.server.call("csr", "create", "--name", "one.example.test")
    done = shared.server.cli("order", "create", "--account", shared.one_account["id"], "--csr", csr["id"], "--name", "two.example.test",
                             "--validation", "dns-01")
    assert done.status == 2 and "names" in done.err, done


def test_an_unsupported_key_in_an_uploaded_csr_is_refused(shared, scratch):
    for name, args in {"ed25519": ["-newkey", "ed25519"], "rsa1024": ["-newkey", "rsa:1024"]}.items():
        beds.openssl("req", "-new", *args, "-nodes", "-keyout", str(scratch / "k.pem"), "-out", str(scratch / f"{name}.pem"), "-subj", "/CN=k.example.test",
                     "-addext", "subjectAltName=DNS:k.example.test")
        done = shared.server.cli("csr", "upload", scratch / f"{name}.pem")
        assert done.status == 2 and done.err.strip(), done


def test_without_a_token_nothing_is_told(shared, scratch):
    wrong = scratch / "wrong"
    wrong.write_text("cw_" + "A" * 43 + "\n")
    done = shared.server.cli("order", "list", env={"CERTWRIGHT_TOKEN_FILE": str(wrong)})
    assert done.status == 8, done
    for path in ("/orders", "/accounts", "/status", "/users"):
        answer = shared.server.http("/api/v1" + path)
        assert answer[0] == 401 and b"urn:certwright:error:unauthenticated" in answer[1]


def test_a_server_that_cannot_be_reached_or_trusted_is_said_so(shared):
    nobody = beds.free_port()
    done = shared.server.cli("order", "list", env={"CERTWRIGHT_SERVER": f"https://127.0.0.1:{nobody}"})
    assert done.status == 6 and f"127.0.0.1:{nobody}" in done.err, done
    done = shared.server.cli("order", "list", env={"CERTWRIGHT_FINGERPRINT": "00" * 32})
    assert done.status == 6 and "login" in done.err, done


def test_every_json_answer_of_the_command_line_is_the_apis_body(shared):
    for args, path in ((["vendor", "list"], "/vendors"), (["account", "list"], "/accounts"), (["order", "list"], "/orders"), (["csr", "list"], "/csrs"),
                       (["record", "list"], "/records"), (["certificate", "list"], "/certificates"), (["account", "show", "1"], "/accounts/1")):
        status, doc, _ = shared.server.request("GET", path)
        said = shared.server.call(*args)
        assert status == 200
        for d in (doc, said):
            d.pop("cursor", None)
        assert said == doc, path
