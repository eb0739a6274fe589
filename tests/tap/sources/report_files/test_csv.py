"""Reports in CSV, alone and beside those in XML."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.xml.portal_report import ReportShape, portal_date
from tests.tap.exports import ids, rows_by_id

if TYPE_CHECKING:
    from tests.tap.exports import Exports

DAY: Final = timedelta(days=1)


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


def test_rows_that_name_their_web_application_are_of_it(exports: Exports) -> None:
    """Its id is in no other table of such a file."""
    app = next(iter(exports.world.apps.values()))
    exports.write("older.xml", apps=[app])
    (fuller,) = exports.sync().records("webapps")
    exports.world.clock.advance(DAY)
    told = portal_date(exports.world.moment(), 0)
    exports.folder.joinpath("newer.csv").write_text(f"""\
"Report","Example","{told}"

"VULNERABILITY","Unique ID","QID","Url","Web Application ID","Web Application Name"
"VULNERABILITY","one","150001","https://a.example.test/x","{app.id}","Renamed"
"VULNERABILITY","two","150001","https://b.example.test/x","77","Not in the other report"
""")
    outcome = exports.sync()

    found = {key: row["webApp"] for key, row in rows_by_id(outcome).items()}
    assert (found["one"]["id"], found["two"]["id"]) == (app.id, 77)
    rows = {row["id"]: row for row in outcome.records("webapps")}
    assert rows.keys() == {app.id, 77}
    # What the newest report does not tell is as an older one tells it.
    assert {**rows[app.id], "syncId": None} == {**fuller, "name": "Renamed", "syncId": None}
    assert outcome.proof["coverage"]["webApps"]["notProven"] == sorted([app.id, 77])


def test_values_that_cannot_be_read_are_counted_and_rows_without_a_qid_rejected(
    exports: Exports,
) -> None:
    """A spreadsheet saves dates in its own form."""
    app = max(exports.world.apps.values(), key=lambda one: len(exports.world.findings_of(one)))
    path = exports.write("one.csv", apps=[app])
    whole = exports.sync().records("findings")
    dated = re.sub(r'"(\d\d) \w{3} (\d{4}) [^"]*GMT', r'"\1.03.\2 10:00', path.read_text())
    first = re.compile('^("VULNERABILITY","[^"]*","[^"]*",)"1', re.MULTILINE)
    path.write_text(first.sub(r'\1"QID-1', dated, count=1))
    outcome = exports.sync()

    assert len(outcome.records("findings")) == len(whole) - 1
    assert "report: QID is not a whole number: 'QID-1" in outcome.log
    assert "report.LAST_TIME_DETECTED (" in outcome.log
