# SPDX-License-Identifier: Apache-2.0
"""The alerts and the dashboard of the package ask for what the server tells, and Prometheus's own tool can read them."""
import json
import re
import shutil
import subprocess

import pytest
import yaml

import bed as beds

RULES, DASHBOARD = (beds.TOP / "packaging/monitoring" / name for name in ("certwright.rules.yml", "certwright-dashboard.json"))


@pytest.fixture(scope="module")
def told():
    """The families that a server tells, after an hour or a second."""
    folder = beds.scratch("certwright-monitoring-")
    server = beds.Server(folder, user=beds.user_of_parts()).start()
    text = server.http("/metrics")[1].decode()
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
    return set(re.findall(r"^# TYPE (\S+)", text, re.M))


def asked(expression):
    return set(re.findall(r"\bcertwright_[a-z0-9_]+", expression))


def test_every_alert_is_about_something_that_is_told_and_says_what_to_do(told):
    rules = [r for g in yaml.safe_load(RULES.read_text())["groups"] for r in g["rules"]]
    assert len({r["alert"] for r in rules}) == len(rules) >= 10
    for rule in rules:
        assert asked(rule["expr"]) <= told, rule["alert"]
        assert rule["annotations"]["summary"] and rule["annotations"]["action"] and rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]


def test_every_panel_of_the_dashboard_shows_something_that_is_told(told):
    board = json.loads(DASHBOARD.read_text())
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        for target in panel["targets"]:
            assert asked(target["expr"]) and asked(target["expr"]) <= told, panel["title"]
            assert target["expr"].count("(") == target["expr"].count(")"), panel["title"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_takes_the_alerts():
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
