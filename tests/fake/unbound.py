# SPDX-License-Identifier: Apache-2.0
"""unbound set up as a certificate authority sets it up: mixed case in every question (0x20), minimised names, nothing kept. With https it
answers by DNS over HTTPS too, and that over HTTP/2 alone."""
import pathlib
import shutil

import dns.exception
import dns.message
import dns.query

import bed as beds

PROGRAM = shutil.which("unbound") or ("/usr/sbin/unbound" if pathlib.Path("/usr/sbin/unbound").exists() else None)

HTTPS = """
  interface: {address}@{port}
  https-port: {port}
  tls-service-pem: "{certificate}"
  tls-service-key: "{key}"
"""

CONF = """
server:
  interface: {address}@{port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/pid"
  use-syslog: no
  logfile: ""
  verbosity: {verbosity}
  do-daemonize: no
  do-ip6: no
  num-threads: 1
  use-caps-for-id: yes
  qname-minimisation: yes
  qname-minimisation-strict: yes
  edns-buffer-size: 1232
  harden-glue: yes
  harden-below-nxdomain: yes
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  do-not-query-localhost: no
  local-zone: "test." nodefault
  module-config: "iterator"
  access-control: 0.0.0.0/0 allow
{https}
{lines}
remote-control:
  control-enable: no
"""


class Unbound:
    """stubs: {zone: (address, port)} of authoritative servers; https: (certificate, key)."""

    def __init__(self, folder, stubs, address="127.0.0.1", port=None, verbosity=1, https=None):
        self.folder, self.address, self.port = pathlib.Path(folder) / "unbound", address, port or beds.free_port()
        self.folder.mkdir()
        lines = "".join(f'stub-zone:\n  name: "{zone}"\n  stub-addr: {a}@{p}\n  stub-prime: no\n' for zone, (a, p) in stubs.items())
        conf = self.folder / "unbound.conf"
        self.https_port = beds.free_port() if https else None
        by_https = HTTPS.format(address=address, port=self.https_port, certificate=https[0], key=https[1]) if https else ""
        conf.write_text(CONF.format(address=address, port=self.port, folder=self.folder, https=by_https, lines=lines, verbosity=verbosity))
        self.process = beds.Process("unbound", [PROGRAM, "-d", "-c", conf], self.folder)
        beds.wait_for(self.answers, 120, "unbound answers")

    def answers(self):
        if not self.process.running():
            raise beds.BedError(f"unbound ended:\n{self.process.text()}")
        try:
            return dns.query.udp(dns.message.make_query("localhost", "A"), self.address, 0.3, port=self.port)
        except (OSError, dns.exception.DNSException):
            return None

    def stop(self):
        self.process.stop(5)
