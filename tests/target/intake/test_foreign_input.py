"""Input that is not quite ours: other streams, other orders, mappers in between, damaged lines."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import (
    ASKING,
    STATE,
    Sync,
    entry,
    finding,
    joined,
    names,
    record,
    scan,
    schema,
    state,
    webapp,
)

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

TWO: Final = Sync([webapp()], [finding(1), finding(2)])
OURS: Final = ("webapps", "scans", "findings", "knowledge_base")


def lines(cvm: CVM, sync: Sync = TWO) -> list[str]:
    """Give what the sync writes when the next load takes it."""
    return sync.lines(cvm.clock.now() + timedelta(hours=1)).decode().splitlines()


def stream_of(line: str) -> str | None:
    """Give the stream of a message."""
    found: str | None = json.loads(line).get("stream")
    return found


def streams(cvm: CVM, sync: Sync = TWO) -> list[dict[str, Any]]:
    """Give what the row of syncs tells of the streams."""
    counts = {name: len(rows) for name, rows in sync.streams().items()}
    found: list[dict[str, Any]] = sync.sync_row(counts, cvm.clock.now())["streams"]
    return found


def assert_loaded(loaded: Loaded, cvm: CVM) -> None:
    assert (loaded.exit_code, loaded.states) == (0, [STATE]), loaded.message
    assert cvm.open() == names(1, 2)


def notes(loaded: Loaded) -> dict[str, int]:
    return {note["text"]: note["count"] for note in loaded.report["notes"]}


def test_streams_of_others_are_counted_and_passed_over(cvm: CVM) -> None:
    foreign = [schema("users"), *(record("users", {"id": n}) for n in range(5))]

    loaded = cvm.load(joined(*foreign, *lines(cvm)))

    assert_loaded(loaded, cvm)
    (row,) = (one for one in loaded.report["streams"] if one["foreign"])
    assert (row["stream"], row["received"]) == ("users", 5)


def test_nothing_but_streams_of_others_is_an_abort(cvm: CVM) -> None:
    loaded = cvm.load(joined(schema("users"), record("users", {"id": 1}), state(STATE)))

    assert (loaded.outcome, loaded.states) == ("aborted", [])
    assert cvm.requests["data_file"] == 0


@pytest.mark.parametrize("seed", range(3))
def test_streams_may_come_interleaved_in_any_order_before_the_proof(seed: int, cvm: CVM) -> None:
    written = lines(cvm)
    schemas = [line for line in written if '"SCHEMA"' in line]
    records = [line for line in written if '"RECORD"' in line]
    rows, proof = records[:-1], records[-1]
    random.Random(seed).shuffle(rows)

    loaded = cvm.load(joined(*schemas, *rows, proof, state(STATE)))

    assert_loaded(loaded, cvm)
    assert loaded.report["proof"]["proven"]


def test_a_schema_may_come_again_and_again_and_change(cvm: CVM) -> None:
    changed = schema("findings", schema={"properties": {"id": {"type": "string"}}})
    given: list[str] = []
    for line in lines(cvm):
        given += [changed, schema("findings")] if '"RECORD"' in line else []
        given.append(line)

    loaded = cvm.load(joined(*given))

    assert_loaded(loaded, cvm)
    assert loaded.report["proof"]["proven"]


def test_a_schema_that_is_wrong_about_the_records_harms_nothing(cvm: CVM) -> None:
    given = [
        schema(json.loads(line)["stream"], schema={"type": "object", "required": ["nothing"]})
        if '"SCHEMA"' in line
        else line
        for line in lines(cvm)
    ]

    assert_loaded(cvm.load(joined(*given)), cvm)


@pytest.mark.parametrize("missing", ["webapps", "scans", "knowledge_base"])
def test_a_stream_may_be_missing(missing: str, cvm: CVM) -> None:
    told = [one for one in streams(cvm) if one["stream"] != missing]
    given = lines(cvm, replace(TWO, proof={"streams": told}))

    loaded = cvm.load(joined(*(line for line in given if stream_of(line) != missing)))

    expected = "succeeded_unproven" if missing == "webapps" else "succeeded"
    assert loaded.outcome == expected
    assert_loaded(loaded, cvm)


@pytest.mark.parametrize("missing", ["webapps", "scans", "knowledge_base"])
def test_one_that_the_tap_has_read_and_that_did_not_arrive_was_lost(missing: str, cvm: CVM) -> None:
    given = joined(*(line for line in lines(cvm) if stream_of(line) != missing))

    loaded = cvm.load(given)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [ASKING])
    assert f"0 {missing} arrived of" in loaded.message
    assert cvm.open() == names(1, 2)
    on_purpose = cvm.load(given, allow_dropped_records=True)
    assert (on_purpose.outcome, on_purpose.states) == ("succeeded_unproven", [STATE])


def test_findings_alone_load_and_close_nothing(cvm: CVM) -> None:
    cvm.begin(TWO)

    loaded = cvm.load(joined(schema("findings"), record("findings", finding(1)), state(STATE)))

    assert loaded.outcome == "succeeded_unproven"
    assert_loaded(loaded, cvm)
    assert loaded.items()["finding-1"]["vuln_def_name"].startswith("QID 150001 Title")


def test_blank_lines_unknown_messages_and_versions_mean_nothing(
    cvm: CVM, caplog: pytest.LogCaptureFixture
) -> None:
    version = json.dumps({"type": "ACTIVATE_VERSION", "stream": "findings", "version": 1})
    unknown = json.dumps({"type": "HEARTBEAT", "at": 1})
    given: list[str] = []
    for line in lines(cvm):
        given += ["", "   ", version, unknown, line]

    with caplog.at_level("INFO"):
        loaded = cvm.load(joined(*given, version))

    assert_loaded(loaded, cvm)
    (note,) = (text for text in notes(loaded) if "HEARTBEAT" in text)
    assert notes(loaded)[note] == len(lines(cvm))
    assert f"{len(lines(cvm))} messages of unknown types were passed over" in caplog.text


def test_what_nothing_places_is_rejected_by_its_line(cvm: CVM) -> None:
    """Whether a row of its web application places a finding shows when all have come."""
    nowhere = record("findings", finding(2, url=None, webApp=None))
    given = [record("findings", finding(1)), state(STATE), "", nowhere, record("webapps", webapp())]

    loaded = cvm.load(
        joined(schema("findings"), schema("webapps"), *given), max_failed_percent="60"
    )

    (row,) = loaded.rejected
    assert row["line"] == 6
    assert "nothing in it tells an asset" in row["reason"]


def test_a_version_message_closes_nothing(cvm: CVM) -> None:
    cvm.begin(TWO)
    version = json.dumps({"type": "ACTIVATE_VERSION", "stream": "findings", "version": 2})

    cvm.load(joined(schema("findings"), version, record("findings", finding(1)), version))

    assert cvm.open() == names(1, 2)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not JSON", "Line 2 of the input is not JSON"),
        ("[1]", "not a Singer message"),
        ('{"no": "type"}', "not a Singer message"),
        (record("scans", scan()), "before its SCHEMA"),
        ('{"type": "RECORD", "stream": "findings"}', "without a stream or a record"),
        ('{"type": "BATCH", "stream": "findings", "manifest": []}', "batch_config"),
    ],
)
def test_what_is_no_stream_of_singer_fails_by_its_line(line: str, words: str, cvm: CVM) -> None:
    loaded = cvm.load(joined(schema("findings"), line, record("findings", finding()), state(STATE)))

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    assert words in loaded.message
    assert cvm.requests["data_file"] == 0


def test_a_report_of_broken_input_calls_nothing_superseded(cvm: CVM) -> None:
    loaded = cvm.load(joined(schema("findings"), record("findings", finding()), "oops"))

    assert loaded.report["reconciliation"]["received"] == 1
    assert [row["superseded"] for row in loaded.report["streams"]] == [0]


def test_numbers_that_are_none_and_halves_of_characters_are_mended_and_counted(cvm: CVM) -> None:
    odd = record("findings", finding(2, name="half \ud83d of one")).replace(
        '"potential": false', '"detectionScore": NaN'
    )
    assert "\\ud83d" in odd

    loaded = cvm.load(joined(schema("findings"), record("findings", finding(1)), odd, state(STATE)))

    assert_loaded(loaded, cvm)
    assert len(notes(loaded)) == 2


def test_a_line_of_50_mb_is_taken(cvm: CVM) -> None:
    large = record("findings", finding(2, resultList=[{"payload": "x" * 50_000_000}]))

    loaded = cvm.load(
        joined(schema("findings"), record("findings", finding(1)), large, state(STATE))
    )

    assert_loaded(loaded, cvm)


class TestKeys:
    def test_a_later_row_of_the_same_finding_takes_the_place_of_an_earlier_one(
        self, cvm: CVM
    ) -> None:
        rows = [finding(1, severity=2), finding(2), finding(1, severity=5)]

        loaded = cvm.load(Sync([webapp()], rows))

        assert loaded.items()["finding-1"]["scanner_score"] == 5
        assert loaded.report["reconciliation"]["superseded"] == 1
        assert_loaded(loaded, cvm)

    def test_one_qid_on_many_pages_and_applications_is_as_many_findings(self, cvm: CVM) -> None:
        rows = [finding(1, qid=150001), finding(2, qid=150001), finding(3, 2, qid=150001)]

        loaded = cvm.load(Sync([webapp(1), webapp(2)], rows))

        assert cvm.open() == names(1, 2, 3)
        definitions = [one for doc in loaded.documents.values() for one in doc["vuln_defs"]]
        assert len(definitions) == 1

    def test_the_same_id_of_two_types_is_two_findings(self, cvm: CVM) -> None:
        rows = [
            finding(1, uniqueId=None),
            finding(1, uniqueId=None, type="INFORMATION_GATHERED", status=None),
        ]

        cvm.load(Sync([webapp()], rows))

        assert {one.scanner_identifier for one in cvm.held()} == {"V-1-1", "I-1-1"}


class TestMapper:
    """The SDK's stream maps, in the target itself; those of a mapper between look the same."""

    def test_a_field_that_is_dropped_is_not_sent(self, cvm: CVM) -> None:
        maps = {"findings": {"__else__": None, **_kept("param")}}

        loaded = cvm.load(joined(*_typed(lines(cvm))), stream_maps=maps)

        assert_loaded(loaded, cvm)
        assert "Parameter" not in loaded.items()["finding-1"]["details"]

    def test_a_field_without_which_nothing_can_be_loaded_is_named(self, cvm: CVM) -> None:
        maps = {"findings": {"__else__": None, **_kept("uniqueId", "id")}}

        loaded = cvm.load(joined(*_typed(lines(cvm))), stream_maps=maps)

        assert (loaded.outcome, loaded.states) == ("failed", [])
        assert {row["reason"] for row in loaded.rejected} == {
            "it has no uniqueId, and no id with a type"
        }

    def test_a_stream_that_is_renamed_to_ours_is_ours(self, cvm: CVM) -> None:
        given = [line.replace('"stream": "findings"', '"stream": "vulns"') for line in lines(cvm)]

        loaded = cvm.load(joined(*_typed(given)), stream_maps={"vulns": {"__alias__": "findings"}})

        assert_loaded(loaded, cvm)

    def test_a_stream_that_is_dropped_is_missing(self, cvm: CVM) -> None:
        loaded = cvm.load(joined(*_typed(lines(cvm))), stream_maps={"syncs": None})

        assert loaded.outcome == "succeeded_unproven"
        assert_loaded(loaded, cvm)

    def test_what_is_filtered_out_is_counted_and_not_called_gone(self, cvm: CVM) -> None:
        three = replace(TWO, findings=[*TWO.findings, finding(3)])
        cvm.load(replace(three, findings=[*three.findings, finding(4)]))
        maps = {"findings": {"__filter__": "id != 3"}}

        loaded = cvm.load(joined(*_typed(lines(cvm, three))), stream_maps=maps)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert loaded.report["reconciliation"]["dropped_by_maps"] == 1
        assert loaded.closings == {"finding-4": "gone"}
        assert cvm.open() == names(1, 2, 3)

    @pytest.mark.parametrize(
        ("changed", "gone"),
        [
            ({"uniqueId": "'x-' + uniqueId"}, {"finding-3"}),
            ({"uniqueId": None}, set()),
            ({"type": "'SENSITIVE_CONTENT'"}, {"finding-3"}),
            ({"webApp": None}, {"finding-3"}),
        ],
        ids=str,
    )
    def test_what_gets_another_identity_is_not_gone(
        self, changed: dict[str, object], gone: set[str], cvm: CVM
    ) -> None:
        cvm.begin(replace(TWO, findings=[*TWO.findings, finding(3)]))
        kept = {"__key_properties__": ["id"]} if None in changed.values() else {}

        loaded = cvm.load(
            joined(*_typed(lines(cvm))), stream_maps={"findings": {**kept, **changed}}
        )

        assert (loaded.outcome, loaded.closings) == ("succeeded", dict.fromkeys(gone, "gone"))
        assert cvm.open() >= names(1, 2)
        (warning,) = loaded.report["warnings"]
        assert warning.startswith("stream_maps change uniqueId, type or webApp of 2 findings open")

    def test_a_web_application_that_only_a_map_names_was_not_read(self, cvm: CVM) -> None:
        cvm.begin(Sync([webapp(1), webapp(2)], [finding(1), finding(2, 2)]))
        given = Sync([webapp(1)], [finding(1)])

        loaded = cvm.load(
            joined(*_typed(lines(cvm, given))), stream_maps={"webapps": {"id": "id + 1"}}
        )

        assert (loaded.exit_code, loaded.closings) == (0, {})

    def test_a_stream_that_is_renamed_away_is_lost(self, cvm: CVM) -> None:
        cvm.begin(replace(TWO, findings=[*TWO.findings, finding(3)]))

        loaded = cvm.load(
            joined(*_typed(lines(cvm))), stream_maps={"findings": {"__alias__": "vulns"}}
        )

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert "makes vulns of findings" in loaded.message
        assert cvm.open() == names(1, 2, 3)


