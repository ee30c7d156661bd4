# SPDX-License-Identifier: Apache-2.0
"""bigip - a device group of two BIG-IPs as far as data groups, iRules and virtual servers go, by iControl REST over HTTPS, with state. F5's own
Ansible modules judge it (tests/scenario/test_f5.py). What no REST fake shows, the iRule running, is shown too: the virtual server on port 80
answers by running the very text of its iRules under tclsh, with the few commands of the device that our rule uses."""
import http.server
import json
import re
import secrets
import shutil
import ssl
import subprocess
import threading
import time
import urllib.parse

import vendor

VERSION = "17.1.2.1"
USER, PASSWORD = "admin", "f5-Secret_Passw0rd"
TOKENS_MAX = 100

# The device's commands in plain Tcl. The rule's own text is sourced after it.
STUB = r"""
namespace eval HTTP {
    proc path {} { return $::path }
    proc respond {code args} {
        array set o {content {}}
        foreach {k v} [lrange $args 0 1] { set o($k) $v }
        puts -nonewline "$code $o(content)"
        set ::answered 1
    }
}
proc class {op key dg} { expr {[dict exists $::groups $dg $key] ? [dict get $::groups $dg $key] : ""} }
proc event {args} { set ::disabled 1 }
proc when {ev args} { lappend ::bodies [lindex $args end] }
set ::bodies {}; set ::answered 0; set ::disabled 0
"""


class Refused(Exception):
    def __init__(self, code, message, **more):
        super().__init__(message)
        self.code, self.body = code, {"code": code, "message": message, "errorStack": [], "apiError": more.pop("apiError", 3), **more}


def not_found(what):
    return Refused(404, f"01020036:3: {what} was not found.")


def there_already(what, partition="Common"):
    return Refused(409, f"01020066:3: {what} already exists in partition {partition}.")


def words(option):
    """The words of tmsh's braces: records add { KEY { data VALUE } }."""
    return [w[1:-1] if w.startswith('"') else w for w in re.findall(r'"[^"]*"|[{}]|[^\s{}"]+', option)]


class Config:
    """What a device group shares: {collection: {full path: object}}. Objects are as the device gives them back, but for links."""

    def __init__(self):
        self.objects = {"data-group/internal": {}, "rule": {}, "virtual": {}, "profile/http": {}, "profile/tcp": {}}
        self.generation = 1
        for kind, name in (("http", "http"), ("http", "http-explicit"), ("tcp", "tcp")):
            self.put(f"profile/{kind}", {"name": name, "partition": "Common"})
        self.put("rule", {"name": "others_rule", "partition": "Common", "apiAnonymous": "when HTTP_REQUEST { }"})
        self.virtual("vs_http", "10.0.0.5:80", ["http", "tcp"], ["/Common/others_rule"])
        self.virtual("vs_https", "10.0.0.5:443", ["http", "tcp"])
        self.virtual("vs_l4", "10.0.0.6:80", ["tcp"])
        self.virtual("vs_v6", "2001:db8::5.80", ["http", "tcp"])

    def put(self, collection, thing):
        self.generation += 1
        path = f"/{thing['partition']}/{thing['name']}"
        self.objects[collection][path] = {**thing, "fullPath": path, "generation": self.generation}
        return self.objects[collection][path]

    def virtual(self, name, destination, profiles, rules=()):
        thing = {"name": name, "partition": "Common", "destination": f"/Common/{destination}", "enabled": True, "ipProtocol": "tcp",
                 "mask": "255.255.255.255", "source": "0.0.0.0/0", "profiles": profiles, "sourceAddressTranslation": {"type": "none"},
                 "addressStatus": "yes", "autoLasthop": "default", "cmpEnabled": "yes", "connectionLimit": 0, "mirror": "disabled", "nat64": "disabled",
                 "rateLimit": "disabled", "rateLimitDstMask": 0, "rateLimitMode": "object", "rateLimitSrcMask": 0, "serviceDownImmediateAction": "none",
                 "sourcePort": "preserve", "synCookieStatus": "not-activated", "translateAddress": "enabled", "translatePort": "enabled",
                 "vlansDisabled": True}
        if rules:
            thing["rules"] = list(rules)
        return self.put("virtual", thing)

    def copy(self):
        new = Config.__new__(Config)
        new.objects, new.generation = json.loads(json.dumps(self.objects)), self.generation
        return new


