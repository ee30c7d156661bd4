# SPDX-License-Identifier: Apache-2.0
"""unbound set up as a certificate authority sets it up: mixed case in every question (0x20), minimised names, nothing kept."""
import pathlib
import shutil

import dns.exception
import dns.message
import dns.query

import bed as beds

PROGRAM = shutil.which("unbound") or ("/usr/sbin/unbound" if pathlib.Path("/usr/sbin/unbound").exists() else None)

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
{lines}
remote-control:
  control-enable: no
"""


class Unbound:
    """stubs: {zone: (address, port)} of authoritative servers."""

    def __init__(self, folder, stubs, address="127.0.0.1", port=None, verbosity=1):
        self.folder, self.address, self.port = pathlib.Path(folder) / "unbound", address, port or beds.free_port()
        self.folder.mkdir()
        lines = "".join(f'stub-zone:\n  name: "{zone}"\n  stub-addr: {a}@{p}\n  stub-prime: no\n' for zone, (a, p) in stubs.items())
        conf = self.folder / "unbound.conf"
        conf.write_text(CONF.format(address=address, port=self.port, folder=self.folder, lines=lines, verbosity=verbosity))
        self.process = beds.Process("unbound", [PROGRAM, "-d", "-c", conf], self.folder)
        beds.wait_for(self.answers, 20, "unbound answers")

    def answers(self):
        if not self.process.running():
            raise beds.BedError(f"unbound ended:\n{self.process.text()}")
        try:
            return dns.query.udp(dns.message.make_query("localhost", "A"), self.address, 0.3, port=self.port)
        except (OSError, dns.exception.DNSException):
            return None

    def stop(self):
        self.process.stop(5)
