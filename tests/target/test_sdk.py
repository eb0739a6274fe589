"""The Singer SDK's own suite for targets, as far as it means something here.

Its streams are not those of web applications, so each of its inputs is a test of "streams that are
not ours are counted and passed over": whatever their schemas and keys are, the run ends well and
nothing is loaded.

Four of its tests ask for what this target does otherwise on purpose. Records are checked by their
types and not by the schemas that come with them, so two have no meaning and are left out. The other
two are here in this target's words.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import TargetTestRunner, get_target_test_class
from singer_sdk.testing.target_tests import (
    TargetMultipleStateMessages,
    TargetRecordBeforeSchemaTest,
)

from qualyswas_ciscovm.endings import Ending
from tests.target.loads import QuickTarget, own_signals
from tests.target.streams import finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running(output: Path) -> Iterator[TargetTestRunner]:
    """Give the suite's runner of the target; it leaves its input open, which is closed here."""
    config = {"output_path": str(output)}
    runner = TargetTestRunner(QuickTarget, config=config, parse_env_config=False)
    yield runner
    if runner._input is not None:
        runner._input.close()


Suite: Any = get_target_test_class(QuickTarget)


class TestTargetCiscoVM(Suite):  # type: ignore[misc] # a class that is made at run time
    """The suite, each test with a folder of its own."""

    test_target_invalid_schema = None
    """Left out: no record is held against a SCHEMA, so one without properties is no error."""
    test_target_record_missing_key_property = None
    """Left out: which keys a stream of others has means nothing; ours are looked at by name."""

    @pytest.fixture
    def runner(self, tmp_path: Path) -> Iterator[TargetTestRunner]:
        with own_signals(), running(tmp_path) as runner:
            yield runner
        for path in tmp_path.glob("*/report.json"):
            report = json.loads(path.read_bytes())
            assert report["reconciliation"]["received"] == 0
            assert all(row["foreign"] for row in report["streams"])

    def test_target_record_before_schema(self, runner: TargetTestRunner) -> None:
        runner.input_filepath = TargetRecordBeforeSchemaTest().singer_filepath

        with pytest.raises(Ending, match=r"Line 1 .* before its SCHEMA"):
            runner.sync_all()

    def test_target_multiple_state_messages(self, runner: TargetTestRunner, tmp_path: Path) -> None:
        """The last of the states is passed on, when all is loaded; the others never."""
        given = TargetMultipleStateMessages().singer_filepath.read_text("utf-8")
        runner.sync_all()
        assert runner.state_messages == []

        row = json.dumps({"type": "RECORD", "stream": "findings", "record": finding()})
        ours = tmp_path / "ours.singer"
        ours.write_text('{"type": "SCHEMA", "stream": "findings"}\n' + row + "\n" + given)
        with running(tmp_path / "with ours") as second:
            second.input_filepath = ours
            second.sync_all()

        assert second.state_messages == [
            {"test_multiple_state_messages_a": 5, "test_multiple_state_messages_b": 6}
        ]
