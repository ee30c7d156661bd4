# SPDX-License-Identifier: Apache-2.0
"""Route 53: our publisher against a fake with the real rules of batches, whose signature check is botocore's; the fake is judged by awscli."""
import json
import os
import shutil
import subprocess

import pytest
from provider_fixtures import NAME, world  # noqa: F401
from provider_tool import VALUES, fine, provider, refused

import bed

route53_api = pytest.importorskip("route53_api", reason="botocore is not installed for this Python")
botocore = pytest.importorskip("botocore.session")
Route53 = route53_api.Route53


def fields(w, **other):
    return {"url": w.api.url, "access_key_id": Route53.KEY, "secret_access_key": Route53.SECRET, **other}


def walk_through(w, **other):
    theirs = ['"v=spf1"  "<&>\'"', '"other"']
    w.zones.put("example.test", NAME, 3600, theirs)
    assert fine("route53", "zones", "-", **fields(w, **other)) == ["example.test", "sub.example.test"]
    assert fine("route53", "find-zone", "_acme-challenge.www.sub.example.test", **fields(w, **other)) == "sub.example.test"
    for zone in (None, "example.test"):
        fine("route53", "publish", NAME, *VALUES, **fields(w, zone=zone, **other))
        assert w.zones.get("example.test", NAME) == (3600, [*theirs, *(f'"{v}"' for v in VALUES)])
    fine("route53", "withdraw", NAME, *VALUES, **fields(w, **other))
    assert w.zones.get("example.test", NAME) == (3600, theirs)
    other_name = "_acme-challenge.www.example.test"
    fine("route53", "publish", other_name, VALUES[0], **fields(w, **other))
    for _ in range(2):
        fine("route53", "withdraw", other_name, VALUES[0], **fields(w, **other))
    assert w.zones.get("example.test", other_name) is None


def test_a_life_at_route53_leaves_the_zone_as_it_was(world):  # noqa: F811
    w = world(Route53)
    w.api.private = {"example.test"}
    walk_through(w)


def test_a_change_is_asked_for_until_all_their_servers_have_it(world):  # noqa: F811
    w = world(Route53)
    receipt = fine("route53", "publish", NAME, *VALUES, **fields(w))
    assert receipt and receipt in w.api.changes
    assert [fine("route53", "settled", receipt, **fields(w)) for _ in range(3)] == [False, True, True]
    assert fine("route53", "publish", NAME, *VALUES, **fields(w)) is None, "nothing was changed, so nothing is asked for"
    refused("remote-refused", "route53", "settled", "C0000000000000", **fields(w))
    w.api.faults = [w.api.error(403, "AccessDenied", "User is not authorized to perform: route53:GetChange")]
    refused("denied", "route53", "settled", receipt, **fields(w))


def test_a_role_is_assumed_and_its_token_sent(world):  # noqa: F811
    w = world(Route53)
    walk_through(w, role_arn=Route53.ROLE, sts_url=w.api.url)
    used = {q.headers.get("X-Amz-Security-Token") for q in w.api.requests if q.path != "/"}
    assert used == {Route53.ROLE_TOKEN}
    refused("denied", "route53", "publish", NAME, VALUES[0], **fields(w, role_arn="arn:aws:iam::123456789012:role/other", sts_url=w.api.url))


def test_a_configured_zone_needs_no_listing_and_holds_only_its_names(world):  # noqa: F811
    w = world(Route53)
    zid = w.api.zone_id("example.test")
    fine("route53", "publish", NAME, *VALUES, **fields(w, hosted_zone_id=zid))
    assert w.zones.values(NAME) == sorted(VALUES)
    assert not any("hostedzonesbyname" in q.path for q in w.api.requests)
    refused("not-found", "route53", "publish", "_acme-challenge.example.net", *VALUES, **fields(w, hosted_zone_id=zid))


def test_two_public_zones_of_one_name_are_asked_about(world):  # noqa: F811
    w = world(Route53)
    w.api.twice = {"example.test"}
    error = refused("denied", "route53", "publish", NAME, *VALUES, **fields(w))
    assert "Hosted zone id" in str(error)


