"""Settings are of the types that the schema names, or refused by name, and no secret is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.coercion import coerce, from_environment
from target_ciscovm.settings.schema import CONFIG_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = {
    name: declared["default"]
    for name, declared in CONFIG_SCHEMA["properties"].items()
    if "default" in declared
}
SECRET = "MARKER-of-a-secret"


def read(name: str, value: object) -> Any:  # noqa: ANN401 - a setting of any type
    """Read one good setting."""
    config, problems = coerce({name: value}, CONFIG_SCHEMA)
    assert problems == []
    return config[name]


def refused(name: str, value: object) -> str:
    """Give why a bad setting is refused."""
    _, problems = coerce({name: value}, CONFIG_SCHEMA)
    (problem,) = problems
    assert problem.startswith(f"{name} must be ")
    assert "\n" not in problem
    return problem


@pytest.mark.parametrize("value", [True, "true", "TRUE", " yes ", "on", "1"], ids=repr)
def test_true_is_read_from_words(value: object) -> None:
    assert read("dry_run", value) is True


@pytest.mark.parametrize("value", [False, "false", "No", "off", "0"], ids=repr)
def test_false_is_read_from_words(value: object) -> None:
    assert read("exclude_informational", value) is False


@pytest.mark.parametrize("value", ["maybe", '["Blue"]', 2, 1.0, [], {}, ["true"]], ids=repr)
def test_what_is_neither_true_nor_false_is_refused(value: object) -> None:
    assert "true or false" in refused("skip_tags", value)


@pytest.mark.parametrize("value", [42, "42", " 42 ", "+42", 42.0], ids=repr)
def test_a_whole_number_is_read(value: object) -> None:
    assert read("connector_id", value) == 42


@pytest.mark.parametrize(
    "value",
    ["forty", "4.2", 4.2, True, [42], {"id": 42}, "42x", "+-42", "٤٢", "²", "0x2a", "9" * 5000],
    ids=range(12),
)
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    assert "a whole number from 1" in refused("connector_id", value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("connector_id", 0),
        ("min_severity", 6),
        ("min_severity", "-1"),
        ("max_close_percent", 101),
        ("part_max_bytes", 1),
        ("poll_seconds", 0),
    ],
)
def test_a_number_out_of_bounds_is_refused_with_the_bounds(name: str, value: object) -> None:
    declared = CONFIG_SCHEMA["properties"][name]

    assert f"from {declared['minimum']} to {declared['maximum']}" in refused(name, value)


@pytest.mark.parametrize(
    "value",
    [
        ["url", "external_id"],
        '["url", "external_id"]',
        "url,external_id",
        " url , external_id ,",
        ["url", "", None, "external_id"],
    ],
    ids=repr,
)
def test_a_list_is_read_from_json_and_from_commas(value: object) -> None:
    assert read("locator_order", value) == ["url", "external_id"]


@pytest.mark.parametrize("value", ['"url"', "url", ["url"]], ids=repr)
def test_one_word_is_a_list_of_one(value: object) -> None:
    assert read("locator_order", value) == ["url"]


@pytest.mark.parametrize("value", ["[]", [], [""], ",", " "], ids=repr)
def test_a_list_of_nothing_never_holds_an_empty_text(value: object) -> None:
    assert read("locator_order", value) == []


@pytest.mark.parametrize("value", [3, {"a": 1}, '{"a": 1}', '["url"', True], ids=repr)
def test_what_is_no_list_is_refused(value: object) -> None:
    assert "a list" in refused("locator_order", value)


@pytest.mark.parametrize("name", ["locator_order", "tenant_locator_order"])
@pytest.mark.parametrize("value", ["3", "URL", "url,hostnam", [7], [["url"]]], ids=repr)
def test_a_word_that_is_no_locator_is_refused(name: str, value: object) -> None:
    refused(name, value)


@pytest.mark.parametrize("value", [{"PROTECTED": "open"}, '{"PROTECTED": "open"}'], ids=repr)
def test_an_object_is_read_from_json(value: object) -> None:
    assert read("status_map", value) == {"PROTECTED": "open"}


@pytest.mark.parametrize("value", ["PROTECTED=open", "[]", 1, '{"a"'], ids=repr)
def test_what_is_no_object_is_refused(value: object) -> None:
    assert "a JSON object" in refused("status_map", value)


@pytest.mark.parametrize(("value", "read_as"), [("keep", "keep"), (" cut ", "cut")])
def test_a_choice_is_one_of_its_words(value: str, read_as: str) -> None:
    assert read("url_query", value) == read_as
    assert "one of cut, keep" in refused("url_query", "KEEP")


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (0.5, "0.5"), ("33.3", "33.3"), ("100", "100"), (" 1 ", "1")]
)
def test_a_share_is_a_text_whether_it_came_as_a_number_or_not(value: object, text: str) -> None:
    assert read("max_failed_percent", value) == text


@pytest.mark.parametrize("value", ["101", "-1", "1%", "1,5", "nan", True, [1], 1e-9], ids=repr)
def test_what_is_no_share_is_refused(value: object) -> None:
    refused("max_failed_percent", value)


@pytest.mark.parametrize("value", [None, ""], ids=repr)
@pytest.mark.parametrize("name", list(CONFIG_SCHEMA["properties"]))
def test_an_empty_value_is_an_unset_one(name: str, value: object) -> None:
    config, problems = coerce({name: value}, CONFIG_SCHEMA)

    assert (config, problems) == (DEFAULTS, [])


def test_every_default_is_of_its_own_type() -> None:
    assert coerce(DEFAULTS, CONFIG_SCHEMA) == (DEFAULTS, [])


@pytest.mark.parametrize("value", [{"key": SECRET}, [SECRET], f"{SECRET}\n", f"{SECRET}\x00", 7])
def test_the_value_of_a_secret_is_never_shown(value: object) -> None:
    problem = refused("api_key", value)

    assert SECRET not in problem
    assert "7" not in problem


def test_a_value_of_ten_thousand_characters_does_not_fill_the_terminal() -> None:
    assert len(refused("dry_run", "x" * 10_000)) < 150


def test_all_wrong_settings_are_told_at_once() -> None:
    _, problems = coerce({"dry_run": "x", "keep_runs": "y", "url_query": "z"}, CONFIG_SCHEMA)

    assert [problem.split()[0] for problem in problems] == ["dry_run", "keep_runs", "url_query"]


def test_a_setting_that_nobody_knows_is_kept_as_it_is() -> None:
    config, problems = coerce({"stream_maps": {"a": 1}, "odd": "1"}, CONFIG_SCHEMA)

    assert (config["stream_maps"], config["odd"], problems) == ({"a": 1}, "1", [])


def test_the_environment_gives_texts_and_an_empty_variable_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARGET_CISCOVM_SKIP_TAGS", "true")
    monkeypatch.setenv("TARGET_CISCOVM_LOCATOR_ORDER", "")
    monkeypatch.setenv("TARGET_CISCOVM_ODD", "1")

    assert from_environment(CONFIG_SCHEMA, "TARGET_CISCOVM_") == {"skip_tags": "true"}


def test_a_variable_is_believed_before_the_file_env(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = "TARGET_CISCOVM_KEEP_RUNS=3\nTARGET_CISCOVM_DRY_RUN=true\n"
    (tmp_path / ".env").write_text(file, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARGET_CISCOVM_KEEP_RUNS", "5")

    found = from_environment(CONFIG_SCHEMA, "TARGET_CISCOVM_")

    assert found == {"keep_runs": "5", "dry_run": "true"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(CONFIG_SCHEMA["properties"])), ANYTHING)
def test_whatever_comes_is_read_or_refused_by_name(name: str, value: object) -> None:
    config, problems = coerce({name: value}, CONFIG_SCHEMA)

    assert all(problem.startswith(f"{name} must be ") for problem in problems)
    again, none = coerce(config, CONFIG_SCHEMA)
    assert problems or (again, none) == (config, [])
