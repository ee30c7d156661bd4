# SPDX-License-Identifier: Apache-2.0
"""The one door outward and the one inward: proxies that want a user or open TLS, addresses that must not be called, who may reach the
API, whose address counts behind a proxy, and a host without IPv4."""
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading

import bed as beds
import pytest
import sinks
from openingproxy import OpeningProxy

TINYPROXY = shutil.which("tinyproxy")


class TinyProxy:
    def __init__(self, folder, password=None):
        self.port = beds.free_port()
        config = pathlib.Path(folder) / "tinyproxy.conf"
        config.write_text(f"Port {self.port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogLevel Connect\n" +
                          (f"BasicAuth certwright {password}\n" if password else ""))
        self.process = beds.Process("tinyproxy", [TINYPROXY, "-d", "-c", config], folder)
        self.url = f"http://127.0.0.1:{self.port}"
        beds.wait_for(self.listens, 120, "tinyproxy listens")

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.stop(5)


def secret_file(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(text + "\n")
    path.chmod(0o644)
    return path


def register(bed, *extra):
    return bed.server.cli("account", "register", "--directory", bed.ca.directory, "--email", "d@certwright.test", "--agree-tos", "--json", *extra)


@pytest.mark.skipif(not TINYPROXY, reason="tinyproxy is not installed")
def test_all_goes_through_the_proxy_that_is_named_and_the_environment_alone_counts_for_nothing(make_bed, scratch):
    proxy = TinyProxy(scratch)
    try:
        bed = make_bed(settings={"net.proxy": proxy.url}, env={"HTTPS_PROXY": "http://127.0.0.1:1"})
        done = register(bed)
        assert done.status == 0, done
        assert f"CONNECT 127.0.0.1:{bed.ca.port}" in proxy.process.text()
    finally:
        proxy.stop()


@pytest.mark.skipif(not TINYPROXY, reason="tinyproxy is not installed")
def test_a_proxy_that_wants_a_password_gets_it_from_a_file_and_a_wrong_one_is_named(make_bed, scratch):
    proxy = TinyProxy(scratch, "correcthorse7")
    try:
        good = secret_file(scratch, "proxy-password", "correcthorse7")
        bed = make_bed(settings={"net.proxy": proxy.url, "net.proxy_user": "certwright", "net.proxy_password_file": str(good)})
        done = register(bed)
        assert done.status == 0, done
        assert f"CONNECT 127.0.0.1:{bed.ca.port}" in proxy.process.text()
        assert "correcthorse7" not in bed.server.process.text()
        for settings, says in (({}, "wants a user and password"),
                               ({"net.proxy_user": "certwright", "net.proxy_password_file": str(secret_file(scratch, "wrong", "wrong"))},
                                "did not accept the user and password")):
            other = make_bed(settings={"net.proxy": proxy.url, **settings})
            told = json.dumps(job_of_registration(other))
            assert "proxy: " in told and says in told, told
    finally:
        proxy.stop()


@pytest.mark.skipif(not TINYPROXY, reason="tinyproxy is not installed")
def test_the_environment_counts_when_the_configuration_says_so(make_bed, scratch):
    proxy = TinyProxy(scratch, "passw0rd")
    try:
        bed = make_bed(settings={"net.proxy": "environment"}, env={"https_proxy": f"http://certwright:p%61ssw0rd@127.0.0.1:{proxy.port}"})
        done = register(bed)
        assert done.status == 0, done
        assert f"CONNECT 127.0.0.1:{bed.ca.port}" in proxy.process.text()
    finally:
        proxy.stop()


def job_of_registration(bed, directory=None):
    """The job of a registration after its first try, or the problem of the request."""
    status, doc, _ = bed.server.request("POST", "/accounts", {"directory_url": directory or bed.ca.directory, "email": "d@certwright.test", "agree_tos": True})
    if status >= 400:
        return doc
    assert status in (201, 202), (status, doc)

    def tried():
        _, job, _ = bed.server.request("GET", f"/jobs/{doc['job_id'] if 'job_id' in doc else doc['id']}")
        return job if job.get("reason") or job["state"] not in ("queued", "running") else None
    return beds.wait_for(tried, 240, "the registration was tried")


def test_a_proxy_that_opens_tls_works_when_its_ca_is_trusted_and_is_named_when_not(make_bed, scratch, tls):
    proxy = OpeningProxy(scratch, tls / "ca.pem")
    try:
        both = scratch / "both.pem"
        both.write_text((tls / "ca.pem").read_text() + proxy.ca.read_text())
        both.chmod(0o644)
        bed = make_bed(settings={"net.proxy": proxy.url, "net.trust": str(both)})
        done = register(bed)
        assert done.status == 0, done
        assert f"CONNECT 127.0.0.1:{bed.ca.port}" in proxy.seen
        assert any(line.startswith("GET /dir ") for line in proxy.seen), proxy.seen
        bed.server.stop()  # it has things of its own to ask
        before = len([line for line in proxy.seen if line.startswith(("GET", "POST", "HEAD"))])
        strict = make_bed(settings={"net.proxy": proxy.url})
        doc = json.dumps(job_of_registration(strict))
        assert "TLS: " in doc and "issuer met: CN=test-https-ca" in doc, doc
        assert len([line for line in proxy.seen if line.startswith(("GET", "POST", "HEAD"))]) == before, "nothing was sent to it"
    finally:
        proxy.stop()


# ---- addresses that must not be called ----

FORBIDDEN = """
https://127.0.0.1:P/ https://localhost:P/ https://LOCALHOST:P/ https://localhost.:P/ https://[::1]:P/ https://[0:0:0:0:0:0:0:1]:P/
https://[::ffff:127.0.0.1]:P/ https://[::ffff:7f00:1]:P/ https://[::127.0.0.1]:P/ https://[64:ff9b::127.0.0.1]:P/ https://[2002:7f00:1::]:P/
https://2130706433:P/ https://0x7f000001:P/ https://0x7F.0.0.1:P/ https://0x7f.1:P/ https://127.1:P/ https://127.0.1:P/ https://0177.0.0.1:P/
https://0177.1:P/ https://017700000001:P/ https://127.0.0.1.:P/ https://127.000.000.001:P/ https://127.0.0.2:P/ https://127.255.255.254:P/
https://0.0.0.0:P/ https://0:P/ https://[::]:P/ https://0x0:P/ https://u@127.0.0.1:P/ https://u:p@127.0.0.1:P/ https://ca.example@127.0.0.1:P/
https://127.0.0.1\\@ca.example:P/ https://ca.example\\@127.0.0.1:P/ https://ca.example#@127.0.0.1:P/ https://127.0.0.1:P#@ca.example/
https://127%2e0%2e0%2e1:P/ https://%31%32%37.0.0.1:P/ https://127.0.0.1%2f@ca.example:P/ https://１２７.0.0.1:P/ https://127。0.0.1:P/
https:///127.0.0.1:P/ https:/127.0.0.1:P/ https:127.0.0.1:P/ https:\\\\127.0.0.1:P/ https://[127.0.0.1]:P/ https://[::1%25lo]:P/
https://[fe80::1%25lo]:P/ https://[::1:P/ https://ip6-localhost:P/ https://foo.localhost:P/ https://localhost.localdomain:P/
https://169.254.169.254/ https://10.0.0.1:P/ https://192.168.0.1:P/ https://172.16.0.1:P/ https://100.64.0.1:P/ https://[fd00:ec2::254]:P/
https://[fc00::1]:P/ https://[fe80::1]:P/ https://metadata.google.internal/ https://224.0.0.1:P/ https://255.255.255.255:P/ http://127.0.0.1:P/
ftp://127.0.0.1:P/ file:///etc/passwd gopher://127.0.0.1:P/
""".split()


class Trap:
    """A listener on every loopback address; whoever connects is counted."""

    def __init__(self):
        self.hits, self.port, self.sockets = 0, beds.free_port(), []
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            s = socket.socket(family, socket.SOCK_STREAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((address, self.port))
            s.listen(100)
            self.sockets.append(s)
            threading.Thread(target=self.accept, args=(s,), daemon=True).start()

    def accept(self, s):
        while True:
            try:
                connection, _ = s.accept()
            except OSError:
                return
            self.hits += 1
            connection.close()

    def stop(self):
        for s in self.sockets:
            s.close()


def test_no_spelling_of_an_inside_address_is_called_by_an_account(make_bed):
    assert len(FORBIDDEN) >= 60
    bed = make_bed(settings={"net.allow": "192.0.2.0/24"})
    trap = Trap()
    try:
        jobs = []
        for spelling in FORBIDDEN:
            url = spelling.replace("P", str(trap.port)) + "dir"
            status, doc, _ = bed.server.request("POST", "/accounts", {"directory_url": url, "email": "d@certwright.test", "agree_tos": True})
            assert status in (202, 400), (url, status, doc)
            if status == 202:
                jobs.append((url, doc))
        for url, doc in jobs:
            def tried(doc=doc):
                _, job, _ = bed.server.request("GET", f"/jobs/{doc.get('job_id') or doc['id']}")
                return job if job.get("reason") or job["state"] not in ("queued", "running") else None
            job = beds.wait_for(tried, 240, f"{url} was tried")
            assert job["state"] != "done", (url, job)
        assert trap.hits == 0
        # only names that have to be looked up came so far: their socket is judged
        assert all("localhost" in url for url, _ in jobs), jobs
    finally:
        trap.stop()


# ---- the way of one account ----

def connection_to(bed, **more):
    return {"ca_pem": (bed.ca.folder / "ca.pem").read_text(), "allow": ["127.0.0.0/8"], **more}


def test_an_account_reaches_a_private_authority_by_its_own_connection_alone_and_issues(make_bed):
    bed = make_bed(settings={"net.trust": "", "net.allow": "192.0.2.0/24"})
    ask = {"directory_url": bed.ca.directory, "email": "own@certwright.test", "agree_tos": True}
    status, doc, _ = bed.server.request("POST", "/accounts", ask)
    assert status == 400 and doc["errors"][0]["pointer"] == "/directory_url", (status, doc)
    status, doc, _ = bed.server.request("POST", "/accounts", {**ask, "connection": {"allow": ["127.0.0.0/8"]}})
    assert status in (502, 202), (status, doc)
    doc = bed.server.settled(status, doc, "/accounts")[1]
    assert doc.get("type", doc.get("code")).endswith("untrusted") and "unable to get local issuer" in json.dumps(doc), ("the address is allowed, its CA is not trusted", doc)
    own = bed.server.folder / "connection.json"
    own.write_text(json.dumps(connection_to(bed)))
    own.chmod(0o644)
    done = bed.server.cli("account", "register", "--directory", bed.ca.directory, "--email", "own@certwright.test", "--agree-tos", "--json", "--connection", str(own))
    assert done.status == 0, done
    account = done.json
    assert account["connection"]["allow"] == ["127.0.0.0/8"] and account["status"] == "valid", account
    order = bed.server.cli("order", "create", "--account", account["id"], "--name", "own.certwright.test", "--validation", "http-01", "--http", "builtin", "--wait", "--json")
    assert order.status == 0 and order.json["status"] == "valid", order
    # nothing of it helps another account, and taking it away stops this one
    status, doc, headers = bed.server.request("GET", f"/accounts/{account['id']}")
    status, doc, _ = bed.server.request("PATCH", f"/accounts/{account['id']}", {"connection": None}, {"If-Match": "*"})
    assert status == 400 and doc["errors"][0]["pointer"] == "/directory_url", (status, doc)
    told = bed.server.cli("account", "refresh", account["id"])
    assert told.status == 0, told


def test_no_connection_of_an_account_opens_an_inside_address_by_another_spelling(make_bed):
    bed = make_bed(settings={"net.allow": "127.0.0.0/8"})
    account = register(bed).json
    status, doc, _ = bed.server.request("PATCH", f"/accounts/{account['id']}", {"connection": {"allow": ["169.254.0.0/16"]}}, {"If-Match": "*"})
    assert status == 200, (status, doc)
    for what, at in (({"allow": ["not an address"]}, "/connection/allow/0"), ({"route": "sideways"}, "/connection/route"), ({"ca_pem": "none"}, "/connection/ca_pem"),
                     ({"fingerprint": "ab"}, "/connection/fingerprint"), ({"confirmed_for": "x:1"}, "/connection/confirmed_for"), ({"else": 1}, "/connection/else")):
        status, doc, _ = bed.server.request("PATCH", f"/accounts/{account['id']}", {"connection": what}, {"If-Match": "*"})
        assert status == 400 and doc["errors"][0]["pointer"] == at, (what, status, doc)
        status, doc, _ = bed.server.request("POST", "/accounts", {"directory_url": bed.ca.directory, "email": "d@certwright.test", "agree_tos": True, "connection": what})
        assert status == 400 and doc["errors"][0]["pointer"] == at, (what, status, doc)
    strict = make_bed(settings={"net.allow": "192.0.2.0/24"})
    trap = Trap()
    try:
        for spelling in FORBIDDEN:
            url = spelling.replace("P", str(trap.port)) + "dir"
            status, doc, _ = strict.server.request("POST", "/accounts", {"directory_url": url, "email": "d@certwright.test", "agree_tos": True,
                                                                         "connection": {"route": "direct", "allow": ["198.51.100.0/24"]}})
            assert status == 400 or (status == 202 and "localhost" in url), (url, status, doc)
        assert trap.hits == 0
    finally:
        trap.stop()


# ---- who may reach the API ----

NOBODY = {"Authorization": None}


def ask(bed, source, headers=None, path="/api/v1/audit?limit=5"):
    """Status and document of a request from that loopback address, or None when the connection was closed."""
    headers = {"Authorization": f"Bearer {bed.server.token_file.read_text().strip()}", **(headers or {})}
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    c = http.client.HTTPSConnection("127.0.0.1", bed.server.api_port, timeout=120, context=trust, source_address=(source, 0))
    try:
        c.request("GET", path, headers={name: value for name, value in headers.items() if value})
        r = c.getresponse()
        return r.status, r.read()
    except OSError:
        return None
    finally:
        c.close()


def test_others_get_no_answer_and_a_trusted_proxy_says_who_asks(make_bed):
    bed = make_bed(settings={"api.allow_from": "127.0.0.1, 127.0.0.2, 203.0.113.0/24", "api.trusted_proxies": "127.0.0.8/31"})
    assert ask(bed, "127.0.0.2")[0] == 200
    assert ask(bed, "127.0.0.3") is None, "closed before TLS"
    assert ask(bed, "127.0.0.2", {"X-Forwarded-For": "198.51.100.1"})[0] == 200, "ignored: it is no proxy of ours"
    assert ask(bed, "127.0.0.8", {"X-Forwarded-For": "203.0.113.7"})[0] == 200
    assert ask(bed, "127.0.0.8", {"X-Forwarded-For": "203.0.113.7, 127.0.0.9"})[0] == 200
    status, body = ask(bed, "127.0.0.8", {"X-Forwarded-For": "203.0.113.7, 198.51.100.1"})
    assert status == 403
    assert b"198.51" not in body and b"allow_from" not in body and b"203.0" not in body, "without detail"
    assert ask(bed, "127.0.0.8")[0] == 403, "the proxy itself may not"
    # the audit and the throttle know the client and not the proxy
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    c = http.client.HTTPSConnection("127.0.0.1", bed.server.api_port, timeout=120, context=trust, source_address=("127.0.0.8", 0))
    c.request("POST", "/api/v1/session", json.dumps({"name": "admin", "password": "wrong wrong wrong"}),
              {"Content-Type": "application/json", "X-Forwarded-For": "1.1.1.1, 203.0.113.99"})
    assert c.getresponse().status == 401
    c.close()
    addresses = [row["address"] for row in json.loads(ask(bed, "127.0.0.2")[1])["items"]]
    assert "203.0.113.99" in addresses and "127.0.0.8" not in addresses and "1.1.1.1" not in addresses, addresses


def test_metrics_are_read_from_the_networks_that_are_named_and_from_elsewhere_with_a_token(make_bed):
    bed = make_bed(settings={"metrics.allow_from": "127.0.0.5, 203.0.113.0/24", "api.trusted_proxies": "127.0.0.8"})

    def status(source, forwarded=None, who=NOBODY):
        return ask(bed, source, {**who, "X-Forwarded-For": forwarded}, "/metrics")[0]

    assert [status("127.0.0.5"), status("127.0.0.6")] == [200, 401]
    assert status("127.0.0.6", who={}) == 200, "with a token from anywhere"
    # behind a proxy of ours the client counts and not the proxy; from others the header is nothing
    assert [status("127.0.0.8"), status("127.0.0.8", "203.0.113.9"), status("127.0.0.8", "203.0.113.9, 198.51.100.1")] == [401, 200, 401]
    assert status("127.0.0.6", "203.0.113.9") == 401


def test_links_that_are_handed_out_begin_with_the_public_url(make_bed, scratch):
    bed = make_bed(settings={"api.public_url": "https://certs.example.test/"})
    told = bed.server.setup()
    assert "https://certs.example.test/#setup=" in told.out, told
    sink = sinks.Smtp(scratch, user="links", password="links-password")
    try:
        settings = {"host": "127.0.0.1", "port": sink.port, "user": "links", "password": "links-password", "from": "c@example.test", "to": ["d@example.test"]}
        connection = {"ca_pem": sinks.certificate(scratch)[0].read_text(), "allow": ["127.0.0.0/8"]}
        _, channel, _ = bed.server.request("POST", "/channels", {"kind": "email", "name": "links", "settings": settings, "connection": connection})
        status, doc, _ = bed.server.request("POST", f"/channels/{channel['id']}/test")
        assert status in (200, 202), doc
        assert "See https://certs.example.test/notifications" in sink.wait()[0].get_content()
    finally:
        sink.stop()


def test_the_status_warns_while_the_api_stands_beside_the_public_ports(make_bed):
    bed = make_bed(start=False)
    bed.server.settings["http01.listen"] = f"0.0.0.0:{bed.server.http_port}"
    bed.server.settings["api.listen"] = f"0.0.0.0:{bed.server.api_port}"
    bed.start()
    _, status, _ = bed.server.request("GET", "/status")
    assert [w["code"] for w in status["warnings"] if "backup" not in w["code"] and "key" not in w["code"]] == ["api-exposed"], status
    assert "api.allow_from" in status["warnings"][0]["hint"]
    assert "the API listens on an address on which" in bed.server.process.text()
    told = bed.server.cli("status")
    assert told.status == 0 and "must be reached from the Internet" in told.out, told
    bed.server.stop()
    bed.server.settings["api.allow_from"] = "127.0.0.0/8"
    bed.server.start()
    _, status, _ = bed.server.request("GET", "/status")
    assert "api-exposed" not in [w["code"] for w in status["warnings"]]


# ---- a host without IPv4 ----

def own_namespace():
    return os.geteuid() == 0 and shutil.which("unshare") and shutil.which("ip") and subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not own_namespace(), reason="no network namespaces here (not root, not allowed, or no iproute2)")
def test_a_host_without_ipv4_issues_both_ways(scratch):
    script = pathlib.Path(__file__).resolve().parent / "ipv6_only.py"
    done = subprocess.run(["unshare", "-n", sys.executable, script, scratch], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dns-01 valid" in done.stdout and "http-01 valid" in done.stdout, done.stdout
