# SPDX-License-Identifier: Apache-2.0
"""Who else gets certificates by http-01, for bench_issue.py: lego and uacme, 32 processes at once, and Apache's mod_md.

Each has an authority of its own, pinned as ours is. What a command line costs is all its processes, from starting to loading the CA file.
Certificates are few, because these take seconds where ours take milliseconds; the rate is that of the whole batch.
"""
import functools
import http.server
import os
import pathlib
import resource
import shutil
import subprocess
import threading
import time

from common import LOAD_CORE, cpu_s, pin

import bed as beds

AT_ONCE, COMMANDS, DOMAINS = 32, 64, 50
MD_MODULES = ("mpm_event", "ssl", "md")
MODULES = pathlib.Path("/usr/lib/apache2/modules")


def children_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Peer:
    """An authority, the names it asks for, and how many orders were made so far."""

    def __init__(self, folder, authority, bare, reject):
        self.folder, self.made = folder / self.name.split()[0], 0
        self.folder.mkdir()
        self.names, self.port = beds.free_port(), beds.free_port()
        self.answers = subprocess.Popen(["taskset", "-c", LOAD_CORE, bare, "--dns", str(self.names)], stdout=subprocess.DEVNULL)
        self.ca = authority(self.folder / "ca", self.names, self.port, reject)

    def next_names(self, n):
        self.made += n
        return [f"n{i}.bench.test" for i in range(self.made - n, self.made)]

    def stop(self):
        self.ca.stop()
        self.answers.terminate()
        self.answers.wait(10)


class Command(Peer):
    """A program that gets one certificate and ends; its challenge lies in a folder that a small web server shows."""

    def __init__(self, *args):
        super().__init__(*args)
        self.root = self.folder / "root"
        (self.root / ".well-known/acme-challenge").mkdir(parents=True)
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), functools.partial(Quiet, directory=str(self.root)))
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        self.register()

    def xargs(self, names, at_once, script):
        """script once for each name, which is its $1."""
        return subprocess.run(["taskset", "-c", LOAD_CORE, "xargs", "-P", str(at_once), "-n", "1", "sh", "-c", script, "sh"],
                              input="\n".join(names), capture_output=True, text=True, check=False, timeout=300,
                              env={**os.environ, "LEGO_CA_CERTIFICATES": str(self.ca.ca)})

    def run(self):
        issued, requests, cpu, start = self.ca.issued(), self.ca.requests(), children_s(), time.monotonic()
        done = self.xargs(self.next_names(COMMANDS), AT_ONCE, self.issue())
        wall, n = time.monotonic() - start, self.ca.issued() - issued
        if n != COMMANDS:
            raise beds.BedError(f"{self.name} got {n} of {COMMANDS} certificates: {done.stdout[-1000:]}{done.stderr[-2000:]}")
        return {"rate": n / wall, "cpu": 1000 * (children_s() - cpu) / n, "requests": (self.ca.requests() - requests) / n}

    def stop(self):
        self.web.shutdown()
        self.web.server_close()
        super().stop()


class Lego(Command):
    name = "lego, 32 at once"
    missing = None if shutil.which("lego") else "lego is not installed"

    def issue(self):
        return (f'exec lego --accept-tos --path {self.folder}/state -s {self.ca.directory} -m b@bench.test --key-type ec256'
                f' --http --http.webroot {self.root} -d "$1" run')

    def register(self):  # its account comes with the first certificate
        done = self.xargs(self.next_names(1), 1, self.issue())
        if done.returncode:
            raise beds.BedError(done.stderr)


