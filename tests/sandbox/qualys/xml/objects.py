"""Web apps, scans and tags as Qualys writes them, lean and verbose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.xml.markup import PERSON, cdata, dated, flag, lines, listed, tag_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.qualys.xml.markup import Form
    from tests.sandbox.world.model import Report, Scan, Tag, WebApp

SECRET_HEADER: Final = "Authorization: Basic c2VjcmV0LW9mLWFuLWFwcA=="
"""Planted in every web app: it must appear nowhere."""


def web_apps(rows: Sequence[WebApp], form: Form) -> str:
    """Return the `WebApp` elements of a search or get."""
    return "".join(f"    <WebApp>\n{_web_app(row, form)}    </WebApp>\n" for row in rows)


def _web_app(app: WebApp, form: Form) -> str:
    tags = tag_list(app.tags) if form.verbose else f"<count>{len(app.tags)}</count>"
    owner = PERSON if form.verbose else f"<id>{app.owner}</id>"
    return lines(
        6,
        (
            f"<id>{app.id}</id>",
            f"<name>{cdata(app.name)}</name>",
            f"<url>{cdata(app.url)}</url>",
            f"<os>{cdata(app.os)}</os>"
            if app.os and app.last_scan and form.verbose and _tells_all(form)
            else "",
            f"<owner>{owner}</owner>",
            *(_web_app_details(app, form) if form.verbose else ()),
            f"<tags>{tags}</tags>",
            dated("createdDate", app.created),
            dated("updatedDate", app.updated),
        ),
    )


def _web_app_details(app: WebApp, form: Form) -> Sequence[str]:
    scan = app.last_scan
    attributes = [
        f"<Attribute><category>{cdata(name)}</category><name>{cdata(name)}</name>"
        f"<value>{cdata(value)}</value></Attribute>"
        for name, value in app.attributes.items()
    ]
    return (
        f"<riskScore>{app.id % 1000}</riskScore>",
        "<scope>ALL</scope>",
        f"<attributes>{listed(attributes)}</attributes>" if _tells_all(form) else "",
        # Headers hold secrets: nothing that reads apps may pass them on.
        f"<headers>{listed([f'<WebAppHeader>{cdata(SECRET_HEADER)}</WebAppHeader>'])}</headers>",
        f"<isScheduled>{flag(app.scheduled)}</isScheduled>",
        _last_scan(scan) if scan else "",
        f"<lastScanStatus>{scan.status}</lastScanStatus>" if scan else "",
    )


def _tells_all(form: Form) -> bool:
    return form.whole or form.switches.search_app_details


def _last_scan(scan: Scan) -> str:
    return (
        f"<lastScan><id>{scan.id}</id><name>{cdata(scan.name)}</name><summary>"
        f"{_statuses(scan)}</summary></lastScan>"
    )


def scans(rows: Sequence[Scan], form: Form) -> str:
    """Return the `WasScan` elements of a search or get."""
    return "".join(
        f"    <WasScan>\n{lines(6, scan_lines(row, form))}    </WasScan>\n" for row in rows
    )


def scan_status(scan: Scan) -> str:
    """Return the element of a scan that tells its status alone."""
    parts = (
        f"<id>{scan.id}</id>",
        f"<status>{scan.status}</status>",
        f"<summary>{_statuses(scan)}</summary>",
    )
    return f"    <WasScan>\n{lines(6, parts)}    </WasScan>\n"


def tags(rows: Sequence[Tag], form: Form) -> str:
    """Return the `Tag` elements of a search or get."""
    named = form.switches.tag_parents == "named"
    return "".join(f"    <Tag>\n{_tag(row, named=named)}    </Tag>\n" for row in rows)


def _tag(tag: Tag, *, named: bool) -> str:
    children = "".join(
        f"<TagSimple><id>{one.id}</id><name>{cdata(one.name)}</name></TagSimple>"
        for one in tag.children
    )
    return lines(
        6,
        (
            f"<id>{tag.id}</id>",
            f"<name>{cdata(tag.name)}</name>",
            ""
            if tag.parent is None or not named
            else f"<parentTagId>{tag.parent.id}</parentTagId>",
            dated("created", tag.created),
            dated("modified", tag.created),
            "<color>#FFFFFF</color>",
            f"<ruleText>{cdata(tag.rule)}</ruleText>" if tag.rule else "",
            f"<ruleType>{tag.rule_type}</ruleType>",
            # Unlike other lists it bears no count.
            f"<children><list>{children}</list></children>" if children else "",
        ),
    )


def scan_lines(
    scan: Scan, form: Form, report: Report | None = None, options: str = ""
) -> Sequence[str]:
    """Return the elements of one scan, in Qualys's order; a report names the app of its time."""
    name = scan.app.name if report is None else report.app_name
    url = scan.app.url if report is None else report.app_url
    target = (
        f"<webApp><id>{scan.app.id}</id><name>{cdata(name)}</name><url>{cdata(url)}</url>"
        "</webApp><scannerAppliance><type>EXTERNAL</type></scannerAppliance>"
        "<cancelOption>DEFAULT</cancelOption>"
    )
    ended = scan.ended if form.whole or form.switches.search_scan_details else None
    return (
        f"<id>{scan.id}</id>",
        f"<name>{cdata(scan.name)}</name>",
        f"<reference>{scan.reference}</reference>",
        f"<type>{scan.type}</type>",
        f"<mode>{scan.mode}</mode>",
        "<multi>false</multi>",
        f"<target>{target}</target>",
        f"<profile><id>558017</id><name>{cdata('Initial WAS Options')}</name></profile>",
        options,
        dated("launchedDate", scan.launched),
        f"<launchedBy>{PERSON}</launchedBy>",
        f"<status>{scan.status}</status>",
        dated("endScanDate", ended),
        "" if ended is None else f"<scanDuration>{ended - scan.launched}</scanDuration>",
        "<cancelMode>USER</cancelMode>" if scan.canceled else "",
        "<canceledBy><id>20678395</id><username>user_ab1</username></canceledBy>"
        if scan.canceled
        else "",
        f"<summary>{_summary(scan)}</summary>",
    )


def _statuses(scan: Scan) -> str:
    return f"<resultsStatus>{scan.results}</resultsStatus><authStatus>NONE</authStatus>"


def _summary(scan: Scan) -> str:
    """Return the summary; a scan without results has only its two statuses."""
    status = _statuses(scan)
    if scan.ended is None or scan.results not in {"SUCCESSFUL", "CANCELED_WITH_RESULTS"}:
        return status
    length = scan.ended - scan.launched
    figures = (
        f"<crawlDuration>{length // 4}</crawlDuration><testDuration>{length // 2}</testDuration>"
        f"<linksCrawled>{scan.id % 300}</linksCrawled><nbRequests>{scan.id % 9000}</nbRequests>"
    )
    return figures + status + (f"<os>{scan.os}</os>" if scan.os else "")
