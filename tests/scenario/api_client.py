# SPDX-License-Identifier: Apache-2.0
"""A client of the REST API that holds every answer against openapi.yaml: the status is declared, and the body is its schema
and nothing more."""
import pathlib
import re
import time
import warnings

import requests
import urllib3
import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
SPEC = yaml.safe_load((TOP / "src" / "api" / "openapi.yaml").read_text())
warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}


def resolve(node):
    while isinstance(node, dict) and "$ref" in node:
        at = SPEC
        for part in node["$ref"][2:].split("/"):
            at = at[part]
        node = at
    return node


def operations():
    """(method, path, operation) of the document."""
    for path, item in SPEC["paths"].items():
        for method, op in item.items():
            yield method.upper(), path, op


def find(method, path):
    path = path.split("?")[0]
    fixed = [(m, p, o) for m, p, o in operations() if m == method]
    for _, p, o in sorted(fixed, key=lambda x: "{" in x[1]):
        if re.fullmatch(re.sub(r"\{(id|format)\}", "[^/]+", re.escape(p).replace(r"\{", "{").replace(r"\}", "}")), path):
            return o
    return None


def merge(schema):
    """allOf as one object."""
    schema = resolve(schema)
    if "allOf" not in schema:
        return schema
    out = {"type": "object", "required": [], "properties": {}}
    for part in schema["allOf"]:
        part = merge(part)
        out["required"] += part.get("required", [])
        out["properties"].update(part.get("properties", {}))
    return out


TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def check(value, schema, at="$"):
    """Strict: a member the document does not name is an error."""
    schema = merge(schema)
    if "oneOf" in schema:
        wrong = []
        for one in schema["oneOf"]:
            try:
                return check(value, one, at)
            except AssertionError as e:
                wrong.append(str(e))
        raise AssertionError(f"{at}: fits none: {wrong}")
    types = schema.get("type")
    if types:
        types = types if isinstance(types, list) else [types]
        assert any(isinstance(value, TYPES[t]) and not (t == "integer" and isinstance(value, bool)) for t in types), f"{at}: {value!r} is not {types}"
    if value is None:
        return
    if "enum" in schema:
        assert value in schema["enum"], f"{at}: {value!r} is not one of {schema['enum']}"
    if schema.get("format") == "date-time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), f"{at}: {value!r} is not a time"
    if isinstance(value, dict) and ("properties" in schema or schema.get("type") == "object"):
        props = schema.get("properties", {})
        missing = set(schema.get("required", [])) - set(value)
        assert not missing, f"{at}: without {missing}"
        extra = schema.get("additionalProperties")
        for k, v in value.items():
            if k in props:
                check(v, props[k], f"{at}.{k}")
            elif isinstance(extra, dict):
                check(v, extra, f"{at}.{k}")
            else:
                raise AssertionError(f"{at}: member '{k}' is not in openapi.yaml")
    if isinstance(value, list) and "items" in schema:
        for i, v in enumerate(value):
            check(v, schema["items"], f"{at}[{i}]")


def check_headers(r):
    for name, value in HEADERS.items():
        assert r.headers.get(name) == value, f"{r.request.method} {r.request.url}: header {name} is {r.headers.get(name)!r}"
    policy = r.headers.get("Content-Security-Policy", "")
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy, policy


class Client:
    """One who asks: a token, a session, or nobody."""

    def __init__(self, url, token=None, csrf=None, cookie=None):
        self.url = url
        self.token, self.csrf, self.cookie = token, csrf, cookie
        self.http = requests.Session()
        self.http.verify = False
        self.http.trust_env = False

    def raw(self, method, path, json=None, headers=None, data=None, timeout=120):
        h = dict(headers or {})
        if self.token:
            h.setdefault("Authorization", f"Bearer {self.token}")
        if self.cookie:
            h.setdefault("Cookie", f"__Host-certwright={self.cookie}")
        if self.csrf:
            h.setdefault("X-CSRF-Token", self.csrf)
        h = {k: v for k, v in h.items() if v is not None}
        r = self.http.request(method, f"{self.url}{path}", json=json, data=data, headers=h, timeout=timeout, allow_redirects=False)
        self.http.cookies.clear()
        return r

    def ask(self, method, path, json=None, **more):
        """The answer, checked against the document."""
        r = self.raw(method, "/api/v1" + path, json=json, **more)
        op = find(method, path)
        check_headers(r)
        if op is None:
            return r
        declared = op["responses"]
        assert str(r.status_code) in declared, f"{method} {path}: {r.status_code} is not declared: {r.text[:500]}"
        answer = resolve(declared[str(r.status_code)])
        content = answer.get("content")
        if r.status_code == 204:
            assert r.content == b""
        elif content:
            kind = r.headers["Content-Type"].split(";")[0]
            assert kind in content, f"{method} {path}: {kind} is not declared"
            if kind.endswith("json"):
                check(r.json(), content[kind]["schema"])
        for name in answer.get("headers", {}):
            assert name in r.headers, f"{method} {path}: no header {name}"
        if r.status_code >= 400:
            assert r.json()["status"] == r.status_code
        return r

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, json=None, **more):
        return self.ask("POST", path, json=json, **more)

    def settled(self, answer, path=None):
        """The answer of a call once its job is over: of one that is done the object at path that it made, or else the job. Whether a job ends within
        the two seconds that a call waits for it, or is told as 202, is a matter of how fast this machine is."""
        if answer.status_code != 202:
            return answer
        until = time.monotonic() + 120
        while (job := self.get(f"/jobs/{answer.json()['id']}")).json()["state"] not in ("done", "failed"):
            assert time.monotonic() < until, job.text
            time.sleep(0.1)
        return self.get(f"{path}/{job.json()['subject_id']}") if path and job.json()["state"] == "done" else job

    def sign_in(self, name, password):
        r = Client(self.url).post("/session", {"name": name, "password": password})
        assert r.status_code == 201, r.text
        cookie = re.match(r"__Host-certwright=([^;]+);", r.headers["Set-Cookie"]).group(1)
        return Client(self.url, cookie=cookie, csrf=r.json()["csrf_token"])
