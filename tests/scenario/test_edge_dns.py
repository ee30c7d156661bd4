# SPDX-License-Identifier: Apache-2.0
"""The public process against dig, kdig and dnspython: every row of the rules for a challenge name server."""
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import pytest

import bed as beds
import edge_driver as ed
from edge_driver import remove, running, txt, zone

APEX = "_acme-challenge.example.com"
EMPTY = "_acme-challenge.empty.example.com"
BIG = "_acme-challenge.big.example.com"
OWN = "acme.example.net"
HOST = "ns1.acme.example.net"
VALUE = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo"

ITEMS = [
    zone(APEX, 1), txt(APEX, VALUE, 2), txt(APEX, "second value", 3), txt(APEX, VALUE, 4),
    txt("deep.ent." + APEX, "below", 5),
    zone(EMPTY, 6),
    zone(BIG, 7), *[txt(BIG, f"{i:03}" + "x" * 40, 100 + i) for i in range(260)],
    txt("alias." + OWN, "for a CNAME", 8),
    ed.item(ed.ADD, ed.NAME, 9, "waiting." + OWN),
    zone("sub." + OWN, 10),
]
ARGS = ["--hostname", HOST, "--zone", OWN, "--address", "192.0.2.53", "--address", "2001:db8::53", "--soa-ttl", "10",
        "--rate-limit", "0", "--log-format", "logfmt"]


@pytest.fixture(scope="module")
def edge():
    with running(ITEMS, args=ARGS) as e:
        yield e


def ask(edge, name, rdtype, tcp=False, rdclass="IN", edns=0, payload=1232, flags=None, options=None, host="127.0.0.1", **kw):
    q = dns.message.make_query(name, rdtype, rdclass, use_edns=edns, payload=payload, options=options, **kw)
    if edns > 0:
        q.use_edns(edns)  # make_query takes 1 for True
    if flags is not None:
        q.flags = flags
    fn = dns.query.tcp if tcp else dns.query.udp
    return fn(q, host, timeout=60, port=edge.dns_port)


def raw_udp(edge, data, timeout=60):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.sendto(data, ("127.0.0.1", edge.dns_port))
        try:
            return s.recv(65535)
        except socket.timeout:
            return None


def raw_tcp(edge, timeout=60):
    s = socket.create_connection(("127.0.0.1", edge.dns_port), timeout)
    return s


def framed(data):
    return struct.pack("!H", len(data)) + data


def read_framed(s):
    head = read_n(s, 2)
    return read_n(s, struct.unpack("!H", head)[0]) if head else None


def read_n(s, n):
    out = b""
    while len(out) < n:
        try:
            part = s.recv(n - len(out))
        except ConnectionResetError:  # closed while something we sent was not read yet
            return None
        if not part:
            return None
        out += part
    return out


def soa_of(message, owner):
    assert len(message.authority) == 1
    rrset = message.authority[0]
    assert rrset.rdtype == dns.rdatatype.SOA
    assert rrset.name == dns.name.from_text(owner)
    assert rrset.ttl <= 30 and rrset[0].minimum <= 30
    assert rrset[0].mname == dns.name.from_text(HOST)
    return rrset[0]


NODATA_TYPES = ["A", "AAAA", "CAA", "DS", "MX", "HTTPS", "SRV", "DNSKEY", "NSEC", "TYPE65280", "TYPE200"]

# name, type, rcode, records in the answer, owner of the SOA in the authority section (None: nothing there)
ROWS = [
    (APEX, "SOA", "NOERROR", 1, None),
    (APEX, "NS", "NOERROR", 1, None),
    (APEX, "TXT", "NOERROR", 2, None),
    (EMPTY, "SOA", "NOERROR", 1, None),
    (EMPTY, "TXT", "NOERROR", 0, EMPTY),
    *[(APEX, t, "NOERROR", 0, APEX) for t in NODATA_TYPES],
    *[(EMPTY, t, "NOERROR", 0, EMPTY) for t in NODATA_TYPES],
    ("nothere." + APEX, "TXT", "NXDOMAIN", 0, APEX),
    ("a.b.c.nothere." + APEX, "A", "NXDOMAIN", 0, APEX),
    ("ent." + APEX, "TXT", "NOERROR", 0, APEX),
    ("ent." + APEX, "NS", "NOERROR", 0, APEX),
    ("other.ent." + APEX, "TXT", "NXDOMAIN", 0, APEX),
    ("deep.ent." + APEX, "TXT", "NOERROR", 1, None),
    ("below.deep.ent." + APEX, "TXT", "NXDOMAIN", 0, APEX),
    ("example.com", "SOA", "REFUSED", 0, None),
    ("www.example.com", "A", "REFUSED", 0, None),
    ("empty.example.com", "TXT", "REFUSED", 0, None),
    ("_acme-challenge.other.example", "TXT", "REFUSED", 0, None),
    ("com", "NS", "REFUSED", 0, None),
    (".", "NS", "REFUSED", 0, None),
    ("nothere", "A", "REFUSED", 0, None),
    (APEX, "ANY", "NOERROR", 1, None),
    (EMPTY, "ANY", "NOERROR", 1, None),
    ("ent." + APEX, "ANY", "NOERROR", 0, APEX),
    (APEX, "AXFR", "REFUSED", 0, None),
    ("www.example.com", "AXFR", "REFUSED", 0, None),
    (OWN, "SOA", "NOERROR", 1, None),
    (OWN, "NS", "NOERROR", 1, None),
    (HOST, "A", "NOERROR", 1, None),
    (HOST, "AAAA", "NOERROR", 1, None),
    (HOST, "TXT", "NOERROR", 0, OWN),
    ("alias." + OWN, "TXT", "NOERROR", 1, None),
    ("waiting." + OWN, "TXT", "NOERROR", 0, OWN),
    ("unknown." + OWN, "TXT", "NXDOMAIN", 0, OWN),
    ("sub." + OWN, "SOA", "NOERROR", 1, None),
    ("sub." + OWN, "DS", "NOERROR", 0, OWN),   # the parent owns the DS, and here we are the parent
    (OWN, "DS", "NOERROR", 0, OWN),
]


