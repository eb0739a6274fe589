"""Reports as a person exports them from the portal: CSV, tables one below the other."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.xml.portal_report import category, codes, group, portal_date, rows_of
from tests.sandbox.world.model import INFORMATION_GATHERED, SENSITIVE_CONTENT, VULNERABILITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.qualys.xml.portal_report import Exported, ReportShape
    from tests.sandbox.world.model import Finding, WebApp

FOUND: Final = (
    *("Param", "Function", "Authentication", "Ignored", "First Time Detected"),
    *("Last Time Detected", "Last Time Tested", "Times Detected", "Status"),
    *("Payload #1", "Response #1"),
)
HEADERS: Final = {
    VULNERABILITY: ("VULNERABILITY", "ID", "Detection ID", "QID", "Url", *FOUND),
    SENSITIVE_CONTENT: (
        *("SENSITIVECONTENT", "ID", "Detection ID", "QID", "Content", "Url"),
        *FOUND,
    ),
    INFORMATION_GATHERED: (
        *("INFORMATION_GATHERED", "ID", "Detection ID", "QID", "Results", "Detection Date"),
    ),
}
ENTRY: Final = (
    *("QID", "Id", "Title", "Category", "Severity Level", "Groups", "OWASP", "WASC", "CWE"),
    *("CVSS Base", "CVSS Temporal", "Description", "Impact", "Solution"),
)
APPENDIX: Final = ("Web Application Name", "URL", "Owner", "Scope", "Operating System")


def portal_csv(apps: Sequence[WebApp], exported: Exported, shape: ReportShape) -> str:
    """Return a report of some web apps; texts of several lines stand in their cells as they are."""
    rows = [row for app in apps for row in rows_of(app, exported, shape)]
    text = io.StringIO()
    out = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    out.writerow(["Scan Report", "Example", portal_date(exported.moment, shape.zone)])
    out.writerow([])
    for at, (kind, header) in enumerate(HEADERS.items()):
        out.writerow(header)
        for row in rows:
            if row.type == kind:
                out.writerow(_row(header[0], row, at, shape))
    out.writerow(ENTRY)
    for qid in {row.qid.qid: row.qid for row in rows}.values():
        entry = qid.entry
        out.writerow(
            (
                *("QID", qid.qid, qid.title, category(qid), qid.severity, group(qid)),
                codes("A", (one.code for one in qid.owasp)),
                codes("WASC-", (one.code for one in qid.wasc)),
                codes("CWE-", qid.cwe),
                *("", ""),  # CVSS Base and Temporal are left empty
                entry.diagnosis if entry else "N/A",
                (entry and entry.consequence) or "N/A",
                (entry and entry.solution) or "N/A",
            )
        )
    out.writerow(("GROUP", "Name", "Category"))
    out.writerow(("OWASP", "Code", "Name"))
    out.writerow(("WASC", "Code", "Name"))
    out.writerow(("APPENDIX",))
    out.writerow(APPENDIX)
    for app in apps:
        out.writerow((app.name, app.url, "Alex Doe (user_ab1)", "Limit to URL hostname", app.os))
    out.writerow(("Category", "Severity", "Level", "Description"))
    out.writerow(("Confirmed Vulnerability", "5", "Urgent", "the worst\nof all"))
    return text.getvalue()


def _row(marker: str, row: Finding, at: int, shape: ReportShape) -> tuple[object, ...]:
    head = (marker, at, row.id, row.qid.qid)
    last = portal_date(row.last, shape.zone)
    if row.type == INFORMATION_GATHERED:
        return (*head, f"Number of links: {row.id % 40}\nand more", last)
    content = (f"4111 **** **** {row.id % 10_000:04}",) if row.type == SENSITIVE_CONTENT else ()
    return (
        *(*head, *content, row.url, row.param or "", "", "Not Required"),
        "false" if row.ignored is None else "true",
        *(portal_date(row.first, shape.zone), last, portal_date(row.tested, shape.zone)),
        *(row.times, row.status, "=1+1|' /C calc'!A0", 'HTTP/1.1 200 OK\r\n\r\n<a href="x">,</a>'),
    )
