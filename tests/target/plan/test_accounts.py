"""What one account has loaded is closed by its own syncs only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.plan.one_gone import AFTER, APPS, BEFORE
from tests.target.streams import STATE, Sync, finding, fixed, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

ANOTHER: Final[dict[str, Any]] = {"subscription": "another"}
ELSEWHERE: Final = "https://qualysapi.qg2.example.test"
DAYS: Final = timedelta(days=2)


@pytest.mark.parametrize(
    "other",
    [ANOTHER, {"subscription": None, "apiUrl": ELSEWHERE}, {"apiUrl": ELSEWHERE} | ANOTHER],
    ids=["another subscription", "another host", "both"],
)
def test_a_proven_sync_of_another_account_closes_nothing_of_ours(
    other: dict[str, Any], cvm: CVM
) -> None:
    cvm.begin(BEFORE)

    loaded = cvm.load(replace(AFTER, proof=other))

    assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
    assert loaded.closings == {}
    assert cvm.open() == names(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"subscription": None}),
        ({"subscription": None}, {}),
        ({}, {"apiUrl": ELSEWHERE}),
        ({}, {"apiUrl": "https://QUALYSAPI.example.test/"}),
    ],
    ids=["its name missing", "its name missing before", "another host", "the host in capitals"],
)
def test_an_account_is_the_same_by_its_subscription_else_by_its_host(
    before: dict[str, Any], after: dict[str, Any], cvm: CVM
) -> None:
    cvm.begin(replace(BEFORE, proof=before))

    cvm.load(replace(AFTER, proof=after))

    assert cvm.open() == names(1, 2, 3)


def test_one_that_could_be_either_of_two_closes_nothing(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    cvm.load(Sync([webapp(7)], [finding(9, 7)], proof=ANOTHER))

    loaded = cvm.load(replace(AFTER, proof={"subscription": None}))

    assert "several" in " ".join(loaded.report["proof"]["reasons"])
    assert cvm.open() == names(1, 2, 3, 4, 9)


@pytest.mark.parametrize(
    ("theirs", "source", "outcome"),
    [
        ("api", "api", "succeeded"),
        ("api", "scan_reports", "refused"),
        ("scan_reports", "scan_reports", "succeeded"),
    ],
)
def test_one_that_could_be_either_of_two_has_a_source_of_one_of_them(
    theirs: str, source: str, outcome: str, cvm: CVM
) -> None:
    cvm.begin(BEFORE)
    cvm.load(Sync([webapp(7)], [finding(9, 7)], proof=ANOTHER, coverage={"source": theirs}))

    coverage = {"source": source}
    loaded = cvm.load(replace(AFTER, proof={"subscription": None}, coverage=coverage))

    assert loaded.outcome == outcome, loaded.report["message"]


class TestTwoInOneConnector:
    """Each is closed by its own syncs, and each has a chain of its own."""

    THEIRS: Final = Sync([webapp(7)], [finding(8, 7), finding(9, 7)], proof=ANOTHER)

    def test_each_closes_what_is_gone_of_its_own(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.load(self.THEIRS)

        cvm.load(AFTER)
        assert cvm.open() == names(1, 2, 3, 8, 9)
        cvm.load(replace(self.THEIRS, findings=self.THEIRS.findings[:1]))

        assert cvm.open() == names(1, 2, 3, 8)

    def test_each_goes_on_in_its_own_chain(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.load(self.THEIRS)

        for ours in (AFTER, self.THEIRS):
            loaded = cvm.load(replace(ours, mode="incremental"))
            assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])

    def test_a_web_application_of_theirs_is_not_deleted_from_ours(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.load(self.THEIRS)
        cvm.clock.advance(DAYS)
        cvm.load(AFTER)
        cvm.clock.advance(DAYS)

        loaded = cvm.load(AFTER, close_deleted_webapps=True)

        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 8, 9)

    def test_what_another_account_calls_by_the_same_id_is_another_finding(self, cvm: CVM) -> None:
        ours = finding(4, uniqueId=None)
        cvm.load(Sync(APPS, [ours, finding(2)]))
        elsewhere: dict[str, Any] = {"uniqueId": None, "url": "https://theirs.example.test/"}
        cvm.load(Sync([webapp(1)], [finding(4, **elsewhere)], proof=ANOTHER))

        for row in (finding(4, **elsewhere), fixed(4, **elsewhere)):
            cvm.load(Sync([webapp(1)], [row], mode="incremental", proof=ANOTHER))

        assert {one.locators["url"]: one.is_open for one in cvm.held() if one.name[-1] == "4"} == {
            "https://app1.example.test/page4": True,
            "https://theirs.example.test/": False,
        }


UUIDS: Final = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]


def test_what_has_a_uuid_is_the_same_finding_whatever_the_account_is_called(cvm: CVM) -> None:
    """The user of the API was changed, and no answer names the subscription."""
    before, after = ({"subscription": None, "login": login} for login in ("before", "after"))
    rows = [finding(number, uniqueId=one) for number, one in enumerate(UUIDS)]
    cvm.load(Sync(APPS, rows, proof=before))

    moved = "https://app1.example.test/elsewhere"
    now = [fixed(0, uniqueId=UUIDS[0]), finding(1, uniqueId=UUIDS[1], url=moved), rows[2]]
    loaded = cvm.load(Sync(APPS, now, proof=after))

    assert loaded.closings == {UUIDS[0]: "fixed", UUIDS[1]: "moved away"}
    assert cvm.open() == set(UUIDS[1:])


class TestNobodyTellsTheAccount:
    """A tap that died before its last word has not said whose findings it read."""

    @pytest.mark.parametrize("before", [[], [BEFORE]], ids=["at first", "later"])
    def test_what_it_brought_is_closed_like_all_else_when_it_is_gone(
        self, before: list[Sync], cvm: CVM
    ) -> None:
        for sync in before:
            cvm.load(sync)
        cvm.load(replace(BEFORE, findings=[*BEFORE.findings, finding(9)], proof=None))
        assert cvm.open() == names(1, 2, 3, 4, 9)

        cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3)

    def test_it_stays_what_it_was_of_another_account(self, cvm: CVM) -> None:
        theirs = Sync([webapp(7)], [finding(9, 7)])
        cvm.begin(BEFORE)
        cvm.load(replace(theirs, proof=ANOTHER))
        cvm.load(replace(theirs, proof=None))

        cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3, 9)

    def test_an_application_that_is_another_accounts_is_not_covered(self, cvm: CVM) -> None:
        cvm.load(Sync([webapp(1)], [finding(8)], proof=ANOTHER))
        cvm.load(BEFORE)
        cvm.load(Sync(findings=[finding(9)], entries=[], proof=None))

        loaded = cvm.load(AFTER)

        assert loaded.closings == {"finding-4": "gone"}
        assert cvm.open() == names(1, 2, 3, 8, 9)
