# SPDX-License-Identifier: Apache-2.0
"""installed - the package in a machine of its own, beside a test CA and its resolver, all in one network: `Installed` is what
tests/fake/bed.py calls a server, `Site` what it calls a bed."""
import pathlib
import subprocess

import bed as beds
import machine
import namespaces

STATE = "/var/lib/certwright"
CONF = "/etc/certwright/certwright.conf"


class Installed(beds.Server):
    """Certwright from the .deb; settings are lines of certwright.conf, the parts are units."""

    def __init__(self, folder, network, lower, name="drill", deb=None):
        deb = deb or machine.package()
        self.machine = machine.Machine(folder, lower, network, name)
        self.way, self.folder, self.fingerprint, self.env, self.settings = self.machine.way, pathlib.Path(folder), None, {}, {}
        self.canary = beds.canary.Canary()
        self.api_port, self.dns_port, self.http_port = 8443, 53, 80
        self.url, self.state = "https://127.0.0.1:8443", self.machine.path(STATE)
        self.token_file, self.password_file = (self.machine.path(f"/root/{n}") for n in ("token", "password"))
        self.machine.install(deb)

    def configure(self, **settings):
        """configure(**{"dns.listen": "127.0.0.1:53"}): the key's line in certwright.conf is changed as an administrator would."""
        path = self.machine.path(CONF)
        lines, section = path.read_text().splitlines(), ""
        for key, value in settings.items():
            wanted, name = key.split(".")
            at = None
            for i, line in enumerate(lines):
                if line.startswith("["):
                    section = line.strip("[]")
                elif section == wanted and line.lstrip("#").startswith(f"{name} ="):
                    at = i
            if at is None:
                raise beds.BedError(f"certwright.conf has no line for {key}")
            lines[at] = f"{name} = {value}"
        path.write_text("\n".join(lines) + "\n")
        self.machine.run("certwright", "config", "check")

    def apply(self):
        """What docs/admin/install.md says after a change of addresses."""
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", "certwright.target")
        self.start()

    def prepare(self, name="admin"):
        self.password_file.write_text("correct horse battery staple\n")
        self.password_file.chmod(0o600)
        self.machine.run("certwright", "setup", "--admin", name, "--right", "audit", "--right", "revoke", "--right", "key-export", "--password-file", "/root/password",
                         "--token-out", "/root/token")

    def start(self, wait=True, env=None):
        self.machine.run("systemctl", "start", "certwright.target")
        if wait:
            beds.wait_for(self.ready, 240, "Certwright is ready")
            self.learn_fingerprint()
        return self

    def ready(self):
        answer = self.http("/readyz")
        return answer and answer[0] == 200

    def stop(self):
        self.machine.run("systemctl", "stop", "certwright.target")

    def close(self):
        self.machine.stop()

    def cli(self, *args, timeout=600, env=None):
        return beds.Answer(self.machine.do("certwright", *args, timeout=timeout, env={
            "CERTWRIGHT_SERVER": self.url, "CERTWRIGHT_TOKEN_FILE": "/root/token", "CERTWRIGHT_FINGERPRINT": self.fingerprint or "", **(env or {})}))


class Site:
    """A network with a CA, its resolver and the installed Certwright. While it is entered (`with site:`) this thread is in the network."""

    def __init__(self, folder, pebble_env=None, deb=None, suite=None, never=()):
        self.folder, self.parts, self.deb = pathlib.Path(folder), [], deb or machine.package()
        self.lower = machine.tree(suite or machine.suite(), "installed", machine.depends(self.deb))
        self.network = self.add(namespaces.Namespace("site"))
        try:
            with self.network:
                self.resolver = self.add(beds.Resolver(self.folder, 53, never=never))
                self.ca = self.add(beds.Pebble(self.folder, self.resolver.port, 80, beds.user_of_parts(), True, pebble_env or {"PEBBLE_AUTHZREUSE": "0"}))
                self.server = self.machine("drill")
        except BaseException:
            self.stop()
            raise

    def add(self, part):
        self.parts.append(part)
        return part

    def machine(self, name):
        """Another host with the package, in the same network."""
        one = Installed(self.folder, self.network, self.lower, name, self.deb)
        self.parts.append(Closing(one))
        return one

    def open(self, server=None, **settings):
        """Addresses, an administrator, the CA's trust, and what else is to be set: serving."""
        server = server or self.server
        self.configure(server)
        server.configure(**settings)
        server.prepare()
        server.apply()
        return server

    def configure(self, server):
        server.machine.put("/etc/certwright/trust.pem", self.ca.ca.read_text())
        server.configure(**{"dns.listen": "127.0.0.1:53", "dns.hostname": "ns.certwright.test", "http01.listen": "127.0.0.1:80",
                            "net.allow": "127.0.0.0/8", "net.trust": "/etc/certwright/trust.pem", "log.format": "json"})

    def account(self):
        made = self.server.call("account", "register", "--directory", self.ca.directory, "--email", "admin@certwright.test", "--agree-tos")
        self.server.call("rule", "create", "--suffix", "*", "--validation", "dns-01", "--method", "delegation")
        return made

    def __enter__(self):
        self.network.__enter__()
        return self

    def __exit__(self, *why):
        self.network.__exit__(*why)

    def stop(self):
        for part in reversed(self.parts):
            part.stop()
        self.parts = []


class Closing:
    def __init__(self, server):
        self.stop = server.close


def score(unit_file):
    """What systemd-analyze says of an installed unit."""
    import re
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit_file)], capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    if not found:
        raise beds.BedError(done.stdout[-500:] + done.stderr)
    return float(found[1])
