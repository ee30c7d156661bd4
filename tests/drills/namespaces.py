# SPDX-License-Identifier: Apache-2.0
"""Network namespaces for one drill: made, joined by cables, entered for a while, and gone afterwards. Needs root."""
import contextlib
import ctypes
import json
import os
import shutil
import subprocess

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def why_not():
    """Why there can be none, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "nft", "sysctl", "unshare"):
        if not shutil.which(program):
            return f"{program} is not installed"
    done = subprocess.run(["unshare", "-nm", "nft", "list", "ruleset"], capture_output=True, text=True, check=False)
    return f"no network namespaces here: {done.stderr.strip()}" if done.returncode else None


def run(*args, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, args))}: {done.stderr}")
    return done.stdout


class Namespace:
    """One network without any way out but its cables."""

    def __init__(self, name):
        self.name = f"cw{os.getpid()}-{name}"
        run("ip", "netns", "add", self.name)
        self.handle = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        with self:
            run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1", "net.ipv4.ip_unprivileged_port_start=0")
            run("ip", "link", "set", "lo", "up")

    def __enter__(self):
        """What this thread does from here on, and the processes it starts, happen in this network."""
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.enter(self.handle)
        return self

    def __exit__(self, *_):
        self.enter(self.home)
        os.close(self.home)

    @staticmethod
    def enter(handle):
        if libc.setns(handle, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def cable(self, other, mine, theirs, length=24):
        """mine and theirs: the addresses at both ends, the first of each the main one."""
        end = f"v{self.name.rpartition('-')[2][:5]}{other.name.rpartition('-')[2][:5]}"
        run("ip", "link", "add", end, "netns", self.name, "type", "veth", "peer", "name", end, "netns", other.name)
        for space, addresses in ((self, mine), (other, theirs)):
            for address in addresses:
                run("ip", "-n", space.name, "address", "add", f"{address}/{length}", "dev", end)
            run("ip", "-n", space.name, "link", "set", end, "up")
        return end

    def nft(self, text):
        with self:
            run("nft", "-f", "-", input=text)

    def counted(self):
        """{counter: packets}, {set: [elements]}"""
        with self:
            found = json.loads(run("nft", "-j", "list", "ruleset"))["nftables"]
        counters = {o["counter"]["name"]: o["counter"]["packets"] for o in found if "counter" in o}
        sets = {o["set"]["name"]: o["set"].get("elem", []) for o in found if "set" in o}
        return counters, sets

    def stop(self):
        os.close(self.handle)
        with contextlib.suppress(RuntimeError):
            run("ip", "netns", "del", self.name)
