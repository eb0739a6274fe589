"""What was lost on the way here, or could not be read, is not gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.loads import HOUR
from tests.target.plan.one_gone import APPS, BEFORE
from tests.target.streams import (
    Sync,
    entry,
    finding,
    fixed,
    name_of,
    names,
    webapp,
)

if TYPE_CHECKING:
    from tests.target.loads import CVM


DEEP: Final = "it is nested too deeply"


class TestRejected:
    """What was lost on the way here is not gone."""

    MANY: Final = [finding(number, 2) for number in range(100, 300)]

    def lose(self, cvm: CVM, lost: dict[str, Any]) -> dict[str, Any]:
        """Load with findings 4 and 5 gone, and one row that cannot be read."""
        cvm.load(Sync(APPS, [finding(1), finding(4, 2), finding(5, 2), *self.MANY]))
        loaded = cvm.load(Sync(APPS, [finding(1), *self.MANY, lost]))
        assert loaded.exit_code == 0
        assert len(loaded.rejected) == 1
        return loaded.report

    def test_its_asset_stays_open_and_others_close(self, cvm: CVM) -> None:
        report = self.lose(cvm, finding(4, 2, severity="high"))

        assert cvm.open() >= names(1, 4)
        assert cvm.closed() == names(5)
        assert report["proof"]["proven"]

    @pytest.mark.parametrize(
        ("odd", "why"),
        [
            (b"9" * 5000, "severity: "),
            (b"[" * 100_000 + b"]" * 100_000, DEEP),
            (b'"", "unknown": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000, DEEP),
        ],
        ids=["a number", "a list", "an unknown field"],
    )
    def test_its_asset_stays_open_where_a_value_is_too_large_to_be_read(
        self, odd: bytes, why: str, cvm: CVM
    ) -> None:
        rows = [finding(1), finding(2), finding(4, 2, severity="?")]
        cvm.begin(BEFORE)
        cvm.clock.advance(HOUR)
        given = Sync(APPS, rows).lines(cvm.clock.now()).replace(b'"?"', odd)

        loaded = cvm.load(given, max_failed_percent="100")

        (rejected,) = loaded.rejected
        assert rejected["key"] == name_of(4)
        assert rejected["reason"].startswith(why)
        assert loaded.closings == {name_of(3): "gone"}

    def test_its_web_application_stays_open_when_nobody_knows_which_it_was(self, cvm: CVM) -> None:
        report = self.lose(cvm, finding(4, 2, uniqueId=None, id=None))

        assert cvm.open() >= names(1, 4, 5)
        assert report["proof"]["proven"]
        assert report["webapps_not_proven"] == [{"id": 2, "name": "App 2", "open": 202}]

    @pytest.mark.parametrize(
        ("lacking", "held"),
        [
            ({"uniqueId": None, "severity": "high"}, {4, 5}),
            ({"webApp": None, "severity": "high"}, {4}),
            ({"webApp": {}, "status": None}, {4}),
            ({"webApp": None, "url": None}, {4}),
        ],
        ids=str,
    )
    def test_it_stays_open_where_it_went_by_another_identifier_before(
        self, lacking: dict[str, Any], held: set[int], cvm: CVM
    ) -> None:
        self.lose(cvm, finding(4, 2, **lacking))

        assert cvm.open() >= names(1, *held)
        assert cvm.closed() == names(*({4, 5} - held))

    def test_all_stays_open_when_nobody_knows_whose_it_was(self, cvm: CVM) -> None:
        report = self.lose(cvm, {"uniqueId": name_of(4), "qid": 1, "severity": "high"})

        assert cvm.open() >= names(1, 4, 5)
        assert not report["proof"]["proven"]

    def test_it_stays_open_where_it_was_if_it_moved(self, cvm: CVM) -> None:
        elsewhere = "https://app2.example.test/elsewhere"

        self.lose(cvm, finding(4, 2, url=elsewhere, severity="high"))

        assert cvm.open() >= names(1, 4)
        assert cvm.closed() == names(5)

    def test_a_lost_web_application_keeps_all_of_its_own_open(self, cvm: CVM) -> None:
        apps = [webapp(number) for number in range(1, 101)]
        cvm.load(Sync(apps, [finding(1), finding(4, 2), finding(5, 3), *self.MANY]))
        apps[1] = webapp(2, url=["no", "text"])

        cvm.load(Sync(apps, [finding(1), *self.MANY]))

        assert cvm.open() >= names(1, 4)
        assert cvm.closed() == names(5)


class TestBare:
    """What is known with web application and type is not gone where a record lacks them."""

    KNOWN: Final = [finding(1), finding(2, type="SENSITIVE_CONTENT"), finding(3)]

    @pytest.mark.parametrize("lacking", [{"webApp": None}, {"type": None}, {"type": "NEW_KIND"}])
    def test_it_stays_open(self, lacking: dict[str, Any], cvm: CVM) -> None:
        cvm.load(Sync(APPS, self.KNOWN))
        row = finding(2, **({"type": "SENSITIVE_CONTENT"} | lacking))

        loaded = cvm.load(Sync(APPS, [finding(1), row]))

        assert loaded.closings == {name_of(3): "gone"}

    @pytest.mark.parametrize("unique", [None, " ", "VULNERABILITY-2"])
    def test_one_without_a_unique_id_may_be_any_of_its_web_application(
        self, unique: str | None, cvm: CVM
    ) -> None:
        cvm.load(Sync(APPS, [finding(1), finding(2), finding(3, 2)]))
        after = Sync(APPS, [finding(1), finding(2, uniqueId=unique)])

        loaded = cvm.load(after)

        assert loaded.closings == {name_of(3): "gone"}
        assert loaded.report["webapps_not_proven"] == [{"id": 1, "name": "App 1", "open": 2}]
        # Known by that now, it is no other.
        assert cvm.load(after).closings == {name_of(2): "gone"}

    @pytest.mark.parametrize("left_out", [{"min_severity": 2}, {"exclude_informational": True}])
    def test_one_that_a_filter_leaves_out_is_no_other(
        self, left_out: dict[str, Any], cvm: CVM
    ) -> None:
        rows = [finding(1), finding(3), finding(9, uniqueId=None, severity=1, qid=2)]
        entries = [entry(150001), entry(150003), entry(2, cwe=[])]
        cvm.load(Sync(APPS, rows, entries=entries), **left_out)

        loaded = cvm.load(Sync(APPS, [rows[0], rows[2]], entries=entries), **left_out)

        assert loaded.closings == {name_of(3): "gone"}

    def test_one_that_is_fixed_is(self, cvm: CVM) -> None:
        cvm.load(Sync(APPS, self.KNOWN))

        loaded = cvm.load(Sync(APPS, [finding(1), fixed(3, webApp=None), finding(2)]))

        assert loaded.closings.keys() >= names(3)


class TestNotProven:
    """A web application that the tap could not read to the end is told by the row of syncs."""

    def test_it_keeps_all_of_its_own_open_and_is_named(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(Sync(APPS, [finding(1)], not_proven=[2]))

        assert cvm.open() == names(1, 3, 4)
        assert loaded.report["webapps_not_proven"] == [{"id": 2, "name": "App 2", "open": 2}]

    def test_one_of_two_that_share_an_asset_holds_it(self, cvm: CVM) -> None:
        url = "https://shared.example.test/"
        both = [finding(1, 1, url=url), finding(2, 2, url=url)]
        cvm.load(Sync(APPS, [*both, finding(3)]))

        cvm.load(Sync(APPS, [both[0]], not_proven=[2]))

        assert cvm.open() == names(1, 2)
