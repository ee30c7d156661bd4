# SPDX-License-Identifier: Apache-2.0
"""`certwright sync` keeps certbot's layout on a host: certbot itself and nginx read it, the four files change at once whatever kills the program
at whatever call, the reload runs with certbot's names and is owed until it succeeded, and nobody's folder is taken unasked."""
import configparser
import os
import pathlib
import shutil
import stat
import subprocess

import bed as beds
import pytest
from test_pull import World

NAME = "sync.example.test"
FOUR = ("cert", "chain", "fullchain", "privkey")


class Host:
    """Somewhere else: a folder, a token for one certificate, a command that notes how it was called."""

    def __init__(self, world, folder, certificate, key=True):
        self.world, self.folder, self.dir = world, pathlib.Path(folder), pathlib.Path(folder) / "letsencrypt"
        self.certificate, self.token, self.calls = certificate, self.folder / "token", self.folder / "calls"
        extra = ["--right", "key-export", "--reason", "sync"] if key else []
        done = world.server.cli("token", "create", "--name", f"host {folder}", "--certificate", certificate, *extra, "--out", self.token)
        assert done.status == 0, done
        self.command = self.folder / "reload"
        self.command.write_text(f'#!/bin/sh\necho "$RENEWED_LINEAGE|$RENEWED_DOMAINS|$#|$1" >>"{self.calls}"\n[ ! -e "{self.folder}/refuse" ]\n')
        self.command.chmod(0o755)

    def arguments(self, *extra, command=True):
        return ["sync", self.dir, "--token-file", self.token, "--certificate", self.certificate, *extra, *(["--", self.command, "a b"] if command else [])]

    def sync(self, *extra, command=True):
        return self.world.server.cli(*self.arguments(*extra, command=command))

    def live(self, name=NAME):
        return self.dir / "live" / name

    def number(self, name=NAME):
        """Of the four, which is one and the same; they belong together."""
        targets = {kind: os.readlink(self.live(name) / f"{kind}.pem") for kind in FOUR}
        numbers = {pathlib.Path(t).name[len(kind):-4] for kind, t in targets.items()}
        assert len(numbers) == 1 and all(pathlib.Path(t).parent == pathlib.Path(f"../../archive/{name}") for t in targets.values()), targets
        text = {kind: (self.live(name) / f"{kind}.pem").read_text() for kind in FOUR}
        assert text["fullchain"] == text["cert"] + text["chain"]
        assert beds.openssl("pkey", "-in", str(self.live(name) / "privkey.pem"), "-pubout") == \
            beds.openssl("x509", "-in", str(self.live(name) / "cert.pem"), "-noout", "-pubkey")
        return int(numbers.pop())

    def reloads(self):
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def leftovers(self):
        return [str(p) for p in self.dir.rglob("*") if ".certwright-new" in str(p)]


@pytest.fixture(scope="module")
def world():
    folder = beds.scratch("certwright-sync-")
    bed = beds.Bed(folder).start()
    one = World(bed)
    one.name = one.issue(names=[NAME])
    yield one
    bed.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def host(world, scratch):
    return Host(world, scratch, world.name)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_certificate_is_put_there_reloaded_and_left_alone_until_it_is_new(world, host):
    done = host.sync()
    assert done.status == 0 and "number 1 is live" in done.out, done
    assert host.number() == 1 and host.reloads() == [f"{host.live()}|{NAME}|1|a b"]
    assert [mode(host.dir / d) for d in ("live", "archive", f"archive/{NAME}")] == [0o700] * 3
    assert mode(host.live() / "privkey.pem") == 0o600 and mode(host.live() / "cert.pem") == 0o644
    again = host.sync()
    assert again.status == 0 and "nothing new" in again.err and len(host.reloads()) == 1
    group = os.getgid() if os.getuid() else 12
    os.chown(host.live() / "privkey.pem", -1, group)
    (host.live() / "privkey.pem").chmod(0o640)
    before = os.readlink(host.live() / "cert.pem"), host.live().stat().st_ino
    world.renew(world.name)
    done = host.sync("--json")
    assert done.status == 0 and done.json == {"changed": True, "reloaded": True, "name": NAME, "lineage": str(host.live())}, done
    assert host.number() == 2 and len(host.reloads()) == 2 and before[0].endswith("cert1.pem")
    assert (mode(host.live() / "privkey.pem"), (host.live() / "privkey.pem").stat().st_gid) == (0o640, group), "as the key before it"
    assert not host.leftovers() and {p.name for p in (host.dir / "archive" / NAME).iterdir()} == {f"{k}{n}.pem" for k in FOUR for n in (1, 2)}
    (host.dir / "archive" / NAME / "privkey2.pem").unlink()
    assert host.sync(command=False).status == 0 and host.number() == 3, "a file that is gone is fetched again"


