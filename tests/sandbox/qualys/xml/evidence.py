"""The evidence of a finding: request and response, with secrets in it like the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.xml.markup import cdata, encoded, listed

if TYPE_CHECKING:
    from tests.sandbox.qualys.xml.markup import Form
    from tests.sandbox.world.model import Finding

COOKIE: Final = "session=5e55ion-of-a-user"
"""Planted in every request: it must appear nowhere unless evidence is asked for unredacted."""

BODY: Final = "user=alex&password=pa55w0rd-of-a-user"


def result_list(finding: Finding, form: Form) -> str:
    """Return the `resultList` element; information items have nothing but a response."""
    payload = f"<PayloadInstance>{_exchange(finding, form)}</PayloadInstance>"
    ajax = "" if finding.url is None else "<ajax>false</ajax>"
    path = (
        ""
        if finding.url is None
        else f"<accessPath>{listed([f'<Url><value>{cdata(finding.app.url)}</value></Url>'])}"
        "</accessPath>"
    )
    result = (
        f"<Result><authentication>false</authentication>{ajax}{path}"
        f"<payloads>{listed([payload])}</payloads></Result>"
    )
    return f"      <resultList>{listed([result])}</resultList>\n"


def _exchange(finding: Finding, form: Form) -> str:
    if finding.url is None:
        return f"<response>{cdata(f'Number of links: {finding.id % 40}')}</response>"
    mark = ' base64="true"' if form.switches.marked_evidence else ""
    headers = f"Host: example.test\r\nCookie: {COOKIE}\r\n"
    method, body = "POST", f"<body{mark}>{encoded(BODY)}</body>"
    if finding.id % 3 == 0:
        method, body = "GET", ""
    return (
        f"<payload>{cdata(_payload(finding))}</payload><request><method>{method}</method>"
        f"<link>{cdata(finding.url)}</link>"
        f"<headers{mark}>{encoded(headers)}</headers>{body}</request>"
        f"<response>{cdata(_response(finding))}</response>"
        "<payloadResponce><offset>12</offset><length>25</length></payloadResponce>"
    )


def _payload(finding: Finding) -> str:
    # Some begin like a spreadsheet formula, some hold the end of a CDATA section.
    return ("=1+1|' /C calc'!A0", "\"'><qss>", "]]>&amp;", "N/A")[finding.id % 4]


def _response(finding: Finding) -> str:
    return f"comment: part of the payload appeared.\n<html><b>{finding.id}</b> ]]> Grüße"
