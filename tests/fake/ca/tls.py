# SPDX-License-Identifier: Apache-2.0
"""tls - the server certificates of the authority itself, good and bad, and handshakes that come to nothing. Each has a name that
`use_tls` takes; what a client has to make of it stands beside it."""
import contextlib
import socket
import ssl
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from .pki import Pki, name, pem, san, utc

GOOD = ("srv", "intermediate", "slices")  # a client must accept these
WEAK = ("tls1.0", "tls1.1", "sha1", "rsa-1024", "anonymous", "unencrypted")  # what OpenSSL itself only does when asked to
BROKEN = ("close", "reset", "garbage", "stall", "http", "alert", "cut", "huge-record", "silence-after-hello")
LOCAL = [("dns", "localhost"), ("ip", "127.0.0.1")]


def certificates(folder, now):
    """For https://localhost and 127.0.0.1: {name: (chain.pem, key.pem)}; what a client is to trust is ca.pem."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, other_key, sub_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(4))
    ca = Pki._ca(name("test-https-ca"), name("test-https-ca"), ca_key, ca_key, now)
    other = Pki._ca(name("other-https-ca"), name("other-https-ca"), other_key, other_key, now)
    made = {}

    def key_file(label, k):
        path = folder / f"{label}.key"
        path.write_bytes(k.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return path

    def leaf(label, issuer, issuer_key, names=LOCAL, start=-3600, end=30 * 86400, digest=hashes.SHA256(), subject="localhost", usage=ExtendedKeyUsageOID.SERVER_AUTH,
             own=None, critical=None, spoil=None, below=()):
        b = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(issuer).public_key((own or key).public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(utc(now + start)).not_valid_after(utc(now + end))
             .add_extension(san(names), critical=False).add_extension(x509.ExtendedKeyUsage([usage]), critical=False))
        if critical:
            b = b.add_extension(x509.UnrecognizedExtension(ObjectIdentifier(critical), b"\x05\x00"), critical=True)
        c = b.sign(issuer_key, digest)
        text = spoil(c) if spoil else pem(c)
        (folder / f"{label}.pem").write_text(text + "".join(pem(i) for i in below))
        made[label] = (folder / f"{label}.pem", key_file(label, own) if own else srv)

    def sub(subject, path=None, start=-86400, end=365 * 86400, is_ca=True, issuer=ca, issuer_key=ca_key, constraints=None):
        b = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(issuer.subject).public_key(sub_key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(utc(now + start)).not_valid_after(utc(now + end))
             .add_extension(x509.BasicConstraints(ca=is_ca, path_length=path if is_ca else None), critical=True))
        if constraints:
            b = b.add_extension(constraints, critical=True)
        return b.sign(issuer_key, hashes.SHA256())

    def spoiled(c):
        raw = bytearray(c.public_bytes(serialization.Encoding.DER))
        raw[-6] ^= 0x20  # within the signature
        return ssl.DER_cert_to_PEM_cert(bytes(raw))

    srv = key_file("srv", key)
    (folder / "ca.pem").write_text(pem(ca))
    leaf("srv", ca.subject, ca_key)
    leaf("expired", ca.subject, ca_key, start=-40 * 86400, end=-86400)
    leaf("not-yet", ca.subject, ca_key, start=86400)
    leaf("wrong-host", ca.subject, ca_key, names=[("dns", "elsewhere.example")], subject="elsewhere.example")
    leaf("wrong-address", ca.subject, ca_key, names=[("dns", "localhost.example"), ("ip", "127.0.0.2")])
    leaf("any-name", ca.subject, ca_key, names=[("dns", "*")], subject="*")
    leaf("unknown-ca", other.subject, other_key)
    leaf("same-named-ca", ca.subject, other_key)
    leaf("self-signed", name("localhost"), key)
    leaf("sha1", ca.subject, ca_key, digest=hashes.SHA1())
    leaf("rsa-1024", ca.subject, ca_key, own=rsa.generate_private_key(65537, 1024))
    leaf("client-only", ca.subject, ca_key, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    leaf("critical", ca.subject, ca_key, critical="1.3.6.1.4.1.55555.1")
    leaf("bad-signature", ca.subject, ca_key, spoil=spoiled)
    good = sub("test-https-sub", 0)
    leaf("intermediate", good.subject, sub_key, below=(good,))
    leaf("no-intermediate", good.subject, sub_key)
    old = sub("test-https-old-sub", 0, start=-40 * 86400, end=-86400)
    leaf("old-intermediate", old.subject, sub_key, below=(old,))
    no_ca = sub("test-https-no-ca", is_ca=False)
    leaf("not-a-ca", no_ca.subject, sub_key, below=(no_ca,))
    deep = sub("test-https-deeper", issuer=good, issuer_key=sub_key)
    leaf("too-deep", deep.subject, sub_key, below=(deep, good))
    fenced = sub("test-https-fenced", 0, constraints=x509.NameConstraints(permitted_subtrees=[x509.DNSName("example")], excluded_subtrees=None))
    leaf("outside-constraints", fenced.subject, sub_key, below=(fenced,))
    return made


def context(made, label):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if label in WEAK:
        c.set_ciphers({"anonymous": "aNULL:@SECLEVEL=0", "unencrypted": "eNULL:@SECLEVEL=0"}.get(label, "ALL:@SECLEVEL=0"))
    if label in ("tls1.0", "tls1.1"):
        c.minimum_version = c.maximum_version = {"tls1.0": ssl.TLSVersion.TLSv1, "tls1.1": ssl.TLSVersion.TLSv1_1}[label]
    if label in ("anonymous", "unencrypted"):
        c.maximum_version = ssl.TLSVersion.TLSv1_2
    c.load_cert_chain(*made[label if label in made else "srv"])
    return c


def half_a_handshake(sock, c, rest):
    """The server's hello, and then the end, or silence."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = c.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(sock.recv(16384))
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    flight = outgoing.read()
    sock.sendall(flight[:len(flight) // 2])
    rest()


def spoil(sock, label, c, wait):
    """A handshake of BROKEN, up to where the connection has to end; wait(seconds) sits there, silent."""
    with contextlib.suppress(OSError):
        sock.settimeout(5)
        if label == "cut":
            return half_a_handshake(sock, c, lambda: None)
        if label == "silence-after-hello":
            return half_a_handshake(sock, c, lambda: wait(120))
        if label == "stall":
            return wait(120)
        sock.recv(16384)  # the ClientHello
        if label == "garbage":
            sock.sendall(b"220 mail.example ESMTP ready\r\n")
        if label == "http":
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        if label == "alert":
            sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # fatal, handshake_failure
        if label == "huge-record":
            sock.sendall(b"\x16\x03\x03\xff\xff" + b"\x00" * 65535)
        if label == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Sliced:
    """A TLS connection whose bytes leave seven at a time: everything is cut in the middle of something."""

    def __init__(self, sock, c):
        self.sock, self.incoming, self.outgoing = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = c.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.run(self.tls.do_handshake)

    def flush(self):
        out = self.outgoing.read()
        for i in range(0, len(out), 7):
            self.sock.sendall(out[i:i + 7])

    def run(self, call, *args):
        while True:
            try:
                got = call(*args)
                self.flush()
                return got
            except ssl.SSLWantReadError:
                self.flush()
                more = self.sock.recv(16384)
                if not more:
                    return b""
                self.incoming.write(more)

    def recv(self, n):
        return self.run(self.tls.read, n)

    def sendall(self, data):
        self.run(self.tls.write, data)

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)

    def setsockopt(self, *args):
        self.sock.setsockopt(*args)

    def shutdown(self, how):
        self.sock.shutdown(how)

    def close(self):
        self.sock.close()
