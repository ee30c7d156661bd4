# SPDX-License-Identifier: Apache-2.0
"""Every command of the administrator's guide, run: each page's blocks in the order of the page, on a host with a real CA and a real PowerDNS. A table says
what a reader replaces; what no bed can run is named with the reason. Settings are judged by the program, zone lines, JSON and YAML by their readers."""
import contextlib
import json
import os
import re
import shutil
import sqlite3
import ssl
import subprocess
import typing

import dns.zone
import guide
import pdns
import pytest
import sinks
import yaml

import bed as beds

PAGES = sorted(guide.PAGES.glob("*.md"))
BLOCKS = {page.name: guide.blocks(page) for page in PAGES}
EXTERNAL = "the configuration of another vendor's program"

# (page, first line): what is not run here, and why.
PACKAGE = "there is no apt in a bed; tests/drills/test_package.py and test_guide.py install the package"
NOT_RUN = {
    ("first-certificate.md", "apt-get install -y ./certwright_*.deb"): PACKAGE,
    ("install.md", "apt-get install ./certwright_0.1.0_amd64.deb"): PACKAGE,
    ("upgrade.md", "apt-get install ./certwright_NEW_amd64.deb"): PACKAGE,
    ("upgrade.md", "pg_dump --format=custom --file=certwright-before.dump certwright"): "a database in PostgreSQL: test_upgrade_shared.py does all of it",
    ("backup.md", "pg_restore --dbname=certwright --clean --if-exists certwright.dump"): "a database in PostgreSQL: test_restored_dump.py does all of it",
    ("operation.md", 'global(DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="/etc/rsyslog-ca.pem"'): EXTERNAL,
}

PASSPHRASE = "nine lives of a tabby cat\n"
PASSWORD = "correct horse battery staple\n"
GROUPS = "grep -oE '[0-9A-Z]{4}-[0-9A-Z]{4}'"
WORDS = """newest() { certwright "$1" list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][0]["id"])'; }
settled() { while certwright order list --json | grep -qE '"status": *"(pending|ready|processing)"'; do sleep 0.2; done; }
"""


class Page(typing.NamedTuple):
    """How a page is run: what a reader replaces, what is there before, what must be so after."""
    replace: dict = {}
    before: tuple = ()
    after: tuple = ()
    signed_in: bool = True
    settings: dict = {}
    missing: typing.Optional[str] = None  # why it cannot be run on this machine


class World:
    """What the pages take for granted: a CA, a PowerDNS that serves example.com, and the resolver that knows both it and us."""

    def __init__(self, folder):
        self.folder, self.parts = folder, []
        self.user = beds.user_of_parts()
        self.ports = {"dns": beds.free_port(), "http": beds.free_port()}
        self.powerdns = self.add(pdns.PowerDns(folder, ["example.com", "acme.example.net"]))
        for zone in ("example.com", "acme.example.net"):
            self.powerdns.put(zone, f"ns1.{zone}", ["127.0.0.1"], "A")
        self.resolver = self.add(beds.Resolver(folder, [self.ports["dns"], self.powerdns.port]))
        self.ca = self.add(beds.Pebble(folder, self.resolver.port, self.ports["http"], self.user, True, {"PEBBLE_AUTHZREUSE": "0"}))
        self.trust = folder / "trust.pem"
        self.trust.write_bytes(self.ca.ca.read_bytes())
        self.trust.chmod(0o644)

    def add(self, part):
        self.parts.append(part)
        return part

    def host(self, folder, page):
        settings = {"net.trust": str(self.trust), "resolve.servers": f"127.0.0.1:{self.powerdns.port}", "resolve.ask_view": "yes", **page.settings}
        host = guide.Host(folder, settings, self.ports, self.user, page.signed_in)
        host.world, host.words = self, {}
        return host

    def stop(self):
        for part in reversed(self.parts):
            part.stop()


@pytest.fixture(scope="module")
def world():
    folder = beds.scratch("certwright-guide-")
    one = World(folder)
    yield one
    one.stop()
    shutil.rmtree(folder, ignore_errors=True)


# ---- what is there before a page, and after it ----


