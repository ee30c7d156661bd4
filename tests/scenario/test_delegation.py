# SPDX-License-Identifier: Apache-2.0
"""Delegations as their parent zone (BIND) has them: by NS, by CNAME into a zone of ours, and one that has gone elsewhere."""
import pathlib
import shutil
import time

import bed as beds
import dnsviews
import pytest
from helpers import nothing_left, order, txt, wait_order

pytestmark = pytest.mark.skipif(dnsviews.missing() is not None, reason=str(dnsviews.missing()))
UNBOUND = shutil.which("unbound") or "/usr/sbin/unbound"
ZONE = "views.test"
NAME = f"_acme-challenge.{ZONE}"


@pytest.fixture
def parent(scratch):
    """The zone of the name, and a resolver that finds it."""
    address = dnsviews.addresses(1)[0]
    server = dnsviews.Bind(scratch / "parent", address, ZONE, [address])
    server.finder = dnsviews.Liar(address)
    yield server
    server.finder.stop()
    server.stop()


def look(bed, ref):
    done = bed.server.cli("delegation", "check", ref)  # 7: something has to be put right
    assert done.status in (0, 7), done
    return bed.server.call("delegation", "show", ref)


def delegation_facts(shown):
    return [f["state"] for f in shown["facts"] if f["check"] == "delegation"]


def test_what_was_delegated_to_us_and_has_gone_elsewhere_stops_the_order_before_the_authority_is_asked(make_bed, parent):
    bed = make_bed(settings={"resolve.servers": f"127.0.0.1:{parent.finder.port}"})
    account = bed.account()
    made = bed.server.call("delegation", "create", ZONE)
    assert made["cname_line"] is None and made["away"] is None
    shown = look(bed, made["id"])
    assert delegation_facts(shown) == ["bad"] and shown["away"] is None, "what never was ours has not gone"
    parent.update(f"update add {NAME} 60 NS ns.certwright.test.")
    assert delegation_facts(look(bed, made["id"])) == ["good"]

    parent.update(f"update delete {NAME} NS\nupdate add {NAME} 60 NS ns.somebody-else.test.")
    shown = look(bed, made["id"])
    assert delegation_facts(shown) == ["bad"] and "ns.somebody-else.test" in shown["away"] and shown["away_since"], shown
    notices = bed.server.request("GET", "/notices")[1]["items"]
    assert [(n["kind"], n["subject_id"]) for n in notices] == [("delegation-lost", made["id"])], notices
    before = bed.ca.process.text().count("new-order") + bed.ca.process.text().count("order-plz")
    waits = order(bed, account, [ZONE, f"*.{ZONE}"], "dns-01", "--dns", "delegation")
    o = beds.wait_for(lambda: (got := bed.server.request("GET", f"/orders/{waits['id']}")[1])["reason"] and got, 240, "the order says why")
    assert "not any more" in o["reason"]["detail"] and "ns.somebody-else.test" in o["reason"]["detail"], o["reason"]
    assert "authority was not asked" in o["reason"]["hint"]
    assert o["status"] == "pending" and not o["records"], o
    assert bed.ca.process.text().count("new-order") + bed.ca.process.text().count("order-plz") == before

    parent.update(f"update delete {NAME} NS\nupdate add {NAME} 60 NS ns.certwright.test.")
    bed.server.cli("order", "refresh", waits["id"])
    assert wait_order(bed, waits["id"])["status"] == "valid"
    assert bed.server.call("delegation", "show", made["id"])["away"] is None
    assert not bed.server.request("GET", "/notices")[1]["items"]


