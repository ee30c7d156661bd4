# SPDX-License-Identifier: Apache-2.0
"""ipv6_only - the flow of the demo on a host without IPv4: run by test_doors.py as root in a network namespace of its own.

	unshare -n python3 ipv6_only.py FOLDER
"""
import json
import pathlib
import socket
import subprocess
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fake"))
import bed as beds  # noqa: E402

HERE = "[::1]"


def no_ipv4():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "flush", "dev", "lo", "scope", "host"], check=False)
    subprocess.run(["ip", "-4", "address", "flush", "dev", "lo"], check=False)
    subprocess.run(["ip", "-6", "address", "add", "::1/128", "dev", "lo"], check=False, stderr=subprocess.DEVNULL)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        try:
            s.bind(("127.0.0.1", 0))
        except OSError:
            return
    raise SystemExit("there still is an IPv4 address")


class Pebble6:
    def __init__(self, folder, dns, http, user):
        self.folder = folder / "pebble"
        self.folder.mkdir()
        (self.folder / "ext").write_text("subjectAltName=DNS:localhost,IP:::1\nextendedKeyUsage=serverAuth\n")
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        beds.openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=six", "-addext",
                     "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign", cwd=self.folder)
        beds.openssl("req", *ec, "-keyout", "srv.key", "-out", "srv.csr", "-subj", "/CN=localhost", cwd=self.folder)
        beds.openssl("x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "ext", "-out",
                     "srv.pem", cwd=self.folder)
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"{HERE}:14000", "managementListenAddress": f"{HERE}:15000", "certificate": "srv.pem", "privateKey": "srv.key",
            "httpPort": http, "tlsPort": 1, "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        if user:
            beds.chown_tree(self.folder, user)
        self.process = beds.Process("pebble", [beds.PEBBLE, "-config", "pebble.json", "-dnsserver", f"{HERE}:{dns}", "-strict=true"], folder,
                                    {"PEBBLE_VA_NOSLEEP": "1"}, user, cwd=self.folder)
        beds.wait_for(lambda: connects(14000), 240, "Pebble answers")


def connects(port):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
        return s.connect_ex(("::1", port)) == 0


def main(folder):
    no_ipv4()
    api, dns, http, resolver = 8443, 5353, 8080, 8053
    user = beds.user_of_parts()
    parts = []
    try:
        r = beds.Process("resolver", ["/usr/bin/python3", beds.TOP / "tests/fake/resolver", "--listen", f"{HERE}:{resolver}", "--forward", f"{HERE}:{dns}",
                                      "--aaaa", "::1", "--a", ""], folder)
        parts.append(r)
        beds.wait_for(lambda: "ready" in r.text(), 120, "the resolver listens")
        pebble = Pebble6(folder, resolver, http, user)
        parts.append(pebble.process)
        trust = folder / "trust.pem"
        trust.write_bytes((pebble.folder / "ca.pem").read_bytes())
        trust.chmod(0o644)
        server = beds.Server(folder, {"api.listen": f"{HERE}:{api}", "dns.listen": f"[::]:{dns}", "http01.listen": f"[::]:{http}", "net.allow": "::1",
                                      "net.trust": str(trust), "resolve.servers": f"{HERE}:{resolver}", "resolve.ask_view": "yes"}, user, ports={"api": api, "dns": dns, "http": http})
        server.url = f"https://{HERE}:{api}"
        server.learn_fingerprint = lambda: fingerprint(server, api)
        server.start()
        parts.append(server)
        account = server.call("account", "register", "--directory", f"https://{HERE}:14000/dir", "--email", "six@certwright.test", "--agree-tos")
        for validation in ("dns-01", "http-01"):
            done = server.cli("order", "create", "--account", account["id"], "--name", f"{validation[:4].strip('-')}.example.test", "--validation", validation,
                              *(["--dns", "delegation"] if validation == "dns-01" else []), "--wait", "--json", timeout=180)
            print(validation, done.json["status"] if done.status == 0 else done)
    except BaseException:
        for log in folder.rglob("*.log"):
            print(f"==== {log}\n{log.read_text(errors='replace')[-3000:]}")
        raise
    finally:
        for part in reversed(parts):
            part.stop()


def fingerprint(server, port):
    import hashlib
    import ssl
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("::1", port)) as raw, trust.wrap_socket(raw) as s:
        server.fingerprint = hashlib.sha256(s.getpeercert(True)).hexdigest()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
