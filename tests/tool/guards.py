#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Removes the guards of net/, acme/, engine/ and model/ one by one and runs the unit tests of that part: each removal must make a test fail.

    guards.py SOURCE-DIR [--work DIR] [--from N] [--to N] [--table FILE]

The source is copied; nothing in it is changed. Prints one line per guard, exits 1 when a guard could go unnoticed or is not there any
more. --table writes what was found as a table of docs/guards.md."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

G = [  # file, what stands there, what is put in its place
    ("net/url.c", 'if (strchr("\\\\\\"<>", *s))', "if (0)"),
    ("net/url.c", "if (i == n && is_numeric_label(s + start, n - start))", "if (0)"),
    ("net/url.c", "if (*s == '#')", "if (0)"),
    ("net/url.c", "if (n > LIMIT_CA_URL)\n\t\treturn bad(err, text, 200", "if (0)\n\t\treturn bad(err, text, 200"),
    ("net/url.c", "if (!url_same_origin(base, &u) && !listed(also, &u))", "if (0)"),
    ("net/url.c", "return a->https == b->https && a->port == b->port && streq(a->host, b->host);", "return a->https == b->https && streq(a->host, b->host);"),
    ("net/policy.c", "if (c == NET_ADDRESS_NEVER)\n\t\treturn false;", ""),
    ("net/policy.c", "if (!r && embedded_v4(p, v4))", "if (0 && embedded_v4(p, v4))"),
    ("net/policy.c", "if (!r && (p[0] & 0xe0) != 0x20)", "if (0)"),
    ("net/policy.c", "if (port_forbidden(u->port))", "if (0)"),
    ("net/policy.c", "if (by_proxy && addr_parse_ip", "if (0 && addr_parse_ip"),
    ("net/client.c", "\tif (!ok) {\n", "\tif (0) {\n"),
    ("net/client.c", "if (t->header_bytes > LIMIT_CA_HEADERS)", "if (0)"),
    ("net/client.c", "SET(FOLLOWLOCATION, 0L);", "SET(FOLLOWLOCATION, 1L);"),
    ("net/client.c", "SET(HTTP_CONTENT_DECODING, 0L);", 'SET(ACCEPT_ENCODING, "");'),
    ("net/client.c", "if (code == CURLE_OK && (!t->headers_over || status < 200))", "if (0)"),
    ("net/client.c", "t->bad_length = p != end || !digits;", "t->bad_length = false;"),
    ("net/client.c", "if (!value_ok(value) || !value_ok(name)", "if (0"),
    ("net/client.c", "SET(SSL_VERIFYHOST, by_certificate ? 0L : 2L);", "SET(SSL_VERIFYHOST, 0L);"),
    ("net/client.c", "SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);", "SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_0);\n\tSET(SSL_CIPHER_LIST, \"ALL:@SECLEVEL=0\");"),
    ("net/client.c", "if (s->key && streq(s->key, key))", "if (s->key)"),
    ("net/client.c", "if (t->client->stop && stop_raised(t->client->stop))", "if (0)"),
    ("net/trust.c", "if (c->look_only || (*c->fingerprint && streq(c->fingerprint, c->peer->fingerprint)))", "if (c->look_only || *c->fingerprint)"),
    ("net/trust.c", "r = X509_verify_cert(ctx);", "r = 1;"),
    ("net/http.c", "return MAX(min_ms, MIN(span, max_ms));", "return span;"),
    ("acme/session.c", "if (err->code != ERR_NONCE || tries + 1 == LIMIT_NONCE_TRIES)", "if (err->code != ERR_NONCE || tries + 1 == LIMIT_NONCE_TRIES + 1)"),
    ("acme/session.c", "nonce = acme_nonce_usable(given) ? xstrdup(given) : NULL;", "nonce = NULL;"),
    ("acme/session.c", "if (!acme_nonce_usable(nonce))\n\t\treturn acme_answer_unusable", "if (!nonce)\n\t\treturn acme_answer_unusable"),
    ("acme/session.c", "if (!says_json(r))", "if (0)"),
    ("acme/session.c", "return url_pin(acme_ca_parsed(s->ca), s->also_hosts, u.text, ret, err);", "*ret = xstrdup(u.text);\n\treturn 0;"),
    ("acme/session.c", 'if (!streq(type, "dns") || !is_dns_name', 'if (0 && !is_dns_name'),
    ("acme/session.c", "if (!s->gate || s->gate(s->gate_data, c->kind, err) == 0)", "if (1)"),
    ("acme/session.c", "if (left <= 0)", "if (0)"),
    ("acme/problem.c", 'if (!http_is_type(r, "application/problem+json") && !http_is_type(r, "application/json"))', "if (0)"),
    ("acme/problem.c", "if (f->status == 503)\n\t\tf->scope", "if (0)\n\t\tf->scope"),
    ("acme/problem.c", "f->scope = limit_scope(kind);", "f->scope = ACME_SCOPE_VENDOR;"),
    ("acme/problem.c", "if (code == ERR_REMOTE_REFUSED && (f->status == 404 || f->status == 410) && is_resource(kind))", "if (0)"),
    ("acme/types.c", "return err_set(err, ERR_INVALID, \"unknown status", "*ret = 1;\n\treturn 0;\n\treturn err_set(err, ERR_INVALID, \"unknown status"),
    ("acme/order.c", "if (strlist_equal(&w, got))", "if (1)"),
    ("acme/order.c", 'return "the order is pending but has no authorizations";', "return NULL;"),
    ("acme/order.c", 'return "the order is valid but has no certificate";', "return NULL;"),
    ("acme/order.c", "} else if (q->replaces && worth_less(f)) {", "} else if (0) {"),
    ("acme/order.c", "f->status != 429 && !acme", "!acme"),
    ("acme/authz.c", "if (!token_ok(w.token))", "if (0)"),
    ("acme/authz.c", "if (n > LIMIT_CA_CHALLENGES)", "if (0)"),
    ("acme/certificate.c", "if (n++ == LIMIT_CHAIN_CERTIFICATES)", "if (n++ == 100)"),
    ("acme/certificate.c", "if (inside)\n\t\treturn err_set", "if (0)\n\t\treturn err_set"),
    ("acme/certificate.c", "if (der.n < 4 || (unsigned char)der.p[0] != 0x30)", "if (0)"),
    ("acme/certificate.c", 'return err_set(err, ERR_INVALID, "the chain has something else than certificates', 'continue;\n\t\t\treturn err_set(err, ERR_INVALID, "the chain has something else than certificates'),
    ("acme/renewal.c", "if (i->end_ms <= i->start_ms)", "if (0)"),
    ("acme/ca.c", "if (!acme_nonce_usable(nonce))\n\t\treturn;", ""),
    ("acme/ca.c", "drop_stale(ca, boot_ms);\n\tif (ca->n_nonces)", "if (ca->n_nonces)"),
    ("acme/ca.c", "drop_oldest(ca, 1);", "return (void)pthread_mutex_unlock(&ca->lock);"),
    ("acme/account.c", 'if (!strchr(mail, \'@\') || mail[strcspn(mail, ",?&;<>\\"\\\\ \\t\\r\\n%")]', "if (0"),
    ("acme/account.c", "orders = json_string_value(w.orders);", "orders = (const char *)w.orders;"),
    ("acme/order.c", "q->profile && q->profile_optional && acme", "q->profile && acme"),
    ("acme/order.c", "} else if (q->not_after_ms && worth_less(f)) {", "} else if (0) {"),
    ("engine/step_issue.c", "if (chain_check(&c, &want, &why) < 0)", "if (0)"),
    ("engine/steps.c", "if (its && !r->through && r->o.want_refresh > r->o.updated_ms) {", "if (0) {"),
    ("engine/rate.c", "wait += b->queued[k]++ * r.period_ms / r.number;", ""),
    ("engine/rate.c", "rc = tell(g, v, &c, err);", "rc = 0;"),
    ("engine/rate.c", "	want(c, g, v, RATE_SET, o->names_hash, finalize);", ""),
    ("engine/rate.c", "		want_domains(c, g, v, finalize);", ""),
    ("engine/verdict.c", "	set_reason(r, why);\n	run_event(r, EVENT_WARNING, NULL, \"%s; goes on at %s\"", "	run_event(r, EVENT_WARNING, NULL, \"%s; goes on at %s\""),
    ("model/rate.c", "if (passed <= 0) {", "if (0) {"),
    ("model/rate.c", "b->at_ms += more * r.period_ms / (1000 * (int64_t)r.number);", "b->at_ms = now_ms;"),
    ("engine/steps.c", "if (r->retry_after_ms && !v->keep && asks & BIT(v->next))", "if (0)"),
    ("engine/step_validate.c", "*v = (struct verdict){ .next = STEP_ACCEPT, .due_ms = engine_now(r->e) + span };",
     "*v = (struct verdict){ .next = STEP_ACCEPT, .due_ms = engine_now(r->e) + 0 * span };"),
    ("engine/step_authorize.c", "	note_words(row, a, c);\n", ""),
    ("acme/problem.c", "if (link)\n\t\treturn xasprintf", "if (0)\n\t\treturn xasprintf"),
]
# Which tests are asked about a folder's guards, the likeliest first.
TESTS = {
    "net": ["net/url", "net/http", "net/policy", "net/client", "acme/hostile"],
    "acme": ["acme/calls", "acme/hostile", "engine/steps", "engine/rates"],
    "engine": ["engine/rates", "engine/steps", "engine/orders"],
    "model": ["engine/rates", "engine/orders"],
}


