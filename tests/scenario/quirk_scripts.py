# SPDX-License-Identifier: Apache-2.0
"""The scripts for the lines of quirk_lines.py: what the authority does, what the user sees, what is stored. test_quirks.py runs them,
all against one server; those that another test of the project tells better are named in ELSEWHERE."""
import dataclasses
import datetime
import email.utils
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from ca import pki

URN = "urn:ietf:params:acme:error:"
PENDING = "waits"     # live, with a reason and a next time
WORKING = "works"     # live, nothing is wrong
VALID, INVALID = "valid", "invalid"
REFUSED = "refused"   # the account is not registered


@dataclasses.dataclass
class Script:
    """One misbehaviour and its end."""

    name: str
    lines: tuple
    ends: str = VALID
    code: str = None          # of the reason
    says: str = ""            # in the reason, or in an event of the order
    rules: object = None      # function (ca, name) that sets the rules
    names: tuple = ("{}",)    # {} is the script's own name
    validation: str = "dns-01"
    order: dict = dataclasses.field(default_factory=dict)
    csr: object = None        # function (name) -> PEM of a CSR made elsewhere
    own: dict = dataclasses.field(default_factory=dict)  # settings of its own authority: what one does parks only itself
    account: dict = dataclasses.field(default_factory=dict)  # registration of an account of its own there
    directory: str = ""       # appended to the directory URL
    directory_url: str = None  # another one
    after: object = None      # function (ca, name): after the registration, before the order
    issued: int = None        # certificates for its name; None: one when valid
    asked: int = 40           # at most so many requests about its name
    evidence: bool = False    # what came is kept as evidence
    check: object = None      # function (run): more that has to be so
    within: float = 45        # seconds until it has come to its end
    asks_again: bool = True   # a person asks to go on, as after an error one would


def rule(kind, **what):
    return lambda ca, name: ca.rule(kind, name=name, **what)


def wide(kind, **what):
    """A rule of an authority of its own, for requests that are about no name."""
    return lambda ca, name: ca.rule(kind, **what)


def rules(*all_of_them):
    return lambda ca, name: [one(ca, name) for one in all_of_them]


HTML = "<html><head><title>Busy</title></head><body><h1>502 Bad Gateway</h1></body></html>"
TOO_MANY = {"problem": "rateLimited", "status": 429, "detail": "too many"}


def merge_authz(**members):
    return lambda ca, name: ca.rule("authz", name=name, times=None, edit=members)


# ---- certificates that are not what was ordered ----


def bad_leaf(how):
    """An issue function that spoils the certificates of one name; how(ca, order, csr) -> chain."""
    def rules_(ca, name):
        before = ca.issue

        def issue(ca_, order, csr):
            if name in [n for _, n in order.names]:
                return how(ca_, order, csr)
            return before(ca_, order, csr) if before else None

        ca.issue = issue
    return rules_


def leaf(ca, order, csr, key=None, names=None, start=-3600, end=90 * 86400):
    now = ca.clock.now()
    return ca.pki.issue(key or csr.public_key(), names or order.names, now + start, now + end)


def other_key(ca, order, csr):
    return ca.pki.chain(leaf(ca, order, csr, ec.generate_private_key(ec.SECP256R1()).public_key()))


def chain_of(*parts):
    return lambda ca, order, csr: "".join(p(ca, order, csr) if callable(p) else p for p in parts)


def good_pem(ca, order, csr):
    return pki.pem(leaf(ca, order, csr))


def inter_pem(ca, order, csr):
    return pki.pem(ca.pki.intermediates[0])


def root_pem(ca, order, csr):
    return pki.pem(ca.pki.roots[0])


def unlinked(ca, order, csr):
    return good_pem(ca, order, csr) + pki.pem(pki.Pki(ca.clock.now(), 0, "Stranger").intermediates[0])


# ---- CSRs made elsewhere ----