@pytest.mark.skipif(not shutil.which("certbot"), reason="certbot is not installed")
def test_certbot_reads_it_and_does_not_renew_it(host, scratch):
    assert host.sync().status == 0
    places = ["--config-dir", host.dir, "--work-dir", scratch / "work", "--logs-dir", scratch / "logs"]
    shown = subprocess.run(["certbot", "certificates", *places], capture_output=True, text=True, check=True).stdout
    assert f"Certificate Name: {NAME}" in shown and f"Domains: {NAME}" in shown and f"{host.live()}/privkey.pem" in shown, shown
    renewed = subprocess.run(["certbot", "renew", "--dry-run", *places], capture_output=True, text=True, check=False)
    assert "No simulated renewals were attempted" in renewed.stdout + renewed.stderr or "not due" in renewed.stdout, renewed


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_takes_the_files(host, scratch):
    assert host.sync().status == 0
    (scratch / "nginx.conf").write_text(f"events {{}}\npid {scratch}/pid;\nerror_log stderr;\nhttp {{ access_log off; server {{ listen 127.0.0.1:{beds.free_port()} ssl;"
                                        f" ssl_certificate {host.live()}/fullchain.pem; ssl_certificate_key {host.live()}/privkey.pem; }} }}\n")
    tried = subprocess.run(["nginx", "-t", "-p", scratch, "-c", scratch / "nginx.conf"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr


def test_a_reload_that_failed_is_owed_until_it_succeeds(host):
    (host.folder / "refuse").touch()
    done = host.sync()
    assert done.status == 1 and "in place" in done.err and "again at the next" in done.err, done
    assert host.number() == 1 and len(host.reloads()) == 1
    assert host.sync().status == 1 and len(host.reloads()) == 2
    (host.folder / "refuse").unlink()
    assert host.sync().status == 0 and len(host.reloads()) == 3
    assert host.sync().status == 0 and len(host.reloads()) == 3
    missing = host.world.server.cli(*host.arguments("--name", "other", command=False), "--", host.folder / "no-such-program")
    assert missing.status == 1 and "no-such-program" in missing.err, missing


@pytest.mark.skipif(os.getuid() != 0, reason="not root: files cannot be given to another group")
def test_a_group_may_read_keys_and_folders_from_the_start(world, host):
    assert host.sync("--group", "12", command=False).status == 0
    for path in (host.dir / "live", host.dir / "archive", host.dir / "archive" / NAME):
        assert (mode(path), path.stat().st_gid) == (0o750, 12), path
    key = host.live() / "privkey.pem"
    assert (mode(key), key.stat().st_gid, host.live().stat().st_gid) == (0o640, 12, 12)
    world.renew(world.name)
    assert host.sync(command=False).status == 0
    assert (mode(key), key.stat().st_gid) == (0o640, 12) and host.number() == 2


def certbot_made(host):
    """What certbot leaves, with something an administrator put beside it."""
    archive = host.dir / "archive" / NAME
    archive.mkdir(parents=True)
    host.live().mkdir(parents=True)
    (host.dir / "renewal").mkdir()
    beds.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(archive / "privkey7.pem"), "-out", str(archive / "cert7.pem"), "-subj", f"/CN={NAME}")
    shutil.copy(archive / "cert7.pem", archive / "fullchain7.pem")
    (archive / "chain7.pem").write_text("")
    for kind in FOUR:
        (host.live() / f"{kind}.pem").symlink_to(f"../../archive/{NAME}/{kind}7.pem")
    (host.live() / "README").write_text("hello\n")
    (host.live() / "dh.pem").symlink_to("/etc/dh.pem")
    conf = host.dir / "renewal" / f"{NAME}.conf"
    conf.write_text("version = 2.1.0\narchive_dir = x\n[renewalparams]\nauthenticator = standalone\n")
    return conf


def test_what_certbot_made_is_taken_over_when_certbot_stopped_and_a_person_says_so(host):
    conf = certbot_made(host)
    host.live().chmod(0o711)
    for extra in ([], ["--take-over"]):
        done = host.sync(*extra)
        assert done.status == 4 and ("autorenew = False" in done.err or "--take-over" in done.err), done
    conf.write_text(conf.read_text() + "autorenew = False\n")
    assert host.sync().status == 4 and host.number() == 7 and not host.reloads()
    assert host.sync("--take-over").status == 0
    assert host.number() == 8 and mode(host.live()) == 0o711
    assert (host.live() / "README").read_text() == "hello\n" and os.readlink(host.live() / "dh.pem") == "/etc/dh.pem"
    assert (host.dir / "archive" / NAME / "privkey7.pem").exists() and "standalone" in conf.read_text()
    assert host.sync().status == 0 and not host.leftovers()
    (host.live() / "folder").mkdir()
    host.world.renew(host.certificate)
    refused = host.sync()
    assert refused.status == 4 and "'folder'" in refused.err and host.number() == 8, refused


def test_another_certificate_does_not_push_it_aside(world, host):
    assert host.sync().status == 0
    other = Host(world, beds.scratch("certwright-sync-host-"), world.other)
    other.dir = host.dir
    done = other.sync("--name", NAME)
    assert done.status == 4 and "holds another certificate" in done.err, done
    assert other.sync().status == 0 and other.number("other.example.test") == 1 and host.number() == 1
    assert {p.name for p in (host.dir / "live").iterdir()} == {NAME, "other.example.test"}
    shutil.rmtree(other.folder)


@pytest.mark.parametrize("extra,status", [(["--name", "../x"], 2), (["--name", ".x"], 2), (["--layout", "x"], 2), (["--keep", "-1"], 2), (["--group", "no such group"], 2)])
def test_what_makes_no_sense_is_refused_before_anything(host, extra, status):
    assert host.sync(*extra).status == status and not host.dir.exists()


def test_refusals_leave_what_is_there(world, host, scratch):
    assert host.sync().status == 0
    world.renew(world.name)
    here = host.token.read_text()
    host.token.write_text(here.strip()[:-1] + ("A" if here.strip()[-1] != "A" else "B") + "\n")
    assert host.sync().status == 8
    plain = Host(world, beds.scratch("certwright-sync-host-"), world.name, key=False)
    plain.dir = host.dir
    assert plain.sync().status == 8
    nobody = world.server.cli(*host.arguments("--server", f"https://127.0.0.1:{beds.free_port()}", "--fingerprint", "0" * 64))
    assert nobody.status in (5, 6), nobody
    assert host.number() == 1 and len(host.reloads()) == 1
    shutil.rmtree(plain.folder)


def test_a_key_that_stays_on_the_host_is_used_and_must_fit(world, scratch):
    beds.openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", str(scratch / "k"), "-out", str(scratch / "c"), "-subj", "/",
                 "-addext", "subjectAltName=DNS:*.kept.example.test,DNS:kept.example.test")
    beds.openssl("genrsa", "-out", str(scratch / "wrong"), "2048")
    beds.openssl("req", "-new", "-key", str(scratch / "k"), "-out", str(scratch / "c"), "-subj", "/", "-addext", "subjectAltName=DNS:kept.example.test")
    csr = world.admin.post("/csrs/upload", {"pem": (scratch / "c").read_text()}).json()["id"]
    one = Host(world, scratch, world.issue(csr_id=csr), key=False)
    assert one.sync("--key", scratch / "wrong").status == 4 and not (one.dir / "live" / "kept.example.test").exists()
    assert one.sync("--key", scratch / "k").status == 0 and one.number("kept.example.test") == 1
    assert one.sync("--key", scratch / "k").status == 0 and len(one.reloads()) == 1