def binary(test):
    return f"tests/unit/{test.split('/')[0]}/test_{test.replace('/', '_')}"


def failed_test(done):
    for line in (done.stdout + done.stderr).splitlines():
        if "FAILED  ]" in line and "listed" not in line:
            return line.split("]")[1].strip()
    return "the test program ended"


def verdict(build, tests):
    """None: everything passes, nobody noticed; else what did."""
    built = subprocess.run(["ninja", "-C", build, "-j2", *map(binary, tests)], capture_output=True, text=True, check=False)
    if built.returncode:
        return "does not build: " + built.stdout[-300:]
    for test in tests:
        try:
            done = subprocess.run([os.path.join(build, binary(test))], capture_output=True, text=True, check=False, timeout=300)
        except subprocess.TimeoutExpired:
            return f"{test}: hangs"
        if done.returncode:
            return f"{test}: {failed_test(done)}"
    return None


def without(tree, build, guard):
    """What is said when this guard is not there."""
    name, old, new = guard
    path = os.path.join(tree, "src", name)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if text.count(old) != 1:
        return f"does not build: the guard was found {text.count(old)} times"
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
        return verdict(build, TESTS[name.split("/")[0]])
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("source")
    args.add_argument("--work")
    args.add_argument("--from", dest="first", type=int, default=0)
    args.add_argument("--to", dest="last", type=int, default=len(G))
    args.add_argument("--table")
    args = args.parse_args()
    work = args.work or tempfile.mkdtemp(prefix="guards-")
    tree, build = os.path.join(work, "tree"), os.path.join(work, "build")
    if not os.path.isdir(build):
        shutil.copytree(os.path.abspath(args.source), tree, symlinks=True, ignore=shutil.ignore_patterns("build*", ".git", "node_modules", ".pytest_cache"))
        subprocess.run(["meson", "setup", build, tree], check=True, stdout=subprocess.DEVNULL)
    for part, tests in TESTS.items():
        whole = verdict(build, tests)
        if whole:
            print(f"{part}: a test fails before anything is removed: {whole}")
            return 1
    bad, rows = 0, []
    for i, guard in enumerate(G[args.first:args.last], args.first):
        said = without(tree, build, guard)
        shown = said is not None and not said.startswith("does not build")
        bad += not shown
        what = " ".join(guard[1].split())[:90]
        print(f"{i}: {guard[0]}: {what}: {said or 'NOT NOTICED'}", flush=True)
        rows.append((i, guard[0], what.replace("|", "\\|"), said or "**nobody noticed**"))
    print(f"{len(rows)} guards, {bad} of them not shown to be needed")
    if args.table:
        with open(args.table, "w", encoding="utf-8") as f:
            f.write("| | File | Removed | Noticed by |\n|---|---|---|---|\n")
            f.writelines(f"| {i} | `{name}` | `{what}` | {said} |\n" for i, name, what, said in rows)
    if not args.work:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if bad else 0


sys.exit(main())
