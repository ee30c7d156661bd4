# SPDX-License-Identifier: Apache-2.0
"""What the crash loop runs to its end over and over. To add one: a class here and its name in SCENARIOS; loop.py does the rest.

A scenario says
	names(n)                 the names of run n, never the same twice
	before(loop, names)      what must be there before anything is killed; its result is handed to the rest
	start(loop, names, x)    the wish, through the API, by loop.request (which goes on asking while the server dies); the order
	certificates             how many certificates the CA has issued when the run is over, from before() on
	groups                   the groups of crash points (reliability: CP-A ...) it walks through, with the named points that show it
	look(loop, order_id)     looked at again and again before the order is, while the run goes on
	act(loop, order)         what a person does when the order is as it is
	certificate(loop, order, names)   the certificate and its key are handed out and belong together
	left(loop, names)        what must not be left beside what loop.py looks at for all of them; raises AssertionError
	needs()                  why it cannot run here, or None
	points                   the places in the code that it passes, beside the named ones
	fails                    those of its own that can fail instead (--fail), beside what all have
and loop.py kills, drives the order to its end, and decides from the CA's log, the store and the served records.

A feature with an outward effect of its own (a DNS provider, a deployment) adds a scenario whose left() asks the other side: the
provider's zone is as it was. A job adds its point "job-KIND" to groups. Those with a real provider are in providers.py, those of a
certificate's life in renewals.py.
"""
import time

import helpers
from cryptography.hazmat.primitives.serialization import load_pem_private_key

POINTS = ("store-commit", "store-committed", "http-send", "http-answered", "feed-send")


class Order:
    """An order made from names."""
    points = POINTS
    fails = ()
    validation, shapes, mode, certificates = "dns-01", ("{n}", "*.{n}", "second.{n}x"), "automatic", 1
    groups = {"CP-K key, CP-N newOrder": "step-create", "CP-Z authorizations": "step-authorize", "CP-P publishing": "step-publish",
              "CP-C challenge": "step-accept", "CP-C polling": "step-validate", "CP-F finalize": "step-finalize", "CP-D download": "step-download"}

    def needs(self):
        return None

    def names(self, n):
        return [shape.format(n=f"c{n}") + ".example.test" for shape in self.shapes]

    def method(self, loop):
        return "delegation"

    def before(self, loop, names):
        return None

    def account(self, loop):
        return loop.account

    def body(self, loop, names):
        return {"account_id": self.account(loop)["id"], "names": names, "validation": self.validation, "mode": self.mode,
                **({"dns": self.method(loop)} if self.validation == "dns-01" else {})}

    def start(self, loop, names, before):
        status, made, _ = loop.request("POST", "/orders", self.body(loop, names), {"Idempotency-Key": f"run-{loop.number}"})
        loop.need(status in (200, 201), f"the order was not taken: {made}")
        return made

    def look(self, loop, order_id):
        pass

    def act(self, loop, order):
        if order["status"] == "ready" and order["mode"] == "step-by-step":
            loop.request("POST", f"/orders/{order['id']}/finalize")

    def certificate(self, loop, order, names):
        text, leaf = loop.exported(order, "--with-key", "--reason", "crash loop")
        key = load_pem_private_key(text[text.index("-----BEGIN PRIVATE"):].encode(), None)
        loop.need(leaf.public_key().public_numbers() == key.public_key().public_numbers() and helpers.names_of(leaf) == sorted(names),
                  "the certificate is not of its key, or not for its names")

    def left(self, loop, names):
        pass


class Http(Order):
    validation, shapes = "http-01", ("{n}", "second.{n}")
    groups = {"CP-P publishing": "step-publish", "CP-C challenge": "step-accept"}


class StepByStep(Order):
    shapes, mode = ("{n}", "*.{n}"), "step-by-step"
    groups = {"CP-W waiting": "step-confirm", "CP-F finalize": "step-finalize"}


class Refused(Order):
    """A name that cannot be proved: the order ends invalid, its authorizations are given back and its records withdrawn."""
    shapes, certificates = ("{n}.never", "{n}"), 0
    groups = {}  # CP-U: withdrawing is in the order's last transaction (unit tests: stuck.c, remote.c)

    def names(self, n):
        return [f"c{n}.never.test", f"c{n}.example.test"]

    def left(self, loop, names):
        """What is owed to the CA is due after minutes: they pass, and it is paid."""
        loop.offline("UPDATE debt SET due_ms = 0 WHERE state = 'owed'")
        loop.no_debts()


