# SPDX-License-Identifier: Apache-2.0
"""A site without a route to the Internet, with Certwright from the package, issues in five ways, and nothing is on its wires that docs/generated/firewall.md does not name."""
import json
import pathlib
import subprocess
import sys

import isolated_site
import pytest

HERE = pathlib.Path(__file__).resolve().parent


@pytest.mark.skipif(isolated_site.why_not() is not None, reason=str(isolated_site.why_not()))
def test_an_isolated_site_issues_every_way_and_says_nothing_that_is_not_documented(scratch):
    done = subprocess.run([sys.executable, HERE / "isolated_site.py", scratch], capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    got = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(got, indent=1))
    print(got["way"])
    assert len(got["orders"]) == 5
    for what, (status, reason, right) in got["orders"].items():
        assert (status, right) == ("valid", True), (what, status, reason)
    assert got["issued"] == {"outside": 4, "inside": 1}
    assert got["left"] == {"akamai": [], "powerdns": {}} and got["owed"] == []
    site, border = got["site"]["counters"], got["border"]["counters"]
    assert (site["other_out"], site["other_in"], got["site"]["strangers"]["strangers"]) == (0, 0, []), got["site"]
    assert (border["leak"], border["other"], got["border"]["strangers"]["strangers"]) == (0, 0, []), got["border"]
    for row in ("proxy", "provider", "inhouse_ca", "dns_in", "http_in"):
        assert site[row] > 0, f"nothing went the way '{row}': {site}"
    for row in ("nat_dns", "nat_http", "ca", "akamai", "doh", "names", "forwarded"):
        assert border[row] > 0, f"nothing went the way '{row}': {border}"
