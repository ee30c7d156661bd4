# SPDX-License-Identifier: Apache-2.0
"""The authority's own name in DNS: look-ups that fail in every way, and answers that are no help. The server runs with a resolver of
the test's making, in a mount namespace of its own."""
import os
import socket
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

import bed as beds

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a resolv.conf and port 53 of its own")
ADDRESS = "127.77.0.53"


class Names:
    """A name server on port 53 of an address of its own; by the first label of the name it answers or does not."""

    def __init__(self):
        self.udp, self.tcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket()
        self.asked = {}
        try:
            self.udp.bind((ADDRESS, 53))
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.tcp.bind((ADDRESS, 53))
        except OSError as e:
            pytest.skip(f"port 53 of {ADDRESS} cannot be had: {e}")
        self.tcp.listen(16)
        for serve in (self.by_udp, self.by_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def answer(self, data):
        q = dns.message.from_wire(data)
        r = dns.message.make_response(q)
        r.flags |= dns.flags.RA
        name, kind = q.question[0].name, q.question[0].rdtype
        label = name.labels[0].decode().lower()
        self.asked[label] = self.asked.get(label, 0) + 1
        if label == "timeout":
            return None
        if label == "servfail":
            r.set_rcode(dns.rcode.SERVFAIL)
        elif label == "v6" and kind == dns.rdatatype.AAAA:
            r.answer.append(dns.rrset.from_text(name, 60, "IN", "AAAA", "::1"))
        elif label == "many" and kind == dns.rdatatype.A:
            r.answer.append(dns.rrset.from_text(name, 60, "IN", "A", *(f"127.9.{i // 250}.{i % 250 + 1}" for i in range(1000))))
        elif label not in ("v6", "many"):
            r.set_rcode(dns.rcode.NXDOMAIN)
        return r

    def by_udp(self):
        while True:
            try:
                data, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            r = self.answer(data)
            if r:
                wire = r.to_wire(max_size=65535)
                if len(wire) > 1200:
                    r.answer, r.flags = [], r.flags | dns.flags.TC
                    wire = r.to_wire()
                self.udp.sendto(wire, peer)

    def by_tcp(self):
        while True:
            try:
                c, _ = self.tcp.accept()
            except OSError:
                return
            c.settimeout(60)
            try:
                size = int.from_bytes(c.recv(2), "big")
                r = self.answer(c.recv(size))
                wire = r.to_wire(max_size=65535)
                c.sendall(len(wire).to_bytes(2, "big") + wire)
            except OSError:
                pass
            c.close()

    def stop(self):
        self.udp.close()
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()


@pytest.fixture(scope="module")
def names():
    one = Names()
    yield one
    one.stop()


@pytest.fixture
def bed(make_bed, scratch, names, monkeypatch):
    resolv = scratch / "resolv.conf"
    resolv.write_text(f"nameserver {ADDRESS}\noptions timeout:2 attempts:1\n")
    resolv.chmod(0o644)
    wrap = scratch / "serve"
    wrap.write_text(f'#!/bin/sh\nmount --bind {resolv} /etc/resolv.conf && exec {beds.PROGRAM} "$@"\n')
    wrap.chmod(0o755)
    ordinary = beds.Process

    def start(name, args, *rest, **kw):
        if name == "certwright":
            args = ["unshare", "-m", "--propagation", "private", str(wrap), *args[1:]]
        return ordinary(name, args, *rest, **kw)

    monkeypatch.setattr(beds, "Process", start)
    return make_bed(ca="fake", settings={"net.allow": "127.0.0.0/8, ::1/128"})


def register(bed, url, timeout=240):
    """(reason, seconds) of a registration that cannot be."""
    start = time.monotonic()
    status, doc, _ = bed.server.request("POST", "/accounts", {"directory_url": url, "email": "a@example.test", "agree_tos": True})
    while status == 202 and not doc.get("reason") and time.monotonic() < start + timeout:
        time.sleep(0.2)
        doc = bed.server.request("GET", f"/jobs/{doc['id']}")[1]
    return doc, time.monotonic() - start


@pytest.mark.parametrize("label,words", [("servfail", "name look-up"), ("timeout", "name look-up"), ("v6", "TCP"), ("nxdomain", "name look-up")])
def test_the_name_of_the_authority_cannot_be_looked_up(bed, names, label, words):
    doc, took = register(bed, f"https://{label}.ca.test:{bed.ca.port}/dir")
    text = str(doc)
    assert words in text, doc
    assert took < 120 and names.asked[label] < 40
    assert bed.account()["status"] == "valid", "another authority is not affected"


def test_an_authority_with_a_thousand_addresses_is_reached_or_given_up_in_time(bed, names):
    doc, took = register(bed, f"https://many.ca.test:{bed.ca.port}/dir")
    assert "many.ca.test" in str(doc) and took < 150, doc
    assert bed.account()["status"] == "valid"
