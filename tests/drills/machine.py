# SPDX-License-Identifier: Apache-2.0
"""machine - a Debian of its own with systemd as process 1, in which the package is installed: debootstrap makes a tree of each release
once (build/machines, from Debian's mirror alone), an overlay over it is the machine's disk, systemd-nspawn --boot runs it, in a
network namespace of the drill. Its files are below machine.root as long as it lives. Needs root."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import bed as beds
import namespaces

TREES = beds.TOP / "build/machines"
HOST_SUITE = {"12": "bookworm", "13": "trixie"}
WAY = "units run by systemd as process 1 (systemd-nspawn --boot)"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def host_suite():
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return HOST_SUITE.get(release.get("VERSION_ID", "").strip('"')) if release.get("ID") == "debian" else None


def suite():
    """The release of the machines: $CERTWRIGHT_SUITE (with $CERTWRIGHT_DEB, a package that was built there), or this host's own."""
    return os.environ.get("CERTWRIGHT_SUITE") or host_suite()


def package():
    """The newest .deb that `make deb` left, or $CERTWRIGHT_DEB."""
    if "CERTWRIGHT_DEB" in os.environ:
        return pathlib.Path(os.environ["CERTWRIGHT_DEB"])
    found = sorted((beds.TOP / "build/deb").glob("certwright_*.deb"), key=lambda p: p.stat().st_mtime)
    return found[-1] if found else None


def why_not():
    """What is missing for a machine, or None."""
    for program in ("debootstrap", "systemd-nspawn", "nsenter", "dpkg-deb"):
        if not shutil.which(program):
            return f"{program} is not installed (tools/setup --drills)"
    if not package():
        return "there is no package: make deb"
    if suite() not in HOST_SUITE.values():
        return "the package was built for another system than Debian 12 or 13"
    return namespaces.why_not()


def mirror():
    """$DEBIAN_MIRROR, or where this machine itself gets Debian from."""
    if "DEBIAN_MIRROR" in os.environ:
        return os.environ["DEBIAN_MIRROR"]
    places = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Label: Debian").split()
    if not places:
        raise beds.BedError("apt knows no mirror of Debian: set DEBIAN_MIRROR")
    return places[0]


def run(*args, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise beds.BedError(f"{' '.join(map(str, args))}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def depends(deb):
    """What the package wants, as apt takes it: the first of alternatives, without versions."""
    text = run("dpkg-deb", "-f", deb, "Depends")
    return sorted({word.split("|")[0].split("(")[0].strip() for word in text.split(",")} | {"systemd-sysv", "dbus"})


def chroot(tree, *args, **more):
    return run("unshare", "-m", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', tree, *args,
               env={"PATH": PATH, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}, **more)


def tree(release, name, packages):
    """A tree of that release with those packages, made once for each list of them."""
    folder, wanted = TREES / f"{release}-{name}", " ".join(sorted(packages)) + "\n"
    stamp = TREES / f"{release}-{name}.packages"
    if stamp.exists() and stamp.read_text() == wanted and folder.exists():
        return folder
    TREES.mkdir(parents=True, exist_ok=True)
    TREES.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    run("debootstrap", "--variant=minbase", release, folder, mirror())
    chroot(folder, "apt-get", "-y", "-qq", "install", "--no-install-recommends", *packages)
    chroot(folder, "apt-get", "clean")
    stamp.write_text(wanted)
    return folder


class Machine:
    """Machine(folder, tree, network): booted; network is a namespaces.Namespace."""

    def __init__(self, folder, lower, network, name="drill"):
        self.folder, self.root, self.way = pathlib.Path(folder) / name, pathlib.Path(folder) / name / "root", WAY
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True)
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={self.folder}/upper,workdir={self.folder}/work", self.root)
        try:
            self._boot(network, f"certwright-{os.getpid()}-{name}")
        except BaseException:
            self.stop()
            raise

    def _boot(self, network, name):
        pathlib.Path("/run/systemd/nspawn/propagate").mkdir(parents=True, exist_ok=True)
        log = open(self.folder / "console.log", "ab")
        self.nspawn = subprocess.Popen(["systemd-nspawn", "--quiet", "--boot", "--directory", self.root, "--register=no", "--keep-unit", "--machine", name,
                                        "--console=pipe", "--resolv-conf=off", "--link-journal=no", f"--network-namespace-path=/run/netns/{network.name}"],
                                       stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
        self.init = beds.wait_for(self._init, 240, "the machine's process 1 runs")
        beds.wait_for(lambda: self.systemctl("is-system-running").strip() in ("running", "degraded"), 240, "the machine is up", 0.2)

    def _init(self):
        if self.nspawn.poll() is not None:
            raise beds.BedError(f"systemd-nspawn ended: {(self.folder / 'console.log').read_text(errors='replace')[-2000:]}")
        for pid in self._children(self.nspawn.pid):
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                return pid
        return None

    @staticmethod
    def _children(pid):
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def do(self, *args, text=None, timeout=600, env=None):
        """A command as root in the machine; how it ended."""
        return subprocess.run(["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "/usr/bin/env", "-i", f"PATH={PATH}", "HOME=/root",
                               "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *[f"{k}={v}" for k, v in (env or {}).items()], *map(str, args)],
                              capture_output=True, text=True, check=False, input=text if text is not None else "", timeout=timeout)

    def run(self, *args, **more):
        """The same, and it has to succeed; what it printed."""
        done = self.do(*args, **more)
        if done.returncode:
            raise beds.BedError(f"{' '.join(map(str, args))}: status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}\n{self.journal()[-3000:]}")
        return done.stdout

    def systemctl(self, *args):
        return self.do("systemctl", *args).stdout

    def active(self, unit):
        return self.systemctl("is-active", unit).strip() == "active"

    def journal(self, *args):
        return self.do("journalctl", "--no-pager", "-o", "cat", *args).stdout

    def main_pid(self, unit):
        """The process id as the machine sees it; 0 when it does not run."""
        return int(self.systemctl("show", "--value", "-p", "MainPID", unit).strip() or 0)

    def path(self, inside):
        return self.root / str(inside).lstrip("/")

    def put(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def install(self, deb, *more):
        """By apt without a way to any mirror: what it depends on is there."""
        shutil.copy(deb, self.path("/root") / deb.name)
        return self.run("apt-get", "install", "-y", "--no-install-recommends", *more, f"/root/{deb.name}", timeout=900)

    def stop(self):
        nspawn = getattr(self, "nspawn", None)
        if nspawn and nspawn.poll() is None:
            if hasattr(self, "init"):
                os.kill(self.init, signal.SIGRTMIN + 4)  # as by `poweroff`
                until = time.monotonic() + 30
                while nspawn.poll() is None and time.monotonic() < until:
                    time.sleep(0.1)
            for pid in self._children(nspawn.pid) if nspawn.poll() is None else []:
                os.kill(pid, signal.SIGKILL)
            nspawn.kill() if nspawn.poll() is None else None
            nspawn.wait(20)
        subprocess.run(["umount", "-R", str(self.root)], capture_output=True, check=False)
