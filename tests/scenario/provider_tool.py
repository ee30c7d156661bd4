# SPDX-License-Identifier: Apache-2.0
"""One call of one publisher through tests/tool/provider: the product's own HTTP client, runner and publisher, without server or store."""
import json
import subprocess

import bed

TOOL = bed.BUILD / "tests" / "tool" / "provider"
VALUES = ["LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0", "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"]


def provider(kind, act, name, *values, before=(), **fields):
    """The tool's answer. Fields are the provider's; trust=, zone=, program= are the tool's own."""
    own = {"trust", "zone", "program"}
    args = [f"{'+' if key in own else ''}{key}={value}" for key, value in fields.items() if value is not None]
    done = subprocess.run([*before, str(TOOL), kind, act, name, *values, "--", *args], capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout.startswith("{"), f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def fine(kind, act, name, *values, **fields):
    answer = provider(kind, act, name, *values, **fields)
    assert answer["ok"], answer["error"]
    return answer["result"]


def refused(code, kind, act, name, *values, **fields):
    answer = provider(kind, act, name, *values, **fields)
    assert answer["code"] == code, answer
    return answer["error"]