def account(host):
    host.server.call("account", "register", "--directory", host.world.ca.directory, "--email", "pki@example.com", "--agree-tos")
    host.server.call("rule", "create", "--suffix", "*", "--validation", "dns-01", "--method", "delegation")


def issued(host, *names):
    """The number of a certificate that is in use."""
    made = host.server.call("order", "create", "--account", "1", "--validation", "dns-01", *(w for n in names for w in ("--name", n)), "--wait")
    assert made["status"] == "valid", made
    return str(host.server.call("certificate", "list")["items"][0]["num"])


def lettered(host):
    """letsencrypt of the registry is the CA of the bed."""
    host.server.call("vendor", "set", "letsencrypt", "--directory", host.world.ca.directory)


def registered_once(host):
    assert [a["vendor"] for a in host.server.call("account", "list")["items"]] == ["letsencrypt"]


def page_of_the_server(host):
    account(host)
    host.put("ca.pem", ssl.get_server_certificate(("127.0.0.1", host.server.api_port)))


def one_order(host):
    orders = host.server.call("order", "list")["items"]
    assert len(orders) == 1 and orders[0]["names"] == ["www.example.com"], orders


def safe(host, with_account=True):
    """What is in an administrator's hands before the day the disk dies."""
    host.put("/etc/certwright/backup.passphrase", PASSPHRASE)
    host.put("PASSPHRASE", PASSPHRASE)
    if with_account:
        account(host)


def rows(host, table):
    with contextlib.closing(sqlite3.connect(host.server.state / "certwright.db")) as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def restored(host):
    """The server is back with what it had; who was signed in is not."""
    assert host.server.ready() and rows(host, "account") == 1
    assert host.server.request("GET", "/accounts")[0] == 401


def upgraded(host):
    """The copy of the database that an upgrade leaves."""
    account(host)
    copy = host.server.state / "certwright.db.schema-N"
    with contextlib.closing(sqlite3.connect(host.server.state / "certwright.db")) as db:
        db.execute("VACUUM INTO ?", (str(copy),))
    if host.user:
        os.chown(copy, host.user.pw_uid, host.user.pw_gid)
    copy.chmod(0o600)


def signing_request(host):
    beds.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "request.key", "-out", "request.csr", "-subj", "/CN=www.example.com",
                 "-addext", "subjectAltName=DNS:www.example.com", cwd=host.work)


def provider(host):
    host.put("/run/keys/pdns", pdns.KEY + "\n")
    made = host.server.call("provider", "create", "--kind", "powerdns", "--name", "there", "--set", f"url={host.world.powerdns.url}", "--secret-file",
                            f"api_key={host.root}/run/keys/pdns")
    host.words["{provider}"] = made["id"]


def api_key(host):
    host.put("/run/keys/pdns", pdns.KEY + "\n")
    host.put("conn.json", '{"allow": ["127.0.0.0/8"]}')


def probe_is_gone(host):
    beds.wait_for(lambda: not host.world.powerdns.texts("example.com"), 240, "what was written is taken away")


def site(host):
    """docs/admin/first-certificate.md begins with these three files, and with the package installed."""
    host.put("/root/ca.pem", host.world.trust.read_text())
    host.put("/root/powerdns.key", pdns.KEY + "\n")
    host.put("/root/ada.password", PASSWORD)


def key_and_certificate(host):
    assert "BEGIN CERTIFICATE" in (host.root / "root/www.pem").read_text() and "PRIVATE KEY" in (host.root / "root/www-with-key.pem").read_text()
    probe_is_gone(host)


def foreign(host, folder, *names):
    """Certificates made elsewhere that end in ten days, with their keys, in one folder."""
    folder = host.root / folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        beds.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "10", "-subj", f"/CN={name}",
                     "-addext", f"subjectAltName=DNS:{name}", cwd=folder)
    return folder


def files(host):
    """A folder of certificates, a keystore with its password, and one certificate that was issued here."""
    account(host)
    host.words["{12}"] = issued(host, "www.example.com")
    foreign(host, "etc/ssl/certs.d", "a.example.com", "b.example.com")
    store = foreign(host, "store", "c.example.com")
    host.put("FILE", "geheim\n")
    beds.openssl("pkcs12", "-export", "-in", str(store / "c.example.com.pem"), "-inkey", str(store / "c.example.com.key"), "-out", str(host.work / "keystore.p12"), "-passout", "pass:geheim")


