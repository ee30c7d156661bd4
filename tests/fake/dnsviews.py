# SPDX-License-Identifier: Apache-2.0
"""dnsviews - worlds to look at: name servers (BIND) on addresses of their own, port 53, that change apart from each other; a resolver
that knows where they are and lies about values; a DNS over HTTPS server. Loopback only; needs root for port 53."""
import http.server
import ipaddress
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading

import bed
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

NAMED = shutil.which("named") or "/usr/sbin/named"


def missing():
    if not pathlib.Path(NAMED).exists():
        return "BIND (named) is not installed"
    for program in ("nsupdate", "ip"):
        if not shutil.which(program):
            return f"{program} is not installed"
    return None if os.geteuid() == 0 else "port 53 needs root"


def own(address):
    """BIND listens only on addresses that an interface has; gone with give_back."""
    subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], capture_output=True, check=False)


def give_back(address):
    subprocess.run(["ip", "addr", "del", f"{address}/32", "dev", "lo"], capture_output=True, check=False)


_block = []  # the socket that holds this process's block of addresses, and the block's number


def hold_block():
    """A block of loopback addresses that no other test process of this machine takes while we live, as fake/ports.py has it for ports."""
    for block in range(250):
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder.bind(f"\0certwright-test-addresses-{block}")
        except OSError:
            holder.close()
            continue
        _block[:] = [holder, block]
        return
    raise bed.BedError("every block of loopback addresses is held by a running test")


def addresses(n):
    """Loopback addresses on which nobody else has port 53."""
    if not _block:
        hold_block()
    base = int(ipaddress.ip_address("127.53.0.0")) + _block[1] * 256
    found = []
    for i in range(1, 250):
        address = str(ipaddress.ip_address(base + i))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.bind((address, 53))
                found.append(address)
            except OSError:
                continue
        if len(found) == n:
            return found
    raise bed.BedError("no loopback address with a free port 53")


