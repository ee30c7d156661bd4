# SPDX-License-Identifier: Apache-2.0
"""sinks - where notifications go in tests: a real SMTP server (aiosmtpd, STARTTLS and AUTH) and an HTTPS webhook receiver that checks
Standard Webhooks signatures by an implementation of its own."""
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import importlib.util
import json
import ssl
import subprocess
import threading
import time

from ports import free_port


def missing():
    return None if importlib.util.find_spec("aiosmtpd") else "python3-aiosmtpd is not installed"


def certificate(folder):
    """A certificate for 127.0.0.1 that is its own CA; (cert, key) paths."""
    cert, key = folder / "sink.pem", folder / "sink.key"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                        "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True,
                       capture_output=True)
    return cert, key


def context(folder):
    cert, key = certificate(folder)
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert, key)
    return ctx


class Smtp:
    """Takes mail after STARTTLS and AUTH only. answer: what is said to DATA instead of 250."""

    def __init__(self, folder, user="robot", password="p4ss word", port=0, tls=True):
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult

        self.mails, self.envelopes, self.answer = [], [], None

        def check(server, session, envelope, mechanism, data):
            ok = data.login == user.encode() and data.password == password.encode()
            return AuthResult(success=ok, handled=False)

        extra = {"tls_context": context(folder), "require_starttls": True, "auth_required": True, "auth_require_tls": True,
                 "authenticator": check} if tls else {}
        port = port or free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=port, ready_timeout=120, **extra)
        self.controller.start()
        self.port = port

    async def handle_DATA(self, server, session, envelope):
        if self.answer:
            return self.answer
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 2.0.0 taken"

    def wait(self, n=1, seconds=120):
        until = time.monotonic() + seconds
        while len(self.mails) < n:
            assert time.monotonic() < until, f"{len(self.mails)} of {n} mails came"
            time.sleep(0.05)
        return self.mails

    def stop(self):
        self.controller.stop()


def signature_ok(secret, headers, body):
    """https://www.standardwebhooks.com: HMAC-SHA256 over id.timestamp.body."""
    assert secret.startswith("whsec_"), secret
    key = base64.b64decode(secret[6:])
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    want = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers["webhook-signature"].split(" ")
    return abs(int(headers["webhook-timestamp"]) - time.time()) < 300 and f"v1,{want}" in given


class Webhook:
    def __init__(self, folder, status=200, port=0):
        self.got, self.status, self.headers = [], status, {}
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.got.append((dict((k.lower(), v) for k, v in self.headers.items()), body))
                self.send_response(sink.status)
                for k, v in sink.headers.items():
                    self.send_header(k, v)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.socket = context(folder).wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, n=1, seconds=120):
        until = time.monotonic() + seconds
        while len(self.got) < n:
            assert time.monotonic() < until, f"{len(self.got)} of {n} came"
            time.sleep(0.05)
        return self.got

    def documents(self):
        return [json.loads(body) for _, body in self.got]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