def in_use(host):
    account(host)
    host.words["{12}"] = issued(host, "www.example.com")


def from_certbot(host):
    account(host)
    foreign(host, "etc/ssl/certs.d", "www.example.com")


def mail_server(host):
    sink = sinks.Smtp(host.folder, user="certwright")
    host.parts.append(sink)
    host.sink = sink
    host.put("/root/mail-password", "p4ss word\n")
    host.put("private.json", json.dumps({"allow": ["127.0.0.0/8"], "ca_pem": (host.folder / "sink.pem").read_text()}))
    host.words.update({"{port}": str(sink.port)})


def mail_came(host):
    assert host.sink.wait(1)[0]["Subject"] == "Test of the channel Operators"


def people(host):
    host.put("F", PASSWORD)


def reached_by_sync(host):
    live = host.root / "etc/letsencrypt/live/www.example.com"
    assert {f.name for f in live.iterdir()} >= {"cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"}
    assert "reload nginx" in host.systemctl.calls


WEB_7 = {"192.0.2.7": "127.0.0.1", "https://certwright.example.com:8443": "{url}"}

RUN = {
    "accounts.md": Page(before=(lettered,), after=(registered_once,)),
    "api.md": Page({"192.0.2.0/24": "127.0.0.0/8", "https://certwright.example.com:8443": "{url}"}, (page_of_the_server,), (one_order,),
                   missing=None if shutil.which("curl") else "curl is not installed"),
    "audit.md": Page({}),
    "auditor.md": Page({" DIR": " auditor"}),
    "backup.md": Page({"certwright-20261126T020000Z.backup": "certwright-*.backup", "certwright key show-escrow": f"certwright key show-escrow | {GROUPS} >paper",
                       "# anywhere; prints the public half: cwr1-...": "| tee public", "--recipient cwr1-...": "--recipient $(grep -o 'cwr1-[A-Za-z0-9_-]*' public)",
                       "verify FILE": "verify $(ls -t /mnt/backups/* | head -1)", "-o certwright -g certwright": "", "BACKUP": "$(ls -t /mnt/backups/* | tail -1)",
                       "   # type what is on the paper": " <paper", "restore-escrow /etc/certwright/master.key\n": "restore-escrow /etc/certwright/again.key <paper\n"}, (safe,), (restored,)),
    "csr.md": Page({"check 7": 'check "$(newest csr)"'}, (signing_request,)),
    "dns-01.md": Page({"--provider 3": "--provider {provider}", "--view 1": '--view "$(newest view)"'}, (account, provider)),
    "doctor.md": Page({"certwright doctor --config /etc/certwright/certwright.conf": "certwright doctor --config /etc/certwright/certwright.conf --state /var/lib/certwright"}, settings={"dns.hostname": "ns1.example.com"}),
    "external-dns.md": Page({"http://10.1.0.53:8081": "{powerdns}", "test ID": 'test "$(newest provider)"'}, (api_key,), (probe_is_gone,)),
    "first-certificate.md": Page({"10.1.0.0/16": "127.0.0.0/8", "10.1.0.53:53": "{dns}", "https://127.0.0.1:8443": "{url}", "https://ca.example.com/directory": "{directory}",
                                  "http://10.1.0.53:8081": "{powerdns}"}, (site,), (key_and_certificate,), signed_in=False,
                                 settings={"net.trust": None, "net.allow": None, "resolve.servers": None, "resolve.ask_view": None}),
    "install.md": Page({}, signed_in=False),
    "inventory.md": Page({"note 12": "note {12}", "add-tags 12 13 14": "add-tags {12} 2 3", "manage 12": "manage 2", "--account 3": "--account 1",
                          "bulk renew --search 'expires<14d tag:prod'": "bulk renew --search 'expires<9999d tag:edge'", "certwright certificate bulk add-tags": "settled\ncertwright certificate bulk add-tags"}, (files,)),
    "moving-in.md": Page({"manage 12": "manage 1", "renew 12": "renew 1", "--certificate 12": "--certificate 1", "--account 3": "--account 1", **WEB_7}, (from_certbot,), (reached_by_sync,)),
    "notifications.md": Page({"mail.example.com": "127.0.0.1 --port {port} --connection private.json", "test ID": 'test "$(newest notification)"',
                              "update ID --connection connection.json": 'update "$(newest notification)" --connection private.json'}, (mail_server,), (mail_came,), missing=sinks.missing()),
    "operation.md": Page({}),
    "pull.md": Page({"--certificate 12": "--certificate {12}", **WEB_7}, (in_use,), (reached_by_sync,)),
    "renewal.md": Page({"revoke 12": "revoke {12}"}, (in_use,)),
    "roles.md": Page({"--admin ada --right audit ": "--admin ada --right audit --password-file F\ncertwright login --server {url} --fingerprint {fingerprint} --user ada --password-file F",
                      "token revoke 7": 'token revoke "$(newest token)"', "192.0.2.0/24": "127.0.0.0/8"}, (people,), signed_in=False),
    "upgrade.md": Page({"apt-get install --allow-downgrades ./certwright_OLD_amd64.deb": ": there is no apt in a bed"}, (upgraded,), (restored,)),
}