@pytest.mark.parametrize("name,rdtype,rcode,answers,soa", ROWS)
@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("edns", [-1, 0], ids=["plain", "edns"])
def test_every_row_by_dnspython(edge, name, rdtype, rcode, answers, soa, tcp, edns):
    r = ask(edge, name, rdtype, tcp=tcp, edns=edns) if rdtype != "AXFR" else ask_raw_axfr(edge, name, tcp, edns)
    assert dns.rcode.to_text(r.rcode()) == rcode
    assert sum(len(s) for s in r.answer) == answers
    assert bool(r.flags & dns.flags.AA) == (rcode != "REFUSED")
    assert not r.flags & (dns.flags.RA | dns.flags.AD | dns.flags.TC)
    assert r.flags & dns.flags.RD
    assert not r.additional
    assert (r.edns == 0) == (edns == 0)
    if edns == 0:
        assert r.payload == 1232 and not r.options
    if soa:
        soa_of(r, soa)
    else:
        assert not r.authority
    for rrset in r.answer:
        assert rrset.name == dns.name.from_text(name)


def ask_raw_axfr(edge, name, tcp, edns):
    q = dns.message.make_query(name, "AXFR", use_edns=edns)
    if not tcp:
        return dns.message.from_wire(raw_udp(edge, q.to_wire()))
    with raw_tcp(edge) as s:
        s.sendall(framed(q.to_wire()))
        return dns.message.from_wire(read_framed(s))


def dig(edge, *args):
    out = subprocess.run(["dig", "@127.0.0.1", "-p", str(edge.dns_port), "+tries=1", "+time=60", "+norec", *args],
                         capture_output=True, text=True, timeout=180)
    status = re.search(r"status: (\w+)", out.stdout)
    counts = re.search(r"ANSWER: (\d+), AUTHORITY: (\d+)", out.stdout)
    flags = re.search(r"flags: ([a-z ]*);", out.stdout)
    return (status and status.group(1), counts and int(counts.group(1)), counts and int(counts.group(2)),
            flags and flags.group(1).split(), out.stdout)


def kdig(edge, *args):
    out = subprocess.run(["kdig", "@127.0.0.1", "-p", str(edge.dns_port), "+retry=0", "+time=60", *args],
                         capture_output=True, text=True, timeout=180)
    status = re.search(r"status: (\w+)", out.stdout)
    counts = re.search(r"ANSWER: (\d+); AUTHORITY: (\d+)", out.stdout)
    return status and status.group(1), counts and int(counts.group(1)), counts and int(counts.group(2)), out.stdout


@pytest.mark.parametrize("name,rdtype,rcode,answers,soa", [r for r in ROWS if r[1] != "AXFR"])
@pytest.mark.parametrize("tcp", ["+notcp", "+tcp"])
def test_every_row_by_dig(edge, name, rdtype, rcode, answers, soa, tcp):
    status, ancount, nscount, flags, text = dig(edge, tcp, "-t", rdtype, name)
    assert (status, ancount, nscount) == (rcode, answers, 1 if soa else 0), text
    assert ("aa" in flags) == (rcode != "REFUSED")
    assert "WARNING" not in text and "malformed" not in text.lower(), text


@pytest.mark.skipif(not shutil.which("kdig"), reason="kdig (knot-dnsutils) is not installed")
@pytest.mark.parametrize("name,rdtype,rcode,answers,soa", [r for r in ROWS if r[1] not in ("AXFR", "ANY")])
def test_every_row_by_kdig(edge, name, rdtype, rcode, answers, soa):
    for tcp in ("+notcp", "+tcp"):
        status, ancount, nscount, text = kdig(edge, tcp, "-t", rdtype, name)
        assert (status, ancount, nscount) == (rcode, answers, 1 if soa else 0), text
        assert "WARNING" not in text and "malformed" not in text.lower(), text


def test_all_values_are_one_set_with_one_small_ttl_and_no_value_twice(edge):
    r = ask(edge, APEX, "TXT")
    assert len(r.answer) == 1
    assert {x.strings for x in r.answer[0]} == {(VALUE.encode(),), (b"second value",)}
    assert 1 <= r.answer[0].ttl <= 60