class Register(Order):
    """An account of its own, and an order with it: one account at the CA, whenever it was killed."""
    shapes = ("{n}",)
    groups = {"CP-A account": "job-account-register"}

    def start(self, loop, names, before):
        body = {"directory_url": loop.bed.ca.directory, "email": f"run{loop.number}@certwright.test", "agree_tos": True}
        accounts = self.at_the_ca(loop)
        status, doc, _ = loop.request("POST", "/accounts", body, {"Idempotency-Key": f"account-{loop.number}"})
        loop.need(status in (200, 201, 202), f"the account was not taken: {doc}")
        account = loop.until(lambda: next((a for a in loop.request("GET", "/accounts?limit=200")[1]["items"]
                                           if a["email"] == body["email"] and a["status"] == "valid"), None), "the account is valid")
        loop.need(self.at_the_ca(loop) - accounts == 1, "the CA has more than one account", "doubled")
        order = {"account_id": account["id"], "names": names, "validation": "dns-01", "dns": "delegation"}
        status, made, _ = loop.request("POST", "/orders", order, {"Idempotency-Key": f"run-{loop.number}"})
        loop.need(status in (200, 201), f"the order was not taken: {made}")
        return made

    def at_the_ca(self, loop):
        return loop.bed.ca.process.text().count("accounts in memory")


class Rollover(Order):
    """The account gets a new key, and an order is made with it meanwhile: signed by the key the CA has, whenever it was killed."""
    shapes = ("{n}",)
    groups = {"CP-A new key stored": "job-rollover-key-stored", "CP-A CA asked for it": "job-rollover-probed", "CP-A key changed": "job-rollover-answered",
              "CP-A account": "job-account-rollover"}
    one_key = "SELECT count(*) FROM account a JOIN key k ON k.id = a.key_id WHERE a.next_key_id IS NULL AND k.sealed IS NOT NULL AND a.deleted_ms = 0"

    def before(self, loop, names):
        return loop.until(lambda: self.key_of(loop), "the account has a key that is not being changed")

    def key_of(self, loop):
        """Which key it is: the number of account keys that there were."""
        return loop.count(self.one_key) and loop.count("SELECT count(*) FROM key WHERE purpose = 'account'")

    def start(self, loop, names, before):
        status, doc, _ = loop.request("POST", f"/accounts/{loop.account['id']}/rollover", None, {"Idempotency-Key": f"key-{loop.number}"})
        loop.need(status in (200, 202, 409), f"the change of the key was not taken: {doc}")
        made = super().start(loop, names, None)
        loop.until(lambda: not loop.request("GET", f"/accounts/{loop.account['id']}")[1]["key_changing"], "the key is changed")
        return made

    def left(self, loop, names):
        accounts = loop.count("SELECT count(*) FROM account WHERE deleted_ms = 0")
        assert loop.count(self.one_key) == accounts, "an account without its one key"
        assert loop.count("SELECT count(*) FROM key WHERE purpose = 'account' AND sealed IS NOT NULL") == accounts, "a key that nobody needs was kept"
        assert loop.count("SELECT count(*) FROM lane WHERE name LIKE 'account:%' AND parked_until_ms > 0") == 0, "the account stays parked"


class Renewal(Order):
    """A certificate is renewed now: one new order, one new certificate, the same lineage; the old one is current until then."""
    shapes = ("{n}",)
    groups = {"CP-R renewal": "step-create", "CP-D the new version": "step-download"}

    def before(self, loop, names):
        super().before(loop, names)
        first = Order.start(self, loop, names, None)
        ended = loop.drive(self, first["id"], names)
        loop.need(ended["status"] == "valid", f"the first order ended {ended['status']}")
        return ended

    def start(self, loop, names, before):
        return self.renew(loop, before)

    def renew(self, loop, before, more=None):
        """A person renews it, and asks again when the answer was cut off: the order."""
        self.same_as = before["certificate_id"]
        status, doc, _ = loop.request("POST", "/renewals", {"certificate_ids": [self.same_as], **(more or {})})
        loop.need(status == 200, f"the renewal was not taken: {doc}")
        return self.renewed_by_itself(loop, before)

    def renewed_by_itself(self, loop, before):
        return loop.until(lambda: next((o for o in self.orders(loop) if o["id"] != before["id"]), None), "the renewal has its order")

    def orders(self, loop):
        return loop.request("GET", f"/orders?certificate_id={self.same_as}&limit=50")[1]["items"]

    def left(self, loop, names):
        orders = self.orders(loop)
        assert len(orders) == 2, f"{len(orders)} orders for one certificate and its renewal"


class Scheduled(Renewal):
    """The same by itself: the certificate became due while the server was off, and the scheduler renews it. Killed from the start on."""
    shapes = ("{n}", "*.{n}")
    groups = {"CP-R scheduler": "job-renewal", "CP-F finalize": "step-finalize", "CP-D the new version": "step-download"}

    def start(self, loop, names, before):
        self.same_as = before["certificate_id"]
        self.due(loop)
        return self.renewed_by_itself(loop, before)

    def due(self, loop, *more):
        loop.offline(f"UPDATE certificate SET next_attempt_ms = {int(time.time() * 1000) - 1000} WHERE id = '{self.same_as}'",
                     "UPDATE job SET due_ms = 0 WHERE kind = 'renewal'", *more)


SCENARIOS = {"dns": Order(), "http": Http(), "step": StepByStep(), "refused": Refused(), "register": Register(), "rollover": Rollover(), "renewal": Renewal(),
             "scheduled": Scheduled()}