def _kept(*dropped: str) -> dict[str, str]:
    return {name: name for name in finding() if name not in dropped}


def _typed(given: list[str]) -> list[str]:
    """Give the schemas the properties that maps need to know."""
    rows: dict[str, dict[str, Any]] = {}
    for line in given:
        message = json.loads(line)
        if message["type"] == "RECORD":
            rows.setdefault(message["stream"], message["record"])
    schemas = {
        name: schema(name, schema={"properties": {k: {"type": _types(v)} for k, v in row.items()}})
        for name, row in rows.items()
    }
    messages = map(json.loads, given)
    return [
        schemas[message["stream"]] if message["type"] == "SCHEMA" else line
        for message, line in zip(messages, given, strict=True)
    ]


def _types(value: object) -> list[str]:
    kinds = {bool: "boolean", int: "integer", str: "string", dict: "object", list: "array"}
    return [kinds.get(type(value), "string"), "null"]


class TestReplay:
    """What a tap once wrote into a file can be loaded again, by hand."""

    def test_a_replay_loads_as_it_would_have_then(self, cvm: CVM) -> None:
        given = TWO.lines(cvm.clock.now())
        cvm.clock.advance(timedelta(days=2))

        loaded = cvm.load(given)

        assert loaded.outcome == "succeeded"
        assert_loaded(loaded, cvm)

    def test_two_inputs_one_after_the_other_prove_nothing(self, cvm: CVM) -> None:
        first = replace(TWO, findings=[finding(1)])
        second = replace(TWO, findings=[finding(2)])
        cvm.begin(replace(TWO, findings=[finding(3)]))

        loaded = cvm.load(joined(*lines(cvm, first), *lines(cvm, second)))

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert "2 findings arrived of 1" in loaded.message
        assert cvm.open() == names(1, 2, 3)


def test_a_byte_order_mark_and_windows_line_ends_are_passed_over(cvm: CVM) -> None:
    given = "\r\n".join([*lines(cvm), ""]).encode()

    assert_loaded(cvm.load(b"\xef\xbb\xbf" + given), cvm)


def test_an_entry_without_findings_defines_nothing(cvm: CVM) -> None:
    loaded = cvm.load(replace(TWO, entries=[entry(n) for n in range(150000, 150040)]))

    (document,) = loaded.documents.values()
    assert len(document["vuln_defs"]) == 2
