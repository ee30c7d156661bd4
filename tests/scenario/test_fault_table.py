# SPDX-License-Identifier: Apache-2.0
"""The fault table: which test shows what the product does at which fault. A row without a test that exists fails.

A test is named by its file and its name (a function of C or Python, a target of fuzzing, or a program with its arguments in the Makefile).
"""
import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
FAULTS, ANSWERS, SERVER = "tests/scenario/test_faults.py", "tests/scenario/test_fault_answers.py", "tests/scenario/test_server.py"
STORE, STUCK, STEPS = "tests/contract/store_faults.c", "tests/unit/engine/stuck.c", "tests/unit/engine/steps.c"
DURABLE, NET, ACME = "tests/unit/engine/durable.c", "tests/unit/net", "tests/unit/acme"

ROWS = {
    "F1 kill -9 at each point": [("Makefile", "tests/crash/loop.py"), (DURABLE, "durable_when_killed_at_any_point")],
    "F2 a crash during recovery": [("Makefile", "--pairs"), (DURABLE, "durable_when_killed_again_while_it_recovers")],
    "F3 power loss": [("tests/contract/store_power.c", "what_was_acknowledged_survives_a_power_failure_at_any_write"), (STORE, "a_disk_error_ends_writing_until_a_restart"), (STORE, "a_damaged_file_is_refused_with_advice")],
    "F4 a restart storm": [("tests/scenario/test_broken_things.py", "test_core_killed_again_and_again_loses_nothing"),
                           ("tests/unit/app", "pauses_grow_and_stay_bounded"), (STEPS, "an_order_that_ends_the_process_is_set_aside_and_the_others_end_valid")],
    "F5 SIGTERM in the middle": [(SERVER, "test_sigterm_ends_everything_in_order_and_frees_the_state"), (FAULTS, "test_f5_")],
    "F6 reload": [(SERVER, "test_a_reload_changes_the_level_of_the_log"), ("tests/scenario/test_api_rules.py", "test_the_certificate_files_are_read_again_while_streams_stay_open")],
    "F7 the same request many times": [("tests/unit/engine/orders.c", "the_same_request_gets_the_live_order"), (STORE, "a_race_to_create_has_one_winner_and_no_errors"),
                                       (FAULTS, "test_f7_"), ("tests/scenario/test_api_rules.py", "test_twenty_requests_with_one_key_make_one_object")],
    "F8 nonces": [(FAULTS, "test_f8_"), ("tests/scenario/test_broken_things.py", "test_a_ca_that_refuses_every_second_nonce"),
                  (ACME, "ten_bad_nonces_are_enough")],
    "F9 Retry-After and 503": [(FAULTS, "test_f9_retry_after"), (FAULTS, "test_f9_a_load_balancers_503"), (NET, "retry_after_is_read_in_all_its_forms"),
                               (STUCK, "a_debt_that_meets_a_busy_vendor_parks_it_for_all")],
    "F10 other answers than answers": [(ANSWERS, "test_f10_every_status"), (ANSWERS, "test_f10_a_redirect"), (ANSWERS, "test_f10_answers_to_directory")],
    "F11 cut answers": [(FAULTS, "test_f11_"), (NET, "an_answer_cut_anywhere_is_an_error"), (ACME, "a_body_cut_anywhere_is_never_taken")],
    "F12 too much of everything": [(ANSWERS, "test_f12_"), (ACME, "authorizations_have_a_limit"), (ACME, "nesting_has_a_limit"),
                                   (ACME, "challenges_have_a_limit"), (ACME, "tokens_have_a_limit")],
    "F13 a slow CA": [(FAULTS, "test_f13_"), (NET, "silence_ends_with_the_deadline"), (STEPS, "an_authority_that_never_answers_changes_nothing_for_the_others")],
    "F14 TLS of the CA": [("tests/scenario/test_quirks.py", "test_the_script_ends_as_it_says"), (NET, "a_certificate_is_trusted_by_ca_or_fingerprint_only"), (NET, "old_tls_is_refused"), (NET, "each_failure_names_its_leg")],
    "F15 the name of the CA": [("tests/scenario/test_ca_name.py", "test_the_name_of_the_authority_cannot_be_looked_up"), ("tests/scenario/test_ca_name.py", "test_an_authority_with_a_thousand_addresses"),
                               (NET, "each_failure_names_its_leg"), (NET, "no_spelling_reaches_a_local_address")],
    "F16 odd authorizations and certificates": [(STUCK, "pending_though_all_is_proved_tells_a_person_and_ends"), (STEPS, "an_order_that_comes_with_a_failed_authorization"),
                                                ("tests/unit/engine/orders.c", "another_certificate_than_ordered_is_kept_as_evidence_and_set_aside"),
                                                (STUCK, "a_certificate_is_asked_for_again_whatever_the_refusal")],
    "F19 the clock": [(FAULTS, "test_f19_")],
    "F20 no room, a broken disk": [(FAULTS, "test_f20_a_full_disk"), (FAULTS, "test_f20_a_disk_that_becomes_read_only"), (STORE, "a_full_disk_refuses_and_heals_without_a_restart"),
                                   (STORE, "a_disk_error_ends_writing_until_a_restart"), (DURABLE, "durable_when_any_write_fails")],
    "F21 the database is busy or replaced": [(FAULTS, "test_f21_"), (STORE, "a_lock_of_another_process_is_waited_for"), (STORE, "a_replaced_file_is_noticed"),
                                             (STORE, "network_file_systems_are_known")],
    "F22 a damaged database": [(STORE, "a_damaged_file_is_refused_with_advice"), ("tests/contract/store_flips.c", "no_flipped_bit_gives_another_key")],
    "F23 a database that cannot be used at the start": [(STORE, "what_cannot_be_opened_says_why"), (SERVER, "test_a_wrong_master_key_is_refused_at_start")],
    "F24 PostgreSQL": [(STORE, "a_server_that_dies_loses_nothing_and_doubles_nothing"), (STORE, "a_commit_whose_answer_is_lost_happens_exactly_once"),
                       (STORE, "a_deadlock_is_run_again"), ("Makefile", "--database postgresql")],
    "F26 two nodes, one of them stopped": [("Makefile", "tests/crash/pause.py"), (STEPS, "the_result_of_a_worker_without_its_lease_is_dropped")],
    "F28 a worker that hangs": [(FAULTS, "test_f28_")],
    "F30 one part is killed": [(FAULTS, "test_f30_")],
    "F31 no file descriptor": [(FAULTS, "test_f31_")],
    "F32 no thread, no child, no entropy": [(FAULTS, "test_f32_"), ("tests/unit/app", "a_program_that_cannot_start_is_an_error_at_once")],
}
REQUIRED = [*range(1, 17), *range(19, 25), 26, 28, 30, 31, 32]


