"""The results of one scan as `download/was/wasscan` gives them: root `<WasScan>`, no envelope."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.xml.markup import DECLARATION, cdata, encoded, flag, lines, listed
from tests.sandbox.qualys.xml.objects import scan_lines
from tests.sandbox.world.model import INFORMATION_GATHERED, SENSITIVE_CONTENT, VULNERABILITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.qualys.xml.markup import Form
    from tests.sandbox.world.model import Finding, Scan

_PREFIXES: Final = (
    ("nbVulns", VULNERABILITY),
    ("nbScs", SENSITIVE_CONTENT),
    ("nbIgs", INFORMATION_GATHERED),
)


def download(scan: Scan, findings: Sequence[Finding], form: Form) -> str:
    """Return the document for a finished scan: no finding ids, no statuses, no dates of findings.

    `findings` are those that the scan has seen.
    """
    vulnerabilities = [_vuln(row) for row in findings if row.type == VULNERABILITY]
    sensitive = [_sensitive(row) for row in findings if row.type == SENSITIVE_CONTENT]
    information = [_ig(row) for row in findings if row.type == INFORMATION_GATHERED]
    return (
        f'{DECLARATION}<WasScan xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="https://qualysapi.sandbox.example.test/qps">\n'
        + lines(
            2,
            (
                *scan_lines(scan, form),
                f"<options>{listed([_option('Target URL', scan.app.url)])}</options>",
                f"<stats><global>{_stats(findings)}</global></stats>",
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


def _stats(findings: Sequence[Finding]) -> str:
    levels = Counter((row.type, row.severity) for row in findings)
    parts: list[str] = []
    for prefix, kind in _PREFIXES:
        total = sum(number for (one, _), number in levels.items() if one == kind)
        parts.append(f"<{prefix}Total>{total}</{prefix}Total>")
        parts += [
            f"<{prefix}Level{level}>{levels[kind, level]}</{prefix}Level{level}>"
            for level in (5, 4, 3, 2, 1)
        ]
    return "".join(parts)


def _head(row: Finding) -> str:
    param = "" if row.param is None else f"<param>{cdata(row.param)}</param>"
    return (
        f"<qid>{row.qid.qid}</qid><title>{cdata(row.qid.title)}</title>"
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


def _vuln(row: Finding) -> str:
    instance = (
        "<WasScanVulnInstance><authenticated>false</authenticated>"
        f"{_payloads('WasScanVulnPayload')}</WasScanVulnInstance>"
    )
    return f"<WasScanVuln>{_head(row)}<instances>{listed([instance])}</instances></WasScanVuln>"


def _sensitive(row: Finding) -> str:
    instance = (
        "<WasScanSensitiveContentInstance><authenticated>false</authenticated>"
        f"{_payloads('WasScanSensitiveContentPayload')}</WasScanSensitiveContentInstance>"
    )
    return (
        f"<WasScanSensitiveContent>{_head(row)}<content>{cdata(f'4111 {row.id % 10_000:04}')}"
        f"</content><instances>{listed([instance])}</instances></WasScanSensitiveContent>"
    )


def _ig(row: Finding) -> str:
    return (
        f"<WasScanIg><qid>{row.qid.qid}</qid><title>{cdata(row.qid.title)}</title>"
        f"<severity>{row.severity}</severity>"
        f'<data base64="true">{encoded(f"Number of links: {row.id % 40}")}</data></WasScanIg>'
    )