def csr(key="ec", client_auth=False, extra=()):
    def make(*names):
        from cryptography.hazmat.primitives.asymmetric import rsa
        secret = ec.generate_private_key(ec.SECP256R1()) if key == "ec" else rsa.generate_private_key(65537, 2048)
        b = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        b = b.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
        if client_auth:
            b = b.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        return b.sign(secret, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    return make


# ---- checks ----


def next_between(least, most):
    def check(run):
        away = run.next_in()
        assert least <= away <= most, f"next try in {away:.0f} s: {run.doc['next_at']}"
    return check


def by_ladder(run):
    """Nothing was said about when to come back: the ladder of DESIGN 3 rule 7, each rung within half of itself."""
    rungs = (60, 600, 6000, 86400)

    def on_its_rung():
        rung = rungs[min(run.doc["attempts"], len(rungs)) - 1]
        if -1 <= run.next_in() <= rung * 1.5 + 1:
            return True
        run.see()  # the next attempt may be under way: then it is due when its lease ends
        return False

    run.wait(on_its_rung, f"next try in {run.next_in():.0f} s after {run.doc['attempts']} attempts, on no rung")


def asked(kind, least, most):
    def check(run):
        n = run.ca.log.count(kind, run.name if kind not in ("nonce", "directory", "new-account") else None)
        assert least <= n <= most, f"{kind}: {n}"
    return check


def asked_an_attempt(kind, least, most):
    """In all so often at least, and so often at most in each attempt: on a slow machine the next ones may have begun before we look."""
    def check(run):
        def fits():
            n = run.ca.log.count(kind, run.name)
            run.see()  # afterwards: of an attempt that is under way only the requests are counted, until it ends
            return least <= n <= most * run.doc["attempts"]

        run.wait(fits, f"{kind}: {run.ca.log.count(kind, run.name)} in {run.doc['attempts']} attempts")
    return check


def both(*checks):
    return lambda run: [c(run) for c in checks]


def no_orphan(run):
    run.wait(lambda: not [n for n in run.ca.orphans() if n == run.name], "what was pending is deactivated")


def no_txt(run):
    run.wait(lambda: not run.txt(), "the record is withdrawn")


def one_order(run):
    assert len({r["order"] for r in run.ca.log.find("finalize", run.name)}) == 1


def never_finalized(run):
    assert run.ca.log.count("finalize", run.name) == 0


def fractions(doc):
    return {**doc, "expires": doc["expires"].replace("Z", ".123456789Z")}


def all_words_safe(run):
    text = run.text()
    assert "\x1b" not in text and "\\u001b" not in text and "javascript:" not in text, text[:500]


def weird_challenges(doc):
    doc["challenges"] = [{"type": "quantum-01", "url": {"no": "string"}, "token": 7, "status": "dancing"}, None or {"type": "dns-persist-01"}, *doc["challenges"]]
    return doc


def no_wait(run):
    """It did not take the answer as a reason to wait."""
    assert run.doc["status"] == "valid"


def parked(prefix):
    def check(run):
        lanes = [lane["name"] for lane in run.status()["lanes"] if lane["parked_until"]]
        assert any(name.startswith(prefix) for name in lanes), lanes
    return check


def not_parked(run):
    lanes = [lane["name"] for lane in run.status()["lanes"] if lane["parked_until"] and run.ca.directory in lane["name"]]
    assert not lanes, lanes


def shown(*words):
    def check(run):
        text = run.text()
        for w in words:
            assert w in text, f"'{w}' is not shown: {text[:1500]}"
    return check


BIG = {"endless": 1 << 28, "length": 1 << 30, "body": b" " * 65536, "status": 200, "headers": {"Content-Type": "application/json"}}

SCRIPTS = [
    # ---- single authorities ----
    Script("le-existing-order", ("le.existing-order", "10.same-names"), rules=rule("new-order", call=lambda ca, q, a: twice_the_same(ca, q, a)), check=one_order),
    Script("le-valid-authz", ("le.valid-authz", "f16.valid", "f16.valid-at-once"), own={"reuse_authz": 100}, after=lambda ca, name: ca.rule("new-order", name=name, times=1, before=False),
           rules=lambda ca, name: prevalidate(ca, name), check=lambda run: not_published(run)),
    Script("le-no-contact", ("le.no-contact",), rules=wide(("new-account", "account"), times=None, edit={"contact": None})),
    Script("le-client-auth", ("le.client-auth", "google.client-auth", "25.csr-content"), INVALID, "remote-refused", "clientAuth", own={"client_auth": False},
           csr=csr(client_auth=True)),
    Script("le-random-intermediates", ("le.random-intermediates",), rules=bad_leaf(lambda ca, o, c: other_pki(ca, o, c))),
    Script("le-500-retry-after", ("le.500-retry-after",), PENDING, "remote-busy", "serverInternal", asks_again=False,
           rules=rule("finalize", times=None, status=500, problem="serverInternal", headers={"Retry-After": "600"}), check=next_between(300, 1000)),
    Script("le-processing", ("le.retry-after-processing", "zerossl.processing-days", "9.processing"), WORKING, own={"order_delay": 300, "retry_after": {"order": 15, "finalize": 15}},
           check=both(lambda run: status_is(run, "processing"), next_between(1, 18))),
    Script("le-nonce-per-site", ("le.nonce-per-site", "14.nonces"), rules=rules(rule("new-order", times=2, problem="badNonce"), rule("finalize", times=2, problem="badNonce"))),
    Script("le-profile-gone", ("le.profile-gone",), INVALID, "remote-refused", "tlsclient", own={"profiles": {"classic": "The default", "tlsclient": "For clients"}},
           order={"profile": "tlsclient"}, after=lambda ca, name: ca.profiles.pop("tlsclient"), check=never_finalized),
    Script("le-no-challenge-retry", ("le.no-challenge-retry",), INVALID, "remote-refused", "No TXT record", rules=lambda ca, name: fail_validation(ca, name),
           check=both(asked("new-order", 1, 1), no_txt)),
    Script("le-http01", ("le.http01-rules",), validation="http-01", rules=lambda ca, name: strict_http01(ca, name)),
    Script("le-not-after-refused", ("le.no-not-after", "google.no-extras"), own={"not_after": "refuse", "orders_lists": False}, order={"not_after": "30d"},
           says="takes no notAfter", check=asked("new-order", 2, 2)),
    Script("not-after-ignored", ("google.not-after",), own={"not_after": "ignore"}, order={"not_after": "30d"}, says="does not say that the certificate will end"),
    Script("google-not-after", ("google.not-after",), own={"not_after": "honour"}, order={"not_after": "30d"}, check=lambda run: lifetime_is(run, 30)),
    Script("profile-not-offered", ("le.profile-gone",), own={"profiles": {"classic": "The default"}}, order={"profile": "tlsclient", "profile_fallback": True},
           says="ordered without a profile", check=asked("new-order", 2, 2)),
    Script("profile-gone-at-finalize", ("le.profile-gone",), own={"profiles": {"tlsclient": "For clients"}}, order={"profile": "tlsclient", "profile_fallback": True}, says="any more",
           rules=rule("finalize", problem="invalidProfile"), check=lambda run: profile_dropped(run)),
    Script("preferred-chain", ("le.random-intermediates",), own={"alternates": 2}, order={"preferred_chain": "Fake Root Y1"}, check=lambda run: chain_to(run, "Fake Root Y1")),
    Script("preferred-chain-not-offered", ("le.random-intermediates",), order={"preferred_chain": "DST Root CA X3"}, says="offers no chain", check=lambda run: chain_to(run, "Fake Root X1")),
    Script("zerossl-504", ("zerossl.slow-504", "f10.5xx"), rules=rule("finalize", delay=2, status=504, body=HTML)),
    Script("zerossl-server-retries", ("zerossl.server-retries",), WORKING, own={},
           rules=rule("authz", times=None, skip=1, edit=lambda d: retrying(d), headers={"Retry-After": "10"}), check=both(lambda run: status_is(run, "pending"), next_between(1, 10.5))),
    Script("zerossl-invalid-authz-once", ("zerossl.invalid-authz", "16.invalid-authz-loop"), rules=lambda ca, name: invalid_authz(ca, name, 1), check=asked("new-order", 2, 2)),
    Script("zerossl-invalid-authz-always", ("zerossl.invalid-authz", "16.invalid-authz-loop"), PENDING, None, "invalid", rules=lambda ca, name: invalid_authz(ca, name, 99),
           check=both(asked("new-order", 2, 5), never_finalized), asks_again=False),
    Script("zerossl-eab-again", ("zerossl.eab-again", "sectigo.eab-again", "globalsign.eab"), own={"eab_required": True, "eab_once": True}, account={"eab": True},
           rules=lambda ca, name: None),
    Script("zerossl-key-change", ("zerossl.key-change", "digicert.no-key-change"), own={"key_change": False}),
    Script("buypass-no-location", ("buypass.no-location", "8.finalize-location", "any.finalize-201"), own={"finalize_location": False},
           rules=rule("finalize", status=201, before=False, call=lambda ca, q, a: a)),
    Script("buypass-empty-account", ("buypass.empty-account",), rules=rules(wide("new-account", edit=lambda d: {}, call=lambda ca, q, a: empty_body(a)),
           wide("directory", times=None, edit={"new-reg": "https://ca.test/v1/new-reg", "new-cert": "https://ca.test/v1/new-cert"}))),
    Script("sslcom-eab-lie", ("sslcom.eab-lie",), REFUSED, says="external account", own={"eab_required": True}, rules=wide("directory", times=None, edit=lambda d: no_eab_flag(d))),
    Script("sslcom-email-at-finalize", ("sslcom.email-at-finalize",), INVALID, "remote-refused", "email", rules=rule("finalize", times=None, problem="badCSR", detail="email address is missing")),
    Script("sslcom-account-unreadable", ("sslcom.account-unreadable",), rules=wide("account", times=None, status=403, body={"message": "Missing Authentication Token"})),
    Script("sslcom-rsa-at-ecc", ("sslcom.key-by-url", "25.csr-content"), INVALID, "remote-refused", "keys of this kind", own={"key_kinds": {"ec"}}, order={"key_type": "rsa2048"}),
    Script("sslcom-ecc-at-rsa", ("sslcom.key-by-url", "25.csr-content"), INVALID, "remote-refused", "keys of this kind", own={"key_kinds": {"rsa"}}),
    Script("google-query", ("google.query", "digicert.query"), directory="?action=renew&orderId=7", check=lambda run: query_kept(run)),
    Script("google-nanoseconds", ("google.nanoseconds", "24.closed-enums"), rules=rules(rule(("order", "new-order", "finalize"), times=None, edit=fractions),
           rule("authz", times=None, edit=fractions))),
    Script("digicert-no-challenge", ("digicert.no-challenge",), own={"reuse_authz": 100}, rules=lambda ca, name: (prevalidate(ca, name), ca.rule("authz", name=name, times=None, edit={"challenges": None}))),
    Script("digicert-approval", ("digicert.approval",), WORKING, own={"order_delay": 86400}, check=lambda run: status_is(run, "processing")),
    Script("digicert-no-dv", ("digicert.no-dv",), PENDING, "needs-person", "quantum-01", own={"challenge_types": ["quantum-01", "email-reply-00"]}, check=asked("challenge", 0, 0)),
    Script("actalis-stuck", ("actalis.stuck",), WORKING, rules=rule("authz", times=None, edit=lambda d: stuck(d)), check=both(lambda run: status_is(run, "pending"), lambda run: has_deadline(run))),
    Script("actalis-meta", ("actalis.meta",), own={"meta": {"home": "https://ca.test/", "caaIdentities": "ca.test", "website": None}}),
    Script("stepca-orders", ("stepca.orders-array",), rules=wide(("account", "new-account"), times=None, edit={"orders": ["1", "2"]})),
    Script("vault-nonce-twice", ("vault.nonce-reuse",), rules=lambda ca, name: same_nonce(ca)),
    # ---- at scale ----
    Script("4-wildcard-and-apex", ("4.two-values", "f16.wild-base"), names=("{}", "*.{}"), check=no_txt),
    Script("16-authz-deactivated", ("f16.deactivated",), PENDING, None, "deactivated", rules=merge_authz(status="deactivated"), asks_again=False, check=never_finalized),
    Script("16-authz-revoked", ("f16.revoked",), PENDING, None, "revoked", rules=merge_authz(status="revoked"), asks_again=False, check=never_finalized),
    Script("16-authz-expired", ("f16.expired",), PENDING, None, "expired", rules=merge_authz(status="expired"), asks_again=False, check=never_finalized),
    Script("15-leak", ("15.leaked-authz",), INVALID, "remote-refused", "No TXT record", names=("{}", "second.{}"), rules=lambda ca, name: fail_validation(ca, name), check=no_orphan),
    Script("20-short-lives", ("20.fixed-threshold",), own={"days": 0.5}, check=lambda run: renewed_within(run, 0.3, 0.8)),
    Script("23-ipv6", ("23.ipv6",), INVALID, "remote-refused", "IPv6", validation="http-01", rules=lambda ca, name: fail_validation(ca, name)),
    Script("21-clock", ("21.clock-skew",), rules=wide("*", times=None, headers={"Date": lambda: email.utils.formatdate(time.time() + 3600, usegmt=True)})),
    Script("24-unknown", ("24.closed-enums", "f16.unknown-type"), rules=rules(rule("authz", times=None, edit=weird_challenges),
           rule(("order", "new-order"), times=None, edit={"notBefore": None, "error": [], "unknown": {"a": [1]}}))),
    Script("24-directory-nulls", ("24.closed-enums",), rules=wide("directory", times=None, edit=lambda d: {**d, "revokeCert": None, "keyChange": None, "renewalInfo": None, "meta": None})),
    # ---- F8 ----
    Script("f8-half", ("f8.some", "f8.storm"), own={"nonce_reject": 40}, names=("{}", "b.{}", "c.{}"), asked=90),
    Script("f8-always", ("f8.always",), PENDING, "nonce", "badNonce", rules=rule("new-order", times=None, problem="badNonce"), check=asked_an_attempt("new-order", 2, 10), asks_again=False),
    Script("f8-missing", ("f8.missing",), rules=rule(("new-order", "authz", "challenge", "order"), times=None, headers={"Replay-Nonce": None})),
    Script("f8-empty", ("f8.empty",), PENDING, "remote-bad-answer", "nonce", after=lambda ca, name: (ca.rule("*", times=None, headers={"Replay-Nonce": ""})), asks_again=False),
    # ---- F9: what it says, and when we come back ----
    *[Script(f"f9-{label}", (line,), PENDING, "remote-limit", "too many", rules=rule("new-order", times=None, headers={"Retry-After": value}, **TOO_MANY),
             check=both(when, not_parked, asked_an_attempt("new-order", 1, 1)), asks_again=False)
      for label, line, value, when in (
          ("seconds", "f9.seconds", "900", next_between(600, 905)),
          ("date", "f9.date", lambda: email.utils.formatdate(time.time() + 900, usegmt=True), next_between(600, 905)),
          ("date-850", "f9.date", lambda: time.strftime("%A, %d-%b-%y %H:%M:%S GMT", time.gmtime(time.time() + 900)), next_between(600, 905)),
          ("date-asctime", "f9.date", lambda: time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(time.time() + 900)), next_between(600, 905)),
          ("past", "f9.past", lambda: email.utils.formatdate(time.time() - 900, usegmt=True), by_ladder),
          ("zero", "f9.nonsense", "0", by_ladder), ("minus", "f9.nonsense", "-1", by_ladder), ("huge", "f9.nonsense", "1000000000000", next_between(6.9 * 86400, 7 * 86400 + 5)),
          ("garbage", "f9.nonsense", "soon", by_ladder), ("absent", "f9.absent", None, by_ladder))],
    *[Script(f"f9-at-{kind}", ("f9.every-endpoint",), PENDING, "remote-limit", "too many", rules=rule(kind, times=None, headers={"Retry-After": "700"}, **TOO_MANY), asks_again=False, issued=int(kind == "cert"),
             check=both(next_between(300, 705), parked("vendor:") if kind in ("order", "authz", "cert") else not_parked))
      for kind in ("new-order", "authz", "challenge", "order", "finalize", "cert")],
    Script("f9-at-nonce", ("f9.every-endpoint",), PENDING, "remote-limit", after=lambda ca, name: (ca.rule("new-order", headers={"Replay-Nonce": None}, problem="badNonce"),
           ca.rule("nonce", times=None, headers={"Retry-After": "700"}, **TOO_MANY)), rules=lambda ca, name: ca.nonces.clear(), check=both(next_between(300, 705), parked("vendor:")), asks_again=False),
    Script("f9-at-new-account", ("f9.every-endpoint",), REFUSED, says="too many", rules=wide("new-account", times=None, headers={"Retry-After": "700"}, **TOO_MANY)),
    Script("f9-lb-503", ("f9.lb-503", "19.html-429"), PENDING, "remote-busy", "503", rules=rule("finalize", times=None, status=503, body=HTML, headers={"Retry-After": "700"}),
           check=both(next_between(300, 705), parked("vendor:")), asks_again=False),
    Script("f9-html-429", ("19.html-429",), PENDING, "remote-limit", "429", rules=rule("new-order", times=None, status=429, body=HTML, headers={"Retry-After": "700"}),
           check=both(next_between(300, 705), parked("vendor:")), asks_again=False),
    # ---- F10 ----
    *[Script(f"f10-{status}", ("f10.5xx",), PENDING, "remote-busy", str(status), rules=rule("finalize", times=None, status=status, body=HTML), check=by_ladder, asks_again=False)
      for status in (500, 502, 504)],
    Script("f10-502-once", ("f10.5xx",), rules=rules(*(rule(k, status=502, body=HTML) for k in ("new-order",)))),
    Script("f10-408", ("f10.408",), rules=rule("finalize", status=408, body="")),
    Script("f10-200-html", ("f10.200-html", "f10.content-type"), PENDING, "remote-bad-answer", "text/html", rules=rule("authz", times=None, status=200, body=HTML), asks_again=False),
    Script("f10-html-with-json", ("f10.content-type",), PENDING, "remote-bad-answer", "text/plain", rules=rule("order", times=None, headers={"Content-Type": "text/plain"}), asks_again=False),
    Script("f10-204", ("f10.204",), PENDING, "remote-bad-answer", "empty", rules=rule("authz", times=None, status=204, body=b"", headers={"Content-Type": None}), asks_again=False),
    *[Script(f"f10-{status}", ("f10.redirect",), PENDING, "remote-bad-answer", str(status), rules=rule("new-order", times=None, status=status, body="", headers={"Location": "https://127.0.0.1:1/elsewhere"}),
             asks_again=False) for status in (301, 302, 303, 307, 308)],
    # ---- F11 ----
    *[Script(f"f11-{kind}-{label}", (line,), rules=rule(kind, **{label.split(":")[0]: int(label.split(":")[1])}))
      for kind in ("new-order", "authz", "finalize", "cert") for label, line in (("cut:40", "f11.body"), ("chunked:1", "f11.chunked"), ("longer:10", "f11.length"), ("length:20", "f11.length"))],
    # ---- F12 ----
    Script("f12-body", ("f12.body",), PENDING, "remote-bad-answer", "larger than", rules=rule("authz", times=None, **BIG), asks_again=False),
    Script("f12-body-without-end", ("f12.body",), PENDING, "remote-bad-answer", "larger than", rules=rule("authz", times=None, **{**BIG, "length": None}), asks_again=False),
    Script("f12-headers", ("f12.headers",), PENDING, "remote-bad-answer", "header", rules=rule("authz", times=None, many_headers=1000000), asks_again=False),
    Script("f12-authz", ("f12.authz",), PENDING, "remote-bad-answer", "", rules=rule("new-order", times=None, edit=lambda d: {**d, "authorizations": [d["authorizations"][0] + str(i) for i in range(100000)]}), asks_again=False),
    Script("f12-authz-many", ("f12.authz",), PENDING, "remote-bad-answer", "authorizations", rules=rule("new-order", times=None, edit=lambda d: {**d, "authorizations": [d["authorizations"][0] + str(i) for i in range(400)]}),
           asks_again=False),
    Script("f12-challenges", ("f12.challenges",), PENDING, "remote-bad-answer", "", rules=rule("authz", times=None, edit=lambda d: {**d, "challenges": d["challenges"] * 3333}), asks_again=False),
    Script("f12-token", ("f12.token",), PENDING, "remote-bad-answer", "token", rules=rule("authz", times=None, edit=lambda d: with_token(d, "A" * 65536)), asks_again=False),
    Script("f12-token-path", ("f12.token", "t9.foreign-url"), PENDING, "remote-bad-answer", "token", validation="http-01", rules=rule("authz", times=None, edit=lambda d: with_token(d, "../../../../etc/passwd-000")), asks_again=False),
    Script("f12-url", ("f12.url",), PENDING, "remote-bad-answer", "", rules=rule("new-order", times=None, edit=lambda d: {**d, "finalize": d["finalize"] + "/" + "a" * (1 << 20)}), asks_again=False),
    Script("f12-url-long", ("f12.url",), PENDING, "remote-bad-answer", "", rules=rule("new-order", times=None, edit=lambda d: {**d, "finalize": d["finalize"] + "/" + "a" * 9000}), asks_again=False),
    Script("f12-depth", ("f12.depth",), PENDING, "remote-bad-answer", "", rules=rule("order", times=None, status=200, headers={"Content-Type": "application/json"}, body="[" * 100000), asks_again=False),
    *[Script(f"f12-json-{i}", ("f12.numbers",), PENDING, "remote-bad-answer", "", rules=rule("order", times=None, status=200, headers={"Content-Type": "application/json"}, body=body), asks_again=False)
      for i, body in enumerate((b'{"status":1e999}', b'{"status":"ready","status":"valid"}', b'{"status":"re\\u0000ady"}', b'{"status":"\xff\xfe"}', b'{"status":"\\ud800"}', b'{"status":"dancing"}', b"\x00"))],
    # ---- F13 ----
    Script("f13-continue", ("f13.continue",), PENDING, None, "", rules=rule("authz", times=None, continues=True), asks_again=False, within=80),
    # ---- F14 ----
    *[Script(f"f14-{mode}", (f"f14.{line}",), PENDING, code, says, after=lambda ca, name, mode=mode: ca.use_tls(mode), asks_again=False, asked=0)
      for line, code, says, modes in (
          ("expired", "untrusted", "TLS", ("expired", "not-yet")), ("host", "untrusted", "TLS", ("wrong-host", "wrong-address", "any-name")), ("self-signed", "untrusted", "TLS", ("self-signed",)),
          ("sha1", "untrusted", "TLS", ("sha1",)), ("old", "network", "TLS", ("tls1.0", "tls1.1")), ("chain", "untrusted", "TLS", ("unknown-ca", "same-named-ca")),
          ("intermediate", "untrusted", "TLS", ("no-intermediate", "old-intermediate", "not-a-ca", "too-deep", "outside-constraints")), ("use", "untrusted", "TLS", ("client-only", "critical")),
          ("weak", "untrusted", "TLS", ("rsa-1024",)), ("weak", "network", "TLS", ("anonymous", "unencrypted")), ("signature", "untrusted", "TLS", ("bad-signature",)),
          ("half", "network", "TLS", ("close", "cut")), ("half", "network", "", ("reset",)), ("garbage", "network", "TLS", ("garbage", "http", "alert", "huge-record")))
      for mode in modes],
    *[Script(f"f14-{mode}", ("f14.stall",), PENDING, None, "", after=lambda ca, name, mode=mode: ca.use_tls(mode), asks_again=False, asked=0) for mode in ("stall", "silence-after-hello")],
    *[Script(f"f14-{mode}", ("f14.good",), after=lambda ca, name, mode=mode: ca.use_tls(mode)) for mode in ("intermediate", "slices")],
    # ---- F15: the rest is test_ca_name.py's ----
    Script("f15-nxdomain", ("f15.nxdomain",), REFUSED, says="name look-up", directory_url="https://authority.invalid/directory"),
    Script("f15-gone", ("f15.gone",), PENDING, "network", "TCP", after=lambda ca, name: ca.listener.stop(), asks_again=False, asked=0),
    # ---- F16 ----
    Script("f16-same-twice", ("f16.same-twice",), rules=rule(("new-order", "order"), times=None, edit=lambda d: {**d, "identifiers": d["identifiers"] * 2, "authorizations": d["authorizations"] * 2})),
    Script("f16-no-authz", ("f16.no-authz",), PENDING, "remote-bad-answer", "no authorizations", rules=rule("new-order", times=None, edit={"authorizations": []}), asks_again=False),
    Script("f16-san-order", ("f16.san-order",), names=("{}", "b.{}", "a.{}"), rules=bad_leaf(lambda ca, o, c: pki.pem(leaf(ca, o, c, names=sorted(o.names, reverse=True))) + inter_pem(ca, o, c))),
    Script("f16-other-key", ("f16.other-key",), INVALID, None, "key", rules=bad_leaf(other_key), issued=1, evidence=True, check=one_order),
    Script("f16-other-names", ("f16.other-names",), INVALID, None, "name", rules=bad_leaf(lambda ca, o, c: ca.pki.chain(leaf(ca, o, c, names=[*o.names, ("dns", "evil.example")]))), issued=1, evidence=True,
           check=one_order),
    Script("f16-expired", ("f16.cert-expired",), INVALID, None, "expired", rules=bad_leaf(lambda ca, o, c: ca.pki.chain(leaf(ca, o, c, start=-90 * 86400, end=-86400))), issued=1, evidence=True, check=one_order),
    Script("f16-not-yet", ("f16.not-yet",), INVALID, None, "", rules=bad_leaf(lambda ca, o, c: ca.pki.chain(leaf(ca, o, c, start=5 * 86400))), issued=1, evidence=True, check=one_order),
    Script("f16-garbage", ("f16.garbage-pem",), PENDING, "remote-bad-answer", "certificate", rules=bad_leaf(chain_of(good_pem, "Issuer: <script>alert(1)</script>\n", inter_pem)), issued=1, asks_again=False, check=one_order),
    Script("f16-key-in-chain", ("f16.garbage-pem",), PENDING, "remote-bad-answer", "certificate", issued=1, asks_again=False,
           rules=bad_leaf(chain_of(good_pem, "-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n-----END PRIVATE KEY-----\n")), check=one_order),
    Script("f16-empty", ("f16.empty-chain",), PENDING, "remote-bad-answer", "", rules=bad_leaf(chain_of("")), issued=1, asks_again=False, check=one_order),
    Script("f16-leaf-not-first", ("f16.leaf-not-first",), INVALID, None, "", rules=bad_leaf(chain_of(inter_pem, good_pem)), issued=1, evidence=True, check=one_order),
    Script("f16-unlinked", ("f16.loop",), INVALID, None, "", rules=bad_leaf(unlinked), issued=1, evidence=True, check=one_order),
    Script("f16-loop", ("f16.loop",), INVALID, None, "", rules=bad_leaf(chain_of(good_pem, inter_pem, good_pem)), issued=1, evidence=True, check=one_order),
    Script("f16-fifty", ("f16.fifty",), PENDING, "remote-bad-answer", "more than", rules=bad_leaf(chain_of(good_pem, *([inter_pem] * 50))), issued=1, asks_again=False, check=one_order),
    # ---- T8, T9 ----
    *[Script(f"t9-{member}-{i}", ("t9.foreign-url",), PENDING, "remote-bad-answer", "", asks_again=False, rules=rule(kind, times=None, edit={member: [url] if member == "authorizations" else url}))
      for kind, member in (("new-order", "authorizations"), ("new-order", "finalize"))
      for i, url in enumerate(("https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/a", "http://127.0.0.1/a", "file:///etc/passwd", "https://127.0.0.1:1/a"))],
    Script("t8-words", ("t8.words",), INVALID, "remote-refused", "not for you", rules=rule("new-order", times=None, problem="rejectedIdentifier",
           detail="not for you \x1b[2J\u202e<script>alert(1)</script>", members={"instance": "javascript:alert(1)"}), check=all_words_safe),
]


