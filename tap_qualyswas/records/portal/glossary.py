"""The glossary of a report: what it says of each QID.

It is all that there is of severity, title, category, CVE, CWE, OWASP and WASC.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.fields import number, text, whole, word
from tap_qualyswas.records.portal.report import Entry
from tap_qualyswas.records.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII | re.IGNORECASE)
CODE: Final = re.compile(r"(?:CWE|WASC|API|A)[-:\s]?0*(\d{1,9})", re.ASCII | re.IGNORECASE)
"""`CWE-79`, `WASC-17`, `A6`, `A06:2021`."""
LISTED: Final = re.compile(r"[,;\s]+")
CLASSES: Final = ("owasp", "wasc")
INFORMATION: Final = "IG-"
"""What older reports put before the group of an information item."""

_ENTRY: Final = Shape(
    "QID",
    {
        "QID": whole,
        "CATEGORY": text,
        "SEVERITY": whole,
        "TITLE": text,
        "GROUP": word,
        "OWASP": text,
        "WASC": text,
        "CWE": text,
        "CVE": text,
        "CVSS_BASE": number,
        "CVSS_TEMPORAL": number,
        "CVSS_V3": Shape(
            "CVSS_V3",
            {"BASE": number, "TEMPORAL": number, "ATTACK_VECTOR": text, "VECTOR_STRING": word},
        ),
        "DESCRIPTION": text,
        "IMPACT": text,
        "SOLUTION": text,
    },
    keys=("QID",),
)


def read_entry(element: Element, notes: Notes) -> tuple[int | None, Entry]:
    """Read an entry of the glossary of an XML report.

    Raises:
        Rejected: when its QID is not a number.
    """
    raw = _ENTRY(element, notes)
    qid = raw["QID"]
    return (qid if isinstance(qid, int) else None, entry_of(raw))


def entry_of(raw: Mapping[str, Json]) -> Entry:
    """Make an entry of the glossary's own values, named as in XML."""
    category = _text(raw, "CATEGORY").strip()
    score = raw.get("CVSS_V3")
    third = score if isinstance(score, dict) else None
    row: Record = {
        "title": raw.get("TITLE"),
        "category": category or None,
        "severityLevel": raw.get("SEVERITY"),
        "diagnosis": raw.get("DESCRIPTION"),
        "consequence": raw.get("IMPACT"),
        "solution": raw.get("SOLUTION"),
        "cves": [*dict.fromkeys(one.upper() for one in CVE.findall(_text(raw, "CVE")))],
        "cvss": _second(raw),
        "cvssV3": _vectored(third),
        "cwe": [*codes(_text(raw, "CWE"))],
        "owasp": _classes(_text(raw, "OWASP")),
        "wasc": _classes(_text(raw, "WASC")),
        "group": _group(_text(raw, "GROUP")),
    }
    attack: Json = third and {
        "base": third["BASE"],
        "temporal": third["TEMPORAL"],
        "attackVector": third["ATTACK_VECTOR"],
    }
    return Entry(row, _potential(category), attack)


class ClassNames:
    """The names of OWASP and WASC classes, which a report lists apart from the QIDs."""

    def __init__(self) -> None:
        self._names: dict[str, dict[int, str]] = {kind: {} for kind in CLASSES}

    def learn(self, kind: str, code: str, name: str) -> None:
        """Take a class in: `owasp` or `wasc`, its code as it is written, and its name."""
        self._names[kind].update(dict.fromkeys(codes(code), name))

    def give(self, entries: Iterable[Entry]) -> None:
        """Name the classes of entries, as far as the names are known."""
        for entry in entries:
            for kind, known in self._names.items():
                classes = entry.row[kind]
                for one in classes if isinstance(classes, list) else ():
                    if isinstance(one, dict) and isinstance(one["code"], int):
                        one["name"] = known.get(one["code"])


def codes(value: str) -> list[int]:
    """Read `CWE-79,CWE-80` or `A6` as numbers, each once; what has another form is left out."""
    matches = (CODE.match(part) for part in LISTED.split(value))
    return [*dict.fromkeys(int(match[1]) for match in matches if match)]


def _text(raw: Mapping[str, Json], name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def _classes(value: str) -> Json:
    return [{"name": None, "url": None, "code": code} for code in codes(value)]


def _second(raw: Mapping[str, Json]) -> Json:
    base, temporal = raw.get("CVSS_BASE"), raw.get("CVSS_TEMPORAL")
    if base is None and temporal is None:
        return None
    return {"base": base, "temporal": temporal, "vector": None}


def _vectored(score: Mapping[str, Json] | None) -> Json:
    if score is None:
        return None
    return {
        "base": score["BASE"],
        "temporal": score["TEMPORAL"],
        "vector": score["VECTOR_STRING"],
        "version": None,
    }


def _group(value: str) -> str | None:
    """Give a group as the API spells it: `SSN_US` for `SSN-US`, `DIAG` for `IG-DIAG`."""
    return value.strip().removeprefix(INFORMATION).replace("-", "_") or None


def _potential(category: str) -> bool | None:
    first = category.partition(" ")[0].lower()
    return first == "potential" if first else None
