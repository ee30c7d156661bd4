# SPDX-License-Identifier: Apache-2.0
"""zerossl - ZeroSSL as a client meets it, behind a proxy: `api.zerossl.com` hands out external accounts, `acme.zerossl.com` is the
scripted CA under its own name. The program under test is told nothing but its proxy and whom to trust.

	zero = ZeroSSL(folder, ca)      zero.url for net.proxy, zero.ca for net.trust
	zero.access_keys.add("abc")     who may ask by access key; by e-mail everybody may
	zero.refusal = 2905             what the next one is told instead: {"success": 0, "error": {...}}
	zero.asked                      [("email", "a@example.test"), ("access-key", "abc")]
"""
import contextlib
import pathlib
import secrets
import socket
import ssl
import threading
import urllib.parse

import bed as beds
from ca.wire import Answer, Connection, Gone

API, ACME = "api.zerossl.com", "acme.zerossl.com"
TYPES = {2902: "failed_creating_eab_account", 2903: "failed_generating_eab_account", 2904: "too_many_eab_credentials_created_today",
         2905: "too_many_eab_credentials_created_today_for_user"}


class ZeroSSL:
    def __init__(self, folder, ca):
        self.folder, self.authority = pathlib.Path(folder) / "zerossl", ca
        beds.make_tls(self.folder, f"DNS:{API},DNS:{ACME}")
        ca.url = f"https://{ACME}"
        ca.directory = f"{ca.url}/v2/DV90"
        ca.eab_required = ca.eab_once = True
        self.ca, self.asked, self.access_keys, self.refusal = self.folder / "ca.pem", [], set(), None
        self.hosts, self.stopping = [], threading.Event()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.folder / "srv.pem", self.folder / "srv.key")
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.stopping.is_set():
            try:
                connection, address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection, address[0]), daemon=True).start()

    def serve(self, connection, address):
        with contextlib.suppress(OSError, ValueError, Gone), connection:
            connect = Connection(connection, address).read()
            host, _, port = connect.path.rpartition(":")
            self.hosts.append(connect.path)
            if connect.method != "CONNECT" or host not in (API, ACME) or port != "443":
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self.tls.wrap_socket(connection, server_side=True) as inside:
                inside.settimeout(60)
                c = Connection(inside, address)
                while not self.stopping.is_set():
                    request = c.read()
                    c.write(request, self.credentials(request) if host == API else self.acme(request), self.stopping)

    def acme(self, request):
        if request.path == "/v2/DV90":
            request.path = "/dir"
        return self.authority.handle(request)

    def credentials(self, request):
        path, _, query = request.path.partition("?")
        if request.method != "POST":
            return Answer(405, {"success": 0, "error": {"code": 103, "type": "invalid_request"}})
        if path == "/acme/eab-credentials-email":
            self.asked.append(("email", urllib.parse.parse_qs(request.body.decode()).get("email", [""])[0]))
            known = bool(self.asked[-1][1])
        elif path == "/acme/eab-credentials":
            self.asked.append(("access-key", urllib.parse.parse_qs(query).get("access_key", [""])[0]))
            known = self.asked[-1][1] in self.access_keys
        else:
            return Answer(404, {"success": 0, "error": {"code": 103, "type": "invalid_request"}})
        if self.refusal:
            return Answer(200, {"success": 0, "error": {"code": self.refusal, "type": TYPES[self.refusal]}})
        if not known:
            return Answer(200, {"success": 0, "error": {"code": 101, "type": "invalid_access_key"}})
        kid = secrets.token_urlsafe(16)
        return Answer(200, {"success": 1, "eab_kid": kid, "eab_hmac_key": self.authority.add_eab(kid, secrets.token_bytes(64))})

    def stop(self):
        self.stopping.set()
        self.listener.close()
