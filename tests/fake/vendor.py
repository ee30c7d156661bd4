# SPDX-License-Identifier: Apache-2.0
"""vendor - what the fakes of DNS providers share: zones in memory, a name server that answers from them (so that a publish that lies cannot
issue), an HTTP server, and faults on demand."""
import http.server
import socketserver
import threading

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset


class Zones:
    """{zone: {(owner, type): (ttl, [rdata in master-file form])}}; all names lower case without final dot."""

    def __init__(self, *names):
        self.lock = threading.RLock()
        self.zones = {name: {} for name in names}

    def holding(self, name):
        """The deepest zone that holds the name, or None."""
        name = name.rstrip(".").lower()
        while name:
            if name in self.zones:
                return name
            name = name.partition(".")[2]
        return None

    def get(self, zone, name, kind="TXT"):
        return self.zones[zone].get((name.rstrip(".").lower(), kind))

    def put(self, zone, name, ttl, rdata, kind="TXT"):
        key = (name.rstrip(".").lower(), kind)
        if rdata:
            self.zones[zone][key] = (ttl, list(rdata))
        else:
            self.zones[zone].pop(key, None)

    def values(self, name):
        """TXT values at a name as the Internet sees them, sorted."""
        zone = self.holding(name)
        there = self.get(zone, name) if zone else None
        if not there:
            return []
        rrset = dns.rrset.from_text_list(name.rstrip(".") + ".", there[0], "IN", "TXT", [quoted(v) for v in there[1]])
        return sorted(b"".join(r.strings).decode() for r in rrset)


def quoted(value):
    return value if value.startswith('"') else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class NameServer:
    """Authoritative for the zones, UDP and TCP on one loopback port."""

    def __init__(self, zones, port, address="127.0.0.1"):
        self.zones, self.port = zones, port
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                answer = server.answer(self.request[0])
                if answer:
                    self.request[1].sendto(answer, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            timeout = 5

            def handle(self):
                size = self.rfile.read(2)
                if len(size) == 2:
                    answer = server.answer(self.rfile.read(int.from_bytes(size, "big")))
                    if answer:
                        self.wfile.write(len(answer).to_bytes(2, "big") + answer)

        self.servers = [socketserver.ThreadingUDPServer((address, port), Udp), Threading((address, port), Tcp)]
        for s in self.servers:
            s.daemon_threads = True
            threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def answer(self, wire):
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        reply = dns.message.make_response(query)
        name = question.name.to_text(omit_final_dot=True).lower()
        zone = self.zones.holding(name)
        if zone is None:
            reply.set_rcode(dns.rcode.REFUSED)
            return reply.to_wire()
        reply.flags |= dns.flags.AA
        with self.zones.lock:
            there = self.zones.get(zone, name, dns.rdatatype.to_text(question.rdtype))
            exists = any(owner == name or owner.endswith("." + name) for owner, _ in self.zones.zones[zone]) or name == zone
        if question.rdtype == dns.rdatatype.SOA and name == zone:
            reply.answer.append(self.soa(zone))
        elif question.rdtype == dns.rdatatype.NS and name == zone:
            reply.answer.append(dns.rrset.from_text(zone + ".", 60, "IN", "NS", f"ns1.{zone}."))
        elif name == f"ns1.{zone}" and question.rdtype == dns.rdatatype.A:
            reply.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "A", "127.0.0.1"))
        elif there:
            reply.answer.append(dns.rrset.from_text_list(question.name, there[0], "IN", "TXT", [quoted(v) for v in there[1]]))
        else:
            reply.set_rcode(dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
            reply.authority.append(self.soa(zone))
        return reply.to_wire()

    @staticmethod
    def soa(zone):
        return dns.rrset.from_text(zone + ".", 5, "IN", "SOA", f"ns1.{zone}. hostmaster.{zone}. 1 3600 600 86400 5")

    def stop(self):
        for s in self.servers:
            s.shutdown()
            s.server_close()


class Threading(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Http(http.server.ThreadingHTTPServer):
    """With a queue of connections as long as real servers have it: five are soon full."""
    daemon_threads = True
    request_queue_size = 128


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body


class Vendor:
    """A vendor's API on a loopback port. answer(request) gives (status, headers, body bytes); requests are kept."""
    address = "127.0.0.1"

    def __init__(self, zones, port):
        self.zones, self.port, self.requests, self.faults = zones, port, [], []
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, self.headers, body)
                with zones.lock:
                    vendor.requests.append(request)
                    fault = vendor.faults.pop(0) if vendor.faults else None
                    status, headers, body = fault or vendor.answer(request)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, *args):
                pass

        self.server = Http((self.address, port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request):
        raise NotImplementedError

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
