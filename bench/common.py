# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: pinned servers, rounds in turn, medians, the verdict."""
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests" / "scenario"), str(TOP / "tests" / "fake")]

SERVER_CORE, LOAD_CORE = "0", "1"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "4"))


def pin(pid, core=SERVER_CORE):
    subprocess.run(["taskset", "-apc", core, str(pid)], check=True, stdout=subprocess.DEVNULL)


def family(pid):
    """The process and everything below it."""
    out = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            out += family(int(child))
    return out


def cpu_s(pid):
    """user + system of a process and everything below it"""
    total = 0.0
    for p in family(pid):
        fields = pathlib.Path(f"/proc/{p}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def rss_mib(pid):
    kib = 0
    for p in family(pid):
        for line in pathlib.Path(f"/proc/{p}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                kib += int(line.split()[1])
    return kib / 1024


class Peer:
    """A server of others in a folder of its own; ended by its process id."""

    def __init__(self, name, argv, files, ready_port):
        self.name, self.dir = name, tempfile.mkdtemp(prefix="cw-bench-")
        for path, text in files.items():
            pathlib.Path(self.dir, path).write_text(text, encoding="utf-8")
        self.log = open(os.path.join(self.dir, "log"), "wb")
        self.proc = subprocess.Popen([a.replace("@DIR@", self.dir) for a in argv], stdout=self.log, stderr=self.log, cwd=self.dir)
        self.port = ready_port
        for _ in range(200):
            if self.proc.poll() is not None:
                raise RuntimeError(f"{name} ended: " + pathlib.Path(self.dir, "log").read_text(errors="replace")[-800:])
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", ready_port)) == 0:
                    break
            time.sleep(0.05)
        time.sleep(0.3)
        for pid in family(self.proc.pid):
            pin(pid)

    @property
    def pid(self):
        return self.proc.pid

    def stop(self):
        self.proc.terminate()
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def rounds(servers, measure):
    """{name: [result of measure(server)]}, the servers taking turns."""
    out = {s.name: [] for s in servers}
    for _ in range(ROUNDS):
        for s in servers:
            out[s.name].append(measure(s))
            time.sleep(0.2)
    return out


def table(what, results, unit, better="higher"):
    """Prints minimum, median, maximum of each; returns {name: median}."""
    print(f"{what} ({unit}; {better} is better)")
    medians = {}
    for name, values in results.items():
        medians[name] = statistics.median(values)
        print(f"  {name:<24} {min(values):>12,.1f} {medians[name]:>12,.1f} {max(values):>12,.1f}")
    return medians


def others_run():
    """Is somebody else using the machine? Then the rates say more about them, and CPU for a unit of work is judged."""
    busy = os.getloadavg()[0] > 1.0
    if busy:
        print("  the machine is in use by others: judged by CPU, not by rate")
    return busy


def verdict(ours, theirs, factor, what):
    """ours >= factor * theirs, met within 5 %."""
    ok = ours >= 0.95 * factor * theirs
    print(f"  {'met' if ok else 'MISSED'}: {what}: {ours:,.0f} against {factor:g} x {theirs:,.0f}")
    return ok


def verdict_cpu(ours, theirs, factor, what):
    """The same from CPU for a unit of work, where less is better."""
    ok = theirs >= 0.95 * factor * ours
    print(f"  {'met' if ok else 'MISSED'}: {what}: {ours:.1f} us against {theirs:.1f} us")
    return ok
