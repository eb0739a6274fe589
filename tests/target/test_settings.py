"""Settings that fit one another become rules; those that contradict are refused at the start."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest

from target_ciscovm.cvm.login import Login
from target_ciscovm.errors import SettingsError
from target_ciscovm.kdi.types import TriageState, VulnStatus
from target_ciscovm.mapping.filters import FilterRules
from target_ciscovm.mapping.finding import MappingRules
from target_ciscovm.mapping.locators import CVM_ORDER, DEFAULT_ORDER, LOCATORS, Identity
from target_ciscovm.mapping.tags import TagRules
from target_ciscovm.settings.schema import CONFIG_SCHEMA
from target_ciscovm.settings.values import read_settings

LOGIN = {"api_key": "made-up-key", "connector_id": 42}
SETTINGS: dict[str, dict[str, Any]] = CONFIG_SCHEMA["properties"]


def refused(**config: object) -> str:
    """Give why a config is refused: one line for a person."""
    with pytest.raises(SettingsError) as caught:
        read_settings(config)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert caught.value.exit_code == 2
    return text


def test_without_any_setting_files_are_made_and_nothing_is_remembered() -> None:
    found = read_settings({})

    assert (found.login, found.ledger_path, found.destination) == (None, None, "files")
    assert read_settings({"ledger_path": "l.db"}).ledger_path is None
    assert (found.identity, found.mapping) == (Identity(), MappingRules())
    assert (found.filters, found.tags) == (FilterRules(), TagRules())
    assert found.output_path == Path("output")
    assert found.max_failed_percent == Fraction(1)
    assert found.close_gone is True


def test_a_key_and_a_connector_send_and_remember() -> None:
    found = read_settings(LOGIN)

    assert found.login == Login("https://api.kennasecurity.com", "made-up-key", 42)
    assert "made-up-key" not in repr(found)
    assert found.ledger_path == Path("output/ledger-42.db")
    assert found.destination == "ciscovm"
    assert read_settings(LOGIN | {"dry_run": True}).destination == "dry_run"
    assert read_settings({"dry_run": True}).destination == "files"


def test_paths_of_a_home_are_found() -> None:
    found = read_settings(LOGIN | {"output_path": "~/out", "ledger_path": "~/l.db"})

    assert found.output_path == Path.home() / "out"
    assert found.ledger_path == Path.home() / "l.db"


@pytest.mark.parametrize("name", ["api_key", "connector_id"])
def test_a_key_without_a_connector_is_refused_and_not_shown(name: str) -> None:
    other = next(key for key in LOGIN if key != name)

    told = refused(**{name: LOGIN[name]})

    assert told.startswith(f"{name} is set but {other} is not")
    assert "made-up-key" not in told


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"skip_tags": True, "reset_tags": True}, ("skip_tags", "reset_tags")),
        (
            {"close_gone": "never", "close_deleted_webapps": True},
            ("close_gone", "close_deleted_webapps"),
        ),
        (
            {"locator_order": ["fqdn"], "tenant_locator_order": ["url"]},
            ("locator_order", "tenant_locator_order", "fqdn"),
        ),
        (
            {"status_map": {"FIXED": "resolved"}},
            ("status_map", "FIXED: resolved", "vulnerabilities"),
        ),
        (
            {"status_map": {"NEW": "open"}, "data_model": "findings"},
            ("status_map", "NEW: open", "findings"),
        ),
        ({"status_map": {"NEW": 1, "ACTIVE": ["x"]}}, ("NEW: 1", "ACTIVE")),
    ],
    ids=str,
)
def test_settings_that_contradict_each_other_are_refused_by_name(
    config: dict[str, object], named: tuple[str, ...]
) -> None:
    told = refused(**config)

    for word in named:
        assert word in told


@pytest.mark.parametrize(
    "config",
    [
        {"skip_tags": True},
        {"reset_tags": True},
        {"close_gone": "never"},
        {"close_deleted_webapps": True},
        {"locator_order": ["fqdn"]},
        {"locator_order": []},
        {"tenant_locator_order": ["url"], "locator_order": ["url"]},
    ],
    ids=str,
)
def test_each_of_them_alone_is_fine(config: dict[str, object]) -> None:
    read_settings(config)


@pytest.mark.parametrize("word", get_args(VulnStatus))
def test_a_status_map_takes_cvms_words_and_any_spelling_of_qualyss(word: str) -> None:
    found = read_settings({"status_map": {" protected ": word}})

    assert found.mapping.status_map == {"PROTECTED": word}


@pytest.mark.parametrize("word", get_args(TriageState))
def test_a_status_map_of_the_findings_model_takes_its_words(word: str) -> None:
    read_settings({"data_model": "findings", "status_map": {"PROTECTED": word}})


@pytest.mark.parametrize("empty", [None, [], ""], ids=repr)
def test_an_empty_order_is_the_default(empty: object) -> None:
    found = read_settings({"locator_order": empty, "tenant_locator_order": empty})

    assert found.identity == Identity(DEFAULT_ORDER, CVM_ORDER)


OTHER: dict[str, Any] = {
    "api_url": "https://api.example.test",
    "override_scores": {"3": 30},
    "attribute_tags": ["Owner"],
    "ca_bundle": "ca.pem",
    "data_model": "findings",
    "locator_order": ["external_id"],
    "tenant_locator_order": ["external_id", "url", "application"],
    "url_query": "keep",
    "status_map": {"PROTECTED": "triaged"},
    "close_gone": "never",
    "accept_identity_change": "c63faba4",
    "ledger_path": "l.db",
    "output_path": "o",
    "max_failed_percent": "33.3",
    "tag_prefix": "was:",
    "verify_load": "every_run",
    "notify_url": "https://hooks.example.test/a",
    "notify_when": "every_run",
    "metrics_path": "ciscovm.prom",
}
BASE: dict[str, dict[str, Any]] = {
    "status_map": {"data_model": "findings"},
    "notify_when": {"notify_url": "https://hooks.example.test/a"},
}
"""Settings without which another one means nothing."""


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in LOGIN])
def test_no_setting_is_without_effect(name: str) -> None:
    declared = SETTINGS[name]
    other = OTHER.get(name)
    if other is None:
        other = not declared["default"] if "boolean" in declared["type"] else declared["maximum"]
    base = LOGIN | BASE.get(name, {})

    assert read_settings(base | {name: other}) != read_settings(base)


def test_every_setting_says_what_it_does_in_a_sentence() -> None:
    for name, declared in SETTINGS.items():
        assert declared["title"], name
        assert declared["description"].endswith("."), name
    secret = [name for name, declared in SETTINGS.items() if declared.get("secret")]
    assert secret == ["api_key", "notify_url"]


def test_the_schema_offers_the_locators_that_the_rules_know() -> None:
    assert SETTINGS["locator_order"]["items"]["enum"] == list(LOCATORS)
    assert SETTINGS["tenant_locator_order"]["items"]["enum"] == list(CVM_ORDER)
    assert set(LOCATORS) <= set(CVM_ORDER)


def test_rules_cannot_be_changed_on_the_way() -> None:
    found = read_settings({})

    for rules in (found, found.filters, found.tags, found.identity, found.mapping):
        field = next(iter(type(rules).__annotations__))
        with pytest.raises(AttributeError):
            setattr(rules, field, getattr(rules, field))
