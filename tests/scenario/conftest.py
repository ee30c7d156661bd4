# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the scenario tests: the real programs against a real test CA that asks our own DNS and HTTP-01."""
import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fake"))
import bed as beds  # noqa: E402


def pytest_collection_modifyitems(items):
    for item in items:
        item.user_properties.append(("folder", str(item.path)))


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    """One TLS identity for all the CAs of a run."""
    folder = tmp_path_factory.mktemp("tls")
    beds.make_tls(folder)
    return folder


@pytest.fixture
def scratch(request):
    """A folder the parts' user may enter; kept, and its logs shown, when the test fails."""
    folder = beds.scratch("certwright-test-")
    yield folder
    failed = getattr(request.node, "failed_call", False)
    if failed:
        for log in sorted(folder.rglob("*.log")):
            text = log.read_text(errors="replace")
            print(f"\n==== {log}\n{text[-6000:]}")
    if not os.environ.get("BED_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when in ("setup", "call") and report.failed:
        item.failed_call = True


@pytest.fixture
def make_bed(scratch, tls):
    """make_bed(pebble_env={...}, strict=False, settings={...}, never=[...]) starts everything; ended after the test."""
    if not beds.PROGRAM.exists():
        pytest.fail(f"'{beds.PROGRAM}' is not built")
    made = []

    def make(start=True, **options):
        folder = scratch / f"bed{len(made)}"
        folder.mkdir()
        one = beds.Bed(folder, tls=tls, **options)
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def bed(make_bed):
    return make_bed()


@pytest.fixture
def through(make_bed):
    """through(env={...}) is a bed whose account is at the CA behind a fault proxy (through.py)."""
    from through import Through
    made = []

    def make(**options):
        options.setdefault("pebble_env", {"PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"})
        made.append(Through(make_bed(**options)))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def postgres(scratch):
    if not list(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        pytest.skip("PostgreSQL is not installed")
    server = beds.Postgres(scratch)
    yield server
    server.stop()
