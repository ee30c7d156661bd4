# SPDX-License-Identifier: Apache-2.0
"""collector - Debian's rsyslog as a log collector: RFC 5424 over TLS, taken apart by rsyslog into a file, one line a message."""
import hashlib
import pathlib
import shutil
import ssl

import bed as beds

RSYSLOG = shutil.which("rsyslogd")
DRIVERS = list(pathlib.Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so"))
FIELDS = ("pri", "time", "host", "app", "procid", "msgid", "version", "msg")


def missing():
    if not RSYSLOG:
        return "rsyslog is not installed"
    return None if DRIVERS else "rsyslog-gnutls is not installed"


class Collector:
    def __init__(self, folder, port=None):
        self.folder = pathlib.Path(folder) / "collector"
        if not self.folder.exists():
            self.folder.mkdir()
            beds.make_tls(self.folder)
        self.ca, self.file, self.port = self.folder / "ca.pem", self.folder / "lines", port or beds.free_port()
        config = self.folder / "rsyslog.conf"
        config.write_text(f"""
global(workDirectory="{self.folder}" DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="{self.ca}" maxMessageSize="64k"
       DefaultNetstreamDriverCertFile="{self.folder / 'srv.pem'}" DefaultNetstreamDriverKeyFile="{self.folder / 'srv.key'}")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="parts" type="string" string="%pri%\\t%timestamp:::date-rfc3339%\\t%hostname%\\t%app-name%\\t%procid%\\t%msgid%\\t%protocol-version%\\t%msg%\\n")
input(type="imtcp" port="{self.port}" address="127.0.0.1")
action(type="omfile" file="{self.file}" template="parts")
""")
        self.start()

    def start(self):
        self.process = beds.Process("rsyslogd", [RSYSLOG, "-n", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "pid"], self.folder)
        beds.wait_for(self.listens, 120, "rsyslog listens")

    def listens(self):
        import socket
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def fingerprint(self):
        der = ssl.PEM_cert_to_DER_cert((self.folder / "srv.pem").read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
        return hashlib.sha256(der).hexdigest()

    def messages(self):
        text = self.file.read_text(errors="replace") if self.file.exists() else ""
        return [dict(zip(FIELDS, line.split("\t", len(FIELDS) - 1))) for line in text.splitlines() if line.count("\t") >= len(FIELDS) - 1]

    def wait(self, fits, what, seconds=120):
        return beds.wait_for(lambda: next((m for m in self.messages() if fits(m)), None), seconds, what)

    def stop(self):
        self.process.stop()
