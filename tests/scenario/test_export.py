# SPDX-License-Identifier: Apache-2.0
"""What is handed out is opened by others: PKCS#12 of both kinds by openssl and Java's keytool, zip by Python's zipfile."""
import shutil
import subprocess
import zipfile

import pytest

import bed as beds
from test_import import Maker


@pytest.fixture(scope="module")
def server():
    folder = beds.scratch("certwright-export-")
    one = beds.Server(folder, settings={"dns.listen": "", "http01.listen": ""}, user=beds.user_of_parts()).start()
    maker = Maker(folder)
    maker.leaf("out.example.com")
    (folder / "both.pem").write_text("".join((folder / f).read_text() for f in ("out.key", "out.pem", "inter.pem")))
    (folder / "word").write_text("geheim-42\n")
    assert one.cli("import", folder / "both.pem", "--with-keys").status == 0
    one.maker = maker
    yield one
    one.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("kind", ["pkcs12", "pkcs12-legacy"])
def test_a_pkcs12_file_is_opened_by_openssl_and_keytool(server, scratch, kind):
    out, word = scratch / "out.p12", server.folder / "word"
    done = server.cli("certificate", "export", "1", "--format", kind, "--with-key", "--reason", "test", "--password-file", word, "--out", out)
    assert done.status == 0, done
    key = server.maker.run("pkcs12", "-in", out, "-passin", "pass:geheim-42", "-nodes", "-nocerts", "-legacy")
    (scratch / "key").write_text(key)
    assert server.maker.run("pkey", "-in", scratch / "key", "-pubout") == server.maker.run("pkey", "-in", "out.key", "-pubout")
    text = server.maker.run("pkcs12", "-in", out, "-passin", "pass:geheim-42", "-nokeys", "-legacy")
    assert text.count("BEGIN CERTIFICATE") == 2
    if shutil.which("keytool"):
        seen = subprocess.run(["keytool", "-list", "-v", "-keystore", str(out), "-storepass", "geheim-42"], capture_output=True, text=True, check=True).stdout
        assert "PrivateKeyEntry" in seen and "Certificate chain length: 2" in seen and "CN=out.example.com" in seen, seen
    again = server.cli("import", out, "--password-file", word, "--with-keys", "--json")
    assert again.status == 0 and again.json["items"][0]["result"] == "known", again


def test_a_zip_file_has_the_files_servers_want(server, scratch):
    out = scratch / "out.zip"
    assert server.cli("certificate", "export", "1", "--format", "zip", "--out", out).status == 0
    with zipfile.ZipFile(out) as z:
        assert z.testzip() is None and z.namelist() == ["cert.pem", "chain.pem", "fullchain.pem", "cert.der"]
        assert z.read("fullchain.pem") == z.read("cert.pem") + z.read("chain.pem")
    assert server.cli("certificate", "export", "1", "--format", "zip", "--with-key", "--reason", "test", "--out", out).status == 0
    with zipfile.ZipFile(out) as z:
        assert z.testzip() is None and b"PRIVATE KEY" in z.read("privkey.pem")


@pytest.mark.parametrize("args", [["pkcs12"], ["pkcs12", "--with-key", "--reason", "x"], ["der", "--with-key", "--reason", "x"]])
def test_what_does_not_go_together_is_refused(server, scratch, args):
    done = server.cli("certificate", "export", "1", "--format", *args, "--out", scratch / "x")
    assert done.status == 2, done
    assert not (scratch / "x").exists()


def test_who_fetched_it_last_is_shown(server, scratch):
    assert server.cli("certificate", "export", "1", "--out", scratch / "x").status == 0
    one = server.call("certificate", "show", "1")
    assert one["fetched_by"] and one["fetched_at"]
