"""A small server that plays given answers of Qualys one after the other, and XML to answer with."""

from __future__ import annotations

import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from tests.support.loopback import LoopbackServer, Request, Response

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

DATE: Final = "Fri, 31 May 2024 08:00:00 GMT"
SEARCH: Final = "/qps/rest/3.0/search/was/"
COUNT: Final = "/qps/rest/3.0/count/was/"
FINDINGS: Final = f"{SEARCH}finding"
KB: Final = "/api/2.0/fo/knowledge_base/vuln/"


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        cut: bytes of the body after which the connection ends.
        reset: whether the connection is reset in place of an answer.
        delay: seconds before it comes.
    """

    body: str | bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    reset: bool = False
    delay: float = 0.0

    def response(self, date: str | None) -> Response:
        """Give the answer as it is sent, at a date."""
        return Response(
            status=self.status,
            headers={
                "Content-Type": "text/xml",
                **({} if date is None else {"Date": date}),
                **self.headers,
            },
            content=self.body if isinstance(self.body, bytes) else self.body.encode(),
            delay=self.delay,
            cut=self.cut,
            lost="reset" if self.reset else "",
        )


class ScriptedServer(LoopbackServer):
    """Answer by path from a list, then by path with an answer for ever.

    Args:
        scripts: answers by path, each given once, in their order.
        always: answers by path for when its list is used up; the default is an empty result.
        date: the `Date` of each answer, None for no such header.
        tls: for answers over TLS.
    """

    def __init__(
        self,
        scripts: Mapping[str, Iterable[Answer]] | None = None,
        always: Mapping[str, Answer] | None = None,
        date: str | None = DATE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls)
        self._scripts = {path: deque(answers) for path, answers in (scripts or {}).items()}
        self._always = dict(always or {})
        self._date = date

    @property
    def config(self) -> dict[str, str]:
        """The settings that every run needs."""
        return {"api_url": self.url, "username": "someone", "password": "hidden-word"}

    def asked_at(self, path: str) -> list[Request]:
        """Give the requests to a path."""
        return [request for request in self.requests if request.path == path]

    def by_path(self) -> dict[str, int]:
        """Give how often each path was asked for."""
        return dict(Counter(request.path for request in self.requests))

    @override
    def answer(self, request: Request) -> Response:
        path = request.path
        script = self._scripts.get(path)
        if script:
            return script.popleft().response(self._date)
        nothing = Answer(count_xml(0) if path.startswith(COUNT) else empty(path))
        return self._always.get(path, nothing).response(self._date)


def empty(path: str) -> str:
    """Give an answer with nothing in it, of the kind that belongs to a path."""
    if "knowledge_base" in path:
        return "<KNOWLEDGE_BASE_VULN_LIST_OUTPUT><RESPONSE/></KNOWLEDGE_BASE_VULN_LIST_OUTPUT>"
    return page()


def count_xml(number: int) -> str:
    """Give the answer of a count call."""
    return (
        "<ServiceResponse><responseCode>SUCCESS</responseCode>"
        f"<count>{number}</count></ServiceResponse>"
    )


def page(
    *rows: str, more: str | None = "false", last_id: int | None = None, data: bool = True
) -> str:
    """Give a search answer with rows of XML."""
    told = "" if more is None else f"<hasMoreRecords>{more}</hasMoreRecords>"
    last = "" if last_id is None else f"<lastId>{last_id}</lastId>"
    inside = f"<data>{''.join(rows)}</data>" if data else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ServiceResponse>'
        f"<responseCode>SUCCESS</responseCode><count>{len(rows)}</count>{told}{last}{inside}"
        "</ServiceResponse>"
    )


def failure(code: str, message: str = "", resolution: str = "") -> str:
    """Give an error as the WAS API tells it inside HTTP 200."""
    return (
        f"<ServiceResponse><responseCode>{code}</responseCode><responseErrorDetails>"
        f"<errorMessage>{escape(message)}</errorMessage>"
        f"<errorResolution>{escape(resolution)}</errorResolution>"
        "</responseErrorDetails></ServiceResponse>"
    )


def simple_return(code: int, text: str = "", items: Mapping[str, str] | None = None) -> str:
    """Give an error as the fo API tells it."""
    listed = "".join(
        f"<ITEM><KEY>{key}</KEY><VALUE>{value}</VALUE></ITEM>"
        for key, value in (items or {}).items()
    )
    item_list = f"<ITEM_LIST>{listed}</ITEM_LIST>" if listed else ""
    return (
        "<SIMPLE_RETURN><RESPONSE><DATETIME>2024-05-31T08:00:00Z</DATETIME>"
        f"<CODE>{code}</CODE><TEXT>{escape(text)}</TEXT>{item_list}</RESPONSE></SIMPLE_RETURN>"
    )


def finding(number: int, *, kind: str = "VULNERABILITY", **changes: str | None) -> str:
    """Give a lean finding; `changes` replace the XML inside its elements, None leaves them out."""
    values: dict[str, str | None] = {
        "id": str(number),
        "uniqueId": f"00000000-0000-4000-8000-{number:012d}",
        "qid": str(150_000 + number % 7),
        "name": f"<![CDATA[Weakness {number}]]>",
        "type": kind,
        "potential": "false",
        "findingType": "QUALYS",
        "severity": "3",
        "url": f"<![CDATA[https://app1.example.test/page{number}?a=1&b=2]]>",
        "status": "ACTIVE",
        "firstDetectedDate": "2024-03-01T08:00:00Z",
        "lastDetectedDate": "2024-05-01T08:00:00Z",
        "lastTestedDate": "2024-05-02T08:00:00Z",
        "timesDetected": "2",
        "isIgnored": "false",
        "webApp": "<id>9001</id><name>Demo App 1</name><url>https://app1.example.test/</url>",
        **changes,
    }
    return element("Finding", values)


def webapp(number: int, **changes: str | None) -> str:
    """Give a web application."""
    values: dict[str, str | None] = {
        "id": str(number),
        "name": f"<![CDATA[App {number}]]>",
        "url": f"https://app{number}.example.test/",
        **changes,
    }
    return element("WebApp", values)


def scan(number: int, *, app: int = 9001, **changes: str | None) -> str:
    """Give a finished scan."""
    values: dict[str, str | None] = {
        "id": str(number),
        "name": f"Scan {number}",
        "reference": f"was/1714550400000.{number}",
        "type": "VULNERABILITY",
        "mode": "ONDEMAND",
        "target": f"<webApp><id>{app}</id><name>Demo App 1</name></webApp>",
        "launchedDate": "2024-05-01T08:00:00Z",
        "status": "FINISHED",
        "summary": "<resultsStatus>SUCCESSFUL</resultsStatus>",
        **changes,
    }
    return element("WasScan", values)


def element(tag: str, values: Mapping[str, str | None]) -> str:
    """Give an element with the elements that have a value inside of it."""
    inside = "".join(
        f"<{name}>{value}</{name}>" for name, value in values.items() if value is not None
    )
    return f"<{tag}>{inside}</{tag}>"
