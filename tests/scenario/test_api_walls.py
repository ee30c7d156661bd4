# SPDX-License-Identifier: Apache-2.0
"""Who may, made from the document: every operation by every role and by nobody; CSRF; headers; raw bytes."""
import concurrent.futures
import re
import socket
import ssl
import time

import pytest
from api_client import Client, check_headers, operations, resolve
from api_fixtures import PASSWORD, ROLES, api  # noqa: F401

UNKNOWN = "01JZZZZZZZZZZZZZZZZZZZZZZZ"
# What a role may do, said here a second time on purpose.
MAY = {
    "viewer": {"none", "self", "pull", "view"},
    "operator": {"none", "self", "pull", "view", "order"},
    "admin": {"none", "self", "pull", "view", "order", "account", "admin"},
}
ALL = [(m, p, op) for m, p, op in operations()]
GUARDED = [(m, p, op) for m, p, op in ALL if op["x-permission"] != "none" and op["operationId"] not in ("streamEvents", "deleteSession")]
IDS = [f"{m} {p}" for m, p, _ in GUARDED]


def request(client, method, path, **more):
    path = path.replace("{id}", UNKNOWN).replace("{format}", "pem")
    headers = {"If-Match": '"1"', **more.pop("headers", {})}
    body = {} if method in ("POST", "PUT", "PATCH") and "refresh" not in path and "finalize" not in path else None
    return client.ask(method, path, json=body, headers=headers, **more)


def wants_more(method, op):
    """What is missing in an empty request is told before the object is looked for."""
    body = resolve(op["requestBody"]["content"]["application/json"]["schema"]) if "requestBody" in op else {}
    query = [p for p in map(resolve, op.get("parameters", [])) if p["in"] == "query" and p.get("required")]
    return method == "PATCH" or bool(body.get("required")) or bool(query)


@pytest.mark.parametrize("method,path,op", GUARDED, ids=IDS)
def test_nobody_may_without_signing_in(api, method, path, op):
    assert request(api.nobody, method, path).status_code == 401


@pytest.mark.parametrize("bad", ["cw_", "cw_" + "A" * 49, "x" * 2000, "cwset_" + "A" * 49])
def test_a_made_up_token_is_nobody(api, bad):
    assert Client(api.url, token=bad).get("/orders").status_code == 401
    assert Client(api.url, cookie=bad).get("/orders").status_code == 401


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method,path,op", GUARDED, ids=IDS)
def test_a_role_may_just_what_its_permissions_say(api, role, method, path, op):
    r = request(api.by_role[role], method, path)
    if op["x-permission"] in MAY[role]:
        assert r.status_code != 401 and (r.status_code != 403 or op["operationId"] == "putPassword"), r.text
        if "{id}" in path:
            assert r.status_code == 404 or r.status_code == 400 and wants_more(method, op), r.text
    else:
        assert r.status_code == 403, r.text


UNSAFE = [(m, p, op) for m, p, op in GUARDED if m != "GET" and op["operationId"] != "putPassword"]


@pytest.mark.parametrize("method,path,op", UNSAFE, ids=[f"{m} {p}" for m, p, _ in UNSAFE])
def test_a_session_needs_its_csrf_token_for_unsafe_methods(session, method, path, op):
    for headers in ({"X-CSRF-Token": None}, {"X-CSRF-Token": "A" * 43}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                    {"Origin": "https://evil.example"}, {"Origin": "null"}):
        csrf = None if "X-CSRF-Token" in headers else session.csrf
        one = Client(session.url, cookie=session.cookie, csrf=csrf)
        assert request(one, method, path, headers={k: v for k, v in headers.items() if v}).status_code == 403, headers
    assert request(session, method, path, headers={"Sec-Fetch-Site": "same-origin", "Origin": session.url}).status_code != 403


@pytest.fixture(scope="module")
def session(api):  # noqa: F811
    made = api.admin.post("/users", {"name": "a-all", "role": "admin", "rights": ["audit", "revoke", "key-export"], "password": PASSWORD + "all"})
    assert made.status_code == 201, made.text
    return api.admin.sign_in("a-all", PASSWORD + "all")


