# SPDX-License-Identifier: Apache-2.0
"""openingproxy - an HTTP proxy that opens TLS, as some enterprises run: it answers CONNECT, shows a certificate of its own CA for the
host that was asked for, and speaks TLS with the real one behind.

	proxy = OpeningProxy(folder, upstream_ca)
	proxy.url          http://127.0.0.1:PORT, for net.proxy
	proxy.ca           its CA (PEM), for net.trust
	proxy.seen         ["CONNECT 127.0.0.1:14000", ...] and the request lines it could read
"""
import contextlib
import pathlib
import select
import shutil
import socket
import ssl
import threading

import bed as beds


class OpeningProxy:
    def __init__(self, folder, upstream_ca):
        self.folder = pathlib.Path(folder) / "opening-proxy"
        beds.make_tls(self.folder)  # its leaf is for localhost and 127.0.0.1: all that tests ask for
        self.ca, self.seen = self.folder / "ca.pem", []
        self.server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_side.load_cert_chain(self.folder / "srv.pem", self.folder / "srv.key")
        self.client_side = ssl.create_default_context(cafile=str(upstream_ca))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, ValueError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(4096)
                if not piece:
                    return
                head += piece
            line = head.split(b"\r\n", 1)[0].decode("ascii", "replace")
            target = line.split()[1]
            self.seen.append(f"CONNECT {target}")
            host, port = target.rsplit(":", 1)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self.server_side.wrap_socket(connection, server_side=True) as inside, \
                    socket.create_connection((host, int(port)), timeout=60) as raw, \
                    self.client_side.wrap_socket(raw, server_hostname=host) as outside:
                self.relay(inside, outside)

    def relay(self, inside, outside):
        """Both ways in one thread: an SSL object is not for two."""
        for one in (inside, outside):
            one.setblocking(False)
        while True:
            ready = [s for s in (inside, outside) if s.pending()] or select.select([inside, outside], [], [], 60)[0]
            if not ready:
                return
            for source in ready:
                try:
                    data = source.recv(65536)
                except ssl.SSLWantReadError:  # nothing for us: a session ticket
                    continue
                if not data:
                    return
                target = outside if source is inside else inside
                if source is inside:
                    self.seen.append(data.split(b"\r\n", 1)[0].decode("ascii", "replace"))
                target.setblocking(True)
                target.sendall(data)
                target.setblocking(False)

    def stop(self):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)
