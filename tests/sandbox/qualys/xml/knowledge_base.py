"""The knowledge base's document, with the quirks of the real one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.xml.markup import SCHEMA_HOST, cdata, lines
from tests.sandbox.world.model import INFORMATION_GATHERED, Entry, Qid, iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NUMBER_OR_RANGE: Final = re.compile(r"([1-9]\d{0,9})(?:-([1-9]\d{0,9}))?")
OLDEST: Final = "2.0"
LATEST: Final = "4.0"
"""The version that knows CVSS 4."""
EVALUATION: Final = "<!-- This report was generated with an evaluation version of Qualys //--> \n"
_FOOTER: Final = (
    "<!-- CONFIDENTIAL AND PROPRIETARY INFORMATION. Qualys provides the QualysGuard Service "
    '"As Is," without any warranty of any kind. //--> \n'
)
_CVE: Final = "https://cve.example.test/?name="
_LOGINS: Final = ("Unix", "Windows")
_KEEP_ALIVE: Final = "<!-- keep-alive for KNOWLEDGE_BASE_VULN_LIST_OUTPUT  -->\n"


class BadIdsError(ValueError):
    """A value of `ids` that is neither a number nor a range."""


def parse_ids(text: str) -> list[tuple[int, int]]:
    """Read `1,2,5-9` into ranges.

    Raises:
        BadIdsError: with Qualys's recorded sentence about the first bad one.
    """
    ranges: list[tuple[int, int]] = []
    for part in text.split(","):
        match = NUMBER_OR_RANGE.fullmatch(part.strip())
        if match is None:
            msg = (
                f"parameter ids has invalid value: {text} "
                f"(neither a positive integer nor a range: {part.strip()})"
            )
            raise BadIdsError(msg)
        ranges.append((int(match[1]), int(match[2] or match[1])))
    return ranges


def known(qids: Iterable[Qid], ranges: Sequence[tuple[int, int]] | None) -> list[Qid]:
    """Return the asked-for QIDs that have an entry, in order; the others are left out silently."""
    singles = {low for low, high in ranges or () if low == high}
    spans = [(low, high) for low, high in ranges or () if low != high]
    found = [
        one
        for one in qids
        if one.entry is not None
        and (
            ranges is None
            or one.qid in singles
            or any(low <= one.qid <= high for low, high in spans)
        )
    ]
    return sorted(found, key=lambda one: one.qid)


def document(entries: Sequence[Qid], moment: int, *, evaluation: bool, version: str) -> str:
    """Return the whole answer; without entries it has no VULN_LIST at all, as recorded."""
    listing = "".join(f"  <VULN>\n{_vuln(one, version)}  </VULN>\n" for one in entries)
    comment = EVALUATION if evaluation else ""
    root = "KNOWLEDGE_BASE_VULN_LIST_OUTPUT"
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE {root} SYSTEM "{SCHEMA_HOST}'
        '/api/2.0/fo/knowledge_base/vuln/knowledge_base_vuln_list_output.dtd">\n'
        f"{comment}<{root}>\n  <RESPONSE>\n    <DATETIME>{iso(moment)}</DATETIME>\n"
        + (f"<VULN_LIST>\n{listing}</VULN_LIST>\n" if listing else "")
        + f"  </RESPONSE>\n</{root}>\n{comment}{_FOOTER}{_KEEP_ALIVE}"
    )


def _vuln(qid: Qid, version: str) -> str:
    entry = qid.entry
    if entry is None:
        return ""
    later = version != OLDEST  # of which answers were recorded
    return lines(
        4,
        (
            f"<QID>{qid.qid}</QID>",
            f"<VULN_TYPE>{_kind(qid)}</VULN_TYPE>",
            f"<SEVERITY_LEVEL>{qid.severity}</SEVERITY_LEVEL>",
            f"<TITLE>{cdata(qid.title)}</TITLE>",
            f"<CATEGORY>{entry.category}</CATEGORY>",
            _tagged("LAST_SERVICE_MODIFICATION_DATETIME", iso(entry.modified)),
            f"<PUBLISHED_DATETIME>{iso(entry.published)}</PUBLISHED_DATETIME>",
            f"<PATCHABLE>{int(entry.patchable)}</PATCHABLE>",
            _tagged("PATCH_PUBLISHED_DATE", iso(entry.modified))
            if entry.patchable and later
            else "",
            _pairs("SOFTWARE", ("PRODUCT", "VENDOR"), entry.software),
            _pairs("VENDOR_REFERENCE", ("ID", "URL"), entry.references),
            _pairs("CVE", ("ID", "URL"), [(cve, f"{_CVE}{cve}") for cve in entry.cves]),
            *_texts(entry),
            _correlation(entry) if later else "",
            *_scores(entry),
            _score_v4(entry) if version == LATEST else "",
            f"<PCI_FLAG>{int(entry.pci)}</PCI_FLAG>",
            _threats(entry),
            _discovery(qid, entry),
        ),
    )


def _tagged(name: str, text: str) -> str:
    return f"<{name}>{text}</{name}>"


def _kind(qid: Qid) -> str:
    if qid.type == INFORMATION_GATHERED:
        return "Information Gathered"
    return "Potential Vulnerability" if qid.potential else "Vulnerability"


def _pairs(name: str, parts: tuple[str, str], pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of elements with two parts each, or nothing."""
    first, second = parts
    items = [
        f"<{name}>{_tagged(first, cdata(one))}{_tagged(second, cdata(two))}</{name}>"
        for one, two in pairs
    ]
    return f"<{name}_LIST>{''.join(items)}</{name}_LIST>" if items else ""


