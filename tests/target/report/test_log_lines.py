"""Names that CVM or the input tells stand in the log as one plain line, whatever they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.endings import Ending
from target_ciscovm.target import TargetCiscoVM
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.streams import Sync, finding, joined, record, schema, webapp

if TYPE_CHECKING:
    import pytest

    from tests.target.loads import CVM

HOSTILE: Final = "Shop\x1b[31m\r\nERROR all is lost\x07\u202e"
SYNC: Final = Sync([webapp()], [finding(1), finding(2)])


def test_control_characters_in_names_are_not_logged(
    cvm: CVM, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(cvm.tenant.state.connectors[CONNECTOR_ID], "name", HOSTILE)
    cvm.load(SYNC)
    head = joined(schema(HOSTILE), record(HOSTILE, {"id": 1}))
    now = replace(
        SYNC,
        webapps=[webapp(name=HOSTILE)],
        proof={"complete": False, "incompleteReasons": [HOSTILE]},
    )

    loaded = cvm.load(head + now.lines(cvm.clock.now()))

    lines = [one.getMessage() for one in caplog.records]
    assert sum("ERROR all is lost" in line for line in lines) >= 4
    assert [line for line in lines if not line.isprintable()] == []
    assert loaded.report["next_step"].isprintable()


def test_nor_in_the_last_line_of_a_command(cvm: CVM, monkeypatch: pytest.MonkeyPatch) -> None:
    for connector in cvm.tenant.state.connectors.values():
        monkeypatch.setattr(connector, "name", HOSTILE)

    loaded = cvm.load(SYNC, connector_id=4)

    assert HOSTILE[:4] in loaded.message
    assert loaded.message.isprintable()
    assert Ending(HOSTILE, 1, TargetCiscoVM.logger).message.isprintable()
