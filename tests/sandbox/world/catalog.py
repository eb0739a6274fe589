"""The QIDs of a made-up world: titles, classes and knowledge base texts with their real quirks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.world.model import (
    INFORMATION_GATHERED,
    SENSITIVE_CONTENT,
    VULNERABILITY,
    Classification,
    Entry,
    Qid,
)

if TYPE_CHECKING:
    from random import Random

DAY: Final = 86_400
SHARES: Final = ((VULNERABILITY, 0.45), (SENSITIVE_CONTENT, 0.10), (INFORMATION_GATHERED, 0.45))
"""Share of each type among QIDs and findings; information items outnumber or match the rest."""

_VULNERABILITY_TITLES: Final = (
    "Reflected Cross-Site Scripting (XSS) Vulnerabilities",
    "SQL Injection",
    "Blind SQL Injection",
    "Unencoded characters",
    'Cookie Does Not Contain The "HTTPOnly" Attribute',
    "Form Can Be Manipulated with Cross-Site Request Forgery (CSRF)",
    "Missing header: X-Frame-Options & Content-Security-Policy",
    "Path-Based Vulnerability",
    "Server accepts <script> in redirect targets",
    "Überlange Eingabe führt zu Fehlermeldung",
    "Apache HTTP Server Prior to 2.4.52 Multiple Vulnerabilities",
    "Slow HTTP headers, POST & body vulnerability",
)
_SENSITIVE_TITLES: Final = (
    "Credit Card Number Found",
    "Social Security Number (US) Found",
    "Custom pattern 'internal <only>' Found",
)
_INFORMATION_TITLES: Final = (
    "DNS Host Name",
    "Links Crawled",
    "External Links Discovered",
    "Scan Diagnostics",
    "In-scope JavaScript Libraries Detected",
    "Email Addresses Collected",
    "Cookies Collected",
    "Operating System Detected",
    "Missing header: Referrer-Policy",
)
_TITLES: Final = {
    VULNERABILITY: _VULNERABILITY_TITLES,
    SENSITIVE_CONTENT: _SENSITIVE_TITLES,
    INFORMATION_GATHERED: _INFORMATION_TITLES,
}
_GROUPS: Final = {
    VULNERABILITY: ("XSS", "SQL", "INFO", "PATH"),
    SENSITIVE_CONTENT: ("CC", "SSN_US", "CUSTOM"),
    INFORMATION_GATHERED: ("DIAG", "WEAK"),
}
_CWES: Final = (79, 89, 200, 352, 693, 1021, 16, 22)
_OWASP: Final = (
    (1, "Broken Access Control", "https://owasp.org/Top10/A01_2021-Broken_Access_Control/"),
    (3, "Injection", "https://owasp.org/Top10/A03_2021-Injection/"),
    (5, "Security Misconfiguration", "https://owasp.org/Top10/A05_2021-Security_Misconfiguration/"),
    (10, "Server-Side Request Forgery", "https://owasp.org/Top10/A10_2021-SSRF/"),
)
_WASC: Final = (
    (8, "CROSS-SITE SCRIPTING"),
    (13, "INFORMATION LEAKAGE"),
    (19, "SQL INJECTION"),
    (22, "IMPROPER OUTPUT HANDLING"),
)
_WASC_URL: Final = "http://projects.webappsec.org/w/page/13246934/WASC"
_VECTOR: Final = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
_SOFTWARE: Final = (("http_server & proxy", "apache"), ("None", "multi-vendor"))
_THREATS: Final = ((5, "Easy_Exploit"), (8, "No_Patch"), (13, "Privilege_Escalation"))
_FEW_VM_QIDS: Final = (6, 45017, 45038)
"""QIDs of information items from outside the web application range."""


def make_catalog(random: Random, count: int, now: int) -> list[Qid]:
    """Make `count` QIDs, at least one of each type when there are three or more."""
    numbers = sorted(random.sample(range(150_001, 150_001 + 4 * count + 10), count))
    types = spread(count)
    # Information items come last: the last few take numbers of ordinary network QIDs.
    if types.count(INFORMATION_GATHERED) > len(_FEW_VM_QIDS):
        numbers[-len(_FEW_VM_QIDS) :] = _FEW_VM_QIDS
    return [
        _qid(random, number, kind, place, now)
        for place, (number, kind) in enumerate(zip(numbers, types, strict=True))
    ]


def spread(count: int) -> list[str]:
    """Return `count` finding types in their usual shares, each present where there is room."""
    left = count
    types: list[str] = []
    for kind, share in SHARES[1:]:
        number = min(left, max(1 if count > 2 else 0, round(share * count)))
        types += [kind] * number
        left -= number
    return [VULNERABILITY] * left + types


def _qid(random: Random, number: int, kind: str, place: int, now: int) -> Qid:
    titles = _TITLES[kind]
    title = titles[place % len(titles)]
    if place >= len(titles):
        title = f"{title} ({place})"
    informational = kind == INFORMATION_GATHERED
    classified = random.random() < (0.2 if informational else 0.9)
    return Qid(
        qid=number,
        type=kind,
        title=title,
        severity=random.choice((1, 1, 2, 3) if informational else (1, 2, 3, 4, 5)),
        potential=not informational and random.random() < 0.15,
        group=random.choice(_GROUPS[kind]),
        cwe=tuple(random.sample(_CWES, random.choice((1, 1, 2)))) if classified else (),
        owasp=_classes(random, _OWASP) if classified and not informational else (),
        wasc=_wasc(random) if classified and not informational else (),
        attack=(6.1, 5.4, "Network") if classified and random.random() < 0.8 else None,
        # A few QIDs are imported or withdrawn: the knowledge base does not know them.
        entry=None if place % 16 == 5 else _entry(random, title, kind, number, now),
    )


def _classes(random: Random, table: tuple[tuple[int, str, str], ...]) -> tuple[Classification, ...]:
    code, name, url = random.choice(table)
    return (Classification(name=name, url=url, code=code),)


def _wasc(random: Random) -> tuple[Classification, ...]:
    chosen = random.sample(_WASC, random.choice((1, 1, 2)))
    return tuple(Classification(name=name, url=_WASC_URL, code=code) for code, name in chosen)


def _entry(random: Random, title: str, kind: str, number: int, now: int) -> Entry:
    informational = kind == INFORMATION_GATHERED
    bare = informational and random.random() < 0.3
    cves: tuple[str, ...] = ()
    if not informational and random.random() < 0.2:
        count = random.choice((1, 1, 2))
        cves = tuple(f"CVE-2021-{40_000 + number % 1000 + step}" for step in range(count))
    published = now - random.randrange(400, 4000) * DAY
    return Entry(
        category="Information gathering" if informational else "Web Application",
        diagnosis=(
            f"<P>The scanner reported &quot;{title.replace('<', '&lt;')}&quot; for this page.<BR>\n"
            'See <A HREF="https://example.test/qid?a=1&b=2" TARGET="_blank">the note</A>.\n'
            f"<UL><LI>QID detection logic of {number}<LI>a second point</UL>"
        ),
        consequence=None if bare else "An attacker <B>may</B> read or change data.<P>",
        solution=None if bare else _solution(random),
        software=_SOFTWARE[: number % 3],
        references=tuple(
            (f"Bug #{cve[-5:]}", f"https://example.test/?bug={cve}&a") for cve in cves
        ),
        cves=cves,
        cvss=(4.3, 3.2, "CVSS:2.0/AV:N/AC:M/Au:N/C:N/I:P/A:N") if random.random() < 0.5 else None,
        cvss_v3=(6.1, 5.4, _VECTOR) if random.random() < 0.5 else None,
        patchable=random.random() < 0.2,
        pci=not informational and random.random() < 0.5,
        threats=_THREATS[: number % 4] if not informational else (),
        published=published,
        modified=min(now, published + random.randrange(300) * DAY),
    )


def _solution(random: Random) -> str:
    return random.choice(
        (
            "Filter and encode all input.<P>\nMore at <A HREF='https://example.test/'>example</A>.",
            "<OL><LI>Upgrade the server<LI>Restart it &amp; test again</OL>",
            "Set the header <B>X-Frame-Options</B>: DENY &nbsp;",
        )
    )
