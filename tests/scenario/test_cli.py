# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole: everything the API can do, it can; files it writes; arguments that are no text; passwords and tokens."""
import os
import pathlib
import stat
import subprocess
import threading

import pytest
import yaml

import bed as beds

PASSWORD = "correct horse battery staple"

# operation of openapi.yaml -> the verb that uses it; None: not something one asks for by itself
VERBS = {
    "getSetup": None, "postSetup": "setup", "createSession": "login", "getSession": "whoami", "deleteSession": "login", "putPassword": "password",
    "listTokens": "token list", "createToken": "token create", "getToken": "token show", "deleteToken": "token revoke",
    "listUsers": "user list", "createUser": "user create", "getUser": "user show", "updateUser": "user update", "deleteUser": "user delete",
    "listUserSessions": "user sessions", "endUserSessions": "user sessions", "listSessions": "user sessions", "endSession": "user sessions",
    "listVendors": "vendor list", "listAccounts": "account list", "registerAccount": "account register", "getAccount": "account show",
    "updateAccount": "account rename", "deleteAccount": "account delete", "refreshAccount": "account refresh",
    "listCsrs": "csr list", "createCsr": "csr create", "uploadCsr": "csr upload", "getCsr": "csr show", "deleteCsr": "csr delete",
    "listOrders": "order list", "createOrder": "order create", "getOrder": "order show", "listOrderEvents": "order events",
    "refreshOrder": "order refresh", "finalizeOrder": "order finalize", "downloadOrderCertificate": "order download", "deleteOrder": "order delete",
    "listRecords": "record list", "getRecord": "record show", "listDelegations": "delegation list", "createDelegation": "delegation create",
    "getDelegation": "delegation show", "deleteDelegation": "delegation delete", "listCertificates": "certificate list",
    "getCertificate": "certificate show", "exportCertificate": "certificate export", "deleteCertificate": "certificate delete", "updateCertificate": "certificate note", "importCertificates": "import",
    "downloadCertificate": "certificate fetch",
    "listJobs": "job list", "getJob": "job show", "listJobRows": "job rows", "listAudit": "audit list", "exportAudit": "audit list", "getStatus": "status", "streamEvents": "order watch",
    "listChannels": "notification list", "createChannel": "notification create", "getChannel": "notification show",
    "updateChannel": "notification update", "deleteChannel": "notification delete", "rotateChannelSecret": "notification rotate",
    "testChannel": "notification test", "listMessages": "notification messages",
    "getOpenapi": None,
    "getVendor": "vendor show", "updateVendor": "vendor set", "checkVendors": "vendor check", "readDirectory": "vendor check", "lookAtCertificate": "network look", "getAuditorReport": "report auditor", "makeSupportBundle": "support-bundle", "getChecks": "doctor", "runChecks": "doctor",
    "previewAccountDeletion": "account deletion", "changeAccountContact": "account contact", "agreeToTerms": "account agree",
    "changeAccountKey": "account rollover", "checkCsr": "csr check", "lintCsr": "csr lint", "previewOrder": "order preview", "goOnOrder": "order go-on",
    "listProviderKinds": "provider kinds", "listProviders": "provider list", "createProvider": "provider create", "getProvider": "provider show",
    "updateProvider": "provider update", "deleteProvider": "provider delete", "testProvider": "provider test", "attachProvider": "challenge attach", "askProviderOptions": "provider options",
    "listChallengeTexts": "challenge texts", "listRules": "rule list", "createRule": "rule create", "getRule": "rule show",
    "updateRule": "rule update", "deleteRule": "rule delete", "listDebts": "debt list", "retryDebt": "debt retry",
    "listViews": "view list", "createView": "view create", "getView": "view show", "updateView": "view update", "deleteView": "view delete",
    "listViewRules": "view-rule list", "createViewRule": "view-rule create", "getViewRule": "view-rule show", "updateViewRule": "view-rule update",
    "deleteViewRule": "view-rule delete", "preflight": "doctor", "checkDelegation": "delegation check", "listDelegationAsked": "delegation asked",
    "pasteDelegations": "delegation paste", "getDelegationLines": "delegation lines",
    "getRenewal": "certificate renewal", "updateRenewal": "certificate set-renewal", "listRenewals": "certificate schedule",
    "createRenewals": "certificate renew", "actOnCertificates": "certificate bulk", "manageCertificate": "certificate manage", "createRevocations": "certificate revoke", "getExpiry": "certificate expiry",
    "getRenewalPause": "certificate schedule", "putRenewalPause": "renewal pause", "listNotices": "notice list",
    "listRenewalWindows": "window list", "createRenewalWindow": "window create", "getRenewalWindow": "window show", "deleteRenewalWindow": "window delete",
}


