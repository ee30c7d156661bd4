# SPDX-License-Identifier: Apache-2.0
"""server - the authority: RFC 8555 with external account binding, profiles, renewal information (RFC 9773), key change, revocation,
order lists and alternate chains, in memory, whose every answer a script can replace.

	ca = CA(folder, validate=Real(dns_port, http_port))      ca.directory, ca.trust (file with the TLS root)
	ca.rule("finalize", name="a.example", status=500)        the next finalize for that name fails, and is not carried out
	ca.rule("order", times=3, edit={"status": "processing"}, headers={"Retry-After": "1"})
	ca.rule("cert", cut=100)                                 carried out, and the answer ends after 100 bytes
	ca.log.find("order", name="a.example"), ca.issued(), ca.twice(), ca.orphans(), ca.log.disobeyed(), ca.log.busiest()

How it behaves without a script stands in attributes (see __init__), which may be changed at any time.
"""
import base64
import json
import pathlib
import secrets
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

from . import flow, pki, tls
from .jose import ALGORITHMS, Bad, b64
from .judge import Judge, parse_retry_after
from .limits import Clock
from .validate import Always
from .wire import Answer, Gone, Listener

URN = "urn:ietf:params:acme:error:"
HOW = ("delay", "reset", "close", "raw", "cut", "head_cut", "longer", "length", "stall", "drip", "chunked", "endless", "continues",
       "many_headers", "last")


class Refused(Exception):
    """A problem document instead of the ordinary answer."""

    def __init__(self, status, kind, detail, retry_after=None, headers=(), **members):
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.retry_after, self.headers, self.members = retry_after, headers, members

    def answer(self):
        kind = self.kind if ":" in self.kind else URN + self.kind
        a = Answer(self.status, {"type": kind, "detail": self.detail, "status": self.status, **self.members}, self.headers, "application/problem+json")
        if self.retry_after is not None:
            a.set("Retry-After", str(self.retry_after))
        return a


class Rule:
    """What happens to chosen requests. kind: one, several or "*"; name: only what is about this name; account: of this one only.

	times=1        how often (None: for ever); skip=0: how many pass before
	before=False   True: the request is not carried out even though the answer is not given whole here
	status, headers ({name: value, None removes, a list several, a function is asked each time}), body (text, bytes or JSON), problem (short type), detail, members
	edit           a dict merged into the ordinary JSON answer (None removes a member), or a function of the document
	call           a function (ca, request, answer) that returns the answer
	delay, reset, close, raw, cut, head_cut, longer, length, stall, drip, chunked, endless, continues, many_headers, last: wire.py
    """

    def __init__(self, kind, name=None, times=1, skip=0, account=None, before=None, **what):
        self.kinds = (kind,) if isinstance(kind, str) else tuple(kind)
        self.name, self.left, self.skip, self.account, self.what, self.used = name, times, skip, account, what, 0
        unknown = set(what) - set(HOW) - {"status", "headers", "body", "problem", "detail", "members", "edit", "call"}
        if unknown:
            raise ValueError(f"a rule has no {sorted(unknown)}")
        self.instead = before if before is not None else bool({"status", "problem", "body"} & set(what)) and "edit" not in what

    def fits(self, kind, names, account):
        return ((kind in self.kinds or "*" in self.kinds) and (self.name is None or self.name in names)
                and (self.account is None or self.account == account))

    def made(self):
        """The answer of a rule that replaces all of it."""
        w = self.what
        if "problem" in w:
            return Refused(w.get("status", 400), w["problem"], w.get("detail", "said by the script"), **w.get("members", {})).answer()
        return Answer(w.get("status", 200), w.get("body", b""), kind=None if "body" in w and not isinstance(w["body"], (str, bytes)) else "text/html")

    def apply(self, ca, request, answer):
        w = self.what
        if not self.instead:
            if "edit" in w:
                doc = answer.doc()
                doc = w["edit"](doc) if callable(w["edit"]) else merge(doc, w["edit"])
                answer.body = json.dumps(doc).encode()
            if "status" in w:
                answer.status = w["status"]
            if "body" in w:
                body = w["body"]
                answer.body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        for name, value in w.get("headers", {}).items():
            answer.set(name, value() if callable(value) else value)
        if "call" in w:
            answer = w["call"](ca, request, answer)
        answer.how = {k: w[k] for k in HOW if k in w}
        return answer