# Commands that stand between backticks only, in no block: what their placeholders are here, and the exit status. (Pebble refuses an agreement to terms that
# are agreed to already; nothing is owed; an authority may ask to be looked at later, which is status 6.)
INLINE = {
    "account agree ID": ("account agree 1", 5), "account deletion ID": ("account deletion 1", 0), "account rollover ID": ("account rollover 1", 0),
    "account set ID --automatic yes": ("account set 1 --automatic yes", 0), "vendor check": ("vendor check letsencrypt", 0), "vendor check NAME": ("vendor check letsencrypt", 0),
    "vendor set NAME --directory URL": ("vendor set letsencrypt --directory {directory}", 0), "network look URL": ("network look {directory}", 0),
    "order events": ("order events 1", 0), "order events ID": ("order events 1", 0), "order show ID": ("order show 1", 0),
    "order refresh": ("order refresh 3 || [ $? = 6 ]", 0), "order refresh ID": ("order refresh 2 || [ $? = 6 ]", 0), "order go-on ID": ("order go-on 2", 0),
    "order preview": ("order preview --account 1 --validation dns-01 --name www.example.com", 0),
    "key check-escrow": (f"key show-escrow | {GROUPS} | certwright key check-escrow", 0), "status": ("status", 0), "upgrade": ("upgrade", 0),
    "backup": ("backup --to one.backup --passphrase-file PASSPHRASE", 0),
    "delegation check ID": ("delegation check 1", 0), "delegation asked ID": ("delegation asked 1", 0), "delegation lines": ("delegation lines", 0),
    "delegation paste FILE": ("delegation paste names", 0), "delegation paste FILE --provider 3 --zone acme.example.net": ("delegation paste more --provider {provider} --zone acme.example.net", 0),
    "debt list": ("debt list", 0), "debt retry ID": ("debt retry 1", 3), "provider": ("provider list", 0),
    "challenge texts --host certwright.example.com --way redirect --for nginx": ("challenge texts --host certwright.example.com --way redirect --for nginx", 0),
    "job list": ("job list", 0), "job show N": ("job show 1", 0), "job rows N": ('job rows "$(certwright certificate bulk add-tags {12} --tag moved --stored --json | python3 -c \'import json, sys; print(json.load(sys.stdin)["id"])\')"', 0),
    "notification messages ID": ('notification messages "$(newest notification)"', 0), "notification rotate ID": ('notification rotate "$(newest notification)"', 0),
    "certificate show": ("certificate show {12}", 0), "certificate schedule": ("certificate schedule", 0), "notice list": ("notice list", 0),
    "certificate fetch 12 --token-file web-7.token --format combined --etag /var/lib/web-7.etag --out /etc/haproxy/web-7.pem":
        ("certificate fetch {12} --token-file web-7.token --format combined --etag web-7.etag --out web-7.pem", 0),
    "login": ("login --server {url} --fingerprint {fingerprint} --user admin --password-file {password}", 0),
    "login --ca FILE": ("login --server {url} --ca ca.pem --user admin --password-file {password}", 0),
}
INLINE_NOT_RUN = {
    "serve": "it is what runs all the time", "challenge servers ID": "needs a BIG-IP: test_f5.py", "challenge attach ID --virtual /Common/vs_http": "needs a BIG-IP: test_f5.py",
    "provider options --kind acmesh --set program=acme-sh --set hook=dns_pdns": "needs acme.sh: test_provider_programs.py",
}