def test_old_numbers_go_and_the_live_one_stays(world, host):
    for _ in range(4):
        assert host.sync("--keep", "2", command=False).status == 0
        (host.live() / "certwright.json").unlink()  # as if it had never been fetched
        assert host.sync("--keep", "2", "--take-over", command=False).status == 0
    numbers = {int(p.name[4:-4]) for p in (host.dir / "archive" / NAME).glob("cert*.pem")}
    assert numbers == {host.number(), host.number() - 1}


def test_two_at_once_do_not_meet(host):
    host.command.write_text(f"#!/bin/sh\necho in >>{host.calls}\nwhile [ ! -e {host.folder}/go ]; do sleep 0.05; done\n")
    env = host.world.server.cli_env()
    first = subprocess.Popen([beds.PROGRAM, *map(str, host.arguments())], env=env, stdout=subprocess.DEVNULL)
    beds.wait_for(host.reloads, 120, "the first one is at its command")
    second = host.sync()
    (host.folder / "go").touch()
    assert first.wait(120) == 0
    assert second.status == 6 and "another certwright sync" in second.err, second


CALLS = "mkdir rename renameat2 symlink link linkat unlink unlinkat rmdir write fsync chmod fchmod chown fchown".split()  # strace counts each by itself


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_killed_at_any_call_it_leaves_the_old_four_or_the_new_four(world, host, scratch):
    """kill -9 at the Nth call of each kind that changes something on the disk, for N = 1, 2, 3, ... until one run is through."""
    assert host.sync().status == 0
    world.renew(world.name)
    base = scratch / "base"
    shutil.copytree(host.dir, base, symlinks=True)
    env, seen, kills = host.world.server.cli_env(), set(), 0

    def killed(call, n):
        shutil.rmtree(host.dir)
        shutil.copytree(base, host.dir, symlinks=True)
        host.calls.unlink(missing_ok=True)
        done = subprocess.run(["strace", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}", beds.PROGRAM,
                               *map(str, host.arguments())], env=env, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode in (0, -9, 137), done
        return done.returncode != 0

    for call in CALLS:
        n = 0
        while killed(call, n := n + 1):
            kills += 1
            seen.add(host.number())
            again = host.sync()
            assert again.status == 0, (call, n, again)
            assert host.number() in (2, 3) and host.reloads() and not host.leftovers(), (call, n)
            assert not (host.live() / "certwright-reload-owed").exists(), (call, n)
    assert seen == {1, 2} and kills > 25, (seen, kills)


def test_the_renewal_file_says_that_certbot_does_not_renew(host):
    assert host.sync().status == 0
    conf = configparser.ConfigParser()
    conf.read_string("[top]\n" + (host.dir / "renewal" / f"{NAME}.conf").read_text())
    assert conf["renewalparams"]["autorenew"] == "False" and conf["top"]["fullchain"] == f"{host.live()}/fullchain.pem"
