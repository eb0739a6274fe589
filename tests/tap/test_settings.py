"""Settings: typed, from file, `.env` and environment; refused by name before anything runs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from singer_sdk.exceptions import ConfigValidationError

from tap_qualyswas.errors import SettingsError
from tap_qualyswas.settings.schema import CONFIG_SCHEMA
from tap_qualyswas.settings.values import read_settings
from tap_qualyswas.tap import TapQualysWAS
from tests.support import processes
from tests.tap.syncs import TAP

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
PROPERTIES: Final[dict[str, Any]] = CONFIG_SCHEMA["properties"]
LOGIN: Final = {"api_url": "http://127.0.0.1:9", "username": "someone", "password": "hidden-word"}
SECRETS: Final = ("password", "client_secret")


def read(config: Mapping[str, Any]) -> dict[str, Any]:
    return dict(TapQualysWAS(config={**LOGIN, **config}).config)


def refusal(config: Mapping[str, Any]) -> str:
    with pytest.raises((ConfigValidationError, SettingsError)) as raised:
        _ = TapQualysWAS(config={**LOGIN, **config}).settings
    return " ".join(getattr(raised.value, "errors", None) or [str(raised.value)])


@pytest.mark.parametrize(
    ("source", "useless"),
    [
        ("api", ["report_paths"]),
        ("scan_reports", ["report_paths", "include_evidence"]),
        ("report_files", ["webapp_details"]),
    ],
)
def test_what_has_no_effect_with_a_source_is_named(source: str, useless: list[str]) -> None:
    given = {"report_paths": ["."], "include_evidence": True, "webapp_details": True}

    assert TapQualysWAS(config={**LOGIN, **given, "source": source}).settings.useless == useless


def test_blanks_alone_are_no_part_of_a_name() -> None:
    filters = TapQualysWAS(config={**LOGIN, "webapp_name_contains": "  "}).settings.filters

    assert not filters.names_webapps
    assert filters.webapp_name_contains is None


@pytest.mark.parametrize("pair", [("Owner", ""), ("Owner", " "), (" ", "payments")])
def test_an_attribute_needs_a_name_and_a_value(pair: tuple[str, str]) -> None:
    name, value = pair

    assert refusal({"webapp_attributes": {name: value}}).startswith("webapp_attributes must have")


def test_each_setting_is_typed_titled_and_described() -> None:
    for name, declared in PROPERTIES.items():
        assert declared["type"], name
        assert declared["title"], name
        assert len(declared["description"]) > 20, name
        assert declared["description"].endswith("."), name


def test_secrets_are_marked() -> None:
    marked = {name for name, declared in PROPERTIES.items() if declared.get("secret")}

    assert marked == set(SECRETS)


def test_numbers_have_bounds_and_defaults_are_of_their_type() -> None:
    for name, declared in PROPERTIES.items():
        if "integer" in declared["type"]:
            assert {"minimum", "maximum", "default"} <= set(declared), name
        if "default" in declared:
            assert read({})[name] == declared["default"]


def test_settings_are_the_same_in_the_code_and_wherever_they_are_told() -> None:
    names = list(PROPERTIES)
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    (plugin,) = project["plugins"]["extractors"]
    example = (ROOT / ".env.example").read_text()
    page = (ROOT / "docs" / "settings.md").read_text()
    table = page.partition("## tap-qualyswas")[2].partition("\n## ")[0]

    # The SDK adds settings of its own, which come after.
    assert [setting["name"] for setting in plugin["settings"]][: len(names)] == names
    assert re.findall(r"^#?TAP_QUALYSWAS_(\w+)=", example, re.MULTILINE)[: len(names)] == [
        name.upper() for name in names
    ]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE)[: len(names)] == names


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"page_size": "many"}, 'page_size must be a whole number from 1 to 1000 (got "many").'),
        ({"page_size": 0}, "page_size must be a whole number from 1 to 1000 (got 0)."),
        ({"full_sync": "maybe"}, 'full_sync must be true or false (got "maybe").'),
        (
            {"finding_types": "VULN"},
            "finding_types must be a list, each item one of VULNERABILITY, SENSITIVE",
        ),
        ({"finding_types": []}, "finding_types must name at least one type"),
        ({"source": "files"}, "source must be one of api, scan_reports"),
        ({"auth_method": "token"}, "auth_method must be one of basic, oidc"),
        ({"region": "XX9", "api_url": ""}, "region"),
        ({"region": "", "api_url": ""}, "region"),
        ({"api_url": "http://qualysapi.example.test"}, "api_url"),
        ({"webapp_attributes": {"a\x01": "b"}}, "webapp_attributes must be text without control"),
        ({"webapp_attributes": {"a": "b\ud800"}}, "webapp_attributes must be text in UTF-8"),
        ({"username": ""}, "username must be set for auth_method basic"),
        ({"username": "", "password": ""}, "username and password must be set"),
        ({"auth_method": "oidc"}, "client_id and client_secret must be set for auth_method oidc"),
        ({"ca_bundle": "/nowhere/ca.pem"}, "ca_bundle is not a file: /nowhere/ca.pem"),
    ],
)
def test_what_is_wrong_is_refused_by_name(config: dict[str, Any], told: str) -> None:
    assert told in refusal(config)


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = refusal({"page_size": "many", "full_sync": "maybe", "overlap_hours": -1})

    assert all(name in told for name in ("page_size", "full_sync", "overlap_hours"))


def test_ids_are_kept_once_and_in_order_so_that_filters_compare() -> None:
    config = TapQualysWAS(config={**LOGIN, "webapp_ids": "3,1,3"}).config
    types = {"finding_types": ["INFORMATION_GATHERED", "VULNERABILITY"]}
    turned = TapQualysWAS(config={**LOGIN, **types}).config

    assert read_settings(config).filters.webapp_ids == (1, 3)
    assert read_settings(turned).filters.finding_types == (
        "VULNERABILITY",
        "INFORMATION_GATHERED",
    )


def checked(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the tap's check in a folder: nobody listens, so it names the address or what is wrong."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TAP_QUALYSWAS_")}
    return processes.run(
        [*TAP, *arguments, "--test"], cwd=folder, env={**kept, **environment}, timeout=60
    )


VARIABLES: Final = {f"TAP_QUALYSWAS_{name.upper()}": value for name, value in LOGIN.items()}


def test_the_environment_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    environment = {**VARIABLES, "TAP_QUALYSWAS_PAGE_SIZE": "many"}

    done = checked(tmp_path, environment, "--config=ENV")

    assert done.returncode == 2
    assert 'page_size must be a whole number from 1 to 1000 (got "many").' in done.stderr.decode()
    assert "page_size" not in checked(tmp_path, environment).stderr.decode()


def test_empty_variables_are_as_good_as_none(tmp_path: Path) -> None:
    names = [f"TAP_QUALYSWAS_{name.upper()}" for name in PROPERTIES]
    environment = {**dict.fromkeys(names, ""), **VARIABLES}

    done = checked(tmp_path, environment, "--config=ENV")

    assert done.returncode == 1
    assert "127.0.0.1:9 refuses the connection" in done.stderr.decode()


def test_a_file_beside_the_command_is_read_like_the_environment(tmp_path: Path) -> None:
    lines = [f'{name}="{value}"' for name, value in VARIABLES.items()]
    (tmp_path / ".env").write_text("\n".join([*lines, "TAP_QUALYSWAS_PAGE_SIZE=many"]))

    done = checked(tmp_path, {}, "--config=ENV")
    overruled = checked(tmp_path, {"TAP_QUALYSWAS_PAGE_SIZE": "5"}, "--config=ENV")

    assert 'page_size must be a whole number from 1 to 1000 (got "many").' in done.stderr.decode()
    assert "127.0.0.1:9 refuses the connection" in overruled.stderr.decode()


def test_files_are_read_one_over_the_other(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text(json.dumps({**LOGIN, "page_size": "many"}))
    second.write_text(json.dumps({"page_size": 5}))

    alone = checked(tmp_path, {}, "--config", str(first))
    both = checked(tmp_path, {}, "--config", str(first), "--config", str(second))

    assert "page_size must be" in alone.stderr.decode()
    assert "127.0.0.1:9 refuses the connection" in both.stderr.decode()


def test_a_secret_is_nowhere_in_the_log(tmp_path: Path) -> None:
    for environment in (VARIABLES, {**VARIABLES, "TAP_QUALYSWAS_PAGE_SIZE": "many"}):
        done = checked(tmp_path, environment, "--config=ENV")

        assert b"hidden-word" not in done.stderr + done.stdout