def text_of(place):
    path = TOP / place
    files = [path] if path.is_file() else sorted(path.rglob("*.c"))
    return "\n".join(f.read_text() for f in files)


def is_there(place, name):
    text = text_of(place)
    if place == "Makefile":
        return name in text
    return re.search(rf"^(def|static void) {re.escape(name)}\w*\(" if place.endswith(".py") or not place.endswith(".c") else rf"^static void {re.escape(name)}\w*\(", text, re.M)


def test_every_row_that_is_asked_for_is_in_the_table():
    assert [int(re.match(r"F(\d+) ", row).group(1)) for row in ROWS] == REQUIRED


@pytest.mark.parametrize("row", ROWS)
def test_the_row_has_tests_that_exist(row):
    assert ROWS[row]
    missing = [f"{place}: {name}" for place, name in ROWS[row] if not is_there(place, name)]
    assert not missing, missing


def test_every_name_that_the_page_about_hardening_gives_is_a_test():
    page = (TOP / "docs" / "hardening.md").read_text()
    tests = "\n".join(file.read_text() for kind in ("*.py", "*.c") for file in sorted((TOP / "tests").rglob(kind)))
    named = re.findall(r"\*([a-z0-9_]{12,})(?:\.\.\.)?\*", page)
    missing = [name for name in named if not re.search(rf"(def test_|static void ){name}", tests)]
    missing += [name for name in re.findall(r"`(test_[a-z0-9_]+)`", page) if not list((TOP / "tests").rglob(f"{name}.py"))]
    missing += [name for name in re.findall(r"`((?:api|app|engine|keys|model|net|service)/[a-z_]+)`", page) if not (TOP / "tests/unit" / f"{name}.c").is_file()]
    assert len(named) > 50 and not missing, missing
