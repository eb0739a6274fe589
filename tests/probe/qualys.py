"""What Qualys is asked: it is only read, a page of each search at most."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import requests
from lxml import etree

from tests.probe import limits
from tests.probe.answers import Answer, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_qualyswas.settings.values import Settings

TYPES: Final = ("VULNERABILITY", "SENSITIVE_CONTENT", "INFORMATION_GATHERED")
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
_HIGHEST: Final = 2**63 - 1


@dataclass
class Account:
    """An account that is read with a Basic login."""

    settings: Settings
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        login = (str(self.settings.username), str(self.settings.password))
        self._session.auth = tuple(part.encode() for part in login)  # type: ignore[assignment]
        self._session.headers["X-Requested-With"] = "probe"
        self._session.verify = self.settings.ca_bundle or True

    def call(self, path: str, content: object = None, kind: str = "text/xml") -> requests.Response:
        """Send a request, whatever becomes of it: a GET without content."""
        url = self.settings.platform.api_url + path
        verb, headers = ("GET", {}) if content is None else ("POST", {"Content-Type": kind})
        try:
            return self._session.request(verb, url, data=content, headers=headers, timeout=300)  # type: ignore[arg-type]
        except requests.RequestException as error:
            msg = f"{path} failed: {type(error).__name__}"
            raise RefusedError(msg) from error

    def ask(self, path: str, body: str) -> requests.Response:
        """Send a request.

        Raises:
            RefusedError: without an answer of HTTP 200.
        """
        answer = self.call(path, body.encode())
        if answer.status_code != 200:
            msg = f"{path} was refused with HTTP {answer.status_code}"
            raise RefusedError(msg)
        return answer

    def knowledge_base(self, qids: Iterable[int], version: str = "2.0") -> requests.Response:
        """Ask for entries of the knowledge base."""
        ids = ",".join(map(str, qids))
        path = f"/api/{version}/fo/knowledge_base/vuln/"
        form = "application/x-www-form-urlencoded"
        return self.call(path, f"action=list&ids={ids}", form)

    def search(self, kind: str, *criteria: tuple[str, str, object], **wishes: object) -> Found:
        """Ask for a page."""
        preferences = "".join(f"<{name}>{value}</{name}>" for name, value in wishes.items())
        filters = "".join(
            f'<Criteria field="{name}" operator="{operator}">{value}</Criteria>'
            for name, operator, value in criteria
        )
        body = (
            f"<ServiceRequest><preferences>{preferences}</preferences>"
            f"<filters>{filters}</filters></ServiceRequest>"
        )
        return Found(self.ask(f"/qps/rest/3.0/search/was/{kind}", body))


class Found:
    """The answer to a search."""

    def __init__(self, answer: requests.Response) -> None:
        self.headers = answer.headers
        self.root = etree.fromstring(answer.content, _PARSER)
        self.rows = self.root.findall("data/*")

    @property
    def taken(self) -> bool:
        """Whether the question was one that Qualys takes."""
        return self.root.findtext("responseCode") == "SUCCESS"

    @property
    def form(self) -> str:
        """What an empty page holds."""
        parts = {str(child.tag) for child in self.root}
        return "data" if "data" in parts else "more" if "hasMoreRecords" in parts else "count"

    def tells(self, path: str) -> bool:
        """Whether any row has an element."""
        return any(row.find(path) is not None for row in self.rows)

    def ids(self) -> list[int]:
        """The rows' ids in their order."""
        return [int(row.findtext("id") or 0) for row in self.rows]


def ask(account: Account) -> Iterator[Answer]:
    """Ask all that a page of each search can tell."""
    lean, apps = account.search("finding"), account.search("webapp", verbose="true")
    yield Answer(
        "Do answers name the subscription?",
        "X-Powered-By" in lean.headers,
        "subscription_header",
    )
    ids = apps.ids()
    ordered = "ascending" if ids == sorted(ids) else "descending"
    yield Answer("Rows come in an order of ids that is", ordered, "id_order")
    yield Answer(
        "Do lean findings tell updatedDate?", lean.tells("updatedDate"), "lean_updated_date"
    )
    yield Answer(
        "Do searches of web applications tell attributes?",
        apps.tells("attributes"),
        "search_app_details",
    )
    yield from _scans(account)
    yield from _forms(account)
    yield from _details(account)
    yield from limits.ask(account)
    for kind in TYPES:
        first = account.search("finding", ("type", "EQUALS", kind), limitResults=1).ids()
        yield Answer(f"The first id of {kind} is", first[0] if first else "none")


def _scans(account: Account) -> Iterator[Answer]:
    verbose, scans = account.search("wasscan", verbose="true"), account.search("wasscan")
    yield Answer("May scan searches ask for verbose?", verbose.taken, "verbose_scans")
    yield Answer(
        "Do scan searches tell endScanDate?", scans.tells("endScanDate"), "search_scan_details"
    )


def _forms(account: Account) -> Iterator[Answer]:
    named = account.search("finding", ("id", "IN", _HIGHEST)).form
    after = account.search("finding", ("id", "GREATER", _HIGHEST - 1)).form
    both = "recorded" if (named, after) == ("count", "data") else named
    yield Answer("An empty page holds", both, "empty_result_form")
    bare = account.search("finding", ("lastTestedDate", "GREATER", "2020-01-01"))
    yield Answer("Are dates without a time taken?", bare.taken, "bare_dates")


def _details(account: Account) -> Iterator[Answer]:
    rows = account.search("finding", ("type", "EQUALS", TYPES[0]), verbose="true", limitResults=50)
    sent = [part for row in rows.rows for part in row.iter("headers")]
    if sent:
        marked = all(part.get("base64") for part in sent)
        yield Answer("Does evidence say that it is base64?", marked, "marked_evidence")
    most = len(account.search("finding", verbose="true", limitResults=1000).rows)
    yield Answer("Rows in a verbose page at most:", most)
