# SPDX-License-Identifier: Apache-2.0
"""dnshooks - a program and a service in the forms that lego's exec and httpreq call: both write at a name server of dnspeers by nsupdate."""
import http.server
import json
import subprocess

import dnspeers

SCRIPT = """#!/bin/sh
# The form that lego's exec calls: present|cleanup FQDN. VALUE. Credentials come in the environment.
case $1 in present) act="add $2 60 TXT \\"$3\\"" ;; cleanup) act="delete $2 TXT \\"$3\\"" ;; *) exit 64 ;; esac
printf 'server 127.0.0.1 %s\\nzone example.test\\nupdate %s\\nsend\\n' "$DNS_PORT" "$act" | nsupdate -y "hmac-sha256:$DNS_KEY"
"""


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
