"""Findings as Qualys writes them, lean and verbose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.qualys.xml.evidence import result_list
from tests.sandbox.qualys.xml.markup import PERSON, cdata, dated, flag, lines, listed, tag_list
from tests.sandbox.world.model import iso, unique_id_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.qualys.xml.markup import Form
    from tests.sandbox.world.model import Classification, Finding, Ignore, Qid, WebApp


def findings(rows: Sequence[Finding], form: Form) -> str:
    """Return the `Finding` elements of a search or get."""
    apps: dict[int, str] = {}
    parts: list[str] = []
    for row in rows:
        app = apps.get(row.app.id)
        if app is None:
            app = apps[row.app.id] = _app_of_finding(row.app, form)
        parts.append(_finding(row, app, form))
    return "".join(parts)


def _app_of_finding(app: WebApp, form: Form) -> str:
    return (
        f"      <webApp>\n        <id>{app.id}</id>\n        <name>{cdata(app.name)}</name>\n"
        f"        <url>{cdata(app.url)}</url>\n"
        + (f"        <tags>{tag_list(app.tags)}</tags>\n" if form.verbose else "")
        + "      </webApp>\n"
    )


def _finding(row: Finding, app: str, form: Form) -> str:
    """Return one row: one plain expression, as pages spend their time here."""
    qid = row.qid
    informational = row.status is None
    param = "" if row.param is None else f"      <param>{cdata(row.param)}</param>\n"
    place = (
        ""
        if row.url is None
        else f"      <url>{cdata(row.url)}</url>\n      <status>{row.status}</status>\n"
    )
    return (
        f"    <Finding>\n      <id>{row.id}</id>\n"
        f"      <uniqueId>{unique_id_of(form.seed, row.type, row.id)}</uniqueId>\n"
        f"      <qid>{qid.qid}</qid>\n"
        f"      <detectionScore>{0 if informational else row.severity * 18}</detectionScore>\n"
        f"      <name>{cdata(qid.title)}</name>\n      <type>{row.type}</type>\n"
        f"      <potential>{'true' if qid.potential else 'false'}</potential>\n"
        f"      <findingType>QUALYS</findingType>\n{_classes(qid) if form.verbose else ''}{param}"
        f"{_content(row)}      <severity>{row.severity}</severity>\n{_edit(row)}{place}"
        f"      <firstDetectedDate>{iso(row.first)}</firstDetectedDate>\n"
        f"      <lastDetectedDate>{iso(row.last)}</lastDetectedDate>\n"
        f"      <lastTestedDate>{iso(row.tested)}</lastTestedDate>\n{_later_dates(row, form)}"
        + ("" if informational else f"      <timesDetected>{row.times}</timesDetected>\n")
        + app
        + (
            ""
            if informational
            else f"      <isIgnored>{flag(row.ignored is not None)}</isIgnored>\n"
        )
        + ("" if row.ignored is None else _ignore(row.ignored))
        + (result_list(row, form) if form.verbose else "")
        + "    </Finding>\n"
    )


def _content(row: Finding) -> str:
    if row.type != "SENSITIVE_CONTENT":
        return ""
    return f"      <content>{cdata(f'4111 **** **** {row.id % 10_000:04}')}</content>\n"


def _edit(row: Finding) -> str:
    if row.edited is None:
        return ""
    moment, original = row.edited
    return lines(
        6,
        (
            f"<originalSeverity>{original}</originalSeverity>",
            f"<severityComment>{cdata('seen & judged')}</severityComment>",
            f"<editedSeverityUser>{PERSON}</editedSeverityUser>",
            dated("editedSeverityDate", moment),
        ),
    )


def _later_dates(row: Finding, form: Form) -> str:
    fixed = "" if row.fixed is None else f"      <fixedDate>{iso(row.fixed)}</fixedDate>\n"
    if not (form.verbose or form.switches.lean_updated_date):
        return fixed
    return f"{fixed}      <updatedDate>{iso(row.updated)}</updatedDate>\n"


def _ignore(ignored: Ignore) -> str:
    return lines(
        6,
        (
            f"<ignoredReason>{ignored.reason}</ignoredReason>" if ignored.reason else "",
            f"<ignoredBy>{PERSON}</ignoredBy>",
            dated("ignoredDate", ignored.moment),
            f"<ignoredComment>{cdata(ignored.comment)}</ignoredComment>",
        ),
    )


def _classes(qid: Qid) -> str:
    """Return what only verbose rows carry, though it belongs to the QID."""
    attack = qid.attack
    return lines(
        6,
        (
            f"<group>{qid.group}</group>",
            f"<cwe>{listed([f'<long>{one}</long>' for one in qid.cwe])}</cwe>" if qid.cwe else "",
            _class_list("owasp", qid.owasp),
            _class_list("wasc", qid.wasc),
            f"<cvssV3><base>{attack[0]}</base><temporal>{attack[1]}</temporal>"
            f"<attackVector>{attack[2]}</attackVector></cvssV3>"
            if attack
            else "",
        ),
    )


def _class_list(name: str, entries: Sequence[Classification]) -> str:
    if not entries:
        return ""
    items = [
        f"<{name.upper()}><name>{cdata(one.name)}</name><url>{cdata(one.url)}</url>"
        f"<code>{one.code}</code></{name.upper()}>"
        for one in entries
    ]
    return f"<{name}>{listed(items)}</{name}>"
