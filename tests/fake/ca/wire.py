# SPDX-License-Identifier: Apache-2.0
"""wire - HTTPS by hand, a thread a connection, so that an answer can be late, cut, endless, garbled, or on a bad TLS context."""
import contextlib
import json
import socket
import struct
import threading
import time

from . import tls

MAX_HEAD, MAX_BODY = 64 * 1024, 1024 * 1024
REASONS = {200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 409: "Conflict", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}


class Gone(Exception):
    """The client has gone, or the connection has to end here."""


class Request:
    def __init__(self, method, path, headers, body, address):
        self.method, self.path, self.headers, self.body, self.address = method, path, headers, body, address
        self.began = time.monotonic()


class Answer:
    """status, headers ([(name, value)]) and body; how it is spoiled on its way stands in `how` (a rule's members)."""

    def __init__(self, status=200, body=b"", headers=(), kind=None):
        self.status, self.headers, self.how = status, list(headers), {}
        if isinstance(body, (dict, list)):
            body, kind = json.dumps(body), kind or "application/json"
        self.body = body.encode() if isinstance(body, str) else body
        if kind:
            self.set("Content-Type", kind)

    def get(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def set(self, name, value):
        """Replaces; None removes, a list sets several."""
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name.lower()]
        if value is not None:
            self.headers += [(name, v) for v in (value if isinstance(value, list) else [value])]

    def add(self, name, value):
        self.headers.append((name, value))

    def doc(self):
        return json.loads(self.body)


class Connection:
    def __init__(self, sock, address):
        self.sock, self.address, self.data = sock, address, b""

    def more(self):
        part = self.sock.recv(65536)
        if not part:
            raise Gone
        self.data += part

    def read(self):
        while b"\r\n\r\n" not in self.data:
            if len(self.data) > MAX_HEAD:
                raise Gone
            self.more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        if size > MAX_BODY:
            raise Gone
        while len(self.data) < size:
            self.more()
        body, self.data = self.data[:size], self.data[size:]
        return Request(method, path, headers, body, self.address)

    def reset(self):
        """RST instead of a goodbye."""
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def write(self, request, answer, stop):
        """Sends an answer, spoiled as it says. Gone when the connection is over."""
        how = answer.how
        if how.get("delay") and stop.wait(how["delay"]):
            raise Gone
        if how.get("reset"):
            self.reset()
        if how.get("close"):
            raise Gone
        if "raw" in how:
            self.sock.sendall(how["raw"])
            raise Gone
        body = b"" if request.method == "HEAD" or answer.status == 204 else answer.body
        if "continues" in how:  # 100 Continue without end
            while not stop.is_set():
                self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 200)
        lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Said by the fake')}", *(f"{n}: {v}" for n, v in answer.headers)]
        if "many_headers" in how:
            self.sock.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n")
            for i in range(how["many_headers"]):
                self.sock.sendall(b"X-%d: %d\r\n" % (i, i) * 1)
            lines = []
        if "chunked" in how:
            lines.append("Transfer-Encoding: chunked")
            body = self.chunks(body, how["chunked"])
        elif "length" in how:  # None: the connection's end is the body's
            lines.append(f"Content-Length: {how['length']}" if how["length"] is not None else "Connection: close")
        else:
            lines.append(f"Content-Length: {len(body) + how.get('longer', 0)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if "head_cut" in how:
            head, body = head[:how["head_cut"]], b""
        if "cut" in how:
            body = body[:how["cut"]]
        if not (how.get("stall") or how.get("drip") or how.get("endless")):
            self.sock.sendall(head + body)
        else:
            self.sock.sendall(head)
            self.slowly(how, body, stop)
        if any(k in how for k in ("head_cut", "cut", "stall", "drip", "endless", "longer", "length")) or how.get("chunked") is not None:
            raise Gone
        if how.get("last"):
            raise Gone

    @staticmethod
    def chunks(body, broken):
        third, data = max(1, len(body) // 3), b""
        for i, at in enumerate(range(0, len(body), third)):
            chunk = body[at:at + third]
            if i == broken:
                return data + b"%x\r\n" % len(chunk) + chunk[:len(chunk) // 2]
            data += b"%x\r\n" % len(chunk) + chunk + b"\r\n"
        return data + b"0\r\n\r\n"

    def slowly(self, how, body, stop):
        if how.get("stall") and stop.wait(how["stall"]):
            raise Gone
        if how.get("drip"):
            for i in range(len(body)):
                self.sock.sendall(body[i:i + 1])
                if stop.wait(how["drip"]):
                    raise Gone
        elif how.get("endless"):
            sent = 0
            while sent < how["endless"] and not stop.is_set():
                self.sock.sendall(body or b" " * 65536)
                sent += len(body) or 65536
        else:
            self.sock.sendall(body)


class Listener:
    """Accepts on loopback; handle(request) gives an Answer. certificates: {name: (chain, key)}; self.tls says which is in use, or
    "plain", or another name of tls.py."""

    def __init__(self, certificates, handle, port=0, address="127.0.0.1"):
        self.handle, self.stopping, self.tls = handle, threading.Event(), "srv"
        self.contexts, self.certificates = {}, certificates
        self.sock = socket.create_server((address, port), backlog=512)
        self.port = self.sock.getsockname()[1]
        self.open, self.lock, self.accepted, self.handshakes = set(), threading.Lock(), 0, 0
        self.thread = threading.Thread(target=self.accept, daemon=True, name="fake-ca")
        self.thread.start()

    def context(self, name):
        if name not in self.contexts:
            self.contexts[name] = tls.context(self.certificates, name)
        return self.contexts[name]

    def accept(self):
        while not self.stopping.is_set():
            try:
                sock, address = self.sock.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.serve, args=(sock, address[0]), daemon=True).start()

    def secure(self, sock):
        mode = self.tls
        if mode == "plain":
            return sock
        if mode in tls.BROKEN:
            tls.spoil(sock, mode, self.context("srv"), self.stopping.wait)
            raise Gone
        sock.settimeout(30)
        return tls.Sliced(sock, self.context("srv")) if mode == "slices" else self.context(mode).wrap_socket(sock, server_side=True)

    def serve(self, sock, address):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.open.add(sock)
        raw = sock
        try:
            sock = self.secure(sock)
            self.handshakes += 1
            sock.settimeout(300)
            with self.lock:
                self.open.discard(raw)
                self.open.add(sock)
            c = Connection(sock, address)
            while not self.stopping.is_set():
                request = c.read()
                c.write(request, self.handle(request), self.stopping)
        except (Gone, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open -= {sock, raw}
            with contextlib.suppress(OSError):
                sock.close()

    def use_tls(self, name):
        """From the next connection on; those that are open are ended."""
        self.tls = name
        self.drop()

    def drop(self):
        with self.lock:
            for s in list(self.open):
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(s.sock if isinstance(s, tls.Sliced) else s, socket.SHUT_RDWR)

    def stop(self):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.drop()
        self.thread.join(5)
