"""Cases about how findings become assets, vulnerabilities and definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.kdi.types import MAX_NAME
from tests.cases.case import read
from tests.cases.outcomes import definitions, filtered, identifiers, knowledge

if TYPE_CHECKING:
    from tests.target.loads import CVM

DAY = "2024-05-0%dT08:00:00Z"


def test_informational_is_what_has_no_class_whatever_its_type_and_severity(cvm: CVM) -> None:
    given = read("mapping/informational_rows").input()
    entries = [{"qid": 159000 + n, "cwe": [79] if n in (2, 3) else []} for n in (1, 2, 3, 4)]

    unknown = cvm.load(given, exclude_informational=True)
    known = cvm.load(knowledge(*entries) + given, exclude_informational=True)

    assert len(unknown.items()) == 4
    assert set(known.items()) == identifiers(7002, 7003)
    assert filtered(known) == {"exclude_informational": (2, 0)}
    assert (known.exit_code, known.rejected) == (0, [])


def test_one_qid_on_many_pages_is_one_definition_and_many_findings(cvm: CVM) -> None:
    loaded = cvm.load(read("mapping/one_qid_many_pages").input(), locator_order=["external_id"])

    assert sorted(len(asset["vulns"]) for asset in loaded.assets) == [1, 2]
    assert set(loaded.items()) == identifiers(7001, 7002, 7003)
    assert len(definitions(loaded)) == 1


def test_one_application_under_two_spellings_is_one_asset(cvm: CVM) -> None:
    given = read("mapping/application_in_two_spellings").input()

    loaded = cvm.load(given, locator_order=["external_id", "application"])

    (asset,) = loaded.assets
    assert (asset["external_id"], len(asset["vulns"])) == ("9001", 3)


def test_two_qids_of_one_title_are_two_definitions(cvm: CVM) -> None:
    loaded = cvm.load(read("mapping/same_title").input())

    assert set(definitions(loaded)) == {"QID 159001 Same title", "QID 159002 Same title"}


def test_names_over_the_limit_fit_and_are_the_same_in_every_run(cvm: CVM) -> None:
    given = read("mapping/name_too_long").input()

    one, again = cvm.load(given), cvm.load(given)

    assert list(definitions(one)) == list(definitions(again))
    assert {len(name) for name in definitions(one)} == {MAX_NAME}
    assert set(one.items()) == identifiers(7001, 7002)


def test_last_seen_is_a_date_of_the_finding_and_never_now(cvm: CVM) -> None:
    given = read("mapping/last_seen").input()

    seen = {name: item["last_seen_at"] for name, item in cvm.load(given).items().items()}
    ignored = cvm.load(given, ignore_scanner_last_seen=True)

    days = (DAY % 1, "2024-03-01T08:00:00Z", DAY % 1)
    assert seen == dict(zip(sorted(identifiers(7001, 7002, 7003)), days, strict=True))
    assert all("last_seen_at" not in asset for asset in ignored.assets)


def test_severities_are_doubled_and_what_is_none_is_left_out(cvm: CVM) -> None:
    loaded = cvm.load(read("mapping/severity_edges").input(), data_model="findings")

    items = loaded.items("findings")
    found = [items[name].get("severity") for name in sorted(items)]
    assert found == [None, 2, 6, 10, None, None]


def test_line_ends_and_mark_up_become_lines(cvm: CVM) -> None:
    case = read("mapping/markup_in_text")
    (row,) = case.records()
    entries = {"qid": row["qid"], "solution": row["name"], "diagnosis": "<UL><LI>a<LI>b</UL>"}

    (made,) = definitions(cvm.load(case.input())).values()
    assert made["name"] == f"QID {row['qid']} {' '.join(row['name'].split())}"

    (made,) = definitions(cvm.load(knowledge(entries) + case.input())).values()
    assert made["description"] == "- a\n- b"
    assert made["solution"].startswith("Line one\nLine two\n")
    assert "<b>" in made["solution"]
    assert "&lt;" not in made["solution"]
    assert "<p>" not in made["solution"]


@pytest.mark.parametrize("model", ["vulnerabilities", "findings"])
def test_a_login_in_a_url_goes_nowhere(model: str, cvm: CVM) -> None:
    given = read("mapping/login_in_url").input()

    loaded = cvm.load(given, data_model=model, max_failed_percent="50")

    assert loaded.exit_code == 0
    assert loaded.folder is not None
    told = [path.read_bytes() for path in loaded.folder.rglob("*") if path.is_file()]
    assert not [text for text in told if b"scanuser" in text or b"S3cretPw" in text]


def test_a_front_page_is_one_asset_in_all_its_spellings(cvm: CVM) -> None:
    loaded = cvm.load(read("mapping/front_page_in_many_spellings").input())

    assert [asset["url"] for asset in loaded.assets] == ["https://app1.example.test/"]
    assert len(loaded.items()) == 7


def test_a_path_is_joined_to_its_application_and_a_word_is_no_url(cvm: CVM) -> None:
    loaded = cvm.load(read("mapping/url_that_is_a_path").input())

    assert loaded.rejected == []
    places = {asset["url"]: asset["application"] for asset in loaded.assets}
    assert places == {
        f"https://app{number}.example.test/{path}": f"Demo App {number}"
        for number in (1, 2)
        for path in ("", "login")
    }


def test_a_session_in_a_path_is_kept_and_moves_nothing_where_assets_are_applications(
    cvm: CVM,
) -> None:
    given = read("mapping/session_in_path").input()

    by_url = cvm.load(given, dry_run=True)
    by_app = cvm.load(given, dry_run=True, locator_order=["external_id"])

    assert [len(one.assets) for one in (by_url, by_app)] == [2, 1]


def test_a_scan_that_reached_nobody_moves_no_last_seen(cvm: CVM) -> None:
    loaded = cvm.load(read("mapping/scan_that_reached_nobody").input("scans"))

    assert {asset["last_seen_at"] for asset in loaded.assets} == {"2024-02-01T08:00:00Z"}