def between_backticks():
    """Commands of the text whose verb no block has."""
    verbs = lambda text: re.findall(r"certwright ([a-z-]+(?: [a-z-]+)?)", text)
    ran = {v for page in BLOCKS.values() for b in page if b.language == "sh" for v in verbs(b.text)}
    prose = "".join(re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S) for page in PAGES)
    return sorted({c.removeprefix("certwright ") for c in re.findall(r"`(certwright [^`]+)`", prose) if not set(verbs(c)[:1]) & ran})


def everything(host):
    """One of everything that a command in the text is about."""
    page_of_the_server(host)
    safe(host, False)
    host.words["{12}"] = issued(host, "www.example.com")
    host.words["{password}"] = str(host.server.password_file)
    for name in ("hand.example.com", "other.example.com"):
        made = host.server.call("order", "create", "--account", "1", "--validation", "dns-01", "--dns", "manual", "--name", name)
        beds.wait_for(lambda one=made["id"]: host.server.call("order", "show", one)["stage"] == "waiting for you", 240, f"the order for {name} waits for a person")
    provider(host)
    lettered(host)
    host.put("names", "a.example.com\nb.example.com\n")
    host.put("more", "c.example.com\n")
    host.server.call("notification", "create", "--kind", "webhook", "--name", "hook", "--url", "https://hooks.example.com/x")
    host.server.call("token", "create", "--name", "web-7", "--certificate", host.words["{12}"], "--right", "key-export", "--reason", "test", "--out", str(host.work / "web-7.token"))


def script_of(page, host):
    blocks = [b for b in BLOCKS[page] if b.language == "sh" and (page, b.first) not in NOT_RUN]
    text = host.below(guide.replaced("".join(b.text for b in blocks), RUN[page].replace, page))
    return WORDS + with_words(host, text)


def with_words(host, text):
    for name, value in {"{url}": host.server.url, "{fingerprint}": host.server.fingerprint, "{directory}": host.world.ca.directory, "{powerdns}": host.world.powerdns.url,
                        "{dns}": f"127.0.0.1:{host.world.powerdns.port}", **host.words}.items():
        text = text.replace(name, value)
    return text


# ---- the tests ----