class Bind:
    """One BIND on address:53 (and on 127.0.0.1:port) with the zone, to which everybody on loopback may add."""

    def __init__(self, folder, address, zone, servers, extra=""):
        self.folder, self.address, self.zone, self.port = pathlib.Path(folder), address, zone, bed.free_port()
        self.folder.mkdir(parents=True)
        own(address)
        text = "$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 86400 1\n" + "".join(
            f"@ IN NS ns{i + 1}\nns{i + 1} IN A {a}\n" for i, a in enumerate(servers)) + extra
        (self.folder / "zone").write_text(text)
        (self.folder / "named.conf").write_text(f"""
options {{ directory "{self.folder}"; pid-file "named.pid"; session-keyfile "session.key"; lock-file none;
  listen-on port 53 {{ {address}; }}; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no; managed-keys-directory "."; new-zones-directory "."; allow-transfer {{ none; }};
  querylog yes; }};
controls {{ }};
zone "{zone}" {{ type primary; file "zone"; allow-update {{ 127.0.0.0/8; }}; }};
""")
        self.process = bed.Process("named", [NAMED, "-c", self.folder / "named.conf", "-g", "-n", "1"], self.folder)
        bed.wait_for(lambda: "running" in self.process.text() or not self.process.running(), 120, "named runs")

    def update(self, what):
        text = f"server {self.address} 53\nzone {self.zone}\n{what}\nsend\n"
        done = subprocess.run(["nsupdate"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def add(self, name, value):
        self.update(f'update add {name} 60 TXT "{value}"')

    def asked(self, name, kind="TXT"):
        return self.process.text().count(f"query: {name} IN {kind}")

    def stop(self):
        self.process.stop(5)
        give_back(self.address)


class TwoViews:
    """One BIND that shows one zone to those who ask its inside address and another to those who ask the outside one."""

    def __init__(self, folder, inside, outside, zone):
        self.folder, self.zone = pathlib.Path(folder), zone
        self.folder.mkdir(parents=True)
        self.addresses = (inside, outside)
        own(inside)
        own(outside)
        self.port = bed.free_port()  # the outside view: what the authority's resolver asks
        views = ""
        for name, address in (("inside", inside), ("outside", outside)):
            (self.folder / f"{name}.zone").write_text(f"$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 86400 1\n@ IN NS ns1\nns1 IN A {address}\n")
            also = "" if name == "inside" else " 127.0.0.1;"
            views += f"""view "{name}" {{ match-destinations {{ {address};{also} }};
  zone "{zone}" {{ type primary; file "{name}.zone"; allow-update {{ 127.0.0.0/8; }}; }}; }};\n"""
        (self.folder / "named.conf").write_text(f"""
options {{ directory "{self.folder}"; pid-file "named.pid"; session-keyfile "session.key"; lock-file none;
  listen-on port 53 {{ {inside}; {outside}; }}; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no; managed-keys-directory "."; new-zones-directory "."; allow-transfer {{ none; }}; }};
controls {{ }};
{views}""")
        self.process = bed.Process("named", [NAMED, "-c", self.folder / "named.conf", "-g", "-n", "1"], self.folder)
        bed.wait_for(lambda: "running" in self.process.text() or not self.process.running(), 120, "named runs")

    def add(self, address, name, value):
        text = f'server {address} 53\nzone {self.zone}\nupdate add {name} 60 TXT "{value}"\nsend\n'
        done = subprocess.run(["nsupdate"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def stop(self):
        self.process.stop(5)
        for address in self.addresses:
            give_back(address)


class Liar:
    """A recursive resolver: asks one of the servers for all but TXT; of TXT it says whatever it was told to, and counts who believes it."""

    def __init__(self, server, says="a lie from a cache"):
        self.server, self.says, self.txt, self.closing = server, says, 0, False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def answer(self, query):
        question = query.question[0]
        if question.rdtype == dns.rdatatype.TXT:
            self.txt += 1
            made = dns.message.make_response(query)
            made.answer.append(dns.rrset.from_text(question.name, 3600, "IN", "TXT", f'"{self.says}"'))
        else:
            ask = dns.message.make_query(question.name, question.rdtype)
            got = dns.query.udp(ask, self.server, timeout=30)
            made = dns.message.make_response(query)
            made.set_rcode(got.rcode())
            made.answer, made.authority = got.answer, got.authority
        made.flags |= dns.flags.RA
        return made

    def run(self):
        while not self.closing:
            try:
                packet, peer = self.socket.recvfrom(4096)
                self.socket.sendto(self.answer(dns.message.from_wire(packet)).to_wire(), peer)
            except (OSError, dns.exception.DNSException):
                continue

    def stop(self):
        self.closing = True
        self.socket.close()


def doh_certificate(folder, names="DNS:localhost,IP:127.0.0.1"):
    certificate, key = pathlib.Path(folder) / "doh.pem", pathlib.Path(folder) / "doh.key"
    bed.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                "-subj", "/CN=localhost", "-addext", f"subjectAltName={names}")
    return certificate, key


class Doh:
    """DNS over HTTPS (RFC 8484, GET and POST) in front of a server on address:port."""

    def __init__(self, folder, address, port, listen=("127.0.0.1", 0), names="DNS:localhost,IP:127.0.0.1"):
        self.asked = []
        outer = self
        certificate, key = doh_certificate(folder, names)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path != "/dns-query" or self.headers["Content-Type"] != "application/dns-message":
                    self.send_error(415)
                    return
                query = dns.message.from_wire(body)
                outer.asked.append((str(query.question[0].name), dns.rdatatype.to_text(query.question[0].rdtype), query.id))
                got = dns.query.udp(dns.message.make_query(query.question[0].name, query.question[0].rdtype), address, port=port, timeout=30)
                got.id = query.id
                made = dns.message.make_response(query)
                made.set_rcode(got.rcode())
                made.answer, made.authority = got.answer, got.authority
                wire = made.to_wire()
                self.send_response(200)
                self.send_header("Content-Type", "application/dns-message")
                self.send_header("Content-Length", str(len(wire)))
                self.end_headers()
                self.wfile.write(wire)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(listen, Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://localhost:{self.port}/dns-query"
        self.ca = certificate.read_text()
        self.certificate = certificate
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