@pytest.fixture(scope="module")
def server():
    folder = beds.scratch("certwright-cli-")
    one = beds.Server(folder, settings={"dns.listen": "", "http01.listen": ""}, user=beds.user_of_parts()).start()
    yield one
    one.stop()


def test_everything_the_api_can_do_has_a_verb(server):
    doc = yaml.safe_load((beds.TOP / "src/api/openapi.yaml").read_text())
    operations = {op["operationId"] for methods in doc["paths"].values() for name, op in methods.items() if name != "parameters"}
    assert operations == set(VERBS)
    for verb in filter(None, VERBS.values()):
        done = server.cli(*verb.split(), "--help")
        assert done.status == 0 and "usage: certwright " + verb in done.out, done


def test_every_list_takes_each_of_its_options(server):
    """An option that the API does not know would be refused with 400."""
    good = {"limit": "3", "status": "valid", "sort": "oldest", "kind": "dns-01", "name": "example", "key-type": "p256", "state": "done", "role": "viewer", "method": "builtin",
            "domain": "_acme-challenge.example.com", "view": "01HZZZZZZZZZZZZZZZZZZZZZZZ"}
    other = {("certificate list", "sort"): "expires", ("notification list", "kind"): "email", ("view list", "kind"): "doh", ("provider list", "status"): "ok"}
    for verb in sorted(v for v in VERBS.values() if v and v.endswith(" list")):
        text = server.cli(*verb.split(), "--help").out
        for name in [line.split()[0][2:] for line in text.splitlines() if line.startswith("  --")]:
            if name in good:
                done = server.cli(*verb.split(), "--" + name, other.get((verb, name), good[name]))
                assert done.status == 0, (verb, name, done)


def test_a_user_is_made_shown_changed_disabled_and_deleted(server, scratch):
    first, second = scratch / "first", scratch / "second"
    first.write_text("a first long passphrase\n")
    second.write_text("another long passphrase\n")
    user = server.call("user", "create", "carol", "--role", "viewer", "--password-file", first)
    assert server.call("user", "update", user["num"], "--role", "operator")["role"] == "operator"
    assert server.cli("user", "update", user["id"]).status == 2
    done = server.cli("password", "--user", "carol", "--password-file", first, "--new-password-file", second)
    assert done.status == 0, done
    assert server.cli("password", "--user", "carol", "--password-file", first, "--new-password-file", second).status == 8
    assert server.call("user", "update", user["id"], "--disable")["disabled"] is True
    assert server.cli("password", "--user", "carol", "--password-file", second, "--new-password-file", first).status == 8
    assert server.call("user", "show", user["id"])["disabled"] is True
    assert server.cli("user", "delete", user["id"]).status == 0
    assert server.cli("user", "show", user["id"]).status == 3


def test_a_token_goes_into_a_file_of_its_own_and_may_less(server, scratch):
    out = scratch / "viewer-token"
    done = server.cli("token", "create", "--name", "monitoring", "--role", "viewer", "--days", "1", "--out", out)
    assert done.status == 0 and "cw_" not in done.out.replace(done.out.split("Begins:")[1].split()[0], ""), done
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = server.cli("token", "create", "--name", "monitoring", "--out", out)
    assert again.status == 4, again
    env = {"CERTWRIGHT_TOKEN_FILE": str(out)}
    assert server.cli("whoami", env=env).out.split()[-1] != "" and server.cli("order", "list", env=env).status == 0
    assert server.cli("user", "list", env=env).status == 8
    number = [t["num"] for t in server.call("token", "list")["items"] if t["name"] == "monitoring"][0]
    assert server.call("token", "show", number)["role"] == "viewer"
    assert server.cli("token", "revoke", number).status == 0
    assert server.cli("order", "list", env=env).status == 8


