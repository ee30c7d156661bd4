# SPDX-License-Identifier: Apache-2.0
"""What packaging/examples offers does what it says: the shell client under dash, the playbook for nginx with nginx and Ansible, the timer's
units by systemd's own check. The playbook for F5 is read by Ansible with F5's modules."""
import os
import re
import shutil
import socket
import ssl
import subprocess

import bed as beds
import pytest
from cryptography import x509
from test_pull import NAME, World

EXAMPLES = beds.TOP / "packaging" / "examples"
ANSIBLE = shutil.which("ansible-playbook")


@pytest.fixture(scope="module")
def world():
    folder = beds.scratch("certwright-examples-")
    bed = beds.Bed(folder).start()
    one = World(bed, certificates=[{"names": [NAME]}])
    one.trust = folder / "server.pem"
    one.trust.write_text(ssl.get_server_certificate(("127.0.0.1", bed.server.api_port)))
    yield one
    bed.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def token(world, scratch):
    path = scratch / "token"
    done = world.server.cli("token", "create", "--name", str(scratch), "--certificate", world.certificate, "--right", "key-export", "--reason", "test", "--out", path)
    assert done.status == 0, done
    return path


def current(world):
    return world.admin.get(f"/certificates/{world.certificate}").json()["fingerprint"]


def fingerprint(pem):
    return beds.openssl("x509", "-in", str(pem), "-noout", "-fingerprint", "-sha256").split("=")[1].strip().replace(":", "").lower()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_the_shell_client_fetches_what_is_new_and_nothing_else(world, token, scratch, shell):
    if not shutil.which(shell.split()[0]):
        pytest.skip(f"{shell} is not installed")
    script = (EXAMPLES / "fetch-certificate.sh").read_text().splitlines()
    assert len([line for line in script if line and not line.startswith("#")]) <= 10
    out, calls = scratch / "out.pem", scratch / "calls"
    (scratch / "told").write_text(f"#!/bin/sh\necho told >>{calls}\n[ ! -e {scratch}/refuse ]\n")
    (scratch / "told").chmod(0o755)

    def run(url=world.server.url):
        return subprocess.run([*shell.split(), EXAMPLES / "fetch-certificate.sh", url, world.certificate, token, out, scratch / "told"], capture_output=True, text=True,
                              env={**os.environ, "CACERT": str(world.trust)}, check=False)
    first = run()
    assert first.returncode == 0 and calls.read_text().count("told") == 1, first
    assert fingerprint(out) == current(world) and "PRIVATE KEY" in out.read_text() and out.stat().st_mode & 0o777 == 0o600
    assert run().returncode == 0 and calls.read_text().count("told") == 1
    world.renew(world.certificate)
    (scratch / "refuse").touch()
    assert run().returncode != 0 and fingerprint(out) == current(world)
    (scratch / "refuse").unlink()
    assert run().returncode == 0 and calls.read_text().count("told") == 3, "a command that failed runs again"
    assert run().returncode == 0 and calls.read_text().count("told") == 3
    was = out.read_text()
    token.write_text("cw_nonsense\n")
    wrong = run()
    assert wrong.returncode == 22 and "401" in wrong.stderr and out.read_text() == was
    assert run(f"https://127.0.0.1:{beds.free_port()}").returncode not in (0, 22) and out.read_text() == was
    assert sorted(p.name for p in scratch.iterdir()) == ["calls", "out.pem", "out.pem.tag", "token", "told"]


def play(folder, book, *extra):
    values = [x for kv in extra for x in ("-e", kv)]
    return subprocess.run([ANSIBLE, "-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter=/usr/bin/python3", *values, EXAMPLES / book], capture_output=True,
                          text=True, timeout=900, check=False, env={**os.environ, "HOME": str(folder), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(folder / "tmp")})