def test_refusals_have_their_class_and_words(world):  # noqa: F811
    w = world(Route53)
    error = refused("unauthenticated", "route53", "publish", NAME, *VALUES, url=w.api.url, access_key_id=Route53.KEY,
                    secret_access_key="wrong/wrong/wrong/wrong/wrong/wrong/0123")
    assert "does not match" in str(error) and "wrong/wrong" not in str(error)
    refused("unauthenticated", "route53", "publish", NAME, *VALUES, url=w.api.url, access_key_id="AKIAOTHER", secret_access_key=Route53.SECRET)
    for code in ("Throttling", "PriorRequestNotComplete"):
        w.api.faults = [w.api.error(400, code, "Rate exceeded")]
        assert "retry_at" in refused("remote-limit", "route53", "publish", NAME, *VALUES, **fields(w))
    if shutil.which("faketime"):
        error = provider("route53", "publish", NAME, *VALUES, before=["faketime", "-f", "-10m"], **fields(w))["error"]
        assert error["code"] == "remote-busy" and "clock" in str(error), error
    assert w.zones.values(NAME) == []


def test_awscli_works_with_the_fake_and_beside_us(world):  # noqa: F811
    if not os.access("/usr/bin/aws", os.X_OK):
        pytest.skip("awscli is not installed")
    w = world(Route53)

    def aws(*args):
        env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "AWS_ACCESS_KEY_ID": Route53.KEY, "AWS_SECRET_ACCESS_KEY": Route53.SECRET,
               "AWS_DEFAULT_REGION": "us-east-1"}
        done = subprocess.run(["/usr/bin/aws", "--endpoint-url", w.api.url, "--output", "json", "route53", *args], env=env, capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    zone = aws("list-hosted-zones-by-name", "--dns-name", "example.test", "--max-items", "1")["HostedZones"][0]
    assert zone["Name"] == "example.test."
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": {"Name": NAME, "Type": "TXT", "TTL": 60,
                                                                   "ResourceRecords": [{"Value": '"theirs"'}]}}]}
    change = aws("change-resource-record-sets", "--hosted-zone-id", zone["Id"], "--change-batch", json.dumps(batch))["ChangeInfo"]
    assert change["Status"] == "PENDING" and aws("get-change", "--id", change["Id"])["ChangeInfo"]["Status"] in ("PENDING", "INSYNC")
    fine("route53", "publish", NAME, *VALUES, **fields(w))
    sets = aws("list-resource-record-sets", "--hosted-zone-id", zone["Id"], "--start-record-name", NAME, "--start-record-type", "TXT")
    assert [v["Value"] for v in sets["ResourceRecordSets"][0]["ResourceRecords"]] == ['"theirs"', *(f'"{v}"' for v in VALUES)]
    fine("route53", "withdraw", NAME, *VALUES, **fields(w))
    assert w.zones.values(NAME) == ["theirs"]


MOTO = bed.TOP / "build" / "peers" / "python" / "bin" / "moto_server"


def test_moto_takes_our_batches_as_it_takes_everybodys(tmp_path):
    """Another's model of Route 53 and STS. It is lenient, so it proves the ordinary way only; the rules are the fake's matter."""
    if not MOTO.exists():
        pytest.skip("moto is not here: tools/setup --peers brings it from the Python package index")
    port = bed.free_port()
    url = f"http://127.0.0.1:{port}"
    server = bed.Process("moto", [MOTO, "-H", "127.0.0.1", "-p", port], tmp_path)
    try:
        bed.wait_for(lambda: "Running on" in server.text() or not server.running(), 120, f"moto answers\n{server.text()}")
        call = {"url": url, "sts_url": url, "access_key_id": Route53.KEY, "secret_access_key": Route53.SECRET}
        client = botocore.get_session().create_client("route53", endpoint_url=url, region_name="us-east-1", aws_access_key_id=Route53.KEY,
                                                              aws_secret_access_key=Route53.SECRET)
        client.create_hosted_zone(Name="example.test", CallerReference="1")
        assert fine("route53", "zones", "-", **call) == ["example.test"]
        for role in (None, Route53.ROLE):
            fine("route53", "publish", NAME, *VALUES, role_arn=role, **call)
            fine("route53", "publish", NAME, *VALUES, zone="example.test", role_arn=role, **call)
            zone = fine("route53", "find-zone", NAME, role_arn=role, **call)
            assert zone == "example.test"
            fine("route53", "withdraw", NAME, *VALUES, role_arn=role, **call)
            fine("route53", "withdraw", NAME, *VALUES, role_arn=role, **call)
    finally:
        server.stop()
