# SPDX-License-Identifier: Apache-2.0
"""flow - RFC 8555 itself: what each URL does. State and settings are the CA's (server.py); nothing here knows of scripts."""
import ipaddress
import random
import re
import secrets
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import pki
from .jose import Jws, b64, key_of, thumbprint, unb64
from .limits import registered_domain
from .validate import Always
from .wire import Answer

HELP = ("Link", '<https://ca.test/limits>;rel="help"')


def refuse(*args, **kw):
    from .server import Refused
    raise Refused(*args, **kw)


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def parse_rfc3339(text):
    import datetime
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (AttributeError, ValueError):
        return refuse(400, "malformed", f"not a time: {text!r}")


class Account:
    def __init__(self, ident, jwk, key):
        self.id, self.jwk, self.key = ident, jwk, key
        self.thumbprint = thumbprint(jwk)
        self.status, self.contact, self.terms, self.orders, self.kid = "valid", [], None, [], None


class Authz:
    def __init__(self, ident, kind, name, wildcard, account, expires):
        self.id, self.kind, self.name, self.wildcard, self.account, self.expires = ident, kind, name, wildcard, account, expires
        self.status, self.token = "pending", b64(secrets.token_bytes(32))
        self.challenges = {}  # type: [status, error]
        self.orders = []


class Order:
    def __init__(self, ident, account, names, expires):
        self.id, self.account, self.names, self.expires = ident, account, names, expires
        self.stage = None  # None until finalize, then "processing", "valid", "invalid"
        self.authzs, self.error, self.serial = [], None, None
        self.profile = self.replaces = self.not_after = self.csr = None
        self.finalizes = 0

    def status(self, now):
        if self.stage:
            return self.stage
        states = {z.status for z in self.authzs}
        if states - {"pending", "valid"} or self.expires < now:
            return "invalid"
        return "ready" if states == {"valid"} else "pending"


class Certificate:
    def __init__(self, cert, order, chains):
        self.cert, self.order, self.chains = cert, order, chains
        self.names = [n for _, n in order.names]
        self.account, self.public_key = order.account, spki(cert.public_key())
        self.revoked = None


class Context:
    """One request with what is known of it."""

    def __init__(self, ca, request, kind, arg, row):
        self.ca, self.request, self.kind, self.arg, self.row = ca, request, kind, arg, row
        self.account = self.jws = self.payload = self.key = self.jwk = None

    def open(self):
        """Reads the JWS so that a script can look at it; nothing is checked yet."""
        if self.request.headers.get("content-type") != "application/jose+json":
            refuse(415, "malformed", "Content-Type has to be application/jose+json")
        self.jws = Jws(self.request.body)
        self.payload = self.jws.json()
        kid = self.jws.header.get("kid")
        self.account = self.ca.accounts.get(kid)
        self.row["account"] = kid or self.jws.header.get("jwk") and "new"

    def names(self):
        if self.kind == "new-order" and isinstance(self.payload, dict):
            return [i.get("value") for i in self.payload.get("identifiers", []) if isinstance(i, dict)]
        about = self.ca.orders.get(self.arg) if self.kind in ("order", "finalize") else None
        if about:
            self.row["order"] = about.id
            return [n for _, n in about.names]
        if self.kind in ("authz", "challenge"):
            z = self.ca.authzs.get(self.arg.partition("/")[0])
            return [z.name, *(n for o in z.orders for _, n in o.names)] if z else []
        if self.kind == "cert":
            c = self.ca.certificates.get(self.arg.partition("/")[0])
            return c.names if c else []
        if self.kind == "ari":
            c = self.ca.by_ari.get(self.arg)
            return c.names if c else []
        return []

    def authenticate(self):
        """RFC 8555 6.2 to 6.5: the URL, the nonce, the key, the signature, the account."""
        ca, h = self.ca, self.jws.header
        if self.request.headers.get("user-agent", "") == "":
            refuse(400, "malformed", "a User-Agent is needed (RFC 8555 6.1)")
        url = f"https://{self.request.headers.get('host')}{self.request.path}"
        if h.get("url") != url:
            refuse(400, "unauthorized", f"the JWS is for {h.get('url')!r}, not for {url!r}")
        self.jws.algorithm()
        if ("jwk" in h) == ("kid" in h):
            refuse(400, "malformed", "exactly one of jwk and kid")
        if "kid" in h:
            if self.kind == "new-account":
                refuse(400, "malformed", "newAccount takes a jwk")
            if not self.account:
                refuse(400, "accountDoesNotExist", f"no account {h['kid']!r}")
            self.key = self.account.key
        else:
            if self.kind not in ("new-account", "revoke"):
                refuse(400, "malformed", "this needs a kid")
            self.jwk = h["jwk"]
            self.key = key_of(self.jwk)
        self.jws.verify(self.key)
        self.nonce()
        if self.account and self.account.status != "valid":
            refuse(401, "unauthorized", f"the account is {self.account.status}")
        if self.account and ca.terms_enforced and self.account.terms != ca.terms and self.kind not in ("account", "new-account"):
            terms = ca.url + ca.terms
            refuse(403, "userActionRequired", "The terms of service have changed", headers=[("Link", f'<{terms}>;rel="terms-of-service"')],
                   instance=terms)

    def nonce(self):
        ca = self.ca
        with ca.lock:
            known = self.jws.header.get("nonce") in ca.nonces
            ca.nonces.discard(self.jws.header.get("nonce"))
        if not known or random.random() * 100 < ca.nonce_reject:
            refuse(400, "badNonce", "this nonce is unknown, or was used before")

    def need(self, table, ident, what):
        found = table.get(ident)
        if not found or found.account is not self.account:
            refuse(404, "malformed", f"no such {what}")
        return found