@pytest.fixture
def nginx(scratch):
    port = beds.free_port()
    pem = scratch / "certwright.pem"
    beds.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(scratch / "k"), "-out", str(scratch / "c"), "-subj", "/CN=before")
    pem.write_text((scratch / "c").read_text() + (scratch / "k").read_text())
    conf = scratch / "nginx.conf"
    conf.write_text(f"daemon off;\nevents {{}}\npid {scratch}/nginx.pid;\nerror_log stderr;\nhttp {{ access_log off; server {{ listen 127.0.0.1:{port} ssl;"
                    f" ssl_certificate {pem}; ssl_certificate_key {pem}; }} }}\n")
    args = ["nginx", "-p", str(scratch), "-c", str(conf)]
    process = subprocess.Popen([*args], stderr=subprocess.DEVNULL)
    beds.wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 120, "nginx listens")
    yield port, pem, " ".join(args)
    process.terminate()
    process.wait(120)


def served(port):
    return x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", port)).encode())


def serves(port, pem):
    """Whether what is served now is what lies in the file; while nginx takes its new one, a connection may end."""
    try:
        return served(port).serial_number == x509.load_pem_x509_certificate(pem.read_bytes()).serial_number
    except OSError:
        return False


@pytest.mark.skipif(not ANSIBLE or not shutil.which("nginx"), reason="Ansible or nginx is not installed")
def test_the_playbook_for_nginx_brings_each_new_certificate_and_changes_nothing_else(world, token, scratch, nginx):
    port, pem, command = nginx
    assert served(port).subject.rfc4514_string() == "CN=before"

    def run():
        return play(scratch, "nginx.yml", f"certwright_url={world.server.url}", f"certificate={world.certificate}", f"certwright_token={token.read_text().strip()}",
                    f"destination={pem}", f"ca_file={world.trust}", f"nginx_check='{command} -t'", f"nginx_reload='{command} -s reload'")
    first = run()
    assert first.returncode == 0 and "failed=0" in first.stdout, first.stdout + first.stderr
    beds.wait_for(lambda: fingerprint(pem) == current(world) and serves(port, pem), 120, "nginx serves it")
    assert pem.stat().st_mode & 0o777 == 0o600 and token.read_text().strip() not in first.stdout
    again = run()
    assert again.returncode == 0 and "changed=0" in again.stdout, again.stdout
    world.renew(world.certificate)
    third = run()
    assert third.returncode == 0 and "changed=3" in third.stdout, third.stdout
    beds.wait_for(lambda: serves(port, pem), 120, "nginx serves the renewed one")


def has_f5():
    done = subprocess.run(["ansible-doc", "-l", "f5networks.f5_modules"], capture_output=True, text=True, check=False) if ANSIBLE else None
    return done and "bigip_profile_client_ssl" in done.stdout


@pytest.mark.skipif(not ANSIBLE, reason="Ansible is not installed")
def test_the_playbook_for_f5_names_modules_and_members_that_exist(scratch):
    if not has_f5():
        pytest.skip("the collection f5networks.f5_modules is not installed")
    checked = subprocess.run([ANSIBLE, "--syntax-check", "-i", "localhost,", EXAMPLES / "f5-client-ssl.yml"], capture_output=True, text=True, check=False,
                             env={**os.environ, "HOME": str(scratch)})
    assert checked.returncode == 0, checked.stderr
    for module in sorted(set(re.findall(r"f5networks\.f5_modules\.\w+", (EXAMPLES / "f5-client-ssl.yml").read_text()))):
        shown = subprocess.run(["ansible-doc", "-s", module], capture_output=True, text=True, check=True, env={**os.environ, "HOME": str(scratch)}).stdout
        assert "provider:" in shown, module


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_timer_and_its_service_are_units_systemd_takes(scratch):
    for name in ("certwright-sync@.service", "certwright-sync@.timer"):
        text = (EXAMPLES / name).read_text().replace("/usr/bin/certwright", str(beds.PROGRAM.resolve()))
        (scratch / name.replace("@", "@12")).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", scratch / "certwright-sync@12.timer", scratch / "certwright-sync@12.service"], capture_output=True,
                          text=True, check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{scratch}:"})
    said = [line for line in done.stderr.splitlines() if "certwright-sync" in line]
    assert not said and done.returncode == 0, done.stderr
