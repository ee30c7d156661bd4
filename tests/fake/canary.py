# SPDX-License-Identifier: Apache-2.0
"""What a server was given as a secret, looked for in every place a secret could come out of (reliability.md C1).

Every test server carries one Canary: the secrets that went in through options and settings that name a secret's file, the administrator's
password and token, and the heads of private keys in clear, which are found without knowing them. When the server stops, its logs, its
state (database, WAL, backups within), PostgreSQL's files and, before, the command lines and environments of its parts are searched: one
hit fails the test that ran there.
"""
import base64
import contextlib
import json
import os
import pathlib
import urllib.parse

# PKCS#8 heads of private keys in clear: the account keys, certificate keys and the API's own key are found without knowing them
HEADS = {"a P-256 key in clear": bytes.fromhex("020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420"),
         "an RSA key in clear": bytes.fromhex("020100300d06092a864886f70d0101010500048204"),
         "a private key as PEM": b"PRIVATE KEY-----"}
OPTIONS = {"--eab-hmac-file", "--key-file", "--new-password-file", "--passphrase-file", "--password-file", "--secret-file"}
FIELDS = {"password", "new_password", "old_password", "eab_hmac", "hmac", "passphrase"}
SETTINGS = ("password_file", "passphrase_file")
LEAST = 12  # shorter ones are words that occur anyway
LOGS = ("core", "edge", "certwright", "supervisor", "server", "runner")


def spellings(secret):
    """The ways a secret may be written down."""
    raw = secret.encode() if isinstance(secret, str) else secret
    text = raw.decode("latin-1")
    b64 = base64.b64encode(raw)
    return {raw, raw.hex().encode(), raw.hex().upper().encode(), b64, b64.rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="),
            urllib.parse.quote(text, safe="", encoding="latin-1").encode(), json.dumps(text)[1:-1].encode()}


class Canary:
    def __init__(self):
        self.secrets = {}
        self.heads = dict(HEADS)

    def expect(self, name):
        """A head that is no secret of ours here: what a hostile authority sends is kept as evidence."""
        del self.heads[name]

    def add(self, name, secret):
        if secret and len(secret) >= LEAST:
            self.secrets[secret] = name

    def add_file(self, name, path):
        try:
            text = pathlib.Path(path).read_text(errors="strict").strip()
        except (OSError, UnicodeDecodeError):
            return
        # of a key or a file of fields each long line is one, of the rest the whole is the secret
        for line in text.splitlines() if "\n" in text else [text]:
            line = line.strip()
            if not line.startswith("-----"):
                self.add(name, line.split("=", 1)[1].strip() if " = " in line else line)

    def add_words(self, name, path):
        """Of a file with comments and keys: the words that are long enough for a key."""
        if pathlib.Path(path).is_file():
            for word in pathlib.Path(path).read_text().split():
                if len(word) > 30:
                    self.add(name, word)

    def options(self, args):
        """The secrets that a command line names by file."""
        args = [str(a) for a in args]
        for option, value in zip(args, args[1:]):
            if option in OPTIONS:
                self.add_file(option, value.split("=", 1)[1] if option == "--secret-file" and "=" in value else value)

    def body(self, body):
        """The secrets of an API request."""
        for key, value in body.items() if isinstance(body, dict) else ():
            if key == "secrets" and isinstance(value, dict):
                for name, one in value.items():
                    self.add(f"secret {name}", one if isinstance(one, str) else "")
            elif key in FIELDS and isinstance(value, str):
                self.add(key, value)

    def settings(self, settings):
        for key, value in settings.items():
            if key.endswith(SETTINGS) and value:
                self.add_file(key, value)

    def processes(self, parts):
        """(where, bytes) of what other processes of the host may read."""
        for part, pid in parts.items():
            for what in ("cmdline", "environ"):
                try:
                    yield f"{what} of {part}", pathlib.Path(f"/proc/{pid}/{what}").read_bytes()
                except OSError:
                    continue

    def files(self, folder, state):
        """(where, bytes) of what a server left on the disk. PostgreSQL is at work meanwhile, and whoever else uses it: what goes while we look is gone."""
        for log in pathlib.Path(folder).rglob("*.log"):
            if log.name.startswith(LOGS) and log.is_file():
                yield f"log {log.name}", log.read_bytes()
        for root in (pathlib.Path(state), pathlib.Path(folder) / "postgres" / "data"):
            for place, _, names in os.walk(root):
                for name in names:
                    file = pathlib.Path(place) / name
                    if name not in ("master.key", "pg_filenode.map") and file.is_file() and not file.is_symlink():
                        with contextlib.suppress(FileNotFoundError):
                            yield f"{root.name} {name}", file.read_bytes()

    def search(self, sinks):
        """Where what was found, as sentences."""
        looked_for = [(name, form) for secret, name in self.secrets.items() for form in spellings(secret)]
        looked_for += list(self.heads.items())
        found = set()
        for where, data in sinks:
            found |= {f"{name} in {where}" for name, form in looked_for if form in data}
        return sorted(found)