# ---- what the rules above need more than a line for ----


def twice_the_same(ca, request, answer):
    """As if the answer of the first newOrder had been lost: the client hears 500 once, and gets the same order the second time."""
    answer.status, answer.body = 500, HTML.encode()
    answer.set("Content-Type", "text/html")
    return answer


def prevalidate(ca, name):
    """The account has a valid authorization for the name before it orders."""
    from ca.flow import Authz

    def call(ca_, request, answer):
        return answer

    def give(ca_, a, kind, value):
        z = Authz(f"pre-{len(ca_.authzs)}", kind, value.removeprefix("*."), value.startswith("*."), a, ca_.clock.now() + 86400)
        z.status = "valid"
        z.challenges = {"dns-01": ["valid", None]}
        ca_.authzs[z.id] = z

    ca.rule("new-account", name=None, times=1, call=lambda c, q, a: (give(c, list(c.accounts.values())[-1], "dns", name), call(c, q, a))[1])


def not_published(run):
    assert run.ca.log.count("challenge", run.name) == 0
    assert run.doc["records"] == [], "nothing is published for what is valid already"


def other_pki(ca, order, csr_):
    """Another issuer than the one the authority has had so far."""
    stranger = pki.Pki(ca.clock.now(), 0, "Newcomer")
    now = ca.clock.now()
    return stranger.chain(stranger.issue(csr_.public_key(), order.names, now - 3600, now + 90 * 86400))