def test_records_of_the_apex_and_of_the_host_name(edge):
    assert str(ask(edge, APEX, "NS").answer[0][0].target) == HOST + "."
    soa = ask(edge, APEX, "SOA").answer[0]
    assert soa.ttl == 10 and soa[0].minimum == 10
    assert ask(edge, HOST, "A").answer[0][0].address == "192.0.2.53"
    assert ask(edge, HOST, "AAAA").answer[0][0].address == "2001:db8::53"
    assert ask(edge, APEX, "SOA", tcp=True).answer[0][0].serial == soa[0].serial


def test_any_is_one_small_made_up_record(edge):
    r = ask(edge, APEX, "ANY")
    assert r.answer[0].rdtype == dns.rdatatype.HINFO
    assert r.answer[0][0].cpu == b"RFC8482"
    assert len(r.to_wire()) < 2.5 * len(dns.message.make_query(APEX, "ANY").to_wire())


@pytest.mark.parametrize("seed", range(20))
def test_the_question_comes_back_byte_for_byte(edge, seed):
    rnd = random.Random(seed)
    for name in (APEX, "NotHere." + APEX, "www.example.org", "ent." + APEX):
        mixed = "".join(c.upper() if rnd.random() < 0.5 else c.lower() for c in name)
        q = dns.message.make_query(mixed, "TXT", use_edns=0)
        wire = q.to_wire()
        for data in (raw_udp(edge, wire), tcp_once(edge, wire)):
            end = 12 + len(dns.name.from_text(mixed).to_wire()) + 4
            assert data[12:end] == wire[12:end]
            r = dns.message.from_wire(data)
            for rrset in r.answer:
                assert rrset.name.to_text() == mixed + "."  # the case as asked


def tcp_once(edge, wire):
    with raw_tcp(edge) as s:
        s.sendall(framed(wire))
        return read_framed(s)


# ---- class, opcode, broken packets ----


@pytest.mark.parametrize("name,rdclass,rdtype", [("version.bind", "CH", "TXT"), ("hostname.bind", "CH", "TXT"),
                                                (APEX, "CH", "TXT"), (APEX, "HS", "TXT"), (APEX, "ANY", "TXT"),
                                                (APEX, "NONE", "TXT")])
def test_other_classes_are_refused_without_data(edge, name, rdclass, rdtype):
    for tcp in (False, True):
        r = ask(edge, name, rdtype, tcp=tcp, rdclass=rdclass)
        assert r.rcode() == dns.rcode.REFUSED
        assert not r.answer and not r.authority and not r.additional


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
def test_other_opcodes_are_not_implemented(edge, opcode):
    q = dns.message.make_query(APEX, "SOA", use_edns=-1)
    wire = bytearray(q.to_wire())
    wire[2] = (wire[2] & 0x87) | opcode << 3
    for data in (raw_udp(edge, bytes(wire)), tcp_once(edge, bytes(wire))):
        assert data[:2] == bytes(wire[:2])
        assert data[2] & 0x80 and (data[2] >> 3 & 15) == opcode
        assert data[3] & 15 == dns.rcode.NOTIMP
        assert len(data) <= len(wire)


def test_ixfr_is_refused(edge):
    q = dns.message.make_query(APEX, "IXFR", use_edns=-1)
    q.authority.append(dns.rrset.from_text(APEX + ".", 1, "IN", "SOA", "a. b. 1 2 3 4 5"))
    for data in (raw_udp(edge, q.to_wire()), tcp_once(edge, q.to_wire())):
        assert dns.message.from_wire(data).rcode() == dns.rcode.REFUSED


def test_bind_tools_see_transfer_and_version_refused(edge):
    assert "Transfer failed" in dig(edge, "+tcp", "-t", "AXFR", APEX)[4]
    status, ancount, _, _, _ = dig(edge, "-c", "CH", "-t", "TXT", "version.bind")
    assert (status, ancount) == ("REFUSED", 0)


Q = dns.message.make_query(APEX, "TXT", use_edns=-1, id=0x1234)
WIRE = Q.to_wire()


def with_counts(qd, an, ns, ar, body=WIRE[12:]):
    return WIRE[:4] + struct.pack("!HHHH", qd, an, ns, ar) + body


OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)
FORMERRS = {
    "no question": with_counts(0, 0, 0, 0, b""),
    "two questions": with_counts(2, 0, 0, 0, WIRE[12:] * 2),
    "question cut off": WIRE[:-1],
    "header alone, one question promised": WIRE[:12],
    "bytes behind the end": WIRE + b"x",
    "an answer in a query": with_counts(1, 1, 0, 0, WIRE[12:] + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd"),
    "compressed question": with_counts(1, 0, 0, 0, b"\xc0\x0c\0\x10\0\1"),
    "pointer to itself": with_counts(1, 0, 0, 0, b"\1a\xc0\x0e\0\x10\0\1"),
    "label of 64": with_counts(1, 0, 0, 0, b"\x40" + b"a" * 64 + b"\0\0\x10\0\1"),
    "name of 256": with_counts(1, 0, 0, 0, (b"\x3f" + b"a" * 63) * 4 + b"\0\0\x10\0\1"),
    "two OPT": with_counts(1, 0, 0, 2, WIRE[12:] + OPT + OPT),
    "OPT cut off": with_counts(1, 0, 0, 1, WIRE[12:] + OPT[:-1]),
    "OPT option cut off": with_counts(1, 0, 0, 1, WIRE[12:] + b"\0" + struct.pack("!HHIH", 41, 1232, 0, 5) + b"\0\3\0\2a"),
    "OPT not of the root": with_counts(1, 0, 0, 1, WIRE[12:] + b"\1a" + OPT),
    "3000 bytes": with_counts(1, 0, 0, 1, WIRE[12:] + b"\0" + struct.pack("!HHIH", 99, 1, 0, 3000) + b"x" * 3000),
}


@pytest.mark.parametrize("what", sorted(FORMERRS))
def test_broken_packets_with_a_header_get_formerr(edge, what):
    data = FORMERRS[what]
    r = raw_udp(edge, data)
    assert r is not None and r[:2] == data[:2]
    assert r[3] & 15 == dns.rcode.FORMERR
    assert struct.unpack("!HHH", r[6:12]) == (0, 0, 0)
    assert len(r) <= len(data)
    assert ask(edge, APEX, "TXT").rcode() == 0


@pytest.mark.parametrize("data", [b"", b"x", WIRE[:11], WIRE[:2] + b"\x80" + WIRE[3:], WIRE[:2] + b"\x84\x03" + WIRE[4:]],
                         ids=["empty", "one byte", "11 bytes", "QR=1", "an NXDOMAIN answer"])
def test_no_header_or_an_answer_is_met_with_silence(edge, data):
    assert raw_udp(edge, data, 0.3) is None
    assert ask(edge, APEX, "TXT").rcode() == 0


def test_edns_version_1_gets_badvers_and_our_version(edge):
    for tcp in (False, True):
        r = ask(edge, APEX, "TXT", tcp=tcp, edns=1)
        assert r.rcode() == dns.rcode.BADVERS
        assert r.edns == 0 and not r.answer
    assert "BADVERS" in dig(edge, "+edns=1", "+noednsneg", "-t", "TXT", APEX)[4]


def test_edns_options_are_ignored_and_do_is_copied(edge):
    options = [dns.edns.GenericOption(dns.edns.NSID, b""), dns.edns.GenericOption(10, b"12345678"),
               dns.edns.ECSOption("192.0.2.0", 24), dns.edns.GenericOption(65001, b"x" * 20)]
    for want in (False, True):
        r = ask(edge, APEX, "TXT", options=options, want_dnssec=want)
        assert r.rcode() == 0 and len(r.answer[0]) == 2
        assert not r.options
        assert bool(r.ednsflags & dns.flags.DO) == want


def test_rd_is_copied_and_the_z_bits_are_zero(edge):
    for flags in (0, dns.flags.RD, dns.flags.RD | dns.flags.CD | dns.flags.AD, 0x0040):
        r = ask(edge, APEX, "TXT", flags=flags)
        assert r.flags & 0xffff == dns.flags.QR | dns.flags.AA | (flags & dns.flags.RD)


# ---- sizes ----


@pytest.mark.parametrize("edns,payload", [(-1, 0), (0, 512), (0, 1232), (0, 4096), (0, 65535), (0, 0)])
def test_too_much_is_truncated_empty_and_tcp_has_it_all(edge, edns, payload):
    q = dns.message.make_query(BIG, "TXT", use_edns=edns, payload=payload)
    data = raw_udp(edge, q.to_wire())
    r = dns.message.from_wire(data)
    assert r.flags & dns.flags.TC and r.flags & dns.flags.AA
    assert not r.answer and not r.authority
    assert len(data) <= len(q.to_wire()) + 11
    full = dns.message.from_wire(tcp_once(edge, q.to_wire()))
    assert len(full.answer[0]) == 250  # the most we answer with
    assert not full.flags & dns.flags.TC


def test_what_fits_1232_but_not_512_depends_on_what_they_take():
    items = [zone(APEX, 1)] + [txt(APEX, f"{i}" + "y" * 90, 10 + i) for i in range(6)]
    with running(items, args=ARGS) as e:
        assert ask(e, APEX, "TXT", edns=-1).flags & dns.flags.TC
        assert ask(e, APEX, "TXT", edns=0, payload=600).flags & dns.flags.TC
        for payload in (1232, 4096):
            r = ask(e, APEX, "TXT", edns=0, payload=payload)
            assert not r.flags & dns.flags.TC and len(r.answer[0]) == 6
        assert "Truncated, retrying in TCP" in dig(e, "+noedns", "+tries=2", "-t", "TXT", APEX)[4]


def test_answers_without_live_values_stay_small(edge):
    """No more than about twice the question, so that nobody is worth deceiving."""
    for name, rdtype in ((APEX, "A"), (EMPTY, "TXT"), ("nothere." + APEX, "A"), ("www.example.org", "A"), (APEX, "ANY"),
                         (APEX, "SOA"), (APEX, "NS"), (APEX, "DNSKEY"), (APEX, "RRSIG")):
        for edns in (-1, 0):
            q = dns.message.make_query(name, rdtype, use_edns=edns).to_wire()
            assert len(raw_udp(edge, q)) <= 3 * len(q)


# ---- addresses ----


def test_ipv6_is_answered_and_a_wildcard_socket_answers_from_the_address_asked():
    with running(ITEMS, args=ARGS, any_address=True) as e:
        for host in ("127.0.0.1", "127.0.0.2", "127.1.2.3", "::1"):
            for tcp in (False, True):
                assert ask(e, APEX, "TXT", tcp=tcp, host=host).rcode() == 0  # dnspython refuses another source


# ---- TCP ----


def query(i, name=APEX, rdtype="TXT"):
    return dns.message.make_query(name, rdtype, use_edns=-1, id=i).to_wire()


def test_many_queries_in_one_connection_pipelined_and_one_by_one(edge):
    with raw_tcp(edge) as s:
        s.sendall(b"".join(framed(query(i)) for i in range(1, 31)))
        got = {struct.unpack("!H", read_framed(s)[:2])[0] for _ in range(30)}
        assert got == set(range(1, 31))
        for i in range(31, 40):
            s.sendall(framed(query(i)))
            assert struct.unpack("!H", read_framed(s)[:2])[0] == i


def test_big_answers_pipelined_to_a_slow_reader_all_arrive(edge):
    with raw_tcp(edge) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(b"".join(framed(query(i, BIG)) for i in range(40)))
        time.sleep(0.5)
        for i in range(40):
            r = dns.message.from_wire(read_framed(s))
            assert r.id == i and len(r.answer[0]) == 250


def test_a_query_may_come_in_pieces_but_not_for_ever(edge):
    data = framed(query(5))
    with raw_tcp(edge) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in (1, 2, 3, 10):
            for i in range(0, len(data), cut):
                s.sendall(data[i:i + cut])
            assert read_framed(s) is not None
    with raw_tcp(edge) as s:
        start = time.monotonic()
        s.sendall(data[:5])
        assert s.recv(1) == b""
        assert 1.5 < time.monotonic() - start < 60


def test_fifty_queries_then_the_connection_ends_in_order(edge):
    with raw_tcp(edge) as s:
        s.sendall(b"".join(framed(query(i)) for i in range(80)))
        ids = []
        while (data := read_framed(s)) is not None:
            ids.append(struct.unpack("!H", data[:2])[0])
        assert ids == list(range(50))


def test_nonsense_on_tcp_ends_the_connection_and_nothing_else(edge):
    for bad in (b"\0\0", b"\0\5hello", b"\xff\xff" + b"x" * 3000, b"GET / HTTP/1.1\r\n\r\n", framed(WIRE[:2] + b"\x80" + WIRE[3:])):
        with raw_tcp(edge) as s:
            s.sendall(bad)
            assert read_framed(s) is None
    assert ask(edge, APEX, "TXT", tcp=True).rcode() == 0


def test_an_idle_connection_is_closed_after_ten_seconds(edge):
    with raw_tcp(edge, 120) as s:
        s.sendall(framed(query(1)))
        read_framed(s)
        start = time.monotonic()
        assert s.recv(1) == b""
        assert 9 < time.monotonic() - start < 100


def test_a_source_has_at_most_64_connections_and_others_none_the_less():
    with running(ITEMS, args=ARGS) as e:
        conns = []
        for _ in range(100):
            s = raw_tcp(e)
            conns.append(s)
        beds.wait_for(lambda: len(select.select(conns, [], [], 0)[0]) >= 30, 120, "edge closes what is too much")
        assert len(select.select(conns, [], [], 0)[0]) <= 36
        r = dns.query.tcp(dns.message.make_query(APEX, "TXT"), "::1", 60, port=e.dns_port)
        assert len(r.answer[0]) == 2
        assert ask(e, APEX, "TXT").rcode() == 0
        for s in conns:
            s.close()

        def answered():
            try:
                return ask(e, APEX, "TXT", tcp=True)
            except (EOFError, OSError):  # their end has not been seen yet
                return None

        assert beds.wait_for(answered, 120, "there is room again").rcode() == 0


def test_without_descriptors_it_neither_spins_nor_stops():
    with running(ITEMS, args=ARGS, nofile=40) as e:
        conns = [raw_tcp(e) for _ in range(60)]
        time.sleep(0.5)
        before = e.cpu_s()
        time.sleep(1.0)
        assert e.cpu_s() - before < 0.2
        assert ask(e, APEX, "TXT").rcode() == 0
        for s in conns:
            s.close()
        time.sleep(0.6)
        assert ask(e, APEX, "TXT", tcp=True).rcode() == 0


# ---- rate limiting ----


def test_floods_are_truncated_never_dropped_and_live_values_never_limited():
    args = [a if a != "0" else "20" for a in ARGS]
    with running(ITEMS, args=args) as e:
        truncated, whole, begun = 0, 0, time.monotonic()
        for i in range(400):
            r = dns.message.from_wire(raw_udp(e, query(i, "nothere." + APEX)))
            truncated += bool(r.flags & dns.flags.TC)
            whole += bool(r.authority)
        refilled = 20 * (time.monotonic() - begun)
        assert 40 <= whole <= 100 + refilled and truncated == 400 - whole
        for i in range(400):
            assert dns.message.from_wire(raw_udp(e, query(i))).answer
        # another kind of answer has a limit of its own, TCP has none
        assert not dns.message.from_wire(raw_udp(e, query(1, "example.org"))).flags & dns.flags.TC
        assert ask(e, "nothere." + APEX, "A", tcp=True).authority


# ---- feed ----


def test_changes_are_answered_when_they_are_acknowledged():
    with running([zone(APEX, 1)], args=ARGS) as e:
        for i in range(200):
            e.c.change([txt(APEX, f"value {i}", 100 + i)], 2 + 2 * i)
            got = {x.strings[0].decode() for x in ask(e, APEX, "TXT", tcp=bool(i % 2)).answer[0]}
            assert got == {f"value {i}"}
            e.c.change([remove(ed.TXT, APEX, 100 + i)], 3 + 2 * i)
            r = ask(e, APEX, "TXT", tcp=bool(i % 3))
            assert r.rcode() == 0 and not r.answer
        serial = ask(e, APEX, "SOA").answer[0][0].serial
        e.c.change([remove(ed.ZONE, APEX, 999)], 3000)  # another row: stays
        assert ask(e, APEX, "SOA").rcode() == 0
        assert ask(e, APEX, "SOA").answer[0][0].serial > serial
        e.c.change([remove(ed.ZONE, APEX, 1)], 3001)
        assert ask(e, APEX, "SOA").rcode() == dns.rcode.REFUSED


def test_a_value_shared_by_two_rows_stays_until_both_are_gone():
    with running([zone(APEX, 1), txt(APEX, VALUE, 2), txt(APEX, VALUE, 3)], args=ARGS) as e:
        e.c.change([remove(ed.TXT, APEX, 2)], 2)
        assert len(ask(e, APEX, "TXT").answer[0]) == 1
        e.c.change([remove(ed.TXT, APEX, 3), remove(ed.TXT, APEX, 3)], 3)
        assert not ask(e, APEX, "TXT").answer


def test_before_the_first_full_set_there_is_silence_and_the_waiting_are_answered_afterwards():
    e = ed.Edge(args=ARGS)
    try:
        e.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, raw_tcp(e) as t:
            u.settimeout(0.5)
            u.sendto(query(1), ("127.0.0.1", e.dns_port))
            t.sendall(framed(query(2)))
            with pytest.raises(socket.timeout):
                u.recv(512)
            u.settimeout(60)
            e.core().load(ITEMS)
            assert u.recv(512)[:2] == b"\0\1"
            assert read_framed(t)[:2] == b"\0\2"
    finally:
        e.stop()


def test_core_goes_and_comes_back_and_edge_goes_on_answering():
    with running(ITEMS, args=ARGS) as e:
        e.c.close()
        time.sleep(0.1)
        assert len(ask(e, APEX, "TXT").answer[0]) == 2
        c = e.core(start=8)
        type_, start, seq = c.recv()
        assert (type_, start, seq) == (ed.HELLO, 7, 1)
        c.send(ed.BEGIN)
        c.send(ed.ITEMS, [zone(APEX, 1), txt(APEX, "third", 9)])
        assert len(ask(e, APEX, "TXT").answer[0]) == 2  # the old set until the end mark
        c.send(ed.END, seq=50)
        assert c.recv() == (ed.ACK, 8, 50)
        assert [x.strings[0] for x in ask(e, APEX, "TXT").answer[0]] == [b"third"]
        assert ask(e, EMPTY, "SOA").rcode() == dns.rcode.REFUSED
        # half a set, then another core: the half is void
        half = e.core(start=9)
        half.recv()
        half.send(ed.BEGIN)
        half.send(ed.ITEMS, [zone(EMPTY, 1)])
        c2 = e.core(start=10).load([zone(APEX, 1), txt(APEX, "fourth", 10)])
        assert [x.strings[0] for x in ask(e, APEX, "TXT").answer[0]] == [b"fourth"]
        assert ask(e, EMPTY, "SOA").rcode() == dns.rcode.REFUSED
        c2.send(ed.PING)
        assert c2.recv()[0] == ed.PONG


def test_edge_is_killed_and_comes_back_on_the_same_sockets():
    with running(ITEMS, args=ARGS) as e:
        for _ in range(3):
            e.kill()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
                u.settimeout(60)
                u.sendto(query(7), ("127.0.0.1", e.dns_port))  # waits in the kernel
                e.start()
                e.c = e.core().load(ITEMS)
                assert u.recv(512)[:2] == b"\0\7"
            assert len(ask(e, APEX, "TXT", tcp=True).answer[0]) == 2


BAD_FEEDS = {
    "another version": lambda c: c.send(ed.BEGIN, version=ed.VERSION + 1),
    "changes first": lambda c: c.send(ed.ITEMS, [zone(APEX, 1)], 5),
    "end without begin": lambda c: c.send(ed.END, seq=5),
    "remove in a full set": lambda c: (c.send(ed.BEGIN), c.send(ed.ITEMS, [remove(ed.TXT, APEX, 1)])),
    "a name with a blank": lambda c: (c.send(ed.BEGIN), c.send(ed.ITEMS, [zone("a b", 1)])),
    "an item cut off": lambda c: (c.send(ed.BEGIN), c.send(ed.ITEMS, [zone(APEX, 1)[:-1]])),
    "another start id": lambda c: (c.send(ed.BEGIN), c.send(ed.ITEMS, [zone(APEX, 1)], start=99)),
    "a report": lambda c: c.send(ed.REPORT),
    "rubbish": lambda c: c.s.send(b"rubbish"),
}


@pytest.mark.parametrize("what", sorted(BAD_FEEDS))
def test_a_feed_that_cannot_be_read_is_closed_and_changes_nothing(edge, what):
    c = edge.core(start=11)
    c.recv()
    BAD_FEEDS[what](c)
    with pytest.raises((EOFError, ConnectionResetError)):
        for _ in range(3):
            c.recv()
    assert len(ask(edge, APEX, "TXT").answer[0]) == 2


def test_ten_thousand_names_load_and_answer_while_queries_run():
    items = [i for k in range(10000) for i in (zone(f"_acme-challenge.h{k}.example.org", 2 * k + 1),
                                               txt(f"_acme-challenge.h{k}.example.org", f"v{k}", 2 * k + 2))]
    with running(items, args=ARGS) as e:
        stop, bad, done = threading.Event(), [], [0]

        def hammer():
            rnd = random.Random(1)
            while not stop.is_set():
                k = rnd.randrange(10000)
                r = ask(e, f"_acme-challenge.h{k}.example.org", "TXT")
                if r.answer[0][0].strings[0] != f"v{k}".encode():
                    bad.append(k)
                done[0] += 1

        threads = [threading.Thread(target=hammer) for _ in range(2)]
        for t in threads:
            t.start()
        for i in range(3):  # full sets anew, while questions are answered
            e.c.close()
            e.c = e.core(start=20 + i).load(items)
        for i in range(300):
            e.c.change([txt(f"_acme-challenge.h{i}.example.org", f"v{i}", 50000 + i)], 100 + i)
        beds.wait_for(lambda: done[0] > 50 or not any(t.is_alive() for t in threads), 120, "questions are answered meanwhile")
        stop.set()
        for t in threads:
            t.join()
        assert not bad and done[0] > 50


# ---- reports ----


def test_what_was_asked_is_reported_in_sums_and_only_for_names_we_have():
    with running(ITEMS, args=ARGS) as e:
        r = ed.attached(e.reports(), lambda: ask(e, "www.example.org", "TXT"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:  # all in one moment: sums are of a quarter of a second
            s.settimeout(60)
            for i in range(7):
                s.sendto(query(i, APEX.upper()), ("127.0.0.1", e.dns_port))
            assert all(s.recv(65535) for _ in range(7))
        ask(e, APEX, "TXT", tcp=True)
        ask(e, APEX, "CAA", host="::1")
        ask(e, "nothere." + APEX, "TXT")
        ask(e, "www.example.org", "TXT")
        got = ed.read_reports(r, 120, lambda out: sum(x["count"] for x in out) >= 9)
        time.sleep(0.4)
        got += ed.read_reports(r, 0.3)
        assert {x["name"] for x in got} == {APEX}
        udp = [x for x in got if x["transport"] == 1 and x["qtype"] == 16]
        assert sum(x["count"] for x in udp) == 7 and len(udp) <= 4
        assert udp[0]["source"][:4] == b"\x7f\0\0\0" and udp[0]["family"] == 4
        assert udp[0]["answers"] == 2 and udp[0]["status"] == 0
        assert abs(udp[0]["first"] / 1000 - time.time()) < 60
        assert sum(x["count"] for x in got if x["transport"] == 2) == 1
        caa = [x for x in got if x["qtype"] == 257]
        assert caa[0]["family"] == 6 and caa[0]["answers"] == 0


def test_totals_count_everything_and_are_kept_until_they_are_read():
    with running(ITEMS, args=ARGS) as e:
        for _ in range(30):
            ask(e, APEX, "TXT")
        for _ in range(5):
            ask(e, "www.example.org", "TYPE65280", tcp=True)
        raw_udp(e, WIRE + b"x")
        time.sleep(0.5)
        r = e.reports()
        time.sleep(0.1)
        ask(e, "nothere." + APEX, "A")
        ask(e, APEX, "TXT", tcp=True)
        want = {(1, 16, 0): 30, (2, 0, 5): 5, (1, 16, 1): 1, (1, 1, 3): 1, (2, 16, 0): 1}
        got = {}
        for x in ed.read_reports(r, 120, lambda out: sum(x["count"] for x in out) >= sum(want.values()), totals=True):
            key = (x["transport"], x["qtype"], x["status"])
            got[key] = got.get(key, 0) + x["count"]
        assert got == want


def test_a_report_reader_that_does_not_read_costs_nothing():
    with running(ITEMS, args=ARGS) as e:
        r = e.reports()
        for i in range(3000):
            assert raw_udp(e, query(i, APEX, 1 + i % 3000 if i % 3000 not in (250, 251, 252) else 16))
        assert r


# ---- the process ----


def test_it_links_libc_only():
    if sanitized():
        pytest.skip("a sanitizer build links its own libraries")
    out = subprocess.run(["ldd", ed.EXE], capture_output=True, text=True, check=True).stdout
    libs = {line.split()[0] for line in out.splitlines()}
    assert {x for x in libs if not x.startswith(("linux-vdso", "libc.so", "/lib"))} == set()


def sanitized():
    with open(ed.EXE, "rb") as f:
        data = f.read()
    return b"__asan_init" in data or b"__tsan_init" in data


def test_it_is_locked_in(edge):
    if sanitized():
        pytest.skip("a sanitizer build is not locked in")
    for task in os.listdir(f"/proc/{edge.proc.pid}/task"):
        with open(f"/proc/{edge.proc.pid}/task/{task}/status", encoding="ascii") as f:
            text = f.read()
        assert "NoNewPrivs:\t1" in text and "Seccomp:\t2" in text
    with open(f"/proc/{edge.proc.pid}/limits", encoding="ascii") as f:
        assert re.search(r"Max core file size\s+0\s+0", f.read())


@pytest.mark.parametrize("tcp", [False, True], ids=["udp thread", "tcp thread"])
@pytest.mark.parametrize("deed", ["nothing", "open", "socket", "connect", "bind", "execve", "ptrace", "clone", "fork", "mmap",
                                  "mprotect", "kill", "x32"])
def test_a_forbidden_call_ends_the_process(deed, tcp):
    if sanitized():
        pytest.skip("a sanitizer build is not locked in")
    with running(ITEMS, args=ARGS, exe=ed.SELFTEST) as e:
        assert ask(e, APEX, "TXT").rcode() == 0
        q = dns.message.make_query(deed + ".selftest.invalid", "A")
        if deed == "nothing":
            assert dns.query.udp(q, "127.0.0.1", 60, port=e.dns_port).rcode() == dns.rcode.REFUSED
            assert e.proc.poll() is None
            return
        try:
            (dns.query.tcp if tcp else dns.query.udp)(q, "127.0.0.1", 1, port=e.dns_port)
        except (dns.exception.Timeout, EOFError, ConnectionError):
            pass
        assert e.proc.wait(120) == -signal.SIGSYS


def test_the_product_has_no_such_hook():
    with open(ed.EXE, "rb") as f:
        assert b"selftest.invalid" not in f.read()


@pytest.mark.parametrize("args,env,words", [
    (["--nonsense"], {}, "--nonsense"),
    (["--hostname", "a..b"], {}, "empty label"),
    (["--soa-ttl", "31"], {}, "31"),
    (["--address", "example.com"], {}, "example.com"),
    (["extra"], {}, "extra"),
    ([], {}, "--hostname"),
    (ARGS, {"LISTEN_PID": "1"}, "LISTEN_PID"),
    (ARGS, {"LISTEN_FDS": "99"}, "LISTEN_FDS"),
    (ARGS, {"LISTEN_FDNAMES": ""}, "LISTEN_FDNAMES"),
    (ARGS + ["--parent-pid", "1"], {}, "parent"),
])
def test_a_wrong_start_is_refused_with_a_sentence(args, env, words):
    e = ed.Edge(args=args, env=env)
    try:
        e.start()
        assert e.proc.wait(120) != 0
        assert words in e.log_text()
    finally:
        e.stop()


def test_it_ends_with_its_parent():
    code = ("import os,subprocess,sys,time; sys.path.insert(0, %r); import edge_driver as ed\n"
            "e = ed.Edge(args=['--hostname', 'ns.example', '--parent-pid', str(os.getpid())]).start()\n"
            "e.core().load([]); print(e.proc.pid, flush=True); time.sleep(60)" % os.path.dirname(__file__))
    p = subprocess.Popen(["/usr/bin/python3", "-c", code], stdout=subprocess.PIPE, text=True)
    pid = int(p.stdout.readline())
    os.kill(pid, 0)
    p.kill()
    p.wait()
    for _ in range(2400):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("edge outlived its parent")


def test_random_rubbish_never_ends_it(edge):
    rnd = random.Random(42)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(5000):
            data = bytearray(WIRE if i % 2 else os.urandom(rnd.randrange(1, 600)))
            for _ in range(rnd.randrange(1, 6)):
                data[rnd.randrange(len(data))] = rnd.randrange(256)
            s.sendto(bytes(data), ("127.0.0.1", edge.dns_port))

    def answered():
        data = raw_udp(edge, WIRE, 1)  # the kernel's queue may be full of rubbish: asked again, as resolvers do
        return data and dns.message.from_wire(data)

    assert len(beds.wait_for(answered, 120, "it answers").answer[0]) == 2
    assert edge.proc.poll() is None
