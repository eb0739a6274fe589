"""The results of one scan as `download/was/wasscan` gives them: root `<WasScan>`, no envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.qualys.xml.markup import DECLARATION, cdata, encoded, flag, lines, listed
from tests.sandbox.qualys.xml.objects import scan_lines
from tests.sandbox.qualys.xml.statistics import statistics
from tests.sandbox.world.model import INFORMATION_GATHERED, SENSITIVE_CONTENT, VULNERABILITY

if TYPE_CHECKING:
    from tests.sandbox.qualys.xml.markup import Form
    from tests.sandbox.world.model import Report, Reported, Scan


def download(scan: Scan, report: Report, form: Form) -> str:
    """Return the document of a finished scan: it tells no ids, statuses or dates of findings."""
    rows = report.rows
    vulnerabilities = [_vuln(row) for row in rows if row.type == VULNERABILITY]
    sensitive = [_sensitive(row) for row in rows if row.type == SENSITIVE_CONTENT]
    information = [_ig(row) for row in rows if row.type == INFORMATION_GATHERED]
    options = listed([_option("Target URL", report.app_url)])
    return (
        f'{DECLARATION}<WasScan xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="https://qualysapi.sandbox.example.test/qps">\n'
        + lines(
            2,
            (
                *scan_lines(scan, form, report, options=f"<options>{options}</options>"),
                f"<stats>{statistics(rows)}</stats>",
                f"<vulns>{listed(vulnerabilities)}</vulns>",
                f"<sensitiveContents>{listed(sensitive)}</sensitiveContents>",
                f"<igs>{listed(information)}</igs>",
                "<sendMail>true</sendMail>",
            ),
        )
        + "</WasScan>\n"
    )


def _option(name: str, value: str) -> str:
    return f"<WasScanOption><name>{name}</name><value>{cdata(value)}</value></WasScanOption>"


def _head(row: Reported) -> str:
    param = "" if row.param is None else f"<param>{cdata(row.param)}</param>"
    return (
        f"<qid>{row.qid.qid}</qid><title>{cdata(row.title)}</title>"
        f"<uri>{cdata(row.url or '')}</uri>{param}"
        f"<severity>{row.severity}</severity><originalSeverity>{row.qid.severity}"
        f"</originalSeverity><potential>{flag(row.qid.potential)}</potential>"
        f"<group>{row.qid.group}</group>"
    )


def _payloads(name: str) -> str:
    # The real one cuts the padding off: 264 of 374 recorded texts lack it.
    result = encoded("The response &lt;b&gt; had it.").replace("=", "")
    payload = (
        f'<{name}><payload>{cdata("N/A")}</payload><result base64="true">{result}</result></{name}>'
    )
    return f"<payloads>{listed([payload])}</payloads>"


def _vuln(row: Reported) -> str:
    form = "" if row.param is None or row.url is None else f"<form>{cdata(row.url)}</form>"
    instance = (
        f"<WasScanVulnInstance><authenticated>false</authenticated>{form}"
        f"{_payloads('WasScanVulnPayload')}</WasScanVulnInstance>"
    )
    return f"<WasScanVuln>{_head(row)}<instances>{listed([instance])}</instances></WasScanVuln>"


def _sensitive(row: Reported) -> str:
    instance = (
        "<WasScanSensitiveContentInstance><authenticated>false</authenticated>"
        f"{_payloads('WasScanSensitiveContentPayload')}</WasScanSensitiveContentInstance>"
    )
    return (
        f"<WasScanSensitiveContent>{_head(row)}<content>{cdata(f'4111 {row.number % 10_000:04}')}"
        f"</content><instances>{listed([instance])}</instances></WasScanSensitiveContent>"
    )


def _ig(row: Reported) -> str:
    return (
        f"<WasScanIg><qid>{row.qid.qid}</qid><title>{cdata(row.title)}</title>"
        f"<severity>{row.severity}</severity>"
        f'<data base64="true">{encoded(f"Number of links: {row.number % 40}")}</data></WasScanIg>'
    )
