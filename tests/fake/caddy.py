# SPDX-License-Identifier: Apache-2.0
"""caddy - Debian's Caddy as an authority: a second implementation of RFC 8555 (Smallstep's), independent of Pebble's and of our own.

Other URLs, a chain of elliptic curves, certificates of 12 hours, no external accounts, no profiles, no renewal information. It asks the
system's resolver and the ordinary ports only, so it runs in a mount namespace of its own with a resolv.conf that points to the bed's
resolver at a loopback address nobody else uses: root is needed for that, and for ports 53 and 80 of that address.
"""
import json
import os
import pathlib
import random
import shutil
import socket
import ssl
import urllib.request

import bed

PROGRAM = shutil.which("caddy")
FILE = """{
	admin off
	storage file_system data
	auto_https disable_redirects
	skip_install_trust
	log {
		output file caddy.json
	}
	pki {
		ca local {
			name "Caddy Test CA"
		}
	}
}
https://localhost:%d {
	bind 127.0.0.1
	tls srv.pem srv.key
	log {
		output file access.json
	}
	acme_server {
		ca local
	}
}
"""
RUN = """mount --bind hosts /etc/hosts && mount --bind resolv.conf /etc/resolv.conf || exit 1
XDG_DATA_HOME=$PWD/data XDG_CONFIG_HOME=$PWD/data HOME=$PWD/data exec "$1" run --config Caddyfile
"""


def why_not():
    """Why it cannot run here, or None."""
    if not PROGRAM:
        return "Caddy is not installed (tools/setup --test)"
    if os.geteuid() != 0:
        return "Caddy asks ports 53 and 80 only: root is needed"
    if not shutil.which("unshare"):
        return "unshare is not installed"
    return None


def free_address():
    """An address of the loopback network whose ports 53 and 80 nobody has."""
    for _ in range(50):
        address = f"127.{random.randint(64, 127)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
        try:
            for kind, port in ((socket.SOCK_STREAM, 53), (socket.SOCK_DGRAM, 53), (socket.SOCK_STREAM, 80)):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind((address, port))
        except OSError:
            continue
        return address
    raise bed.BedError("ports 53 and 80 are taken on all loopback addresses")


class Caddy:
    """What a Bed asks of an authority (tests/fake/bed.py)."""

    def __init__(self, folder, dns_address):
        self.folder = pathlib.Path(folder) / "caddy"
        self.folder.mkdir()
        bed.make_tls(self.folder)
        self.ca, self.port = self.folder / "ca.pem", bed.free_port()
        (self.folder / "Caddyfile").write_text(FILE % self.port)
        (self.folder / "run.sh").write_text(RUN)
        (self.folder / "hosts").write_text("127.0.0.1 localhost\n")
        (self.folder / "resolv.conf").write_text(f"nameserver {dns_address}\noptions timeout:5 attempts:3\n")
        self.process = bed.Process("caddy", ["unshare", "--mount", "--propagation", "private", "sh", "run.sh", PROGRAM], self.folder, cwd=self.folder)
        self.directory = f"https://localhost:{self.port}/acme/local/directory"
        self.trust = ssl.create_default_context(cafile=str(self.ca))
        bed.wait_for(self.answers, 180, "Caddy answers")

    def answers(self):
        if not self.process.running():
            raise bed.BedError(f"Caddy ended:\n{self.process.text()}")
        try:
            with urllib.request.urlopen(self.directory, context=self.trust, timeout=5) as r:
                return json.loads(r.read())
        except OSError:
            return None

    def root(self):
        """The root certificate (PEM) of this run."""
        return (self.folder / "data" / "pki" / "authorities" / "local" / "root.crt").read_text()

    def requests(self):
        """(method, path, status) of everything it was asked."""
        rows = [json.loads(line) for line in (self.folder / "access.json").read_text().splitlines()]
        return [(r["request"]["method"], r["request"]["uri"], r["status"]) for r in rows if "request" in r]

    def issued(self):
        """Orders that were finalized: this authority does it on the spot."""
        return sum(1 for method, path, status in self.requests() if method == "POST" and path.endswith("/finalize") and status == 200)

    def stop(self):
        self.process.stop(5)
