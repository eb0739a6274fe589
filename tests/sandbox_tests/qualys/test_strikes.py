"""Each fault of the sandbox's Qualys does on the wire what its line in the table says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.faults.kinds import KINDS
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world.model import VULNERABILITY
from tests.sandbox_tests.qualys.asking import Answer, Asker

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "search/was/finding"
COUNT = "count/was/webapp"
KB = "/api/2.0/fo/knowledge_base/vuln/?action=list&ids=150001"


class Client(Asker):
    """Asks and gives the raw answers."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def arm(self, *faults: str) -> None:
        self.sandbox.faults.arm(*faults)

    def raw(self, path: str = PAGE, *, timeout: float = 20) -> requests.Response:
        url = f"{self.base}/{path}"
        headers = {"Content-Type": "text/xml", **self.headers}
        return requests.post(url, headers=headers, timeout=timeout)

    def fo(self) -> requests.Response:
        headers = {**self.headers, "X-Requested-With": "tests"}
        return requests.get(self.sandbox.qualys_url + KB, headers=headers, timeout=20)

    def walk(self, pages: int = 1, limit: int = 10) -> list[Answer]:
        """Ask for pages of one type, each after the last one's end."""
        found: list[Answer] = []
        last = "0"
        for _ in range(pages):
            asked = (("type", "EQUALS", VULNERABILITY), ("id", "GREATER", last))
            found.append(self.search("finding", *asked, limitResults=limit))
            last = found[-1].text("lastId") or str(found[-1].ids[-1])
        return found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(apps=3, findings=120, seed=4) as made:
        yield made


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    sandbox.faults.disarm()
    return Client(sandbox)


INSIDE = {
    "qualys-credentials": "INVALID_CREDENTIALS",
    "qualys-was-missing": "UNAUTHORIZED_DESTINATION_APPS",
    "qualys-api-missing": "UNAUTHORIZED",
    "qualys-evaluation-expired": "EVALUATION_EXPIRED",
    "qualys-processing": "STILL_PROCESSING",
    "qualys-server-down": "RMI_SERVER_DOWN",
    "qualys-other-error": "OTHER_ERROR",
}

STATUSES = {
    "qualys-was-404": (404, ""),
    "qualys-http-403": (403, ""),
    "qualys-unregistered": (403, "2003"),
    "qualys-unregistered-409": (409, "2003"),
    "qualys-expired": (200, "2001"),
    "qualys-inactive": (403, "2002"),
    "qualys-401": (401, ""),
    "qualys-busy": (429, ""),
    "qualys-concurrency": (409, "1960"),
    "qualys-rate": (409, "1965"),
    "qualys-rate-text": (409, "1965"),
    "qualys-rate-item": (409, "1965"),
    "qualys-rate-unreadable": (429, ""),
    "qualys-rate-absurd": (429, ""),
    "qualys-maintenance": (503, "1999"),
    "qualys-500": (500, ""),
    "qualys-502": (502, ""),
    "qualys-202": (202, "1981"),
}


@pytest.mark.parametrize("fault", INSIDE)
def test_refusals_inside_http_200(client: Client, fault: str) -> None:
    client.arm(fault)
    assert client.get(COUNT).code == INSIDE[fault]


@pytest.mark.parametrize("fault", STATUSES)
def test_refusals_by_status_and_code(client: Client, fault: str) -> None:
    client.arm(fault)
    answer = client.raw("count/was/webapp")
    status, code = STATUSES[fault]
    assert answer.status_code == status
    assert f"<CODE>{code}</CODE>" in answer.text or not code


@pytest.mark.parametrize("fault", [*INSIDE, *STATUSES])
def test_what_passes_has_passed_after_its_strikes(client: Client, fault: str) -> None:
    strikes = KINDS[fault].strikes
    client.arm(fault)
    for _ in range(strikes or 3):
        client.raw(COUNT)
    assert (client.raw(COUNT).text.count("SUCCESS") == 1) == (strikes is not None)


def test_waits_are_told_where_the_name_says(client: Client) -> None:
    client.arm("qualys-busy*1", "qualys-rate*1", "qualys-rate-text*1", "qualys-rate-item*1")
    header, rate, text, item = (client.raw(COUNT) for _ in range(4))
    assert header.headers["X-RateLimit-ToWait-Sec"] == "1"
    assert rate.headers["X-RateLimit-ToWait-Sec"] == "1"
    assert "in 1 seconds" in text.text
    assert "SECONDS_TO_WAIT" in item.text


@pytest.mark.parametrize(
    ("fault", "status", "code", "wait"),
    [
        ("kb-not-licensed", 403, "2012", "0"),
        ("kb-down", 500, "999", "0"),
        ("kb-busy", 409, "1960", None),
        ("qualys-credentials", 401, "2000", None),
    ],
)
def test_the_knowledge_base_alone_is_refused(
    client: Client, fault: str, status: int, code: str, wait: str | None
) -> None:
    client.arm(fault)
    answer = client.fo()
    assert (answer.status_code, f"<CODE>{code}</CODE>" in answer.text) == (status, True)
    assert answer.headers.get("X-RateLimit-ToWait-Sec") == wait
    assert (client.get(COUNT).code == "SUCCESS") == fault.startswith("kb-")


