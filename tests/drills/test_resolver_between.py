# SPDX-License-Identifier: Apache-2.0
"""Whole orders while the CA asks through unbound, which mixes the case of every question and minimises names."""
import helpers
import pytest
import unbound

import bed as beds

pytestmark = pytest.mark.skipif(not unbound.PROGRAM, reason="unbound is not installed (tools/setup --test)")
NAMES = [f"u{i}.example.test" for i in range(10)]


class Site:
    """A CA that asks unbound, and Certwright, to which each name is delegated."""

    def __init__(self, folder, tls):
        dns, http = beds.free_port(), beds.free_port()
        self.user, self.parts = beds.user_of_parts(), []
        self.resolver = self.add(unbound.Unbound(folder, {f"_acme-challenge.{name}": ("127.0.0.1", dns) for name in NAMES}, verbosity=4))
        self.ca = self.add(beds.Pebble(folder, self.resolver.port, http, self.user, True, {"PEBBLE_AUTHZREUSE": "0"}, False, tls))
        trust = folder / "trust.pem"
        trust.write_bytes(self.ca.ca.read_bytes())
        trust.chmod(0o644)
        self.server = self.add(beds.Server(folder, {"net.trust": str(trust)}, self.user, ports={"dns": dns, "http": http}))
        self.server.start()
        self.account = self.server.call("account", "register", "--directory", self.ca.directory, "--email", "admin@certwright.test", "--agree-tos")

    def add(self, part):
        self.parts.append(part)
        return part

    def stop(self):
        for part in reversed(self.parts):
            part.stop()


@pytest.fixture
def site(scratch, tls):
    one = Site(scratch, tls)
    yield one
    one.stop()


def test_apex_and_wildcard_are_proved_through_a_resolver_with_mixed_case_and_minimised_names(site):
    ids = {name: helpers.order(site, site.account, [name, f"*.{name}"], "dns-01", "--dns", "delegation")["id"] for name in NAMES}
    over = helpers.wait_all(site, list(ids.values()), 180)
    assert len(over) == len(NAMES) and {o["status"] for o in over.values()} == {"valid"}, over
    for name, one in ids.items():
        assert helpers.names_of(helpers.chain(site, one)[0]) == [f"*.{name}", name]
    assert site.ca.issued() == len(NAMES)
    helpers.nothing_left(site, NAMES)
    said = site.resolver.process.text().lower()
    assert said.count("good 0x20-id in reply qname") >= len(NAMES), "the questions went out in mixed case"
    assert "wrong 0x20-id" not in said and "capsforid" not in said, "our answers kept the case of each question"
