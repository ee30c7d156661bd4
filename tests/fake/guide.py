# SPDX-License-Identifier: Apache-2.0
"""guide - the administrator's guide as a program: the blocks of its pages, and a host on which they are run as they stand. What a reader has to
replace (a name, a path, a number) is replaced by a table of the caller; the folders of a real host (/etc, /root, ...) lie below a scratch folder,
and `systemctl` and `journalctl` mean the server of the test bed."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import typing

import bed as beds

PAGES = beds.TOP / "docs/admin"
LANGUAGES = ("sh", "ini", "zone", "json", "yaml", "text")
FOLDERS = ("etc", "root", "mnt", "media", "srv", "run", "var", "usr/local")  # of a real host, which the blocks name
LOCAL = ("serve", "setup", "config", "key", "restore", "backup", "upgrade", "restored")              # verbs that read certwright.conf themselves


class Block(typing.NamedTuple):
    page: str
    line: int
    language: str
    text: str

    @property
    def where(self):
        return f"{self.page}:{self.line}"

    @property
    def first(self):
        """Its first line: by this the tables of the tests name it."""
        return self.text.split("\n", 1)[0]


def blocks_of(name, text):
    """Every fenced block of a page, in its order; one that was not closed is an error."""
    found, at, language, lines = [], 0, None, []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("```"):
            lines.append(line)
        elif language is None:
            at, language, lines = number, line.strip().lstrip("`"), []
        else:
            found.append(Block(name, at, language, "\n".join(lines) + "\n"))
            language = None
    assert language is None, f"{name}:{at}: the block is not closed"
    return found


def blocks(page):
    return blocks_of(page.name, page.read_text())


CERTWRIGHT = """#!/bin/sh
export CREDENTIALS_DIRECTORY=%(root)s/etc/certwright
case " $* " in
%(local)s|*" --local "*) exec %(program)s "$@" --config %(root)s/etc/certwright/certwright.conf%(set)s ;;
esac
exec %(program)s "$@"
"""
SYSTEMCTL = """#!/usr/bin/python3
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("%(socket)s")
s.sendall("\\0".join(sys.argv[1:]).encode())
s.shutdown(socket.SHUT_WR)
answer = s.makefile().read()
sys.exit(answer or 0)
"""


class Systemctl:
    """What the blocks ask of systemd: units must be of the package (or named here), and those of the server are the server."""

    def __init__(self, path, host, others=("nginx",)):
        self.host, self.others, self.calls = host, others, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        path.chmod(0o666)
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                asked, _ = self.socket.accept()
            except OSError:
                return
            with asked:
                words = b"".join(iter(lambda: asked.recv(4096), b"")).decode().split("\0")
                try:
                    answer = self.do([w for w in words if not w.startswith("-")])
                except Exception as e:  # it is the answer, and the block fails with it
                    answer = f"systemctl {' '.join(words)}: {e}"
                asked.sendall((answer or "").encode())

    def do(self, words):
        verb, units = words[0], words[1:]
        self.calls.append(" ".join(words))
        for unit in units:
            if unit not in self.others and not (beds.TOP / "packaging/systemd" / unit).exists():
                return f"there is no unit '{unit}' in the package"
        if verb not in ("daemon-reload", "stop", "start", "restart", "enable", "reload"):
            return f"systemctl {verb} is not known here"
        if {"certwright.service", "certwright.target"} & set(units):
            if verb in ("stop", "restart"):
                self.host.server.process.stop(90)
            if verb in ("start", "restart"):
                self.host.start()
        return None

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Configured(beds.Server):
    """Its certwright.conf counts where the bed says nothing."""

    def __init__(self, conf, *args, **more):
        super().__init__(*args, **more)
        self.conf = conf

    def arguments(self):
        return ["--config", str(self.conf), *super().arguments()]


class Host:
    """A host with Certwright, in a folder: its /etc, /root and so on are below root, what is run is run in root/work."""

    def __init__(self, folder, settings, ports, user=None, signed_in=True):
        self.folder, self.root = pathlib.Path(folder), pathlib.Path(folder) / "host"
        for part in ("work", "bin", "etc/certwright", "root", "mnt/backups", "media/safe", "var/lib", "var/backups", "run/keys"):
            (self.root / part).mkdir(parents=True)
        self.work = self.root / "work"
        for path in [self.root, *self.root.rglob("*")]:
            path.chmod(0o711)
        self.conf = self.root / "etc/certwright/certwright.conf"
        self.user, self.signed_in = user, signed_in
        self.server = Configured(self.conf, self.folder, {"keys.master": "master.key", **settings}, user, ports=ports, prepare=False,
                                  env={"CREDENTIALS_DIRECTORY": str(self.folder / "credentials")})
        known = [f"--set={k}={v}" for k, v in self.server.settings.items() if v is not None]
        self.conf.write_text(subprocess.run([beds.PROGRAM, "config", "example", *known], capture_output=True, text=True, check=True).stdout)
        self.server.state = self.root / "var/lib/certwright"
        self.systemctl = Systemctl(self.folder / "systemd", self)
        self.programs()
        self.parts = []

    def programs(self):
        flags = "".join(f" --set '{k}={v}'" for k, v in self.server.settings.items() if v is not None) + f" --state {self.server.state}"
        for name, text in (("certwright", CERTWRIGHT % {"local": "|".join(f'" {verb} "*' for verb in LOCAL), "program": beds.PROGRAM, "root": self.root, "set": flags}),
                           ("systemctl", SYSTEMCTL % {"socket": self.folder / "systemd"}),
                           ("journalctl", f"#!/bin/sh\nexec cat {self.folder}/certwright.log\n")):
            (self.root / "bin" / name).write_text(text)
            (self.root / "bin" / name).chmod(0o755)

    def start(self):
        """As the units do: a master key before the very first start, and to the server it is a credential."""
        key, credentials = self.root / "etc/certwright/master.key", self.folder / "credentials"
        if not key.exists():
            subprocess.run([beds.PROGRAM, "key", "create", key], check=True, capture_output=True)
        shutil.rmtree(credentials, ignore_errors=True)
        credentials.mkdir(0o700)
        shutil.copy(key, credentials)
        (credentials / key.name).chmod(0o400)
        if self.user:
            beds.chown_tree(credentials, self.user)
        if self.signed_in and not self.server.token_file.exists():
            self.server.prepare()
        self.server.start()

    def put(self, path, text, mode=0o600):
        """A file that the page says is there, by its path on a real host."""
        file = self.root / path.lstrip("/") if path.startswith("/") else self.work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def env(self):
        known = self.server.cli_env() if self.signed_in else {**os.environ, "XDG_CONFIG_HOME": str(self.server.home)}
        return {**known, "CERTWRIGHT_EDGE": str(beds.EDGE), "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"}

    def below(self, text):
        """The paths of a real host, below our folder."""
        return re.sub(rf"(?<![\w.*/-])/(?=(?:{'|'.join(FOLDERS)})(?:/|\s))", f"{self.root}/", text)

    def run(self, script):
        done = subprocess.run(["bash", "-euxo", "pipefail", "-c", script], cwd=self.work, env=self.env(), capture_output=True, text=True, check=False, timeout=300,
                              stdin=subprocess.DEVNULL)
        return beds.Answer(done)

    def config_check(self, text):
        """The lines of an `ini` block as a certwright.conf of their own."""
        file = self.put("/etc/certwright/block.conf", self.below(text), 0o644)
        return beds.Answer(subprocess.run([beds.PROGRAM, "config", "check", "--config", file, "--state", self.server.state], capture_output=True, text=True, check=False))

    def stop(self):
        for part in reversed([self.server, self.systemctl, *self.parts]):
            part.stop()


def replaced(text, table, where):
    """What a reader replaces; a row that replaces nothing is out of date."""
    for theirs, ours in table.items():
        assert theirs in text, f"{where} does not say '{theirs}' any more"
        text = text.replace(theirs, str(ours))
    return text
