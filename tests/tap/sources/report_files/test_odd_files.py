"""Files that are damaged, hostile or none at all, and settings that cannot be."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from tap_qualyswas import errors
from tests.sandbox.qualys.xml.portal_report import ReportShape
from tests.tap.exports import ids
from tests.tap.syncs import run_tap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap.exports import Exports

PACKED: Final = gzip.compress(b"<WAS_WEBAPP_REPORT/>")


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
        "none.xml: it is empty",
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


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("b.zip", b"PK\x03\x04...", "it is packed. Unpack it"),
        ("b.xml.gz", PACKED, "it is packed. Unpack it"),
        ("b.xml", PACKED, "it is packed. Unpack it"),
        ("b.csv", b" \r\n", "it is empty"),
    ],
    ids=["zip", "gzip", "gzip without its suffix", "blank"],
)
def test_a_report_that_is_packed_or_empty_is_named(
    exports: Exports, name: str, content: bytes, told: str
) -> None:
    exports.write("a.xml")
    (exports.folder / name).write_bytes(content)
    outcome = exports.sync()

    assert f"{name}: {told}." in outcome.log
    assert ids(outcome) == exports.unique_ids()


@pytest.mark.parametrize(
    ("begin", "end"), [("<DETAILS>", "</DETAILS>"), ("<RESULTS><SITE>", "</SITE></RESULTS>")]
)
def test_sections_in_a_place_of_their_own_are_read_by_the_urls_of_their_rows(
    exports: Exports, begin: str, end: str
) -> None:
    one, other = [*exports.world.apps.values()][1:3]
    path = exports.write("some.xml", apps=[one, other])
    text = path.read_text()
    path.write_text(text.replace("<RESULTS>", begin).replace("</RESULTS>", end))
    outcome = exports.sync()

    of_app = {exports.world.unique_id(row): row.app.id for row in exports.world.all_findings()}
    rows = outcome.records("findings")
    assert rows
    assert all(row["webApp"]["id"] == of_app[row["uniqueId"]] for row in rows)
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [one.id, other.id]


def test_a_row_without_qid_and_unique_id_is_rejected(exports: Exports) -> None:
    app = [*exports.world.apps.values()][1]
    path = exports.write("some.xml", apps=[app])
    emptied = re.sub(
        r"(?s)(<VULNERABILITY>)\s*<UNIQUE_ID>.*?(</VULNERABILITY>)",
        r"\1\2",
        path.read_text(),
        count=1,
    )
    path.write_text(emptied)
    outcome = exports.sync()

    assert "QID is missing" in outcome.log
    assert ids(outcome) < set(map(exports.world.unique_id, exports.world.findings_of(app)))
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [app.id]