class Group:
    """Two units, the same configuration after a sync. units[0] is active at first."""

    def __init__(self, ports, tls, web_port=None):
        self.lock = threading.RLock()
        self.units = [Unit(self, i, port, tls) for i, port in enumerate(ports)]
        self.active, self.pending, self.syncs = 0, False, 0
        self.web = Web(self, web_port) if web_port else None

    @property
    def config(self):
        return self.units[self.active].config

    def records(self, name="certwright_acme"):
        group = self.config.objects["data-group/internal"].get(f"/Common/{name}")
        return {r["name"]: r.get("data", "") for r in (group or {}).get("records", [])}

    def fail_over(self):
        with self.lock:
            self.active = (self.active + 1) % len(self.units)

    def sync(self):
        for unit in self.units:
            if unit is not self.units[self.active]:
                unit.config = self.config.copy()
        self.pending = False
        self.syncs += 1

    def stop(self):
        for unit in self.units:
            unit.stop()
        if self.web:
            self.web.stop()


LOST, AWAY = ("lost", ""), ("away", "")  # faults: the connection ends after, or instead of, what was asked for


class Unit:
    def __init__(self, group, number, port, tls):
        self.group, self.number, self.port = group, number, port
        self.config = Config()
        self.tokens, self.requests, self.faults, self.saved = {}, [], [], 0
        self.users = {USER: (PASSWORD, "manager")}
        self.down = False
        unit = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if unit.down:
                    self.close_connection = True
                    return
                with group.lock:
                    unit.requests.append((self.command, self.path, body))
                    fault = unit.faults.pop(0) if unit.faults else None
                    lost = fault == LOST
                    status, answer = (None if lost else fault) or unit.answer(self.command, self.path, self.headers, body)
                if lost or fault == AWAY:  # done, or not, but nobody hears of it
                    self.close_connection = True
                    return
                raw = answer if isinstance(answer, bytes) else json.dumps(answer, separators=(",", ":")).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *args):
                pass

        self.server = vendor.Http(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "srv.pem", tls / "srv.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    # ---- who is it ----

    def login(self, body):
        if len(self.tokens) >= TOKENS_MAX:
            raise Refused(400, "maximum active login tokens: user admin has reached maximum active login tokens", apiError=26214401)
        password, _ = self.users.get(body.get("username"), (None, None))
        if password is None or password != body.get("password"):
            raise Refused(401, "Authentication failed.", referer="127.0.0.1", restOperationId=1, kind=":resterrorresponse")
        token = secrets.token_hex(13).upper()
        self.tokens[token] = (body["username"], time.monotonic() + 1200)
        return {"username": body["username"], "loginReference": {"link": "https://localhost/mgmt/cm/system/authn/providers/local/login"},
                "loginProviderName": "tmos", "token": {"token": token, "name": token, "userName": body["username"], "authProviderName": "tmos",
                                                       "timeout": 1200, "startTime": "2026-11-26T17:00:00.000-0800", "address": "127.0.0.1",
                                                       "partition": "[All]", "kind": "shared:authz:tokens:authtokenitemstate",
                                                       "selfLink": f"https://localhost/mgmt/shared/authz/tokens/{token}"},
                "generation": 0, "lastUpdateMicros": 0}

    def role(self, headers):
        token = headers.get("X-F5-Auth-Token")
        if token is None:
            raise Refused(401, "Authorization failed: no user authentication header or token detected.", apiError=0)
        user, until = self.tokens.get(token, (None, 0))
        if user is None or until < time.monotonic():
            raise Refused(401, "X-F5-Auth-Token does not exist.", apiError=0)
        return self.users[user][1]

    # ---- what is asked ----

    def answer(self, method, path, headers, raw):
        try:
            url = urllib.parse.urlsplit(path)
            options = urllib.parse.parse_qs(url.query)
            try:
                body = json.loads(raw) if raw else {}
            except ValueError:
                raise Refused(400, "Found invalid JSON body in the request.", apiError=1) from None
            parts = [urllib.parse.unquote(p) for p in url.path.strip("/").split("/")]
            if parts == ["mgmt", "shared", "authn", "login"] and method == "POST":
                return 200, self.login(body)
            role = self.role(headers)
            if parts[:4] == ["mgmt", "shared", "authz", "tokens"] and len(parts) == 5:
                return 200, self.token(method, parts[4], body)
            return 200, self.tm(method, parts, options, body, role)
        except Refused as e:
            return e.code, e.body

    def token(self, method, token, body):
        if token not in self.tokens:
            raise Refused(404, f"Public URI path not registered: /shared/authz/tokens/{token}", apiError=0)
        if method == "DELETE":
            self.tokens.pop(token)
        elif method == "PATCH" and int(body["timeout"]) > 36000:
            raise Refused(406, "timeout is too long", apiError=0)
        return {"token": token}

    def tm(self, method, parts, options, body, role):
        path = "/".join(parts)
        if path == "mgmt/tm/sys" or path == "mgmt/tm/sys/":
            return {"kind": "tm:sys:syscollectionstate", "selfLink": f"https://localhost/mgmt/tm/sys?ver={VERSION}", "items": []}
        if path == "mgmt/tm/sys/provision":
            return self.collection("tm/sys/provision", [{"name": m, "fullPath": m, "level": "nominal" if m == "ltm" else "none"} for m in ("ltm", "gtm", "asm")])
        if path == "mgmt/tm/cm/device":
            return self.collection("tm/cm/device", [self.device(u) for u in self.group.units])
        if path == "mgmt/tm/cm/sync-status":
            status = "Changes Pending" if self.group.pending else "In Sync"
            return {"kind": "tm:cm:sync-status:sync-statusstats", "entries": {"https://localhost/mgmt/tm/cm/sync-status/0": {"nestedStats": {"entries": {
                "color": {"description": "blue" if self.group.pending else "green"}, "mode": {"description": "high-availability"},
                "status": {"description": status}, "summary": {"description": status}}}}}}
        if path == "mgmt/tm/sys/config" and method == "POST" and body == {"command": "save"}:
            self.saved += 1
            return {"kind": "tm:sys:config:savestate", "command": "save"}
        if path == "mgmt/tm/cm" and method == "POST":
            return self.run_sync(body, role)
        if parts[:3] == ["mgmt", "tm", "ltm"]:
            return self.ltm(method, [p for p in parts[3:] if p], options, body)
        raise Refused(404, f"Public URI path not registered: {path}", apiError=0)

    @staticmethod
    def collection(kind, items):
        return {"kind": kind.replace("/", ":") + f":{kind.split('/')[-1]}collectionstate", "selfLink": f"https://localhost/mgmt/{kind}?ver={VERSION}",
                "items": items}

    def device(self, unit):
        active = self.group.units[self.group.active] is unit
        return {"kind": "tm:cm:device:devicestate", "name": f"bigip{unit.number + 1}.example.test", "partition": "Common",
                "hostname": f"bigip{unit.number + 1}.example.test", "failoverState": "active" if active else "standby", "managementIp": f"10.1.1.{unit.number + 1}",
                "selfDevice": "true" if unit is self else "false", "version": VERSION}

    def run_sync(self, body, role):
        if role not in ("admin", "resource-admin"):
            raise Refused(403, "01070822:3: Access Denied: User (certwright) does not have the role to run config-sync")
        if body.get("command") != "run" or body.get("utilCmdArgs") != "config-sync to-group failover":
            raise Refused(400, "01071afc:3: The requested device group was not found.")
        self.group.sync()
        return {"kind": "tm:cm:runstate", "command": "run", "utilCmdArgs": body["utilCmdArgs"]}

    # ---- /mgmt/tm/ltm ----

    KINDS = {"data-group/internal": ("data-group:internal", "value list"), "rule": ("rule", "rule"), "virtual": ("virtual", "Virtual Server"),
             "profile/http": ("profile:http", "profile"), "profile/tcp": ("profile:tcp", "profile")}

    def ltm(self, method, parts, options, body):
        collection = next((c for c in self.KINDS if parts[:len(c.split("/"))] == c.split("/")), None)
        if collection is None:
            if method == "GET" and parts[:1] in (["profile"], ["message-routing"]):
                return self.collection("tm/ltm/" + "/".join(parts), [])
            raise Refused(404, f"Public URI path not registered: tm/ltm/{'/'.join(parts)}", apiError=0)
        rest = parts[len(collection.split("/")):]
        if method == "GET" and not rest:
            return self.collection(f"tm/ltm/{collection}", [self.shown(collection, t, options) for t in self.config.objects[collection].values()])
        if method == "POST" and not rest:
            return self.create(collection, body)
        path = rest[0].replace("~", "/")
        thing = self.config.objects[collection].get(path)
        if thing is None:
            raise not_found(f"The requested {self.KINDS[collection][1]} ({path})")
        if method == "GET":
            return self.shown(collection, thing, options)
        if method == "DELETE":
            return self.delete(collection, path)
        return self.change(collection, thing, options, body)

    def shown(self, collection, thing, options):
        kind = self.KINDS[collection][0]
        out = {"kind": f"tm:ltm:{kind}:{kind.split(':')[-1]}state", **thing,
               "selfLink": f"https://localhost/mgmt/tm/ltm/{collection}/{thing['fullPath'].replace('/', '~')}?ver={VERSION}"}
        if collection == "virtual":
            profiles = out.pop("profiles")
            out["profilesReference"] = {"link": out["selfLink"].replace("?", "/profiles?"), "isSubcollection": True}
            if options.get("expandSubcollections") == ["true"]:
                out["profilesReference"]["items"] = [{"kind": "tm:ltm:virtual:profiles:profilesstate", "name": p, "partition": "Common",
                                                      "fullPath": f"/Common/{p}", "context": "all"} for p in profiles]
                out["policiesReference"] = {"link": out["selfLink"].replace("?", "/policies?"), "isSubcollection": True}
        return out

    def changed(self):
        if len(self.group.units) > 1:
            self.group.pending = True

    def create(self, collection, body):
        thing = {"partition": "Common", **body}
        path = f"/{thing['partition']}/{thing['name']}"
        if path in self.config.objects[collection]:
            raise there_already(f"The requested {self.KINDS[collection][1]} ({path})", thing["partition"])
        if collection == "rule":
            self.check_rule(thing)
        self.changed()
        return self.shown(collection, self.config.put(collection, self.tidy(collection, thing)), {})

    @staticmethod
    def tidy(collection, thing):
        if collection == "data-group/internal" and "records" in thing:
            keys = [r["name"] for r in thing["records"]]
            if len(keys) != len(set(keys)):
                raise there_already("The requested class string item")
            thing = {**thing, "records": sorted(thing["records"], key=lambda r: r["name"])}
            if not thing["records"]:
                del thing["records"]
        if collection == "rule":
            thing = {**thing, "apiAnonymous": thing.get("apiAnonymous", "").strip()}
        return thing

    @staticmethod
    def check_rule(thing):
        text = thing.get("apiAnonymous", "")
        if text.count("{") != text.count("}") or "when " not in text:
            raise Refused(400, f"01070151:3: Rule [/Common/{thing['name']}] error: syntax")

    def delete(self, collection, path):
        users = [v for v, t in self.config.objects["virtual"].items() if path in t.get("rules", [])]
        if users:
            raise Refused(400, f"01070265:3: The rule ({path}) cannot be deleted because it is in use by a virtual server ({users[0]}).")
        del self.config.objects[collection][path]
        self.changed()
        return {}

    def change(self, collection, thing, options, body):
        if "options" in options:
            self.one_record(thing, options["options"][0])
        else:
            new = {**thing, **body}
            if collection == "virtual":
                for rule in body.get("rules", []):
                    if rule not in self.config.objects["rule"]:
                        raise not_found(f"The requested rule ({rule})")
                if not new.get("rules"):
                    new.pop("rules", None)
            if collection == "rule":
                self.check_rule(new)
            self.config.put(collection, self.tidy(collection, new))
        self.changed()
        return self.shown(collection, self.config.objects[collection][thing["fullPath"]], {})

    def one_record(self, thing, option):
        word = words(option)
        if word[:1] != ["records"] or word[1] not in ("add", "modify", "delete") or word[2] != "{":
            raise Refused(400, f"01020057:3: \"{option}\" unexpected argument")
        key = word[3]
        if key.startswith("-") and f'"{key}"' not in option:
            raise Refused(400, f"01020057:3: \"{key}\" unknown property")
        data = word[6] if word[4:6] == ["{", "data"] else ""
        item = f"The requested class string item ({thing['fullPath']} {key})"
        records = {r["name"]: r for r in thing.get("records", [])}
        if word[1] == "add" and key in records:
            raise there_already(item)
        if word[1] != "add" and key not in records:
            raise not_found(item)
        if word[1] == "delete":
            del records[key]
        else:
            records[key] = {"name": key, "data": data}
        self.config.put("data-group/internal", self.tidy("data-group/internal", {**thing, "records": list(records.values())}))


class Web:
    """Port 80 of the virtual server vs_http: what its iRules answer, else the pool's 404."""

    def __init__(self, group, port):
        self.group, self.port, self.asked = group, port, []
        self.gate = threading.Event()  # clear: whoever asks waits for the answer
        self.gate.set()
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                status, body = web.answer(self.path)
                web.gate.wait(300)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args):
                pass

        self.server = vendor.Http(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def answer(self, path):
        with self.group.lock:
            config = self.group.config
            rules = [config.objects["rule"][r]["apiAnonymous"] for r in config.objects["virtual"]["/Common/vs_http"].get("rules", [])]
            groups = {name: {r["name"]: r.get("data", "") for r in g.get("records", [])} for name, g in config.objects["data-group/internal"].items()}
            self.asked.append(path)
        answer = run_rules(rules, groups, path)
        return (int(answer[:3]), answer[4:]) if answer else (404, "the pool's page\n")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def run_rules(rules, groups, path):
    """What HTTP::respond was called with, "200 body", or "" when no rule answered."""
    def word(s):
        assert not set(s) & set("{}\\"), s
        return "{" + s + "}"
    script = STUB + "set ::path " + word(path) + "\nset ::groups {}\n"
    for name, records in groups.items():
        script += f"dict set ::groups {word(name)} {{}}\n"
        script += "".join(f"dict set ::groups {word(name)} {word(k)} {word(v)}\n" for k, v in records.items())
    script += "\n".join(rules) + "\nforeach b $::bodies { proc run {} $b; run; if {$::disabled} break }\n"
    done = subprocess.run([shutil.which("tclsh")], input=script, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout
