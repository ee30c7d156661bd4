# SPDX-License-Identifier: Apache-2.0
"""The administrator's guide as a whole: every page is reached from its first one, no link is dead, every code and notice has its row, and each
command that a page shows is one that the program knows, with options that it takes."""
import ipaddress
import re
import shlex
import subprocess

import bed as beds
import pytest

GUIDE = beds.TOP / "docs/admin"
PAGES = sorted(GUIDE.glob("*.md"))
LOCAL = ("serve", "setup", "config", "restore", "key", "backup", "upgrade", "restored")
COMMON = {"--json", "--server", "--token-file", "--ca", "--fingerprint", "--quiet", "--help"}


def program(*args):
    return subprocess.run([beds.PROGRAM, *args], capture_output=True, text=True, check=True).stdout


def links(page):
    return [m for m in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in m]


def anchors(page):
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def section(page, head):
    """What stands below a heading of a page."""
    return re.split(r"^## ", (GUIDE / page).read_text().split(f"\n## {head}\n", 1)[1], maxsplit=1, flags=re.M)[0]


def test_every_page_of_the_guide_is_linked_from_its_first_page():
    linked = {link.split("#")[0] for link in links(GUIDE / "README.md")}
    assert not [p.name for p in PAGES if p.name != "README.md" and p.name not in linked]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_no_link_of_the_guide_is_dead(page):
    dead = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or anchor and anchor not in anchors(target):
            dead.append(link)
    assert not dead


def test_troubleshooting_has_a_row_for_every_error_code_and_for_no_other():
    known = set(re.findall(r"^\| `([^`]+)` \|", (beds.TOP / "docs/generated/errors.md").read_text(), re.M))
    rows = re.findall(r"^\| `([^`]+)` \|", section("troubleshooting.md", "Error codes"), re.M)
    assert sorted(rows) == sorted(known)


# RFC 8555 6.7, RFC 9773 5; what drafts and authorities use besides stands in the program's table only.
STANDARD = """accountDoesNotExist alreadyRevoked badCSR badNonce badPublicKey badRevocationReason badSignatureAlgorithm caa compound connection dns
    externalAccountRequired incorrectResponse invalidContact malformed orderNotReady rateLimited rejectedIdentifier serverInternal tls unauthorized
    unsupportedContact unsupportedIdentifier userActionRequired alreadyReplaced""".split()


def test_troubleshooting_has_a_row_for_every_problem_type_with_the_code_that_the_program_makes_of_it():
    slugs = dict(re.findall(r'X\((\w+),\s+\d+,\s+\w+,\s+\d+, "([^"]+)"', (beds.TOP / "src/base/err.h").read_text()))
    table = {t: slugs[code] for t, code in re.findall(r'^\t\{ "(\w+)", ERR_(\w+), ACME_SCOPE', (beds.TOP / "src/acme/problem.c").read_text(), re.M)}
    assert not set(STANDARD) - set(table), "the program's table lacks a type of the standard"
    rows = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \| ([^|]+) \| ([^|]+) \|$", section("troubleshooting.md", "What an authority says"), re.M)
    assert [r[0] for r in rows] == sorted(table), "each once, in order"
    assert {r[0]: r[1] for r in rows} == table
    assert all(len(does) > 5 and len(do) > 5 for _, _, does, do in rows)


def test_renewal_and_notifications_have_a_row_for_every_notice():
    kinds = set(re.findall(r'X\(NOTICE_\w+, "([^"]+)"\)', (beds.TOP / "src/model/renewal.h").read_text()))
    assert len(kinds) > 15
    for page in ("renewal.md", "notifications.md"):
        table = set(re.findall(r"`([a-z-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", (GUIDE / page).read_text(), re.M))))
        assert not kinds - table, f"{page} lacks {sorted(kinds - table)}"


def test_the_firewall_page_has_a_row_for_every_setting_that_listens_or_is_called():
    settings = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", program("config", "keys"), re.M)
    decides = {key for key, kind in settings if kind in ("list of address:port", "URL") or re.search(r"(?:[._](?:url|target|directory)|\.proxy)$", key)}
    assert {"api.listen", "dns.listen", "http01.listen", "store.url", "net.proxy"} <= decides
    decides.remove("api.public_url")  # for links: nobody is called there
    rows = [r.split(" | ") for r in re.findall(r"^\| (.*) \|$", program("config", "firewall"), re.M)]
    named = {key for row in rows for key in re.findall(r"`([^`]+)`", row[4] if len(row) == 6 else "")}
    assert not decides - named
    assert not named - {key for key, _ in settings}


def test_the_firewall_page_has_a_row_for_every_authority_and_provider_that_is_called():
    page = program("config", "firewall")
    vendors = program("config", "vendors")
    hosts = {h for line in vendors.splitlines() if line.startswith(("- Directory:", "| `")) for h in re.findall(r"`https://([^/`]+)", line)}
    assert len(hosts) > 10
    assert not {h for h in hosts if f"| `{h}` | 443 TCP | ACME |" not in page}
    kinds = re.split(r"^Kind `", (beds.TOP / "docs/generated/providers.md").read_text(), flags=re.M)[1:]
    called = {k.split("`")[0] for k in kinds if re.search(r"^\| `\w+` \| [^|]*endpoint", k, re.M) and not re.search(r"^\| `\w+` \| [^|]*(program|path)", k, re.M)}
    assert len(called) > 4
    assert not {k for k in called if f"a provider of kind `{k}` is configured" not in page}


