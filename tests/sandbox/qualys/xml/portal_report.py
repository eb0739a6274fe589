"""Reports as a person exports them from the portal: XML, in the shapes that were seen of them."""

from __future__ import annotations

from dataclasses import dataclass
from time import gmtime, strftime
from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.xml.evidence import BODY, COOKIE
from tests.sandbox.qualys.xml.markup import cdata, encoded, flag
from tests.sandbox.world.model import (
    FINDING_TYPES,
    INFORMATION_GATHERED,
    SENSITIVE_CONTENT,
    VULNERABILITY,
    unique_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.sandbox.world.model import Finding, Qid, WebApp

WEBAPP_REPORT: Final = "WAS_WEBAPP_REPORT"
SCAN_REPORT: Final = "WAS_SCAN_REPORT"
PATCHED: Final = "Include patched findings"
IGNORED: Final = "Show ignored findings "
USUAL_FILTERS: Final = (PATCHED, IGNORED)
CATEGORIES: Final = {
    SENSITIVE_CONTENT: "Sensitive Content",
    INFORMATION_GATHERED: "Information Gathered",
}
HOUR: Final = 3600


@dataclass(frozen=True)
class ReportShape:
    """How a report is written.

    Attributes:
        root: name of its root; a scan report shows what is open, and no history.
        sections: whether each web app has a section in RESULTS; without, lists stand there.
        unique_ids: whether rows have them.
        bare_information: whether information items have no id at all.
        word_ids: whether the ids of rows and detections are no numbers.
        potential: whether rows say whether they are potential.
        marked: whether texts in base64 say that they are.
        miscounted: by how much the summary counts too many vulnerabilities.
        summary: whether there is one.
        filters: what FILTERS names; without `IGNORED` ignored findings are left out.
        doctype: what stands before the root.
        zone: hours of the time zone that dates are told in.
    """

    root: str = WEBAPP_REPORT
    sections: bool = True
    unique_ids: bool = True
    bare_information: bool = False
    word_ids: bool = False
    potential: bool = True
    marked: bool = True
    miscounted: int = 0
    summary: bool = True
    filters: tuple[str, ...] = USUAL_FILTERS
    doctype: str = ""
    zone: int = -6


@dataclass(frozen=True)
class Exported:
    """What a report is about.

    Attributes:
        seed: the world's.
        moment: when it is made.
        findings: by web app.
    """

    seed: int
    moment: int
    findings: Mapping[int, Sequence[Finding]]


def portal_date(moment: int, zone: int) -> str:
    """Write a moment as the portal does, to the minute."""
    offset = f"{'-' if zone < 0 else '+'}{abs(zone):02}00"
    return strftime("%d %b %Y %I:%M%p GMT", gmtime(moment + zone * HOUR)) + offset


def rows_of(app: WebApp, exported: Exported, shape: ReportShape) -> list[Finding]:
    """Give the findings of a web app that a report shows."""
    return [
        row
        for row in exported.findings.get(app.id, ())
        if (shape.root == WEBAPP_REPORT or row.open)
        and (IGNORED in shape.filters or row.ignored is None)
    ]


def portal_report(apps: Sequence[WebApp], exported: Exported, shape: ReportShape) -> str:
    """Return a report of some web apps."""
    by_app = {app.id: rows_of(app, exported, shape) for app in apps}
    rows = [row for found in by_app.values() for row in found]
    qids = {row.qid.qid: row.qid for row in rows}
    written = _Writer(exported, shape)
    results = (
        "".join(
            f"<WEB_APPLICATION><ID>{app.id}</ID><NAME>{cdata(app.name)}</NAME>"
            f"<URL>{cdata(app.url)}</URL>\n{written.lists(by_app[app.id])}</WEB_APPLICATION>\n"
            for app in apps
        )
        if shape.sections
        else written.lists(rows)
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n{shape.doctype}<{shape.root}>\n"
        f"{written.header()}<FILTERS>{_filters(shape)}</FILTERS>\n"
        f"<TARGET>{''.join(_target(app, shape) for app in apps)}</TARGET>\n"
        f"{written.summary(apps, by_app)}<RESULTS>\n{results}</RESULTS>\n"
        f"<GLOSSARY><QID_LIST>{''.join(map(_entry, qids.values()))}</QID_LIST>"
        f"{_class_lists(qids.values())}</GLOSSARY>\n"
        f"<APPENDIX>{''.join(map(_webapp, apps))}</APPENDIX>\n</{shape.root}>\n"
        "<!-- CONFIDENTIAL AND PROPRIETARY INFORMATION. //-->\n"
    )


def _filters(shape: ReportShape) -> str:
    return "".join(
        f"<FILTER><NAME>REMEDIATION</NAME><VALUE>{cdata(value)}</VALUE></FILTER>"
        for value in shape.filters
    )


def _target(app: WebApp, shape: ReportShape) -> str:
    if shape.root == SCAN_REPORT:
        return f"<SCAN>{cdata(f'Scan of {app.name}')}</SCAN>"
    return f"<WEB_APPLICATION>{cdata(app.name)}</WEB_APPLICATION>"


def _webapp(app: WebApp) -> str:
    tags = "".join(f"<TAG><NAME>{cdata(tag.name)}</NAME></TAG>" for tag in app.tags)
    return (
        f"<WEBAPP><ID>{app.id}</ID><NAME>{cdata(app.name)}</NAME><URL>{cdata(app.url)}</URL>"
        f"<OWNER>Alex Doe (user_ab1)</OWNER>"
        f"{'' if app.os is None else f'<OPERATING_SYSTEM>{cdata(app.os)}</OPERATING_SYSTEM>'}"
        f"<SCOPE>Limit to URL hostname</SCOPE><CUSTOM_ATTRIBUTES/><TAGS>{tags}</TAGS></WEBAPP>\n"
    )


def category(qid: Qid) -> str:
    """Give the category of a QID in the words of the glossary."""
    kind = "Potential" if qid.potential else "Confirmed"
    return CATEGORIES.get(qid.type, f"{kind} Vulnerability")


def group(qid: Qid) -> str:
    """Give the group of a QID in the glossary's spelling."""
    start = "IG-" if qid.type == INFORMATION_GATHERED else ""
    return start + qid.group.replace("_", "-")


def codes(word: str, numbers: Iterable[int]) -> str:
    """Give several codes as the glossary joins them: `WASC-17,WASC-15`."""
    return ",".join(f"{word}{number}" for number in numbers)


def _entry(qid: Qid) -> str:
    entry = qid.entry
    attack = qid.attack
    score = (
        f"<CVSS_V3><BASE>{attack[0]}</BASE><TEMPORAL>{attack[1]}</TEMPORAL>"
        f"<ATTACK_VECTOR>{attack[2]}</ATTACK_VECTOR></CVSS_V3>"
        if attack
        else ""
    )
    texts = (
        f"<DESCRIPTION>{cdata(entry.diagnosis if entry else 'N/A')}</DESCRIPTION>"
        f"<IMPACT>{cdata((entry and entry.consequence) or 'N/A')}</IMPACT>"
        f"<SOLUTION>{cdata((entry and entry.solution) or 'N/A')}</SOLUTION>"
    )
    return (
        f"<QID><QID>{qid.qid}</QID><CATEGORY>{category(qid)}</CATEGORY>"
        f"<SEVERITY>{qid.severity}</SEVERITY><TITLE>{cdata(qid.title)}</TITLE>"
        f"<GROUP>{group(qid)}</GROUP>"
        + _told("OWASP", codes("A", (one.code for one in qid.owasp)))
        + _told("WASC", codes("WASC-", (one.code for one in qid.wasc)))
        + _told("CWE", codes("CWE-", qid.cwe))
        + _told("CVE", ",".join(entry.cves) if entry else "")
        + texts
        + f"{score}</QID>\n"
    )


def _told(name: str, value: str) -> str:
    return f"<{name}>{value}</{name}>" if value else ""


def _class_lists(qids: Iterable[Qid]) -> str:
    owasp: dict[int, str] = {}
    wasc: dict[int, str] = {}
    for qid in qids:
        owasp |= {one.code: one.name for one in qid.owasp}
        wasc |= {one.code: one.name for one in qid.wasc}
    return (
        f"<OWASP_LIST>{_class_list('OWASP', 'A', owasp)}</OWASP_LIST>"
        f"<WASC_LIST>{_class_list('WASC', 'WASC-', wasc)}</WASC_LIST>"
    )


def _class_list(tag: str, word: str, names: Mapping[int, str]) -> str:
    return "".join(
        f"<{tag}><CODE>{word}{code}</CODE><NAME>{cdata(name)}</NAME></{tag}>"
        for code, name in names.items()
    )


class _Writer:
    def __init__(self, exported: Exported, shape: ReportShape) -> None:
        self._exported = exported
        self._shape = shape
        self._at = 0

    def _date(self, name: str, moment: int) -> str:
        return f"<{name}>{portal_date(moment, self._shape.zone)}</{name}>"

    def header(self) -> str:
        made = self._date("GENERATION_DATETIME", self._exported.moment)
        return (
            f"<HEADER><NAME>Exported</NAME><DESCRIPTION>by hand</DESCRIPTION>{made}"
            "<COMPANY_INFO><NAME>Example</NAME></COMPANY_INFO>"
            "<USER_INFO><NAME>Alex Doe</NAME><USERNAME>user_ab1</USERNAME></USER_INFO></HEADER>\n"
        )

    def summary(self, apps: Sequence[WebApp], by_app: Mapping[int, Sequence[Finding]]) -> str:
        if not self._shape.summary:
            return ""
        counts = {
            kind: sum(row.type == kind for rows in by_app.values() for row in rows)
            for kind in FINDING_TYPES
        }
        counts[VULNERABILITY] += self._shape.miscounted
        told = "".join(f"<{kind}>{count}</{kind}>" for kind, count in counts.items())
        stats = "".join(self._stat(app, by_app[app.id]) for app in apps)
        return (
            f"<SUMMARY><GLOBAL_SUMMARY><SECURITY_RISK>High</SECURITY_RISK>{told}"
            f"</GLOBAL_SUMMARY><SUMMARY_STATS>{stats}</SUMMARY_STATS></SUMMARY>\n"
        )

    def _stat(self, app: WebApp, rows: Sequence[Finding]) -> str:
        shape = self._shape
        day = portal_date(self._exported.moment, shape.zone).rpartition(" ")[0][:11]
        levels = "".join(
            f"<LEVEL{level}>{sum(row.severity == level for row in rows)}</LEVEL{level}>"
            for level in range(5, 0, -1)
        )
        return f"<SUMMARY_STAT>{_target(app, shape)}<DATE>{day}</DATE>{levels}</SUMMARY_STAT>"

    def lists(self, rows: Sequence[Finding]) -> str:
        parts = []
        for kind in FINDING_TYPES:
            found = "".join(self._row(row) for row in rows if row.type == kind)
            # The list of vulnerabilities is there even where there are none.
            if found or kind == VULNERABILITY:
                parts.append(f"<{kind}_LIST>\n{found}</{kind}_LIST>\n")
        return "".join(parts)

    def _row(self, row: Finding) -> str:
        informational = row.type == INFORMATION_GATHERED
        return (
            f"<{row.type}>{self._ids(row)}<QID>{row.qid.qid}</QID>"
            f"{self._information(row) if informational else self._place(row)}</{row.type}>\n"
        )

    def _ids(self, row: Finding) -> str:
        shape = self._shape
        if shape.bare_information and row.type == INFORMATION_GATHERED:
            return ""
        self._at += 1
        unique = unique_id(self._exported.seed, row)
        word = "d-" if shape.word_ids else ""
        return (
            f"<UNIQUE_ID>{unique}</UNIQUE_ID>" if shape.unique_ids else ""
        ) + f"<ID>{word}{self._at}</ID><DETECTION_ID>{word}{row.id}</DETECTION_ID>"

    def _information(self, row: Finding) -> str:
        mark = ' base64="true"' if self._shape.marked else ""
        return (
            f"{self._date('LAST_TIME_DETECTED', row.last)}"
            f"<DATA{mark}>{encoded(f'Number of links: {row.id % 40}')}</DATA>"
        )

    def _place(self, row: Finding) -> str:
        param = "" if row.param is None else f"<PARAM>{cdata(row.param)}</PARAM>"
        content = (
            f"<CONTENT>{cdata(f'4111 **** **** {row.id % 10_000:04}')}</CONTENT>"
            if row.type == SENSITIVE_CONTENT
            else ""
        )
        potential = (
            f"<POTENTIAL>{flag(row.qid.potential)}</POTENTIAL>" if self._shape.potential else ""
        )
        return (
            f"<URL>{cdata(row.url or '')}</URL>{param}{content}<AJAX>false</AJAX>"
            f"<AUTHENTICATION>Not Required</AUTHENTICATION>{self._dates(row)}{potential}"
            f"{self._payloads()}<IGNORED>{flag(row.ignored is not None)}</IGNORED>"
        )

    def _dates(self, row: Finding) -> str:
        if self._shape.root == SCAN_REPORT:
            return self._date("DETECTION_DATE", row.last)
        severity = "" if row.edited is None else f"<SEVERITY>{row.severity}</SEVERITY>"
        return (
            f"<STATUS>{row.status}</STATUS>{self._date('FIRST_TIME_DETECTED', row.first)}"
            f"{self._date('LAST_TIME_DETECTED', row.last)}"
            f"{self._date('LAST_TIME_TESTED', row.tested)}"
            f"<TIMES_DETECTED>{row.times}</TIMES_DETECTED>{severity}"
        )

    def _payloads(self) -> str:
        mark = ' base64="true"' if self._shape.marked else ""
        return (
            "<PAYLOADS><PAYLOAD><NUM>1</NUM><PAYLOAD>N/A</PAYLOAD><REQUEST><METHOD>POST</METHOD>"
            f"<URL>https://example.test/</URL><HEADERS><HEADER><key>Cookie</key>"
            f"<value>{cdata(f' {COOKIE} ')}</value></HEADER></HEADERS><BODY>{cdata(BODY)}</BODY>"
            f"</REQUEST><RESPONSE><CONTENTS{mark}>{encoded('The response had it.')}</CONTENTS>"
            "</RESPONSE></PAYLOAD></PAYLOADS>"
        )
