# SPDX-License-Identifier: Apache-2.0
"""dnshooks - a program and a service in the forms that lego's exec and httpreq call, and a hook in the form of acme.sh's: all write at a name
server of dnspeers by nsupdate."""
import http.server
import json
import subprocess

import dnspeers

SCRIPT = """#!/bin/sh
# The form that lego's exec calls: present|cleanup FQDN. VALUE. Credentials come in the environment.
case $1 in present) act="add $2 60 TXT \\"$3\\"" ;; cleanup) act="delete $2 TXT \\"$3\\"" ;; *) exit 64 ;; esac
printf 'server 127.0.0.1 %s\\nzone example.test\\nupdate %s\\nsend\\n' "$DNS_PORT" "$act" | nsupdate -y "hmac-sha256:$DNS_KEY"
"""

# A program in the form of acme.sh as far as hooks see it, and a hook in the form of its dnsapi: our own, so that nothing of theirs is kept here.
ACME_SH = """#!/usr/bin/env sh
_SCRIPT_="$0"
_err() { printf '%s\\n' "$*" >&2; }
_initpath() { ACCOUNT_CONF_PATH="$LE_CONFIG_HOME/account.conf"; _SCRIPT_HOME=$(dirname "$_SCRIPT_"); }
_findHook() { f="$_SCRIPT_HOME/$2/$3.sh"; [ -f "$f" ] && printf %s "$f"; }
_saveaccountconf_mutable() { printf "SAVED_%s='%s'\\n" "$1" "$2" >>"$ACCOUNT_CONF_PATH"; }
showhelp() { echo usage; }
main() {
  [ -z "$1" ] && showhelp && return
  case "$1" in -*) showhelp ;; *) "$@" ;; esac
}
main "$@"
"""
HOOK = """#!/usr/bin/env sh
dns_test_info='A test hook
Site: example.test
Options:
 TEST_Port Port of the name server
 TEST_Key TSIG key, name:secret
 TEST_Ttl TTL of the record. Default: "60".
'
_test_update() {
  [ "$TEST_Key" ] || { _err "TEST_Key is missing"; return 1; }
  _saveaccountconf_mutable TEST_Key "$TEST_Key"
  printf 'server 127.0.0.1 %s\\nzone example.test\\nupdate %s\\nsend\\n' "$TEST_Port" "$1" | nsupdate -y "hmac-sha256:$TEST_Key"
}
dns_test_add() { _test_update "add $1 ${TEST_Ttl:-60} TXT \\"$2\\""; }
dns_test_rm() { _test_update "delete $1 TXT \\"$2\\""; }
"""


def acme_sh(folder):
    """acme.sh and its folder dnsapi with the one hook dns_test; the path that [programs] names."""
    (folder / "dnsapi").mkdir(mode=0o755)
    program(folder / "dnsapi", "dns_test.sh", HOOK)
    return program(folder, "acme.sh", ACME_SH)


def program(folder, name, text):
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def environment(peer):
    return {"DNS_PORT": str(peer.port), "DNS_KEY": f"{dnspeers.KEY}:{dnspeers.SECRET}"}


class Hooks(http.server.BaseHTTPRequestHandler):
    """A service in the form of lego's httpreq that calls nsupdate."""

    def do_POST(self):  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = {"/present": "add", "/cleanup": "delete"}.get(self.path)
        if self.headers.get("Authorization") != "Basic dXNlcjpwYXNzd29yZA==":
            self.send_error(401)
            return
        assert set(body) == {"fqdn", "value"} and body["fqdn"].endswith("."), body
        ttl = "60 " if act == "add" else ""
        text = f"server 127.0.0.1 {self.server.peer.port}\nzone example.test\nupdate {act} {body['fqdn']} {ttl}TXT \"{body['value']}\"\nsend\n"
        done = subprocess.run(["nsupdate", "-y", f"hmac-sha256:{dnspeers.KEY}:{dnspeers.SECRET}"], input=text, text=True, check=False)
        self.send_response(200 if done.returncode == 0 else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass
