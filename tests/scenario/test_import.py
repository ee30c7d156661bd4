# SPDX-License-Identifier: Apache-2.0
"""Certificates made elsewhere come into the inventory: PEM, DER and PKCS#12 as openssl and Java's keytool write them, with and without
keys, by file and by folder; files made to burn time are refused at once; the same again changes nothing."""
import base64
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import threading

import pytest

import bed as beds
from ports import free_port


@pytest.fixture(scope="module")
def server():
    folder = beds.scratch("certwright-import-")
    one = beds.Server(folder, settings={"dns.listen": "", "http01.listen": ""}, user=beds.user_of_parts()).start()
    yield one
    one.stop()
    shutil.rmtree(folder, ignore_errors=True)


class Maker:
    """A small authority and certificates below it, by openssl."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-days", "30",
                 "-subj", "/CN=Shelf Root")
        self.sign("inter", "root", "/CN=Shelf Intermediate", "basicConstraints=critical,CA:TRUE", "rsa:2048")

    def run(self, *args):
        return beds.openssl(*[str(a) for a in args], cwd=self.folder)

    def path(self, name):
        return self.folder / name

    def sign(self, name, by, subject, extension, key="ec"):
        curve = ["-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else []
        self.run("req", "-new", "-newkey", key, *curve, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        (self.folder / "ext").write_text(extension + "\n")
        self.run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", "20", "-extfile", "ext",
                 "-out", f"{name}.pem")

    def leaf(self, name, key="ec"):
        self.sign(name.split(".")[0], "inter", f"/CN={name}", f"subjectAltName=DNS:{name},DNS:www.{name}", key)
        return name.split(".")[0]


@pytest.fixture(scope="module")
def maker():
    folder = beds.scratch("certwright-maker-")
    yield Maker(folder)
    shutil.rmtree(folder, ignore_errors=True)


def rows(server, *args):
    done = server.cli("import", *args, "--json")
    return done.status, done.json["items"] if done.out else [], done


def test_a_pem_file_with_its_chain_is_watched_and_known_the_second_time(server, maker, scratch):
    maker.leaf("pem.example.com")
    file = scratch / "pem.pem"
    file.write_text("subject=a line of openssl\n" + maker.path("pem.pem").read_text() + maker.path("root.pem").read_text() + "Bag Attributes\n"
                    + maker.path("inter.pem").read_text())
    status, items, done = rows(server, file, "--owner", "web", "--tag", "Prod", "--tag", "edge")
    assert status == 0 and [i["result"] for i in items] == ["imported"], done
    listed = [c for c in server.call("certificate", "list")["items"] if "pem.example.com" in c["names"]]
    assert len(listed) == 1
    one = server.call("certificate", "show", listed[0]["num"])
    assert one["source"] == "imported" and one["managed"] is False and one["owner"] == "web" and one["tags"] == ["edge", "prod"]
    assert one["subject"] == "CN=pem.example.com" and one["issuer"] == "CN=Shelf Intermediate" and one["has_key"] is False
    assert one["chain"].count("BEGIN CERTIFICATE") == 2, "leaf and intermediate, without the root"
    want = maker.run("x509", "-in", "pem.pem", "-noout", "-fingerprint", "-sha1")
    assert one["sha1"] == str(want).split("=")[1].strip().replace(":", "").lower()
    status, items, done = rows(server, file)
    assert status == 0 and [i["result"] for i in items] == ["known"], done
    assert server.call("certificate", "show", one["id"])["tags"] == ["edge", "prod"]


def test_der_and_a_certificate_of_its_own_signer(server, maker, scratch):
    maker.leaf("der.example.com")
    maker.run("x509", "-in", "der.pem", "-outform", "DER", "-out", "der.cer")
    maker.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "box.key", "-out", "box.pem", "-days", "9", "-subj", "/CN=appliance")
    status, items, done = rows(server, maker.path("der.cer"), maker.path("box.pem"))
    assert status == 0 and [i["result"] for i in items] == ["imported", "imported"], done


def test_a_key_is_kept_only_when_asked_and_only_beside_its_certificate(server, maker, scratch):
    maker.leaf("key.example.com")
    maker.leaf("other.example.com")
    file = scratch / "key.pem"
    file.write_text(maker.path("key.key").read_text() + maker.path("key.pem").read_text())
    assert rows(server, file)[1][0]["result"] == "imported"
    number = [c["num"] for c in server.call("certificate", "list")["items"] if "key.example.com" in c["names"]][0]
    assert server.call("certificate", "show", number)["has_key"] is False
    assert rows(server, file, "--with-keys")[1][0]["result"] == "key-added"
    assert server.call("certificate", "show", number)["has_key"] is True
    out = scratch / "out.pem"
    done = server.cli("certificate", "export", number, "--with-key", "--reason", "test", "--out", out)
    assert done.status == 0, done
    assert maker.run("pkey", "-in", out, "-pubout") == maker.run("pkey", "-in", "key.key", "-pubout")
    file.write_text(maker.path("key.key").read_text() + maker.path("other.pem").read_text())
    status, items, done = rows(server, file, "--with-keys")
    assert status == 2 and [i["result"] for i in items] == ["imported", "failed"] and "belongs to none" in items[1]["reason"], done


@pytest.mark.parametrize("style", [[], ["-legacy"], ["-keypbe", "NONE", "-certpbe", "NONE"], ["-nomac"]], ids=["modern", "legacy", "plain", "nomac"])
def test_pkcs12_as_openssl_writes_it(server, maker, scratch, style):
    name = maker.leaf(f"p12{'-'.join(style).strip('-').replace('--', '-').lower() or 'modern'}.example.com")
    maker.run("pkcs12", "-export", "-in", f"{name}.pem", "-inkey", f"{name}.key", "-certfile", "inter.pem", "-passout", "pass:geheim ü", "-out", f"{name}.p12", *style)
    word = scratch / "password"
    word.write_text("geheim ü\n")
    status, items, done = rows(server, maker.path(f"{name}.p12"), "--password-file", word, "--with-keys")
    assert status == 0 and [i["result"] for i in items] == ["imported"] and "reason" in items[0], done
    shown = [c for c in server.call("certificate", "list", "--limit", "200")["items"] if f"{name}.example.com" in c["names"]][0]
    assert shown["has_key"] is True


def test_pkcs12_as_keytool_writes_it_with_two_keys(server, maker, scratch):
    if not shutil.which("keytool"):
        pytest.skip("no Java")
    store = scratch / "java.p12"
    for name in ("one", "two"):
        subprocess.run(["keytool", "-genkeypair", "-alias", name, "-keyalg", "EC", "-groupname", "secp256r1", "-dname", f"CN={name}.java.example.com", "-ext",
                        f"san=dns:{name}.java.example.com", "-keystore", str(store), "-storetype", "PKCS12", "-storepass", "changeit"], check=True,
                       capture_output=True)
    word = scratch / "password"
    word.write_text("changeit")
    status, items, done = rows(server, store, "--password-file", word, "--with-keys")
    assert status == 0 and sorted(i["names"] for i in items) == ["one.java.example.com", "two.java.example.com"], done


def test_a_wrong_password_and_a_missing_one_are_told_apart(server, maker, scratch):
    name = maker.leaf("locked.example.com")
    maker.run("pkcs12", "-export", "-in", f"{name}.pem", "-inkey", f"{name}.key", "-passout", "pass:right", "-out", "locked.p12")
    word = scratch / "password"
    word.write_text("wrong")
    status, items, _ = rows(server, maker.path("locked.p12"), "--password-file", word)
    assert status == 2 and "is not the one of this file" in items[0]["reason"], items
    status, items, _ = rows(server, maker.path("locked.p12"))
    assert status == 2 and "has a password" in items[0]["reason"], items
    maker.run("pkcs8", "-topk8", "-in", f"{name}.key", "-out", "locked.p8", "-passout", "pass:right")
    both = scratch / "both.pem"
    both.write_text(maker.path(f"{name}.pem").read_text() + maker.path("locked.p8").read_text())
    word.write_text("right")
    status, items, _ = rows(server, both, "--password-file", word, "--with-keys")
    assert status == 0 and items[0]["result"] == "imported", items


def test_a_folder_is_walked_and_each_file_has_its_result(server, maker, scratch):
    folder = scratch / "tree"
    (folder / "below" / ".hidden").mkdir(parents=True)
    for n in range(3):
        name = maker.leaf(f"tree{n}.example.com")
        shutil.copy(maker.path(f"{name}.pem"), folder / "below" / f"{name}.crt")
    (folder / "readme.txt").write_text("no certificate")
    (folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "below" / ".hidden" / "x.pem").write_text("nothing")
    csv = scratch / "owners.csv"
    csv.write_text('name,owner,tags\ntree0.example.com,"Team ""A"", web",prod edge\r\ntree1.example.com,team-b,\n')
    status, items, done = rows(server, folder, "--csv", csv)
    assert status == 2 and sorted(i["result"] for i in items) == ["failed", "imported", "imported", "imported"], done
    found = {"".join(c["names"][:1]): c for c in server.call("certificate", "list", "--limit", "200")["items"]}
    assert found["tree0.example.com"]["owner"] == 'Team "A", web' and found["tree0.example.com"]["tags"] == ["edge", "prod"]
    assert found["tree1.example.com"]["owner"] == "team-b" and found["tree2.example.com"]["owner"] is None
    again, items, _ = rows(server, folder)
    assert sorted(i["result"] for i in items) == ["failed", "known", "known", "known"]


def test_a_list_of_owners_completes_what_is_there_and_overwrites_nobody(server, maker, scratch):
    for n in ("bare", "owned"):
        maker.leaf(f"{n}.example.net")
    server.call("import", maker.path("bare.pem"))
    server.call("import", maker.path("owned.pem"), "--owner", "Somebody")
    csv = scratch / "late.csv"
    csv.write_text("name,owner,tags\nbare.example.net,team-b,late\nowned.example.net,team-b,late\n")
    _, items, done = rows(server, maker.path("bare.pem"), maker.path("owned.pem"), "--csv", csv)
    assert [i["result"] for i in items] == ["known", "known"], done
    found = {c["names"][0]: c for c in server.call("certificate", "list", "--q", "example.net")["items"]}
    assert (found["bare.example.net"]["owner"], found["bare.example.net"]["tags"]) == ("team-b", ["late"])
    assert (found["owned.example.net"]["owner"], found["owned.example.net"]["tags"]) == ("Somebody", [])


class Held:
    """A relay to the API that lets so many bytes of requests pass, and no more: whoever asks through it is stuck in the middle."""

    def __init__(self, to, most):
        self.to, self.left, self.held = to, most, threading.Event()
        self.socket = socket.create_server(("127.0.0.1", free_port()))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near = self.socket.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.to))
                threading.Thread(target=self.relay, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self.relay, args=(far, near, False), daemon=True).start()

    def relay(self, come, go, counted):
        with contextlib.suppress(OSError):
            while data := come.recv(512):
                if counted and self.left < len(data):
                    return self.held.set()
                self.left -= len(data) * counted
                go.sendall(data)
            go.shutdown(socket.SHUT_WR)
        return None

    def stop(self):
        self.socket.close()


@pytest.mark.parametrize("victim", ["client", "core"])
def test_an_import_that_is_interrupted_is_run_again_and_each_is_there_once(server, maker, scratch, victim):
    names = [f"{victim}{n}.example.org" for n in range(12)]
    for name in names:
        shutil.copy(maker.path(f"{maker.leaf(name)}.pem"), scratch)
    held = Held(server.api_port, 9000)
    first = subprocess.Popen([str(beds.PROGRAM), "import", str(scratch)], env={**server.cli_env(), "CERTWRIGHT_SERVER": held.url},
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert held.held.wait(120)
        if victim == "core":
            server.kill("core")
    finally:
        first.kill()
        first.wait()
        held.stop()
    beds.wait_for(server.ready, 120, "Certwright is ready again")
    there = server.call("certificate", "list", "--q", f"{victim} example.org", "--limit", "50")["items"]
    assert 0 < len(there) < len(names)
    status, items, done = rows(server, scratch)
    assert status == 0 and sorted({i["result"] for i in items}) == ["imported", "known"] and len(items) == len(names), done
    there = server.call("certificate", "list", "--q", f"{victim} example.org", "--limit", "50")["items"]
    assert sorted(c["names"][0] for c in there) == sorted(names)


# --- files made to burn time -------------------------------------------------------------------------------------------------------

def length(n):
    if n < 128:
        return bytes([n])
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(raw)]) + raw


def elements(der):
    """[(tag, contents)], or None when it is no DER."""
    out, at = [], 0
    while at < len(der):
        if at + 2 > len(der):
            return None
        tag, n, at = der[at], der[at + 1], at + 2
        if n > 0x80:
            size, n = n & 0x7F, 0
            if at + size > len(der):
                return None
            n, at = int.from_bytes(der[at:at + size], "big"), at + size
        if n == 0x80 or at + n > len(der):
            return None
        out.append((tag, der[at:at + n]))
        at += n
    return out


def rewrite(der, change):
    """The document with change(contents) in the place of each INTEGER's contents, also inside OCTET STRINGs."""
    out = b""
    for tag, body in elements(der):
        if tag == 2:
            body = change(body)
        elif tag & 0x20 or (tag == 4 and body[:1] == b"\x30" and elements(body)):
            body = rewrite(body, change)
        out += bytes([tag]) + length(len(body)) + body
    return out


def number(n):
    return n.to_bytes(n.bit_length() // 8 + 1, "big")


def set_rounds(der, rounds, only=None):
    """Every round count 4660 of the document becomes another, or only the n-th."""
    seen = []

    def change(body):
        if body == number(4660):
            seen.append(1)
            if only in (None, len(seen) - 1):
                return number(rounds)
        return body
    new = rewrite(der, change)
    assert seen
    return new


@pytest.fixture(scope="module")
def bombs(maker):
    name = maker.leaf("bomb.example.com")
    modern, legacy = maker.path("bomb.p12"), maker.path("bomb-legacy.p12")
    maker.run("pkcs12", "-export", "-in", f"{name}.pem", "-inkey", f"{name}.key", "-passout", "pass:x", "-iter", "4660", "-out", modern)
    maker.run("pkcs12", "-export", "-legacy", "-in", f"{name}.pem", "-inkey", f"{name}.key", "-passout", "pass:x", "-iter", "4660", "-out", legacy)
    maker.run("pkcs8", "-topk8", "-in", f"{name}.key", "-outform", "DER", "-out", "bomb.p8", "-passout", "pass:x", "-iter", "4660")
    maker.run("pkcs8", "-topk8", "-in", f"{name}.key", "-outform", "DER", "-out", "scrypt.p8", "-passout", "pass:x", "-scrypt", "-scrypt_N", "4096")
    m, old, p8, sc = (maker.path(f).read_bytes() for f in ("bomb.p12", "bomb-legacy.p12", "bomb.p8", "scrypt.p8"))
    pem = lambda der: b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + base64.encodebytes(der) + b"-----END ENCRYPTED PRIVATE KEY-----\n"  # noqa: E731
    with_cert = lambda der: maker.path(f"{name}.pem").read_bytes() + pem(der)  # noqa: E731
    deep = b"\x04\x00"
    for _ in range(200):
        deep = b"\x30" + length(len(deep)) + deep
    out = {f"modern-{r:x}": set_rounds(m, r) for r in (1000001, 1 << 24, (1 << 31) - 1, 1 << 40, 1 << 80)}
    out |= {f"legacy-{r:x}": set_rounds(old, r) for r in (1000001, 1 << 24, (1 << 31) - 1)}
    out |= {f"modern-place-{n}": set_rounds(m, (1 << 31) - 1, n) for n in range(3)}
    out |= {f"legacy-place-{n}": set_rounds(old, (1 << 31) - 1, n) for n in range(3)}
    out["many-small"] = set_rounds(m, 999999) + b""
    out["key-pbkdf2"] = with_cert(set_rounds(p8, 50_000_000))
    out["key-scrypt-n"] = with_cert(rewrite(sc, lambda b: number(1 << 20) if b == number(4096) else b))
    out["key-scrypt-r"] = with_cert(rewrite(sc, lambda b: number(1 << 30) if b == number(8) else b))
    out["cut"] = m[:len(m) // 2]
    out["deep"] = b"\x30" + length(len(deep) + 3) + b"\x02\x01\x03" + deep
    out["indefinite"] = b"\x30\x80\x02\x01\x03" + m[7:] + b"\0\0"
    out["long"] = b"\x30\x84\x7f\xff\xff\xff\x02\x01\x03" + m
    return out


def burnt(server):
    """Seconds of processor time of all parts and of the children they waited for: what else runs on this machine does not count."""
    stats = [pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in [server.process.pid, *server.parts().values()]]
    return sum(int(ticks) for fields in stats for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def test_what_is_made_to_burn_time_is_refused_at_once(server, scratch, bombs):
    word = scratch / "password"
    word.write_text("x")
    assert len(bombs) >= 20
    for name, data in bombs.items():
        if name == "many-small":
            continue
        file = scratch / f"{name}.p12"
        file.write_bytes(data)
        before = burnt(server)
        done = server.request("POST", "/imports", {"content": base64.b64encode(data).decode(), "password": "x", "with_keys": True})
        assert burnt(server) - before < 1, name
        assert done[0] == 400, (name, done)
    assert server.process.running()


def test_what_takes_too_long_all_the_same_ends_with_the_job(server, bombs):
    """Three times just under the limit: some seconds of computing, within the job's own limit."""
    done = server.request("POST", "/imports", {"content": base64.b64encode(bombs["many-small"]).decode(), "password": "wrong", "with_keys": True})
    assert done[0] in (400, 504), done
