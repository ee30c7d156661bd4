# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that need a build made with -Dcrash_hooks=true (named by CERTWRIGHT_BUILD, build-crash by default)."""
import os
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
os.environ["CERTWRIGHT_BUILD"] = str(pathlib.Path(os.environ.get("CERTWRIGHT_BUILD", TOP / "build-crash")).resolve())
sys.path[:0] = [str(TOP / "tests" / name) for name in ("fake", "scenario", "crash")]
import importlib.util  # noqa: E402

import pytest  # noqa: E402

spec = importlib.util.spec_from_file_location("scenario_conftest", TOP / "tests" / "scenario" / "conftest.py")
scenario = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scenario)
tls, scratch, make_bed, postgres = scenario.tls, scenario.scratch, scenario.make_bed, scenario.postgres
pytest_runtest_makereport = scenario.pytest_runtest_makereport


class Rules:
    """The file of crash rules (base/crash.h), readable for the server's user."""

    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o777)
        self.path = folder / "rules"
        self.set()

    def set(self, *lines):
        new = self.path.with_suffix(".new")
        new.write_text("".join(line + "\n" for line in lines))
        new.chmod(0o666)
        new.rename(self.path)

    def left(self):
        """The rules whose point was not reached."""
        return self.path.read_text().splitlines()


@pytest.fixture
def rules(scratch):
    return Rules(scratch / "rules")
