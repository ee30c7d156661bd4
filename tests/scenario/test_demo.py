# SPDX-License-Identifier: Apache-2.0
"""`make demo`, as whoever looks at Certwright for the first time types it: two real certificates, the page, a link to sign in; and nothing is left."""
import contextlib
import os
import pathlib
import pwd
import re
import signal
import subprocess

import bed as beds
import pytest

MEANT = {"demo.example.test", "*.demo.example.test", "www.example.test"}


def known(user):
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return None


@pytest.fixture
def place(scratch):
    """Where the demo keeps its things; the user that it makes when it is root goes again if it was not there before."""
    before = known("certwright")
    yield scratch
    if os.geteuid() == 0 and not before and known("certwright"):
        subprocess.run(["userdel", "certwright"], check=True)


def built():
    """make would build nothing: the tree is as the other tests found it, and must stay so while they run."""
    page = beds.TOP / "ui/dist/index.html"
    newer = page.exists() and subprocess.run(["find", beds.TOP / "ui", beds.TOP / "src/api/openapi.yaml", "-path", "*/node_modules", "-prune", "-o", "-path", "*/ui/dist", "-prune", "-o",
                                              "-type", "f", "-newer", page, "-print", "-quit"], capture_output=True, text=True, check=True).stdout
    return newer == "" and "no work to do" in subprocess.run(["ninja", "-C", beds.BUILD, "-n"], capture_output=True, text=True, check=False).stdout


def start(command, place):
    return subprocess.Popen(command, cwd=beds.TOP, env={**os.environ, "TMPDIR": str(place), "CERTWRIGHT_BUILD": str(beds.BUILD)}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, start_new_session=True)


def nothing_is_left(place):
    assert not list(place.glob("certwright-demo-*")), "its folder is gone"
    running = []
    for p in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # others come and go on this machine
            running += [line] if str(place) in (line := p.read_bytes().replace(b"\0", b" ").decode(errors="replace")) else []
    assert not running


def test_the_demo_issues_two_certificates_shows_the_way_in_and_leaves_nothing(place):
    command = ["make", "--no-print-directory", "demo", "ONESHOT=1", "SETUP=true", f"BUILD={beds.BUILD}"] if built() else [beds.TOP / "tools/demo", "--oneshot"]
    demo = start(command, place)
    out, _ = demo.communicate(timeout=600)
    assert demo.returncode == 0, out
    assert set(re.findall(r"DNS:([\w.*-]+)", out)) == MEANT and len(re.findall(r"^ *issuer=.*Pebble", out, re.M)) == 2, out
    assert re.search(r"https://127\.0\.0\.1:\d+/\S+", out.split("== the page")[1]), out
    nothing_is_left(place)


def test_the_demo_stays_up_until_ctrl_c_and_leaves_nothing_then(place):
    demo = start([beds.TOP / "tools/demo"], place)
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if "until Ctrl-C" in line:
            break
    out = "".join(lines)
    assert "until Ctrl-C" in out, out
    url = re.search(r"API and page +(\S+)", out)[1]
    done = subprocess.run(["curl", "-ksS", "-o", place / "page", "-w", "%{http_code}", f"{url}/readyz"], capture_output=True, text=True, check=False)
    assert done.stdout == "200", done
    os.killpg(demo.pid, signal.SIGINT)
    rest = demo.communicate(timeout=300)[0]
    assert demo.returncode == 0, rest
    nothing_is_left(place)
