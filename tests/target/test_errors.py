from __future__ import annotations

import re

import pytest

from target_ciscovm import errors
from target_ciscovm.cvm.connector import ConnectorRun, RunFailed

ALL: list[type[errors.CiscoVMError]] = [
    RunFailed,
    *(
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.CiscoVMError)
    ),
]

MESSAGES = [
    errors.BadKey("api.example.test"),
    errors.KeyLacksRights("api.example.test", "upload a file"),
    errors.ConnectorMissing(42, "api.example.test"),
    errors.ConnectorMissing(42, "api.example.test", "7 (Demo)"),
    errors.NotADataImporter(42, "Scanner", "scanner.example.test"),
    errors.WrongHost("www.example.test", "with a web page (HTTP 200)"),
    errors.UntrustedServer("api.example.test"),
    RunFailed(ConnectorRun(7, total_payload_count=1000, failed_payload_count=1000)),
    errors.StillRunning(7, 14400.4),
    errors.StillRunning(7, 14400.4, "it could not be looked at: HTTP 502"),
]


def test_the_tree_in_the_docstring_names_every_error() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert sorted(drawn) == sorted(cls.__name__ for cls in ALL if cls is not errors.CiscoVMError)


def test_exit_codes_say_whose_turn_it_is() -> None:
    codes = {cls.__name__: cls.exit_code for cls in ALL}
    assert codes["CiscoVMError"] == 1
    assert {name for name, code in codes.items() if code == 3} == {"StillRunning"}
    refused = {cls.__name__ for cls in ALL if issubclass(cls, errors.Refused)}
    assert {name for name, code in codes.items() if code == 2} == refused


@pytest.mark.parametrize("error", MESSAGES, ids=str)
def test_a_message_is_one_line_of_whole_sentences(error: errors.CiscoVMError) -> None:
    text = str(error)
    assert "\n" not in text
    assert text.endswith(".")
    assert "  " not in text


def test_a_run_that_goes_on_keeps_its_id_and_tells_it() -> None:
    error = errors.StillRunning(7, 14400.4)
    assert error.run_id == 7
    assert "run 7" in str(error)
    assert "14,400 s" in str(error)


def test_a_failed_run_keeps_its_counters_and_tells_them() -> None:
    run = ConnectorRun(7, success=False, total_payload_count=10, failed_payload_count=8)
    error = RunFailed(run)
    assert error.run is run
    assert "8 of 10 payloads failed" in str(error)
