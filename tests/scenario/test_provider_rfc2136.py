# SPDX-License-Identifier: Apache-2.0
"""Dynamic updates with TSIG against the servers they are for: BIND with all its error answers, Knot DNS, PowerDNS."""
import concurrent.futures
import re
import shutil
import subprocess

import dnspeers
import pytest
from provider_tool import VALUES, fine, provider, refused

import bed

NAME = "_acme-challenge.example.test"
PEERS = {"BIND": dnspeers.Named, "Knot DNS": dnspeers.Knot, "PowerDNS": dnspeers.PowerDns}


def fields(peer, **other):
    return {"server": f"127.0.0.1:{peer.port}", "tsig_key": dnspeers.KEY, "tsig_secret": dnspeers.SECRET, **other}


@pytest.fixture
def start(tmp_path):
    started = []

    def make(kind, **options):
        if not kind.here():
            pytest.skip(f"{kind.__name__} is not installed")
        started.append(kind(tmp_path / f"peer{len(started)}", **options))
        return started[-1]
    yield make
    for peer in started:
        peer.stop()


@pytest.mark.parametrize("which", PEERS)
def test_values_live_together_and_only_ours_are_removed(start, which):
    peer = start(PEERS[which])
    assert fine("rfc2136", "find-zone", NAME, **fields(peer)) == "example.test"
    for _ in range(2):
        fine("rfc2136", "publish", NAME, *VALUES, **fields(peer))
    assert peer.values(NAME) == sorted(VALUES)
    fine("rfc2136", "publish", NAME, "somebody-elses", zone="example.test", **fields(peer))
    fine("rfc2136", "withdraw", NAME, *VALUES, **fields(peer))
    assert peer.values(NAME) == ["somebody-elses"]
    for _ in range(2):
        fine("rfc2136", "withdraw", NAME, "somebody-elses", **fields(peer))
    assert peer.values(NAME) == []


def shown(where):
    """What the page of rights shows for this server, to be copied; of the zone that is served here."""
    page = subprocess.run([bed.PROGRAM, "config", "rights"], capture_output=True, text=True, check=True).stdout
    return re.search(rf"^For {where}[^\n]*:\n\n```text\n(.*?)```", page, re.M | re.S)[1].replace("example.com", "example.test")


def may_only(peer, *names, elsewhere):
    """Add and remove TXT at these names; no TXT elsewhere in the zone, and nothing but TXT."""
    for name in names:
        fine("rfc2136", "publish", name, *VALUES, zone="example.test", **fields(peer))
        assert peer.values(name) == sorted(VALUES)
        assert "update failed" in update(peer, f"update add {name} 60 PTR www.example.test.")
        fine("rfc2136", "withdraw", name, *VALUES, zone="example.test", **fields(peer))
        assert peer.values(name) == []
    for name in elsewhere:
        refused("denied", "rfc2136", "publish", name, VALUES[0], zone="example.test", **fields(peer))


def update(peer, line):
    done = subprocess.run(["nsupdate", "-y", f"{dnspeers.ALGORITHM}:{dnspeers.KEY}:{dnspeers.SECRET}"], capture_output=True, text=True, check=False,
                          input=f"server 127.0.0.1 {peer.port}\nzone example.test\n{line}\nsend\n")
    return done.stdout + done.stderr


def test_the_right_that_is_shown_to_be_copied_is_enough_and_no_more(start):
    bind, www = shown("BIND"), "_acme-challenge.www.example.test"
    wide, narrow = re.search(r"update-policy \{ (.*?) \};", bind)[1], re.search(r"# narrower: (grant .*;)", bind)[1]
    may_only(start(dnspeers.Named, policy=wide), NAME, www, elsewhere=["example.test"])
    may_only(start(dnspeers.Named, policy=narrow), www, elsewhere=[NAME, "other.example.test"])
    may_only(start(dnspeers.Knot, acl=shown("Knot DNS")), www, elsewhere=[NAME, "www.example.test"])
    assert shown("PowerDNS").split()[1:] == ["set-meta", "example.test", "TSIG-ALLOW-DNSUPDATE", dnspeers.KEY], "as dnspeers sets PowerDNS up"


