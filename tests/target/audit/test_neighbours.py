"""What others have, or may have, is neither called a difference nor closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID, OTHER_CONNECTOR_ID
from tests.target.audit import hands
from tests.target.audit.looks import audit
from tests.target.audit.test_audit import ELSEWHERE, FIVE, PAGE, WITHOUT_FIRST
from tests.target.loads import CVM, HOUR, QUICK
from tests.target.streams import Sync, entry, finding, fixed, identifier, names, webapp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target.loads import Stage

CVE: Final = "CVE-2026-1234"
EVERY: Final = {"verify_load": "every_run"}


def theirs(cvm: CVM) -> set[str]:
    """Give what the other connector has open."""
    held = cvm.tenant.held(OTHER_CONNECTOR_ID)
    return {one.scanner_identifier for one in held if one.is_open}


class TestOneVulnerabilityOfTwoConnectors:
    """CVM names the connectors of a vulnerability, and not that of each entry below it."""

    def test_what_the_other_one_still_has_open_is_no_difference(self, cvm: CVM) -> None:
        cvm.begin(FIVE)
        hands.load(cvm.tenant, OTHER_CONNECTOR_ID, PAGE, identifier(1))
        loaded = cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"), **EVERY)

        looked = audit(cvm)

        assert (loaded.outcome, loaded.report["verification"]["kinds"]) == ("succeeded", [])
        assert (looked.exit_code, looked.drift) == (0, set())
        found = looked.document["holdings"]
        assert (found["in_ledger"], found["in_cvm"], found["shared"]) == (4, 4, 1)
        assert "perhaps another" in looked.page
        assert cvm.load(WITHOUT_FIRST).closings == {}

    @pytest.mark.parametrize("number", ["1", "77"])
    def test_an_entry_of_our_form_is_not_closed_in_the_other_connector(
        self, number: str, cvm: CVM
    ) -> None:
        sync = Sync([webapp()], [finding(1)], entries=[entry(150001, cves=[CVE])])
        cvm.begin(sync)
        hands.load(cvm.tenant, OTHER_CONNECTOR_ID, PAGE, f"V-{number}-theirs", cve=CVE)
        assert audit(cvm).exit_code == 0
        cvm.ledger.unlink()

        loaded = cvm.load(sync, **EVERY)

        assert loaded.outcome == "succeeded"
        assert loaded.report["verification"]["shared"] == 1
        assert (cvm.open(), theirs(cvm)) == (names(1), {f"V-{number}-theirs"})
        assert audit(cvm).exit_code == 0

    def test_what_is_perhaps_ours_is_closed_where_it_is_gone(self, cvm: CVM) -> None:
        cvm.begin(FIVE)
        hands.load(cvm.tenant, OTHER_CONNECTOR_ID, PAGE, identifier(1))
        cvm.ledger.unlink()

        loaded = cvm.load(WITHOUT_FIRST)

        assert loaded.closings == {"finding-1": "gone"}
        assert (cvm.open(), theirs(cvm)) == (names(2, 3, 4, 5), {identifier(1)})


def test_an_identifier_under_two_vulnerabilities_is_as_open_as_it_is_anywhere(
    stage: Stage, tmp_path: Path
) -> None:
    cvm = CVM(stage, tmp_path, replace(QUICK, name_in_identity=True))
    cvm.load(FIVE)
    hands.load(cvm.tenant, CONNECTOR_ID, PAGE, identifier(1))
    (by_hand,) = (one for one in cvm.held() if one.name == identifier(1))
    (asset,) = (one for one in cvm.tenant.state.assets.values() if one.id == by_hand.asset_id)
    judged = max(one.id for one in asset.vulnerabilities.values())
    cvm.tenant.people.judge_one(judged, "false_positive")

    looked = audit(cvm)

    assert (looked.exit_code, looked.drift) == (0, set())
    assert looked.document["holdings"]["in_cvm"] == 5


TOO_MUCH: Final = {
    "a number beyond all": ({"url": ELSEWHERE}, f"V-{'9' * 40}-x"),
    "a number beyond those of tables": ({"url": ELSEWHERE}, f"V-{'1' * 19}-x"),
    "a number of another script": ({"url": ELSEWHERE}, "V-\N{ARABIC-INDIC DIGIT ONE}-x"),
    "more characters than a name has": ({"url": ELSEWHERE}, f"V-1-{'x' * 250}"),
    "an asset without a locator of ours": ({"hostname": "host.example.test"}, identifier(9)),
    "an asset that no file can name": ({"application": 'The "best"'}, identifier(9)),
}
"""What others may have loaded into the connector, where no load of ours can follow."""


@pytest.mark.parametrize("what", TOO_MUCH)
def test_what_no_load_can_name_is_left_alone(what: str, cvm: CVM) -> None:
    locators, strange = TOO_MUCH[what]
    cvm.begin(FIVE)
    hands.load(cvm.tenant, CONNECTOR_ID, ELSEWHERE, "strange")
    hands.rename(cvm.tenant, "strange", strange)
    for asset, _ in hands.entries(cvm.tenant, strange):
        asset.locators.clear()
        asset.locators.update(locators)

    looked = audit(cvm)

    assert (looked.exit_code, looked.foreign) == (0, [strange])
    cvm.ledger.unlink()
    loaded = cvm.load(WITHOUT_FIRST)
    assert (loaded.outcome, loaded.closings) == ("succeeded", {"finding-1": "gone"})
    assert "1 entry left alone" in loaded.report["warnings"][0]


def test_names_that_would_steer_a_page_or_a_terminal_do_not(
    cvm: CVM, caplog: pytest.LogCaptureFixture
) -> None:
    hostile = "<script>alert(1)</script>\n\x1b[2J\u202e"
    cvm.load(FIVE)
    for strange in (hostile, f"V-1-{hostile}"):
        hands.load(cvm.tenant, CONNECTOR_ID, ELSEWHERE, "strange")
        hands.rename(cvm.tenant, "strange", strange)

    looked = audit(cvm)

    assert looked.drift == {("not in the ledger", f"V-1-{hostile}")}
    assert "<script>alert" not in looked.page
    cvm.ledger.unlink()
    with caplog.at_level("INFO"):
        loaded = cvm.load(FIVE)
    assert "1 entry left alone (<script>" in loaded.report["warnings"][0]
    assert "\x1b" not in caplog.text
    assert cvm.open() == {*names(1, 2, 3, 4, 5), hostile}


def test_a_name_that_no_definition_can_have_is_not_taken_over(cvm: CVM) -> None:
    cvm.begin(FIVE, data_model="findings")
    for number, name in ((1, "n" * 300), (2, " ")):
        for _, one in hands.entries(cvm.tenant, identifier(number)):
            one.name = name
    cvm.ledger.unlink()

    loaded = cvm.load(Sync([webapp()], FIVE.findings[2:]), data_model="findings")

    assert loaded.outcome == "succeeded"
    assert cvm.open() == names(3, 4, 5)


def test_what_a_failed_run_has_perhaps_opened_is_not_expected_in_cvm(cvm: CVM) -> None:
    cvm.begin(FIVE)
    cvm.faults.arm("run-fails")
    cvm.load(Sync([webapp()], [*FIVE.findings, finding(6)]))
    cvm.faults.disarm()

    looked = audit(cvm)

    assert (looked.exit_code, looked.message) == (0, "CVM holds exactly these 5.")


@pytest.mark.parametrize("waited", [0, 3])
def test_an_answer_from_before_the_last_load_leaves_nothing_open(waited: int, cvm: CVM) -> None:
    cvm.begin(WITHOUT_FIRST)
    lines = FIVE.lines(cvm.clock.now() + HOUR)
    cvm.clock.advance(timedelta(days=waited))
    cvm.play(replace(cvm.switches, search_delay=86_400))
    cvm.load(lines)
    assert audit(cvm).drift == {("not in CVM", identifier(1))}
    cvm.play(QUICK)

    loaded = cvm.load(WITHOUT_FIRST)

    assert loaded.closings == {"finding-1": "gone"}
    assert cvm.open() == names(2, 3, 4, 5)
    assert audit(cvm).exit_code == 0
