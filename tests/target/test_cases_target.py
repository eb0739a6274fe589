"""Inputs that other programs failed on, each with the outcome that is right here."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qualyswas_ciscovm.settings import coerce
from target_ciscovm.kdi.types import MAX_NAME
from target_ciscovm.settings.schema import CONFIG_SCHEMA
from tests.target.processes import Process, eventually, newest
from tests.target.quick import connect
from tests.target.recorded import FOLDER, either, findings_of, identifiers, old, stream
from tests.target.rows import APP
from tests.target.scripted_server import Reply, ScriptedServer
from tests.target.streams import Sync, joined, record, schema, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

DAY = "2024-05-0%dT08:00:00Z"
NO_DATES = dict.fromkeys(("lastDetectedDate", "lastTestedDate", "firstDetectedDate"))


def definitions(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """Give the definitions of the only file by name."""
    (document,) = loaded.documents.values()
    return {row["name"]: row for row in document["vuln_defs"]}


def notes(loaded: Loaded) -> dict[str, int]:
    return {note["text"]: note["count"] for note in loaded.report["notes"]}


def filtered(loaded: Loaded) -> dict[str, tuple[int, int]]:
    """Give what each filter left out, and will close, by name."""
    rows = loaded.report["reconciliation"]["filtered_by"]
    return {row["name"]: (row["filtered"], row["will_close"]) for row in rows}


def knowledge(*entries: dict[str, object]) -> bytes:
    """Make lines of the knowledge base, to come before an input."""
    return joined(schema("knowledge_base"), *(record("knowledge_base", row) for row in entries))


@either("C14_singer.jsonl", stream(old(1, status="FIXED"), old(2)))
def test_a_fix_is_closed_by_name_also_where_nothing_closes_by_absence(
    given: bytes, cvm: CVM
) -> None:
    cvm.load(given.replace(b"FIXED", b"ACTIVE"))
    assert cvm.open() == identifiers(1, 2)

    loaded = cvm.load(given)

    assert (loaded.exit_code, cvm.open(), cvm.closed()) == (0, identifiers(2), identifiers(1))


@either("C20_singer.jsonl", stream(old(1, qid=0, name="Issue A"), old(2, qid=0, name="Issue B")))
def test_imported_findings_of_qid_0_stay_two_with_two_definitions(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    assert set(loaded.items()) == identifiers(1, 2)
    assert len(definitions(loaded)) == 2


@either(
    "C22_scenario.json",
    stream(old(1, resultList=[{"response": "not*base64", "base64": True}, {"response": "\x00"}])),
)
def test_evidence_that_is_not_what_it_says_never_loses_the_finding(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    (item,) = loaded.items().values()
    assert "not*base64" in item["details"]
    assert cvm.open() == {item["scanner_identifier"]}


@either(
    "C23_singer.jsonl",
    stream(
        old(1, webApp=APP | {"url": None}),
        old(2, url=None, webApp={"id": 9002, "name": "", "url": "not a url"}),
        old(3, url=None, webApp=None),
    ),
)
def test_a_finding_without_a_url_is_at_its_application_else_rejected(
    given: bytes, cvm: CVM
) -> None:
    loaded = cvm.load(given, max_failed_percent="50")

    places = [{k: v for k, v in a.items() if k in ("url", "external_id")} for a in loaded.assets]
    assert {"external_id": "9002"} in places
    assert {"url": "https://app1.example.test/page1", "external_id": "9001"} in places
    assert [row["key"] for row in loaded.rejected] == list(identifiers(3))
    assert "no URL" in loaded.rejected[0]["reason"]


@either(
    "C25_scenario.json",
    stream(
        old(1, severity="3"),
        old(2, severity=3.0),
        old(3, severity=""),
        old(4, severity="3", timesDetected="50.0", cvssV3={"base": "7.5 (AV:N/AC:L)"}),
    ),
)
def test_numbers_of_every_form_are_read(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    items = list(loaded.items().values())
    assert sorted(item.get("scanner_score", 0) for item in items) == [0, 3, 3, 3]
    (scored,) = (item["details"] for item in items if "CVSS v3 base: 7.5" in item["details"])
    assert "Times detected: 50\n" in scored
    assert loaded.rejected == []


@either(
    "C26_singer.jsonl",
    stream(
        old(1, lastTestedDate="2024-05-02T08:00:00.123Z"),
        old(2, lastTestedDate="2024-05-02T10:00:00+02:00"),
        old(3, lastTestedDate="2024-05-02 08:00:00"),
        old(4, lastTestedDate="0000-00-00T00:00:00Z"),
        old(5, lastTestedDate=""),
        old(6, lastTestedDate=None),
    ),
)
def test_dates_of_every_form_are_read_and_a_zero_date_is_none(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    seen = {asset["url"][-1]: asset["last_seen_at"] for asset in loaded.assets}
    assert [seen[page] for page in "123456"] == [DAY % 2] * 3 + [DAY % 1] * 3
    assert notes(loaded)["lastTestedDate is no date that can be read: left out"] == 1


@either(
    "C28_singer.jsonl",
    stream(
        old(1, type="INFORMATION_GATHERED", severity=1),
        old(2, severity=1),
        old(3, type="SENSITIVE_CONTENT", severity=4),
        old(4, type="information_gathered"),
    ),
)
def test_informational_is_what_has_no_class_whatever_its_type_and_severity(
    given: bytes, cvm: CVM
) -> None:
    entries = [{"qid": 159000 + n, "cwe": [79] if n in (2, 3) else []} for n in (1, 2, 3, 4)]

    unknown = cvm.load(given, exclude_informational=True)
    known = cvm.load(knowledge(*entries) + given, exclude_informational=True)

    assert len(unknown.items()) == 4
    assert set(known.items()) == {"VULNERABILITY-7002", "SENSITIVE_CONTENT-7003"}
    assert filtered(known) == {"exclude_informational": (2, 0)}
    assert (known.exit_code, known.rejected) == (0, [])


OTHER_APP = {"id": 9002, "name": "Demo App 2", "url": "https://app2.example.test/"}


@either(
    "C29_singer.jsonl",
    stream(
        old(1, qid=159001),
        old(2, qid=159001),
        old(3, qid=159001, url="https://app2.example.test/page3", webApp=OTHER_APP),
    ),
)
def test_one_qid_on_many_pages_is_one_definition_and_many_findings(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given, locator_order=["external_id"])

    assert sorted(len(asset["vulns"]) for asset in loaded.assets) == [1, 2]
    assert set(loaded.items()) == identifiers(1, 2, 3)
    assert len(definitions(loaded)) == 1


@either(
    "C31_scenario.json",
    stream(
        old(
            1, webApp=APP | {"tags": [{"name": name} for name in ("Blue, North", " Team ", "Team")]}
        ),
        old(2, url="https://app2.example.test/", webApp=OTHER_APP | {"tags": {"count": 0}}),
    ),
)
def test_tags_are_trimmed_and_different_and_a_comma_is_theirs(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given, tag_application=False)
    skipped = cvm.load(given, skip_tags=True)

    assert [asset.get("tags") for asset in loaded.assets] == [["Blue, North", "Team"], None]
    assert all("tags" not in asset for asset in skipped.assets)


@either("C40_scenario.json", stream(old(1), old(2)))
def test_what_a_tap_wrote_before_it_died_closes_nothing(given: bytes, cvm: CVM) -> None:
    rows = findings_of(given)
    before = {str(row.get("uniqueId") or f"VULNERABILITY-{row['id']}") for row in rows}
    cvm.load(Sync([webapp(9001, url=APP["url"])], rows))
    assert cvm.open() == before

    loaded = cvm.load(stream(*rows[:1]))

    assert (loaded.outcome, cvm.open()) == ("succeeded_unproven", before)
    assert loaded.closing_files == []


PREFIX = "TARGET_CISCOVM_"
ENVIRONMENT = {
    f"{PREFIX}EXCLUDE_INFORMATIONAL": "false",
    f"{PREFIX}LOCATOR_ORDER": "",
    f"{PREFIX}SKIP_TAGS": '["Blue"]',
}


@either("C41_env.json", json.dumps(ENVIRONMENT).encode())
def test_settings_as_texts_are_read_or_refused_by_name(given: bytes) -> None:
    found: dict[str, str] = json.loads(given)
    ours = {key.removeprefix(PREFIX).lower(): found[key] for key in found if PREFIX in key}

    config, problems = coerce(ours, CONFIG_SCHEMA)

    assert config["exclude_informational"] is False
    assert "" not in config["locator_order"]
    assert [problem.split()[0] for problem in problems] == ["skip_tags"]


@either("C55_singer.jsonl", b"")
def test_no_line_at_all_is_an_abort(given: bytes, cvm: CVM) -> None:
    assert_aborted(given, cvm)


@either("C55_b_singer.jsonl", stream().splitlines(keepends=True)[-1])
def test_a_state_alone_is_an_abort(given: bytes, cvm: CVM) -> None:
    assert_aborted(given, cvm)


@either("C55_c_singer.jsonl", stream())
def test_a_schema_and_a_state_alone_are_an_abort(given: bytes, cvm: CVM) -> None:
    assert_aborted(given, cvm)


def assert_aborted(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)
    strict = cvm.load(given, fail_on_abort=True)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("aborted", 0, [])
    assert (strict.outcome, strict.exit_code, strict.states) == ("aborted", 1, [])
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0


@either("C56_singer.jsonl", stream(old(1)))
def test_a_state_is_not_passed_on_before_the_run_has_succeeded(given: bytes, cvm: CVM) -> None:
    cvm.faults.arm("run-fails")
    failed = cvm.load(given)
    loaded = cvm.load(given)

    assert (failed.outcome, failed.exit_code, failed.states) == ("failed", 1, [])
    assert (loaded.exit_code, len(loaded.states)) == (0, 1)


@either("C58_singer.jsonl", stream(old(1)))
def test_a_signal_is_no_end_of_the_input(given: bytes, cvm: CVM) -> None:
    process = Process(cvm)
    process.write(given)
    eventually(lambda: cvm.output.exists() and cvm.requests["entitlements/overage"])
    eventually((newest(cvm.output) / "spool" / "records.db").exists)
    process.signal(signal.SIGTERM)
    ended = process.end()

    assert (ended.exit_code, ended.output) == (143, ""), ended.log
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0


@either("C59_singer.jsonl", stream(old(1))[:-100] + b'{"type":"RECORD","stream":"findi')
def test_half_a_line_at_the_end_fails_and_closes_nothing(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    assert "cut off" in loaded.message
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0


@either("C61_singer.jsonl", stream(old(1)))
def test_an_application_that_vanished_is_not_closed_by_its_absence(given: bytes, cvm: CVM) -> None:
    cvm.load(Sync([webapp(9001, url=APP["url"])], findings_of(given)))

    kept = cvm.load(Sync([webapp(9003)]), max_close_percent=100)
    assert cvm.open() == identifiers(1)
    assert [row["id"] for row in kept.report["webapps_gone"]] == [9001]

    cvm.load(Sync([webapp(9003)]), max_close_percent=100, close_deleted_webapps=True)
    assert (cvm.open(), cvm.closed()) == (set(), identifiers(1))


@either(
    "C62_singer.jsonl",
    stream(
        old(1, webApp=APP | {"url": "HTTPS://App1.Example.Test"}),
        old(2),
        old(3, url="https://app1.example.test/Other?x=1#top"),
    ),
)
def test_one_application_under_two_spellings_is_one_asset(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given, locator_order=["external_id", "application"])

    (asset,) = loaded.assets
    assert (asset["external_id"], len(asset["vulns"])) == ("9001", 3)


@either("C64_singer.jsonl", stream(old(1, name="Same title"), old(2, name="Same title")))
def test_two_qids_of_one_title_are_two_definitions(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    assert set(definitions(loaded)) == {"QID 159001 Same title", "QID 159002 Same title"}


@either(
    "C65_singer.jsonl",
    stream(old(1, qid=159001, name="N" * 300 + "A"), old(2, qid=159001, name="N" * 300 + "B")),
)
def test_names_over_the_limit_fit_and_are_the_same_in_every_run(given: bytes, cvm: CVM) -> None:
    one, again = cvm.load(given), cvm.load(given)

    assert list(definitions(one)) == list(definitions(again))
    assert {len(name) for name in definitions(one)} == {MAX_NAME}
    assert set(one.items()) == identifiers(1, 2)


@either(
    "C76_singer.jsonl",
    stream(
        old(1, lastTestedDate=None),
        old(2, lastTestedDate=None, lastDetectedDate=None),
        old(3, lastTestedDate="2022-01-01T00:00:00Z"),
    ),
)
def test_last_seen_is_a_date_of_the_finding_and_never_now(given: bytes, cvm: CVM) -> None:
    seen = {name: item["last_seen_at"] for name, item in cvm.load(given).items().items()}
    ignored = cvm.load(given, ignore_scanner_last_seen=True)

    assert seen == dict(
        zip(sorted(identifiers(1, 2, 3)), (DAY % 1, "2024-03-01T08:00:00Z", DAY % 1), strict=True)
    )
    assert all("last_seen_at" not in asset for asset in ignored.assets)


@either(
    "C77_singer.jsonl",
    stream(*(old(n, severity=value) for n, value in enumerate((0, 1, 3, 5, None, 9), 1))),
)
def test_severities_are_doubled_and_what_is_none_is_left_out(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given, data_model="findings")

    items = loaded.items("findings")
    found = [items[name].get("severity") for name in sorted(items)]
    assert found == [None, 2, 6, 10, None, None]


@either(
    "C80_singer.jsonl", stream(old(1, name="Line one\r\nLine two\rthree\t&lt;b&gt; <p>para</p>"))
)
def test_line_ends_and_mark_up_become_lines(given: bytes, cvm: CVM) -> None:
    (row,) = findings_of(given)
    entries = {"qid": row["qid"], "solution": row["name"], "diagnosis": "<UL><LI>a<LI>b</UL>"}

    (made,) = definitions(cvm.load(given)).values()
    assert made["name"] == f"QID {row['qid']} {' '.join(row['name'].split())}"

    (made,) = definitions(cvm.load(knowledge(entries) + given)).values()
    assert made["description"] == "- a\n- b"
    assert made["solution"].startswith("Line one\nLine two\n")
    assert "<b>" in made["solution"]
    assert "&lt;" not in made["solution"]
    assert "<p>" not in made["solution"]


@either(
    "C82_singer.jsonl",
    joined(schema("findings"), "", record("findings", old(1)), '{"type":"WHATEVER"}')
    + joined(record("findings", old(2))),
)
def test_blank_lines_and_unknown_messages_are_passed_over(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    assert (loaded.exit_code, cvm.open()) == (0, identifiers(1, 2))
    assert any("WHATEVER" in text for text in notes(loaded))


@either(
    "C83_singer.jsonl",
    joined(schema("findings"), '{"type":"RECORD","stream":"findings","record":{"id":7001,')[:-1]
    + b'"riskScore":NaN,"score":Infinity}}\n',
)
def test_what_is_no_number_is_null_and_counted(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)
    whole = cvm.load(stream(old(2)) + given, max_failed_percent="50")

    for one in (loaded, whole):
        assert notes(one)["NaN or infinity in a record: taken as null"] == 2
    assert cvm.open() == identifiers(2)


@either("C85_singer.jsonl", stream({"id": 7001}))
def test_a_field_that_a_mapper_took_is_named_in_one_clear_message(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
    assert "1 of 1 findings were rejected" in loaded.message
    assert "uniqueId" in loaded.rejected[0]["reason"]


@either(
    "C86_singer.jsonl",
    joined(schema("findings"), record("findings", old(1)))
    + b'{"type":"ACTIVATE_VERSION","stream":"findings","version":5}\n',
)
def test_a_version_message_closes_nothing(given: bytes, cvm: CVM) -> None:
    cvm.load(stream(old(1), old(2)))

    loaded = cvm.load(given)

    assert (loaded.exit_code, cvm.open()) == (0, identifiers(1, 2))
    assert loaded.closing_files == []


@either("C89_singer.jsonl", joined(record("findings", old(1)), schema("findings")))
def test_a_record_before_its_schema_fails_by_line_and_stream(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    assert (loaded.outcome, loaded.exit_code) == ("failed", 1)
    assert "Line 1 " in loaded.message
    assert "'findings' before its SCHEMA" in loaded.message


@either("C89_b_singer.jsonl", stream(old(1), name="scans2") + stream(old(1)))
def test_a_stream_that_nobody_knows_is_counted(given: bytes, cvm: CVM) -> None:
    loaded = cvm.load(given)

    (row,) = (row for row in loaded.report["streams"] if row["foreign"])
    assert (row["stream"], row["received"]) == ("scans2", 1)
    assert loaded.exit_code == 0


@either("C91_singer.jsonl", stream(*(old(number) for number in range(1, 6))))
def test_filters_that_leave_nothing_are_a_success_without_a_file(given: bytes, cvm: CVM) -> None:
    rows = findings_of(given)
    entries = [{"qid": row["qid"]} for row in rows]

    loaded = cvm.load(knowledge(*entries) + given, exclude_informational=True)

    assert (loaded.exit_code, loaded.documents, loaded.rejected) == (0, {}, [])
    assert filtered(loaded) == {"exclude_informational": (len(rows), 0)}
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0


@either("C92_singer.jsonl", stream(old(1, potential=True), old(2)))
def test_what_a_new_filter_will_close_is_told_before_and_after(given: bytes, cvm: CVM) -> None:
    sync = Sync([webapp(9001, url=APP["url"])], findings_of(given))
    cvm.load(sync)

    dry = cvm.load(sync, exclude_potential=True, dry_run=True)
    assert cvm.open() == identifiers(1, 2)
    wet = cvm.load(sync, exclude_potential=True)

    for loaded in (dry, wet):
        assert filtered(loaded) == {"exclude_potential": (1, 1)}
    assert (cvm.open(), cvm.closed()) == (identifiers(2), identifiers(1))


@either("C94_singer.jsonl", stream(old(1), old(2)))
def test_another_identity_is_refused_until_it_is_accepted(given: bytes, cvm: CVM) -> None:
    sync = Sync([webapp(9001, url=APP["url"])], findings_of(given))
    cvm.load(sync)

    refused = cvm.load(sync, locator_order=["external_id"])
    assert (refused.outcome, refused.exit_code) == ("refused", 2)
    assert "2 findings" in refused.message
    assert cvm.open() == identifiers(1, 2)

    accepted = cvm.load(sync, locator_order=["external_id"], accept_identity_change=True)
    assert (accepted.exit_code, cvm.open()) == (0, identifiers(1, 2))


TOO_MANY = {
    "exchange": [
        {
            "request": {"method": "POST", "path": "/connectors/42/data_file"},
            "response": {"status": 429, "headers": {"Retry-After": "0"}, "text": ""},
        },
        {
            "request": {"method": "POST", "path": "/connectors/42/data_file"},
            "response": {"status": 200, "headers": {}, "json": {"success": True, "data_file": 11}},
        },
    ]
}


@either("C95_scenario.json", json.dumps(TOO_MANY).encode())
def test_too_many_requests_are_waited_out_and_no_failure(given: bytes, tmp_path: Path) -> None:
    path = tmp_path / "kdi-0001.json"
    path.write_bytes(b"{}")
    with ScriptedServer() as server:
        for step in json.loads(given)["exchange"]:
            asked, told = step["request"], step["response"]
            reply = Reply(told["status"], told.get("json"), told.get("text"), told["headers"])
            server.script(asked["method"], asked["path"], reply)

        assert connect(server).upload(path) == 11
        assert len(server.asked("POST", "/connectors/42/data_file")) == 2


@pytest.mark.skipif(not FOLDER, reason="RECORDED_CASES is not set")
def test_every_recorded_input_of_the_target_has_its_test() -> None:
    index = json.loads((Path(FOLDER or "") / "INDEX.json").read_text("utf-8"))
    ours = {case["id"] for case in index if {"target", "pair"} & set(case["side"].split(" + "))}
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))

    assert {name for name in ours if f'"{name}' not in tests} == set()
