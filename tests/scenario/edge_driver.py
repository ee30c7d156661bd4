# SPDX-License-Identifier: Apache-2.0
"""Starts certwright-edge as the supervisor does, and speaks core's end of the feed (src/feed/feed.h) by itself."""
import contextlib
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fake"))
from ports import free_port  # noqa: E402

MAGIC, OLDEST, VERSION = 0x43574644, 1, 2
HELLO, BEGIN, ITEMS, END, ACK, PING, PONG, REPORT, LOG = range(1, 10)
ZONE, NAME, TXT, HTTP = range(1, 5)
ADD, REMOVE = 1, 2

BUILD = os.environ.get("CERTWRIGHT_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
EXE = os.path.join(BUILD, "src", "edge", "certwright-edge")
SELFTEST = EXE + "-selftest"


def header(type_, count=0, start=7, seq=0, version=VERSION):
    return struct.pack("!IBBHQQ", MAGIC, version, type_, count, start, seq)


def item(op, kind, id_, name, value=b"", ttl=5):
    name = name.encode() if isinstance(name, str) else name
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("!BBHHIQ", op, kind, len(name), len(value), ttl, id_) + name + value


def zone(name, id_=1, ns="", ttl=10):
    return item(ADD, ZONE, id_, name, ns, ttl)


def txt(name, value, id_, ttl=5):
    return item(ADD, TXT, id_, name, value, ttl)


def http(token, keyauth, id_):
    return item(ADD, HTTP, id_, token, keyauth, 0)


def remove(kind, name, id_):
    return item(REMOVE, kind, id_, name, b"", 0)


class Core:
    """Core's end of the feed, in the version of today or in another."""

    def __init__(self, path, start=7, version=VERSION):
        self.start, self.version, self.lines, self.newest = start, version, [], None
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(120)
        self.s.connect(path)

    def send(self, type_, items=(), seq=0, **kw):
        self.s.send(header(type_, len(items), kw.pop("start", self.start), seq, kw.pop("version", self.version)) + b"".join(items))

    def recv(self):
        """The next packet that is no LOG; their lines are put aside."""
        while True:
            data = self.s.recv(65536)
            if not data:
                raise EOFError("edge closed the feed")
            magic, version, type_, count, start, seq = struct.unpack("!IBBHQQ", data[:24])
            assert (magic, version) == (MAGIC, OLDEST if type_ == HELLO else self.version)
            if type_ == HELLO:
                self.newest, seq = seq >> 56, seq & (1 << 56) - 1
            if type_ != LOG:
                return type_, start, seq
            at = 24
            for _ in range(count):
                n, = struct.unpack("!H", data[at:at + 2])
                self.lines.append((seq, data[at + 2:at + 2 + n].decode()))
                at += 2 + n
            assert at == len(data)

    def load(self, items, seq=1):
        """The whole set, in packets of at most 64 KiB, until it is acknowledged."""
        type_, _, _ = self.recv()
        assert type_ == HELLO
        self.send(BEGIN)
        batch, size = [], 0
        for i in items:
            if size + len(i) > 60000:
                self.send(ITEMS, batch)
                batch, size = [], 0
            batch.append(i)
            size += len(i)
        if batch:
            self.send(ITEMS, batch)
        self.send(END, seq=seq)
        assert self.recv() == (ACK, self.start, seq)
        return self

    def change(self, items, seq):
        self.send(ITEMS, items, seq)
        assert self.recv() == (ACK, self.start, seq)

    def close(self):
        self.s.close()


class Edge:
    def __init__(self, exe=EXE, args=(), dns=True, http01=True, family="both", any_address=False, env=None, nofile=None):
        self.dir = tempfile.mkdtemp(prefix="cw-edge-")
        self.exe, self.args, self.env, self.nofile = exe, list(args), env or {}, nofile
        self.sockets, self.names, self.proc = [], [], None
        host4, host6 = ("0.0.0.0", "::") if any_address else ("127.0.0.1", "::1")
        if dns:
            self.dns_port = self._dns_ports(host4, host6)
        if http01:
            self.http_port = self._listen(socket.AF_INET, host4, free_port(), "http01")
            self._listen(socket.AF_INET6, host6, self.http_port, "http01")
        for name in ("feed", "report"):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.bind(self.path(name))
            s.listen(16)
            self._add(s, name)

    def path(self, name):
        return os.path.join(self.dir, name)

    def _add(self, s, name):
        self.sockets.append(s)
        self.names.append(name)

    def _listen(self, family, host, port, name, type_=socket.SOCK_STREAM):
        s = socket.socket(family, type_)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((host, port))
        if type_ == socket.SOCK_STREAM:
            s.listen(512)
        self._add(s, name)
        return s.getsockname()[1]

    def _dns_ports(self, host4, host6):
        port = free_port()
        for family, host in ((socket.AF_INET, host4), (socket.AF_INET6, host6)):
            self._listen(family, host, port, "dns-udp", socket.SOCK_DGRAM)
            self._listen(family, host, port, "dns-tcp")
        return port

    def start(self):
        fds = [s.fileno() for s in self.sockets]
        env = {**os.environ, "LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": ":".join(self.names), **self.env}

        def hand_over():
            high = [os.dup2(fd, 200 + i) for i, fd in enumerate(fds)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, inheritable=True)
            os.closerange(3 + len(fds), 300)
            if self.nofile:
                import resource
                resource.setrlimit(resource.RLIMIT_NOFILE, (self.nofile, self.nofile))

        self.log = open(self.path("log"), "ab")
        self.proc = subprocess.Popen([self.exe, *self.args], env=env, stderr=self.log, stdin=subprocess.DEVNULL,
                                     close_fds=False, preexec_fn=hand_over)
        return self

    def core(self, start=7, version=VERSION):
        return Core(self.path("feed"), start, version)

    def reports(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(120)
        s.connect(self.path("report"))
        return s

    def kill(self, sig=signal.SIGKILL):
        self.proc.send_signal(sig)
        return self.proc.wait(120)

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.kill()
        for s in self.sockets:
            s.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def log_text(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def status(self, key):
        with open(f"/proc/{self.proc.pid}/status", encoding="ascii") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
        raise KeyError(key)

    def cpu_s(self):
        with open(f"/proc/{self.proc.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_reports(sock, seconds=2.0, until=None, totals=False):
    """All report records (or all totals) that arrive within the time; until(records) ends it early."""
    out, end = [], time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not select.select([sock], [], [], left)[0]:
            break
        data = sock.recv(65536)
        count = struct.unpack("!IBBHQQ", data[:24])[3]
        at = 24
        for _ in range(count):
            tr, family, qtype, status, n, h, answers, times, first, last = struct.unpack("!BBHHHHIIqq", data[at:at + 34])
            source = data[at + 34:at + 50]
            name = data[at + 50:at + 50 + n].decode()
            host = data[at + 50 + n:at + 50 + n + h].decode("latin-1")
            at += 50 + n + h
            if totals != (not n):
                continue
            out.append({"transport": tr, "family": family, "qtype": qtype, "status": status, "answers": answers,
                        "count": times, "source": source, "name": name, "host": host, "first": first, "last": last})
        assert at == len(data)
        if until and until(out):
            break
    return out


def attached(sock, ask):
    """The socket, once edge tells its reports there: what is asked before that is not told name by name. ask() makes traffic of a name we do not have."""
    until = time.monotonic() + 120
    while not select.select([sock], [], [], 0.3)[0]:
        assert time.monotonic() < until, "no report came"
        ask()
    read_reports(sock, 0.5)
    return sock


@contextlib.contextmanager
def running(items, **kw):
    e = Edge(**kw)
    try:
        e.start()
        e.c = e.core().load(items)
        yield e
    finally:
        e.stop()
