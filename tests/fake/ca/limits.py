# SPDX-License-Identifier: Apache-2.0
"""limits - a clock that can run fast or be set, and the limits Let's Encrypt publishes, counted on it (docs/rate-limits of its site,
August 2026). Refilled like a bucket: so many at once, then one per period/number."""
import threading
import time

HOUR, DAY = 3600.0, 86400.0


class Clock:
    """Seconds since the epoch, running `speed` times as fast as the wall clock and movable."""

    def __init__(self, speed=1.0):
        self.speed, self.start, self.real = speed, time.time(), time.monotonic()

    def now(self):
        return self.start + (time.monotonic() - self.real) * self.speed

    def forward(self, seconds):
        self.start += seconds

    def real_seconds(self, span):
        """How long a span of this clock takes for everybody else."""
        return span / self.speed


# name: (number, period in s, of what it counts, what is asked)
LETS_ENCRYPT = {
    "new-nonce": (20, 1.0, 10), "new-account": (5, 1.0, 15), "new-order": (300, 1.0, 200), "revoke": (10, 1.0, 100),
    "renewal-info": (1000, 1.0, 100), "acme": (250, 1.0, 125), "directory": (40, 1.0, 40),
    "accounts-per-address": (10, 3 * HOUR), "orders-per-account": (300, 3 * HOUR), "certificates-per-domain": (50, 7 * DAY),
    "certificates-per-set": (5, 7 * DAY), "failures-per-name": (5, HOUR), "failures-until-paused": (1152, 1152 * DAY),
}
PER_SECOND = {"nonce": "new-nonce", "new-account": "new-account", "new-order": "new-order", "revoke": "revoke", "ari": "renewal-info",
              "directory": "directory"}


class Bucket:
    def __init__(self, number, period, burst=None):
        self.capacity = float(burst or number)
        self.level, self.rate, self.at = self.capacity, number / period, None

    def take(self, now, n=1.0):
        """0 when there was room, else after how many seconds there will be."""
        if self.at is not None:
            self.level = min(self.capacity, self.level + max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.level >= n:
            self.level -= n
            return 0.0
        return (n - self.level) / self.rate

    def full(self):
        self.level = self.capacity


def registered_domain(name):
    """The last two labels: the names of the tests have no longer public suffixes."""
    return ".".join(name.removeprefix("*.").split(".")[-2:])


class Limits:
    """Buckets by (limit, of whom). `table` as LETS_ENCRYPT; a limit that is missing is not enforced."""

    def __init__(self, clock, table=None):
        self.clock, self.table = clock, dict(LETS_ENCRYPT if table is None else table)
        self.buckets, self.lock, self.refused = {}, threading.Lock(), []

    def take(self, limit, whom):
        """None, or the seconds (of the clock) to wait."""
        if limit not in self.table:
            return None
        with self.lock:
            bucket = self.buckets.setdefault((limit, whom), Bucket(*self.table[limit]))
            wait = bucket.take(self.clock.now())
            if wait:
                self.refused.append((self.clock.now(), limit, whom))
            return wait or None

    def peek(self, limit, whom):
        """As take, without taking."""
        with self.lock:
            bucket = self.buckets.get((limit, whom))
            if not bucket or limit not in self.table:
                return None
            wait = bucket.take(self.clock.now(), 1.0)
            if wait:
                self.refused.append((self.clock.now(), limit, whom))
            else:
                bucket.level += 1
            return wait or None

    def give_back(self, limit, whom):
        with self.lock:
            if (limit, whom) in self.buckets:
                self.buckets[limit, whom].full()

    def request(self, kind, address):
        """A request of this kind from this address: seconds to wait, or None."""
        return self.take(PER_SECOND.get(kind, "acme"), address)
