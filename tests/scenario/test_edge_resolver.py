# SPDX-License-Identifier: Apache-2.0
"""A resolver set up as a certificate authority's asks edge: mixed case, minimised names, TCP for what is large, no stale answer."""
import os
import re
import shutil
import subprocess
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

import bed as beds
import edge_driver as ed
from edge_driver import remove, running, txt, zone
from ports import free_port

UNBOUND = shutil.which("unbound") or shutil.which("/usr/sbin/unbound")
pytestmark = pytest.mark.skipif(not UNBOUND, reason="unbound is not installed")

APEX = "_acme-challenge.example.com"
OWN = "acme.example.net"
ARGS = ["--hostname", "ns1." + OWN, "--zone", OWN, "--address", "192.0.2.53", "--log-format", "logfmt"]
ITEMS = [zone(APEX, 1), txt(APEX, "first", 2), zone("_acme-challenge.big.example.com", 3),
         *[txt("_acme-challenge.big.example.com", f"{i:02}" + "x" * 80, 10 + i) for i in range(40)],
         zone("_acme-challenge.empty.example.com", 4), txt("token." + OWN, "by CNAME", 5)]

CONF = """
server:
  interface: 127.0.0.1@{port}
  username: ""
  chroot: ""
  directory: "{dir}"
  pidfile: "{dir}/pid"
  use-syslog: no
  logfile: ""
  verbosity: 1
  do-daemonize: no
  do-ip6: no
  use-caps-for-id: yes
  qname-minimisation: {minimise}
  qname-minimisation-strict: {minimise}
  edns-buffer-size: 1232
  harden-glue: yes
  harden-below-nxdomain: yes
  harden-dnssec-stripped: yes
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  do-not-query-localhost: no
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
{stubs}
remote-control:
  control-enable: no
"""


@pytest.fixture(scope="module", params=["no", "yes"], ids=["whole names", "minimised names"])
def resolver(request, tmp_path_factory):
    with running(ITEMS, args=ARGS) as e:
        folder, port = str(tmp_path_factory.mktemp("unbound")), free_port()
        stubs = "".join(f'stub-zone:\n  name: "{z}"\n  stub-addr: 127.0.0.1@{e.dns_port}\n'
                        for z in (APEX, "_acme-challenge.big.example.com", "_acme-challenge.empty.example.com", OWN))
        conf = os.path.join(folder, "unbound.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(CONF.format(port=port, dir=folder, minimise=request.param, stubs=stubs))
        with open(os.path.join(folder, "log"), "wb") as log:
            p = subprocess.Popen([UNBOUND, "-d", "-c", conf], stdout=log, stderr=log)
        try:
            def up():
                assert p.poll() is None, open(os.path.join(folder, "log"), encoding="utf-8").read()
                try:
                    return dns.query.udp(dns.message.make_query("localhost", "A"), "127.0.0.1", 0.2, port=port)
                except (OSError, dns.exception.DNSException):
                    return None

            beds.wait_for(up, 120, "unbound answers")
            yield e, port
        finally:
            p.terminate()
            p.wait(120)


def ask(port, name, rdtype):
    return dns.message.make_query(name, rdtype, use_edns=0, payload=4096), lambda q: dns.query.udp_with_fallback(
        q, "127.0.0.1", 60, port=port)[0]


def resolve(port, name, rdtype="TXT"):
    q, send = ask(port, name, rdtype)
    return send(q)


def values(r):
    return sorted(b"".join(x.strings).decode() for s in r.answer for x in s)


def test_a_value_is_found_and_a_change_is_seen_at_once(resolver):
    e, port = resolver
    assert values(resolve(port, APEX)) == ["first"]
    for i in range(10):
        e.c.change([txt(APEX, f"second {i}", 3)], 100 + 2 * i)
        assert values(resolve(port, APEX)) == ["first", f"second {i}"]
        e.c.change([remove(ed.TXT, APEX, 3)], 101 + 2 * i)
        assert values(resolve(port, APEX)) == ["first"]


def test_nothing_there_is_no_data_and_not_servfail(resolver):
    _, port = resolver
    for name in ("_acme-challenge.empty.example.com", APEX, OWN):
        for rdtype in ("AAAA", "CAA", "MX", "HTTPS", "TYPE65280", *(["TXT"] if "empty" in name else [])):
            r = resolve(port, name, rdtype)
            assert (r.rcode(), r.answer) == (dns.rcode.NOERROR, []), (name, rdtype)
    assert resolve(port, "nothere." + OWN).rcode() == dns.rcode.NXDOMAIN


def test_forty_values_come_by_tcp(resolver):
    _, port = resolver
    r = resolve(port, "_acme-challenge.big.example.com")
    assert len(values(r)) == 40


def test_names_of_our_own_zone(resolver):
    _, port = resolver
    assert values(resolve(port, "token." + OWN)) == ["by CNAME"]
    assert resolve(port, "ns1." + OWN, "A").answer[0][0].address == "192.0.2.53"
    assert re.match(r"ns1\.acme\.example\.net\.$", str(resolve(port, OWN, "NS").answer[0][0].target).lower())


def test_mixed_case_never_needed_a_second_try(resolver):
    e, port = resolver
    reports, marks, rows = e.reports(), 0, []

    def mark():
        """A question of our own that no resolver asks: when it is told, all before it is told too."""
        nonlocal marks, rows
        rows, until, missing = [], time.monotonic() + 120, 1
        while missing:
            assert time.monotonic() < until, rows
            q = dns.message.make_query("www.elsewhere.example", "TXT")
            assert dns.query.udp(q, "127.0.0.1", 60, port=e.dns_port).rcode() == dns.rcode.REFUSED
            marks += 1
            rows += ed.read_reports(reports, 1, lambda out: sum(x["count"] for x in rows + out if x["status"] == 5) >= marks, totals=True)
            missing = marks - sum(x["count"] for x in rows if x["status"] == 5)
        marks = 0

    mark()  # what was kept until now
    for _ in range(50):
        assert resolve(port, APEX).rcode() == dns.rcode.NOERROR
    mark()
    assert sum(x["count"] for x in rows if x["qtype"] == 16 and x["status"] == 0) == 50
