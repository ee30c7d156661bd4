# SPDX-License-Identifier: Apache-2.0
"""load - the TCP side of `make attack`, one kind of attacker per process.

	load.py tcp-hoard|slow-http|http-flood|tls-flood|sign-in|json-bomb PORT AMOUNT SECONDS

AMOUNT is connections held (tcp-hoard, slow-http) or attempts per second. Prints one line of JSON: what was tried and what came of it.
"""
import asyncio
import collections
import json
import random
import resource
import ssl
import sys
import time

BOMBS = [
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"names":[' + b'"a.example.test",' * 12_000 + b'"z"]}',
    b'{"' + b"k" * 200_000 + b'":1}',
    b'{"name":"' + b"\\u0041" * 40_000 + b'"}',
    b'{"n":' + b"9" * 200_000 + b"}",
    b"{" + b",".join(b'"k%d":1' % i for i in range(20_000)) + b"}",
    b"\xff\xfe" * 100_000,
]


def source(i, port):
    """Edge counts by network: attackers come from many. The API is asked from few."""
    return (f"127.{1 + i // 200 % 100}.{i % 200}.9", 0)


class Attacker:
    def __init__(self, kind, port, amount, seconds):
        self.kind, self.port, self.amount = kind, port, amount
        self.until = time.monotonic() + seconds
        self.counts = collections.Counter()
        self.trust = ssl.create_default_context()
        self.trust.check_hostname, self.trust.verify_mode = False, ssl.CERT_NONE

    def over(self):
        return time.monotonic() >= self.until

    async def held(self, i, first, drip):
        """One connection that says a byte now and then; made again when it is closed."""
        while not self.over():
            writer = None
            try:
                reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.port, local_addr=source(i, self.port)), 5)
                self.counts["connections"] += 1
                writer.write(first)
                while not self.over():
                    try:
                        if not await asyncio.wait_for(reader.read(512), 1 + random.random()):
                            break
                    except asyncio.TimeoutError:
                        writer.write(drip)
                self.counts["ended by the server"] += not self.over()
            except (OSError, asyncio.TimeoutError):
                self.counts["refused"] += 1
                await asyncio.sleep(0.5)
            finally:
                if writer:
                    writer.close()

    async def http_flood(self, i):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=source(i, self.port))
        writer.write(b"GET /.well-known/acme-challenge/%032x HTTP/1.1\r\nHost: a.example.test\r\nConnection: close\r\n\r\n" % random.getrandbits(128))
        self.counts[(await reader.read(12))[9:12].decode() or "closed"] += 1
        writer.close()

    async def tls_flood(self, _):
        _, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust)
        self.counts["handshakes"] += 1
        writer.transport.abort()

    async def post(self, path, body, head=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust)
        try:
            writer.write(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n" %
                         (path, head, len(body)) + body)
            self.counts[(await reader.read(12))[9:12].decode() or "closed"] += 1
        finally:
            writer.transport.abort()

    async def sign_in(self, i):
        await self.post(b"/api/v1/session", json.dumps({"name": random.choice(["admin", f"user{i % 50}"]), "password": f"guess number {i}"}).encode())

    async def json_bomb(self, i):
        await self.post(random.choice([b"/api/v1/session", b"/api/v1/orders", b"/api/v1/csrs"]), BOMBS[i % len(BOMBS)])

    async def guarded(self, act, i):
        try:
            await asyncio.wait_for(act(i), 10)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            self.counts["failed"] += 1

    async def rate(self, act):
        begin, n, tasks = time.monotonic(), 0, set()
        while not self.over():
            while n < (time.monotonic() - begin) * self.amount and len(tasks) < 500:
                n += 1
                task = asyncio.create_task(self.guarded(act, n))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            await asyncio.sleep(0.005)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.counts["tried"] = n

    async def run(self):
        if self.kind == "tcp-hoard":
            await asyncio.gather(*(self.held(i, b"\x00", b"\x21") for i in range(self.amount)))
        elif self.kind == "slow-http":
            await asyncio.gather(*(self.held(i, b"GET /.well-known/acme-challenge/x HTTP/1.1\r\nX-", b"a") for i in range(self.amount)))
        else:
            await self.rate({"http-flood": self.http_flood, "tls-flood": self.tls_flood, "sign-in": self.sign_in, "json-bomb": self.json_bomb}[self.kind])
        print(json.dumps(self.counts))


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(Attacker(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])).run())
