"""What is only inferred about Qualys shows on the wire as its switch stands."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.qualys.xml.evidence import BODY, COOKIE
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world.model import iso
from tests.sandbox_tests.qualys.asking import Asker

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def a_client(**switches: Any) -> Iterator[tuple[Sandbox, Asker]]:  # noqa: ANN401
    with Sandbox(apps=4, findings=40, scans=6, switches=Switches(**switches)) as sandbox:
        yield sandbox, Asker(sandbox)


def test_the_likelier_positions_are_the_default() -> None:
    with Sandbox(apps=4, findings=40, scans=6) as sandbox:
        client = Asker(sandbox)
        login = f"{sandbox.username}:{sandbox.password}".encode("latin-1")
        client.headers = {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
        scans = client.search("wasscan", verbose="true")
        found = client.search("finding", verbose="true")

    assert (scans.code, scans.count) == ("SUCCESS", 6)
    assert scans.values("endScanDate") == scans.values("scanDuration") == [None] * 6
    sent = [part for row in found.rows for name in ("headers", "body") for part in row.iter(name)]
    assert {name for part in sent for name in part.attrib} == set()
    assert found.ids == sorted(found.ids)
    assert found.ids[-1] < 2**53


@pytest.mark.parametrize("taken", [True, False])
def test_dates_without_a_time(taken: bool) -> None:
    with a_client(bare_dates=taken) as (_, client):
        answer = client.search("finding", ("lastTestedDate", "GREATER", "2020-01-01"))

    assert answer.code == ("SUCCESS" if taken else "INVALID_REQUEST")
    assert answer.count == (40 if taken else -1)


@pytest.mark.parametrize("taken", [True, False])
def test_searches_by_the_date_of_an_ignore(taken: bool) -> None:
    refused = () if taken else ("finding.ignoredDate",)
    with a_client(refused_criteria=refused) as (sandbox, client):
        since = ("ignoredDate", "GREATER", iso(sandbox.world.moment() - 1))
        sandbox.world.ignore_finding(sandbox.world.findings["VULNERABILITY"][0])
        answer = client.search("finding", since)

    assert answer.code == ("SUCCESS" if taken else "INVALID_REQUEST")
    assert answer.count == (1 if taken else -1)


@pytest.mark.parametrize("limit", [1000, 7])
def test_rows_of_a_verbose_page(limit: int) -> None:
    with a_client(verbose_limit=limit) as (_, client):
        lean = client.search("finding", limitResults=1000)
        verbose = client.search("finding", limitResults=1000, verbose="true")

    assert (lean.count, verbose.count) == (40, min(limit, 40))
    assert verbose.text("hasMoreRecords") == ("true" if limit == 7 else "false")


@pytest.mark.parametrize("told", [True, False])
def test_the_updated_date_of_lean_findings(told: bool) -> None:
    with a_client(lean_updated_date=told) as (_, client):
        lean = client.search("finding", limitResults=5)
        verbose = client.search("finding", limitResults=5, verbose="true")

    assert [text is not None for text in lean.values("updatedDate")] == [told] * 5
    assert None not in verbose.values("updatedDate")


@pytest.mark.parametrize("told", [True, False])
def test_ends_of_scans_in_searches_and_by_id(told: bool) -> None:
    with a_client(search_scan_details=told) as (_, client):
        found = client.search("wasscan", verbose="true")
        one = client.get(f"get/was/wasscan/{found.ids[0]}")

    for part in ("endScanDate", "scanDuration"):
        assert [text is not None for text in found.values(part)] == [told] * 6
        assert None not in one.values(part)


@pytest.mark.parametrize("taken", [True, False])
def test_scan_searches_may_refuse_verbose(taken: bool) -> None:
    with a_client(verbose_scans=taken) as (_, client):
        answers = [client.search("wasscan", verbose=word) for word in ("true", "false")]
        others = [client.search(kind, verbose="true") for kind in ("webapp", "finding")]

    assert [one.code for one in answers] == ["SUCCESS" if taken else "INVALID_XML", "SUCCESS"]
    assert [one.code for one in others] == ["SUCCESS", "SUCCESS"]


@pytest.mark.parametrize("told", [True, False])
def test_systems_of_web_apps_in_searches_and_by_id(told: bool) -> None:
    with a_client(search_app_details=told) as (sandbox, client):
        known = next(app for app in sandbox.world.apps.values() if app.os)
        found = client.search("webapp", ("id", "EQUALS", str(known.id)), verbose="true")
        one = client.get(f"get/was/webapp/{known.id}")

    assert found.values("os") == [known.os if told else None]
    assert one.values("os") == [known.os]


@pytest.mark.parametrize("marked", [True, False])
def test_evidence_is_base64_with_or_without_a_mark(marked: bool) -> None:
    with a_client(marked_evidence=marked) as (_, client):
        rows = client.search("finding", verbose="true").rows
    parts = [part for row in rows for name in ("headers", "body") for part in row.iter(name)]
    assert {part.get("base64") for part in parts} == {"true" if marked else None}
    texts = {base64.b64decode(part.text or "", validate=True).decode() for part in parts}
    assert texts == {BODY, f"Host: example.test\r\nCookie: {COOKIE}\r\n"}


@pytest.mark.parametrize(("form", "same"), [("plain", True), ("hostile", False)])
def test_a_password_may_differ_in_latin_1(form: str, same: bool) -> None:
    with a_client(password=form) as (sandbox, client):
        login = f"{sandbox.username}:{sandbox.password}".encode("latin-1")
        client.headers = {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
        assert (client.get("count/was/webapp").code == "SUCCESS") is same


def subscription(client: Asker) -> str | None:
    """Give the subscription that an answer names."""
    named = client.get("count/was/webapp").response.headers.get("X-Powered-By")
    return named.split(":")[2] if named else None


@pytest.mark.parametrize("told", [True, False])
def test_the_subscription_in_the_headers(told: bool) -> None:
    with a_client(subscription_header=told) as (sandbox, client):
        assert subscription(client) == (sandbox.world.subscription if told else None)


def test_the_subscription_on_every_other_day() -> None:
    with a_client(subscription_days="every other") as (sandbox, client):
        told = [subscription(client)]
        for _ in range(2):
            sandbox.next_day()
            told.append(subscription(client))
    assert told[0] == told[2] == sandbox.world.subscription
    assert told[1] is None
