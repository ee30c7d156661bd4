# SPDX-License-Identifier: Apache-2.0
"""The page and the API are served with a certificate that Certwright manages: from its first version on, each new one without a restart and
without dropping a connection; whatever is wrong with it, a self-signed one keeps the page reachable."""
import http.client
import socket
import ssl

import bed as beds
import pytest
from cryptography import x509
from test_pull import World

NAME = "page.example.test"


def context():
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def leaf(sock):
    return x509.load_der_x509_certificate(sock.getpeercert(True))


def served(port, version=ssl.TLSVersion.TLSv1_3):
    c = context()
    c.minimum_version = c.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw, c.wrap_socket(raw, server_hostname=NAME) as s:
        return leaf(s)


def names(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


class Held:
    """A connection that stays open, with requests on it."""

    def __init__(self, port, token):
        self.http, self.token = http.client.HTTPSConnection("127.0.0.1", port, timeout=120, context=context()), token
        self.http.connect()
        self.local = self.http.sock.getsockname()
        self.serial = leaf(self.http.sock).serial_number

    def ask(self):
        self.http.request("GET", "/api/v1/status", headers={"Authorization": f"Bearer {self.token}"})
        answer = self.http.getresponse()
        answer.read()
        assert answer.status == 200
        assert self.http.sock and self.http.sock.getsockname() == self.local, "it is another connection"


@pytest.mark.parametrize("key", ["p256", "rsa2048"])
def test_each_new_version_is_served_and_a_held_connection_goes_on(make_bed, key):
    bed = make_bed(settings={"api.certificate": "1"})
    port = bed.server.api_port
    first = served(port)
    assert NAME not in names(first), "nothing is issued yet: self-signed, and reachable"
    world = World(bed, certificates=[{"names": [NAME], "key_type": key}])
    beds.wait_for(lambda: names(served(port)) == [NAME], 120, "the certificate is served")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert names(served(port, version)) == [NAME]
    held = Held(port, world.admin.token)
    stream = world.admin.http.get(f"{world.admin.url}/api/v1/events", headers={"Authorization": f"Bearer {world.admin.token}"}, stream=True, timeout=240)
    world.admin.post("/renewals", {"certificate_ids": [world.certificate]})
    # asked again and again: a connection that says nothing for 75 seconds is closed, however long the renewal takes here
    beds.wait_for(lambda: held.ask() or served(port).serial_number != held.serial, 240, "the renewed one is served")
    for _ in range(3):
        held.ask()
    assert names(served(port)) == [NAME] and not stream.raw.closed
    lines = (line for line in stream.iter_lines() if line.startswith(b"data"))
    world.renew(world.certificate)
    assert next(lines), "the stream that was open before two swaps tells of what happened after"
    stream.close()
    bed.server.stop()
    bed.server.start()
    assert names(served(port)) == [NAME], "after a restart too"
    assert world.admin.ask("DELETE", f"/certificates/{world.certificate}", headers={"If-Match": "*"}).status_code == 204
    beds.wait_for(lambda: NAME not in names(served(port)), 120, "it is deleted: self-signed again")


def test_it_and_files_exclude_each_other(scratch):
    done = beds.subprocess.run([beds.PROGRAM, "config", "check", "--state", scratch, "--set", "api.certificate=1", "--set", "api.tls_cert=/a",
                                "--set", "api.tls_key=/b"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "exclude each other" in done.stdout + done.stderr, done
