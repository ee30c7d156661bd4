# SPDX-License-Identifier: Apache-2.0
"""Edge under attack: slow and endless clients from many networks; who asks properly is answered all the same."""
import contextlib
import random
import resource
import socket
import struct
import threading

import dns.message
import dns.query
import dns.rcode
import pytest
import requests

import bed as beds
import edge_driver as ed
from edge_driver import http, running, txt, zone

APEX = "_acme-challenge.example.com"
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
ITEMS = [zone(APEX, 1), txt(APEX, "value", 2), http(TOKEN, TOKEN + ".thumb", 3)]
ARGS = ["--hostname", "ns1.example.net", "--log-format", "logfmt"]
WIRE = dns.message.make_query(APEX, "TXT", use_edns=-1, id=1).to_wire()


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < 8000:
        pytest.skip("fewer than 8,000 descriptors allowed")


def source(i):
    return f"127.{1 + i // 250 % 200}.{i % 250}.9"  # each a /24 of its own


def connect(port, i):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.settimeout(60)
    s.bind((source(i), 0))
    s.connect(("127.0.0.1", port))
    return s


def udp_rate(e, n):
    """How many of n questions are answered."""
    ok = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(60)
        for _ in range(n):
            s.sendto(WIRE, ("127.0.0.1", e.dns_port))
            try:
                ok += s.recv(512)[7] == 1
            except socket.timeout:
                pass
    return ok


def test_slow_and_endless_tcp_clients_take_nothing_from_udp_or_from_each_other():
    with running(ITEMS, args=ARGS) as e:
        before = e.status("VmRSS")
        conns, stop = [], threading.Event()

        def pipeline(i):
            rnd = random.Random(i)
            while not stop.is_set():
                try:
                    with connect(e.dns_port, rnd.randrange(40000)) as s:
                        s.sendall((struct.pack("!H", len(WIRE)) + WIRE) * 200)
                        s.recv(65536)
                except OSError:
                    pass

        threads = [threading.Thread(target=pipeline, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        for i in range(1500):  # three times as many as there are slots
            s = connect(e.dns_port, i)
            s.sendall(b"\0" if i % 2 else struct.pack("!H", len(WIRE)) + WIRE[:5])
            conns.append(s)
        assert udp_rate(e, 2000) == 2000
        r = dns.query.tcp(dns.message.make_query(APEX, "TXT"), "127.0.0.1", 60, port=e.dns_port)
        assert r.rcode() == dns.rcode.NOERROR and len(r.answer) == 1
        stop.set()
        for t in threads:
            t.join()
        assert e.status("VmRSS") - before < 32 * 1024
        for s in conns:
            s.close()
        beds.wait_for(lambda: len(ed.os.listdir(f"/proc/{e.proc.pid}/fd")) < 40, 120, "their places are free again")


def test_thousands_of_slow_http_clients_do_not_shut_out_the_next():
    with running(ITEMS, args=ARGS) as e:
        before = e.status("VmRSS")
        conns = []
        for i in range(5000):
            s = connect(e.http_port, i)
            s.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nX: " + b"y" * (i % 3000))
            conns.append(s)
            if i % 500 == 0:
                url = f"http://127.0.0.1:{e.http_port}/.well-known/acme-challenge/{TOKEN}"
                assert requests.get(url, timeout=60).text == TOKEN + ".thumb"
        assert requests.get(url, timeout=60).text == TOKEN + ".thumb"
        assert udp_rate(e, 500) == 500
        assert e.status("VmRSS") - before < 32 * 1024
        for s in conns:
            s.close()


def test_a_reader_that_never_reads_is_given_up():
    big = [zone(APEX, 1)] + [txt(APEX, f"{i:02}" + "x" * 250, 10 + i) for i in range(50)]
    with running(big, args=ARGS) as e:
        def sockets():
            found = 0
            for f in ed.os.listdir(f"/proc/{e.proc.pid}/fd"):
                with contextlib.suppress(FileNotFoundError):  # closed since it was listed
                    found += ed.os.readlink(f"/proc/{e.proc.pid}/fd/{f}").startswith("socket:")
            return found

        before = sockets()
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(60)
            s.connect(("127.0.0.1", e.dns_port))
            s.sendall((struct.pack("!H", len(WIRE)) + WIRE) * 49)
            beds.wait_for(lambda: sockets() > before, 60, "it is served")
            beds.wait_for(lambda: sockets() == before, 120, "it is given up")
            r = dns.query.tcp(dns.message.make_query(APEX, "TXT"), "127.0.0.1", 60, port=e.dns_port)
            assert len(r.answer[0]) == 50
