# SPDX-License-Identifier: Apache-2.0
"""faultproxy - a TLS proxy between Certwright and the test CA that does to chosen messages what networks and load balancers do.

	proxy = FaultProxy(bed.ca)            the server's directory is proxy.directory
	proxy.rule("finalize", cut=17)        the next answer to a finalize ends after 17 bytes of its body
	proxy.rule("order", times=3, status=503, headers={"Retry-After": "7"}, body="<html>")     the CA never sees these
	proxy.rule("new-order", forward=True, reset=True)        the CA acts, the answer is lost

Kinds of messages: directory, nonce, account, new-order, authz, challenge, finalize, order, certificate; "*" is any of them. A rule
is used `times` times (None: for ever), the first that fits wins. `proxy.log` holds (monotonic time, kind, what was done to it).

	head_cut=K   the answer ends after K bytes of status line and headers
	cut=K        ... after K bytes of its body; Content-Length says the whole
	longer=K     Content-Length promises K more bytes than come
	reset        the connection is reset; stall=S: S seconds of silence after the headers; drip=S: a byte each S seconds
	delay=S      the answer comes S seconds late
	status, headers, body    an answer of our own instead of the CA's (forward=True: the CA still gets the request)
	flood=N      instead of a body N bytes of spaces, as fast as they are taken; flood_head=N: so many headers of 1 KiB
	drop=[...]   headers left out of the CA's answer; chunked=K: chunked encoding, broken in the Kth chunk (None: whole)
"""
import asyncio
import re
import socket
import ssl
import struct
import threading
import time

import bed as beds

KINDS = (("/dir", "directory"), ("/nonce-plz", "nonce"), ("/sign-me-up", "account"), ("/order-plz", "new-order"), ("/authZ/", "authz"),
         ("/chalZ/", "challenge"), ("/finalize-order/", "finalize"), ("/my-order/", "order"), ("/certZ/", "certificate"),
         ("/my-account/", "account-url"))


def kind_of(path):
    return next((kind for start, kind in KINDS if path.startswith(start)), "other")


class Closed(Exception):
    """The other side has gone."""


