# SPDX-License-Identifier: Apache-2.0
"""kill -9 between publish and withdraw, at every kind of provider: each time the order ends valid, and the zone is as it was. Where exactly a life
of an order can be cut is walked through by `make crash`; here the moments after a publish are, at other people's and at faked remote sides."""
import contextlib
import http.server
import signal
import threading
import time

import bed as beds
import dnspeers
import helpers
import pytest
import test_provider_programs as programs
from akamai_api import Akamai
from cloudflare_api import Cloudflare
from provider_fixtures import NAME, world  # noqa: F401
from test_provider_orders import hooks, site  # noqa: F401

THEIRS = "somebody else's value"
MOMENTS = (0, 0.05, 0.2, 0.6, 1.5)  # seconds after the value was seen at the provider
AT_A_VENDOR = ("cloudflare", "akamai", "route53")
AT_BIND = ("rfc2136", "exec", "acmesh", "httpreq")


@contextlib.contextmanager
def vendor(kind, make_world, make_site):
    """A fake with state whose zone is what the authority sees."""
    if kind == "route53":
        fake = pytest.importorskip("route53_api", reason="botocore is not installed for this Python").Route53
    else:
        fake = {"cloudflare": Cloudflare, "akamai": Akamai}[kind]
    w = make_world(fake)
    s = make_site(w.names.port)
    if kind == "cloudflare":
        w.api.create("example.test", {"type": "TXT", "name": NAME, "content": THEIRS, "ttl": 1})
        p = s.provider(kind, url=f"{w.api.url}/client/v4", token=fake.TOKEN)
    else:
        w.zones.put("example.test", NAME, 3600, [f'"{THEIRS}"'])
        p = (s.provider(kind, url=w.api.url, edgerc=w.api.edgerc()) if kind == "akamai" else
             s.provider(kind, url=w.api.url, access_key_id=fake.KEY, secret_access_key=fake.SECRET))
    yield s, p, w.zones.values


@contextlib.contextmanager
def bind(kind, folder, scripts, make_site):
    """BIND, changed by us, by a script, by a hook, or by a small service."""
    if not dnspeers.Named.here():
        pytest.skip("BIND is not installed")
    peer = dnspeers.Named(folder / "peer")
    service = http.server.ThreadingHTTPServer(("127.0.0.1", beds.free_port()), programs.Hooks)
    service.peer = peer
    threading.Thread(target=service.serve_forever, daemon=True).start()
    script, acme = programs.program(scripts, "dns-hook", programs.SCRIPT), programs.acme_sh(scripts)
    try:
        peer.update(f'update add {NAME} 60 TXT "{THEIRS}"')
        s = make_site(peer.port, {"programs.dns-hook": str(script), "programs.acme-sh": str(acme)})
        fields = {"rfc2136": {"server": f"127.0.0.1:{peer.port}", "tsig_key": dnspeers.KEY, "tsig_secret": dnspeers.SECRET},
                  "exec": {"program": "dns-hook", "environment": "".join(f"{k}={v}\n" for k, v in programs.environment(peer).items())},
                  "acmesh": {"program": "acme-sh", "hook": "dns_test", "options": f"TEST_Port={peer.port}\nTEST_Key={dnspeers.KEY}:{dnspeers.SECRET}\n"},
                  "httpreq": {"url": f"http://127.0.0.1:{service.server_address[1]}", "username": "user", "password": "password"}}
        yield s, s.provider(kind, **fields[kind]), peer.values
    finally:
        service.shutdown()
        service.server_close()
        peer.stop()


@pytest.mark.parametrize("kind", AT_A_VENDOR + AT_BIND)
def test_killed_after_a_publish_the_order_is_valid_and_the_zone_as_it_was(kind, world, site, scratch, hooks):  # noqa: F811
    place = vendor(kind, world, site) if kind in AT_A_VENDOR else bind(kind, scratch, hooks, site)
    with place as (s, provider, values):
        for moment in MOMENTS:
            order = s.order(provider)
            # or it is over before we have seen that it was there
            beds.wait_for(lambda: values(NAME) != [THEIRS] or s.server.request("GET", f"/orders/{order}")[1]["status"] != "pending",  # noqa: B023
                          240, "the value is published", 0.005)
            time.sleep(moment)
            s.server.kill("core", signal.SIGKILL)
            beds.wait_for(s.server.ready, 240, "core is back")
            assert helpers.wait_order(s, order, 240)["status"] == "valid"
            beds.wait_for(lambda: values(NAME) == [THEIRS], 240, f"the zone is as it was: {values(NAME)}")
