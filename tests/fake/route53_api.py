# SPDX-License-Identifier: Apache-2.0
"""route53_api - Amazon Route 53 (2013-04-01) and AssumeRole of STS, with state: batches that are one transaction, CREATE and DELETE with the
real rules, PENDING before INSYNC, private zones beside public ones, both error roots. Each signature is computed again by botocore, AWS's
own code. Held against awscli in tests/scenario/test_provider_route53.py."""
import datetime
import re
import urllib.parse
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

import botocore.auth
import botocore.awsrequest
import botocore.credentials
from vendor import Vendor

NS = "https://route53.amazonaws.com/doc/2013-04-01/"
FORM = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$")


def by_labels(name):
    return name.rstrip(".").split(".")[::-1]


class Route53(Vendor):
    KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    ROLE = "arn:aws:iam::123456789012:role/dns"
    ROLE_KEY, ROLE_SECRET, ROLE_TOKEN = "ASIAROLE", "roleSecret/0123456789+abcdefghijklmnopqr", "AQoDYXdzEPT//////////wEXAMPLEtoken=="

    def __init__(self, zones, port):
        super().__init__(zones, port)
        self.changes, self.private, self.twice = {}, set(), set()

    def zone_id(self, name):
        return "Z" + "".join(c for c in name.upper() if c.isalnum())

    def xml(self, status, text):
        return status, {"Content-Type": "text/xml"}, ('<?xml version="1.0"?>\n' + text).encode()

    def error(self, status, code, message):
        return self.xml(status, f'<ErrorResponse xmlns="{NS}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>'
                                "<RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>")

    def unsigned(self, q):
        m = FORM.match(q.headers.get("Authorization", ""))
        if not m:
            return self.error(403, "MissingAuthenticationToken", "Missing Authentication Token")
        key, _, region, service, names, signature = m.groups()
        secrets = {self.KEY: (self.SECRET, None), self.ROLE_KEY: (self.ROLE_SECRET, self.ROLE_TOKEN)}
        if key not in secrets:
            return self.error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if secrets[key][1] != q.headers.get("X-Amz-Security-Token"):
            return self.error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        at = datetime.datetime.strptime(q.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        if abs((at - datetime.datetime.utcnow()).total_seconds()) > 300:
            return self.error(403, "SignatureDoesNotMatch", f"Signature expired: {q.headers['X-Amz-Date']} is now earlier than the server's time")
        signed = {h: q.headers[h] for h in names.split(";")}
        request = botocore.awsrequest.AWSRequest(q.method, f"http://{q.headers['Host']}{q.path}", headers=signed, data=q.body)
        request.context["timestamp"] = q.headers["X-Amz-Date"]
        auth = botocore.auth.SigV4Auth(botocore.credentials.Credentials(key, *secrets[key]), service, region)
        auth.headers_to_sign = lambda r: botocore.auth.HTTPHeaders.from_pairs(sorted(signed.items()))
        right = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if right != signature:
            return self.error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
        return None

    def answer(self, q):
        wrong = self.unsigned(q)
        if wrong:
            return wrong
        url = urllib.parse.urlsplit(q.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        path = url.path.rstrip("/")
        if path == "" and q.method == "POST":
            return self.assume(dict(urllib.parse.parse_qsl(q.body.decode())))
        if path == "/2013-04-01/hostedzonesbyname":
            return self.by_name(query)
        m = re.fullmatch(r"/2013-04-01/hostedzone/([A-Z0-9]+)(/rrset)?", path)
        zone = next((z for z in self.zones.zones if m and self.zone_id(z) == m[1]), None)
        if m and zone is None:
            return self.error(404, "NoSuchHostedZone", f"No hosted zone found with ID: {m[1]}")
        if m and not m[2]:
            return self.xml(200, f'<GetHostedZoneResponse xmlns="{NS}">{self.hosted(zone, False)}<DelegationSet><NameServers>'
                                 f"<NameServer>ns1.{zone}</NameServer></NameServers></DelegationSet></GetHostedZoneResponse>")
        if m and q.method == "GET":
            return self.list_sets(zone, query)
        if m and q.method == "POST":
            return self.change(zone, q.body)
        m = re.fullmatch(r"/2013-04-01/change/([A-Z0-9]+)", path)
        if m and m[1] in self.changes:
            status, self.changes[m[1]] = self.changes[m[1]], "INSYNC"
            return self.xml(200, f'<GetChangeResponse xmlns="{NS}">{self.info(m[1], status)}</GetChangeResponse>')
        return self.error(404, "NoSuchChange" if m else "InvalidAction", "There is no such thing")

    def hosted(self, zone, private):
        zid = self.zone_id(zone) + ("PRIV" if private else "")
        return (f"<HostedZone><Id>/hostedzone/{zid}</Id><Name>{zone}.</Name><CallerReference>x</CallerReference><Config><PrivateZone>"
                f"{'true' if private else 'false'}</PrivateZone></Config><ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone>")

    def by_name(self, query):
        entries = [(z, p) for z in sorted(self.zones.zones, key=by_labels) for p in ([True, False] if z in self.private else [False])]
        entries += [(z, False) for z in self.twice]
        entries.sort(key=lambda e: by_labels(e[0]))
        if "dnsname" in query:
            entries = [e for e in entries if by_labels(e[0]) >= by_labels(query["dnsname"])]
        if "hostedzoneid" in query:
            ids = [self.zone_id(z) + ("PRIV" if p else "") for z, p in entries]
            entries = entries[ids.index(query["hostedzoneid"]):] if query["hostedzoneid"] in ids else entries
        most = int(query.get("maxitems", 100))
        more = entries[most:]
        tail = ""
        if more:
            nid = self.zone_id(more[0][0]) + ("PRIV" if more[0][1] else "")
            tail = f"<NextDNSName>{more[0][0]}.</NextDNSName><NextHostedZoneId>{nid}</NextHostedZoneId>"
        start = f"<DNSName>{query['dnsname']}</DNSName>" if "dnsname" in query else ""
        return self.xml(200, f'<ListHostedZonesByNameResponse xmlns="{NS}"><HostedZones>{"".join(self.hosted(*e) for e in entries[:most])}</HostedZones>'
                             f"{start}<IsTruncated>{'true' if more else 'false'}</IsTruncated>{tail}<MaxItems>{most}</MaxItems></ListHostedZonesByNameResponse>")

    def list_sets(self, zone, query):
        if "type" in query and "name" not in query:
            return self.error(400, "InvalidInput", "Invalid request: a type was given without a name")
        keys = sorted(self.zones.zones[zone], key=lambda k: (by_labels(k[0]), k[1]))
        if "name" in query:
            start = (by_labels(query["name"]), query.get("type", ""))
            keys = [k for k in keys if (by_labels(k[0]), k[1]) >= start]
        most = int(query.get("maxitems", 300))
        sets = ""
        for name, kind in keys[:most]:
            ttl, rdata = self.zones.zones[zone][name, kind]
            sets += (f"<ResourceRecordSet><Name>{name.replace('*', chr(92) + '052')}.</Name><Type>{kind}</Type><TTL>{ttl}</TTL><ResourceRecords>" +
                     "".join(f"<ResourceRecord><Value>{escape(v)}</Value></ResourceRecord>" for v in rdata) + "</ResourceRecords></ResourceRecordSet>")
        more = len(keys) > most
        return self.xml(200, f'<ListResourceRecordSetsResponse xmlns="{NS}"><ResourceRecordSets>{sets}</ResourceRecordSets>'
                             f"<IsTruncated>{'true' if more else 'false'}</IsTruncated><MaxItems>{most}</MaxItems></ListResourceRecordSetsResponse>")

    def info(self, cid, status):
        return f"<ChangeInfo><Id>/change/{cid}</Id><Status>{status}</Status><SubmittedAt>2026-11-26T17:00:00Z</SubmittedAt></ChangeInfo>"

    def change(self, zone, body):
        copy, n = dict(self.zones.zones[zone]), {"r": NS}
        for change in ET.fromstring(body).iterfind(".//r:Change", n):
            action, rrset = change.findtext("r:Action", None, n), change.find("r:ResourceRecordSet", n)
            name, kind = rrset.findtext("r:Name", None, n).rstrip(".").lower(), rrset.findtext("r:Type", None, n)
            new = (int(rrset.findtext("r:TTL", None, n)), [v.text for v in rrset.iterfind(".//r:Value", n)])
            wrong = None
            if self.zones.holding(name) != zone:
                wrong = f"RRSet with DNS name {name}. is not permitted in zone {zone}."
            elif kind == "TXT" and not all(v.startswith('"') and v.endswith('"') for v in new[1]):
                wrong = f"Invalid Resource Record: '{new[1][0]}' encountered, TXT values are quoted"
            elif action == "CREATE" and (name, kind) in copy:
                wrong = f"Tried to create resource record set [name='{name}.', type='{kind}'] but it already exists"
            elif action == "DELETE" and (name, kind) not in copy:
                wrong = f"Tried to delete resource record set [name='{name}.', type='{kind}'] but it was not found"
            elif action == "DELETE" and (copy[name, kind][0], sorted(copy[name, kind][1])) != (new[0], sorted(new[1])):
                wrong = f"Tried to delete resource record set [name='{name}.', type='{kind}'] but the values provided do not match the current values"
            if wrong:
                return self.xml(400, f'<InvalidChangeBatch xmlns="{NS}"><Messages><Message>{escape(wrong)}</Message></Messages>'
                                     "<RequestId>b25f48e8</RequestId></InvalidChangeBatch>")
            if action == "DELETE":
                del copy[name, kind]
            else:
                copy[name, kind] = new
        self.zones.zones[zone] = copy
        cid = f"C{len(self.changes) + 1:013d}"
        self.changes[cid] = "PENDING"
        return self.xml(200, f'<ChangeResourceRecordSetsResponse xmlns="{NS}">{self.info(cid, "PENDING")}</ChangeResourceRecordSetsResponse>')

    def assume(self, form):
        if form.get("Action") != "AssumeRole" or form.get("RoleArn") != self.ROLE:
            return self.error(403, "AccessDenied", f"User is not authorized to perform: sts:AssumeRole on resource: {form.get('RoleArn')}")
        return self.xml(200, '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
                             f"<AccessKeyId>{self.ROLE_KEY}</AccessKeyId><SecretAccessKey>{self.ROLE_SECRET}</SecretAccessKey>"
                             f"<SessionToken>{self.ROLE_TOKEN}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
                             "</AssumeRoleResult><ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata></AssumeRoleResponse>")
