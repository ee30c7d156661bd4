# SPDX-License-Identifier: Apache-2.0
"""Starting, stopping, restarting: the supervisor, the state folder, the configuration, the first sign-in."""
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

import bed as beds


@pytest.fixture
def server(scratch):
    made = []

    def make(**options):
        folder = scratch / f"server{len(made)}"
        folder.mkdir()
        one = beds.Server(folder, user=beds.user_of_parts(), **options)
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()


def test_the_programs_run_without_root_and_edge_links_libc_only(server):
    one = server().start()
    parts = beds.wait_for(lambda: set(p := one.parts()) == {"core", "edge", "runner"} and p, 120, "all parts have their names")
    for pid in [one.process.pid, *parts.values()]:
        status = open(f"/proc/{pid}/status").read()
        assert "Uid:\t0" not in status, status
    libraries = subprocess.run(["ldd", str(beds.EDGE)], capture_output=True, text=True, check=True).stdout
    names = [line.split()[0].rsplit("/", 1)[-1] for line in libraries.splitlines() if line.strip()]
    assert all(re.match(r"(linux-vdso|libc\.so|ld-linux|libm\.so)", n) for n in names) or os.environ.get("ASAN_OPTIONS"), libraries


def test_a_runner_of_our_own_user_is_started_anew(server):
    one = server(settings={"run.runner_user": "nobody"}).start()
    core, killed = one.parts()["core"], one.kill("runner")
    beds.wait_for(lambda: one.parts().get("runner") not in (None, killed), 120, "the runner is there again")
    assert one.parts()["core"] == core, "core was left alone"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give the runner a user of its own")
def test_a_runner_of_another_user_takes_the_server_along(server):
    one = server(settings={"run.runner_user": "daemon"}).start()
    runner = beds.wait_for(lambda: one.parts().get("runner"), 120, "the runner has its name")
    status = open(f"/proc/{runner}/status").read()
    assert f"Uid:\t{pwd.getpwnam('daemon').pw_uid}" in status, status
    assert one.stop() == 0, "it ends with the others, though it hears no signal of another user"
    one.start()
    parts = one.parts()
    one.kill("runner")
    assert one.process.proc.wait(120) == 1
    assert "the runner of foreign programs ended" in one.process.text()
    beds.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in parts.values()), 120, "nothing is left")


def test_sigterm_ends_everything_in_order_and_frees_the_state(server):
    one = server().start()
    parts = one.parts()
    assert one.stop() == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in parts.values())
    one.start()
    assert one.stop() == 0


def test_a_killed_supervisor_takes_both_along_and_the_next_start_works(server):
    one = server().start()
    parts = one.parts()
    one.process.proc.kill()
    one.process.proc.wait()
    beds.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in parts.values()), 120, "both parts end")
    one.start()


def test_either_part_comes_back_under_a_new_process(server):
    one = server().start()
    for part in ("edge", "core"):
        before = one.kill(part)
        beds.wait_for(lambda: one.parts().get(part) not in (None, before), 120, f"{part} is back")  # noqa: B023
        beds.wait_for(one.ready, 120, "ready again")


def test_a_second_server_on_the_same_state_is_refused_by_name(server):
    one = server().start()
    done = subprocess.run([str(beds.PROGRAM), "serve", *one.arguments()], capture_output=True, text=True, timeout=180, env={**os.environ, **one.env},
                          check=False)
    assert done.returncode == 4, done
    assert "another server uses the state folder" in done.stderr and "certwright" in done.stderr


def test_a_port_in_use_names_its_holder(server):
    one = server()
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", one.http_port))
        s.listen()
        one.prepare()
        done = subprocess.run([str(beds.PROGRAM), "serve", *one.arguments()], capture_output=True, text=True, timeout=180,
                              env={**os.environ, **one.env}, check=False)
    assert done.returncode == 4 and "in use by python3" in done.stderr, done


def test_two_servers_live_side_by_side(server):
    first, second = server().start(), server().start()
    assert first.call("account", "list")["items"] == second.call("account", "list")["items"] == []


def test_without_dns_and_http_there_is_no_edge(server):
    one = server(settings={"dns.listen": "", "http01.listen": ""}).start()
    beds.wait_for(lambda: set(one.parts()) == {"core", "runner"}, 120, "both have their names")
    for validation, field in (("dns-01", "/dns"), ("http-01", "/http")):
        status, said, _ = one.request("POST", "/orders", {"account_id": "1", "names": ["a.example.test"], "validation": validation,
                                                           field[1:]: "delegation" if field == "/dns" else "builtin"})
        assert status == 400 and said["errors"][0]["pointer"] == field and "listen" in said["detail"], said


def test_a_wrong_master_key_is_refused_at_start(server):
    one = server().start()
    one.stop()
    key = one.state / "master.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.rename(key.with_suffix(".kept"))
    subprocess.run([str(beds.PROGRAM), "key", "create", str(key)], check=True, capture_output=True)
    if os.geteuid() == 0:
        os.chown(key, beds.user_of_parts().pw_uid, -1)
    one.start(wait=False)
    assert one.process.proc.wait(120) == 7, one.process.text()
    assert "key" in one.process.text()
    key.unlink()
    one.start(wait=False)
    assert one.process.proc.wait(120) != 0, "a missing key of a used database is not made anew"
    key.with_suffix(".kept").rename(key)
    one.start()