SHOWN = {"app.zerossl.com", "secure.ssl.com", "publicca.googleapis.com", "preprod-publicca.googleapis.com"}  # where a person is sent in a vendor's steps
TOPS = "com|org|net|io|eu|dev|cloud|goog|info|co|de|ch|nl|no|fr|it|us|uk|jp|cn"
LINK = re.compile(r"\.(?:site|docs_url|terms_url) = |_TERMS ")  # of documentation, for people


def literals():
    """(file, line, text) of every string literal of the program, without comments."""
    for file in sorted((beds.TOP / "src").rglob("*.[ch]")):
        text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), file.read_text(), flags=re.S)
        for line in text.splitlines():
            for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
                yield str(file.relative_to(beds.TOP)), line, literal


def test_the_program_names_no_host_that_the_firewall_page_has_not():
    table = set(re.findall(r"^\| Certwright \| `([^`/]+)` \|", program("config", "firewall"), re.M))
    assert len(table) > 15
    loose = set()
    for file, line, literal in literals():
        hosts = re.findall(rf"https?://([\w-]+(?:\.[\w-]+)+)|(?<![\w.@%/-])((?:[a-z0-9-]+\.)+(?:{TOPS}))(?![\w(-])", literal)
        for host in {a or b for a, b in hosts} - table - SHOWN:
            if not host.endswith(("example.com", "example.net", "example.org", "akab-x.luna.akamaiapis.net")) and not LINK.search(line):
                loose.add(f"{file}: {host}")
    assert not loose


def test_the_program_names_no_address_of_the_internet():
    found = {f"{file}: {a}" for file, _, literal in literals() for a in re.findall(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])", literal)
             if not a.startswith(("1.2.", "1.3.", "2.5."))  # object identifiers
             and all(int(n) < 256 for n in a.split(".")) and ipaddress.ip_address(a).is_global}
    assert not found


def test_what_the_guide_links_to_is_in_the_package_too():
    rules = (beds.TOP / "packaging/debian/rules").read_text()
    folders = set(re.findall(r"(?:docs|doc/certwright)/(\w+)", rules))
    assert folders >= {"admin", "generated"}
    outside = {link for page in PAGES for link in links(page) if (page.parent / link.split("#")[0]).resolve().parent.name not in folders and link.split("#")[0]}
    assert not outside


def test_every_vendor_of_the_registry_has_its_section():
    titles = re.findall(r'\.title = "([^"]+)"', (beds.TOP / "src/model/vendor.c").read_text())
    heads = re.findall(r"^## (.*)$", program("config", "vendors"), re.M)
    assert len(heads) > 10
    assert not set(heads) - set(titles)
    keys = set(re.findall(r'^\t\{?\s*\.key = "([^"]+)"', (beds.TOP / "src/model/vendor.c").read_text(), re.M))
    assert len(heads) == len(keys), (sorted(keys), heads)


def verbs():
    """{("order", "create"): {"--account", ...}} of the client, from the table that cli.md is made from."""
    found = {}
    for part in re.split(r"^## certwright ", program("config", "verbs"), flags=re.M)[1:]:
        title = part.split("\n", 1)[0]
        words = tuple(w for w in title.split() if re.fullmatch(r"[a-z-]+", w))
        found.setdefault(words, set()).update(re.findall(r"^  (--[a-z0-9-]+)", part, re.M))
    return found


def commands(page):
    """What stands in blocks and between backticks and begins with the program's name."""
    text = page.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        yield from (m for m in re.findall(r"`(certwright [^`]+)`", line))
        m = re.match(r"\t?(?:[a-z]+=\$\()?(certwright [a-z].*)$", line)
        if m and "`" not in line:
            yield m[1].split("  #")[0].rstrip(" |")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_command_of_the_guide_is_one_that_the_program_takes(page):
    known, wrong = verbs(), []
    for command in commands(page):
        words = shlex.split(command.split(" -- ")[0].replace("...", ""))[1:]
        if not words:
            continue
        plain = [w for w in words if not w.startswith("-")]
        options = {w.split("=")[0] for w in words if w.startswith("--")}
        if words[0] in LOCAL or "--local" in options:
            usage = program(words[0], *(["passwd", "--local"] if words[0] == "user" else []), "--help") if words[0] != "doctor" else "--local --json"
            missing = [o for o in options - COMMON if o not in usage]
        else:
            verb = next((tuple(plain[:n]) for n in (2, 1) if tuple(plain[:n]) in known), None)
            group = len(words) == 1 and any(v[0] == words[0] for v in known)  # `certwright provider`: all its verbs
            missing = [] if group else [command] if verb is None else sorted(options - known[verb] - COMMON - ({"--config"} if verb == ("doctor",) else set()))
        if missing:
            wrong.append((command, missing))
    assert not wrong
