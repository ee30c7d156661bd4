# SPDX-License-Identifier: Apache-2.0
"""The eight questions of an auditor (tests/scenario/test_auditor.py), one command each, on a machine where the package was installed."""
import shutil

import pytest

import bed as beds
import installed
import machine
from test_auditor import (Year, test_1_who_may_do_what_and_when_did_each_sign_in_last, test_2_which_tokens_are_there,  # noqa: F401 (they are run here)
                          test_3_which_certificates_from_whom_whose_and_who_ordered_them, test_4_who_took_a_private_key_away_and_why,
                          test_5_which_renewals_fail_or_have_failed_since_when_and_why, test_6_which_settings_weaken_something, test_7_who_gave_which_right,
                          test_8_what_was_removed_and_by_whom)

pytestmark = pytest.mark.skipif(machine.why_not() is not None, reason=str(machine.why_not()))


@pytest.fixture(scope="module")
def year():
    folder = beds.scratch("certwright-auditor-")
    site = installed.Site(folder, never=["nowhere.example.test"])
    print(f"\n{site.server.way}")
    with site:
        site.open(**{"resolve.ask_view": "yes", "dns.rate_limit": "0"})
        yield Year(site)
    site.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_all_of_it_goes_into_a_folder_of_the_host(year):
    done = year.command("--out", "/root/report")
    assert done.status == 0, done
    report = year.server.machine.path("/root/report")
    assert "index.md" in {p.name for p in report.iterdir()} and len(list(report.glob("*.csv"))) == 8
