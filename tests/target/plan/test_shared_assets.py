"""Of an asset that several web applications share, each closes its own, and only that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import Sync, bare, finding, fixed, name_of, names, scan, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

APPS: Final = [webapp(1), webapp(2)]


class TestSharedWithWhatCannotBeClosed:
    """An asset that must stay open for one web application; what is gone of another is named."""

    URL: Final = "https://shared.example.test/"
    OURS: Final = [finding(1, 1, url=URL), finding(2, 1, url=URL)]
    THEIRS: Final = finding(3, 2, url=URL)
    ELSEWHERE: Final = finding(4, 1)

    def lose(self, cvm: CVM, sync: Sync, **settings: int) -> dict[str, Any]:
        """Load both web applications' findings, then what is left of them."""
        cvm.load(Sync(APPS, [*self.OURS, self.THEIRS, self.ELSEWHERE]))
        report: dict[str, Any] = cvm.load(sync, **settings).report
        return report

    @pytest.mark.parametrize("left", [OURS[:1], []], ids=["one left", "none left"])
    def test_of_a_deleted_one(self, cvm: CVM, left: list[dict[str, Any]]) -> None:
        sync = Sync([webapp(1)], [*left, self.ELSEWHERE])
        report = self.lose(cvm, sync)

        assert cvm.open() == names(3, 4) | {row["uniqueId"] for row in left}
        assert report["closing"]["gone"] == 2 - len(left)
        assert report["closing"]["open_after"] == 2 + len(left)
        cvm.clock.advance(timedelta(days=1))
        gone = cvm.load(sync).report["webapps_gone"]
        assert gone == [{"id": 2, "name": "App 2", "open": 1}]

    def test_of_one_that_was_not_read_to_the_end(self, cvm: CVM) -> None:
        rows = [self.OURS[0], self.THEIRS, self.ELSEWHERE]

        self.lose(cvm, Sync(APPS, rows, not_proven=[2]))

        assert cvm.open() == names(1, 3, 4)

    def test_of_one_that_came_only_now(self, cvm: CVM) -> None:
        cvm.begin(Sync(APPS, [*self.OURS, self.ELSEWHERE]))

        rows = [self.OURS[0], self.THEIRS, self.ELSEWHERE]
        cvm.load(Sync(APPS, rows, not_proven=[2]))

        assert cvm.open() == names(1, 3, 4)

    def test_once(self, cvm: CVM) -> None:
        left = Sync([webapp(1)], [self.ELSEWHERE])
        self.lose(cvm, left)

        assert cvm.load(left).report["closing"]["gone"] == 0
        assert cvm.open() == names(3, 4)

    def test_by_a_filter(self, cvm: CVM) -> None:
        mild = [self.OURS[0], self.OURS[1] | {"severity": 1}, self.ELSEWHERE]

        report = self.lose(cvm, Sync([webapp(1)], mild), min_severity=2)

        assert cvm.open() == names(1, 3, 4)
        assert report["reconciliation"]["filtered_by"] == [
            {"name": "min_severity", "filtered": 1, "will_close": 1}
        ]

    def test_in_the_data_model_that_it_was_sent_in(self, cvm: CVM) -> None:
        cvm.begin(Sync(APPS, [*self.OURS, self.ELSEWHERE]))

        rows = [self.OURS[0], self.THEIRS, self.ELSEWHERE]
        sync = Sync(APPS, rows, not_proven=[2])
        code = cvm.code(sync, data_model="findings")
        cvm.load(sync, data_model="findings", accept_identity_change=code)

        still = {(one.kind, bare(one.scanner_identifier)) for one in cvm.held() if one.is_open}
        assert still == {("finding", name_of(number)) for number in (1, 3, 4)}

    def test_not_without_a_proof(self, cvm: CVM) -> None:
        self.lose(cvm, Sync([webapp(1)], [self.ELSEWHERE], proof=None))

        assert cvm.open() == names(1, 2, 3, 4)

    def test_not_where_a_record_was_lost(self, cvm: CVM) -> None:
        lost = self.OURS[0] | {"uniqueId": None, "id": None}
        rows = [self.ELSEWHERE, lost, *(finding(number) for number in range(100, 200))]

        report = self.lose(cvm, Sync([webapp(1)], rows))

        assert report["proof"]["proven"]
        assert cvm.open() >= names(1, 2, 3, 4)


class TestSharedURL:
    def test_two_web_applications_on_one_url_are_one_asset(self, cvm: CVM) -> None:
        url = "https://shared.example.test/"

        loaded = cvm.load(
            Sync(
                [webapp(1, url=url), webapp(2, url=url, tags=[{"id": 3, "name": "Test"}])],
                [finding(1, 1, url=url), finding(2, 2, url=url)],
            )
        )

        (asset,) = loaded.assets
        assert asset["external_id"] == "1"
        assert asset["tags"] == ["Production", "Test", "App 1", "App 2"]
        assert cvm.open() == names(1, 2)

    def test_what_one_of_them_no_longer_has_is_closed(self, cvm: CVM) -> None:
        url = "https://shared.example.test/"
        cvm.load(Sync(APPS, [finding(1, 1, url=url), finding(2, 2, url=url)]))

        cvm.load(Sync(APPS, [finding(2, 2, url=url)]))

        assert cvm.open() == names(2)


class TestDescribed:
    """It has the locators of the lowest web application, whichever of them a load brings."""

    URL: Final = "https://shared.example.test/"
    ROWS: Final = [finding(1, 1, url=URL), finding(2, 2, url=URL)]
    SCANNED: Final = "2026-03-02T07:30:00Z"
    FIRST: Final = {"url": URL, "external_id": "1", "application": "App 1"}

    def located(self, cvm: CVM) -> list[dict[str, str]]:
        found = (asset.locators for asset in cvm.tenant.state.assets.values())
        return [locators for locators in found if locators["url"] == self.URL]

    @pytest.mark.parametrize(
        "sync",
        [
            Sync(APPS, ROWS[1:], mode="incremental"),
            Sync(APPS, [ROWS[1] | {"webApp": None}], mode="incremental"),
            Sync(APPS, ROWS[1:], not_proven=[1]),
            Sync([*APPS, webapp(3, url=URL)], scans=[scan(3, SCANNED)], mode="incremental"),
            Sync(APPS[1:], ROWS[1:], proof={"subscription": "another"}),
        ],
        ids=["changed", "of none", "not proven", "clean", "another account"],
    )
    def test_those_of_another_one_do_not_take_their_place(self, sync: Sync, cvm: CVM) -> None:
        cvm.load(Sync(APPS, self.ROWS))
        assert self.located(cvm) == [self.FIRST]

        cvm.load(sync)

        assert self.located(cvm) == [self.FIRST]

    def test_once_nothing_is_open_of_it_those_of_the_other_do(self, cvm: CVM) -> None:
        cvm.load(Sync(APPS, self.ROWS))
        cvm.load(Sync(APPS, [fixed(1, 1, url=self.URL), self.ROWS[1]]))

        cvm.load(Sync(APPS, self.ROWS[1:]))

        assert self.located(cvm) == [{"url": self.URL, "external_id": "2", "application": "App 2"}]

    def test_its_tags_are_not_reset_to_those_of_the_other(self, cvm: CVM) -> None:
        cvm.load(Sync(APPS, self.ROWS))

        cvm.load(Sync(APPS, self.ROWS[1:], mode="incremental"), reset_tags=True)

        assert {"App 1", "App 2"} <= cvm.tags(self.URL)
