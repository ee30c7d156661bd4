# SPDX-License-Identifier: Apache-2.0
"""Cloudflare: our publisher against a fake with state, with Prism and Cloudflare's own description between them; the fake is judged by
certbot's plugin."""
import dnspeers  # noqa: F401  (its folder is on the path)
import pytest
from cloudflare_api import Cloudflare
from provider_fixtures import NAME, world  # noqa: F401
from provider_tool import VALUES, fine, refused


def fields(url, **other):
    return {"url": f"{url}/client/v4", "token": Cloudflare.TOKEN, **other}


def walk_through(w, url):
    """Everything a provider does in its life; each step is looked at in the zone."""
    for name in ("www.example.test", "cdn.example.test"):
        assert w.api.create("example.test", {"type": "A", "name": name, "content": "192.0.2.1", "ttl": 1})[0] == 200
    assert fine("cloudflare", "zones", "-", **fields(url)) == ["example.test", "sub.example.test"]
    assert fine("cloudflare", "find-zone", "_acme-challenge.www.sub.example.test", **fields(url)) == "sub.example.test"
    for zone in (None, "example.test"):
        fine("cloudflare", "publish", NAME, *VALUES, **fields(url, zone=zone))
        assert w.zones.values(NAME) == sorted(VALUES)
    fine("cloudflare", "publish", NAME, "third", **fields(url))
    fine("cloudflare", "withdraw", NAME, *VALUES, **fields(url))
    assert w.zones.values(NAME) == ["third"]
    for _ in range(2):
        fine("cloudflare", "withdraw", NAME, "third", **fields(url))
    assert w.zones.values(NAME) == []
    assert len(w.api.ids) == 2  # the records of others


def test_a_life_at_cloudflare_leaves_the_zone_as_it_was(world):  # noqa: F811
    w = world(Cloudflare)
    walk_through(w, w.api.url)


def test_both_directions_are_as_cloudflare_describes_them(world, tmp_path):  # noqa: F811
    w = world(Cloudflare)
    p = w.put_prism_before(tmp_path, "cloudflare-dns-v4.json")
    walk_through(w, p.url)
    assert p.violations() == []


def test_refusals_have_their_class_and_words(world):  # noqa: F811
    w = world(Cloudflare)
    error = refused("unauthenticated", "cloudflare", "publish", NAME, *VALUES, url=f"{w.api.url}/client/v4", token="another-token-0123456789")
    assert "Authentication error" in str(error) and "another-token" not in str(error)
    w.api.faults = [(429, {"Retry-After": "77"}, b"{}")]
    error = refused("remote-limit", "cloudflare", "publish", NAME, *VALUES, **fields(w.api.url))
    assert "retry_at" in error
    w.api.faults = [(503, {}, b"<html>")]
    refused("remote-busy", "cloudflare", "publish", NAME, *VALUES, **fields(w.api.url))
    refused("not-found", "cloudflare", "publish", "_acme-challenge.example.net", *VALUES, **fields(w.api.url))
    assert w.zones.values(NAME) == []


def test_certbots_plugin_works_with_the_fake_and_beside_us(world):  # noqa: F811
    CloudFlare = pytest.importorskip("CloudFlare")
    plugin = pytest.importorskip("certbot_dns_cloudflare._internal.dns_cloudflare")
    w = world(Cloudflare)
    client = plugin._CloudflareClient(api_token=Cloudflare.TOKEN)
    client.cf = CloudFlare.CloudFlare(token=Cloudflare.TOKEN, base_url=f"{w.api.url}/client/v4")
    client.add_txt_record("example.test", NAME, "certbots", 120)
    fine("cloudflare", "publish", NAME, *VALUES, **fields(w.api.url))
    assert w.zones.values(NAME) == sorted([*VALUES, "certbots"])
    client.del_txt_record("example.test", NAME, VALUES[0])
    fine("cloudflare", "withdraw", NAME, *VALUES, **fields(w.api.url))
    assert w.zones.values(NAME) == ["certbots"]
    client.del_txt_record("example.test", NAME, "certbots")
    assert w.zones.values(NAME) == []