# ---- directory, nonces, terms ----


def directory(c):
    ca = c.ca
    doc = {"newNonce": ca.url + "/nonce", "newAccount": ca.url + "/new-account", "newOrder": ca.url + "/new-order",
           "meta": {**ca.meta, "termsOfService": ca.url + ca.terms}, secrets.token_hex(6): "https://ca.test/unknown-members-are-ignored"}
    if ca.revocation:
        doc["revokeCert"] = ca.url + "/revoke"
    if ca.key_change:
        doc["keyChange"] = ca.url + "/key-change"
    if ca.ari:
        doc["renewalInfo"] = ca.url + "/ari"
    if ca.eab_required:
        doc["meta"]["externalAccountRequired"] = True
    if ca.profiles:
        doc["meta"]["profiles"] = ca.profiles
    return Answer(200, doc)


def nonce(c):
    return Answer(200 if c.request.method == "HEAD" else 204, headers=[("Cache-Control", "no-store")])


def page(c):
    return Answer(200, "<h1>Terms</h1>", kind="text/html")


# ---- accounts ----


def account_doc(ca, a):
    doc = {"status": a.status, "contact": a.contact}
    if ca.orders_lists:
        doc["orders"] = f"{a.id}/orders"
    return doc


def check_contacts(ca, contacts):
    for contact in contacts or []:
        if not isinstance(contact, str) or not contact.startswith("mailto:"):
            refuse(400, "unsupportedContact", f"only mailto: is taken, not {contact!r}")
        if not re.fullmatch(r"mailto:[^@\s,?]+@[^@\s,?]+\.[^@\s,?]+", contact):
            refuse(400, "invalidContact", f"{contact!r} is no e-mail address")
    if ca.contact_required and not contacts:
        refuse(400, "invalidContact", "an e-mail address is needed")


def bind(ca, c, payload):
    """RFC 8555 7.3.4; the key id."""
    outer = payload.get("externalAccountBinding")
    if not outer:
        if ca.eab_required:
            refuse(403, "externalAccountRequired", "accounts need an external account binding")
        return None
    inner = Jws(outer)
    kid = inner.header.get("kid")
    if kid not in ca.eab:
        refuse(403, "unauthorized", f"the external account key {kid!r} is not known")
    inner.verify_mac(ca.eab[kid])
    if inner.header.get("url") != c.jws.header["url"] or "nonce" in inner.header or inner.json() != c.jwk:
        refuse(400, "malformed", "the external account binding is for another URL or key")
    return kid


