# SPDX-License-Identifier: Apache-2.0
"""External account binding as authorities hand it out: the HMAC key in four spellings, and several key ids at one address."""
import base64


def spellings(key):
    std, url = base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()
    return [std, url, std.rstrip("="), url.rstrip("="), f"  {url}\n"]


def register(bed, **body):
    status, doc, _ = bed.server.request("POST", "/accounts", {"directory_url": bed.ca.directory, "agree_tos": True, **body})
    return bed.server.settled(status, doc, "/accounts")


def test_every_spelling_of_the_hmac_key_is_the_same_key(make_bed):
    key = b"\xfb\xef\xff\xfe\x3e\x3f" * 5 + b"x"  # + and / in base64, - and _ in base64url, and padding
    bed = make_bed(ca="fake", ca_options={"eab_required": True})
    for i, text in enumerate(spellings(key)):
        bed.ca.add_eab(f"kid-{i}", key)
        status, doc = register(bed, email=f"a{i}@example.test", eab_kid=f"kid-{i}", eab_hmac_key=text)
        assert status == 201 and doc["status"] == "valid" and doc["eab_kid"] == f"kid-{i}", (text, doc)
    twice = base64.b64encode(base64.urlsafe_b64encode(key)).decode()  # what some portals' keys look like: decoded once only
    bed.ca.add_eab("kid-twice", base64.b64decode(twice))
    assert register(bed, email="b@example.test", eab_kid="kid-twice", eab_hmac_key=twice)[0] == 201


def test_two_key_ids_at_one_address_are_two_accounts(make_bed):
    bed = make_bed(ca="fake", ca_options={"eab_required": True, "eab_once": True})
    made = []
    for kid in ("product-ov", "product-ev"):
        status, doc = register(bed, email="pki@example.test", eab_kid=kid, eab_hmac_key=bed.ca.add_eab(kid))
        assert status == 201, doc
        made.append(doc)
    assert made[0]["url"] != made[1]["url"] and [a.kid for a in bed.ca.accounts.values()] == ["product-ov", "product-ev"]
    assert made[0]["directory_url"] == made[1]["directory_url"]
