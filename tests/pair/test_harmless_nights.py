"""No healthy schedule fails or refuses night after night, whatever is harmless about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.pair import harmless
from tests.pair.harmless import Harmless, at_first, once
from tests.pair.together import auto_closed

if TYPE_CHECKING:
    from pathlib import Path

COUNTED_OTHERWISE: Final = {
    "payload": "file",
    "success_form": "text",
    "counter_spelling": "misspelt",
    "entries_counted": "vulnerabilities",
    "updated_counted": "named",
    "assets_counted": "merged",
}
WEEKS: Final = {
    "nothing changes": Harmless(quiet=True),
    "the last open finding is fixed": Harmless(harmless.the_last_open_one_is_fixed, quiet=True),
    "a finding moves and comes back": Harmless(harmless.one_moves_and_comes_back),
    "an app gets another name": Harmless(harmless.an_app_is_renamed),
    "QIDs get other titles": Harmless(harmless.titles_change, switches={"name_in_identity": True}),
    "apps get other tags": Harmless(harmless.tags_change, switches={"dropped_tags_vanish": True}),
    "an app comes": Harmless(once(harmless.an_app_comes)),
    "an app goes": Harmless(once(harmless.an_app_goes)),
    "people edit findings": Harmless(harmless.people_edit),
    "one row is poison": Harmless(harmless.one_row_is_poison, findings=105),
    "apps come and go under a sync": Harmless(fault="apps-change", tap={"full_sync": True}),
    "a write of the state is lost": Harmless(once(harmless.the_state_of_yesterday_comes_back)),
    "the ledger's folder is a new one": Harmless(once(harmless.the_folder_is_another), fails=1),
    "the connector is a new one": Harmless(once(harmless.the_connector_is_another), fails=1),
    "files come before there is a key": Harmless(
        at_first(harmless.files_come_before_a_key), fails=1
    ),
    "a stranger's run comes between": Harmless(harmless.a_stranger_loads),
    "people judge findings": Harmless(harmless.people_judge, switches={"judged_closing": "closes"}),
    "an account is over its licence": Harmless(at_first(harmless.the_licence_is_over_its_limit)),
    "a licence is over its limit for a while": Harmless(
        harmless.the_licence_is_over_its_limit_for_a_while
    ),
    "CVM counts otherwise": Harmless(switches=COUNTED_OTHERWISE),
    "CVM does not count findings": Harmless(
        switches={"findings_counted": False, "success_rule": "all"},
        target={"data_model": "findings"},
    ),
    "CVM does not tell of entries": Harmless(switches={"untold_counters": "entries"}),
    "CVM counts nothing, and calls each run a success": Harmless(
        switches={"untold_counters": "all", "success_rule": "always"}
    ),
    "CVM shows late what a run did": Harmless(switches={"search_delay": 3600}),
    "CVM's clock is behind": Harmless(at_first(harmless.the_clock_of_cvm_is_behind)),
    "a run ends after our patience": Harmless(fault="run-never-ends", fails=1),
    "the connector is busy": Harmless(fault="connector-busy", always=True),
    "a run is refused as one is on": Harmless(fault="run-refused", switches={"busy_status": 200}),
    "the answer to run is lost": Harmless(fault="lost-run-answer", always=True),
    "a payload fails": Harmless(fault="payload-fails", fails=1),
    "CVM takes small files only": Harmless(switches={"max_file_bytes": 6000}),
    "a proxy takes the subscription away every other day": Harmless(
        switches={"subscription_days": "every other"}
    ),
}


@pytest.mark.parametrize("name", WEEKS)
def test_a_week_of_harmless_nights_heals_by_itself(name: str, tmp_path: Path) -> None:
    told = WEEKS[name]
    week = told.open(tmp_path)
    with week.sandbox as sandbox:
        nights = told.live(week)
        last = week.pair.sync(full_sync=True)

    assert not told.fault or sandbox.faults.struck[told.fault]
    failed = [one for one in nights if one.tap_exit or one.exit_code]
    assert len(failed) <= told.fails, failed
    assert not [one for one in nights if one.outcome in {"refused", "aborted"}]
    assert not [one for one in nights if not one.found.equal]
    assert (last.tap_exit, last.exit_code, last.proven) == (0, 0, True), last
    assert last.found.equal, last
    assert not auto_closed(sandbox)
