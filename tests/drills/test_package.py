# SPDX-License-Identifier: Apache-2.0
"""The package in a Debian of its own: installed, serving, removed, purged."""
import os
import stat
import subprocess

import pytest

import bed as beds
import helpers
import installed
import machine

pytestmark = pytest.mark.skipif(machine.why_not() is not None, reason=str(machine.why_not()))


def listening(host):
    """Addresses of all sockets in the machine's network that programs of ours hold."""
    out = subprocess.run(["ss", "-Htulnp"], capture_output=True, text=True, check=True).stdout
    return sorted(f"{line.split()[0]} {line.split()[4]}" for line in out.splitlines() if "certwright" in line or '"systemd"' in line)


def test_the_package_is_installed_serves_is_removed_and_purged(site):
    server, host = site.server, site.server.machine
    beds.wait_for(server.ready, 240, "it serves after the installation")
    assert listening(host) == ["tcp 127.0.0.1:8443"], "nothing but the page, on loopback"
    assert host.active("certwright.service") and not host.active("certwright-edge.service")
    key = host.path("/etc/certwright/master.key")
    assert (key.stat().st_mode & 0o077, key.stat().st_uid) == (0, 0) and not (server.state / "master.key").exists()
    assert stat.S_IMODE(server.state.stat().st_mode) == 0o700
    assert stat.S_IMODE(host.path("/etc/certwright/certwright.conf").stat().st_mode) == 0o640
    for unit, most in (("certwright-edge", 0.3), ("certwright", 1.2), ("certwright-runner", 1.5), ("certwright-backup", 1.2)):
        assert installed.score(next(host.root.glob(f"usr/lib/systemd/system/{unit}.service"))) <= most, unit
    assert "usage" in host.run("certwright", "--help") and host.run("bash", "-n", "/usr/share/bash-completion/completions/certwright") == ""
    assert host.systemctl("--failed", "--no-legend").strip() == "", host.systemctl("--failed")
    shown = host.run("sh", "-c", "cd /usr/share/doc/certwright/admin && zgrep -oh '[(]../screenshots/[^)]*' * | tr -d '(' | xargs ls")
    assert "csr-upload.png" in shown, "the guide's pictures are there"

    site.open()
    beds.wait_for(lambda: host.active("certwright-edge.service"), 240, "edge runs when it is told where")
    assert listening(host) == ["tcp 127.0.0.1:53", "tcp 127.0.0.1:80", "tcp 127.0.0.1:8443", "udp 127.0.0.1:53"]
    assert_users(host)
    site.account()
    ids = [server.call("order", "create", "--account", server.call("account", "list")["items"][0]["id"], "--validation", v, "--name", n)["id"]
           for v, n in (("dns-01", "*.deb.example.test"), ("http-01", "deb.example.test"))]
    over = helpers.wait_all(site, ids)
    assert [o["status"] for o in over.values()] == ["valid"] * 2, over

    host.run("apt-get", "remove", "-y", "certwright")
    assert listening(host) == [] and (server.state / "certwright.db").exists() and key.exists(), "remove keeps the state"
    assert host.path("/etc/certwright/certwright.conf").exists()
    server.machine.install(machine.package())
    server.start()
    assert server.call("order", "show", ids[0])["status"] == "valid", "installed again it goes on where it was"

    told = host.do("apt-get", "purge", "-y", "certwright")
    assert told.returncode == 0 and "certwright: kept /var/lib/certwright" in told.stdout + told.stderr, told
    assert (server.state / "certwright.db").exists() and key.exists(), "purge deletes no key unasked"
    assert not host.path("/etc/certwright/certwright.conf").exists()


def test_purge_deletes_the_state_when_it_is_told_to(site):
    host = site.server.machine
    beds.wait_for(site.server.ready, 240, "it serves")
    host.run("debconf-set-selections", text="certwright certwright/purge-state boolean true\n")
    host.run("apt-get", "purge", "-y", "certwright")
    assert not site.server.state.exists() and not host.path("/etc/certwright").exists(), os.listdir(host.path("/etc/certwright"))
    assert host.systemctl("--failed", "--no-legend").strip() == ""


def assert_users(host):
    """Each part as its own user, none as root, none with a capability."""
    for unit, user in (("certwright.service", "certwright"), ("certwright-edge.service", "certwright")):
        pid = host.main_pid(unit)
        status = host.run("cat", f"/proc/{pid}/status")
        assert host.run("stat", "-c", "%U", f"/proc/{pid}").strip() == user and "CapEff:\t0000000000000000" in status, status
