# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the drills: whole installations in the networks they live in."""
import importlib.util
import pathlib
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests" / "fake"), str(TOP / "tests" / "scenario")]

spec = importlib.util.spec_from_file_location("scenario_conftest", TOP / "tests" / "scenario" / "conftest.py")
scenario = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scenario)
tls, scratch, make_bed = scenario.tls, scenario.scratch, scenario.make_bed
pytest_runtest_makereport = scenario.pytest_runtest_makereport

import installed  # noqa: E402 (what it needs is on the path only now)


@pytest.fixture
def site(scratch):
    """A network with a CA and the package installed in a machine of its own."""
    one = installed.Site(scratch)
    print(f"\n{one.server.way}")
    with one:
        yield one
    one.stop()
