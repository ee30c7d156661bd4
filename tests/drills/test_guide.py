# SPDX-License-Identifier: Apache-2.0
"""Guide only: a bare Debian, the .deb, a CA and a PowerDNS; from there to a certificate with nothing but the commands of docs/admin/first-certificate.md,
as the package brings that page. What an administrator replaces, three addresses, is replaced; nothing is added."""
import shutil

import pytest
from cryptography import x509

import bed as beds
import guide
import machine
import namespaces
import pdns

pytestmark = pytest.mark.skipif(machine.why_not() is not None or pdns.missing() is not None, reason=str(machine.why_not() or pdns.missing()))
PAGE = "usr/share/doc/certwright/admin/first-certificate.md"
US, POWERDNS, CA = "10.1.0.10", "10.1.0.53", "10.1.0.20"


class Site:
    def __init__(self, folder):
        self.folder, self.parts = folder, []
        self.deb = machine.package()
        lower = machine.tree(machine.suite(), "installed", machine.depends(self.deb))
        self.network = self.add(namespaces.Namespace("guide"))
        try:
            with self.network:
                for address in (US, POWERDNS, CA):
                    namespaces.run("ip", "address", "add", f"{address}/16", "dev", "lo")
                self.powerdns = self.add(pdns.PowerDns(folder, ["example.com"], POWERDNS, 53))
                self.powerdns.put("example.com", "ns1.example.com", [POWERDNS], "A")
                beds.make_tls(folder / "tls", f"DNS:ca.example.com,IP:{CA}")
                self.ca = self.add(beds.Pebble(folder, 53, 80, beds.user_of_parts(), True, {"PEBBLE_AUTHZREUSE": "0"}, tls=folder / "tls", address=CA,
                                               dns_address=POWERDNS))
                self.machine = self.add(machine.Machine(folder, lower, self.network))
        except BaseException:
            self.stop()
            raise

    def add(self, part):
        self.parts.append(part)
        return part

    def stop(self):
        for part in reversed(self.parts):
            part.stop()


@pytest.fixture
def site(scratch):
    one = Site(scratch)
    with one.network:
        yield one
    one.stop()


def test_from_the_package_to_a_certificate_with_nothing_but_the_guide(site):
    host = site.machine
    print(f"\n{host.way}")
    for name, text in (("ca.pem", site.ca.ca.read_text()), ("powerdns.key", pdns.KEY + "\n"), ("ada.password", "correct horse battery staple\n")):
        host.put(f"/root/{name}", text, 0o600)
    host.put("/etc/resolv.conf", f"nameserver {POWERDNS}\n")
    shutil.copy(site.deb, host.path("/root") / site.deb.name)
    page = machine.run("sh", "-c", 'dpkg-deb --fsys-tarfile "$0" | tar -xO "./$1" 2>/dev/null || dpkg-deb --fsys-tarfile "$0" | tar -xO "./$1.gz" | zcat', site.deb, PAGE)
    blocks = [b.text for b in guide.blocks_of(PAGE, page) if b.language == "sh"]
    assert len(blocks) >= 6
    script = "\n".join(blocks)
    for theirs, ours in (("https://ca.example.com/directory", site.ca.directory), ("http://10.1.0.53:8081", site.powerdns.url)):
        assert theirs in script
        script = script.replace(theirs, ours)
    done = host.do("bash", "-euxc", f"cd /root\n{script}", timeout=900)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}\n{host.journal('-u', 'certwright.service')[-3000:]}"
    print(f"{len(blocks)} blocks, {len(script.splitlines())} lines of the guide were run")
    leaf = x509.load_pem_x509_certificate(host.path("/root/www.pem").read_bytes().split(b"-----END CERTIFICATE-----")[0] + b"-----END CERTIFICATE-----")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert sorted(names) == ["*.www.example.com", "www.example.com"]
    assert "PRIVATE KEY" in host.path("/root/www-with-key.pem").read_text()
    assert not site.powerdns.texts("example.com"), "no challenge is left"
