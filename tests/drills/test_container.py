# SPDX-License-Identifier: Apache-2.0
"""The container file is built from the package, on a Debian of debootstrap (no registry is asked), and what its ENTRYPOINT says serves: the page, DNS and HTTP,
without root; it ends when it is told to. By buildah, whose containers are run by chroot here: a network namespace keeps its ports from this host's."""
import functools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import types

import dns.message
import dns.query
import pytest

import bed as beds
import machine
import namespaces

FILE = beds.TOP / "packaging/Containerfile"
NO_NETWORK = ("Temporary failure resolving", "Failed to fetch", "Could not resolve", "Network is unreachable")


def why_not():
    if not shutil.which("buildah"):
        return "buildah is not installed (tools/setup --drills)"
    return machine.why_not()


pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


class Images:
    """buildah with a storage of its own, which goes with the folder."""

    def __init__(self, folder):
        self.words = ["buildah", "--root", folder / "storage", "--runroot", folder / "run", "--storage-driver", "vfs"]

    def command(self, *args):
        return [str(w) for w in (*self.words, *args)]

    def do(self, *args):
        return subprocess.run(self.command(*args), capture_output=True, text=True, check=False, env={**os.environ, "BUILDAH_ISOLATION": "chroot"})

    def run(self, *args):
        done = self.do(*args)
        assert done.returncode == 0, f"{args}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout.strip()


@pytest.fixture
def images(scratch):
    one = Images(scratch)
    yield one
    one.do("rm", "--all")  # what is mounted


def image(images, scratch):
    """Of the package, by the file as it is."""
    base = images.run("from", "scratch")
    images.run("add", base, machine.tree(machine.suite(), "container", ["ca-certificates"]), "/")
    images.run("commit", "--rm", base, "debian-of-the-drill")
    context = scratch / "context"
    context.mkdir()
    shutil.copy(machine.package(), context)
    done = images.do("build", "--isolation", "chroot", "-f", FILE, "--build-arg", "BASE=localhost/debian-of-the-drill", "-t", "certwright", context)
    said = done.stdout + done.stderr
    if done.returncode and any(words in said for words in NO_NETWORK):
        pytest.skip(f"Debian's mirror is not reached from a container: {said[-300:]}")
    assert done.returncode == 0, said[-5000:]
    return "localhost/certwright"


def descendants(pid):
    """buildah starts what it runs from any of its threads."""
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield int(child)
            yield from descendants(child)


def supervisor(process):
    """The program of ENTRYPOINT, below buildah."""
    for pid in descendants(process.proc.pid):
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if words[:2] == [b"/usr/bin/certwright", b"serve"]:
            return pid
    return None


def test_the_container_file_is_built_and_serves_as_it_says(images, scratch):
    container = images.run("from", image(images, scratch))
    config = json.loads(images.run("inspect", "--type", "container", container))["OCIv1"]["config"]
    assert config["User"] == "certwright" and set(config["ExposedPorts"]) == {"8443/tcp", "5353/udp", "5353/tcp", "8080/tcp"}, config
    network = namespaces.Namespace("cont")
    try:
        with network:
            serves(beds.Process("container", images.command("run", "--isolation", "chroot", container, "--", *config["Entrypoint"]), scratch))
    finally:
        network.stop()


def serves(process):
    try:
        get = functools.partial(beds.Server.http, types.SimpleNamespace(url="https://127.0.0.1:8443"))
        beds.wait_for(lambda: (got := get("/readyz")) and got[0] == 200 or not process.running(), 90, "the container is ready")
        assert process.running(), process.text()
        assert b"<html" in get("/")[1].lower()
        question = dns.message.make_query("_acme-challenge.nothing.test", "TXT")
        for ask in (dns.query.udp, dns.query.tcp):
            assert ask(question, "127.0.0.1", port=5353, timeout=10).rcode() == dns.rcode.REFUSED
        pid = supervisor(process)
        for one in (pid, *descendants(pid)):
            status = pathlib.Path(f"/proc/{one}/status").read_text()
            assert "CapEff:\t0000000000000000" in status and "Uid:\t0" not in status, status
        os.kill(pid, signal.SIGTERM)
        assert process.proc.wait(60) == 0, process.text()
    finally:
        process.stop()
