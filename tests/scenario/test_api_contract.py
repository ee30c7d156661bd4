# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml beside the route and decode tables of the program: any difference fails."""
import re
import json
import subprocess

import bed as beds
import pytest
from api_client import SPEC, operations, resolve


@pytest.fixture(scope="module")
def tables():
    done = subprocess.run([str(beds.BUILD / "tests" / "tool" / "api-server"), "tables"], capture_output=True, text=True, check=True)
    return {(t["method"], t["path"]): t for t in json.loads(done.stdout)}


def ids():
    return [f"{m} {p}" for m, p, _ in operations()]


ALL = list(operations())


def test_every_route_is_described_and_every_described_route_exists(tables):
    assert set(tables) == {(m, p) for m, p, _ in ALL}


@pytest.mark.parametrize("method,path,op", ALL, ids=ids())
def test_operation_and_permission_agree(tables, method, path, op):
    t = tables[method, path]
    assert t["operation"] == op["operationId"]
    assert t["permission"] == op["x-permission"]
    assert (op.get("security") == []) == (t["permission"] == "none")


@pytest.mark.parametrize("method,path,op", ALL, ids=ids())
def test_statuses_agree(tables, method, path, op):
    assert sorted(int(s) for s in op["responses"]) == tables[method, path]["statuses"]


@pytest.mark.parametrize("method,path,op", ALL, ids=ids())
def test_parameters_agree(tables, method, path, op):
    t = tables[method, path]
    params = [resolve(p) for p in op.get("parameters", [])]
    assert t["if_match"] == any(p["name"] == "If-Match" for p in params)
    assert t["idempotency_key"] == any(p["name"] == "Idempotency-Key" for p in params)
    assert set(re.findall(r"{(\w+)}", path)) == {p["name"] for p in params if p["in"] == "path"}
    queries = {p["name"]: p for p in params if p["in"] == "query"}
    assert set(queries) == {f["name"] for f in t["query"]}
    for f in t["query"]:
        same_limits(f, queries[f["name"]]["schema"], f"{path}?{f['name']}")


def same_limits(field, schema, at):
    if field["type"] == "object" and isinstance(schema["type"], list):  # the service reads what is in it; null takes it away
        assert schema["type"] == ["object", "null"], at
        return
    assert schema["type"] == field["type"], at
    assert schema.get("enum") == field.get("enum"), at
    if field["type"] == "integer":
        assert (schema.get("minimum", 0), schema.get("maximum", 0)) == (field["min"], field["max"]), at
    elif field["type"] == "array":
        assert (schema.get("minItems", 0), schema["maxItems"]) == (field["min"], field["max"]), at
        assert schema["items"]["maxLength"] == field["item_max"], at
    elif field["type"] == "string" and "enum" not in field:
        assert (schema.get("minLength", 0), schema["maxLength"]) == (field["min"], field["max"]), at


@pytest.mark.parametrize("method,path,op", ALL, ids=ids())
def test_body_members_agree(tables, method, path, op):
    t = tables[method, path]
    assert ("requestBody" in op) == t["has_body"]
    if not t["has_body"]:
        return
    schema = resolve(op["requestBody"]["content"]["application/json"]["schema"])
    assert schema["additionalProperties"] is False
    fields = {f["name"]: f for f in t["body"]}
    assert set(schema["properties"]) == set(fields)
    assert set(schema.get("required", [])) == {n for n, f in fields.items() if f["required"]}
    for name, f in fields.items():
        same_limits(f, schema["properties"][name], f"{path} {name}")


SAYS_WHETHER = {"ChannelSettings.password"}  # set, or null: test_notify.py holds the answer against it


def test_secrets_are_never_in_an_answer():
    """Members that hold secrets stand in requests only. A secret that is handed out once has a schema of its own, ...WithSecret, which only
    an operation that makes it answers with."""
    words = ("password", "hmac", "secret", "private")
    requests = {op["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1] for _, _, op in ALL if "requestBody" in op}
    for name, schema in SPEC["components"]["schemas"].items():
        if name.endswith("WithSecret"):
            assert {m for m, _, op in ALL if f"/schemas/{name}'" in str(op["responses"])} == {"POST"}, name
        elif name not in requests:
            for member in schema.get("properties", {}):
                assert f"{name}.{member}" in SAYS_WHETHER or not any(w in member for w in words), f"{name}.{member}"