def test_every_block_of_the_guide_says_what_it_is_and_is_run_or_named_with_a_reason():
    untagged = [b.where for page in BLOCKS.values() for b in page if b.language not in guide.LANGUAGES]
    assert not untagged, f"no language, or an unknown one: {untagged}"
    indented = [f"{page.name}: {line.strip()}" for page in PAGES for line in re.findall(r"^(?:\t| {4,})certwright .*$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M)]
    assert not indented, f"not in a fence: {indented}"
    named = {(b.page, b.first) for page in BLOCKS.values() for b in page}
    assert not [row for row in NOT_RUN if row not in named], "rows of blocks that are not there any more"
    loose = [b.where for page in BLOCKS.values() for b in page
             if (b.page, b.first) not in NOT_RUN and (b.language == "text" or b.language == "sh" and b.page not in RUN)]
    assert not loose, f"neither run nor named: {loose}"


@pytest.mark.skipif(pdns.missing() is not None, reason=str(pdns.missing()))
@pytest.mark.parametrize("page", list(RUN))
def test_the_commands_of_a_page_work_as_they_stand(world, scratch, page):
    how = RUN[page]
    if how.missing:
        pytest.skip(how.missing)
    host = world.host(scratch, how)
    try:
        host.start()
        for step in how.before:
            step(host)
        done = host.run(script_of(page, host))
        assert done.status == 0, f"{page}: {done}"
        for look in how.after:
            look(host)
    finally:
        host.stop()


def test_every_command_between_backticks_is_run_or_named_with_a_reason():
    assert between_backticks() == sorted({*INLINE, *INLINE_NOT_RUN})


@pytest.mark.skipif(pdns.missing() is not None, reason=str(pdns.missing()))
def test_the_commands_between_backticks_work(world, scratch):
    host = world.host(scratch, Page())
    try:
        host.start()
        everything(host)
        failed = []
        for said, (command, status) in INLINE.items():
            done = host.run(WORDS + with_words(host, f"certwright {command}"))
            if done.status != status:
                failed.append((said, done))
        assert not failed, "\n".join(f"{said}: {done}" for said, done in failed)
    finally:
        host.stop()


@pytest.mark.parametrize("block", [b for page in BLOCKS.values() for b in page if b.language == "ini"], ids=lambda b: b.where)
def test_the_settings_of_the_guide_are_taken_by_the_program(scratch, block):
    host = guide.Host(scratch, {}, None)
    for file in set(re.findall(r"= (/\S+)", block.text)):
        host.put(file, "#!/bin/sh\n", 0o755)
    done = host.config_check(block.text)
    host.stop()
    assert done.status == 0, done


RIGHTS = beds.TOP / "docs/generated/rights.md"


def grant(heading):
    """The text to copy for it, of the page of rights."""
    return RIGHTS.read_text().split(f"For {heading}", 1)[1].split("```", 2)[1].split("\n", 1)[1]


def test_the_policy_for_route53_allows_what_is_asked_of_it_in_one_zone_and_nothing_else():
    by_action = {s["Action"]: s for s in json.loads(grant("a policy of IAM"))["Statement"]}
    assert set(by_action) == {f"route53:{a}" for a in ("ListHostedZonesByName", "ListResourceRecordSets", "ChangeResourceRecordSets", "GetChange")}
    assert all(s["Effect"] == "Allow" for s in by_action.values())
    zone = by_action["route53:ListResourceRecordSets"]["Resource"]
    change = by_action["route53:ChangeResourceRecordSets"]
    assert re.fullmatch(r"arn:aws:route53:::hostedzone/[A-Z0-9]+", zone) and change["Resource"] == zone
    assert change["Condition"] == {"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]},
                                   "ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["_acme-challenge.*"]}}


@pytest.mark.parametrize("heading, program, head", [
    ("BIND", ("named-checkconf",), 'key certwright-key { algorithm hmac-sha256; secret "c2VjcmV0"; };\n'),
    ("Knot DNS", ("knotc", "conf-check", "-c"), "key:\n  - id: certwright-key\n    algorithm: hmac-sha256\n    secret: c2VjcmV0\nzone:\n  - domain: example.com\n    acl: certwright\n")])
def test_the_lines_for_a_name_server_are_taken_by_it(scratch, heading, program, head):
    checker = shutil.which(program[0], path=f"{os.environ['PATH']}:/usr/sbin")
    if not checker:
        pytest.skip(f"{program[0]} is not installed (tools/setup --test)")
    text, file = grant(heading), scratch / "server.conf"
    sections = [head, text] if heading == "BIND" else [head.split("zone:")[0], text, "zone:" + head.split("zone:")[1]]  # Knot: what is named comes first
    file.write_text("".join(sections))
    command = [checker, "-c", file, "conf-check"] if heading == "Knot DNS" else [checker, file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done


@pytest.mark.parametrize("block", [b for page in BLOCKS.values() for b in page if b.language in ("zone", "json", "yaml")], ids=lambda b: b.where)
def test_what_the_guide_shows_of_other_formats_can_be_read(block):
    if block.language == "json":
        assert json.loads(block.text)
    elif block.language == "yaml":
        assert yaml.safe_load(block.text)
    else:
        head = "@ 3600 IN SOA ns.example.com. hostmaster.example.com. 1 2 3 4 5\n@ 3600 IN NS ns.example.com.\n"
        assert len(dns.zone.from_text(head + block.text, "example.com.", relativize=False).nodes) > 1