def new_account(c):
    ca, p = c.ca, c.payload or {}
    print_ = thumbprint(c.jwk)
    with ca.lock:
        found = ca.by_key.get(print_)
    if found:
        if ca.eab_once and p.get("externalAccountBinding"):
            refuse(400, "malformed", "The account is not awaiting external account binding")
        if found.status != "valid":
            refuse(401, "unauthorized", f"the account is {found.status}")
        return Answer(200, account_doc(ca, found), [("Location", found.id)])
    if p.get("onlyReturnExisting"):
        refuse(400, "accountDoesNotExist", "no account has this key")
    if not p.get("termsOfServiceAgreed"):
        refuse(403, "userActionRequired", "the terms of service have to be agreed to", headers=[("Link", f'<{ca.url + ca.terms}>;rel="terms-of-service"')])
    check_contacts(ca, p.get("contact"))
    kid = bind(ca, c, p)
    wait = ca.limits and ca.limits.take("accounts-per-address", c.request.address)
    if wait:
        refuse(429, "rateLimited", "too many new accounts from this address", ca.span(wait), [HELP])
    with ca.lock:
        a = Account(f"{ca.url}/acct/{len(ca.accounts) + 1}", c.jwk, c.key)
        a.contact, a.terms, a.kid = p.get("contact") or [], ca.terms, kid
        ca.accounts[a.id], ca.by_key[print_] = a, a
    c.row["account"] = a.id
    return Answer(201, account_doc(ca, a), [("Location", a.id)])


def account(c):
    ca = c.ca
    a = ca.accounts.get(f"{ca.url}/acct/{c.arg}")
    if a is not c.account:
        refuse(403, "unauthorized", "another account's URL")
    p = c.payload
    if p is not None:
        if p.get("status") == "deactivated":
            a.status = "deactivated"
        if "contact" in p:
            check_contacts(ca, p["contact"])
            a.contact = p["contact"]
        if p.get("termsOfServiceAgreed"):
            a.terms = ca.terms
    return Answer(200, account_doc(ca, a), [("Location", a.id)])


def order_list(c):
    ca = c.ca
    if c.account.id != f"{ca.url}/acct/{c.arg}":
        refuse(403, "unauthorized", "another account's URL")
    at = int(re.search(r"cursor=(\d+)", c.request.path).group(1)) if "cursor=" in c.request.path else 0
    answer = Answer(200, {"orders": [f"{ca.url}/order/{o.id}" for o in c.account.orders[at:at + 3]]})
    if at + 3 < len(c.account.orders):
        answer.add("Link", f'<{c.account.id}/orders?cursor={at + 3}>;rel="next"')
    return answer


def key_change(c):
    ca = c.ca
    inner = Jws(c.payload)
    jwk = inner.header.get("jwk")
    new = key_of(jwk or {})
    inner.verify(new)
    doc = inner.json()
    if inner.header.get("url") != c.jws.header["url"] or "nonce" in inner.header:
        refuse(400, "malformed", "the inner JWS is for another URL, or has a nonce")
    if doc.get("account") != c.account.id or doc.get("oldKey") is None or thumbprint(doc["oldKey"]) != c.account.thumbprint:
        refuse(400, "malformed", "the key change is for another account or key")
    with ca.lock:
        other = ca.by_key.get(thumbprint(jwk))
        if other:
            refuse(409, "conflict", "the key has an account already", headers=[("Location", other.id)])
        ca.by_key.pop(c.account.thumbprint)
        c.account.jwk, c.account.key, c.account.thumbprint = jwk, new, thumbprint(jwk)
        ca.by_key[c.account.thumbprint] = c.account
    return Answer(200, account_doc(ca, c.account), [("Location", c.account.id)])


# ---- orders ----


def identifiers(p):
    names = []
    for i in p.get("identifiers") or refuse(400, "malformed", "an order needs identifiers"):
        kind, value = i.get("type"), i.get("value")
        if kind == "dns":
            if not re.fullmatch(r"(\*\.)?([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", value or ""):
                refuse(400, "rejectedIdentifier" if value else "malformed", f"not a name that is issued for: {value!r}")
        elif kind == "ip":
            try:
                if str(ipaddress.ip_address(value)) != value:
                    raise ValueError
            except ValueError:
                refuse(400, "malformed", f"not an address: {value!r}")
        else:
            refuse(400, "unsupportedIdentifier", f"identifiers of type {kind!r}")
        if (kind, value) in names:
            refuse(400, "malformed", f"{value!r} twice")
        names.append((kind, value))
    for _, value in names:
        parent = "*." + value.partition(".")[2]
        if not value.startswith("*.") and ("dns", parent) in names:
            refuse(400, "malformed", f"Domain name {value!r} is redundant with a wildcard domain in the same request")
    return names