def test_signing_in_from_another_site_is_refused(api):
    r = api.nobody.post("/session", {"name": "admin", "password": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert r.status_code == 403


def test_a_get_changes_nothing_and_needs_no_csrf_token(session):
    assert Client(session.url, cookie=session.cookie).get("/orders").status_code == 200


@pytest.mark.parametrize("path", ["/", "/orders/12", "/nothing.js", "/healthz", "/readyz", "/metrics", "/api", "/api/v2/x", "/api/v1/x", "/api/v1/openapi.yaml",
                                  "/api/v1/orders", "/assets/none.js"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PROPFIND"])
def test_headers_stand_on_every_answer(api, method, path):
    r = Client(api.url).raw(method, path)
    check_headers(r)
    assert r.status_code < 500
    if method == "HEAD":
        assert r.content == b""


def test_a_wrong_method_says_which_are_right(api):
    r = Client(api.url).raw("PUT", "/api/v1/orders")
    assert r.status_code == 405 and sorted(r.headers["Allow"].split(", ")) == ["GET", "POST"]


def test_there_is_no_cors(api):
    r = Client(api.url).raw("OPTIONS", "/api/v1/orders", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
    assert not [h for h in r.headers if h.lower().startswith("access-control")]


# --- raw bytes ---------------------------------------------------------------------------------------------------------

def talk(api, data, wait=5):
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", api.server.api_port), timeout=60) as s, trust.wrap_socket(s) as t:
        t.sendall(data)
        t.settimeout(wait)
        out = b""
        try:
            while chunk := t.recv(65536):
                out += chunk
        except (TimeoutError, ssl.SSLError, ConnectionError):
            pass
        return out


HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SMUGGLE = {
    "length and chunked": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "two equal lengths": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "length with plus": POST + b"Content-Length: +2\r\n\r\n{}",
    "length negative": POST + b"Content-Length: -2\r\n\r\n{}",
    "length hexadecimal": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "unknown coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked with a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": HEAD + b"Host: y\r\n\r\n",
    "host with a path": b"GET /healthz HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "space before the colon": HEAD + b"Authorization : Bearer x\r\n\r\n",
    "two authorizations": HEAD + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "two cookies headers": HEAD + b"Cookie: a=b\r\nCookie: c=d\r\n\r\n",
    "NUL escaped": b"GET /healthz%00x HTTP/1.1\r\nHost: x\r\n\r\n",
    "control character in a value": HEAD + b"X-A: a\x01b\r\n\r\n",
    "bare CR in a value": HEAD + b"X-A: a\rb: c\r\n\r\n",
    "absolute target": b"GET https://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "fragment": b"GET /healthz#x HTTP/1.1\r\nHost: x\r\n\r\n",
    "backslash": b"GET /healthz\\x HTTP/1.1\r\nHost: x\r\n\r\n",
    "high byte": b"GET /health\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("case", SMUGGLE, ids=list(SMUGGLE))
def test_an_ambiguous_request_is_refused_and_the_connection_ends(api, case):
    out = talk(api, SMUGGLE[case])
    # libmicrohttpd 0.9.75 writes the head of the answers it makes itself twice: so one status, not one head
    assert set(re.findall(rb"HTTP/1\.[01] (\d+)", out)) <= {b"400"}, out


def test_a_body_over_the_limit_is_413(api):
    admin = api.admin
    for data in (b"{" + b" " * (256 * 1024), b" " * (1024 * 1024)):
        r = admin.raw("POST", "/api/v1/csrs/upload", data=data, headers={"Content-Type": "application/json"})
        assert r.status_code == 413

    def chunks():
        for _ in range(40):
            yield b" " * 16384

    r = admin.raw("POST", "/api/v1/csrs/upload", data=chunks(), headers={"Content-Type": "application/json"})
    assert r.status_code == 413 and r.json()["type"].endswith(":too-large")


def test_the_server_goes_on_after_all_that(api):
    assert api.nobody.raw("GET", "/healthz").text == "ok\n"


# --- deadlines ---------------------------------------------------------------------------------------------------------

def lasts(api, tls, first, drip):
    """Seconds until the server ends a connection that is used like this."""
    begun = time.monotonic()
    raw = socket.create_connection(("127.0.0.1", api.server.api_port), timeout=60)
    with raw:
        s = raw
        if tls:
            trust = ssl.create_default_context()
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
            s = trust.wrap_socket(raw)
        s.settimeout(0.5)
        try:
            s.sendall(first)
            while time.monotonic() - begun < 120:
                try:
                    if not s.recv(4096):
                        break
                except TimeoutError:
                    pass
                if drip:
                    s.sendall(drip)
        except OSError:
            pass
    return time.monotonic() - begun


SLOW = {
    "silent before TLS": (False, b"", b""),
    "silent after TLS": (True, b"", b""),
    "a slow head": (True, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ", b"a"),
    "a slow request line": (True, b"GET /", b"a"),
    "a slow body": (True, POST + b"Content-Length: 60000\r\n\r\n", b" "),
}


def test_slow_connections_are_ended_while_others_are_answered(api):
    with concurrent.futures.ThreadPoolExecutor(len(SLOW) * 4) as pool:
        running = {k: [pool.submit(lasts, api, *v) for _ in range(4)] for k, v in SLOW.items()}
        while not all(f.done() for fs in running.values() for f in fs):
            assert api.nobody.raw("GET", "/healthz", timeout=60).text == "ok\n"
            time.sleep(0.5)
        for what, fs in running.items():
            assert max(f.result() for f in fs) < 100, what
