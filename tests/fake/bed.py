# SPDX-License-Identifier: Apache-2.0
"""bed - the parts of a test bed: a CA (Pebble, or the scripted one of tests/fake/ca), the resolver between it and us, PostgreSQL, Certwright itself and its CLI.

Everything listens on loopback and free ports, lives in one scratch folder, and is ended by its process id. Used by the
scenario tests and by `make demo`. As root, the parts run as an unprivileged user, and the scratch folder is one that user
may enter.
"""
import contextlib
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import sqlite3
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import canary
from ports import free_port

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("CERTWRIGHT_BUILD", TOP / "build"))
PROGRAM = BUILD / "src" / "app" / "certwright"
EDGE = BUILD / "src" / "edge" / "certwright-edge"

# The standard peer is Debian's Pebble, whatever else is on the path; a newer one is a peer of its own (newest_pebble).
PEBBLE = "/usr/bin/pebble" if os.access("/usr/bin/pebble", os.X_OK) else shutil.which("pebble")


def newest_pebble():
    """A Pebble newer than Debian's, with renewal information and profiles, or None: $PEBBLE_NEWEST, or where `go install` puts it."""
    for path in (os.environ.get("PEBBLE_NEWEST"), os.environ.get("GOBIN", "") + "/pebble", os.path.expanduser("~/go/bin/pebble")):
        if path and os.access(path, os.X_OK):
            return path
    return None


class BedError(Exception):
    """The bed could not be made, or a command failed; the text says all that is known."""


def user_of_parts(name="nobody"):
    """Who the parts run as: None when we are not root."""
    return pwd.getpwnam(name) if os.geteuid() == 0 else None


def wait_for(condition, timeout, what, interval=0.05):
    """The first true value of condition(); BedError after timeout seconds."""
    until = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise BedError(f"{what}: not within {timeout} s")
        time.sleep(interval)


class Process:
    """One program with its log in a file; ended by its id."""

    def __init__(self, name, args, folder, env=None, user=None, cwd=None):
        self.name, self.log = name, pathlib.Path(folder) / f"{name}.log"
        extra = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen([str(a) for a in args], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True, **extra)

    @property
    def pid(self):
        return self.proc.pid

    def running(self):
        return self.proc.poll() is None

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self, timeout=20):
        if self.running():
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(timeout)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait(10)
        return self.proc.returncode


def children(pid):
    """{command name: pid} of the children of a process."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
            fields = text[text.rindex(")") + 2:].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                argv = (stat.parent / "cmdline").read_bytes().split(b"\0")
                comm = text[text.index("(") + 1:text.rindex(")")]
                name = ("runner" if comm == "cw-runner"  # forked, not executed: it has the supervisor's arguments
                        else "edge" if argv[0].endswith(b"certwright-edge") else "core" if b"core" in argv[:2] else argv[0].decode())
                found[name] = int(stat.parent.name)
        except (OSError, ValueError):
            continue
    return found


def near_set_aside(path):
    """How many orders, jobs and debts of the database at path have been started more than once without an end. What is killed three times before
    it gets anywhere is set aside, by design: who kills again and again waits for 0 before each next blow, however slow this machine is."""
    live = "SELECT starts FROM orders WHERE ended_ms = 0 UNION ALL SELECT starts FROM job WHERE ended_ms = 0 UNION ALL SELECT starts FROM debt WHERE state = 'owed'"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as db:
        return db.execute(f"SELECT count(*) FROM ({live}) WHERE starts > 1").fetchone()[0]


def openssl(*args, cwd=None):
    done = subprocess.run(["openssl", *args], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BedError(f"openssl {' '.join(args)}: {done.stderr}")
    return done.stdout


def make_tls(folder, names="DNS:localhost,IP:127.0.0.1"):
    """ca.pem, srv.pem, srv.key for https://localhost and 127.0.0.1, or for the names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ext").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=test-https-ca", "-addext",
            "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign", cwd=folder)
    openssl("req", *ec, "-keyout", "srv.key", "-out", "srv.csr", "-subj", "/CN=localhost", cwd=folder)
    openssl("x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "ext",
            "-out", "srv.pem", cwd=folder)