def order_doc(ca, o):
    status = o.status(ca.clock.now())
    doc = {"status": status, "expires": rfc3339(o.expires), "identifiers": [{"type": k, "value": n} for k, n in o.names],
           "authorizations": [f"{ca.url}/authz/{z.id}" for z in o.authzs], "finalize": f"{ca.url}/order/{o.id}/finalize"}
    if o.stage == "valid":
        doc["certificate"] = f"{ca.url}/cert/{o.serial}"
    for member in ("profile", "replaces", "error"):
        if getattr(o, member):
            doc[member] = getattr(o, member)
    if o.not_after:
        doc["notAfter"] = rfc3339(o.not_after)
    return doc


def check_replaces(c, names):
    """RFC 9773 5 as Boulder does it; the certificate, and whether its renewal is exempt from limits."""
    ca, wanted = c.ca, c.payload.get("replaces")
    if wanted is None or not ca.ari:
        return None, False
    found = ca.by_ari.get(wanted)
    if not found:
        refuse(404, "malformed", "the certificate to be replaced is not known")
    if found.account is not c.account:
        refuse(403, "unauthorized", "the certificate to be replaced is another account's")
    if not set(found.names) & {n for _, n in names}:
        refuse(400, "malformed", "the certificate to be replaced has none of these names")
    earlier = ca.replaced.get(wanted)
    if earlier and earlier.status(ca.clock.now()) != "invalid":
        refuse(409, "alreadyReplaced", f"the certificate is replaced already, by order {earlier.id}")
    start, end, _ = window(ca, found)
    return wanted, start <= ca.clock.now() <= end


def check_limits(c, names, exempt):
    ca, values = c.ca, [n for _, n in names]
    for n in values:
        if n in ca.paused:
            refuse(429, "rateLimited", f"Your account is temporarily prevented from requesting certificates for {n} and possibly others. "
                   f"Please visit: {ca.paused[n]}",
                   subproblems=[{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "paused", "identifier": {"type": "dns", "value": n}}])
    if not ca.limits or exempt:
        return
    renewal = any(sorted(x.names) == sorted(values) for x in ca.certificates.values())
    checks = [("certificates-per-set", ",".join(sorted(values)))]
    checks += [("failures-per-name", (c.account.id, n)) for n in values]
    if not renewal:
        checks += [("certificates-per-domain", d) for d in sorted({registered_domain(n) for n in values})]
    for limit, whom in checks:
        wait = ca.limits.peek(limit, whom)
        if wait:
            refuse(429, "rateLimited", f"too many {limit.replace('-', ' ')} ({ca.limits.table[limit][0]}): {whom}, retry later", ca.span(wait), [HELP])
    if not renewal:
        wait = ca.limits.take("orders-per-account", c.account.id)
        if wait:
            refuse(429, "rateLimited", "too many new orders recently for this account", ca.span(wait), [HELP])


def existing(ca, a, names, profile):
    now = ca.clock.now()
    for o in reversed(a.orders[-2000:]):
        if set(o.names) == set(names) and o.profile == profile and o.status(now) in ("pending", "ready") and not o.stage:
            return o
    return None


def new_authz(ca, a, kind, value):
    wildcard, base = value.startswith("*."), value.removeprefix("*.")
    now = ca.clock.now()
    if random.random() * 100 < ca.reuse_authz:
        for z in ca.authzs.values():
            if z.account is a and z.name == base and z.wildcard == wildcard and z.status == "valid" and z.expires > now:
                return z
    z = Authz(f"{len(ca.authzs) + 1}-{secrets.token_hex(4)}", kind, base, wildcard, a, now + 7 * 86400)
    types = [t for t in ca.challenge_types if (not wildcard or t.startswith("dns")) and (kind != "ip" or t != "dns-01")]
    random.shuffle(types)
    z.challenges = {t: ["pending", None] for t in types}
    ca.authzs[z.id] = z
    return z


def new_order(c):
    ca, p = c.ca, c.payload or {}
    if p.get("notBefore") or (p.get("notAfter") and ca.not_after == "refuse"):
        refuse(400, "malformed", "notBefore and notAfter are not supported")
    names = identifiers(p)
    profile = p.get("profile")
    if profile is not None and profile not in ca.profiles:
        refuse(400, "invalidProfile", f"profile {profile!r} is not offered")
    if len(names) > ca.profile_names.get(profile, 100):
        refuse(400, "malformed", f"more than {ca.profile_names.get(profile, 100)} names")
    with ca.lock:
        o = existing(ca, c.account, names, profile) if ca.reuse_orders else None
        if not o:
            replaces, exempt = check_replaces(c, names)
            check_limits(c, names, exempt)
            now = ca.clock.now()
            o = Order(f"{len(ca.orders) + 1}", c.account, random.sample(names, len(names)), now + 7 * 86400)
            o.profile, o.replaces = profile, replaces
            if p.get("notAfter") and ca.not_after == "honour":
                o.not_after = parse_rfc3339(p["notAfter"])
                if not now < o.not_after <= now + ca.days * 86400:
                    refuse(400, "malformed", "notAfter is not within what is issued")
            o.authzs = [new_authz(ca, c.account, k, n) for k, n in o.names]
            random.shuffle(o.authzs)
            for z in o.authzs:
                z.orders.append(o)
            ca.orders[o.id] = o
            c.account.orders.append(o)
            if replaces:
                ca.replaced[replaces] = o
    c.row["order"] = o.id
    return Answer(201, order_doc(ca, o), [("Location", f"{ca.url}/order/{o.id}")])


def processing(ca, answer, kind, doc):
    if doc["status"] in ("processing", "pending") and kind in ca.retry_after:
        answer.set("Retry-After", str(ca.retry_after[kind]))
    return answer


def order(c):
    o = c.need(c.ca.orders, c.arg, "order")
    doc = order_doc(c.ca, o)
    return processing(c.ca, Answer(200, doc), "order", doc) if doc["status"] == "processing" else Answer(200, doc)


def check_csr(c, o, der):
    ca = c.ca
    try:
        csr = x509.load_der_x509_csr(der)
        good = csr.is_signature_valid
    except (ValueError, TypeError) as e:
        return refuse(400, "badCSR", f"the CSR cannot be read: {e}")
    key = csr.public_key()
    if not good:
        refuse(400, "badCSR", "the CSR's signature is wrong")
    if pki.csr_names(csr) != set(o.names):
        refuse(400, "badCSR", f"the CSR is for {sorted(n for _, n in pki.csr_names(csr))}, the order for {sorted(n for _, n in o.names)}")
    if any(spki(key) == spki(a.key) for a in ca.accounts.values()):
        refuse(400, "badCSR", "the CSR's key is an account's key")
    if pki.wants_client_auth(csr) and not ca.client_auth:
        refuse(400, "badCSR", "The CSR must not contain the extended key usage clientAuth")
    if ca.key_kinds and ("rsa" if isinstance(key, rsa.RSAPublicKey) else "ec") not in ca.key_kinds:
        refuse(400, "badCSR", "keys of this kind are not certified here")
    return csr


def issue(ca, o, csr):
    now = ca.clock.now()
    days = ca.profile_days.get(o.profile, ca.days)
    end = min(o.not_after or now + days * 86400, now + days * 86400)
    cns = [a.value for a in csr.subject]
    leaf = ca.pki.issue(csr.public_key(), o.names, now - ca.backdate, end, (cns[0] if cns else o.names[0][1]) if ca.common_name else None)
    own = ca.issue(ca, o, csr) if ca.issue else None
    chains = [ca.pki.chain(leaf, i) for i in range(len(ca.pki.intermediates))]
    if own is not None:
        chains[0] = own
    with ca.lock:
        o.serial = f"{leaf.serial_number:x}"
        record = Certificate(leaf, o, chains)
        ca.certificates[o.serial] = record
        ca.by_ari[pki.cert_id(leaf)] = record
        o.stage = "valid"


def finalize(c):
    ca = c.ca
    o = c.need(ca.orders, c.arg, "order")
    csr = None
    with ca.lock:
        status = o.status(ca.clock.now())
        if status != "ready":
            refuse(403, "orderNotReady", f"the order is {status}")
        csr = check_csr(c, o, unb64((c.payload or {}).get("csr", "")))
        if ca.limits:
            values = [n for _, n in o.names]
            ca.limits.take("certificates-per-set", ",".join(sorted(values)))
            for d in {registered_domain(n) for n in values}:
                ca.limits.take("certificates-per-domain", d)
        o.finalizes += 1
        o.stage = "processing"
    if ca.order_delay:
        ca.schedule(ca.order_delay, lambda: issue(ca, o, csr))
    else:
        issue(ca, o, csr)
    doc = order_doc(ca, o)
    answer = Answer(200, doc)
    if ca.finalize_location:
        answer.set("Location", f"{ca.url}/order/{o.id}")
    return processing(ca, answer, "finalize", doc) if doc["status"] == "processing" else answer


# ---- authorizations ----


def challenge_doc(ca, z, kind):
    status, error = z.challenges[kind]
    doc = {"type": kind, "url": f"{ca.url}/chal/{z.id}/{kind}", "token": z.token, "status": status}
    if error:
        doc["error"] = error
    return doc


def authz_doc(ca, z):
    kinds = z.challenges if z.status == "pending" else [k for k, v in z.challenges.items() if v[0] != "pending"] or list(z.challenges)
    doc = {"status": "expired" if z.expires < ca.clock.now() else z.status, "expires": rfc3339(z.expires), "identifier": {"type": z.kind, "value": z.name},
           "challenges": [challenge_doc(ca, z, k) for k in kinds]}
    if z.wildcard:
        doc["wildcard"] = True
    return doc


def authz(c):
    z = c.need(c.ca.authzs, c.arg, "authorization")
    if c.payload is not None:
        if c.payload.get("status") != "deactivated":
            refuse(400, "malformed", "an authorization can only be deactivated")
        z.status = "deactivated"
    doc = authz_doc(c.ca, z)
    looked_at = any(status == "processing" for status, _ in z.challenges.values())  # before that there is nothing to wait for
    return processing(c.ca, Answer(200, doc), "authz", doc) if looked_at else Answer(200, doc)


def decide(ca, z, kind):
    verdict = ca.validate(kind, z.name, z.token, f"{z.token}.{z.account.thumbprint}")
    if verdict == "pending":
        return
    with ca.lock:
        if z.status != "pending":
            return
        z.status = "invalid" if verdict else "valid"
        z.challenges[kind] = [z.status, verdict]
    if verdict and ca.limits:
        ca.limits.take("failures-per-name", (z.account.id, z.name))
        if ca.limits.take("failures-until-paused", (z.account.id, z.name)):
            ca.paused[z.name] = f"{ca.url}/unpause?name={z.name}"
    elif ca.limits:
        ca.limits.give_back("failures-until-paused", (z.account.id, z.name))


def challenge(c):
    ca = c.ca
    ident, _, kind = c.arg.partition("/")
    z = c.need(ca.authzs, ident, "challenge")
    if kind not in z.challenges:
        refuse(404, "malformed", "no such challenge")
    if c.payload not in ({}, None):
        refuse(400, "malformed", "a challenge is answered with {}")
    begin = False
    with ca.lock:
        if c.payload is not None and z.status == "pending" and z.challenges[kind][0] == "pending":
            z.challenges[kind][0] = "processing"
            begin = True
    if begin:
        if isinstance(ca.validate, Always) and not ca.authz_delay:
            decide(ca, z, kind)
        else:
            ca.schedule(ca.authz_delay, lambda: decide(ca, z, kind))
    return Answer(200, challenge_doc(ca, z, kind), [("Link", f'<{ca.url}/authz/{z.id}>;rel="up"')])


# ---- certificates ----


