# SPDX-License-Identifier: Apache-2.0
"""The HTTP-01 responder: only a live token under its exact path is served, whatever a request tries."""
import re
import socket
import time

import pytest
import requests

import bed as beds
import edge_driver as ed
from edge_driver import http, remove, running

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
KEYAUTH = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
OTHER = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
PATH = "/.well-known/acme-challenge/" + TOKEN
ITEMS = [http(TOKEN, KEYAUTH, 1)]
ARGS = ["--log-format", "logfmt"]


@pytest.fixture(scope="module")
def edge():
    with running(ITEMS, args=ARGS, dns=False) as e:
        yield e


def connect(edge, host="127.0.0.1", timeout=60):
    return socket.create_connection((host, edge.http_port), timeout)


def exchange(edge, data, stays=0):
    """Sends the bytes, reads until edge closes; of a connection that stays, until there are so many answers and then silence."""
    with connect(edge) as s:
        s.sendall(data)
        out = b""
        try:
            while part := s.recv(65536):
                out += part
                if stays and len(responses(out)) >= stays:
                    s.settimeout(0.3)
            return out, True
        except socket.timeout:
            return out, False
        except ConnectionResetError:
            return out, True


def responses(data):
    """[(status, headers, body)] of a stream of answers to GET."""
    out = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:  # the rest is still to come
            break
        lines = head.decode("ascii").split("\r\n")
        headers = {k.lower(): v for k, v in (x.split(": ", 1) for x in lines[1:])}
        n = int(headers["content-length"])
        if len(rest) < n:
            break
        out.append((int(lines[0].split()[1]), headers, rest[:n]))
        data = rest[n:]
    return out


def get(path, host="example.com", version="1.1", more="", method="GET"):
    return f"{method} {path} HTTP/{version}\r\nHost: {host}\r\n{more}\r\n".encode("latin-1")


