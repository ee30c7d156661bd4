# SPDX-License-Identifier: Apache-2.0
"""Akamai Edge DNS: our publisher against a fake with state that checks signatures, with Prism and Akamai's own description between them; every
signature is computed again by Akamai's own library."""
import json
import shutil
import subprocess

import prism
import pytest
from akamai_api import HOST, Akamai
from provider_fixtures import NAME, world  # noqa: F401
from provider_tool import VALUES, fine, provider, refused


def fields(w, url, **other):
    return {"url": url, "edgerc": w.api.edgerc(), **other}


def walk_through(w, url):
    theirs = ['"v=spf1"  "-all"', "unquoted"]
    w.zones.put("example.test", NAME, 3600, theirs)
    assert fine("akamai", "zones", "-", **fields(w, url))[:2] == ["example.test", "sub.example.test"]
    assert fine("akamai", "find-zone", "_acme-challenge.www.sub.example.test", **fields(w, url)) == "sub.example.test"
    for zone in (None, "example.test"):
        fine("akamai", "publish", NAME, *VALUES, **fields(w, url, zone=zone))
        assert w.zones.get("example.test", NAME) == (3600, [*theirs, *(f'"{v}"' for v in VALUES)])
    fine("akamai", "withdraw", NAME, *VALUES, **fields(w, url))
    assert w.zones.get("example.test", NAME) == (3600, theirs)
    other = "_acme-challenge.www.example.test"
    fine("akamai", "publish", other, VALUES[0], **fields(w, url))
    assert w.zones.get("example.test", other) == (60, [f'"{VALUES[0]}"'])
    for _ in range(2):
        fine("akamai", "withdraw", other, VALUES[0], **fields(w, url))
    assert w.zones.get("example.test", other) is None


def test_a_life_at_akamai_leaves_the_zone_as_it_was(world):  # noqa: F811
    w = world(Akamai)
    walk_through(w, w.api.url)


def test_both_directions_are_as_akamai_describes_them(world, tmp_path):  # noqa: F811
    w = world(Akamai)
    p = w.put_prism_before(tmp_path, "akamai-edgedns-v2.json")
    walk_through(w, p.url)
    assert p.violations() == []


def test_more_than_a_page_of_zones_is_seen(world):  # noqa: F811
    names = [f"z{i:03d}.test" for i in range(60)]
    w = world(Akamai, *names)
    assert fine("akamai", "zones", "-", **fields(w, w.api.url)) == names


def test_refusals_have_their_class_and_words(world):  # noqa: F811
    w = world(Akamai)
    four = {"url": w.api.url, "host": HOST, "client_token": Akamai.CLIENT, "access_token": Akamai.ACCESS}
    fine("akamai", "publish", NAME, VALUES[0], client_secret=Akamai.SECRET, **four)
    error = refused("unauthenticated", "akamai", "publish", NAME, *VALUES, client_secret="d3Jvbmctd3Jvbmctd3Jvbmc=", **four)
    assert "does not match" in str(error) and "d3Jvbmct" not in str(error)
    if shutil.which("faketime"):
        error = provider("akamai", "publish", NAME, *VALUES, before=["faketime", "-f", "-10m"], **fields(w, w.api.url))["error"]
        assert error["code"] == "remote-busy" and "behind theirs" in str(error), error
    refused("not-found", "akamai", "publish", "_acme-challenge.example.net", *VALUES, **fields(w, w.api.url))
    assert w.zones.values(NAME) == [VALUES[0]]


SIGN = """
const auth = require(process.argv[2] + '/akamai-edgegrid/src/auth.js');
const rows = JSON.parse(require('fs').readFileSync(0, 'utf8'));
for (const r of rows) {
  const q = auth.generateAuth({method: r.method, path: r.path, headers: {}, body: r.body, headersToSign: {}}, r.client, r.secret, r.access,
                              'https://' + r.host, 131072, r.nonce, r.timestamp);
  console.log(q.headers.Authorization);
}
"""


def test_akamais_own_library_gives_the_same_signatures(world, tmp_path):  # noqa: F811
    if not (prism.PEERS / "akamai-edgegrid").is_dir():
        pytest.skip("akamai-edgegrid is not here: tools/setup --peers brings it from the npm registry")
    w = world(Akamai)
    walk_through(w, w.api.url)
    fine("akamai", "zones", "-", **fields(w, w.api.url, account_key="1-5C0YLB:1-8BYUX"))
    rows, ours = [], []
    for q in w.api.requests:
        ours.append(q.headers["Authorization"])
        part = dict(p.split("=", 1) for p in q.headers["Authorization"].split(" ", 1)[1].split(";"))
        rows.append({"method": q.method, "path": q.path, "body": q.body.decode(), "client": Akamai.CLIENT, "secret": Akamai.SECRET,
                     "access": Akamai.ACCESS, "host": HOST, "nonce": part["nonce"], "timestamp": part["timestamp"]})
    (tmp_path / "sign.cjs").write_text(SIGN)
    done = subprocess.run(["node", tmp_path / "sign.cjs", prism.PEERS], input=json.dumps(rows), capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == ours