class Pebble:
    """Debian's ACME test CA with a TLS certificate of our own making."""

    def __init__(self, folder, dns_port, http_port, user=None, strict=True, env=None, eab=False, tls=None, program=PEBBLE, address="127.0.0.1",
                 dns_address="127.0.0.1"):
        if not program:
            raise BedError("pebble is not installed (tools/setup --test)")
        self.folder = pathlib.Path(folder) / "pebble"
        self.folder.mkdir(exist_ok=True)
        if tls:
            for name in ("ca.pem", "srv.pem", "srv.key"):
                shutil.copy(tls / name, self.folder / name)
        else:
            make_tls(self.folder)
        self.port, self.management = free_port(), free_port()
        self.ca = self.folder / "ca.pem"
        config = {"listenAddress": f"{address}:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
                  "certificate": "srv.pem", "privateKey": "srv.key", "httpPort": http_port, "tlsPort": 1, "ocspResponderURL": "",
                  "externalAccountBindingRequired": bool(eab)}
        if eab: # True, or {key identifier: HMAC key as base64url text}
            config["externalAccountMACKeys"] = eab if isinstance(eab, dict) else {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        if program != PEBBLE:  # where it lies may be closed to the user it runs as
            program = shutil.copy(program, self.folder / "pebble")
        if user:
            chown_tree(self.folder, user)
        self.process = Process("pebble", [program, "-config", "pebble.json", "-dnsserver", f"{dns_address}:{dns_port}",
                                          f"-strict={'true' if strict else 'false'}"], self.folder,
                               {"PEBBLE_VA_NOSLEEP": "1", **(env or {})}, user, cwd=self.folder)
        self.directory = f"https://{address}:{self.port}/dir"
        self.trust = ssl.create_default_context(cafile=str(self.ca))
        wait_for(self.answers, 240, "Pebble answers")  # it makes RSA keys at its start

    def answers(self):
        if not self.process.running():
            raise BedError(f"Pebble ended:\n{self.process.text()}")
        try:
            return self.get(self.directory)
        except OSError:
            return None

    def get(self, url):
        with urllib.request.urlopen(url, context=self.trust, timeout=10) as r:
            return r.read()

    def root(self):
        """The root certificate (PEM) of this run."""
        return self.get(f"https://127.0.0.1:{self.management}/roots/0").decode()

    def issued(self):
        """How many certificates this CA has issued."""
        return self.process.text().count("Issued certificate serial")

    def stop(self):
        self.process.stop(5)


def fake_ca(folder, dns_port, http_port, **options):
    """The CA whose every answer a script can replace (tests/fake/ca). It validates for real unless options say validate=..."""
    import ca
    from ca.validate import Real
    return ca.CA(pathlib.Path(folder) / "fake-ca", options.pop("validate", None) or Real(dns_port, http_port), **options)


class Resolver:
    def __init__(self, folder, forward_port, user=None, never=(), port=None, address="127.0.0.1"):
        """address: where it listens, and what it says is the address of all names."""
        self.port = port or free_port()
        args = [TOP / "tests/fake/resolver", "--listen", f"{address}:{self.port}", "--a", address]
        for port in forward_port if isinstance(forward_port, list) else [forward_port]:
            args += ["--forward", f"127.0.0.1:{port}"]
        for suffix in never:
            args += ["--never", suffix]
        # the checkout may be in a folder the other user cannot enter: only loopback sockets are used here
        self.process = Process("resolver", ["/usr/bin/python3", *args], folder)
        wait_for(lambda: "ready" in self.process.text() or not self.process.running(), 120, "the resolver listens")
        if not self.process.running():
            raise BedError(f"the resolver ended:\n{self.process.text()}")

    def stop(self):
        self.process.stop(5)


def chown_tree(folder, user):
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


class Postgres:
    """A PostgreSQL of our own in the scratch folder, reached over TCP with a password."""

    def __init__(self, folder):
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        if not binaries:
            raise BedError("PostgreSQL is not installed (tools/setup --test)")
        self.folder, self.port = pathlib.Path(folder) / "postgres", free_port()
        self.user = user_of_parts("postgres") if os.geteuid() == 0 else None
        self.folder.mkdir()
        password = self.folder / "password"
        password.write_text("correct horse\n")
        if self.user:
            chown_tree(self.folder, self.user)
        extra = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        data = self.folder / "data"
        done = subprocess.run([binaries[-1] / "initdb", "-D", data, "-U", "certwright", "-A", "scram-sha-256", f"--pwfile={password}",
                               "-E", "UTF8", "--no-locale", "-N"], capture_output=True, text=True, check=False, cwd=self.folder, **extra)
        if done.returncode:
            raise BedError(f"initdb: {done.stderr}")
        self.process = Process("postgres", [binaries[-1] / "postgres", "-D", data, "-p", self.port, "-c", "listen_addresses=127.0.0.1", "-c",
                                            f"unix_socket_directories={self.folder}", "-c", "fsync=off", "-c", "max_connections=100"],
                               self.folder, user=self.user, cwd=self.folder)
        self.url = f"postgresql://certwright@127.0.0.1:{self.port}/certwright"
        wait_for(self.ready, 120, "PostgreSQL answers")
        self.sql("CREATE DATABASE certwright", "postgres")

    def settings(self):
        """The server's, with the password in a file that its user may read."""
        password = self.folder.parent / "pg-password"
        password.write_text("correct horse\n")
        password.chmod(0o644)
        return {"store.url": self.url, "store.password_file": str(password)}

    def ready(self):
        if not self.process.running():
            raise BedError(f"PostgreSQL ended:\n{self.process.text()}")
        try:
            return self.sql("SELECT 1", "postgres")
        except BedError:
            return None

    def tool(self, name, *args, database="certwright"):
        """psql, pg_dump, pg_restore: what it printed."""
        done = subprocess.run([name, "-h", "127.0.0.1", "-p", str(self.port), "-U", "certwright", "-d", database, *map(str, args)],
                              env={**os.environ, "PGPASSWORD": "correct horse"}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BedError(f"{name}: {done.stderr}")
        return done.stdout.strip()

    def sql(self, text, database="certwright"):
        return self.tool("psql", "-Atqc", text, database=database) or "done"

    def sql_file(self, path):
        self.tool("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", path)

    def stop(self):
        if self.process.running():
            self.process.proc.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.proc.wait(15)
        self.process.stop(5)


class Answer:
    """What a command printed and how it ended."""

    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


class Server:
    """certwright serve on free loopback ports, with an administrator and an API token, and the CLI bound to it."""

    def __init__(self, folder, settings=None, user=None, run_user="nobody", env=None, ports=None, prepare=True):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        self.token_file, self.password_file = self.folder / "token", self.folder / "password"
        ports = ports or {}
        self.api_port = ports.get("api") or free_port()
        self.dns_port = ports.get("dns") or free_port()
        self.http_port = ports.get("http") or free_port()
        self.url = f"https://127.0.0.1:{self.api_port}"
        self.env = {"CERTWRIGHT_EDGE": str(EDGE), **(env or {})}
        self.settings = {"api.listen": f"127.0.0.1:{self.api_port}", "dns.listen": f"127.0.0.1:{self.dns_port}",
                         "http01.listen": f"127.0.0.1:{self.http_port}", "dns.hostname": "ns.certwright.test", "net.allow": "127.0.0.0/8",
                         "log.level": os.environ.get("BED_LOG", "info"), "log.format": "json", "run.user": run_user, **(settings or {})}
        self.process = None
        self.fingerprint = None
        self.canary = canary.Canary()
        if not PROGRAM.exists():
            raise BedError(f"'{PROGRAM}' is not built")
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.prepared = not prepare

    def arguments(self):
        args = ["--state", str(self.state)]
        for key, value in self.settings.items():
            if value is not None:
                args += ["--set", f"{key}={value}"]
        return args

    def setup(self, *extra):
        done = subprocess.run([str(PROGRAM), "setup", *self.arguments(), *extra], capture_output=True, text=True, check=False,
                              env={**os.environ, **self.env}, timeout=180)
        return Answer(done)

    def prepare(self, name="admin"):
        """The first administrator and an API token, offline."""
        self.password_file.write_text("correct horse battery staple\n")
        self.password_file.chmod(0o600)
        done = self.setup("--admin", name, "--right", "audit", "--right", "revoke", "--right", "key-export", "--password-file", str(self.password_file), "--token-out", str(self.token_file))
        if done.status:
            raise BedError(f"certwright setup: {done}")
        self.prepared = True

    def start(self, wait=True, env=None):
        if not self.prepared:
            self.prepare()
        self.process = Process("certwright", [PROGRAM, "serve", *self.arguments()], self.folder, {**self.env, **(env or {})})
        if wait:
            wait_for(self.ready, 180, "Certwright is ready")
            self.learn_fingerprint()
        return self

    def http(self, path, timeout=60):
        """(status, body) of a GET without sign-in; None when nobody answers."""
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(self.url + path, context=trust, timeout=timeout) as r:
                return r.status, r.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()
        except (OSError, http.client.HTTPException):
            return None

    def ready(self):
        if not self.process.running():
            raise BedError(f"certwright serve ended with status {self.process.proc.returncode}:\n{self.process.text()[-8000:]}")
        answer = self.http("/readyz")
        return answer and answer[0] == 200

    def learn_fingerprint(self):
        der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", self.api_port)))
        import hashlib
        self.fingerprint = hashlib.sha256(der).hexdigest()

    def parts(self):
        return children(self.process.pid)

    def kill(self, part, sig=signal.SIGKILL):
        """Sends the signal; one that is killed is gone then: what answers after this is its successor."""
        pid = wait_for(lambda: self.parts().get(part), 120, f"{part} runs")
        os.kill(pid, sig)
        if sig == signal.SIGKILL:
            wait_for(lambda: pid not in children(self.process.pid).values(), 120, f"{part} is dead")
        return pid

    def near_set_aside(self):
        return near_set_aside(self.state / "certwright.db")

    def stop(self):
        """Ends it, and looks whether a secret came out anywhere."""
        if not self.process:
            return None
        seen = list(self.canary.processes(self.parts())) if self.process.running() else []
        status = self.process.stop(90)
        self.canary.settings(self.settings)
        self.canary.add_file("administrator's password", self.password_file)
        self.canary.add_file("administrator's token", self.token_file)
        self.canary.add_words("master key", self.state / "master.key")
        found = self.canary.search([*seen, *self.canary.files(self.folder, self.state)])
        assert not found, found
        return status

    def cli_env(self):
        return {**os.environ, "XDG_CONFIG_HOME": str(self.home), "CERTWRIGHT_SERVER": self.url, "CERTWRIGHT_TOKEN_FILE": str(self.token_file),
                "CERTWRIGHT_FINGERPRINT": self.fingerprint or ""}

    def cli(self, *args, timeout=180, env=None):
        self.canary.options(args)
        done = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, check=False, timeout=timeout,
                              env={**self.cli_env(), **(env or {})}, stdin=subprocess.DEVNULL, start_new_session=True)
        return Answer(done)

    def call(self, *args, timeout=180):
        """A CLI command with --json that has to succeed; its document."""
        done = self.cli(*args, "--json", timeout=timeout)
        if done.status:
            raise BedError(f"certwright {' '.join(map(str, args))}: {done}")
        return done.json

    def request(self, method, path, body=None, headers=None):
        """(status, document or text, headers) of an API call with the token."""
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        self.canary.body(body)
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        q = urllib.request.Request(self.url + "/api/v1" + path, data=data, method=method,
                                   headers={"Authorization": f"Bearer {self.token_file.read_text().strip()}",
                                            **({"Content-Type": "application/json"} if data is not None else {}), **(headers or {})})
        try:
            with urllib.request.urlopen(q, context=trust, timeout=120) as r:
                status, text, head = r.status, r.read(), r.headers
        except urllib.error.HTTPError as e:
            status, text, head = e.code, e.read(), e.headers
        kind = head.get("Content-Type", "")
        return status, json.loads(text) if "json" in kind and text else text.decode(errors="replace"), head

    def settled(self, status, doc, path):
        """(status, document) of a call once its job is over: the object at path that a done one made, or a failed one's reason. Whether a job ends
        within the two seconds that a call waits for it, or is told as 202, is a matter of how fast this machine is."""
        if status != 202:
            return status, doc
        job = wait_for(lambda: (now := self.request("GET", f"/jobs/{doc['id']}")[1])["state"] in ("done", "failed") and now, 120, f"job {doc['kind']} ends")
        if job["state"] == "failed":
            return 400, job["reason"]
        return 201, self.request("GET", f"{path}/{job['subject_id']}")[1]


class Bed:
    """A CA, the resolver and Certwright, wired: what most scenarios start from. ca="fake" with ca_options={...} takes the scripted CA,
    which is then bed.ca: bed.ca.rule("finalize", name="a.example.test", status=500). ca="caddy" takes Debian's Caddy (as root)."""

    def __init__(self, folder, pebble_env=None, strict=True, settings=None, never=(), eab=False, run_user="nobody", tls=None, env=None, ports=None,
                 ca="pebble", ca_options=None, forward=None, pebble=None):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o711)
        self.user = user_of_parts(run_user)
        self.parts = []
        try:
            dns, self.http_port = (ports or {}).get("dns") or free_port(), (ports or {}).get("http") or free_port()
            if ca == "caddy":  # it knows the ordinary ports only
                import caddy
                address = caddy.free_address()
                settings = {"http01.listen": f"{address}:80", **(settings or {})}
                self.resolver = self.add(Resolver(self.folder, forward or dns, never=never, port=53, address=address))
                self.ca = self.add(caddy.Caddy(self.folder, address))
            else:
                self.resolver = self.add(Resolver(self.folder, forward or dns, never=never))
                self.ca = self.add(fake_ca(self.folder, self.resolver.port, self.http_port, **(ca_options or {})) if ca == "fake" else
                                   Pebble(self.folder, self.resolver.port, self.http_port, self.user, strict, pebble_env, eab, tls, pebble or PEBBLE))
            settings = {"net.trust": str(self.trust_file()), **(settings or {})}
            self.server = Server(self.folder, settings, self.user, run_user, env, {**(ports or {}), "dns": dns, "http": self.http_port})
            self.parts.append(self.server)
        except BaseException:
            self.stop()
            raise

    def add(self, part):
        self.parts.append(part)
        return part

    def trust_file(self):
        """The CA's own TLS root, where the server's user can read it."""
        path = self.folder / "trust.pem"
        path.write_bytes(self.ca.ca.read_bytes())
        path.chmod(0o644)
        return path

    def start(self):
        self.server.start()
        return self

    def account(self, email="admin@certwright.test", *extra):
        made = self.server.call("account", "register", "--directory", self.ca.directory, "--email", email, "--agree-tos", *extra)
        if not self.server.call("rule", "list")["items"]:  # what is not said otherwise is answered by our own DNS
            self.server.call("rule", "create", "--suffix", "*", "--validation", "dns-01", "--method", "delegation")
        return made

    def stop(self):
        for part in reversed(self.parts):
            part.stop()
        self.parts = []


def scratch(prefix="certwright-"):
    """A new folder under the system's temporary folder that other users may pass through."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    return folder