def test_a_live_token_is_served(edge):
    for host in ("127.0.0.1", "[::1]"):
        r = requests.get(f"http://{host}:{edge.http_port}{PATH}", timeout=60)
        assert r.status_code == 200 and r.text == KEYAUTH
        assert r.headers["content-type"] == "application/octet-stream"
        assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT", r.headers["date"])
        stamp = time.mktime(time.strptime(r.headers["date"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
        assert abs(stamp - time.time()) < 60
        assert time.strftime("%a", time.gmtime(stamp)) == r.headers["date"][:3]


def test_head_is_get_without_the_body(edge):
    r = requests.head(f"http://127.0.0.1:{edge.http_port}{PATH}", timeout=60)
    assert r.status_code == 200 and r.headers["content-length"] == str(len(KEYAUTH)) and not r.content


@pytest.mark.parametrize("host", ["example.com", "EXAMPLE.com:80", "10.0.0.1", "[2001:db8::1]:8080", "", "f5-vip.internal", "<script>",
                                  "a" * 255, "xn--bcher-kva.example"])
def test_whatever_the_host_header_says(edge, host):
    out, _ = exchange(edge, get(PATH, host, more="Connection: close\r\n"))
    assert responses(out)[0][::2] == (200, KEYAUTH.encode())


def test_http_1_0_without_host_is_served_and_closed(edge):
    out, closed = exchange(edge, f"GET {PATH} HTTP/1.0\r\n\r\n".encode())
    assert responses(out)[0][::2] == (200, KEYAUTH.encode()) and closed


NOT_FOUND = [
    "/", "/index.html", "/.well-known/acme-challenge/", "/.well-known/acme-challenge", "/.well-known/acme-challenge/" + OTHER,
    PATH + "/", PATH + "?", PATH + "?x=1", PATH + "#x", PATH + "%00", PATH + ".", PATH[:-1], PATH + "A", PATH.upper(), PATH.lower(),
    "/" + PATH, PATH.replace("/.well", "//.well"), PATH.replace("challenge/", "challenge//"),
    "/.well-known/acme-challenge/./" + TOKEN, "/.well-known/acme-challenge/../acme-challenge/" + TOKEN,
    "/.well-known/acme-challenge/%2e/" + TOKEN, "/x/.." + PATH, "/x/%2e%2e" + PATH, PATH.replace("/", "%2f"), PATH.replace(".", "%2e"),
    PATH.replace("-", "%2d"), PATH.replace("/", "\\"), "http://example.com" + PATH, "https://example.com" + PATH,
    "http://127.0.0.1" + PATH, "*", "example.com:80", PATH + ";x", PATH + "\\", "/.well-known/acme-challenge/../../etc/passwd",
    "/.well-known/acme-challenge/" + "a" * 15, "/.well-known/acme-challenge/" + "a" * 129, "/" + "x" * 8000,
    "/.well-known/acme-challenge/" + "\u00e9" * 0 + "%c3%a9" * 5,
]


@pytest.mark.parametrize("path", NOT_FOUND)
def test_anything_else_is_404_without_a_byte(edge, path):
    out, _ = exchange(edge, get(path, more="Connection: close\r\n"))
    r = responses(out)
    assert [x[::2] for x in r] == [(404, b"")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PROPFIND", "get", "Get", "GETT", "X"])
def test_other_methods_get_404_and_the_connection_ends(edge, method):
    out, closed = exchange(edge, get(PATH, method=method))
    assert [x[::2] for x in responses(out)] == [(404, b"")] and closed


GOOD = get(PATH).decode()
SMUGGLED = get(PATH).decode()
BAD = {
    "content-length with body": get(PATH, more="Content-Length: 5\r\n").decode() + "hello",
    "content-length hides a request": get("/", more=f"Content-Length: {len(SMUGGLED)}\r\n").decode() + SMUGGLED,
    "two content-lengths": get(PATH, more="Content-Length: 0\r\nContent-Length: 0\r\n").decode(),
    "content-length list": get(PATH, more="Content-Length: 0, 0\r\n").decode(),
    "content-length +0": get(PATH, more="Content-Length: +0\r\n").decode(),
    "content-length 00": get(PATH, more="Content-Length: 00\r\n").decode(),
    "content-length 0x0": get(PATH, more="Content-Length: 0x0\r\n").decode(),
    "content-length -1": get(PATH, more="Content-Length: -1\r\n").decode(),
    "content-length empty": get(PATH, more="Content-Length:\r\n").decode(),
    "content-length huge": get(PATH, more="Content-Length: 18446744073709551616\r\n").decode(),
    "transfer-encoding": get(PATH, more="Transfer-Encoding: chunked\r\n").decode() + "0\r\n\r\n" + SMUGGLED,
    "CL and TE": get(PATH, more="Content-Length: 0\r\nTransfer-Encoding: chunked\r\n").decode() + "0\r\n\r\n",
    "TE identity": get(PATH, more="Transfer-Encoding: identity\r\n").decode(),
    "TE xchunked": get(PATH, more="transfer-encoding: xchunked\r\n").decode(),
    "TE with a blank before the colon": get(PATH, more="Transfer-Encoding : chunked\r\n").decode(),
    "folded header": get(PATH, more="X: a\r\n b\r\n").decode(),
    "fold first": f"GET {PATH} HTTP/1.1\r\n Host: x\r\n\r\n",
    "folded TE": get(PATH, more="Transfer-Encoding:\r\n chunked\r\n").decode(),
    "bare LF": GOOD.replace("\r\n", "\n"),
    "bare LF once": f"GET {PATH} HTTP/1.1\nHost: x\r\n\r\n",
    "bare CR": f"GET {PATH} HTTP/1.1\rHost: x\r\n\r\n",
    "LF LF end": f"GET {PATH} HTTP/1.1\r\nHost: x\n\n",
    "CR in a value": get(PATH, more="X: a\rb\r\n").decode(),
    "NUL in a value": get(PATH, more="X: a\0b\r\n").decode(),
    "NUL in the path": f"GET {PATH}\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "control byte in a value": get(PATH, more="X: \x01\r\n").decode(),
    "DEL in a value": get(PATH, more="X: \x7f\r\n").decode(),
    "no host": f"GET {PATH} HTTP/1.1\r\n\r\n",
    "two hosts": get(PATH, more="Host: other\r\n").decode(),
    "two hosts, other case": get(PATH, more="hOST: other\r\n").decode(),
    "host above 255": get(PATH, "a" * 256).decode(),
    "no colon": get(PATH, more="X\r\n").decode(),
    "empty name": get(PATH, more=": x\r\n").decode(),
    "blank in a name": get(PATH, more="X Y: z\r\n").decode(),
    "two blanks": f"GET  {PATH} HTTP/1.1\r\nHost: x\r\n\r\n",
    "tab": f"GET\t{PATH}\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "blank in the target": f"GET {PATH} x HTTP/1.1\r\nHost: x\r\n\r\n",
    "blank at the end": f"GET {PATH} HTTP/1.1 \r\nHost: x\r\n\r\n",
    "no version": f"GET {PATH}\r\nHost: x\r\n\r\n",
    "HTTP/0.9": f"GET {PATH}\r\n\r\n",
    "HTTP/1.2": get(PATH, version="1.2").decode(),
    "HTTP/2.0": get(PATH, version="2.0").decode(),
    "http/1.1": f"GET {PATH} http/1.1\r\nHost: x\r\n\r\n",
    "HTTP/1.10": get(PATH, version="1.10").decode(),
    "HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "empty line first": "\r\n" + GOOD,
    "blank first": " " + GOOD,
    "8-bit path": f"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "no target": "GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "PROXY protocol": "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GOOD,
    "head above 8 KiB": get("/", more="".join(f"X{i}: {'y' * 100}\r\n" for i in range(90))).decode(),
    "one line above 8 KiB": "GET /" + "x" * 9000,
}


@pytest.mark.parametrize("what", sorted(BAD))
def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_ends(edge, what):
    out, closed = exchange(edge, BAD[what].encode("latin-1"))
    assert [x[::2] for x in responses(out)] == [(400, b"")], out
    assert closed
    assert KEYAUTH.encode() not in out


def test_a_request_behind_a_refused_one_is_never_answered(edge):
    for bad in BAD.values():
        out, _ = exchange(edge, bad.encode("latin-1") + GOOD.encode())
        assert KEYAUTH.encode() not in out


def test_pipelined_requests_are_answered_in_order(edge):
    out, closed = exchange(edge, get(PATH) + get("/x") + get(PATH) + get(PATH, more="Connection: close\r\n") + get(PATH))
    assert [x[0] for x in responses(out)] == [200, 404, 200, 200] and closed


def test_a_request_in_single_bytes_is_served(edge):
    with connect(edge) as s:
        for b in get(PATH, more="Connection: close\r\n"):
            s.sendall(bytes([b]))
        out = b""
        while part := s.recv(4096):
            out += part
    assert responses(out)[0][::2] == (200, KEYAUTH.encode())


def test_keep_alive_is_bounded_by_requests(edge):
    with connect(edge) as s:
        f = s.makefile("rb")
        for i in range(1000):
            s.sendall(get(PATH))
            status = f.readline()
            assert status.startswith(b"HTTP/1.1 200"), i
            close = False
            while (line := f.readline()) != b"\r\n":
                close |= line.lower() == b"connection: close\r\n"
            f.read(len(KEYAUTH))
            assert close == (i == 999)
        assert f.read(1) == b""


def test_http_1_0_keep_alive_is_confirmed(edge):
    out, closed = exchange(edge, f"GET {PATH} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode(), stays=1)
    assert responses(out)[0][1]["connection"] == "keep-alive" and not closed


def test_slow_clients_are_cut_off_after_ten_seconds_in_all(edge):
    with connect(edge, timeout=120) as silent, connect(edge, timeout=120) as slow:
        start = time.monotonic()
        slow.sendall(b"GET / HTTP/1.1\r\n")
        alive = True
        while alive and time.monotonic() - start < 110:
            try:
                slow.sendall(b"X: y\r\n")
                slow.settimeout(0.5)
                alive = slow.recv(1) != b""
            except socket.timeout:
                continue
            except OSError:
                alive = False
        assert 9 < time.monotonic() - start < 100
        assert silent.recv(1) == b""


def test_five_hundred_slow_connections_of_one_source_do_not_shut_out_another():
    with running(ITEMS, args=ARGS, dns=False) as e:
        slow = []
        for _ in range(700):
            s = connect(e)
            s.sendall(b"GET / HT")
            slow.append(s)
        time.sleep(0.3)
        r = requests.get(f"http://[::1]:{e.http_port}{PATH}", timeout=60)
        assert r.text == KEYAUTH
        for s in slow:
            s.close()

        def served():
            try:
                return requests.get(f"http://127.0.0.1:{e.http_port}{PATH}", timeout=60).text
            except requests.ConnectionError:  # their end has not been seen yet
                return None

        assert beds.wait_for(served, 120, "there is room again") == KEYAUTH


def test_redirect_when_configured_but_never_for_a_live_token():
    with running(ITEMS, args=[*ARGS, "--redirect-https"], dns=False) as e:
        rows = [
            (get("/a?b=c", "www.example.com"), 301, "https://www.example.com/a?b=c"),
            (get("/a", "www.example.com:80"), 301, "https://www.example.com/a"),
            (get("/", "[2001:db8::1]:80"), 301, "https://[2001:db8::1]/"),
            (get(PATH.replace(TOKEN, OTHER)), 301, "https://example.com" + PATH.replace(TOKEN, OTHER)),
            (get(PATH), 200, None),
            (get("//evil.example/x"), 404, None),
            (get("/\\evil.example"), 404, None),
            (get("/x", "evil/@x"), 404, None),
            (get("/x", "a\tb"), 404, None),
            (get("/x", ""), 404, None),
            (get("http://example.com/"), 404, None),
            (get("/" + "x" * 3000), 404, None),
            (get("/x", method="POST"), 404, None),
        ]
        for data, status, location in rows:
            out, _ = exchange(e, data, stays=1)
            r = responses(out)[0]
            assert (r[0], r[1].get("location")) == (status, location), data


def test_a_token_lives_as_long_as_one_of_its_rows_and_no_longer():
    with running([http(TOKEN, KEYAUTH, 1), http(TOKEN, KEYAUTH, 2)], args=ARGS, dns=False) as e:
        url = f"http://127.0.0.1:{e.http_port}{PATH}"
        e.c.change([remove(ed.HTTP, TOKEN, 1)], 2)
        assert requests.get(url, timeout=60).text == KEYAUTH
        e.c.change([remove(ed.HTTP, TOKEN, 2)], 3)
        assert requests.get(url, timeout=60).status_code == 404
        for i in range(50):
            e.c.change([http(TOKEN, f"{TOKEN}.{i}", 3)], 4 + 2 * i)
            assert requests.get(url, timeout=60).text == f"{TOKEN}.{i}"
            e.c.change([remove(ed.HTTP, TOKEN, 3)], 5 + 2 * i)
            assert requests.get(url, timeout=60).status_code == 404


def test_hosts_and_sources_are_reported_for_live_tokens_only(edge):
    r = ed.attached(edge.reports(), lambda: exchange(edge, get("/x"), stays=1))
    exchange(edge, get(PATH, "first.example") + get(PATH, "first.example"), stays=2)
    exchange(edge, get(PATH, "<b>second\x80"), stays=1)
    exchange(edge, get(PATH.replace(TOKEN, OTHER), "third.example"), stays=1)
    got = ed.read_reports(r, 120, lambda out: sum(x["count"] for x in out) >= 3)
    sums = {}  # in one row, or in more when the period ended in between
    for x in got:
        sums[x["host"]] = sums.get(x["host"], 0) + x["count"]
    assert sums == {"first.example": 2, "<b>second\x80": 1}
    assert all(x["name"] == TOKEN and x["transport"] == 3 and x["status"] == 200 for x in got)


def test_a_million_guesses_would_find_nothing(edge):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    with connect(edge) as s:
        f = s.makefile("rb")
        for i in range(64):
            s.sendall(get(PATH[:-1] + alphabet[i]))
            status = int(f.readline().split()[1])
            assert (status == 200) == (TOKEN[-1] == alphabet[i])
            n = 0
            while (line := f.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length"):
                    n = int(line.split(b":")[1])
            f.read(n)