async def read_message(reader, head_request=False):
    """(first line, [(name, value)], body) of one request or answer."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError) as e:
        raise Closed from e
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
    known = {name.lower(): value for name, value in headers}
    body = b""
    no_body = head_request or re.match(r"HTTP/1\.1 (204|304|1\d\d)", first)
    if known.get("transfer-encoding", "").lower() == "chunked" and not no_body:
        while True:
            size = int((await reader.readline()).split(b";")[0], 16)
            body += await reader.readexactly(size)
            await reader.readline()
            if not size:
                break
        headers = [h for h in headers if h[0].lower() != "transfer-encoding"]
    elif "content-length" in known and not no_body:
        body = await reader.readexactly(int(known["content-length"]))
    return first, [h for h in headers if h[0].lower() != "content-length"], body


class FaultProxy:
    def __init__(self, ca):
        self.ca, self.rules, self.log, self.floods = ca, [], [], []
        self.lock = threading.Lock()
        self.trust = ssl.create_default_context(cafile=str(ca.ca))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(ca.folder / "srv.pem", ca.folder / "srv.key")
        self.port = beds.free_port()
        self.directory = f"https://127.0.0.1:{self.port}/dir"
        self.loop = asyncio.new_event_loop()
        self.up = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        if not self.up.wait(120):
            raise beds.BedError("the fault proxy does not listen")

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port, ssl=self.tls))
        self.up.set()
        self.loop.run_forever()
        server.close()

    def stop(self):
        def end():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.call_soon(self.loop.stop)

        self.loop.call_soon_threadsafe(end)
        self.thread.join(5)

    def rule(self, kind, times=1, **what):
        with self.lock:
            self.rules.append({"kind": kind, "left": times, **what})

    def clear(self):
        with self.lock:
            self.rules.clear()

    def pending(self):
        with self.lock:
            return len(self.rules)

    def take(self, kind):
        with self.lock:
            for rule in self.rules:
                if rule["kind"] in (kind, "*"):
                    if rule["left"] is not None:
                        rule["left"] -= 1
                        if not rule["left"]:
                            self.rules.remove(rule)
                    return rule
        return {}

    def count(self, kind, since=0):
        return sum(1 for at, k, _ in self.log if k == kind and at >= since)

    async def serve(self, reader, writer):
        upstream = None
        try:
            while True:
                first, headers, body = await read_message(reader)
                method, path, _ = first.split(" ")
                kind = kind_of(path)
                rule = self.take(kind)
                self.log.append((time.monotonic(), kind, {k: v for k, v in rule.items() if k not in ("kind", "left")}))
                answer = None
                if "status" not in rule or rule.get("forward"):
                    if upstream is None:
                        upstream = await asyncio.open_connection("127.0.0.1", self.ca.port, ssl=self.trust)
                    lines = [first, *(f"{n}: {v}" for n, v in headers), f"Content-Length: {len(body)}", "", ""]
                    upstream[1].write("\r\n".join(lines).encode("latin-1") + body)
                    answer = await read_message(upstream[0], method == "HEAD")
                if "status" in rule:
                    answer = (f"HTTP/1.1 {rule['status']} Said by the proxy", list(rule.get("headers", {}).items()), as_bytes(rule.get("body", "")))
                if not await self.answer(writer, rule, method, *answer):
                    return
        except (Closed, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            for w in (writer, upstream[1] if upstream else None):
                if w:
                    w.close()

    async def flood(self, writer, rule, lines):
        """Until all is sent, or the other side has had enough; how much it took is in the rule's entry of the log."""
        lines[-1] = f"Content-Length: {rule.get('flood', 0)}"
        writer.write(("\r\n".join(lines) + "\r\n").encode("latin-1"))
        done = {"sent": 0}
        self.floods.append(done)
        for i in range(rule.get("flood_head", 0)):
            writer.write(b"X-%d: " % i + b"x" * 1000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0)  # the other side's end is only seen by a loop that turns
            if writer.transport.is_closing():
                return False
            done["sent"] += 1008
        writer.write(b"\r\n")
        while done["sent"] < rule.get("flood", 0):
            writer.write(b" " * 65536)
            await writer.drain()
            await asyncio.sleep(0)  # the other side's end is only seen by a loop that turns
            if writer.transport.is_closing():
                return False
            done["sent"] += 65536
        await writer.drain()
        return False

    async def answer(self, writer, rule, method, first, headers, body):
        """False when the connection is over."""
        if rule.get("delay"):
            await asyncio.sleep(rule["delay"])
        if rule.get("reset"):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        drop = [name.lower() for name in rule.get("drop", [])]
        lines = [first, *(f"{n}: {v}" for n, v in headers if n.lower() not in drop)]
        if "chunked" in rule:
            lines.append("Transfer-Encoding: chunked")
            third = max(1, len(body) // 3)
            chunks = [body[i:i + third] for i in range(0, len(body), third)]
            data = b""
            for i, chunk in enumerate(chunks):
                data += b"%x\r\n" % len(chunk) + (chunk[:len(chunk) // 2] if i == rule["chunked"] else chunk + b"\r\n")
                if i == rule["chunked"]:
                    break
            else:
                data += b"0\r\n\r\n"
        else:
            lines.append(f"Content-Length: {len(body) + rule.get('longer', 0)}")
            data = b"" if method == "HEAD" else body
        if "flood" in rule or "flood_head" in rule:
            return await self.flood(writer, rule, lines)
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if "head_cut" in rule:
            head, data = head[:rule["head_cut"]], b""
        if "cut" in rule:
            data = data[:rule["cut"]]
        writer.write(head)
        await writer.drain()
        if rule.get("stall"):
            await asyncio.sleep(rule["stall"])
        if rule.get("drip"):
            for i in range(len(data)):
                writer.write(data[i:i + 1])
                await writer.drain()
                await asyncio.sleep(rule["drip"])
        else:
            writer.write(data)
        await writer.drain()
        over = any(k in rule for k in ("head_cut", "cut", "stall", "drip")) or rule.get("longer") or rule.get("chunked") is not None
        return not over


def as_bytes(text):
    return text.encode() if isinstance(text, str) else text
