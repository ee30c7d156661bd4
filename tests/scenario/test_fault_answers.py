# SPDX-License-Identifier: Apache-2.0
"""F10 and F12: what stands between us and the CA, or the CA itself, answers with something else than an answer, or with far too much.

Every status and content type that load balancers, captive portals and broken servers give, on every kind of request an order makes. The
request is not passed on (the CA never heard) or is (the answer is lost): either way the order ends valid, once, and says on the
way what it met. Needs a build with crash hooks, in which the pause after an error is short.
"""
import json
import pathlib
import socket
import threading
import time

import pytest
from through import KINDS, QUICK, needs_hooks, until_over

import bed as beds

pytestmark = [pytest.mark.slow, needs_hooks]
HTML = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Bad gateway</h1></body></html>"
PROBLEM = "application/problem+json"


def problem(kind, status):
    return json.dumps({"type": f"urn:ietf:params:acme:error:{kind}", "detail": "said by the proxy", "status": status})


ANSWERS = {  # name: (status, content type or None, body)
    "500-problem": (500, PROBLEM, problem("serverInternal", 500)),
    "500-json": (500, "application/json", '{"error": "internal"}'),
    "500-empty": (500, None, ""),
    "501-text": (501, "text/plain", "not implemented"),
    "502-html": (502, "text/html", HTML),
    "503-empty": (503, None, ""),
    "504-html": (504, "text/html; charset=utf-8", HTML),
    "520-html": (520, "text/html", HTML),
    "408-html": (408, "text/html", HTML),
    "404-html": (404, "text/html", HTML),
    "403-html": (403, "text/html", HTML),
    "401-text": (401, "text/plain", "proxy authentication"),
    "400-html": (400, "text/html", HTML),
    "200-html": (200, "text/html", HTML),
    "200-json-as-html": (200, "text/html", '{"status": "valid", "identifiers": []}'),
    "200-octets": (200, "application/octet-stream", "\0\1\2"),
    "200-array": (200, "application/json", "[]"),
    "200-null": (200, "application/json", "null"),
    "200-object": (200, "application/json", "{}"),
    "200-cut-json": (200, "application/json", '{"status": "val'),
    "200-html-as-json": (200, "application/json", HTML),
    "200-empty": (200, "application/json", ""),
    "201-empty": (201, None, ""),
    "202-empty": (202, None, ""),
    "204": (204, None, ""),
}
REDIRECTS = (301, 302, 303, 307, 308)


