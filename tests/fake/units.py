# SPDX-License-Identifier: Apache-2.0
"""units - a small stand-in for systemd as process 1, for machines where it is not: it reads the project's unit files and the
generator's drop-ins, makes the sockets they name, and runs ExecStart as they say (sockets, notification socket, watchdog,
credentials). It knows only what these units use, and says so when it meets a Listen line it does not know. What it does not do
is the sandboxing of [Service]; `systemd-analyze security` judges that, and real activation is judged by systemd-socket-activate.
"""
import os
import pathlib
import signal
import socket
import time

import bed as beds

LISTEN = {"ListenStream": socket.SOCK_STREAM, "ListenDatagram": socket.SOCK_DGRAM, "ListenSequentialPacket": socket.SOCK_SEQPACKET}


def parse(path):
    """[(section, key, value)] of a unit file and of its drop-ins' files given one after the other."""
    section, rows = None, []
    for line in path.read_text().splitlines():
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            section = line.strip("[]")
        else:
            key, value = line.split("=", 1)
            rows.append((section, key, value))
    return rows


class Unit:
    def __init__(self, name, folders):
        self.name, self.rows = name, []
        for folder in folders:
            for path in [folder / name, *sorted((folder / f"{name}.d").glob("*.conf"))]:
                if path.exists():
                    self.rows += parse(path)
        if not self.rows:
            raise beds.BedError(f"there is no unit '{name}'")

    def all(self, key):
        return [v for _, k, v in self.rows if k == key]

    def one(self, key, default=None):
        return (self.all(key) or [default])[-1]


class Manager:
    """Units(packaging/systemd, the generator's folder); replace={"/run/certwright": ...} maps the paths of the host."""

    def __init__(self, folder, folders, replace, user=None, env=None):
        self.folder, self.folders, self.replace, self.user, self.env = pathlib.Path(folder), folders, replace, user, env or {}
        self.sockets, self.pids, self.said, self.notify = {}, {}, {}, {}

    def path(self, text):
        for a, b in self.replace.items():
            text = text.replace(a, str(b))
        return text

    def socket_unit(self, name):
        if name in self.sockets:
            return self.sockets[name]
        unit, made = Unit(name, self.folders), []
        for key, kind in LISTEN.items():
            for address in unit.all(key):
                if address.startswith("/"):
                    s, to = socket.socket(socket.AF_UNIX, kind), self.path(address)
                    pathlib.Path(to).unlink(missing_ok=True)
                else:
                    host, port = address.rsplit(":", 1)
                    s, to = socket.socket(socket.AF_INET6 if "[" in host else socket.AF_INET, kind), (host.strip("[]"), int(port))
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(to)
                if isinstance(to, str):
                    os.chmod(to, int(unit.one("SocketMode"), 8))
                    if self.user:
                        os.chown(to, self.user.pw_uid, self.user.pw_gid)
                if kind != socket.SOCK_DGRAM:
                    s.listen(int(unit.one("Backlog", "128")))
                made.append(s)
        if not made:
            raise beds.BedError(f"'{name}' has no address to listen on; systemd would not load it")
        self.sockets[name] = (unit.one("FileDescriptorName"), made)
        return self.sockets[name]

    def start(self, name, wait=True, args=()):
        unit, fds, names = Unit(name, self.folders), [], []
        sockets = unit.all("Sockets") + ([name.replace(".service", ".socket")] if any((f / name.replace(".service", ".socket")).exists() for f in self.folders) else [])
        for socket_name in dict.fromkeys(sockets):
            fd_name, made = self.socket_unit(socket_name)
            fds += [s.fileno() for s in made]
            names += [fd_name] * len(made)
        words = [self.path(w) for w in unit.one("ExecStart").split()] + list(args)
        at = self.folder / f"{name}.notify"
        if name not in self.notify:
            at.unlink(missing_ok=True)
            self.notify[name] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.notify[name].bind(str(at))
            os.chmod(at, 0o666)
        self.said[name] = []
        env = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": str(at), **self.env}
        for line in unit.all("LoadCredential"):
            cred = self.folder / "credentials" / name
            cred.mkdir(parents=True, exist_ok=True)
            key, source = line.split(":", 1)
            (cred / key).write_bytes(pathlib.Path(self.path(source)).read_bytes())
            if self.user:
                for p in (cred, cred / key):
                    os.chown(p, self.user.pw_uid, self.user.pw_gid)
            (cred / key).chmod(0o400)
            env["CREDENTIALS_DIRECTORY"] = str(cred)
        pid = os.fork()
        if pid == 0:
            self._become(words, fds, names, env, name, unit)
        self.pids[name] = pid
        if wait:
            beds.wait_for(lambda: self.heard(name, "READY=1") or self.ended(name), 180, f"{name} is ready")
            if name not in self.pids:
                raise beds.BedError(f"{name} ended:\n{self.log(name)}")
        return pid

    def _become(self, words, fds, names, env, name, unit):
        try:
            log = os.open(self.folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            moved = [os.dup2(fd, 100 + i, True) for i, fd in enumerate(fds)]
            os.dup2(log, 1), os.dup2(log, 2)
            for i, fd in enumerate(moved):
                os.dup2(fd, 3 + i, True)
            os.closerange(3 + len(fds), 256)
            if self.user:
                os.setgroups([]), os.setgid(self.user.pw_gid), os.setuid(self.user.pw_uid)
            if fds:
                env.update(LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=":".join(names), LISTEN_PID=str(os.getpid()))
            if unit.one("WatchdogSec"):
                env.update(WATCHDOG_USEC=str(int(float(env.get("TEST_WATCHDOG_S", unit.one("WatchdogSec"))) * 1e6)), WATCHDOG_PID=str(os.getpid()))
            os.execve(words[0], words, env)
        finally:
            os._exit(127)

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def heard(self, name, what):
        """Whether the service said so since it was started; collects what has arrived."""
        s = self.notify[name]
        s.setblocking(False)
        while True:
            try:
                self.said[name].append(s.recv(4096).decode())
            except BlockingIOError:
                break
        return any(what in text for text in self.said[name])

    def ended(self, name):
        pid, _ = os.waitpid(self.pids[name], os.WNOHANG)
        if pid:
            del self.pids[name]
        return pid != 0

    def stop(self, name, how=signal.SIGTERM):
        pid = self.pids.pop(name, None)
        if not pid:
            return None
        os.kill(pid, how)
        until = time.monotonic() + 120
        while time.monotonic() < until:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise beds.BedError(f"{name} did not end")

    def close(self):
        for name in list(self.pids):
            self.stop(name, signal.SIGKILL)
        for _, made in self.sockets.values():
            for s in made:
                s.close()
        for s in self.notify.values():
            s.close()