def merge(doc, change):
    """RFC 7396, with what JSON can say."""
    if not isinstance(change, dict) or not isinstance(doc, dict):
        return change
    out = dict(doc)
    for k, v in change.items():
        if v is None:
            out.pop(k, None)
        else:
            out[k] = merge(out.get(k), v) if isinstance(v, dict) else v
    return out


class CA:
    def __init__(self, folder, validate=None, port=0, clock=None, limits=None, alternates=1, identity=None, **settings):
        """identity: another CA whose TLS certificates and trust this one takes."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock, self.limits = clock or Clock(), limits
        self.validate = validate or Always()
        # how it behaves
        self.eab, self.eab_required, self.eab_once = {}, False, False  # {kid: HMAC key}; eab_once: a bound key is refused, not found again
        self.contact_required = False
        self.nonce_reject = 0          # percent
        self.reuse_orders = True       # the same account and names get the order that is under way
        self.reuse_authz = 0           # percent
        self.profiles = {}             # {name: description}; profile_days: {name: days}
        self.profile_days, self.profile_names = {}, {}
        self.days = 90.0
        self.backdate = 3600
        self.not_after = "refuse"      # or "honour", "ignore"
        self.authz_delay = 0.0         # seconds between the challenge and the decision
        self.order_delay = 0.0         # seconds between finalize and the certificate
        self.retry_after = {}          # {"order": 3, "authz": 1, "finalize": 3}: sent while something is processing
        self.challenge_types = ["dns-01", "http-01", "tls-alpn-01"]
        self.common_name = True
        self.ari, self.orders_lists, self.key_change, self.revocation = True, True, True, True
        self.ari_retry_after = 21600
        self.windows = {}              # {certID: (start, end[, explanation])}; window: the same for all, or a function of a certificate
        self.window = None
        self.finalize_location = True
        self.terms = "/terms/v1"
        self.terms_enforced = False    # accounts that agreed to other terms are refused with userActionRequired
        self.paused = {}               # {name: unpause URL}
        self.client_auth = True        # CSRs that ask for it are taken
        self.key_kinds = None          # {"rsa"}, {"ec"}; None: both
        self.issue = None              # function (ca, order, csr) -> chain as text, or None for the ordinary one
        self.meta = {"website": "https://example.test/", "caaIdentities": ["ca.test"]}
        self.date = True               # a Date header
        for k, v in settings.items():
            if not hasattr(self, k):
                raise ValueError(f"the fake CA has no setting '{k}'")
            setattr(self, k, v)
        # what it holds
        self.pki = pki.Pki(self.clock.now(), alternates)
        self.lock = threading.RLock()
        self.nonces, self.accounts, self.by_key, self.orders, self.authzs = set(), {}, {}, {}, {}
        self.certificates, self.by_ari, self.replaced = {}, {}, {}
        self.rules = []
        self.log = Judge(self.folder / "requests.jsonl")
        self.pool = ThreadPoolExecutor(16, "fake-ca-va")
        self.timers = []
        if identity:
            self.tls, self.trust = identity.tls, identity.trust
        else:
            with warnings.catch_warnings():  # one of them is signed with SHA-1, on purpose
                warnings.simplefilter("ignore")
                self.tls = tls.certificates(self.folder, time.time())
            self.trust = self.folder / "ca.pem"
        self.ca = self.trust
        self.listener = Listener(self.tls, self.handle, port)
        self.port = self.listener.port
        self.url = f"https://127.0.0.1:{self.port}"
        self.directory = f"{self.url}/dir"

    # ---- scripts ----

    def rule(self, kind, **what):
        r = Rule(kind, **what)
        with self.lock:
            self.rules.append(r)
        return r

    def clear(self, name=None):
        """Forgets the rules (of a name)."""
        with self.lock:
            self.rules = [r for r in self.rules if name is not None and r.name != name]

    def take(self, kind, names, account):
        with self.lock:
            for r in self.rules:
                if not r.fits(kind, names, account):
                    continue
                if r.skip:
                    r.skip -= 1
                    continue
                if r.left is not None:
                    r.left -= 1
                    if not r.left:
                        self.rules.remove(r)
                r.used += 1
                return r
        return None

    # ---- judges ----

    def issued(self, name=None):
        with self.lock:
            return sum(1 for c in self.certificates.values() if name is None or name in c.names)

    def twice(self):
        """Certificates issued for the same names and key as one before."""
        seen, again = set(), []
        with self.lock:
            for c in self.certificates.values():
                what = (tuple(sorted(c.names)), c.public_key)
                (again.append(c) if what in seen else seen.add(what))
        return again

    def orphans(self):
        """Names of pending authorizations whose order nobody carries on any more: pending at its end, or refused."""
        with self.lock:
            return sorted(z.name for z in self.authzs.values() if z.status == "pending")

    # ---- requests ----

    def new_nonce(self):
        nonce = b64(secrets.token_bytes(16))
        with self.lock:
            if len(self.nonces) > 200000:
                self.nonces.clear()
            self.nonces.add(nonce)
        return nonce

    def handle(self, request):
        """One request: limits, script, act; and its row in the log."""
        path = request.path.partition("?")[0]
        kind, handler, arg = flow.route(path)
        row = {"kind": kind, "method": request.method, "path": request.path, "began": request.began, "names": [], "account": None}
        rule, answer = None, None
        try:
            answer = self.limited(kind, request)
            if answer is None:
                ctx = flow.Context(self, request, kind, arg, row)
                if request.method == "POST":
                    ctx.open()
                row["names"] = ctx.names()
                rule = self.take(kind, row["names"], row["account"])
                if rule and rule.instead:
                    answer = rule.made()
                elif request.method == "POST":
                    ctx.authenticate()
                    answer = handler(ctx)
                else:
                    answer = handler(ctx)
        except Refused as e:
            answer = e.answer()
        except Bad as e:
            answer = Refused(403 if e.kind == "unauthorized" else 400, e.kind, str(e), **({"algorithms": ALGORITHMS} if e.kind == "badSignatureAlgorithm" else {})).answer()
        if kind != "directory" and kind != "ari" or request.method == "POST":
            answer.set("Replay-Nonce", self.new_nonce())
        if self.date and not answer.get("Date"):
            answer.set("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(self.clock.now())))
        if kind != "directory":
            answer.add("Link", f'<{self.directory}>;rel="index"')
        if rule:
            answer = rule.apply(self, request, answer)
        self.note(row, answer, rule)
        if rule and rule.what.get("close"):
            raise Gone
        return answer

    def note(self, row, answer, rule):
        row["at"], row["status"], row["scripted"] = time.monotonic(), answer.status, bool(rule)
        if answer.status >= 400 and b"{" in answer.body[:1]:
            try:
                row["problem"] = str(answer.doc().get("type", "")).removeprefix(URN)
            except (ValueError, AttributeError):
                pass
        value = answer.get("Retry-After")
        if value is not None:
            try:
                row["retry_after_s"] = parse_retry_after(value, time.time())
            except (TypeError, ValueError):
                pass
        self.log.add(row)

    def limited(self, kind, request):
        if not self.limits:
            return None
        wait = self.limits.request(kind, request.address)
        if wait:
            raise Refused(429, "rateLimited", "Service busy; retry later.", self.span(wait))
        return None

    def span(self, seconds):
        """A wait of our clock as a Retry-After for the others."""
        return max(1, int(self.clock.real_seconds(seconds)) + 1)

    def schedule(self, delay, act):
        """act() in another thread after delay real seconds; at once when there is none."""
        if not delay:
            self.pool.submit(act)
            return
        t = threading.Timer(delay, lambda: self.pool.submit(act))
        t.daemon = True
        self.timers.append(t)
        t.start()

    # ---- what a bed asks of a CA ----

    def root(self):
        return pki.pem(self.pki.roots[0])

    def use_tls(self, name):
        self.listener.use_tls(name)

    def add_eab(self, kid="kid-1", key=None):
        """An external account binding; its HMAC key as base64url."""
        self.eab[kid] = key or secrets.token_bytes(32)
        return base64.urlsafe_b64encode(self.eab[kid]).rstrip(b"=").decode()

    def certificate(self, name):
        """The newest certificate issued for a name (cryptography's)."""
        with self.lock:
            found = [c for c in self.certificates.values() if name in c.names]
        return found[-1].cert if found else None

    def set_window(self, name, start, end, explanation=None):
        """The window of the newest certificate for a name, in seconds since the epoch."""
        self.windows[pki.cert_id(self.certificate(name))] = (start, end, explanation)

    def change_terms(self, path="/terms/v2"):
        """From now on every account has to agree to new terms."""
        self.terms, self.terms_enforced = path, True

    def stop(self):
        for t in self.timers:
            t.cancel()
        self.listener.stop()
        self.pool.shutdown(wait=False)
        self.log.close()