def test_headers_tell_of_an_evaluation_or_another_account(client: Client) -> None:
    client.arm("qualys-evaluation-header", "qualys-other-account")
    answer = client.raw(COUNT)
    assert answer.headers["evaluation"] == "true"
    assert client.sandbox.world.subscription not in answer.headers["X-Powered-By"]


def test_an_evaluation_account_shows_in_the_knowledge_base_alone(client: Client) -> None:
    client.arm("qualys-evaluation-comment")
    counted, entries = client.raw(COUNT), client.fo()
    assert (counted.headers["evaluation"], "<!--" in counted.text) == ("false", False)
    assert entries.text.count("evaluation version") == 2


@pytest.mark.parametrize("fault", ["qualys-trial", "qualys-nothing"])
def test_searches_return_nothing(client: Client, fault: str) -> None:
    client.arm(fault)
    assert client.search("finding").rows == []
    assert (client.count("finding") == 0) == (fault == "qualys-nothing")


@pytest.mark.parametrize(
    ("fault", "begins"),
    [
        ("qualys-html", "<!DOCTYPE html>"),
        ("qualys-html-always", "<!DOCTYPE html>"),
        ("qualys-empty", ""),
        ("qualys-foreign-root", "<?xml"),
    ],
)
def test_a_page_is_no_answer_of_qualys(client: Client, fault: str, begins: str) -> None:
    client.arm(fault)
    answer = client.raw()
    assert (answer.status_code, "ServiceResponse" in answer.text) == (200, False)
    assert answer.text[: len(begins) or None] == begins


def test_a_page_is_refused_for_good_after_the_first(client: Client) -> None:
    client.arm("tap-error")
    codes = [client.search("finding").code for _ in range(3)]
    assert codes == ["SUCCESS", "INVALID_REQUEST", "INVALID_REQUEST"]
    assert client.get(COUNT).code == "SUCCESS"


@pytest.mark.parametrize("fault", ["qualys-cut-body+0", "qualys-reset"])
def test_a_page_breaks_off(client: Client, fault: str) -> None:
    client.arm(fault)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _ = client.raw().content
    assert client.search("finding").rows


def test_a_page_does_not_come(client: Client) -> None:
    client.arm("qualys-hung")
    with pytest.raises(requests.ReadTimeout):
        client.raw(timeout=0.3)


@pytest.mark.parametrize("fault", ["qualys-cut-xml+0", "qualys-bad-gzip", "qualys-bad-characters"])
def test_a_whole_answer_is_no_well_formed_page(client: Client, fault: str) -> None:
    client.arm(fault)
    text = client.raw().text
    whole, spoiled = text.rstrip().endswith("</ServiceResponse>"), "\x01" in text
    assert (whole, spoiled) == ("characters" in fault, "characters" in fault)


def test_the_last_page_comes_with_half_its_rows(client: Client) -> None:
    whole = client.walk(limit=1000)[0].count
    client.arm("qualys-half-page")
    (half,) = client.walk(limit=1000)
    assert (half.count, half.text("hasMoreRecords")) == (whole // 2, "false")


def test_cursors_that_lead_nowhere(client: Client) -> None:
    client.arm("page-no-last-id")
    assert [page.text("lastId") for page in client.walk(2)] == [None, None]
    client.sandbox.faults.disarm()
    client.arm("page-same-cursor")
    first, second = client.walk(2)
    assert (second.ids, second.text("lastId")) == ([first.ids[-1]], first.text("lastId"))


def test_pages_with_more_to_come_but_no_data(client: Client) -> None:
    client.arm("page-no-data")
    page = client.search("finding", limitResults=5)
    assert (page.rows, page.text("hasMoreRecords")) == ([], "true")


def test_the_last_full_page_says_more(client: Client) -> None:
    client.arm("page-empty-last")
    (page,) = client.walk(limit=1000)
    assert page.text("hasMoreRecords") == "true"
    after = client.search("finding", ("id", "GREATER", page.text("lastId") or ""))
    assert VULNERABILITY not in after.values("type")


def test_each_page_repeats_the_row_before(client: Client) -> None:
    client.arm("page-duplicates")
    first, second = client.walk(2)
    assert second.ids[0] == first.ids[-1]


def test_a_page_of_another_type(client: Client) -> None:
    client.arm("page-foreign")
    assert VULNERABILITY not in client.walk()[0].values("type")


def test_some_rows_lack_their_dates(client: Client) -> None:
    client.arm("rows-without-dates")
    (page,) = client.walk(limit=20)
    dates = page.values("lastTestedDate")
    assert 0 < sum(date is None for date in dates) < len(dates)


def test_rows_vanish_and_appear_while_they_are_walked(client: Client) -> None:
    before = client.count("finding")
    client.arm("rows-vanish")
    client.search("finding")
    less = client.count("finding")
    client.sandbox.faults.disarm()
    client.arm("rows-appear")
    client.search("finding")
    assert less < before
    assert client.count("finding") == less + 4
