# SPDX-License-Identifier: Apache-2.0
"""The ways of HTTP-01 that need somebody else's web server: ready texts in a real nginx, Apache and HAProxy (redirect, forward), iRules
under tclsh, a web root, a BIG-IP with kill -9 between publish and withdraw; Pebble judges them."""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

import pytest
from helpers import order, wait_order

import bed as beds
import bigip

PATH = "/.well-known/acme-challenge/"


def texts(bed, host):
    return {(t["way"], t["name"]): t["text"] for t in bed.server.call("challenge", "texts", "--host", host)["items"]}


def wait_listens(process, port):
    """Until it answers on the port."""
    def answers():
        with contextlib.closing(socket.socket()) as s:
            return s.connect_ex(("127.0.0.1", port)) == 0 or not process.running()
    beds.wait_for(answers, 120, f"{process.name} answers")
    assert process.running(), process.text()


@contextlib.contextmanager
def nginx(folder, port, location):
    conf = folder / f"nginx-{port}.conf"
    conf.write_text(f"daemon off; master_process off; pid {folder}/nginx-{port}.pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off;\n"
                    + "".join(f"{kind}_temp_path {folder}/{kind}-{port};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                    + f"server {{ listen 127.0.0.1:{port};\n{location}\nlocation / {{ return 404; }} }} }}\n")
    checked = subprocess.run(["nginx", "-t", "-c", conf], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = beds.Process(f"nginx-{port}", ["nginx", "-c", conf], folder)
    try:
        wait_listens(process, port)
        yield process
    finally:
        process.stop()


def test_the_irule_texts_are_tcl_and_do_what_they_say(bed):
    if not shutil.which("tclsh"):
        pytest.skip("tclsh is not installed")
    rule = texts(bed, "acme.example.net")[("redirect", "irule")]
    stub = """
namespace eval HTTP { proc path {} { return $::path }; proc respond {args} { puts -nonewline $args } }
proc pool {name} { puts -nonewline "pool $name" }
proc event {args} {}
proc when {ev body} { proc run {} $body }
"""
    def run(text, path):
        done = subprocess.run(["tclsh"], input=f"{stub}\n{text}\nset ::path {path}\nrun\n", capture_output=True, text=True, timeout=20, check=False)
        assert not done.stderr, done.stderr
        return done.stdout
    assert "302" in run(rule, PATH + "abc") and f"http://acme.example.net{PATH}abc" in run(rule, PATH + "abc")
    assert run(rule, "/index.html") == ""
    rule = texts(bed, "acme.example.net")[("forward", "irule")]
    assert run(rule, PATH + "abc") == "pool acme_challenge" and run(rule, "/") == ""


@pytest.fixture
def apart(make_bed):
    """apart(...): a bed whose authority comes to bed.http_port, where we do not listen; ours is bed.own_port."""
    def make(**settings):
        own = beds.free_port()
        bed = make_bed(settings={"http01.listen": f"127.0.0.1:{own}", **settings})
        bed.own_port = own
        return bed
    return make


@contextlib.contextmanager
def running(name, check, args, folder, port):
    """A web server that its own check has found right, until it answers on the port."""
    checked = subprocess.run(check, capture_output=True, text=True, check=False, cwd=folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "[WARNING]" not in checked.stdout + checked.stderr, checked.stdout + checked.stderr
    process = beds.Process(name, args, folder, cwd=folder)
    try:
        wait_listens(process, port)
        yield process
    finally:
        process.stop()


def apache(folder, port, text):
    modules = pathlib.Path("/usr/lib/apache2/modules")
    conf = folder / f"apache-{port}.conf"
    user = "User nobody\nGroup nogroup\n" if os.geteuid() == 0 else ""
    conf.write_text(f"ServerName localhost\nServerRoot {folder}\nPidFile {folder}/apache-{port}.pid\nErrorLog /dev/stderr\nListen 127.0.0.1:{port}\n{user}"
                    f"Mutex file:{folder}\nDefaultRuntimeDir {folder}\n"
                    + "".join(f"LoadModule {m}_module {modules}/mod_{m}.so\n" for m in ("mpm_event", "authz_core", "alias", "proxy", "proxy_http"))
                    + f"<VirtualHost 127.0.0.1:{port}>\n{text}\nRedirect 404 /elsewhere\n</VirtualHost>\n")
    program = shutil.which("apache2") or "/usr/sbin/apache2"
    return running(f"apache-{port}", [program, "-t", "-f", conf], [program, "-DFOREGROUND", "-f", conf], folder, port)


def haproxy(folder, port, text):
    conf = folder / f"haproxy-{port}.cfg"
    first, _, rest = text.partition("\n\n")  # the lines of the frontend, and what stands beside it
    conf.write_text(f"global\n    maxconn 64\ndefaults\n    mode http\n    timeout connect 5s\n    timeout client 10s\n    timeout server 10s\n"
                    f"frontend web\n    bind 127.0.0.1:{port}\n    {first.strip()}\n    default_backend none\n"
                    f"backend none\n    http-request deny deny_status 404\n{rest}\n")
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    return running(f"haproxy-{port}", [program, "-c", "-f", conf], [program, "-db", "-f", conf], folder, port)


WEB_SERVERS = {"nginx": (nginx, "nginx"), "apache": (apache, "apache2"), "haproxy": (haproxy, "haproxy")}


@pytest.mark.parametrize("way", ["forward", pytest.param("redirect", marks=pytest.mark.alone)])
@pytest.mark.parametrize("name", WEB_SERVERS)
def test_a_real_web_server_with_our_text_sends_the_authority_to_us(apart, scratch, name, way):
    start, program = WEB_SERVERS[name]
    if not shutil.which(program) and not pathlib.Path(f"/usr/sbin/{program}").exists():
        pytest.skip(f"{program} is not installed")
    bed = apart()
    text = texts(bed, f"127.0.0.1:{bed.own_port}" if way == "forward" else "acme.example.test")[(way, name)]
    with contextlib.ExitStack() as stack:
        if way == "redirect":  # which authorities follow to port 80 only: that is where the second server is
            with contextlib.closing(socket.socket()) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as nginx does
                try:
                    s.bind(("127.0.0.1", 80))
                except OSError as e:
                    pytest.skip(f"port 80 cannot be had: {e}")
            if not shutil.which("nginx"):
                pytest.skip("nginx is not installed")
            stack.enter_context(nginx(scratch, 80, f"location ^~ {PATH} {{ proxy_pass http://127.0.0.1:{bed.own_port}; }}"))
        stack.enter_context(start(scratch, bed.http_port, text))
        made = order(bed, bed.account(), [f"{way}.example.test"], "http-01")
        assert wait_order(bed, made["id"])["status"] == "valid"
        for path in ("/", "/index.html", "/.well-known/other"):  # nothing else of the site is touched
            with pytest.raises(urllib.error.HTTPError) as e:
                urllib.request.urlopen(f"http://127.0.0.1:{bed.http_port}{path}", timeout=10)
            assert e.value.code == 404


@pytest.mark.parametrize("way", ["forward", "redirect"])
def test_the_text_for_iis_is_a_rule_of_url_rewrite(bed, way):
    text = texts(bed, "acme.example.net")[(way, "iis")]
    document = ET.fromstring(f"<configuration><system.webServer><rewrite><rules>{text}</rules></rewrite></system.webServer></configuration>")
    rule, = document.iterfind("system.webServer/rewrite/rules/rule")
    assert rule.get("name") and rule.get("stopProcessing") == "true"
    assert [child.tag for child in rule] == ["match", "action"]
    match = re.compile(rule.find("match").get("url"))  # against the path without its first slash
    action = rule.find("action")
    assert (action.get("type"), action.get("redirectType")) == (("Redirect", "Found") if way == "redirect" else ("Rewrite", None))
    assert action.get("appendQueryString") == "false"
    token = "DGyRejmCefe7v4NfDGDKfA_0123456789-"
    found = match.search(f"{PATH[1:]}{token}")
    assert action.get("url").replace("{R:1}", found[1]) == f"http://acme.example.net{PATH}{token}"
    for other in ("index.html", "x/.well-known/acme-challenge/a", f"{PATH[1:]}", f"{PATH[1:]}a/b", f"{PATH[1:]}../web.config"):
        assert not match.search(other), other


def test_the_texts_for_an_f5_policy_are_whole_tmsh_commands(bed):
    for way, words in (("redirect", ["http-reply redirect location"]), ("forward", ["forward select pool acme_challenge", "create ltm pool"])):
        text = texts(bed, "192.0.2.7:8080")[(way, "f5-policy")]
        lines = text.strip().split("\n")
        assert all(line.split()[:2] in (["create", "ltm"], ["publish", "ltm"]) for line in lines), lines
        for line in lines:
            depth = 0
            for word in line.split():  # tmsh wants a space around each brace
                depth += {"{": 1, "}": -1}.get(word, 0)
                assert depth >= 0
            assert depth == 0, line
        policy = next(line for line in lines if "ltm policy Drafts/" in line and line.startswith("create"))
        assert f"publish ltm policy {policy.split()[3]}" == lines[-1]
        assert f"http-uri path starts-with values {{ {PATH} }}" in policy and "requires add { http }" in policy
        assert all(w in text for w in words) and "192.0.2.7:8080" in text


def test_a_web_root_has_the_file_while_it_is_needed_and_no_longer(apart, scratch):
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    root = scratch / "www"
    root.mkdir()
    root.chmod(0o777)
    bed = apart(**{"webroots.shop": str(root)})
    refused = bed.server.cli("provider", "create", "--kind", "webroot", "--name", "Other", "--set", "webroot=other")
    assert refused.status == 2 and "webroots" in refused.err, refused
    target = bed.server.call("provider", "create", "--kind", "webroot", "--name", "Shop", "--set", "webroot=shop")
    tested = bed.server.call("provider", "test", target["id"], "--write", "yes")
    assert tested["status"] == "ok" and tested["test"]["remote"]["directory"] == str(root), tested
    with nginx(scratch, bed.http_port, f"root {root}; location ^~ {PATH} {{ try_files $uri =404; }}"):
        made = order(bed, bed.account(), ["shop.example.test"], "http-01", "--http", target["id"])
        over = wait_order(bed, made["id"])
        assert over["status"] == "valid", over
    # our own look through the public name cannot succeed here: that is advice, and the authority was told all the same
    assert "is not seen from here through the public name; the authority looks now" in str(bed.server.request("GET", f"/orders/{made['id']}/events")[1])
    beds.wait_for(lambda: not bed.server.call("debt", "list")["items"], 240, "nothing is owed")
    assert [p for p in root.rglob("*") if not p.is_dir()] == []


def test_by_hand_the_api_and_the_command_say_folder_file_name_and_content(apart, scratch):
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    bed = apart()
    made = order(bed, bed.account(), ["hand.example.test"], "http-01", "--http", "manual")
    shown = beds.wait_for(lambda: (o := bed.server.call("order", "show", made["id"]))["stage"] == "waiting for you" and o["records"] and o, 240,
                          "the order waits for a person")
    record, = shown["records"]
    assert record["url"] == f"http://hand.example.test{record['path']}{record['file_name']}" and record["path"] == PATH
    beds.wait_for(lambda: waiting(bed) == [made["id"]], 240, "somebody is told")
    text = bed.server.cli("record", "show", record["id"]).out
    assert PATH in text and record["file_name"] in text and record["value"] in text
    place = scratch / "hand" / record["path"].strip("/")
    place.mkdir(parents=True)
    (place / record["file_name"]).write_text(record["value"])
    (scratch / "hand").chmod(0o755)
    with nginx(scratch, bed.http_port, f"root {scratch}/hand; location ^~ {PATH} {{ try_files $uri =404; }}"):
        bed.server.cli("order", "go-on", made["id"])
        assert wait_order(bed, made["id"])["status"] == "valid"
    beds.wait_for(lambda: not waiting(bed), 240, "and that it is over")


def waiting(bed):
    """The orders of which somebody was told that they wait for a person."""
    return [n["subject_id"] for n in bed.server.request("GET", "/notices")[1]["items"] if n["kind"] == "waiting-for-you"]


@pytest.fixture
def device(apart, tls):
    """A bed and a BIG-IP at whose virtual server the authority looks; the target is configured, our iRule attached."""
    bed = apart()
    g = bigip.Group([beds.free_port(), beds.free_port()], tls, bed.http_port)
    secret = bed.folder / "f5-password"
    secret.write_text(bigip.PASSWORD + "\n")
    target = bed.server.call("provider", "create", "--kind", "f5", "--name", "Edge", "--set", f"url={g.units[0].url}", "--set",
                             f"peers={g.units[1].url}", "--set", f"username={bigip.USER}", "--secret-file", f"password={secret}")
    yield bed, g, target
    g.stop()


def empty(bed, g, killed=0):
    """A visit that was killed leaves its login token on the device until it ends by itself."""
    beds.wait_for(lambda: not bed.server.call("debt", "list")["items"], 240, "nothing is owed")
    assert g.records() == {} and sum(len(u.tokens) for u in g.units) <= killed


def test_a_big_ip_answers_for_an_order_after_an_operator_attached_the_rule(device):
    bed, g, target = device
    assert bed.server.call("provider", "test", target["id"], "--write", "yes")["status"] == "ok"
    assert g.records() == {}
    done = bed.server.call("challenge", "attach", target["id"], "--virtual", "/Common/vs_http")
    assert "/Common/certwright_acme_rule" in str(done)
    bad = bed.server.cli("challenge", "attach", target["id"], "--virtual", "/Common/vs_https")
    assert bad.status != 0 and "port 443" in bad.err, bad
    status, doc, _ = bed.server.request("POST", f"/providers/{target['id']}/attach", {"server": "/Common/vs_http", "attach": False, "expect": ["/Common/x"]})
    stale = bed.server.settled(status, doc, "/providers")
    assert "changed meanwhile" in str(stale), stale
    rules = list(g.config.objects["virtual"]["/Common/vs_http"]["rules"])
    account = bed.account()
    orders = [order(bed, account, [f"n{i}.example.test"], "http-01", "--http", target["id"]) for i in range(3)]
    over = [wait_order(bed, o["id"]) for o in orders]
    assert [o["status"] for o in over] == ["valid"] * 3, over
    assert {r["type"] for o in over for r in o["records"]} == {"F5 BIG-IP"}
    empty(bed, g)
    assert g.config.objects["virtual"]["/Common/vs_http"]["rules"] == rules
    actions = {row["action"] for row in bed.server.call("audit", "list")["items"]}
    assert {"provider.attach", "provider.test"} <= actions


def test_kill_9_between_publish_and_withdraw_leaves_nothing_and_a_dead_device_is_waited_for(device):
    bed, g, target = device
    bed.server.call("challenge", "attach", target["id"], "--virtual", "/Common/vs_http")
    account = bed.account()
    for unit in g.units:
        unit.down = True
    made = order(bed, account, ["night.example.test"], "http-01", "--http", target["id"])
    beds.wait_for(lambda: "could not" in str(bed.server.call("order", "show", made["id"])), 240, "the order says that the device does not answer")
    assert bed.ca.process.text().count("Pulled a task") == 0, "the authority was told"
    for unit in g.units:
        unit.down = False
    g.web.gate.clear()  # whoever looks gets no answer yet: the token stays where it is
    g.web.asked.clear()
    bed.server.call("order", "refresh", made["id"])
    beds.wait_for(lambda: g.web.asked and g.records(), 240, "somebody looks for the token, and it is on the device")
    bed.server.kill("core")
    g.web.gate.set()
    beds.wait_for(bed.server.ready, 180, "Certwright is back")
    assert wait_order(bed, made["id"])["status"] == "valid"
    empty(bed, g, killed=1)


def test_a_host_with_more_than_a_name_in_it_is_in_no_text(bed):
    for host in ("a;b", "a b", "a\nb", "a{b", 'a"b'):
        assert bed.server.cli("challenge", "texts", "--host", host).status == 2