@pytest.mark.parametrize("args", [
    ["order", "create", "--account", "1", "--validation", "dns-01", "--name", "\udcff.example.com"],
    ["csr", "create", "--name", "\udcff.example.com"], ["csr", "create", "--name", "a.example.com", "--org", "\udcff"],
    ["account", "register", "--directory", "https://ca.example/\udcff", "--email", "a@example.com"],
    ["account", "register", "--vendor", "letsencrypt", "--email", "\udcff@example.com"],
    ["delegation", "create", "\udcff"], ["order", "show", "\udcff"], ["order", "list", "--status", "\udcff"],
    ["user", "create", "\udcff", "--password-file", "PASSWORD"], ["token", "create", "--name", "\udcff"],
    ["certificate", "export", "1", "--format", "\udcff"], ["account", "rename", "1", "--name", "\udcff"],
], ids=lambda a: " ".join(a[:2]))
def test_an_argument_that_is_no_text_is_refused_and_never_left_out(server, args):
    done = server.cli(*[str(server.password_file) if a == "PASSWORD" else a for a in args])
    assert done.status in (2, 3), done
    assert done.err.startswith("certwright: "), done


def test_a_device_or_pipe_is_written_to_and_never_replaced(make_bed, scratch):
    bed = make_bed()
    account = bed.account()
    order = bed.server.call("order", "create", "--account", account["id"], "--name", "pipe.example.com", "--validation", "http-01", "--wait")
    pipe, link, folder = scratch / "pipe", scratch / "link", scratch / "folder"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    folder.mkdir()
    for path in (pipe, link):
        got = []
        reader = threading.Thread(target=lambda: got.append(pathlib.Path(pipe).read_text()), daemon=True)
        reader.start()
        done = bed.server.cli("order", "download", order["id"], "--out", path)
        reader.join(120)
        assert done.status == 0 and got and got[0].startswith("-----BEGIN CERTIFICATE-----"), done
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    done = bed.server.cli("order", "download", order["id"], "--out", folder)
    assert done.status == 2 and "is a folder" in done.err, done
    # a file that others may read is replaced by one only we may read, from its first byte
    secret = scratch / "key.pem"
    secret.write_text("old")
    secret.chmod(0o666)
    certificate = bed.server.call("order", "show", order["id"])["certificate_id"]
    done = bed.server.cli("certificate", "export", certificate, "--with-key", "--reason", "   ", "--out", secret)
    assert done.status == 2 and "/reason" in done.err and secret.read_text() == "old", done
    done = bed.server.cli("certificate", "export", certificate, "--with-key", "--reason", "test", "--out", secret)
    assert done.status == 0 and stat.S_IMODE(secret.stat().st_mode) == 0o600, done
    assert "PRIVATE KEY" in secret.read_text()
    assert bed.server.call("order", "events", order["id"])["items"]
    assert bed.server.call("account", "rename", account["num"], "--name", "the first")["name"] == "the first"


def test_signing_out_says_when_the_token_lives_on(server, scratch):
    home = scratch / "home"
    env = {"XDG_CONFIG_HOME": str(home), "CERTWRIGHT_TOKEN_FILE": "", "CERTWRIGHT_FINGERPRINT": ""}
    done = server.cli("login", "--user", "admin", "--password-file", server.password_file, "--fingerprint", server.fingerprint, env=env)
    assert done.status == 0, done
    kept = home / "certwright/servers.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert PASSWORD not in kept.read_text()
    done = server.cli("logout", env=env)
    assert done.status == 0 and done.err == "", done
    assert subprocess.run(["grep", "-c", "cw_", str(kept)], capture_output=True, text=True, check=False).stdout.strip() == "0"
