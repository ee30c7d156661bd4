# SPDX-License-Identifier: Apache-2.0
"""Crash scenarios of a certificate's life: one for each row of the table of what is renewed by itself (docs/admin/renewal.md), killed from the
instant at which the certificate is due until a person has done what only a person can do.

All of them owe, beside what loop.py looks at: the old version is the current one until the order is valid, and then there are two, one
of them current; the notice that a person has to act on is there once; and what a channel was told came once, each message by the id it has
(one that was on its way when core died comes again under the same id, by which a receiver knows it).
"""
import json

import pdns
import sinks
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from providers import AtProvider
from scenarios import SCENARIOS, Scheduled

DAY_MS = 86_400_000


class Channel:
    """Where a person is told: a webhook, made when the first scenario wants it. It hears of renewals and of all that begins and ends."""

    def __init__(self, loop):
        self.sink = sinks.Webhook(loop.bed.folder)
        connection = loop.bed.folder / "connection.json"
        connection.write_text(json.dumps({"ca_pem": sinks.certificate(loop.bed.folder)[0].read_text(), "allow": ["127.0.0.0/8"]}))
        kinds = ("renewed", "renewal-failed", "renewal-paused", "renewal-delayed", "renewal-not-tried", "waiting-for-you", "csr-needed", "waiting-to-be-installed",
                 "account-needs-attention", "credential-refused")
        self.id = loop.bed.server.call("notification", "create", "--kind", "webhook", "--name", "people", "--connection", connection, "--url", self.sink.url,
                                       *[part for kind in kinds for part in ("--event", kind)])["id"]

    def rows(self, loop):
        return list(reversed(loop.request("GET", f"/channels/{self.id}/messages?limit=50")[1]["items"]))


def channel_of(loop):
    if not hasattr(loop, "channel"):
        loop.channel = Channel(loop)
        loop.parts.append(loop.channel.sink)
    return loop.channel


class Lineage(Scheduled):
    """A renewal by itself, watched all the while."""
    told = ("renewed happened",)  # what the channel was told when all is over

    first = None  # the version that is to be renewed

    def before(self, loop, names):
        self.first, self.channel = None, channel_of(loop)
        self.before_it = {row["id"] for row in self.channel.rows(loop)}
        self.came_before = len(self.channel.sink.got)
        first = super().before(loop, names)
        self.same_as = first["certificate_id"]
        self.first = self.current(loop)["id"]
        return first

    def current(self, loop):
        _, certificate, _ = loop.request("GET", f"/certificates/{self.same_as}")
        current = [v for v in certificate["versions"] if v["state"] == "current"]
        loop.need(len(current) == 1, f"{len(current)} versions are current")
        return current[0]

    def look(self, loop, order_id):
        """At any instant: what is current is the old one, or the order of the new one is valid."""
        current = self.first and self.current(loop)
        if current and current["id"] != self.first:
            _, order, _ = loop.request("GET", f"/orders/{order_id}")
            loop.need(order["status"] == "valid" and current["order_id"] == order_id, f"a version is current whose order is {order['status']}", "doubled")

    def nothing_ordered(self, loop, why):
        loop.need(len(self.orders(loop)) == 1, f"an order was made {why}", "doubled")

    def notices(self, loop, kind, subject):
        return [n for n in loop.request("GET", "/notices")[1]["items"] if n["kind"] == kind and n["subject_id"] == subject]

    def notice(self, loop, kind, subject):
        return loop.until(lambda: self.notices(loop, kind, subject), f"somebody is told: {kind}")[0]

    def told_now(self, loop):
        """What waits for its half minute is sent: the rows of this run, once all of them are."""
        loop.offline("UPDATE outbox SET due_ms = 0 WHERE state = 'waiting'", "UPDATE job SET due_ms = 0 WHERE kind = 'notify'")

        def sent():
            rows = [row for row in self.channel.rows(loop) if row["id"] not in self.before_it]
            return not any(row["state"] == "waiting" for row in rows) and (rows or ["nothing"])

        return loop.until(sent, "what is to be told is sent")

    def left(self, loop, names):
        super().left(loop, names)
        if self.orders(loop)[0]["status"] == "invalid":  # of a run in which something failed for good: looked at in loop.py
            assert self.current(loop)["id"] == self.first, "what failed is current"
            return
        _, certificate, _ = loop.request("GET", f"/certificates/{self.same_as}")
        states = [v["state"] for v in certificate["versions"]]
        assert states == ["current", "replaced"], f"versions: {states}"
        rows = [row for row in self.told_now(loop) if row["state"] == "sent"]
        said = sorted(f"{row['event']} {row['phase']}" for row in rows)
        assert said == sorted(self.told), f"a person was told {said}"
        came = {head["webhook-id"] for head, _ in self.channel.sink.got[self.came_before:]}
        assert came == {row["id"] for row in rows}, f"on record are {rows}, and {came} came"


