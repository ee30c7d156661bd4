# SPDX-License-Identifier: Apache-2.0
"""isolated_site - a site without a route to the Internet: everything it can be asked to issue, and nothing on its wires that is not documented.

	isolated_site.py FOLDER        (as root; run by test_isolated_site.py)

	in-house 10.77.2.0/24 --- site 10.77.1.0/24 --- border 198.51.100.0/24 --- the Internet
	  .20 PowerDNS (53, API)    .10 Certwright       .1 tinyproxy (10.77.1.1)     .2 CA    .3 unbound (53, DoH)
	  .21 CA of the house            no default      .53 NAT of port 53           .4 Akamai's API and name server
	                                 route           .80 nginx  .81 NAT of 80     .5 BIND, parent of the delegation

Orders: apex and wildcard by delegation, by Akamai and, at the CA of the house, by PowerDNS; http-01 through nginx that redirects and one that
forwards. Certwright is the package in a machine of its own; where none can be booted, the build tree, and the result says which. Packet filters in the site, dropping what is not in the table of docs/generated/firewall.md, and in the border count all of it.
The last line is one JSON document with what became of each order and the counters.
"""
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fake"), str(HERE.parent / "scenario")]
import bed as beds  # noqa: E402
import dnspeers  # noqa: E402
import dnsviews  # noqa: E402
import helpers  # noqa: E402
import installed  # noqa: E402
import machine  # noqa: E402
import namespaces  # noqa: E402
import pdns  # noqa: E402
import unbound  # noqa: E402
import vendor  # noqa: E402
from akamai_api import Akamai  # noqa: E402

INHOUSE_DNS, INHOUSE_CA, US_INHOUSE = "10.77.2.20", "10.77.2.21", "10.77.2.10"
US, BORDER = "10.77.1.10", "10.77.1.1"
CA, RESOLVER, AKAMAI, PARENT = "198.51.100.2", "198.51.100.3", "198.51.100.4", "198.51.100.5"
OUTSIDE, OUR_DNS, WEB, OUR_HTTP = "198.51.100.1", "198.51.100.53", "198.51.100.80", "198.51.100.81"
PROXY_PORT, CA_NAME, AKAMAI_NAME = 3128, "ca.public.test", "edgedns.public.test"
DOH_NAME = "dns.public.test"

PARENT_ZONE = f"""$TTL 60
@ IN SOA ns1 hostmaster 1 3600 600 86400 5
@ IN NS ns1
ns1 IN A {PARENT}
ca IN A {CA}
edgedns IN A {AKAMAI}
dns IN A {RESOLVER}
ns IN A {OUR_DNS}
acme IN A {OUR_HTTP}
forward IN A {WEB}
redirect IN A {WEB}
"""

SITE_RULES = """
table ip drill {{
  counter proxy {{ }}
  counter resolver {{ }}
  counter provider {{ }}
  counter inhouse_ca {{ }}
  counter dns_in {{ }}
  counter http_in {{ }}
  counter other_out {{ }}
  counter other_in {{ }}
  set strangers {{ type ipv4_addr . inet_proto . inet_service; flags dynamic; size 256; }}
  chain out {{ type filter hook output priority 0; policy drop;
    oifname "lo" accept
    ct state established,related accept
    ip daddr {border} tcp dport {proxy_port} counter name proxy accept
    ip daddr {inhouse_dns} meta l4proto {{ tcp, udp }} th dport 53 counter name resolver accept
    ip daddr {inhouse_dns} tcp dport {api_port} counter name provider accept
    ip daddr {inhouse_ca} tcp dport {ca_port} counter name inhouse_ca accept
    add @strangers {{ ip daddr . meta l4proto . th dport }}
    counter name other_out; }}
  chain in {{ type filter hook input priority 0; policy drop;
    iifname "lo" accept
    ct state established,related accept
    ip saddr {border} meta l4proto {{ tcp, udp }} th dport 53 counter name dns_in accept
    ip saddr {border} tcp dport 80 counter name http_in accept
    counter name other_in; }}
}}
"""

