"""Findings out of report files that a person exported, without a call to Qualys."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import jsonschema
import pytest

from tap_qualyswas import errors
from tests.sandbox.qualys.xml.portal_report import SCAN_REPORT, ReportShape
from tests.sandbox.world.clock import Clock
from tests.sandbox.world.model import INFORMATION_GATHERED, VULNERABILITY, iso
from tests.sandbox.world.size import WorldSize
from tests.sandbox.world.world import World
from tests.tap.exports import Exports, ids
from tests.tap.syncs import run_tap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.world.model import Finding
    from tests.tap.syncs import Outcome

SIZE: Final = WorldSize(apps=4, findings=60, qids=20, scans=6)
SHAPES: Final = {
    "sections": ReportShape(),
    "no potential": ReportShape(potential=False, marked=False, zone=0),
    "doctype": ReportShape(doctype='<!DOCTYPE WAS_WEBAPP_REPORT SYSTEM "file:///etc/hostname">\n'),
    "no summary": ReportShape(summary=False, filters=(), zone=5),
}
SCANS: Final = ReportShape(SCAN_REPORT)
DAY: Final = timedelta(days=1)


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(World(SIZE, Clock()), tmp_path / "reports")


def rows_by_id(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {row["uniqueId"]: row for row in outcome.records("findings")}


def expected(row: Finding, shape: ReportShape) -> dict[str, Any]:
    minute = row.last - row.last % 60
    told: dict[str, Any] = {
        "id": row.id,
        "type": row.type,
        "qid": row.qid.qid,
        "name": row.qid.title,
        "severity": row.severity,
        # The glossary calls sensitive content neither.
        "potential": row.qid.potential and (shape.potential or row.type == VULNERABILITY),
        "url": row.url,
        "param": row.param,
        "status": row.status,
        "group": row.qid.group,
        "cwe": [*row.qid.cwe],
        "lastDetectedDate": iso(minute),
    }
    return told | {
        "owasp": [one.code for one in row.qid.owasp],
        "wasc": [one.code for one in row.qid.wasc],
        "webApp": {"id": row.app.id, "name": row.app.name, "url": row.app.url, "tags": None},
    }


def shown(row: dict[str, Any]) -> dict[str, Any]:
    codes = {name: [one["code"] for one in row[name]] for name in ("owasp", "wasc")}
    return row | codes


@pytest.mark.parametrize("shape", SHAPES)
def test_a_report_of_web_applications_gives_all_that_the_world_has(
    exports: Exports, shape: str
) -> None:
    exports.write("all.xml", SHAPES[shape])
    outcome = exports.sync()

    rows = rows_by_id(outcome)
    assert rows.keys() == exports.unique_ids()
    for one in exports.world.all_findings():
        row = shown(rows[exports.world.unique_id(one)])
        told = expected(one, SHAPES[shape])
        assert {name: row[name] for name in told} == told
    assert not [line for line in outcome.log.splitlines() if "left out fields" in line]


def test_the_sync_is_full_complete_and_covers_what_was_reported(exports: Exports) -> None:
    exports.write("all.xml")
    proof = exports.sync().proof

    assert (proof["mode"], proof["complete"]) == ("full", True)
    assert proof["coverage"]["source"] == "report_files"
    assert proof["coverage"]["wholeAccount"] is False
    assert proof["coverage"]["since"] is None
    assert proof["coverage"]["webApps"] == {
        "read": len(exports.world.apps),
        "notProven": [],
        "changed": [],
    }
    moment = exports.world.moment()
    assert proof["startedAt"] == iso(moment - moment % 60)
    assert proof["apiUrl"] == "file://report-files"
    assert proof["subscription"] is proof["login"] is None


def test_web_applications_come_out_of_the_appendix(exports: Exports) -> None:
    exports.write("all.xml")
    outcome = exports.sync()

    for row in outcome.records("webapps"):
        app = exports.world.apps[row["id"]]
        assert (row["name"], row["url"], row["os"]) == (app.name, app.url, app.os)
        assert [tag["name"] for tag in row["tags"]] == [*dict.fromkeys(t.name for t in app.tags)]
        assert row["owner"] == {
            "id": None,
            "username": "user_ab1",
            "firstName": "Alex",
            "lastName": "Doe",
        }
    assert len(outcome.records("webapps")) == len(exports.world.apps)
    assert outcome.records("scans") == []


def test_the_glossary_is_the_knowledge_base(exports: Exports) -> None:
    exports.write("all.xml")
    outcome = exports.sync()

    found = {row["qid"]: row for row in outcome.records("knowledge_base")}
    qids = {one.qid.qid: one.qid for one in exports.world.all_findings()}
    assert found.keys() == qids.keys()
    for number, row in found.items():
        qid = qids[number]
        assert (row["title"], row["severityLevel"]) == (qid.title, qid.severity)
        assert row["cwe"] == [*qid.cwe]
        assert row["cves"] == ([*qid.entry.cves] if qid.entry else [])
        assert row["wasc"] == [
            {"name": one.name, "url": None, "code": one.code} for one in qid.wasc
        ]
        if qid.entry:
            assert row["diagnosis"] == qid.entry.diagnosis


def test_a_report_of_a_scan_is_read_and_covers_nothing(exports: Exports) -> None:
    app = next(iter(exports.world.apps.values()))
    exports.write("scan.xml", replace(SCANS, sections=False), [app])
    outcome = exports.sync()

    open_ones = [one for one in exports.world.findings_of(app) if one.open]
    assert ids(outcome) == {exports.world.unique_id(one) for one in open_ones}
    for row in outcome.records("findings"):
        assert row["webApp"]["id"] == app.id
        assert row["status"] == (None if row["type"] == INFORMATION_GATHERED else "ACTIVE")
        assert row["lastTestedDate"] == row["lastDetectedDate"]
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [app.id]
    assert "Nothing is proven for 1 web application" in outcome.log


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (ReportShape(filters=("Level 3, 4, 5",)), "has filters (Level 3, 4, 5)"),
        (ReportShape(miscounted=2), "proves nothing: it counts"),
        (ReportShape(summary=False), "nothing tells whether it has any SENSITIVE_CONTENT"),
    ],
)
def test_a_report_that_may_lack_something_covers_nothing(
    exports: Exports, shape: ReportShape, told: str
) -> None:
    for found in [*exports.world.findings["SENSITIVE_CONTENT"]]:
        exports.world.delete_finding(found)
    exports.write("some.xml", shape)
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids()
    assert told in outcome.log
    assert outcome.proof["coverage"]["webApps"]["notProven"] == sorted(exports.world.apps)


def test_rows_outside_of_sections_go_to_the_web_application_of_their_url(exports: Exports) -> None:
    exports.world.delete_app(next(iter(exports.world.apps.values())))
    one, other, *_ = exports.world.apps.values()
    one.url, other.url = "https://one.example.test/a", "https://one.example.test/ab"
    for at, found in enumerate(exports.world.findings_of(one)):
        found.url = None if found.url is None else f"https://one.example.test/a/{at}"
    for at, found in enumerate(exports.world.findings_of(other)):
        found.url = None if found.url is None else f"https://one.example.test/ab?{at}"
    exports.write("flat.xml", ReportShape(sections=False), [one, other])
    outcome = exports.sync()

    for row in outcome.records("findings"):
        assert row["webApp"]["id"] == (one.id if row["url"].startswith(f"{one.url}/") else other.id)
    # Information items have no URL: nothing tells whose they are.
    assert INFORMATION_GATHERED not in {row["type"] for row in outcome.records("findings")}
    assert "nothing tells whose QID" in outcome.log
    assert outcome.proof["coverage"]["webApps"]["notProven"] == sorted([one.id, other.id])


def test_rows_without_unique_ids_keep_the_ids_that_are_made_for_them(exports: Exports) -> None:
    exports.write("all.xml", ReportShape(unique_ids=False, word_ids=True))
    first = exports.sync()
    exports.world.clock.advance(DAY)
    exports.write("all.xml", ReportShape(unique_ids=False, bare_information=True))
    second = exports.sync(first.state)

    assert ids(first) == ids(second)
    assert {row["id"] for row in first.records("findings")} == {None}


def test_a_section_that_only_names_its_web_application_is_found_in_the_appendix(
    exports: Exports,
) -> None:
    app, other = [*exports.world.apps.values()][1:3]
    path = exports.write("some.xml", apps=[app, other])
    named = path.read_text().replace(f"<WEB_APPLICATION><ID>{app.id}</ID>", "<WEB_APPLICATION>")
    path.write_text(named)
    outcome = exports.sync()

    assert {row["webApp"]["id"] for row in outcome.records("findings")} == {app.id, other.id}
    assert outcome.proof["coverage"]["webApps"]["notProven"] == []


def test_a_web_application_whose_id_is_no_number_has_no_row(exports: Exports) -> None:
    app, other = [*exports.world.apps.values()][1:3]
    path = exports.write("some.xml", apps=[app, other])
    path.write_text(path.read_text().replace(f"<ID>{app.id}</ID>", "<ID>app-one</ID>"))
    outcome = exports.sync()

    assert {row["id"] for row in outcome.records("webapps")} == {other.id}
    names = {row["webApp"]["id"]: row["webApp"]["name"] for row in outcome.records("findings")}
    assert names == {None: app.name, other.id: other.name}
    assert "of a web application whose id no report tells" in outcome.log


def test_the_same_file_twice_gives_each_finding_once(exports: Exports) -> None:
    shutil.copy(exports.write("all.xml"), exports.folder / "copy.XML")
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids()
    assert outcome.proof["streams"][2]["duplicates"] == len(exports.unique_ids())
    assert outcome.proof["coverage"]["webApps"]["notProven"] == []


def test_the_newest_report_of_a_web_application_counts(exports: Exports) -> None:
    exports.write("monday.xml")
    app = next(app for app in exports.world.apps.values() if exports.world.of_app.get(app.id))
    gone = exports.world.findings_of(app)[0]
    exports.world.clock.advance(DAY)
    exports.world.delete_finding(gone)
    exports.write("a tuesday.xml", apps=[app])
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids()
    assert outcome.proof["coverage"]["webApps"]["notProven"] == []
    assert "of older reports" in outcome.log


def test_a_newer_report_of_a_scan_adds_to_an_older_one_of_the_web_application(
    exports: Exports,
) -> None:
    exports.write("monday.xml")
    monday = exports.unique_ids()
    app = next(iter(exports.world.apps.values()))
    exports.world.clock.advance(DAY)
    exports.world.add_finding(app)
    exports.write("scan.xml", SCANS, [app])
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids() > monday
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [app.id]


def test_a_report_older_than_one_that_was_read_before_is_not_read(exports: Exports) -> None:
    old = exports.text()
    exports.world.clock.advance(DAY)
    app = next(iter(exports.world.apps.values()))
    exports.write("new.xml", apps=[app])
    first = exports.sync()
    exports.empty()
    (exports.folder / "old.xml").write_text(old)
    second = exports.sync(first.state)
    anyway = exports.sync(first.state, full_sync=True)

    others = {row["webApp"]["id"] for row in second.records("findings")}
    assert others
    assert app.id not in others
    assert app.id not in {row["id"] for row in second.records("webapps")}
    assert second.proof["coverage"]["webApps"]["notProven"] == [app.id]
    assert f"newer reports of 1 web application (ids {app.id})" in second.log
    assert app.id in {row["webApp"]["id"] for row in anyway.records("findings")}


def test_a_day_without_a_new_file_reads_the_same_again(exports: Exports) -> None:
    exports.write("all.xml")
    first = exports.sync()
    second = exports.sync(first.state)

    assert ids(first) == ids(second)
    assert second.proof["coverage"] == first.proof["coverage"]
    # A target must be able to tell which of the two was first.
    assert second.proof["startedAt"] > first.proof["startedAt"]
    assert second.proof["previousSyncAt"] == first.proof["startedAt"]


def test_a_file_that_is_not_well_formed_is_refused_by_its_line(exports: Exports) -> None:
    app, *others = exports.world.apps.values()
    exports.write("good.xml", apps=others)
    bad = exports.write("bad.xml", apps=[app])
    lines = bad.read_text().splitlines()
    bad.write_text("\n".join([*lines[:6], "<BROKEN></BORKEN>", *lines[6:]]))
    (exports.folder / "cut.csv").write_text(exports.text(kind="csv").rstrip()[:-8])
    (exports.folder / "list.csv").write_text("a,b\n1,2\n")
    (exports.folder / "other.xml").write_text("<ASSET_DATA_REPORT/>")
    (exports.folder / "none.xml").write_text("")
    outcome = exports.sync()

    assert f"Passed over the report {bad}: line 7: it is not well-formed XML." in outcome.log
    for told in (
        "cut.csv: line",
        "list.csv: it is not the CSV of a report",
        "other.xml: its root is ASSET_DATA_REPORT, not WAS_SCAN_REPORT or WAS_WEBAPP_REPORT",
        "none.xml: it is not the CSV of a report",
    ):
        assert told in outcome.log
    assert {row["id"] for row in outcome.records("webapps")} == {one.id for one in others}
    assert outcome.proof["complete"] is True


@pytest.mark.parametrize("kind", ["xml", "csv"])
def test_a_file_that_was_cut_anywhere_is_never_taken_for_a_whole_one(
    exports: Exports, kind: str
) -> None:
    app = [*exports.world.apps.values()][1]
    whole = exports.text(apps=[app], kind=kind).encode()
    for share in range(1, 40):
        cut = whole[: len(whole) * share // 40]
        (exports.folder / f"cut.{kind}").write_bytes(cut)
        try:
            proof = exports.sync().proof
        except errors.UnreadableReports:
            continue
        # Lines that are missing at the end of CSV show nowhere.
        assert kind == "csv"
        assert proof["coverage"]["webApps"]["notProven"] == []
        assert proof["coverage"]["webApps"]["read"] == 0


def test_ids_of_any_size_do_no_harm(exports: Exports) -> None:
    app = [*exports.world.apps.values()][1]
    rows = exports.world.findings_of(app)
    for name in ("a.xml", "a.csv"):
        path = exports.write(name, apps=[app])
        path.write_text(path.read_text().replace(str(rows[0].id), "9" * 19))

    names = {exports.world.unique_id(one) for one in rows}
    assert names <= ids(exports.sync())


def test_names_from_outside_do_not_steer_a_terminal(exports: Exports) -> None:
    exports.write("\x1b[31mred.xml", ReportShape(filters=("Level \x9b31m5",)))
    (exports.folder / "bad\x1b[2J.xml").write_text("<a\x85/>")
    log = exports.sync().log

    assert "proves nothing: it has filters (Level" in log
    assert not {"\x1b", "\x9b", "\x85"} & {*log}


def test_the_check_tells_what_can_be_read(exports: Exports) -> None:
    exports.write("all.xml")
    given = {"source": "report_files", "report_paths": [str(exports.folder)]}
    outcome = run_tap(given, options=["--test"])

    assert outcome.exit_code == 0
    assert "1 report can be read: 4 web applications, 20 QIDs" in outcome.log
    assert outcome.messages == []


def test_declared_entities_are_refused_and_nothing_else_is_opened(
    exports: Exports, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden-word")
    app, other, *_ = exports.world.apps.values()
    exports.write("good.xml", apps=[other])
    for name, subset in {
        "outside.xml": f'[<!ENTITY x SYSTEM "{secret.as_uri()}">]',
        "laughs.xml": '[<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY x "&b;&b;">]',
    }.items():
        path = exports.write(
            name, ReportShape(doctype=f"<!DOCTYPE WAS_SCAN_REPORT {subset}>"), [app]
        )
        path.write_text(path.read_text().replace("by hand", "&x;"))
    outcome = exports.sync()

    assert outcome.log.count("its DOCTYPE declares entities of its own") == 2
    assert "hidden-word" not in str(outcome.messages)
    assert {row["id"] for row in outcome.records("webapps")} == {other.id}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["all.xml", "all.csv"])
def test_files_may_be_saved_with_a_mark_of_their_encoding(
    exports: Exports, name: str, encoding: str
) -> None:
    for qid in exports.world.qids:
        exports.world.retitle(qid, f"Überlange Eingabe {qid.qid} – führt zu Fehlern")
    exports.write(name)
    told = [row | {"syncId": None} for row in exports.sync().records("findings")]
    exports.write(name, encoding=encoding)

    again = exports.sync().records("findings")
    assert [row | {"syncId": None} for row in again] == told
    assert {row["name"] for row in told} <= {qid.title for qid in exports.world.qids}


def test_what_xml_does_not_allow_in_a_text_is_replaced_and_counted(exports: Exports) -> None:
    path = exports.write("all.xml")
    marked = path.read_text().replace("by hand", "by&nbsp;hand &#8; \x0b")
    path.write_text(f"\n{marked}")
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids()
    assert "reports: replaced 2 illegal characters" in outcome.log
    assert outcome.proof["coverage"]["webApps"]["notProven"] == []


def test_csv_and_xml_name_one_finding_the_same(exports: Exports) -> None:
    app = next(one for one in exports.world.apps.values() if one.name.startswith("R&D"))
    exports.write("all.xml")
    xml = rows_by_id(exports.sync())
    exports.world.clock.advance(DAY)
    exports.world.add_finding(app)
    exports.write("newer.csv", apps=[app])
    outcome = exports.sync()

    both = rows_by_id(outcome)
    assert xml.keys() < both.keys()
    assert len(both) == len(exports.unique_ids())
    assert {row["webApp"]["id"] for row in both.values()} == {*exports.world.apps}
    for key in xml:
        same = ("id", "type", "qid", "url", "param", "name", "severity", "status")
        assert [xml[key][name] for name in same] == [both[key][name] for name in same]
    # CSV does not say whether it shows everything.
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [app.id]


def test_csv_and_xml_without_unique_ids_name_one_finding_the_same(exports: Exports) -> None:
    app = [*exports.world.apps.values()][2]
    exports.write("one.xml", ReportShape(unique_ids=False), apps=[app])
    alone = ids(exports.sync())
    exports.write("one.csv", apps=[app])

    assert ids(exports.sync()) == alone
    assert len(alone) > 5


def test_csv_that_cannot_name_its_web_application_closes_nothing(exports: Exports) -> None:
    alike = [one for one in exports.world.apps.values() if one.name == "Intranet 0"]
    exports.write("all.xml")
    exports.world.clock.advance(DAY)
    exports.world.add_finding(alike[0])
    exports.write("newer.csv", apps=[alike[0]])
    outcome = exports.sync()

    (row,) = (row for row in outcome.records("findings") if row["webApp"]["id"] is None)
    assert row["webApp"]["name"] == "Intranet 0"
    assert "1 row is of a web application whose id no report tells" in outcome.log


def test_csv_alone_is_read_with_ids_of_its_own(exports: Exports) -> None:
    app = max(exports.world.apps.values(), key=lambda one: len(exports.world.findings_of(one)))
    exports.write("one.csv", apps=[app])
    outcome = exports.sync()

    rows = outcome.records("findings")
    assert len(ids(outcome)) == len(rows)
    # Without an id of its own a finding is what it says, as in the reports of scans.
    assert {(row["type"], row["qid"], row["url"], row["param"]) for row in rows} == {
        (one.type, one.qid.qid, one.url, one.param) for one in exports.world.findings_of(app)
    }
    assert {row["qid"] for row in rows} == {row["qid"] for row in outcome.records("knowledge_base")}
    assert ids(exports.sync(outcome.state)) == ids(outcome)


def test_filters_choose_among_what_the_reports_have(exports: Exports) -> None:
    exports.write("all.xml")
    app = next(iter(exports.world.apps.values()))
    by_id = exports.sync(webapp_ids=[app.id], finding_types=["VULNERABILITY"])
    by_name = exports.sync(webapp_name_contains=app.name.upper())

    assert {row["webApp"]["id"] for row in by_id.records("findings")} == {app.id}
    assert {row["type"] for row in by_id.records("findings")} == {"VULNERABILITY"}
    assert by_id.proof["coverage"]["findingTypes"] == ["VULNERABILITY"]
    assert app.id in {row["id"] for row in by_name.records("webapps")}
    with pytest.raises(errors.NothingMatches, match="webapp_ids 5"):
        exports.sync(webapp_ids=[5])


def test_evidence_comes_decoded_and_redacted(exports: Exports) -> None:
    for marked in (True, False):
        exports.write("all.xml", ReportShape(marked=marked))
        rows = exports.sync(include_evidence=True).records("findings")

        assert len(rows) == len(exports.unique_ids())
        for row in rows:
            (result,) = row["resultList"]
            (payload,) = result["payloads"]
            if row["type"] == INFORMATION_GATHERED:
                assert payload["response"] == f"Number of links: {row['id'] % 40}"
                continue
            assert payload["response"] == "The response had it."
            assert payload["request"] == {
                "method": "POST",
                "link": "https://example.test/",
                "headers": "[redacted]",
                "body": "[redacted]",
            }
    whole = exports.sync(include_evidence=True, redact_evidence=False).records("findings")
    sent = [row["resultList"][0]["payloads"][0]["request"] for row in whole if row["url"]]
    assert {one["headers"].partition(":")[0] for one in sent} == {"Cookie"}


def test_rows_keep_to_the_schemas(exports: Exports) -> None:
    exports.write("all.xml")
    outcome = exports.sync(include_evidence=True)

    schemas = {
        message["stream"]: message["schema"]
        for message in outcome.messages
        if message["type"] == "SCHEMA"
    }
    for stream, schema in schemas.items():
        rows = outcome.records(stream)
        assert rows or stream == "scans"
        for row in rows:
            jsonschema.validate(row, schema)
            assert row.keys() == schema["properties"].keys()


def test_without_evidence_nothing_of_it_is_written(exports: Exports) -> None:
    exports.write("all.xml")
    exports.write("all.csv")

    assert not any("session=" in str(message) for message in exports.sync().messages)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"report_paths": []}, "report_paths must be set"),
        ({"report_paths": ["/nowhere/reports"]}, "names /nowhere/reports, which is not there"),
        ({"start_date": "2026-01-01"}, "start_date cannot be used with source report_files"),
        ({"webapp_tags_exclude": ["Shop"]}, "webapp_tags_exclude cannot be used"),
        ({"webapp_tag_ids": [1]}, "webapp_tag_ids cannot be used with source report_files"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    exports: Exports, settings: dict[str, Any], told: str
) -> None:
    exports.write("all.xml")

    with pytest.raises(errors.SettingsError, match=told):
        exports.sync(**settings)


def test_a_folder_without_a_report_that_can_be_read_is_an_error(exports: Exports) -> None:
    (exports.folder / "notes.txt").write_text("none")
    with pytest.raises(errors.SettingsError, match="There is no report in"):
        exports.sync()

    (exports.folder / "bad.xml").write_text("<WAS_SCAN_REPORT>")
    with pytest.raises(errors.UnreadableReports, match="None of 1 report file"):
        exports.sync()