def test_config_check_shows_every_problem_with_its_line(scratch):
    path = scratch / "c.conf"
    path.write_text("[api]\nlisen = x\n[log]\nlevel = loud\n[store]\nurl = postgresql://u:secret@h/d\nurl = sqlite:/x\nnonsense\n")
    done = subprocess.run([str(beds.PROGRAM), "config", "check", "--config", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    lines = [line.split(":")[1] for line in done.stdout.splitlines()]
    assert lines == sorted(lines) and set(lines) == {"2", "4", "6", "7", "8"}, done.stdout
    assert "secret" not in done.stdout
    path.write_text("[log]\nlevel = debug\n")
    assert subprocess.run([str(beds.PROGRAM), "config", "check", "--config", str(path)], capture_output=True, check=False).returncode == 0


def test_serve_refuses_an_unknown_key_before_anything_is_made(scratch):
    state = scratch / "never-made"
    done = subprocess.run([str(beds.PROGRAM), "serve", "--state", str(state), "--set", "dns.lissten=x"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "dns.listen" in done.stderr
    assert not state.exists()


def test_the_one_time_link_makes_the_first_administrator_once(server):
    one = server(prepare=False)
    made = one.setup("--json")
    assert made.status == 0, made
    token = made.json["setup_token"]
    assert made.json["url"].startswith(one.url)
    one.token_file.write_text("none")
    one.start()
    assert one.request("GET", "/setup")[1]["needed"] is True
    wrong = one.request("POST", "/setup", {"setup_token": token[:-2] + "zz", "name": "eve", "password": "correct horse battery"})
    assert wrong[0] == 401, wrong
    done = one.request("POST", "/setup", {"setup_token": token, "name": "alice", "password": "correct horse battery"})
    assert done[0] == 201, done
    assert "__Host-certwright" in done[2]["Set-Cookie"] and "Secure" in done[2]["Set-Cookie"] and "HttpOnly" in done[2]["Set-Cookie"]
    again = one.request("POST", "/setup", {"setup_token": token, "name": "bob", "password": "correct horse battery"})
    assert again[0] in (401, 409), again
    one.password_file.write_text("correct horse battery\n")
    signed = one.cli("login", "--server", one.url, "--user", "alice", "--password-file", one.password_file, "--fingerprint", one.fingerprint,
                     env={"CERTWRIGHT_TOKEN_FILE": "", "CERTWRIGHT_SERVER": "", "CERTWRIGHT_FINGERPRINT": ""})
    assert signed.status == 0, signed
    kept = one.home / "certwright" / "servers.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    bare = {"CERTWRIGHT_TOKEN_FILE": "", "CERTWRIGHT_SERVER": "", "CERTWRIGHT_FINGERPRINT": ""}
    assert one.cli("vendor", "list", env=bare).status == 0
    assert one.cli("logout", env=bare).status == 0
    assert one.cli("vendor", "list", env=bare).status != 0


def test_a_wrong_password_is_denied_and_an_unknown_certificate_is_not_taken_in_silence(server, scratch):
    one = server().start()
    bare = {"CERTWRIGHT_TOKEN_FILE": "", "CERTWRIGHT_SERVER": "", "CERTWRIGHT_FINGERPRINT": ""}
    wrong = scratch / "wrong"
    wrong.write_text("not the password at all\n")
    denied = one.cli("login", "--server", one.url, "--user", "admin", "--password-file", wrong, "--fingerprint", one.fingerprint, env=bare)
    assert denied.status == 8, denied
    unknown = one.cli("login", "--server", one.url, "--user", "admin", "--password-file", one.password_file, env=bare)
    assert unknown.status != 0 and one.fingerprint in unknown.err.replace(":", "").lower(), unknown


def test_setup_refuses_a_second_first_administrator_and_short_passwords(server, scratch):
    one = server()
    short = scratch / "short"
    short.write_text("short\n")
    done = one.setup("--admin", "a", "--password-file", str(short))
    assert done.status == 2 and "password" in done.err.lower(), done
    one.prepare()
    again = one.setup("--admin", "b", "--password-file", str(one.password_file))
    assert again.status == 4, again


def test_health_readiness_and_metrics_need_no_sign_in(server):
    one = server().start()
    assert one.http("/healthz")[0] == 200
    assert one.http("/readyz")[0] == 200
    status, body = one.http("/metrics")
    assert status == 200 and b"certwright" in body


def test_no_secret_is_in_the_log_or_in_the_process_list(server):
    one = server(settings={"log.level": "debug"}).start()
    token, password = one.token_file.read_text().strip(), one.password_file.read_text().strip()
    one.call("account", "list")
    one.request("POST", "/session", {"name": "admin", "password": password})
    seen = one.process.text()
    for pid in [one.process.pid, *one.parts().values()]:
        seen += open(f"/proc/{pid}/cmdline").read()
    assert token not in seen and password not in seen
    assert token not in "".join(p.read_bytes().decode("latin-1") for p in one.state.iterdir() if p.is_file())


def test_a_reload_changes_the_level_of_the_log(server, scratch):
    path = scratch / "reload.conf"
    path.write_text("[log]\nlevel = info\n")
    path.chmod(0o644)
    one = server(settings={"log.level": None})
    one.arguments_plain = one.arguments
    one.arguments = lambda: [*one.arguments_plain(), "--config", str(path)]
    one.start()
    path.write_text("[log]\nlevel = debug\n")
    one.process.proc.send_signal(signal.SIGHUP)
    beds.wait_for(lambda: "read the configuration again" in one.process.text(), 120, "the configuration is read again")
    time.sleep(0.1)
    assert one.process.running()