def status_is(run, status):
    assert run.doc["status"] == status, run.doc


def fail_validation(ca, name):
    """The first of the order's names cannot be proven."""
    def refuse(doc):
        if doc["identifier"]["value"] == name and doc["challenges"][0]["status"] != "pending":
            pass
        return doc
    before = ca.validate

    def validate(kind, value, token, authorization):
        if value == name:
            return {"type": URN + "unauthorized", "detail": f"No TXT record found at _acme-challenge.{name}", "status": 403}
        if value.endswith("." + name):
            return "pending"
        return before(kind, value, token, authorization)

    ca.validate = validate
    return refuse


def strict_http01(ca, name):
    before = ca.validate

    def validate(kind, value, token, authorization):
        if value == name:
            assert kind == "http-01" and len(authorization) <= 128
        return before(kind, value, token, authorization)

    ca.validate = validate


def lifetime_is(run, days):
    cert = run.ca.certificate(run.name)
    life = (cert.not_valid_after - datetime.datetime.utcnow()).total_seconds() / 86400
    assert days - 1 < life < days + 1, life


def profile_dropped(run):
    assert run.doc["profile"] == "tlsclient" and run.doc["profile_dropped"] is True, run.doc
    assert [o.profile for o in run.ca.orders.values()] == ["tlsclient", None]


