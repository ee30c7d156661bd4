# SPDX-License-Identifier: Apache-2.0
"""judge - what a client did, read from the log of its requests: issued once, Retry-After obeyed, nothing left pending, no storm."""
import email.utils
import json
import threading
import time


def parse_retry_after(value, now):
    """Seconds from now that a Retry-After asks for; None when it cannot be read."""
    if value is None:
        return None
    try:
        return max(0.0, float(int(value)))
    except ValueError:
        pass
    when = email.utils.parsedate_to_datetime(value) if value and value[-1].isalnum() else None
    return max(0.0, when.timestamp() - now) if when else None


class Judge:
    """The log: a list of dicts, one a request, also written as JSON lines."""

    def __init__(self, path=None):
        self.rows, self.lock = [], threading.Lock()
        self.file = open(path, "a", encoding="utf-8", buffering=1) if path else None
        self.start = time.monotonic()

    def add(self, row):
        with self.lock:
            row["n"] = len(self.rows)
            self.rows.append(row)
        if self.file:
            self.file.write(json.dumps(row, separators=(",", ":"), default=str) + "\n")

    def close(self):
        if self.file:
            self.file.close()
            self.file = None

    def find(self, kind=None, name=None, since=0.0, **members):
        """Rows of a kind, about a name, that have these members."""
        with self.lock:
            rows = list(self.rows)
        return [r for r in rows if (kind is None or r["kind"] == kind) and (name is None or name in r["names"]) and r["at"] >= since
                and all(r.get(k) == v for k, v in members.items())]

    def count(self, kind=None, name=None, since=0.0, **members):
        return len(self.find(kind, name, since, **members))

    def disobeyed(self, slack=0.05):
        """(earlier row, later row): somebody came back to the same resource before a Retry-After was over. A 503 speaks for all of the
        authority, a refusal of newOrder for its names, anything else for its URL. badNonce is no reason to wait."""
        bad = []
        with self.lock:
            rows = list(self.rows)
        for i, first in enumerate(rows):
            wait = first.get("retry_after_s")
            if not wait or first.get("problem") == "badNonce":
                continue
            for later in rows[i + 1:]:
                if later["began"] >= first["at"] + wait - slack:
                    break
                if later["began"] < first["at"]:  # was under way already
                    continue
                same = later["path"] == first["path"] and later["kind"] not in ("new-order", "nonce", "directory", "new-account")
                if first["kind"] == "new-order":
                    same = later["kind"] == "new-order" and set(later["names"]) == set(first["names"])
                if first["status"] == 503 or first["kind"] in ("nonce", "directory"):
                    same = True
                if same:
                    bad.append((first, later))
                    break
        return bad

    def busiest(self, window=1.0, kind=None):
        """The most requests (of a kind) that began within one window."""
        times = sorted(r["began"] for r in self.find(kind))
        best = first = 0
        for last, at in enumerate(times):
            while times[first] < at - window:
                first += 1
            best = max(best, last - first + 1)
        return best
