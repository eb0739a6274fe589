"""Cases about settings as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from qualyswas_ciscovm.secret_files import filled_in_secrets
from qualyswas_ciscovm.settings import coerce, from_environment
from tap_qualyswas import errors as tap_errors
from tap_qualyswas.qualys.platforms import find_platform
from tap_qualyswas.settings.schema import CONFIG_SCHEMA as TAP
from target_ciscovm import errors as target_errors
from target_ciscovm.cvm.api_url import tidy_api_url
from target_ciscovm.settings.schema import CONFIG_SCHEMA as TARGET
from tests.cases.case import read

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCS: Final = Path(__file__).parents[2] / "docs"
ADDRESSES: Final = read("settings/platform_url").values


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    found = read("settings/settings_as_text").values
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def test_variables_of_the_tap_become_typed_settings(variables: Mapping[str, str]) -> None:
    config, problems = coerce(from_environment(TAP, "TAP_QUALYSWAS_"), TAP)

    assert problems == []
    assert config["page_size"] == int(variables["TAP_QUALYSWAS_PAGE_SIZE"])
    assert config["max_attempts"] == int(variables["TAP_QUALYSWAS_MAX_ATTEMPTS"])


def test_variables_of_the_target_are_read_or_refused_by_name(variables: Mapping[str, str]) -> None:
    prefix = "TARGET_CISCOVM_"
    ours: dict[str, Any] = {
        name.removeprefix(prefix).lower(): value
        for name, value in variables.items()
        if name.startswith(prefix)
    }

    for given in (ours, from_environment(TARGET, prefix)):
        config, problems = coerce(given, TARGET)

        assert config["exclude_informational"] is False
        assert "" not in config["locator_order"]
        assert [problem.split()[0] for problem in problems] == ["skip_tags"]


@pytest.mark.parametrize("way", read("settings/dollar_in_password").values)
def test_a_password_in_a_file_is_taken_as_it_is(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = read("settings/dollar_in_password").values[way]
    (tmp_path / ".env").write_text(f"{line}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TAP_QUALYSWAS_PASSWORD", raising=False)

    found = from_environment(TAP, "TAP_QUALYSWAS_")

    assert found["password"] == line.partition("=")[2].strip("'\"")


@pytest.mark.parametrize(
    ("text", "filled_in", "warns"),
    [
        ("ab${HOME}cd", "ab/home/mecd", True),
        ("ab${HOME}cd", "ab${HOME}cd", False),
        ("ab${HOME}cd", None, False),
        ("ab${x:-$}{HOME}cd", "ab${HOME}cd", False),
        ("abc", "set elsewhere", False),
    ],
)
def test_a_password_that_meltano_has_filled_in_is_told(
    text: str,
    filled_in: str | None,
    *,
    warns: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "TAP_QUALYSWAS_PASSWORD"
    (tmp_path / ".env").write_text(f"{name}='{text}'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(name, raising=False)
    if filled_in is not None:
        monkeypatch.setenv(name, filled_in)

    told = " ".join(filled_in_secrets(TAP, "TAP_QUALYSWAS_"))

    assert ("TAP_QUALYSWAS_PASSWORD" in told) is warns
    assert "cd" not in told


@pytest.mark.parametrize("way", ["bare", "with a slash", "with a path"])
def test_every_way_of_writing_the_platform_comes_to_one(way: str) -> None:
    assert find_platform(api_url=ADDRESSES[way]).api_url == "https://qualysapi.qg9.example.test"


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("plain http", "must begin with https"),
        ("the portal", r"Set api_url to https://qualysapi\.qg9\.example\.test\.$"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_with_a_sentence(way: str, told: str) -> None:
    with pytest.raises(tap_errors.SettingsError, match=told):
        find_platform(api_url=ADDRESSES[way])


def test_the_target_reads_addresses_in_the_same_way() -> None:
    for way in ("bare", "with a slash"):
        assert tidy_api_url(ADDRESSES[way]) == "https://qualysapi.qg9.example.test"
    with pytest.raises(target_errors.SettingsError, match="https"):
        tidy_api_url(ADDRESSES["plain http"])


def test_the_page_of_settings_shows_lists_as_meltano_takes_them() -> None:
    ((name, value),) = read("settings/list_with_commas").values.items()

    page = (DOCS / "settings.md").read_text("utf-8")

    assert f"{name}={value}" in page
    assert "commas" not in page
