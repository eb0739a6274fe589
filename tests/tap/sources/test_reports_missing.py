"""Reports of scans that cannot be had, and scans whose report tells too little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tap_qualyswas import errors
from tests.tap.catalogs import only
from tests.tap.scripted import (
    COUNT,
    SEARCH,
    Answer,
    ScriptedServer,
    count_xml,
    failure,
    page,
    scan,
    webapp,
)
from tests.tap.syncs import Outcome, sync_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DOWNLOAD: Final = "/qps/rest/3.0/download/was/wasscan/"
DATE: Final = "2024-05-%02dT08:00:00Z"
ONE_APP: Final = page(webapp(9001))
TWO_APPS: Final = page(webapp(9001), webapp(9002))
MANY: Final = range(5001, 5020)
LISTS: Final = ("vulns", "sensitiveContents", "igs")


def sync_scans(
    *scans: str,
    reports: dict[int, Answer],
    apps: str = TWO_APPS,
    first: Mapping[str, Iterable[str]] | None = None,
    catalog: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401
) -> tuple[Outcome, ScriptedServer]:
    """Read the reports of these scans, each with the same answer for ever.

    Args:
        scans: what a search for scans finds.
        reports: by scan.
        apps: what a search for web applications finds.
        first: what searches find before, by their kind.
        catalog: the streams; None for the usual ones.
        state: of an earlier sync.
        settings: of the tap.
    """
    scripts = {f"{SEARCH}{kind}": map(Answer, pages) for kind, pages in (first or {}).items()}
    answers = {
        f"{SEARCH}webapp": Answer(apps),
        f"{SEARCH}wasscan": Answer(page(*scans)),
        f"{COUNT}webapp": Answer(count_xml(apps.count("<WebApp>"))),
        f"{COUNT}wasscan": Answer(count_xml(len(scans))),
        **{f"{DOWNLOAD}{number}": answer for number, answer in reports.items()},
    }
    with ScriptedServer(scripts, always=answers) as server:
        given = {"source": "scan_reports", "max_attempts": 2, **settings}
        return (sync_here({**server.config, **given}, state, catalog), server)


def report_of(*urls: str, count: int | None = None) -> str:
    entries = "".join(
        f"<WasScanVuln><qid>150001</qid><title>Weakness</title><uri>{url}</uri></WasScanVuln>"
        for url in urls
    )
    told = len(urls) if count is None else count
    return (
        f"<WasScan><vulns><count>{told}</count><list>{entries}</list></vulns>"
        "<sensitiveContents><count>0</count></sensitiveContents>"
        "<igs><count>0</count></igs></WasScan>"
    )


def stated(total: int) -> str:
    """Give the beginning of a report with its statistics."""
    return f"<WasScan><stats><global><nbVulnsTotal>{total}</nbVulnsTotal></global></stats>"


def summary(results: str, login: str = "NONE") -> str:
    return f"<resultsStatus>{results}</resultsStatus><authStatus>{login}</authStatus>"


def not_proven(outcome: Outcome) -> list[int]:
    found: list[int] = outcome.proof["coverage"]["webApps"]["notProven"]
    return found


def urls_of(outcome: Outcome) -> list[str]:
    return [row["url"] for row in outcome.records("findings")]


LOGIN_PAGE: Final = (
    '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org'
    '/TR/xhtml1/DTD/xhtml1-strict.dtd"><html xmlns="http://www.w3.org/1999/xhtml"><body><p>Log in'
    "</p></body></html>"
)
"""Well-formed, and sent as XML: a reader of elements finds nothing in it."""
OWN: Final = "https://app1.example.test/a"
OTHER: Final = "https://app2.example.test/a"
GOOD: Final = Answer(report_of(OTHER))


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        (Answer(failure("NOT_FOUND")), 1),
        (Answer(failure("INVALID_REQUEST", "Scan results are not available.")), 1),
        (Answer(failure("UNAUTHORIZED")), 1),
        (Answer("", 403), None),
        (Answer("", 404), None),
        (Answer(failure("OTHER_ERROR")), 2),
        (Answer("", 500), 2),
        (Answer("<WasScan><id>5001</id><vulns>"), 2),
        (Answer("<ServiceResponse/>"), 2),
        (Answer(report_of(OWN, count=2)), 2),
        (Answer(report_of(OWN, count=0)), 2),
        (Answer(LOGIN_PAGE), 2),
        (Answer(LOGIN_PAGE.replace("</p>", "x" * 100_000 + "</p>")), 2),
        (Answer("<Error><Message>Blocked</Message></Error>"), 2),
        (Answer(f"<Error><Message>{'x' * 100_000}</Message></Error>"), 2),
        (Answer(page(scan(5001)).replace("WasScan", "Other")), 2),
        (Answer("<WasScan><id>5002</id><vulns><count>0</count></vulns></WasScan>"), 2),
        (Answer(stated(2) + report_of(OWN).partition(">")[2].replace("<count>1</count>", "")), 2),
        (Answer(f"{stated(1)}<igs><count>0</count></igs></WasScan>"), 2),
        (Answer("<WasScan><id>5001</id><status>FINISHED</status></WasScan>"), 1),
    ],
)
def test_a_report_that_cannot_be_had_is_named_and_passed_over(
    answer: Answer, calls: int | None
) -> None:
    outcome, server = sync_scans(
        scan(5001), scan(5002, app=9002), reports={5001: answer, 5002: GOOD}
    )

    assert urls_of(outcome) == [OTHER]
    assert not_proven(outcome) == [9001]
    assert outcome.proof["complete"] is True
    assert "passed over the report of scan 5001 (web application 9001)" in outcome.log
    assert calls in {None, server.by_path()[f"{DOWNLOAD}5001"]}


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ("<status>RUNNING</status>", "has not ended (RUNNING)"),
        (
            "<status>FINISHED</status><summary><resultsStatus>PROCESSING</resultsStatus></summary>",
            "has not ended (PROCESSING)",
        ),
        ("<target><webApp><id>9002</id></webApp></target>", "It is of web application 9002."),
    ],
)
def test_a_report_that_contradicts_its_scan_proves_nothing(about: str, told: str) -> None:
    """An empty one would close all that the web application has."""
    empty = "".join(f"<{name}><count>0</count></{name}>" for name in LISTS)
    report = Answer(f"<WasScan><id>5001</id>{about}{empty}</WasScan>")
    outcome, _ = sync_scans(scan(5001), scan(5002, app=9002), reports={5001: report, 5002: GOOD})

    assert not_proven(outcome) == [9001]
    assert told in outcome.log


def test_a_redirect_after_a_good_report_is_passed_over_too() -> None:
    moved = Answer("", 302, {"Location": "https://maintenance.example.test/"})
    outcome, _ = sync_scans(
        scan(5001),
        scan(5002, app=9002),
        reports={5001: GOOD, 5002: moved},
        max_concurrency=1,
    )

    assert not_proven(outcome) == [9002]
    assert "a redirect to maintenance.example.test, though" in outcome.log


def test_many_reports_that_fail_one_after_the_other_end_the_sync() -> None:
    scans = [scan(number, app=number) for number in MANY]
    down = dict.fromkeys(MANY, Answer("", 500))

    with pytest.raises(errors.Unavailable):
        sync_scans(*scans, reports=down, apps=page(*map(webapp, MANY)))


def test_reports_that_are_all_refused_are_told_as_such() -> None:
    scans = [scan(number, app=number) for number in MANY]
    refused = dict.fromkeys(MANY, Answer("", 403))

    with pytest.raises(errors.ReportsMissing, match="no reports of scans") as raised:
        sync_scans(*scans, reports=refused, apps=page(*map(webapp, MANY)))

    assert raised.value.exit_code == 2


@pytest.mark.parametrize("had", [MANY[0], MANY[2]])
def test_reports_that_are_all_refused_are_asked_for_again_when_they_are_results(had: int) -> None:
    scans = [scan(number, app=number) for number in MANY]
    refused = dict.fromkeys(MANY, Answer("", 403)) | {had: GOOD}

    with pytest.raises(errors.ReportsMissing) as raised:
        sync_scans(*scans, reports=refused, catalog=only("scans", "scan_results"), source="api")

    outcome: Outcome = raised.value.outcome  # type: ignore[attr-defined] # set by sync_here
    # Reports come in any order, so the sync may have ended before the one that can be had.
    read = {row["scanId"] for row in outcome.records("scan_results")}
    pending = outcome.state["bookmarks"]["scan_results"]["pending"]
    assert read <= {had}
    assert pending == [one for one in MANY if one not in read]


@pytest.mark.parametrize("times", [1, 2])
def test_a_single_report_that_is_refused_is_asked_for_once_more_next_time(times: int) -> None:
    """A right may have been missing for a moment; what stays refused takes no call in each sync."""
    catalog = only("webapps", "scans", "findings", "scan_results")
    refused = {5001: Answer("", 403), 5002: GOOD}
    settings: dict[str, Any] = {"catalog": catalog, "source": "api"}
    state: dict[str, Any] = {}
    scans = [scan(5001), scan(5002)]
    for _ in range(times):
        outcome, _ = sync_scans(*scans, reports=refused, state=state, **settings)
        state, scans = outcome.state, []
    after, server = sync_scans(reports={5001: GOOD}, state=state, **settings)

    assert server.by_path().get(f"{DOWNLOAD}5001", 0) == (times == 1)
    assert [row["scanId"] for row in after.records("scan_results")] == [5001] * (times == 1)
    assert not after.state["bookmarks"]["scan_results"]["pending"]


def test_the_rest_is_read_however_many_scans_have_no_report() -> None:
    scans = [scan(number, app=number) for number in MANY]
    gone = dict.fromkeys(MANY, Answer(failure("NOT_FOUND"))) | {MANY[-1]: GOOD}

    outcome, _ = sync_scans(*scans, reports=gone, apps=page(*map(webapp, MANY)))

    assert urls_of(outcome) == [OTHER]
    assert not_proven(outcome) == [*MANY[:-1]]
    assert outcome.log.count("passed over the report of scan") == 10
    assert "18 reports could not be read" in outcome.log


def test_a_row_that_is_rejected_leaves_out_its_own_application() -> None:
    broken = Answer(report_of(OWN).replace("150001", "none"))
    outcome, _ = sync_scans(scan(5001), scan(5002, app=9002), reports={5001: broken, 5002: GOOD})

    assert not_proven(outcome) == [9001]
    assert outcome.proof["complete"] is True


@pytest.mark.parametrize(("types", "proven"), [(None, False), (["VULNERABILITY"], True)])
def test_a_report_that_says_nothing_of_a_type_proves_nothing_of_it(
    types: list[str] | None, proven: bool
) -> None:
    silent = Answer(report_of(OWN).replace("<igs><count>0</count></igs>", ""))
    settings: dict[str, Any] = {} if types is None else {"finding_types": types}

    outcome, _ = sync_scans(scan(5001), reports={5001: silent}, apps=ONE_APP, **settings)

    assert urls_of(outcome) == [OWN]
    assert not_proven(outcome) == ([] if proven else [9001])


def test_an_application_that_one_of_the_searches_has_lost_is_read_all_the_same() -> None:
    """Otherwise all of its findings would look gone."""
    outcome, _ = sync_scans(
        scan(5001),
        reports={5001: Answer(report_of(OWN))},
        first={"webapp": [TWO_APPS, page(webapp(9002))]},
    )

    assert urls_of(outcome) == [OWN]
    assert not_proven(outcome) == [9002]


@pytest.mark.parametrize(("lost", "complete"), [(1, True), (9, False)])
def test_scans_are_searched_for_until_as_many_come_as_are_counted(
    lost: int, complete: bool
) -> None:
    """Without the latest one, an earlier report would tell what there is now."""
    both = (scan(5001), scan(5002, launchedDate=DATE % 2))
    reports = {5001: Answer(report_of(OTHER)), 5002: Answer(report_of(OWN))}
    pages = [page(*both), *[page(both[0])] * lost]  # the stream of scans comes first

    outcome, _ = sync_scans(*both, reports=reports, apps=ONE_APP, first={"wasscan": pages})

    assert outcome.proof["complete"] is complete
    reasons = [] if complete else ["findings: 1 scans read, 2 counted"]
    assert outcome.proof["incompleteReasons"] == reasons
    assert urls_of(outcome) == [OWN if complete else OTHER]


def test_scans_of_a_deleted_web_application_are_not_read() -> None:
    outcome, server = sync_scans(
        scan(5001), scan(5002, app=9002), reports={5002: GOOD}, apps=page(webapp(9002))
    )

    assert {row["webApp"]["id"] for row in outcome.records("findings")} == {9002}
    assert f"{DOWNLOAD}5001" not in server.by_path()
    assert not_proven(outcome) == []


@pytest.mark.parametrize(
    ("logins", "read"),
    [
        (("SUCCESSFUL", "FAILED"), 0),
        (("SUCCESSFUL", "PARTIAL"), 0),
        (("PARTIAL", "FAILED"), 0),
        (("SUCCESSFUL", "FAILED", "PARTIAL"), 0),
        (("SUCCESSFUL", "FAILED", "SUCCESSFUL"), 2),
        (("SUCCESSFUL", "NONE"), 1),
        (("SUCCESSFUL", "NONE", "FAILED"), 1),
        (("FAILED", "PARTIAL"), 1),
        (("FAILED", "FAILED"), 1),
        (("NONE", "FAILED"), 1),
        (("PARTIAL", "PARTIAL"), 1),
    ],
)
def test_a_scan_whose_login_got_worse_does_not_count(logins: tuple[str, ...], read: int) -> None:
    scans = [
        scan(5000 + at, launchedDate=DATE % (at + 1), summary=summary("SUCCESSFUL", login))
        for at, login in enumerate(logins)
    ]
    reports = {5000 + at: GOOD for at in range(len(logins))}

    outcome, server = sync_scans(*scans, reports=reports, apps=ONE_APP)

    downloads = [path for path in server.by_path() if DOWNLOAD in path]
    assert downloads == [f"{DOWNLOAD}{5000 + read}"]
    assert not_proven(outcome) == []
    is_old = read < len(logins) - 1
    assert ("could not log in to 1 web application (ids 9001)" in outcome.log) is is_old


@pytest.mark.parametrize(
    ("results", "counts"),
    [("SUCCESSFUL", True), ("FINISHED", True), ("TIME_LIMIT_REACHED", False), (None, True)],
)
def test_both_words_for_a_good_scan_count(results: str | None, counts: bool) -> None:
    found = scan(5001, summary=summary(results) if results else None)

    outcome, server = sync_scans(found, reports={5001: Answer(report_of(OWN))}, apps=ONE_APP)

    assert bool(urls_of(outcome)) is counts
    assert not_proven(outcome) == ([] if counts else [9001])
    asked = server.asked_at(f"{SEARCH}wasscan")[-1].body
    assert 'field="resultsStatus" operator="IN">SUCCESSFUL,FINISHED<' in asked


@pytest.mark.parametrize("launched", ["soon", "", None])
def test_a_scan_whose_launch_cannot_be_read_is_dated_by_its_reference(launched: str | None) -> None:
    """Without it the report of an earlier scan would tell what there is now."""
    latest = scan(5002, launchedDate=launched, reference="was/1714636800000.5002")
    scans = (scan(5001, launchedDate=DATE % 1), latest)
    outcome, _ = sync_scans(
        *scans, reports={5001: Answer(report_of(OTHER)), 5002: Answer(report_of(OWN))}, apps=ONE_APP
    )

    (row,) = outcome.records("findings")
    assert (row["url"], row["lastDetectedDate"]) == (OWN, DATE % 2)


@pytest.mark.parametrize(
    "later",
    [
        scan(5003, launchedDate="someday", reference="none"),
        scan(5003, launchedDate=None, reference=None),
        scan(5003, id="seven"),
    ],
)
def test_a_scan_that_may_be_later_and_cannot_be_read_leaves_its_web_application_out(
    later: str,
) -> None:
    """By the report of an earlier one, what the later one has found would be gone."""
    outcome, _ = sync_scans(
        scan(5001),
        later,
        scan(5002, app=9002),
        reports={5001: Answer(report_of(OWN)), 5002: GOOD},
    )

    assert sorted(urls_of(outcome)) == [OWN, OTHER]
    assert not_proven(outcome) == [9001]


def nameless(launch: str | None, target: str = "") -> str:
    reference = None if launch is None else f"was/{launch}"
    return scan(5003, target=target, launchedDate=launch, reference=reference)


@pytest.mark.parametrize(
    ("odd", "left_out"),
    [
        (nameless(DATE % 2), [9001]),
        (nameless(DATE % 3), [9001]),
        (nameless(DATE % 1), []),
        (nameless(DATE % 4), [9001, 9002]),
        (nameless(None), [9001]),
        (nameless(DATE % 2, target="<webApp><id>0</id></webApp>"), [9001]),
    ],
)
def test_a_scan_that_names_no_web_application_may_be_of_any_without_a_later_one(
    odd: str, left_out: list[int]
) -> None:
    outcome, _ = sync_scans(
        scan(5001, launchedDate=DATE % 1),
        odd,
        scan(5004, app=9002, launchedDate=DATE % 3),
        reports={5001: Answer(report_of(OWN)), 5004: GOOD},
    )

    assert sorted(urls_of(outcome)) == [OWN, OTHER]
    assert not_proven(outcome) == left_out
    assert outcome.proof["complete"] is True
    assert "1 scan does not name a web application, so its report is not read." in outcome.log


def test_the_row_of_a_multi_scan_stands_for_no_scan_of_its_own() -> None:
    """The scans that it is made of have rows of their own."""
    outcome, _ = sync_scans(
        scan(5001, launchedDate=DATE % 1),
        scan(5003, target="<webApps><list/></webApps>", launchedDate=DATE % 2, multi="true"),
        reports={5001: GOOD},
        apps=ONE_APP,
    )

    assert not_proven(outcome) == []
    assert "does not name a web application" not in outcome.log


def test_a_scan_that_tells_neither_its_id_nor_its_web_application_may_be_of_any() -> None:
    odd = scan(5003, id="seven", target="")
    outcome, _ = sync_scans(scan(5001), odd, reports={5001: GOOD}, apps=ONE_APP)

    assert outcome.proof["incompleteReasons"] == [
        "findings: a scan was rejected that does not tell its web application",
        "scans: 1 row rejected",
    ]


@pytest.mark.parametrize(
    ("told", "left_out"),
    [("true", [9001]), ("ENABLED", [9001]), ("false", []), ("DISABLED", []), (None, [])],
)
def test_a_progressive_scan_proves_nothing_as_it_tests_a_part_only(
    told: str | None, left_out: list[int]
) -> None:
    latest = scan(5002, launchedDate=DATE % 2, progressiveScanning=told)
    outcome, _ = sync_scans(
        scan(5001, launchedDate=DATE % 1), latest, reports={5002: GOOD}, apps=ONE_APP
    )

    assert urls_of(outcome) == [OTHER]
    assert not_proven(outcome) == left_out
    assert ("1 web application (ids 9001) is a progressive one" in outcome.log) is bool(left_out)
