"""Both plugins take settings in the same way, and end with one line and an exit code."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, Any, Final

import pytest
from jsonschema import Draft202012Validator
from singer_sdk.exceptions import ConfigValidationError

from qualyswas_ciscovm.endings import Ending, ending_well
from qualyswas_ciscovm.errors import Interrupted
from qualyswas_ciscovm.settings import coerce
from tap_qualyswas.errors import QualysError
from tap_qualyswas.tap import TapQualysWAS
from target_ciscovm.errors import CiscoVMError, SettingsError, StillRunning
from target_ciscovm.target import TargetCiscoVM

if TYPE_CHECKING:
    from pathlib import Path

    from qualyswas_ciscovm.plugin import Plugin

PLUGINS: Final = (TapQualysWAS, TargetCiscoVM)
LOGGER: Final = logging.getLogger("tests.shared")


def logged(
    plugin: type[Plugin],
    config: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    *,
    variables: bool = False,
) -> str:
    """Give what a plugin says about its settings."""
    plugin.logger.addHandler(caplog.handler)
    try:
        plugin(config=config, parse_env_config=variables)
    finally:
        plugin.logger.removeHandler(caplog.handler)
    return caplog.text


@pytest.mark.parametrize("plugin", PLUGINS)
def test_unknown_settings_are_ignored_and_named(
    plugin: type[Plugin], caplog: pytest.LogCaptureFixture
) -> None:
    told = logged(plugin, {"max_retries": 5, "apikey": "hidden-word"}, caplog)

    assert "Ignoring unknown settings: apikey, max_retries. Check the spelling." in told
    assert "hidden-word" not in told


@pytest.mark.parametrize("plugin", PLUGINS)
def test_variables_of_unknown_settings_are_named_as_well(
    plugin: type[Plugin],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    prefix = plugin.env_prefix()
    (tmp_path / ".env").write_text(f"{prefix}MAX_RETRIES=5\n", encoding="utf-8")
    monkeypatch.setenv(f"{prefix}APIKEY", "hidden-word")
    monkeypatch.setenv(f"{prefix}EMPTY", "")

    told = logged(plugin, {"odd": 1}, caplog, variables=True)

    assert "Ignoring unknown settings: apikey, max_retries, odd. Check the spelling." in told
    assert "hidden-word" not in told


@pytest.mark.parametrize(
    "rest",
    ["LOGLEVEL", "STREAM_MAPS_WEBAPPS_NAME", "_LOG_PARSER", "EU_CA_BUNDLE", "_EU_ODD", "EU__ODD"],
)
@pytest.mark.parametrize("plugin", PLUGINS)
def test_variables_that_meltano_and_the_sdk_add_are_not_talked_about(
    plugin: type[Plugin],
    rest: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{plugin.env_prefix()}{rest}", "INFO")

    assert "Ignoring" not in logged(plugin, {}, caplog, variables=True)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_known_settings_are_not_talked_about(
    plugin: type[Plugin], caplog: pytest.LogCaptureFixture
) -> None:
    told = logged(plugin, {"max_wait_seconds": 5, "stream_maps": {}}, caplog)

    assert "Ignoring" not in told


VALUES: Final[tuple[object, ...]] = (
    *(0, 1, -1, 1.0, 1.5, 99, 10**9, 2**70, True, False),
    *(
        "x",
        " ",
        "0",
        "1",
        " 7 ",
        "1e3",
        "yes",
        "no",
        "a,b",
        "1,2",
        "url",
        "VULNERABILITY",
        "{",
        "[1]",
    ),
    *("2026-01-31", "2026-01-31T00:00:00Z", "{", "2.0", "x" * 2000, "a\nb"),
    *([], ["x"], [1], [0], [True], [["x"]], [{}], ["url", ""]),
)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_sdks_own_check_refuses_nothing_that_has_been_taken(plugin: type[Plugin]) -> None:
    properties = plugin.config_jsonschema["properties"]
    plugin.append_builtin_config(plugin.config_jsonschema)
    taken = set()
    for name, declared in properties.items():
        for value in (*VALUES, *filter(None, declared.get("enum", ()))):
            typed, problems = coerce({name: value}, plugin.config_jsonschema)
            if not problems and not isinstance(typed[name], dict):
                taken.add(name)
                assert Draft202012Validator(declared).is_valid(typed[name]), (name, value)

    of_objects = {name for name, declared in properties.items() if "object" in declared["type"]}
    assert taken | of_objects == set(properties)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_what_lies_in_an_object_is_checked_as_well(plugin: type[Plugin]) -> None:
    with pytest.raises(ConfigValidationError) as refused:
        plugin(config={"stream_maps": {"webapps": 3}})

    assert "webapps" in str(refused.value.errors)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_all_wrong_settings_are_refused_at_once(plugin: type[Plugin]) -> None:
    with pytest.raises(ConfigValidationError) as refused:
        plugin(config={"max_wait_seconds": "long", "ca_bundle": 3})

    assert [problem.split()[0] for problem in refused.value.errors] == [
        "max_wait_seconds",
        "ca_bundle",
    ]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_variables_have_the_name_of_the_plugin(
    plugin: type[Plugin], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    variable = {TapQualysWAS: "TAP_QUALYSWAS_CA_BUNDLE", TargetCiscoVM: "TARGET_CISCOVM_CA_BUNDLE"}
    monkeypatch.setenv(variable[plugin], "a.pem")

    assert plugin(config={}, parse_env_config=True).config["ca_bundle"] == "a.pem"
    assert "ca_bundle" not in plugin(config={}).config


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_current_folder_that_is_gone_is_told(
    plugin: type[Plugin], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    with pytest.raises(Ending, match="The current folder no longer exists") as caught:
        plugin.cli([], standalone_mode=False)

    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (ConfigValidationError("x", errors=["a must be b.", "c must be d."]), 2, "a must be b. c"),
        (QualysError("Busy."), 1, "Busy."),
        (CiscoVMError("Gone."), 1, "Gone."),
        (SettingsError("Set a."), 2, "Set a."),
        (StillRunning(7, 60), 3, "7"),
        (Interrupted(signal.SIGTERM), 143, "The run was stopped by signal 15."),
        (PermissionError(13, "Permission denied"), 1, "The system refused: Permission denied."),
    ],
)
def test_known_errors_end_the_command_with_a_line_and_a_code(
    error: BaseException, exit_code: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Ending) as ending, ending_well(LOGGER):
        raise error
    ending.value.show()

    assert ending.value.exit_code == exit_code
    assert message in ending.value.message
    assert caplog.messages == [ending.value.message]


def test_an_error_of_another_kind_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), ending_well(LOGGER):
        _ = 1 / 0
