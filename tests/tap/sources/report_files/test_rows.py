"""What the streams say of what a report shows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from jsonschema import Draft7Validator

from tap_qualyswas import errors
from tests.sandbox.qualys.xml.portal_report import ReportShape
from tests.sandbox.world.model import INFORMATION_GATHERED, VULNERABILITY, iso
from tests.tap.exports import ids, rows_by_id

if TYPE_CHECKING:
    from tests.sandbox.world.model import Finding
    from tests.tap.exports import Exports

SHAPES: Final = {
    "sections": ReportShape(),
    "no potential": ReportShape(potential=False, marked=False, zone=0),
    "doctype": ReportShape(doctype='<!DOCTYPE WAS_WEBAPP_REPORT SYSTEM "file:///etc/hostname">\n'),
    "no summary": ReportShape(summary=False, filters=(), zone=5),
}
DAY: Final = timedelta(days=1)


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
        Draft7Validator.check_schema(schema)
        validator = Draft7Validator(schema)
        for row in rows:
            validator.validate(row)
            assert row.keys() == schema["properties"].keys()


def test_without_evidence_nothing_of_it_is_written(exports: Exports) -> None:
    exports.write("all.xml")
    exports.write("all.csv")

    assert not any("session=" in str(message) for message in exports.sync().messages)
