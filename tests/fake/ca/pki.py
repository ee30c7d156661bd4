# SPDX-License-Identifier: Apache-2.0
"""pki - the authority's keys and certificates: two roots, an intermediate that each of them has signed, leaves, and what a
certificate looks like to renewal information (RFC 9773 4.1). P-256 throughout, so that two thousand take seconds."""
import datetime
import ipaddress
import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .jose import b64


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)


def seconds(naive):
    return naive.replace(tzinfo=datetime.timezone.utc).timestamp()


def name(cn):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)]) if cn else x509.Name([])


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM).decode()


def der(cert):
    return cert.public_bytes(serialization.Encoding.DER)


def cert_id(cert):
    """RFC 9773: base64url(key identifier of the issuer) "." base64url(serial as the DER INTEGER's value)."""
    aki = cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    serial = cert.serial_number
    return f"{b64(aki)}.{b64(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"


def san(entries):
    """Names and addresses as general names, in this order."""
    out = []
    for kind, value in entries:
        out.append(x509.IPAddress(ipaddress.ip_address(value)) if kind == "ip" else x509.DNSName(value))
    return x509.SubjectAlternativeName(out)


def csr_names(csr):
    """{(kind, value)} of a CSR's subject alternative names; its common name counts as one."""
    found = set()
    try:
        value = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found |= {("dns", n.lower()) for n in value.get_values_for_type(x509.DNSName)}
        found |= {("ip", str(a)) for a in value.get_values_for_type(x509.IPAddress)}
    except x509.ExtensionNotFound:
        pass
    return found | {("dns", a.value.lower()) for a in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
                    if not any(kind == "ip" and v == a.value for kind, v in found)}


def wants_client_auth(csr):
    try:
        return ExtendedKeyUsageOID.CLIENT_AUTH in csr.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False


class Pki:
    """roots[i] signs chains[i]; chain 0 is the default, the others are its alternates."""

    def __init__(self, now, alternates=1, title="Fake"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.roots, self.intermediates = [], []
        for i in range(alternates + 1):
            root_key = ec.generate_private_key(ec.SECP256R1())
            root = self._ca(name(f"{title} Root {'XYZABCDEF'[i]}1"), name(f"{title} Root {'XYZABCDEF'[i]}1"), root_key, root_key, now)
            self.roots.append(root)
            self.intermediates.append(self._ca(name(f"{title} Intermediate E1"), root.subject, self.key, root_key, now, 0))

    @staticmethod
    def _ca(subject, issuer, key, issuer_key, now, path=None):
        usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
                              data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False)
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(utc(now - 86400)).not_valid_after(utc(now + 3650 * 86400))
                .add_extension(x509.BasicConstraints(ca=True, path_length=path), critical=True).add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
                .sign(issuer_key, hashes.SHA256()))

    def issue(self, public_key, names, not_before, not_after, cn=None, aki=True):
        """A leaf certificate for these (kind, value) names."""
        issuer = self.intermediates[0]
        builder = (x509.CertificateBuilder().subject_name(name(cn if cn and len(cn) <= 64 else None)).issuer_name(issuer.subject)
                   .public_key(public_key).serial_number(int.from_bytes(b"\x03" + secrets.token_bytes(15), "big"))
                   .not_valid_before(utc(not_before)).not_valid_after(utc(not_after))
                   .add_extension(san(names), critical=not cn)
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False))
        if aki:
            builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def chain(self, leaf, i=0):
        return pem(leaf) + pem(self.intermediates[i])