@pytest.mark.parametrize("algorithm", ["hmac-sha384", "hmac-sha512"])
def test_other_algorithms_are_signed_and_checked(start, algorithm):
    peer = start(dnspeers.Named, algorithm=algorithm)
    fine("rfc2136", "publish", NAME, VALUES[0], **fields(peer, tsig_algorithm=algorithm))
    assert peer.values(NAME) == [VALUES[0]]
    error = refused("unauthenticated", "rfc2136", "publish", NAME, VALUES[1], **fields(peer))  # the right name with another algorithm
    assert "BADKEY" in str(error)


def test_twenty_writers_at_once_lose_nothing(start):
    peer = start(dnspeers.Named)
    values = [f"value-{i}" for i in range(20)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda v: fine("rfc2136", "publish", NAME, v, **fields(peer)), values))
    assert peer.values(NAME) == sorted(values)


def test_every_refusal_of_bind_is_told_apart(start):
    peer = start(dnspeers.Named)

    def said(code, word, act="publish", name=NAME, **other):
        error = refused(code, "rfc2136", act, name, *([VALUES[0]] if act != "find-zone" else []), **fields(peer, **other))
        assert word in str(error), error
        assert dnspeers.SECRET not in str(error) and dnspeers.OTHER_SECRET not in str(error)

    said("unauthenticated", "BADKEY", tsig_key="unknown-key")
    said("unauthenticated", "BADSIG", tsig_secret=dnspeers.OTHER_SECRET)
    said("denied", "REFUSED", tsig_key="no-rights")
    said("denied", "REFUSED", tsig_key="", tsig_secret="")
    said("denied", "REFUSED", name="example.test")  # the policy's wildcard is below the zone
    said("not-found", "NOTAUTH", name="_acme-challenge.other.test", zone="other.test")
    said("not-found", "holds no zone", act="find-zone", name="_acme-challenge.other.test")
    said("remote-refused", "NOTZONE", name="_acme-challenge.other.test", zone="example.test")
    said("network", "127.0.0.1:1", server="127.0.0.1:1")
    assert peer.values(NAME) == []
    fine("rfc2136", "withdraw", "_acme-challenge.other.test", VALUES[0], zone="other.test", **fields(peer))  # a zone that is gone owes nothing


def test_a_wrong_clock_is_said_in_seconds(start):
    if not shutil.which("faketime"):
        pytest.skip("faketime is not installed")
    peer = start(dnspeers.Named)
    error = provider("rfc2136", "publish", NAME, VALUES[0], before=["faketime", "-f", "-10m"], **fields(peer))["error"]
    assert error["code"] == "remote-busy" and "BADTIME" in str(error) and "behind" in str(error), error
    assert peer.values(NAME) == []


def test_the_two_silent_traps_are_found(start):
    """NOERROR both times, and nothing to be seen: TXT beside a CNAME, TXT in the parent of a zone cut."""
    peer = start(dnspeers.Named)
    error = refused("remote-refused", "rfc2136", "publish", "_acme-challenge.alias.example.test", VALUES[0], **fields(peer))
    assert "target.elsewhere.test" in str(error)
    error = refused("remote-refused", "rfc2136", "publish", "_acme-challenge.cut.example.test", VALUES[0], zone="example.test", **fields(peer))
    assert "does not show it" in str(error)
    refused("not-found", "rfc2136", "find-zone", "_acme-challenge.cut.example.test", **fields(peer))
    assert fine("rfc2136", "find-zone", "_acme-challenge.www.sub.example.test", **fields(peer)) == "sub.example.test"
    fine("rfc2136", "publish", "_acme-challenge.sub.example.test", VALUES[0], **fields(peer))
    assert peer.values("_acme-challenge.sub.example.test") == [VALUES[0]]


def test_somebody_elses_client_sees_and_removes_what_we_set(start, tmp_path):
    """nsupdate with the same key removes our value, and adds one that we remove."""
    peer = start(dnspeers.Named)
    fine("rfc2136", "publish", NAME, *VALUES, **fields(peer))
    script = (f"server 127.0.0.1 {peer.port}\nzone example.test\nupdate delete {NAME} TXT \"{VALUES[0]}\"\n"
              f"update add {NAME} 60 TXT \"theirs\"\nsend\n")
    subprocess.run(["nsupdate", "-y", f"hmac-sha256:{dnspeers.KEY}:{dnspeers.SECRET}"], input=script, text=True, check=True)
    assert peer.values(NAME) == sorted([VALUES[1], "theirs"])
    fine("rfc2136", "withdraw", NAME, *VALUES, "theirs", **fields(peer))
    assert peer.values(NAME) == []
