"""Call patterns that others use, each as a small client of the sandbox and as a formula.

The formula is held against the client at a small size, and counts for it where running it would
take hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

import requests
from lxml import etree

from tap_qualyswas.qualys.request_bodies import equals, greater, service_request
from tests.bench.peers.plain_tap import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sandbox.sandbox import Sandbox

PAGE: Final = 100
"""Rows of a page where nothing else is asked for (Qualys WAS API user guide, "Pagination")."""


@dataclass(frozen=True)
class Rows:
    """What there is to read: web applications, and findings of each type."""

    apps: int
    findings: tuple[int, ...]

    @property
    def finding_pages(self) -> int:
        """Give the pages of 100 that the findings fill, at least one for each type."""
        return sum(max(ceil(rows / PAGE), 1) for rows in self.findings)


class Client:
    """Asks one thing after the other.

    Attributes:
        calls: how many were made.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.calls = 0
        self._url = sandbox.qualys_url
        self._session = requests.Session()
        # Bytes, as requests would write text in Latin-1.
        login = (sandbox.username, sandbox.password.encode())
        self._session.auth = login  # type: ignore[assignment] # typed for text only
        self._session.headers.update({"X-Requested-With": "bench", "Content-Type": "text/xml"})

    def call(self, method: str, path: str, body: bytes | dict[str, str] | None = None) -> bytes:
        """Make one call and give the answer."""
        self.calls += 1
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._session.request(
            method,
            self._url + path,
            data=body,
            headers=form if isinstance(body, dict) else None,
            timeout=60,
        )
        answer.raise_for_status()
        return answer.content

    def pages(self, kind: str, of_type: str | None, *, verbose: bool) -> Iterator[list[str]]:
        """Walk a search by pages of 100; give the ids of each."""
        last = None
        while True:
            criteria = [equals("type", of_type)] if of_type else []
            criteria += [greater("id", last)] if last else []
            body = service_request(criteria, limit=PAGE, verbose=verbose)
            root = etree.fromstring(self.call("POST", f"/qps/rest/3.0/search/was/{kind}", body))
            yield [row.findtext("id") or "" for row in root.iterfind("data/*")]
            if root.findtext("hasMoreRecords") != "true":
                return
            last = root.findtext("lastId")

    def knowledge_base(self, qids: str) -> None:
        """Ask for entries of the knowledge base."""
        body = {"action": "list", "ids": qids}
        self.call("POST", "/api/2.0/fo/knowledge_base/vuln/", body)


def detail_per_app(client: Client) -> None:
    """List web applications, ask for each one's details, then list the findings."""
    for ids in list(client.pages("webapp", None, verbose=False)):
        for number in ids:
            client.call("GET", f"/qps/rest/3.0/get/was/webapp/{number}")
    for kind in KINDS:
        for _ in client.pages("finding", kind, verbose=False):
            pass


def detail_per_finding(client: Client) -> None:
    """List findings, and ask for each one's details."""
    for _ in client.pages("webapp", None, verbose=True):
        pass
    for kind in KINDS:
        for ids in client.pages("finding", kind, verbose=False):
            for number in ids:
                client.call("GET", f"/qps/rest/3.0/get/was/finding/{number}")


def knowledge_per_page(client: Client) -> None:
    """Read findings with all details, and after each page the entries of its QIDs."""
    for _ in client.pages("webapp", None, verbose=True):
        pass
    for kind in KINDS:
        for _ in client.pages("finding", kind, verbose=True):
            client.knowledge_base("150001,150002")


@dataclass(frozen=True)
class Rival:
    """A pattern: its client, and how many calls it makes."""

    label: str
    client: Callable[[Client], None]
    formula: Callable[[Rows], int]


def _app_pages(rows: Rows) -> int:
    return max(ceil(rows.apps / PAGE), 1)


RIVALS: Final = (
    Rival(
        "one call for the details of each web application",
        detail_per_app,
        lambda rows: _app_pages(rows) + rows.apps + rows.finding_pages,
    ),
    Rival(
        "one call for the details of each finding",
        detail_per_finding,
        lambda rows: _app_pages(rows) + rows.finding_pages + sum(rows.findings),
    ),
    Rival(
        "pages of 100 with details, one knowledge base call each",
        knowledge_per_page,
        lambda rows: _app_pages(rows) + 2 * rows.finding_pages,
    ),
)


def check(sandbox: Sandbox) -> None:
    """Run each client and hold its formula against the calls that the sandbox saw.

    Raises:
        AssertionError: when one is wrong.
    """
    world = sandbox.world
    rows = Rows(len(world.apps), tuple(len(world.findings[kind]) for kind in KINDS))
    for rival in RIVALS:
        before = sandbox.qualys_requests.total()
        client = Client(sandbox)
        rival.client(client)
        seen = sandbox.qualys_requests.total() - before
        found = (seen, client.calls, rival.formula(rows))
        assert len(set(found)) == 1, f"{rival.label}: seen, made, by formula {found}"