class Uacme(Command):
    name = "uacme, 32 at once"
    missing = (None if shutil.which("uacme") else "uacme is not installed") or (
        None if os.geteuid() == 0 else "uacme reads the system's CA file only: to show it another one needs root")

    def command(self, arguments):
        return f"exec uacme -c {self.folder}/state -a {self.ca.directory} -h {self.folder}/hook -t EC {arguments}"

    def issue(self):
        return self.command('issue "$1"')

    def xargs(self, names, at_once, script):
        """In a mount namespace where the authority's certificate is the system's CA file."""
        trusted = f"mount --bind {self.ca.ca} /etc/ssl/certs/ca-certificates.crt && exec xargs -P {at_once} -n 1 sh -c '{script}' sh"
        return subprocess.run(["taskset", "-c", LOAD_CORE, "unshare", "-m", "sh", "-c", trusted], input="\n".join(names), capture_output=True,
                              text=True, check=False, timeout=300)

    def register(self):
        hook = self.folder / "hook"
        at = f"{self.root}/.well-known/acme-challenge"
        hook.write_text(f'#!/bin/sh\n[ "$2" = http-01 ] || exit 1\ncase $1 in begin) printf %s "$5" >"{at}/$4" ;; *) rm -f "{at}/$4" ;; esac\n')
        hook.chmod(0o755)
        done = self.xargs(["b@bench.test"], 1, self.command('-y new "$1"'))
        if done.returncode:
            raise beds.BedError(done.stderr)


class Md(Peer):
    """Apache, which gets a certificate for each of its managed domains after its start: a round is a start with new domains."""
    name = "mod_md"
    missing = None if (MODULES / "mod_md.so").exists() and shutil.which("apache2") else "Apache's mod_md is not installed"

    def config(self, home, names):
        loaded = "".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so\n" for m in MD_MODULES)
        tls = beds.free_port()
        return f"""ServerRoot {home}
PidFile {home}/pid
ErrorLog {home}/error.log
LogLevel warn
ServerName bench.test
{loaded}User www-data
Group www-data
Listen 127.0.0.1:{self.port}
Listen 127.0.0.1:{tls}
MDStoreDir {home}/md
MDPortMap http:{self.port} https:{tls}
MDCertificateAuthority {self.ca.directory}
MDCACertificateFile {self.ca.ca}
MDCertificateAgreement accepted
MDContactEmail b@bench.test
MDPrivateKeys secp256r1
MDCAChallenges http-01
MDRenewMode always
MDStapling off
{"".join(f"MDomain {name} manual{chr(10)}" for name in names)}<VirtualHost 127.0.0.1:{self.port}>
ServerName bench.test
</VirtualHost>
"""

    def run(self):
        home = self.folder / f"httpd{self.made}"
        home.mkdir()
        (home / "conf").write_text(self.config(home, self.next_names(DOMAINS)))
        for folder in (home, *home.parents):
            if folder.stat().st_mode & 0o055 != 0o055 and str(folder).startswith("/tmp/"):
                folder.chmod(0o755)
        issued, requests, start = self.ca.issued(), self.ca.requests(), time.monotonic()
        httpd = subprocess.Popen(["apache2", "-f", str(home / "conf"), "-DFOREGROUND"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            pin(httpd.pid, LOAD_CORE)
            while self.ca.issued() - issued < DOMAINS:
                if time.monotonic() - start > 120 or httpd.poll() is not None:
                    raise beds.BedError(f"mod_md got {self.ca.issued() - issued} of {DOMAINS}: {(home / 'error.log').read_text()[-3000:]}")
                time.sleep(0.05)
            wall = time.monotonic() - start
            return {"rate": DOMAINS / wall, "cpu": 1000 * cpu_s(httpd.pid) / DOMAINS, "requests": (self.ca.requests() - requests) / DOMAINS}
        finally:
            httpd.terminate()
            httpd.wait(30)


def peers(folder, authority, bare, reject):
    """Those that are installed; of the others it is said what is missing."""
    out = []
    for kind in (Lego, Uacme, Md):
        if kind.missing:
            print(f"  left out: {kind.missing}", flush=True)
        else:
            out.append(kind(folder, authority, bare, reject))
    return out
