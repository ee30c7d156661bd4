#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Removes the guards of net/, acme/ and engine/ one by one and runs their unit tests: each removal must make a test fail.

    guards.py SOURCE-DIR [WORK-DIR] [first] [last]

The source is copied; nothing in it is changed. Prints one line per guard, exits 1 when a guard could go unnoticed."""
import os, shutil, subprocess, sys, tempfile

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
    ("acme/problem.c", "if (link)\n\t\treturn xasprintf", "if (0)\n\t\treturn xasprintf"),
]
TESTS = ["net/url", "net/http", "net/policy", "net/client", "acme/calls", "acme/hostile", "engine/rates", "engine/orders", "engine/steps"]

def main():
    source = os.path.abspath(sys.argv[1])
    work = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()
    first, last = (int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 4 else (0, len(G))
    tree, build = os.path.join(work, "tree"), os.path.join(work, "build")
    if not os.path.isdir(build):
        shutil.copytree(source, tree, symlinks=True, ignore=shutil.ignore_patterns("build*", ".git", "node_modules"))
        subprocess.run(["meson", "setup", build, tree], check=True, stdout=subprocess.DEVNULL)
    binaries = ["tests/unit/%s/test_%s" % (t.split("/")[0], t.replace("/", "_")) for t in TESTS]
    def verdict():
        b = subprocess.run(["ninja", "-C", build, "-j2", *binaries], capture_output=True, text=True)
        if b.returncode:
            return "does not build: " + b.stdout[-300:]
        for x in binaries:
            try:
                r = subprocess.run([os.path.join(build, x)], capture_output=True, text=True, timeout=60)
            except subprocess.TimeoutExpired:
                return "noticed by " + os.path.basename(x) + " (hangs)"
            if r.returncode:
                failed = [l.split("]")[1].strip() for l in (r.stdout + r.stderr).splitlines() if "FAILED  ]" in l and "listed" not in l]
                return "noticed by %s: %s" % (os.path.basename(x), failed[0] if failed else "crash")
        return None
    if verdict():
        print("the tests fail before anything is removed")
        return 1
    bad = 0
    for i, (name, old, new) in enumerate(G[first:last], first):
        path = os.path.join(tree, "src", name)
        with open(path) as f:
            text = f.read()
        if text.count(old) != 1:
            print(f"{i}: {name}: found {text.count(old)} times: {old.splitlines()[0]}", flush=True)
            bad += 1
            continue
        with open(path, "w") as f:
            f.write(text.replace(old, new))
        v = verdict()
        with open(path, "w") as f:
            f.write(text)
        print(f"{i}: {name}: {old.splitlines()[0].strip()[:70]}: {v or 'NOT NOTICED'}", flush=True)
        bad += v is None or v.startswith("does not build")
    print(f"{last - first} guards, {bad} of them not shown to be needed")
    return 1 if bad else 0

sys.exit(main())
