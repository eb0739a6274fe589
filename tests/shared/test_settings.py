"""Settings are of the types that the schema names, or refused by name, and no secret is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qualyswas_ciscovm.settings import coerce, from_environment, wrapped
from tap_qualyswas.settings.schema import CONFIG_SCHEMA as TAP_SCHEMA
from target_ciscovm.settings.schema import CONFIG_SCHEMA as TARGET_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

SCHEMAS: Final = {"tap": TAP_SCHEMA, "target": TARGET_SCHEMA}
PROPERTIES: Final[dict[str, Any]] = TAP_SCHEMA["properties"] | TARGET_SCHEMA["properties"]
"""The settings of both, which together have every type that is read; equal names are alike."""
BOTH: Final[dict[str, Any]] = {"properties": PROPERTIES}
SETTINGS: Final = [
    (plugin, name) for plugin, schema in SCHEMAS.items() for name in schema["properties"]
]
SECRETS: Final = ["password", "client_secret", "api_key"]
SECRET: Final = "MARKER-of-a-secret"
MAPS: Final = {"webapps": {"name": "None"}, "scans": {"id": "1"}, "findings": None}


def defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """Give the settings that have a default, with it."""
    return {
        name: declared["default"]
        for name, declared in schema["properties"].items()
        if "default" in declared
    }


def read(name: str, value: object) -> Any:  # noqa: ANN401 - a setting of any type
    """Read one good setting."""
    config, problems = coerce({name: value}, BOTH)
    assert problems == []
    return config[name]


def refused(name: str, value: object) -> str:
    """Give why a bad setting is refused."""
    _, problems = coerce({name: value}, BOTH)
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


@pytest.mark.parametrize("value", ["1, 2", "[1, 2]", ["1", 2.0], '["1", 2]'], ids=repr)
def test_whole_numbers_in_a_list_are_read(value: object) -> None:
    assert read("webapp_ids", value) == [1, 2]


@pytest.mark.parametrize("value", ["7", " 7 "], ids=repr)
def test_one_number_is_a_list_of_one(value: str) -> None:
    assert read("webapp_ids", value) == [7]


@pytest.mark.parametrize("value", ["1,x", [0], ["1e3"], [[1]], "true"], ids=repr)
def test_a_list_with_something_else_than_whole_numbers_is_refused(value: object) -> None:
    assert "a whole number from 1" in refused("webapp_ids", value)


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
    declared = PROPERTIES[name]

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


def test_an_item_of_a_list_that_is_wrong_is_told_as_one() -> None:
    _, problems = coerce({"webapp_ids": ["7", "x"]}, TAP_SCHEMA)

    assert problems == [
        'webapp_ids must be a list, each item a whole number from 1 (got ["7", "x"]).'
    ]


@pytest.mark.parametrize("value", ["'MARKER'", '"MARKER"', " MARKER", "MARKER\n"])
def test_quotes_and_blanks_around_a_login_are_told(value: str) -> None:
    (told,) = wrapped({"api_key": value}, ["username", "api_key"])

    assert told.startswith("api_key has quotes or blanks around it.")
    assert "MARKER" not in told


@pytest.mark.parametrize("value", ["key", "k'ey", "'key", "'", None])
def test_a_login_without_them_is_not(value: str | None) -> None:
    assert wrapped({"api_key": value}, ["api_key"]) == []


@pytest.mark.parametrize("value", ['"url"', "url", ["url"]], ids=repr)
def test_one_word_is_a_list_of_one(value: object) -> None:
    assert read("locator_order", value) == ["url"]


@pytest.mark.parametrize("value", ["[]", [], [""], ",", " "], ids=repr)
def test_a_list_of_nothing_never_holds_an_empty_text(value: object) -> None:
    assert read("locator_order", value) == []


@pytest.mark.parametrize(
    "value", [3, {"a": 1}, '{"a": 1}', '["url"', True, "[" * 9999], ids=range(6)
)
def test_what_is_no_list_is_refused(value: object) -> None:
    assert "a list" in refused("locator_order", value)


@pytest.mark.parametrize("name", ["locator_order", "tenant_locator_order"])
@pytest.mark.parametrize("value", ["3", "URL", "url,hostnam", [7], [["url"]]], ids=repr)
def test_a_word_that_is_no_locator_is_refused(name: str, value: object) -> None:
    refused(name, value)


@pytest.mark.parametrize("value", [{"PROTECTED": "open"}, '{"PROTECTED": "open"}'], ids=repr)
def test_an_object_is_read_from_json(value: object) -> None:
    assert read("status_map", value) == {"PROTECTED": "open"}


@pytest.mark.parametrize("value", ["PROTECTED=open", "[]", 1, '{"a"', '{"a":' * 9999], ids=range(5))
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


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("2026-01-31T02:00:00+02:00", "2026-01-31T00:00:00Z"),
    ],
)
def test_a_date_is_written_in_one_form(value: str, read_as: str) -> None:
    assert read("start_date", value) == read_as


@pytest.mark.parametrize("value", ["yesterday", "2026-02-30", "1970-01-01", "0000-00-00", " "])
def test_what_is_no_date_is_refused(value: str) -> None:
    assert "a date, such as 2026-01-31T00:00:00Z" in refused("start_date", value)


@pytest.mark.parametrize("value", [20260131, ["2026-01-31"], True], ids=repr)
def test_what_is_no_text_is_refused(value: object) -> None:
    assert "must be text" in refused("start_date", value)


def test_a_number_for_a_text_is_told_to_be_quoted() -> None:
    assert "text: write a number in quotes (got 20260131)" in refused("start_date", 20260131)


def test_a_choice_may_look_like_a_number() -> None:
    assert read("knowledge_base_version", 2.0) == "2.0"
    assert "one of 2.0, 3.0, 4.0" in refused("knowledge_base_version", 5)


@pytest.mark.parametrize("value", ["a\ud800b", "a\udcff", "a\uffff"], ids=ascii)
def test_what_has_no_form_in_utf_8_is_refused(value: str) -> None:
    assert "must be text in UTF-8" in refused("webapp_name_contains", value)


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "a\x7f"], ids=repr)
def test_control_characters_are_refused(value: str) -> None:
    assert "text without control characters" in refused("webapp_name_contains", value)


def test_a_text_keeps_its_blanks_and_has_a_longest_length() -> None:
    assert read("webapp_name_contains", " a & b ") == " a & b "
    assert read("webapp_name_contains", "a" * 1024) == "a" * 1024
    assert "text of at most 1024 characters" in refused("webapp_name_contains", "a" * 1025)


@pytest.mark.parametrize("value", [None, ""], ids=repr)
@pytest.mark.parametrize(("plugin", "name"), SETTINGS)
def test_an_empty_value_is_an_unset_one(plugin: str, name: str, value: object) -> None:
    config, problems = coerce({name: value}, SCHEMAS[plugin])

    assert (config, problems) == (defaults(SCHEMAS[plugin]), [])


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_every_default_is_of_its_own_type(schema: dict[str, Any]) -> None:
    assert coerce(defaults(schema), schema) == (defaults(schema), [])


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", [{"key": SECRET}, [SECRET], f"{SECRET}\n", f"{SECRET}\x00", 7])
def test_the_value_of_a_secret_is_never_shown(name: str, value: object) -> None:
    problem = refused(name, value)

    assert problem.startswith(f"{name} must be text")
    assert SECRET not in problem
    assert "7" not in problem


def test_a_login_in_an_address_is_not_shown() -> None:
    assert "MARKER" not in refused("api_url", "https://someone:MARKER@host.test\x07")


def test_a_value_of_ten_thousand_characters_does_not_fill_the_terminal() -> None:
    assert len(refused("dry_run", "x" * 10_000)) < 150


def test_all_wrong_settings_are_told_at_once() -> None:
    _, problems = coerce({"dry_run": "x", "keep_runs": "y", "url_query": "z"}, TARGET_SCHEMA)

    assert [problem.split()[0] for problem in problems] == ["dry_run", "keep_runs", "url_query"]


@pytest.mark.parametrize(
    "value",
    ['{"webapps.name": "None", "scans": {"id": "1"}, "findings": null}', MAPS],
    ids=["a variable of Meltano", "config.json"],
)
def test_stream_maps_are_read_in_whatever_form_meltano_gives_them(value: object) -> None:
    schema = {"properties": {"stream_maps": {"type": ["object", "null"]}}}

    assert coerce({"stream_maps": value}, schema) == ({"stream_maps": MAPS}, [])


def test_a_setting_that_nobody_knows_is_kept_as_it_is() -> None:
    config, problems = coerce({"stream_maps": {"a": 1}, "odd": "1"}, TARGET_SCHEMA)

    assert (config["stream_maps"], config["odd"], problems) == ({"a": 1}, "1", [])


def test_the_environment_gives_texts_and_an_empty_variable_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARGET_CISCOVM_SKIP_TAGS", "true")
    monkeypatch.setenv("TARGET_CISCOVM_LOCATOR_ORDER", "")
    monkeypatch.setenv("TARGET_CISCOVM_ODD", "1")

    assert from_environment(TARGET_SCHEMA, "TARGET_CISCOVM_") == {"skip_tags": "true"}


def test_a_variable_is_believed_before_the_file_env(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = "TARGET_CISCOVM_KEEP_RUNS=3\nTARGET_CISCOVM_DRY_RUN=true\n"
    (tmp_path / ".env").write_text(file, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARGET_CISCOVM_KEEP_RUNS", "5")

    found = from_environment(TARGET_SCHEMA, "TARGET_CISCOVM_")

    assert found == {"keep_runs": "5", "dry_run": "true"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(SETTINGS), ANYTHING)
def test_whatever_comes_is_read_or_refused_by_name(setting: tuple[str, str], value: object) -> None:
    schema, name = SCHEMAS[setting[0]], setting[1]
    config, problems = coerce({name: value}, schema)

    assert all(problem.startswith(f"{name} must be ") for problem in problems)
    again, none = coerce(config, schema)
    assert problems or (again, none) == (config, [])