BORDER_RULES = """
table ip drill {{
  counter nat_dns {{ }}
  counter nat_http {{ }}
  counter ca {{ }}
  counter akamai {{ }}
  counter doh {{ }}
  counter names {{ }}
  counter forwarded {{ }}
  counter other {{ }}
  counter leak {{ }}
  set strangers {{ type ipv4_addr . inet_proto . inet_service; flags dynamic; size 256; }}
  chain before {{ type nat hook prerouting priority -100;
    ip daddr {our_dns} meta l4proto {{ tcp, udp }} th dport 53 counter name nat_dns dnat to {us}
    ip daddr {our_http} tcp dport 80 counter name nat_http dnat to {us}; }}
  chain after {{ type nat hook postrouting priority 100; oifname "{inner}" masquerade; }}
  chain through {{ type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "{outer}" oifname "{inner}" ct status dnat accept
    counter name leak; }}
  chain out {{ type filter hook output priority 0;
    oifname "lo" accept
    ct state established,related accept
    ip daddr {ca} tcp dport {ca_port} counter name ca accept
    ip daddr {akamai} tcp dport {akamai_port} counter name akamai accept
    ip daddr {resolver} tcp dport 443 counter name doh accept
    ip daddr {resolver} meta l4proto {{ tcp, udp }} th dport 53 counter name names accept
    ip daddr {us} tcp dport 80 counter name forwarded accept
    add @strangers {{ ip daddr . meta l4proto . th dport }}
    counter name other drop; }}
}}
"""

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log; user nobody nogroup;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen {web}:80; server_name redirect.public.test;
    location /.well-known/acme-challenge/ {{ return 302 http://acme.public.test$request_uri; }} }}
  server {{ listen {web}:80; server_name forward.public.test;
    location /.well-known/acme-challenge/ {{ proxy_pass http://{us}:80; proxy_set_header Host $host; }} }}
}}
"""


def why_not():
    """What is missing for this drill, or None."""
    for there, text in ((not pdns.missing(), pdns.missing()), (unbound.PROGRAM, "unbound is not installed"),
                        (dnspeers.Named.here(), "bind9 is not installed"), (which("nginx"), "nginx is not installed"),
                        (which("tinyproxy"), "tinyproxy is not installed")):
        if not there:
            return text
    return namespaces.why_not()


def which(name):
    return next((p for p in (f"/usr/sbin/{name}", f"/usr/bin/{name}") if pathlib.Path(p).exists()), None)


class PublicAkamai(Akamai):
    address = AKAMAI


class Drill:
    def __init__(self, folder):
        self.folder, self.parts, self.user = folder, [], beds.user_of_parts()
        self.lower = None if machine.why_not() else machine.tree(machine.suite(), "installed", machine.depends(machine.package()))  # while there is a mirror
        self.house, self.site, self.border, self.internet = (self.add(namespaces.Namespace(n)) for n in ("house", "site", "bordr", "inet"))
        self.site.cable(self.house, [US_INHOUSE], [INHOUSE_DNS, INHOUSE_CA])
        self.inner = self.border.cable(self.site, [BORDER], [US])
        self.outer = self.border.cable(self.internet, [OUTSIDE, OUR_DNS, WEB, OUR_HTTP], [CA, RESOLVER, AKAMAI, PARENT])
        self.tls = folder / "tls"
        beds.make_tls(self.tls, f"DNS:{CA_NAME},IP:{CA},IP:{INHOUSE_CA}")

    def add(self, part):
        self.parts.append(part)
        return part

    def sub(self, name):
        path = self.folder / name
        path.mkdir()
        path.chmod(0o711)
        return path

    def stop(self):
        for part in reversed(self.parts):
            part.stop()

    def open_internet(self):
        """Parent zone, provider, resolver, CA."""
        folder = self.sub("internet")
        with self.internet:
            (folder / "named.conf").write_text(f"""options {{ directory "{folder}"; pid-file "named.pid"; session-keyfile "session.key"; lock-file none;
  listen-on port 53 {{ {PARENT}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no; managed-keys-directory "."; }};
controls {{ }};
zone "public.test" {{ type primary; file "public.zone"; }};
""")
            (folder / "public.zone").write_text(PARENT_ZONE + "_acme-challenge.delegated IN NS ns\n")
            self.add(beds.Process("named", [dnspeers.Named.here(), "-c", folder / "named.conf", "-g", "-n", "1"], folder))
            self.zones = vendor.Zones("akamai.test")
            self.add(vendor.NameServer(self.zones, 53, AKAMAI))
            self.akamai = self.add(PublicAkamai(self.zones, beds.free_port()))
            self.add(unbound.Unbound(folder, {"public.test": (PARENT, 53), "akamai.test": (AKAMAI, 53)}, RESOLVER, 53))
            # of unbound itself DNS over HTTPS is to be had in HTTP/2 only
            self.doh = self.add(dnsviews.Doh(folder, RESOLVER, 53, (RESOLVER, 443), f"DNS:{DOH_NAME}"))
            self.ca = self.add(beds.Pebble(folder, 53, 80, self.user, True, {"PEBBLE_AUTHZREUSE": "0"}, False, self.tls, address=CA, dns_address=RESOLVER))

    def open_house(self):
        with self.house:
            folder = self.sub("house")
            self.powerdns = self.add(pdns.PowerDns(folder, ["inside.test"], INHOUSE_DNS, 53))
            self.own_ca = self.add(beds.Pebble(folder, 53, 80, self.user, True, {"PEBBLE_AUTHZREUSE": "0"}, False, self.tls, address=INHOUSE_CA,
                                               dns_address=INHOUSE_DNS))

    def open_border(self):
        """The proxy, which alone can look up names of the Internet, NAT, and a web server."""
        folder = self.sub("border")
        (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
        (folder / "tinyproxy.conf").write_text(f"Port {PROXY_PORT}\nListen {BORDER}\nTimeout 60\nMaxClients 50\nLogLevel Connect\nDisableViaHeader Yes\n")
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, web=WEB, us=US))
        with self.border:
            namespaces.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
            self.add(beds.Process("tinyproxy", ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/resolv.conf && exec "$2" -d -c "$3"', "sh",
                                                folder / "resolv.conf", which("tinyproxy"), folder / "tinyproxy.conf"], folder))
            self.add(beds.Process("nginx", [which("nginx"), "-c", folder / "nginx.conf", "-p", folder], folder))

    def close_the_wires(self):
        self.site.nft(SITE_RULES.format(border=BORDER, proxy_port=PROXY_PORT, inhouse_dns=INHOUSE_DNS, inhouse_ca=INHOUSE_CA,
                                        api_port=self.powerdns.api_port, ca_port=self.own_ca.port))
        self.border.nft(BORDER_RULES.format(our_dns=OUR_DNS, our_http=OUR_HTTP, us=US, inner=self.inner, outer=self.outer, ca=CA, ca_port=self.ca.port,
                                            akamai=AKAMAI, akamai_port=self.akamai.port, resolver=RESOLVER))

    def open_site(self):
        folder, trust = self.sub("site"), (self.tls / "ca.pem").read_text() + self.doh.ca
        settings = {"net.proxy": f"http://{BORDER}:{PROXY_PORT}", "net.no_proxy": "10.77.2.0/24", "net.allow": "10.77.2.0/24",
                    "dns.listen": f"{US}:53", "http01.listen": f"{US}:80", "dns.hostname": "ns.public.test", "dns.public_addresses": OUR_DNS,
                    "resolve.servers": f"{INHOUSE_DNS}:53", "resolve.ask_view": "yes"}
        if self.lower:
            self.server = installed.Installed(folder, self.site, self.lower)
            self.add(installed.Closing(self.server))
            self.server.machine.put("/etc/certwright/trust.pem", trust)
            self.server.configure(**settings, **{"net.trust": "/etc/certwright/trust.pem"})
            self.server.prepare()
            self.server.apply()
        else:
            self.server = self.add(beds.Server(folder, {**settings, "net.trust": str(self.secret("trust.pem", trust, 0o644))}, self.user, ports={"dns": 53, "http": 80}))
            self.server.start()

    def secret(self, name, text, mode=0o600):
        """A file where the command line runs."""
        if self.lower:
            self.server.machine.put(f"/root/{name}", text, mode)
            return pathlib.Path("/root", name)
        path = self.folder / "site" / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def account(self, directory):
        return self.server.call("account", "register", "--directory", directory, "--email", "admin@certwright.test", "--agree-tos")

    def provider(self, kind, *fields, **secrets):
        args = ["provider", "create", "--kind", kind, "--name", kind]
        for field in fields:
            args += ["--set", field]
        for name, text in secrets.items():
            args += ["--secret-file", f"{name}={self.secret(name, text)}"]
        return self.server.call(*args)

    def orders(self):
        """{what: (id, names)}, all at once."""
        outside = self.account(f"https://{CA_NAME}:{self.ca.port}/dir")
        inside = self.account(self.own_ca.directory)
        akamai = self.provider("akamai", f"url=http://{AKAMAI_NAME}:{self.akamai.port}", edgerc=self.akamai.edgerc())
        powerdns = self.provider("powerdns", f"url={self.powerdns.url}", api_key=pdns.KEY + "\n")
        self.server.call("delegation", "create", "delegated.public.test")
        view = self.server.call("view", "create", "--name", "Internet", "--kind", "doh", "--url", f"https://{DOH_NAME}/dns-query")
        self.server.call("view-rule", "create", "--suffix", "akamai.test", "--view", view["id"])
        wished = {"delegation through NAT": (outside, "dns-01", "delegation", ["delegated.public.test", "*.delegated.public.test"]),
                  "Akamai through the proxy": (outside, "dns-01", akamai["id"], ["akamai.test", "*.akamai.test"]),
                  "PowerDNS at the CA of the house": (inside, "dns-01", powerdns["id"], ["inside.test", "*.inside.test"]),
                  "http-01 by redirect": (outside, "http-01", None, ["redirect.public.test"]),
                  "http-01 by forward": (outside, "http-01", None, ["forward.public.test"])}
        return {what: (helpers.order(self, account, names, validation, *(["--dns", how] if how else []))["id"], names)
                for what, (account, validation, how, names) in wished.items()}

    def run(self):
        self.open_internet()
        self.open_house()
        self.open_border()
        self.close_the_wires()
        with self.site:
            self.open_site()
            begun = time.monotonic()
            made = self.orders()
            over = helpers.wait_all(self, [one for one, _ in made.values()])
            result = {"way": getattr(self.server, "way", f"the build tree ({machine.why_not()})"), "orders": {}, "seconds": round(time.monotonic() - begun, 1)}
            for what, (one, names) in made.items():
                order = over.get(one) or self.server.call("order", "show", one)
                result["orders"][what] = [order["status"], order["reason"], helpers.names_of(helpers.chain(self, one)[0]) == sorted(names)
                                          if order["status"] == "valid" else False]
            result["owed"] = self.owed()
        result["left"] = {"akamai": sorted(name for name, _ in self.zones.zones["akamai.test"]), "powerdns": self.inside(lambda: self.powerdns.texts("inside.test"))}
        result["issued"] = {"outside": self.ca.issued(), "inside": self.own_ca.issued()}
        result["site"], result["border"] = (dict(zip(("counters", "strangers"), space.counted())) for space in (self.site, self.border))
        return result

    def owed(self):
        until = time.monotonic() + 120
        while (left := self.server.call("debt", "list")["items"]) and time.monotonic() < until:
            time.sleep(0.2)
        return left

    def inside(self, fn):
        with self.house:
            return fn()


def main(folder):
    drill = Drill(folder)
    try:
        print(json.dumps(drill.run(), default=str))
    except BaseException:
        for log in folder.rglob("*.log"):
            print(f"==== {log}\n{log.read_text(errors='replace')[-3000:]}")
        raise
    finally:
        drill.stop()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