class Trap:
    """A listener that nobody may reach; it counts who does."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(16)
        self.port, self.met = self.socket.getsockname()[1], 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            self.met += 1
            one.close()

    def close(self):
        self.socket.close()


def rules(t, status, kind, body, headers=None, forward=False):
    for request in KINDS:
        if request == "nonce":
            continue
        t.proxy.rule(request, status=status, headers={**({"Content-Type": kind} if kind else {}), **(headers or {})}, body=body, forward=forward)


def walk(t, cases, forward):
    """One order per case, side by side, each meets its answer once on each kind of request; {name: order}."""
    orders, by = {}, {}
    for i, (name, (status, kind, body, *headers)) in enumerate(cases.items()):
        by[name] = t.another()
        rules(by[name], status, kind, body, *headers, forward=forward)
        orders[name] = by[name].order(f"a{i}.example.test")
    over = until_over(t.bed, [o["id"] for o in orders.values()], 300)
    for name, made in orders.items():
        shown = t.show(made)
        assert over.get(made["id"], {}).get("status") == "valid", (name, shown["status"], shown["stage"], shown["reason"], t.events(made))
        left = [r["kind"] for r in by[name].proxy.rules]
        assert not left or forward, f"{name}: no request of the kinds {left} was made"
    return orders


def told(t, made, *words):
    text = "\n".join(t.events(made))
    assert all(word in text for word in words), (words, text)


@pytest.mark.parametrize("forward", [False, True], ids=["unheard", "unseen"])
def test_f10_every_status_and_type_on_every_kind_of_request_is_an_error_like_others_and_the_order_ends_valid_once(through, forward):
    t = through(env=QUICK)
    orders = walk(t, ANSWERS, forward)
    assert t.bed.ca.issued() == len(orders), "one certificate for each order"
    for name, made in orders.items():
        status, kind, _ = ANSWERS[name]
        if status >= 400 and kind and kind.startswith("text/"):
            told(t, made, f"status {status} with {kind.split(';')[0]}")
    if not forward:
        told(t, orders["200-html"], "'text/html' instead of JSON")
        told(t, orders["200-json-as-html"], "'text/html' instead of JSON")
    t.all_end_valid_once(list(orders.values()))


def test_f10_a_redirect_is_followed_by_nobody_and_leads_nobody_elsewhere(through):
    t = through(env=QUICK)
    trap = Trap()
    try:
        cases = {}
        for status in REDIRECTS:
            for name, location in (("away", f"https://127.0.0.1:{trap.port}/dir"), ("plain", f"http://127.0.0.1:{trap.port}/"), ("back", "/my-order/1")):
                cases[f"{status}-{name}"] = (status, "text/html", HTML, {"Location": location})
        orders = walk(t, cases, False)
        for made in orders.values():
            told(t, made, "which is not followed")
        assert trap.met == 0, "somebody followed a redirect"
        t.all_end_valid_once(list(orders.values()))
    finally:
        trap.close()


def test_f10_answers_to_directory_nonce_and_registration_are_no_exception(through):
    t = through(env=QUICK)
    by = {name: t.another() for name in ANSWERS}
    t.bed.server.stop()  # directory and nonces are kept: a new process asks for them
    for name, (status, kind, body) in ANSWERS.items():
        for request in ("directory", "nonce"):
            by[name].proxy.rule(request, status=status, headers={"Content-Type": kind} if kind else {}, body=body)
    t.bed.server.start()
    orders = {name: by[name].order(f"d{i}.example.test") for i, name in enumerate(ANSWERS)}
    over = until_over(t.bed, [o["id"] for o in orders.values()], 200)
    for name, made in orders.items():
        assert over.get(made["id"], {}).get("status") == "valid", (name, t.show(made))
        assert not by[name].proxy.pending(), name
    for status, kind, body in ANSWERS.values():
        t.proxy.rule("account", status=status, headers={"Content-Type": kind} if kind else {}, body=body)
    account = t.bed.server.cli("account", "register", "--directory", t.proxy.directory, "--email", "late@certwright.test", "--agree-tos", "--json")
    assert account.status in (0, 5, 6), account  # registered, refused, or still being tried: never a crash, always a sentence
    t.proxy.clear()
    beds.wait_for(lambda: all(a["status"] in ("valid", "invalid") for a in accounts(t)), 120, "the registration is over")


def accounts(t):
    status, page, _ = t.bed.server.request("GET", "/accounts")
    assert status == 200, page
    return page["items"]


# ---- F12: too much of everything ----

MI = 1 << 20
DEEP = "[" * 100000 + "]" * 100000


def order_with(**members):
    doc = {"status": "pending", "expires": "2036-01-01T00:00:00Z", "identifiers": [{"type": "dns", "value": "x.example.test"}],
           "authorizations": ["/authZ/x"], "finalize": "/finalize-order/x", **members}
    return json.dumps(doc)


def authz_with(challenges):
    return json.dumps({"status": "pending", "identifier": {"type": "dns", "value": "x.example.test"}, "challenges": challenges})


def challenge(**members):
    return {"type": "dns-01", "url": "/chalZ/x", "status": "pending", "token": "A" * 43, **members}


TOO_MUCH = {  # name: (kind of request, rule)
    "a body of 1 GiB": ("order", {"flood": 1 << 30, "forward": True}),
    "a certificate of 1 GiB": ("certificate", {"flood": 1 << 30, "forward": True}),
    "a million headers": ("authz", {"flood_head": 1000000, "forward": True}),
    "100,000 authorizations": ("new-order", {"body": order_with(authorizations=[f"/authZ/{i}" for i in range(100000)])}),
    "100,000 identifiers": ("new-order", {"body": order_with(identifiers=[{"type": "dns", "value": f"n{i}.test"} for i in range(100000)])}),
    "10,000 challenges": ("authz", {"body": authz_with([challenge() for _ in range(10000)])}),
    "a token of 64 KiB": ("authz", {"body": authz_with([challenge(token="A" * 65536)])}),
    "an address of 1 MiB": ("authz", {"body": authz_with([challenge(url="/chalZ/" + "x" * MI)])}),
    "a Location of 60 KiB": ("new-order", {"body": order_with(), "headers": {"Location": "/my-order/" + "x" * 60000}}),
    "JSON 100,000 deep": ("order", {"body": DEEP}),
    "numbers without end": ("authz", {"body": '{"status": 1e999, "expires": -1e999, "identifier": 123456789012345678901234567890}'}),
    "members twice": ("order", {"body": '{"status":"pending","status":"valid","identifiers":[]}'}),
    "NUL in a string": ("order", {"body": '{"status":"pend\\u0000ing","identifiers":[]}'}),
    "bytes that are no UTF-8": ("authz", {"body": b'{"status":"pending\xff\xfe\xed\xa0\x80","identifier":{}}'}),
    "half a surrogate": ("authz", {"body": '{"status":"\\ud800","identifier":{}}'}),
    "a million spaces": ("order", {"body": " " * MI}),
}


def peak_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0])


def test_f12_too_much_of_everything_is_refused_early_costs_no_memory_and_the_order_ends_valid(through):
    t = through(env=QUICK)
    warm = t.order("warm.example.test")
    t.all_end_valid_once([warm])
    core = t.bed.server.parts()["core"]
    before = peak_kib(core)
    orders = [warm]
    for name, (kind, rule) in TOO_MUCH.items():
        if "body" in rule:
            rule = {"status": 201 if kind == "new-order" else 200, **rule, "headers": {"Content-Type": "application/json", **rule.get("headers", {})}}
        start = time.monotonic()
        t.proxy.rule(kind, **rule)
        made = t.order(f"much{len(orders)}.example.test")
        over = until_over(t.bed, [made["id"]], 150)
        assert over.get(made["id"], {}).get("status") == "valid", (name, t.show(made)["reason"], t.events(made))
        assert not t.proxy.pending(), f"{name}: was not met"
        print(f"{name}: {time.monotonic() - start:.1f} s, peak {peak_kib(core)} KiB")
        orders.append(made)
    assert t.bed.server.parts()["core"] == core, "the process is the same"
    assert all(f["sent"] < 64 * MI for f in t.proxy.floods), f"taken: {[f['sent'] for f in t.proxy.floods]}"
    assert len(t.proxy.floods) == 3
    grown = peak_kib(core) - before
    assert grown < 8 * 1024, f"core grew by {grown} KiB"
    t.all_end_valid_once(orders)