class KeyHere(Lineage):
    """Key here, validated by http-01: everything happens by itself, with a new key."""
    validation, shapes = "http-01", ("{n}", "second.{n}")
    groups = {"CP-R scheduler": "job-renewal", "CP-C challenge": "step-accept", "CP-F finalize": "step-finalize", "CP-D the new version": "step-download",
              "CP-T a person is told": "notify-sent"}


class KeyElsewhere(Lineage):
    """A CSR made elsewhere: renewed with it, and then it waits to be installed until somebody fetches it."""
    groups = {"CP-R scheduler": "job-renewal", "CP-F finalize": "step-finalize", "CP-D the new version": "step-download", "CP-T a person is told": "notify-sent"}
    told = ("renewed happened", "waiting-to-be-installed raised", "waiting-to-be-installed ended")

    def make_csr(self, loop, names):
        """A new key, which stays here, and the number of its CSR there."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        sans = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(sans, False).sign(self.key, hashes.SHA256())
        self.made = getattr(self, "made", 0) + 1
        status, doc, _ = loop.request("POST", "/csrs/upload", {"pem": csr.public_bytes(serialization.Encoding.PEM).decode()},
                                      {"Idempotency-Key": f"csr-{loop.number}-{self.made}"})
        loop.need(status in (200, 201), f"the CSR was not taken: {doc}")
        return doc["id"]

    def body(self, loop, names):
        self.csr = self.make_csr(loop, names)
        return {**super().body(loop, names), "csr_id": self.csr}

    def certificate(self, loop, order, names):
        """It waits to be installed and somebody is told; handing it out ends that."""
        self.told_now(loop)
        self.notice(loop, "waiting-to-be-installed", self.same_as)
        loop.need(self.waits_since(loop), "nothing says that it waits to be installed")
        _, leaf = loop.exported(order)
        loop.need(leaf.public_key().public_numbers() == self.key.public_key().public_numbers(), "the certificate is not of the key elsewhere")
        loop.need(not self.waits_since(loop) and not self.notices(loop, "waiting-to-be-installed", self.same_as), "it was fetched, and waits still to be installed")

    def waits_since(self, loop):
        return loop.request("GET", f"/certificates/{self.same_as}/renewal")[1]["waiting_to_be_installed_since"]


class CsrTooOld(KeyElsewhere):
    """The key elsewhere is in use for too long: nothing is ordered, a new CSR is asked for; with it the renewal goes through."""
    groups = {"CP-R scheduler": "job-renewal", "CP-D the new version": "step-download"}
    told = ("csr-needed raised", "csr-needed ended", "renewed happened", "waiting-to-be-installed raised", "waiting-to-be-installed ended")

    def start(self, loop, names, before):
        self.due(loop, f"UPDATE csr SET created_ms = created_ms - {4000 * DAY_MS} WHERE id = '{self.csr}'")
        self.notice(loop, "csr-needed", self.same_as)
        self.nothing_ordered(loop, "with a key that is too old")
        self.told_now(loop)
        again = self.make_csr(loop, names)
        return self.renew(loop, before, {"csr_id": again})


class ByHand(AtProvider, Lineage):
    """A person publishes the record: no order is made until that person says so, and it goes through when the record is there."""
    shapes = ("{n}",)
    groups = {"CP-R scheduler": "job-renewal", "CP-W waiting": "step-propagate", "CP-F finalize": "step-finalize", "CP-D the new version": "step-download"}
    told = ("waiting-for-you raised", "waiting-for-you ended", "renewed happened")
    set = ()

    def method(self, loop):
        return "manual"

    def act(self, loop, order):
        """What the person does, once for each value that is shown."""
        values = [r["value"] for r in order["records"] if not r["withdrawn_at"]]
        if order["stage"] == "waiting for you" and values and values != self.set:
            self.set = values
            loop.place_of(self).put(self.challenge_name(order["names"]), values)
            loop.request("POST", f"/orders/{order['id']}/go-on")

    def start(self, loop, names, before):
        self.due(loop)
        self.notice(loop, "waiting-for-you", self.same_as)
        self.nothing_ordered(loop, "at night")
        self.told_now(loop)
        return self.renew(loop, before)

    def left(self, loop, names):
        loop.place_of(self).put(self.challenge_name(names), [])
        Lineage.left(self, loop, names)


class AccountRefused(Lineage):
    """The authority has closed the account: said when it is known; when it is valid again, the certificate is renewed."""
    shapes = ("{n}",)
    groups = {"CP-R scheduler": "job-renewal", "CP-R the daily look": "job-renewal-check"}
    told = ("account-needs-attention raised", "account-needs-attention ended", "renewed happened")

    def account(self, loop):
        """Not the one of all the others: what is said about it would be said about theirs."""
        if not hasattr(self, "own"):
            self.own = loop.bed.account("closed@certwright.test")
        return self.own

    def start(self, loop, names, before):
        account = self.account(loop)["id"]
        self.due(loop, f"UPDATE account SET status = 'invalid' WHERE id = '{account}'", "UPDATE job SET due_ms = 0 WHERE kind = 'renewal-check'")
        self.notice(loop, "account-needs-attention", account)
        loop.until(lambda: not loop.count("SELECT count(*) FROM job WHERE kind = 'renewal-check' AND due_ms = 0"), "the daily look is over")
        self.nothing_ordered(loop, "with an account that is closed")
        self.told_now(loop)
        self.due(loop, f"UPDATE account SET status = 'valid' WHERE id = '{account}'")
        return self.renewed_by_itself(loop, before)


class ProviderRefused(AtProvider, Lineage):
    """The provider refuses the credential: said once; with a good one, tested and saved, the order that waited goes through."""
    shapes = ("{n}",)
    groups = {"CP-R scheduler": "job-renewal", "CP-P publishing": "step-publish", "CP-W withdrawn": "withdrawn-dns-01"}
    told = ("credential-refused raised", "credential-refused ended", "renewed happened")

    def method(self, loop):
        return self.provider(loop)["id"]

    def provider(self, loop):
        if not hasattr(self, "own"):
            self.own = loop.provider_for(self, "refusing")
        return self.own

    def give(self, loop, key):
        """The credential as a person enters it; sent again until it is answered."""
        path = f"/providers/{self.own['id']}"

        def given():
            _, _, head = loop.request("GET", path)
            return loop.request("PATCH", path, {"fields": {"api_key": key}}, {"If-Match": head["ETag"]})[0] == 200

        loop.until(given, "the credential is taken")

    def start(self, loop, names, before):
        self.give(loop, "not-the-key-any-more")
        self.due(loop)
        made = self.renewed_by_itself(loop, before)
        self.notice(loop, "credential-refused", self.own["id"])
        self.told_now(loop)
        self.give(loop, pdns.KEY)
        loop.request("POST", f"/providers/{self.own['id']}/test", {"zone": self.place.zone})
        loop.until(lambda: loop.request("GET", f"/providers/{self.own['id']}")[1]["status"] == "ok", "the credential is good")
        return made


SCENARIOS.update({"life-key-here": KeyHere(), "life-key-elsewhere": KeyElsewhere(), "life-csr-too-old": CsrTooOld(), "life-by-hand": ByHand(),
                  "life-account": AccountRefused(), "life-provider": ProviderRefused()})