def test_a_name_that_should_lead_to_a_provider_is_looked_at_as_such(make_bed, parent):
    bed = make_bed(settings={"resolve.servers": f"127.0.0.1:{parent.finder.port}"})
    provider = bed.server.request("POST", "/providers", {"kind": "httpreq", "name": "hooks", "fields": {"url": "https://hooks.example.test/"}})[1]
    target = f"_acme-challenge.acme.{ZONE}"
    made = bed.server.call("delegation", "create", ZONE, "--provider", provider["id"], "--target", target)
    shown = look(bed, made["id"])
    assert delegation_facts(shown) == ["bad"] and f"3600 IN CNAME {target}." in str(shown["facts"]), shown
    parent.update(f"update add {NAME} 60 CNAME elsewhere.{ZONE}.")
    shown = look(bed, made["id"])
    assert delegation_facts(shown) == ["bad"] and f"is an alias of 'elsewhere.{ZONE}'" in str(shown["facts"]), shown
    parent.update(f"update delete {NAME} CNAME\nupdate add {NAME} 60 CNAME {target}.")
    assert delegation_facts(look(bed, made["id"])) == ["good"]
    assert bed.server.cli("delegation", "lines").out == ""
    parent.update(f"update delete {NAME} CNAME")
    shown = look(bed, made["id"])
    assert shown["away"] and "does not lead to" in shown["away"], shown
    notices = bed.server.request("GET", "/notices")[1]["items"]
    assert [n["kind"] for n in notices] == ["delegation-lost"] and f"led to '{target}' and does not any more" in notices[0]["cause"], notices


class Unbound:
    """A resolver as an authority has one, which knows where the two zones are."""

    def __init__(self, folder, zones):
        self.folder, self.port = pathlib.Path(folder) / "unbound", beds.free_port()
        self.folder.mkdir()
        stubs = "".join(f'stub-zone:\n  name: "{z}"\n  stub-addr: {a}\n' for z, a in zones.items())
        (self.folder / "unbound.conf").write_text(f"""server:
  interface: 127.0.0.1@{self.port}
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/pid"
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  use-caps-for-id: yes
  qname-minimisation: yes
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  do-not-query-localhost: no
  module-config: "iterator"
  domain-insecure: "test"
  local-zone: "test." nodefault
{stubs}remote-control:
  control-enable: no
""")
        self.process = beds.Process("unbound", [UNBOUND, "-d", "-c", self.folder / "unbound.conf"], self.folder)
        beds.wait_for(lambda: "start of service" in self.process.text() or not self.process.running(), 120, "unbound listens")

    def stop(self):
        self.process.stop(5)


@pytest.mark.skipif(not pathlib.Path(UNBOUND).exists(), reason="unbound is not installed")
def test_a_name_whose_parent_cannot_delegate_leads_to_a_zone_of_ours_by_cname(make_bed, scratch, parent):
    dns_port = beds.free_port()
    resolver = Unbound(scratch, {ZONE: f"127.0.0.1@{parent.port}", "acme-own.test": f"127.0.0.1@{dns_port}"})
    try:
        bed = make_bed(forward=[resolver.port], ports={"dns": dns_port},
                       settings={"resolve.servers": f"127.0.0.1:{parent.finder.port}", "dns.zone": "acme-own.test", "dns.hostname": "ns.acme-own.test",
                                 "dns.public_addresses": "192.0.2.53"})
        account = bed.account()
        made = bed.server.call("delegation", "create", ZONE)
        line = made["cname_line"].split()
        assert line[0] == f"{NAME}." and line[2:4] == ["IN", "CNAME"] and line[4].endswith(".acme-own.test."), line
        parent.update(f"update add {NAME} 60 CNAME elsewhere.views.test.")
        assert delegation_facts(look(bed, made["id"])) == ["bad"]
        parent.update(f"update delete {NAME} CNAME\nupdate add {line[0]} 60 CNAME {line[4]}")
        assert delegation_facts(look(bed, made["id"])) == ["good"]
        done = wait_order(bed, order(bed, account, [ZONE, f"*.{ZONE}"], "dns-01", "--dns", "delegation")["id"])
        assert done["status"] == "valid", done
        assert {r["alias"] for r in done["records"]} == {line[4].rstrip(".")}
        nothing_left(bed, [ZONE])
        until = time.monotonic() + 120
        while txt(bed, line[4]):
            assert time.monotonic() < until, "the value is still answered at the alias"
            time.sleep(0.2)
    finally:
        resolver.stop()
