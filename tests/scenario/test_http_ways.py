# SPDX-License-Identifier: Apache-2.0
"""The ways of HTTP-01 that need somebody else's web server: ready texts in a real nginx (redirect, forward) and iRules under tclsh, a web root, a
BIG-IP with kill -9 between publish and withdraw; Pebble judges them."""
import contextlib
import shutil
import subprocess

import pytest
from helpers import order, wait_order

import bed as beds
import bigip

PATH = "/.well-known/acme-challenge/"


def texts(bed, host):
    return {(t["way"], t["name"]): t["text"] for t in bed.server.call("challenge", "texts", "--host", host, "--json")["items"]}


@contextlib.contextmanager
def nginx(folder, port, location):
    conf = folder / f"nginx-{port}.conf"
    conf.write_text(f"daemon off; master_process off; pid {folder}/nginx-{port}.pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off;\n"
                    + "".join(f"{kind}_temp_path {folder}/{kind}-{port};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
                    + f"server {{ listen 127.0.0.1:{port};\n{location}\nlocation / {{ return 404; }} }} }}\n")
    checked = subprocess.run(["nginx", "-t", "-c", conf], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = beds.Process(f"nginx-{port}", ["nginx", "-c", conf], folder)
    try:
        yield process
    finally:
        process.stop()


def test_the_irule_texts_are_tcl_and_do_what_they_say(bed):
    if not shutil.which("tclsh"):
        pytest.skip("tclsh is not installed")
    rule = texts(bed, "acme.example.net")[("redirect", "irule")]
    stub = """
namespace eval HTTP { proc path {} { return $::path }; proc respond {args} { puts -nonewline $args } }
proc pool {name} { puts -nonewline "pool $name" }
proc event {args} {}
proc when {ev body} { proc run {} $body }
"""
    def run(text, path):
        done = subprocess.run(["tclsh"], input=f"{stub}\n{text}\nset ::path {path}\nrun\n", capture_output=True, text=True, timeout=20, check=False)
        assert not done.stderr, done.stderr
        return done.stdout
    assert "302" in run(rule, PATH + "abc") and f"http://acme.example.net{PATH}abc" in run(rule, PATH + "abc")
    assert run(rule, "/index.html") == ""
    rule = texts(bed, "acme.example.net")[("forward", "irule")]
    assert run(rule, PATH + "abc") == "pool acme_challenge" and run(rule, "/") == ""


def test_a_host_with_more_than_a_name_in_it_is_in_no_text(bed):
    for host in ("a;b", "a b", "a\nb", "a{b", 'a"b'):
        assert bed.server.cli("challenge", "texts", "--host", host).status == 2
