# SPDX-License-Identifier: Apache-2.0
"""jose - what an ACME server has to check of a JWS (RFC 7515, RFC 8555 6.2): flattened, one of the usual algorithms, the signature."""
import base64
import hashlib
import hmac
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "EdDSA"]
_HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_CURVES = {"P-256": (ec.SECP256R1, 32, "ES256"), "P-384": (ec.SECP384R1, 48, "ES384"), "P-521": (ec.SECP521R1, 66, "ES512")}


class Bad(Exception):
    """Not a JWS that may be accepted; kind is the ACME error for it."""

    def __init__(self, detail, kind="malformed"):
        super().__init__(detail)
        self.kind = kind


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    """Strict: base64url without padding (RFC 8555 6.1)."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Bad(f"not base64url without padding: {str(text)[:40]!r}")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text):
    return int.from_bytes(unb64(text), "big")


def key_of(jwk):
    """The public key of a JWK; kinds Boulder takes, Ed25519 beside."""
    try:
        kind = jwk["kty"]
        if kind == "EC":
            curve, size, _ = _CURVES[jwk["crv"]]
            x, y = unb64(jwk["x"]), unb64(jwk["y"])
            if len(x) != size or len(y) != size:
                raise Bad("EC coordinates have to be of full length", "badPublicKey")
            return ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve()).public_key()
        if kind == "RSA":
            key = rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
            if not 2048 <= key.key_size <= 4096:
                raise Bad(f"RSA keys of {key.key_size} bits are not taken", "badPublicKey")
            return key
        if kind == "OKP" and jwk["crv"] == "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(unb64(jwk["x"]))
    except (KeyError, ValueError, TypeError) as e:
        raise Bad(f"a public key that cannot be used: {e}", "badPublicKey") from e
    raise Bad("a public key of a kind that is not taken", "badPublicKey")


def thumbprint(jwk):
    """RFC 7638."""
    members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}[jwk["kty"]]
    text = json.dumps({m: jwk[m] for m in members}, separators=(",", ":"), sort_keys=True)
    return b64(hashlib.sha256(text.encode()).digest())


def _check(key, alg, data, signature):
    if isinstance(key, rsa.RSAPublicKey) and alg[:2] == "RS":
        key.verify(signature, data, padding.PKCS1v15(), _HASHES[alg[2:]]())
    elif isinstance(key, ec.EllipticCurvePublicKey) and alg[:2] == "ES":
        size = (key.curve.key_size + 7) // 8
        want = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}[key.curve.name]
        if alg != want or len(signature) != 2 * size:
            raise InvalidSignature
        der = utils.encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
        key.verify(der, data, ec.ECDSA(_HASHES[alg[2:]]()))
    elif isinstance(key, ed25519.Ed25519PublicKey) and alg == "EdDSA":
        key.verify(signature, data)
    else:
        raise InvalidSignature


class Jws:
    """A flattened JWS taken apart: header, payload (bytes) and what was signed. Nothing is checked yet."""

    def __init__(self, doc):
        if isinstance(doc, (bytes, str)):
            try:
                doc = json.loads(doc)
            except ValueError as e:
                raise Bad(f"the body is not JSON: {e}") from e
        if not isinstance(doc, dict) or set(doc) - {"protected", "payload", "signature"}:
            raise Bad("the body has to be a flattened JWS with protected, payload and signature only")
        try:
            self.signed = f"{doc['protected']}.{doc['payload']}".encode()
            self.header = json.loads(unb64(doc["protected"]))
            self.payload = unb64(doc["payload"])
            self.signature = unb64(doc["signature"])
        except (KeyError, ValueError) as e:
            raise Bad(f"the JWS cannot be read: {e}") from e
        if not isinstance(self.header, dict):
            raise Bad("the protected header is not an object")

    def algorithm(self):
        alg = self.header.get("alg")
        if alg not in ALGORITHMS:
            raise Bad(f"algorithm {alg!r} is not taken", "badSignatureAlgorithm")
        return alg

    def verify(self, key):
        try:
            _check(key, self.algorithm(), self.signed, self.signature)
        except InvalidSignature as e:
            raise Bad("the signature is wrong", "unauthorized") from e

    def verify_mac(self, secret):
        alg = self.header.get("alg")
        if alg not in ("HS256", "HS384", "HS512"):
            raise Bad(f"an external account binding is signed with HS256, not {alg!r}", "unauthorized")
        want = hmac.new(secret, self.signed, {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}[alg[2:]]).digest()
        if not hmac.compare_digest(want, self.signature):
            raise Bad("the external account binding's signature is wrong", "unauthorized")

    def json(self):
        if not self.payload:
            return None
        try:
            return json.loads(self.payload)
        except ValueError as e:
            raise Bad(f"the payload is not JSON: {e}") from e