def chain_to(run, issuer):
    text = run.place.call("GET", f"/orders/{run.id}/certificate")[1]
    end = "-----END CERTIFICATE-----"
    chain = [x509.load_pem_x509_certificate((part + end).encode()) for part in text.split(end) if "BEGIN" in part]
    assert issuer in chain[-1].issuer.rfc4514_string(), [c.issuer.rfc4514_string() for c in chain]


def renewed_within(run, least, most):
    """Renewal begins at this part of the certificate's life, however short it is."""
    cert = run.place.call("GET", f"/certificates/{run.doc['certificate_id']}")[1]
    start, end, at = (datetime.datetime.fromisoformat(cert[k].replace("Z", "+00:00")) for k in ("not_before", "not_after", "renew_at"))
    assert least < (at - start) / (end - start) < most, cert


def retrying(doc):
    """Looked at, failed, and still trying by itself."""
    for c in doc["challenges"]:
        c["status"] = "processing"
        c["error"] = {"type": URN + "dns", "detail": "SERVFAIL, trying again"}
    return {**doc, "status": "pending"}


def stuck(doc):
    for c in doc["challenges"]:
        c["status"] = "processing"
    return {**doc, "status": "pending"}


def has_deadline(run):
    assert run.doc["give_up_at"], run.doc


