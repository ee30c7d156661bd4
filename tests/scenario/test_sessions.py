# SPDX-License-Identifier: Apache-2.0
"""Sessions as an attacker and a person in a hurry use them: signing in again, streams after signing out, reasons."""
import http.client
import json
import ssl
import time

import pytest

import bed as beds

PASSWORD = "correct horse battery staple"


@pytest.fixture
def server(scratch):
    one = beds.Server(scratch, settings={"dns.listen": "", "http01.listen": ""}, user=beds.user_of_parts()).start()
    yield one
    one.stop()


def connect(server):
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", server.api_port, context=trust, timeout=120)


def ask(server, method, path, body=None, headers=None):
    c = connect(server)
    c.request(method, "/api/v1" + path, None if body is None else json.dumps(body),
              {**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})})
    r = c.getresponse()
    text = r.read()
    c.close()
    return r.status, json.loads(text) if text else None, r.headers


def sign_in(server, headers=None):
    status, doc, head = ask(server, "POST", "/session", {"name": "admin", "password": PASSWORD}, headers)
    assert status == 201, doc
    return {"Cookie": head["Set-Cookie"].split(";")[0], "X-CSRF-Token": doc["csrf_token"]}


def test_signing_in_again_ends_the_session_the_browser_had_and_no_other(server):
    elsewhere, old = sign_in(server), sign_in(server)
    new = sign_in(server, {"Cookie": old["Cookie"]})
    assert ask(server, "GET", "/session", headers=old)[0] == 401
    assert ask(server, "GET", "/session", headers=new)[0] == 200
    assert ask(server, "GET", "/session", headers=elsewhere)[0] == 200


def test_a_failed_sign_in_ends_no_session(server):
    old = sign_in(server)
    assert ask(server, "POST", "/session", {"name": "admin", "password": "wrong wrong wrong"}, {"Cookie": old["Cookie"]})[0] == 401
    assert ask(server, "GET", "/session", headers=old)[0] == 200


def test_a_made_up_cookie_is_never_taken_over(server):
    made_up = "__Host-certwright=cwses_" + "0" * 50
    assert sign_in(server, {"Cookie": made_up})["Cookie"] != made_up
    assert ask(server, "GET", "/session", headers={"Cookie": made_up})[0] == 401


def test_a_stream_ends_at_once_when_its_session_is_signed_out(server):
    me = sign_in(server)
    c = connect(server)
    c.request("GET", "/api/v1/events", headers={"Cookie": me["Cookie"]})
    r = c.getresponse()
    assert r.status == 200 and b"retry" in r.readline()
    assert ask(server, "DELETE", "/session", headers=me)[0] == 204
    began = time.monotonic()
    while r.readline():
        pass
    assert time.monotonic() - began < 15, "not with the comment that comes every 25 seconds"


def test_an_id_that_is_none_is_quoted(server):
    token = {"Authorization": "Bearer " + server.token_file.read_text().strip()}
    status, doc, _ = ask(server, "GET", "/orders/frob", headers=token)
    assert status == 400 and doc["detail"].startswith("'frob' is neither an id"), doc
    status, doc, _ = ask(server, "GET", "/orders?limit=many", headers=token)
    assert status == 400 and doc["detail"].startswith("limit must be a whole number"), doc


def test_a_bad_eab_key_is_refused_by_field_and_nothing_is_stored(server):
    token = {"Authorization": "Bearer " + server.token_file.read_text().strip()}
    body = {"directory_url": "https://ca.example/dir", "email": "a@example.com", "agree_tos": True, "eab_kid": "k", "eab_hmac_key": "no base64!"}
    status, doc, _ = ask(server, "POST", "/accounts", body, token)
    assert status == 400 and doc["errors"][0]["pointer"] == "/eab_hmac_key" and "base64url" in doc["errors"][0]["detail"], doc
    assert ask(server, "GET", "/accounts", headers=token)[1]["items"] == []


def test_a_job_that_could_not_reach_its_authority_says_the_whole_reason(server):
    token = {"Authorization": "Bearer " + server.token_file.read_text().strip()}
    body = {"directory_url": f"https://127.0.0.1:{beds.free_port()}/dir", "email": "a@example.com", "agree_tos": True}
    status, doc, _ = ask(server, "POST", "/accounts", body, token)
    assert status == 202, doc  # it is tried again: 202 with the job, which may be in its first try on a slow machine
    reason = doc["reason"] or beds.wait_for(lambda: ask(server, "GET", f"/jobs/{doc['id']}", headers=token)[1]["reason"], 120, "the job says why")
    assert reason["code"] == "network" and "127.0.0.1" in json.dumps(reason) and "TCP" in json.dumps(reason), doc


def test_strangers_who_guess_do_not_keep_a_known_user_waiting(server):
    def from_address(address, password):
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        c = http.client.HTTPSConnection("127.0.0.1", server.api_port, context=trust, timeout=120, source_address=(address, 0))
        c.request("POST", "/api/v1/session", json.dumps({"name": "admin", "password": password}), {"Content-Type": "application/json"})
        status = c.getresponse().status
        c.close()
        return status

    assert from_address("127.0.0.1", PASSWORD) == 201
    assert [from_address("127.0.0.2", "wrong wrong wrong") for _ in range(6)] == [401] * 5 + [429]
    assert from_address("127.0.0.3", PASSWORD) == 429  # nobody knows this one: it waits with the strangers
    assert from_address("127.0.0.1", PASSWORD) == 201
    # and whoever guesses where he is known keeps him waiting there only
    assert [from_address("127.0.0.1", "wrong wrong wrong") for _ in range(6)] == [401] * 5 + [429]


def test_a_lost_password_is_given_anew_on_the_host_and_the_audit_says_so(server, scratch):
    import subprocess
    me = sign_in(server)
    new = scratch / "new-password"
    new.write_text("another long passphrase\n")
    new.chmod(0o644)
    done = subprocess.run([str(beds.PROGRAM), "user", "passwd", "admin", "--local", *server.arguments(), "--password-file", str(new)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert ask(server, "GET", "/session", headers=me)[0] == 401
    assert ask(server, "POST", "/session", {"name": "admin", "password": PASSWORD})[0] == 401
    assert ask(server, "POST", "/session", {"name": "admin", "password": "another long passphrase"})[0] == 201
    row = server.call("audit", "list", "--action", "password.reset")["items"][0]
    assert row["actor_kind"] == "host" and row["object_name"] == "admin" and row["after"]["password"] == "changed"
    gone = subprocess.run([str(beds.PROGRAM), "user", "passwd", "nobody-here", "--local", *server.arguments(), "--password-file", str(new)],
                          capture_output=True, text=True, check=False)
    assert gone.returncode == 3 and "nobody-here" in gone.stderr