def cert(c):
    ca = c.ca
    serial, _, alternate = c.arg.partition("/")
    found = c.need(ca.certificates, serial, "certificate")
    i = int(alternate or 0)
    if i >= len(found.chains):
        refuse(404, "malformed", "no such chain")
    answer = Answer(200, found.chains[i], kind="application/pem-certificate-chain")
    for j in range(len(found.chains)):
        if j != i:
            answer.add("Link", f'<{ca.url}/cert/{serial}{f"/{j}" if j else ""}>;rel="alternate"')
    return answer


def revoke(c):
    ca, p = c.ca, c.payload or {}
    reason = p.get("reason")
    if reason is not None and reason not in (0, 1, 3, 4, 5):
        refuse(400, "badRevocationReason", f"reason {reason} is not taken")
    try:
        given = x509.load_der_x509_certificate(unb64(p.get("certificate", "")))
    except ValueError as e:
        refuse(400, "malformed", f"the certificate cannot be read: {e}")
    found = ca.certificates.get(f"{given.serial_number:x}")
    if not found or pki.der(found.cert) != pki.der(given):
        refuse(404, "malformed", "the certificate is not ours")
    if c.jwk:
        if spki(c.key) != found.public_key:
            refuse(403, "unauthorized", "the key is not the certificate's")
    elif found.account is not c.account:
        held = {z.name for z in ca.authzs.values() if z.account is c.account and z.status == "valid"}
        if not {n.removeprefix("*.") for n in found.names} <= held:
            refuse(403, "unauthorized", "the certificate is another account's")
    with ca.lock:
        if found.revoked is not None:
            refuse(400, "alreadyRevoked", "the certificate is revoked already")
        found.revoked = reason or 0
    return Answer(200)


def window(ca, found):
    """(start, end, explanation) of the suggested window, seconds since the epoch."""
    given = ca.windows.get(pki.cert_id(found.cert)) or (ca.window(found.cert) if callable(ca.window) else ca.window)
    if given:
        return (*given, None)[:3]
    start, end = pki.seconds(found.cert.not_valid_before), pki.seconds(found.cert.not_valid_after)
    life = end - start
    middle = start + life * 2 / 3
    return middle - min(86400, life / 20), middle + min(86400, life / 20), None


def ari(c):
    ca = c.ca
    found = ca.by_ari.get(c.arg)
    if not found:
        refuse(404, "malformed", "the certificate is not known")
    start, end, why = window(ca, found)
    doc = {"suggestedWindow": {"start": rfc3339(start), "end": rfc3339(end)}}
    if why:
        doc["explanationURL"] = why
    return Answer(200, doc, [("Retry-After", str(ca.ari_retry_after))])


def nothing(c):
    return refuse(404, "malformed", "no such page")


ROUTES = [  # path, kind, what answers
    (r"/dir", "directory", directory), (r"/nonce", "nonce", nonce), (r"/new-account", "new-account", new_account),
    (r"/acct/(\d+)", "account", account), (r"/acct/(\d+)/orders", "orders", order_list), (r"/key-change", "key-change", key_change),
    (r"/new-order", "new-order", new_order), (r"/order/(\d+)", "order", order), (r"/order/(\d+)/finalize", "finalize", finalize),
    (r"/authz/([\w-]+)", "authz", authz), (r"/chal/([\w-]+/[\w-]+)", "challenge", challenge), (r"/cert/(\w+(?:/\d+)?)", "cert", cert),
    (r"/revoke", "revoke", revoke), (r"/ari/([\w.-]+)", "ari", ari), (r"/terms/.*", "terms", page), (r"/unpause.*", "terms", page),
]
ROUTES = [(re.compile(path), kind, act) for path, kind, act in ROUTES]
PLAIN = {"directory", "nonce", "ari", "terms"}  # by GET or HEAD; all others are POST


def checked(kind, act):
    def answer(c):
        if (c.request.method == "POST") == (kind in PLAIN):
            refuse(405, "malformed", "not with this method")
        return act(c)
    return answer


def route(path):
    """(kind, what answers, the part of the path that names the object)."""
    for pattern, kind, act in ROUTES:
        m = pattern.fullmatch(path)
        if m:
            return kind, checked(kind, act), m.group(1) if m.groups() else None
    return "other", nothing, None