def invalid_authz(ca, name, times):
    left = [times]

    def call(ca_, request, answer):
        doc = answer.doc()
        if left[0]:
            left[0] -= 1
            for url in doc["authorizations"]:
                ca_.authzs[url.rsplit("/", 1)[1]].status = "invalid"
        return answer

    ca.rule("new-order", name=name, times=None, call=call)


def no_eab_flag(doc):
    doc["meta"].pop("externalAccountRequired", None)
    return doc


def empty_body(answer):
    answer.body = b""
    return answer


def query_kept(run):
    rows = run.ca.log.find("directory")
    assert rows and all(r["path"] == "/dir?action=renew&orderId=7" for r in rows), rows[:2]


def same_nonce(ca):
    given = []

    def call(ca_, request, answer):
        given.append(answer.get("Replay-Nonce"))
        if len(given) % 3 == 0:
            answer.set("Replay-Nonce", given[-2])
        return answer

    ca.rule("*", times=None, call=call)


def with_token(doc, token):
    for c in doc["challenges"]:
        c["token"] = token
    return doc


# What other tests of the project show: line -> file:test.
UNIT = "tests/unit/"
ELSEWHERE = {
    "zerossl.replaces-401": [UNIT + "acme/calls.c:replaces_never_costs_a_renewal"],
    "harica.replaces-404": [UNIT + "acme/calls.c:replaces_never_costs_a_renewal"],
    "12.already-replaced": [UNIT + "acme/calls.c:replaces_never_costs_a_renewal"],
    "zerossl.key-change": [UNIT + "acme/calls.c:a_key_change_names_the_account_that_has_the_key"],
    "buypass.gone": ["tests/scenario/test_api_rules.py:bad_input_names_the_field_and_stores_nothing"],
    "1.self-check": [UNIT + "engine/remote.c:a_zone_hidden_from_us_lets_the_authority_decide_after_a_quarter_of_an_hour",
                     UNIT + "resolve/visit.c:a_view_that_lets_nothing_out_asks_its_resolvers"],
    "2.deepest-cut": [UNIT + "resolve/visit.c:a_delegated_challenge_name_is_asked_at_its_own_servers"],
    "3.cname": [UNIT + "resolve/visit.c:an_alias_is_reported_and_not_followed"],
    "5.foreign-data": [UNIT + "engine/remote.c:values_of_one_name_go_together_and_all_are_taken_away"],
    "6.stale-txt": [UNIT + "engine/remote.c:durable_when_killed_at_any_point", UNIT + "engine/remote.c:what_cannot_be_taken_away_is_shown_to_a_person_and_never_forgotten"],
    "7.early-query": [UNIT + "engine/remote.c:nobody_looks_for_a_value_before_it_is_published"],
    "11.crash-after-finalize": [UNIT + "engine/durable.c:durable_when_killed_at_any_point", UNIT + "engine/durable.c:durable_when_any_answer_is_lost"],
    "14.nonces": [UNIT + "acme/calls.c:a_bad_nonce_is_retried_with_the_one_of_the_error"],
    "17.one-bad": ["tests/scenario/test_broken_things.py:of_200_orders_at_once_one_can_never_validate_and_says_why"],
    "18.storm": [UNIT + "engine/steps.c:the_three_clocks_keep_their_tables_and_jitter", "tests/scenario/test_quirks.py:nobody_was_stormed"],
    "22.silent": [UNIT + "engine/renewal.c:the_watchdog_needs_no_job", UNIT + "engine/renewal.c:what_fails_is_tried_daily_and_paused_after_thirty_days"],
    "f9.date": [UNIT + "net/http.c:retry_after_is_read_in_all_its_forms"],
    "f9.every-endpoint": [UNIT + "acme/hostile.c:a_refusal_says_when_to_come_back"],
    "f11.body": [UNIT + "acme/hostile.c:a_body_cut_anywhere_is_never_taken", UNIT + "net/client.c:an_answer_cut_anywhere_is_an_error"],
    "f13.drip": ["tests/scenario/test_faults.py:f13_a_ca_that_never_finishes_its_answers_holds_up_only_itself"],
    "f13.stall": ["tests/scenario/test_faults.py:f13_a_ca_that_never_finishes_its_answers_holds_up_only_itself", UNIT + "net/client.c:silence_ends_with_the_deadline"],
    "f13.no-end": ["tests/scenario/test_faults.py:f13_a_ca_that_never_finishes_its_answers_holds_up_only_itself", UNIT + "engine/steps.c:an_authority_that_never_answers_changes_nothing_for_the_others"],
    "f15.servfail": ["tests/scenario/test_ca_name.py:the_name_of_the_authority_cannot_be_looked_up"],
    "f15.timeout": ["tests/scenario/test_ca_name.py:the_name_of_the_authority_cannot_be_looked_up"],
    "f15.v6-only": ["tests/scenario/test_ca_name.py:the_name_of_the_authority_cannot_be_looked_up"],
    "f15.many": ["tests/scenario/test_ca_name.py:an_authority_with_a_thousand_addresses_is_reached_or_given_up_in_time"],
    "13.eab-decoding": ["tests/scenario/test_eab_encodings.py:every_spelling_of_the_hmac_key_is_the_same_key"],
    "actalis.hmac-padding": ["tests/scenario/test_eab_encodings.py:every_spelling_of_the_hmac_key_is_the_same_key"],
    "digicert.hmac": ["tests/scenario/test_eab_encodings.py:every_spelling_of_the_hmac_key_is_the_same_key"],
    "digicert.one-url": ["tests/scenario/test_eab_encodings.py:two_key_ids_at_one_address_are_two_accounts"],
}