def _threats(entry: Entry) -> str:
    items = [
        f'<THREAT_INTEL id="{number}">{cdata(name)}</THREAT_INTEL>'
        for number, name in entry.threats
    ]
    return _tagged("THREAT_INTELLIGENCE", "".join(items)) if items else ""


def _correlation(entry: Entry) -> str:
    """Return the exploits and the malware of what has a CVE, or nothing."""
    if not entry.cves:
        return ""
    exploits = "".join(
        f"<EXPLT><REF>{cdata(cve)}</REF><DESC>{cdata(f'Exploit of {cve} & others')}</DESC>"
        f"<LINK>{cdata(f'{_CVE}{cve}')}</LINK></EXPLT>"
        for cve in entry.cves
    )
    return (
        "<CORRELATION><EXPLOITS><EXPLT_SRC><SRC_NAME>The Exploit-DB</SRC_NAME>"
        f"<EXPLT_LIST>{exploits}</EXPLT_LIST></EXPLT_SRC></EXPLOITS>"
        "<MALWARE><MW_SRC><SRC_NAME>ReversingLabs</SRC_NAME><MW_LIST><MW_INFO>"
        "<MW_ID>Linux.Trojan.A</MW_ID><MW_TYPE>Trojan</MW_TYPE><MW_PLATFORM>Linux</MW_PLATFORM>"
        "</MW_INFO></MW_LIST></MW_SRC></MALWARE></CORRELATION>"
    )


def _discovery(qid: Qid, entry: Entry) -> str:
    """Return how a detection works: some need a login, some know of a patch."""
    logins = "".join(_tagged("AUTH_TYPE", name) for name in _LOGINS[: qid.qid % 3])
    return _tagged(
        "DISCOVERY",
        _tagged("REMOTE", "1")
        + (_tagged("AUTH_TYPE_LIST", logins) if logins else "")
        + ("<ADDITIONAL_INFO>Patch Available</ADDITIONAL_INFO>" if entry.patchable else ""),
    )


def _texts(entry: Entry) -> Sequence[str]:
    return (
        f"<DIAGNOSIS>{cdata(entry.diagnosis)}</DIAGNOSIS>",
        f"<CONSEQUENCE>{cdata(entry.consequence)}</CONSEQUENCE>" if entry.consequence else "",
        f"<SOLUTION>{cdata(entry.solution)}</SOLUTION>" if entry.solution else "",
    )


def _score_v4(entry: Entry) -> str:
    """Return the score that nothing but its name is known of: it is written like that before it."""
    if entry.cvss_v3 is None:
        return ""
    vector = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N"
    score = _tagged("BASE", "5.1") + _tagged("VECTOR_STRING", vector)
    return _tagged("CVSS_V4", score)


def _scores(entry: Entry) -> Sequence[str]:
    two, three = entry.cvss, entry.cvss_v3
    return (
        f'<CVSS><BASE source="service">{two[0]}</BASE><TEMPORAL>{two[1]}</TEMPORAL>'
        f"<VECTOR_STRING>{two[2]}</VECTOR_STRING></CVSS>"
        if two
        else "",
        f"<CVSS_V3><BASE>{three[0]}</BASE><TEMPORAL>{three[1]}</TEMPORAL>"
        f"<VECTOR_STRING>{three[2]}</VECTOR_STRING><CVSS3_VERSION>3.1</CVSS3_VERSION></CVSS_V3>"
        if three
        else "",
    )
