"""Values that nobody expects: loaded as what they mean, or rejected, and never a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.kdi.types import MAX_NAME
from tests.target.streams import Row, Sync, entry, finding, names, scan, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

HUGE = 2**63


def load_one(cvm: CVM, **changes: object) -> Row:
    """Load one odd finding beside an ordinary one, and give it as it was sent."""
    loaded = cvm.load(Sync([webapp()], [finding(1), finding(2) | changes]))
    assert (loaded.exit_code, loaded.rejected) == (0, []), loaded.message
    (odd,) = (item for key, item in loaded.items().items() if key != "finding-1")
    return odd


@pytest.mark.parametrize(
    "changes",
    [
        {"id": HUGE},
        {"qid": HUGE},
        {"severity": HUGE},
        {"timesDetected": -HUGE - 1},
        {"patch": 10**40},
        {"webApp": {"id": HUGE, "name": "Huge"}},
        {"cwe": [HUGE]},
    ],
    ids=str,
)
def test_a_number_over_64_bits_is_rejected_and_the_run_goes_on(changes: Row, cvm: CVM) -> None:
    rows = [finding(1), finding(2) | changes]

    loaded = cvm.load(Sync([webapp()], rows, entries=[]), max_failed_percent="50")

    assert loaded.exit_code == 0, loaded.message
    assert [row["key"] for row in loaded.rejected] == ["finding-2"]
    assert cvm.open() == names(1)


@pytest.mark.parametrize(
    "sync",
    [
        Sync([webapp(), webapp(HUGE)], [finding()]),
        Sync([webapp()], [finding()], scans=[scan(), scan(HUGE)]),
        Sync([webapp()], [finding()], scans=[scan(), scan(id=HUGE)]),
        Sync([webapp()], [finding()], entries=[entry(150001), entry(HUGE)]),
        Sync([webapp()], [finding()], proof={"notProven": [HUGE]}),
        Sync([webapp()], [finding()], proof={"notProven": [-1, 2**63 - 1]}),
    ],
    ids=range(6),
)
def test_a_number_over_64_bits_in_another_stream_is_no_crash(sync: Sync, cvm: CVM) -> None:
    loaded = cvm.load(sync, max_failed_percent="100")

    assert loaded.exit_code == 0, loaded.message
    assert cvm.open() == names(1)
    again = cvm.load(sync, max_failed_percent="100")
    assert (again.exit_code, cvm.open()) == (0, names(1))


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1])
def test_a_web_application_of_any_number_of_64_bits_is_one(number: int, cvm: CVM) -> None:
    rows = [finding(1, webApp={"id": number, "name": "Odd"}, url="https://odd.example.test/")]

    scans = [scan(number, id=1)]

    for _ in range(2):
        loaded = cvm.load(Sync([webapp(number)], rows, scans))
        assert (loaded.exit_code, cvm.open()) == (0, names(1))
    cvm.load(Sync([webapp(number)], [], scans), max_close_percent=100)
    assert cvm.open() == set()


def test_a_finding_without_a_web_application_is_loaded_and_never_closed_by_absence(
    cvm: CVM,
) -> None:
    alone = finding(2, webApp=None, url="https://alone.example.test/")
    loaded = cvm.load(Sync([webapp()], [finding(1), alone]))

    assert loaded.asset("https://alone.example.test/").keys() == {"url", "last_seen_at", "vulns"}
    cvm.load(Sync([webapp()], [finding(1)]), max_close_percent=100)
    assert cvm.open() == names(1, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"url": "", "webApp": {"id": 1, "name": "", "url": ""}},
        {"severity": ""},
        {"param": "", "potential": "", "cwe": "", "webApp": {"id": 1, "tags": ""}},
        {"firstDetectedDate": "", "lastTestedDate": "", "fixedDate": ""},
    ],
    ids=str,
)
def test_an_empty_text_is_no_value(changes: Row, cvm: CVM) -> None:
    odd = load_one(cvm, **changes)

    assert odd["scanner_identifier"] == "finding-2"
    assert "" not in odd.values()


@pytest.mark.parametrize("unique", ["u" * 10_000, "u" * 9_999 + "v", "\u00e9" * 300])
def test_a_key_of_ten_thousand_characters_is_short_in_cvm_and_closes_again(
    unique: str, cvm: CVM
) -> None:
    key = load_one(cvm, uniqueId=unique)["scanner_identifier"]

    assert len(key) == MAX_NAME
    assert cvm.open() == {"finding-1", key}
    cvm.load(Sync([webapp()], [finding(1), finding(2, uniqueId=unique, status="FIXED")]))
    assert (cvm.open(), cvm.closed()) == ({"finding-1"}, {key})


@pytest.mark.parametrize("unique", [" finding-2 ", "finding-2\n"])
def test_blanks_around_a_key_do_not_make_another(unique: str, cvm: CVM) -> None:
    assert load_one(cvm, uniqueId=unique)["scanner_identifier"] == "finding-2"


@pytest.mark.parametrize("unique", ["find\x00ing", "find\ning", "find\ud800ing"])
def test_a_key_with_control_characters_is_none_without_them(unique: str, cvm: CVM) -> None:
    plain = unique.replace("\ud800", "\ufffd")
    both = [finding(1), finding(2, uniqueId=unique), finding(3, uniqueId="finding")]

    loaded = cvm.load(Sync([webapp()], both))

    assert len(loaded.items()) == 3
    assert cvm.open() == set(loaded.items())
    assert plain.isprintable() is (plain in loaded.items())


def test_tags_with_commas_and_control_characters_are_one_tag_each(cvm: CVM) -> None:
    odd = ["a, b", "bell\x07", "two\nlines", "x" * 300, " ", "half \ud800", '"quoted"', "a, b"]
    app = webapp(tags=[{"id": number, "name": name} for number, name in enumerate(odd)])

    loaded = cvm.load(Sync([app], [finding(1)]))

    (tags,) = {tuple(asset["tags"]) for asset in loaded.assets}
    assert tags[:3] == ("a, b", "bell", "two lines")
    assert tags[4:] == ("half \ufffd", '"quoted"', "App 1")
    assert len(tags[3]) == 255


def test_a_name_with_quotes_and_control_characters_is_one_application(cvm: CVM) -> None:
    app = {"id": 1, "name": 'The "Shop"\r\n\x07', "url": "https://app1.example.test/"}

    loaded = cvm.load(Sync([webapp(name=app["name"])], [finding(1, webApp=app)]))

    assert {asset["application"] for asset in loaded.assets} == {"The 'Shop'"}


@pytest.mark.parametrize(
    "url", ["https://[broken/", "https://h\u00e9.example.test/\u00e9", "x" * 10_000, "javascript:x"]
)
def test_an_odd_url_is_an_asset_and_closes_again(url: str, cvm: CVM) -> None:
    load_one(cvm, url=url)
    assert cvm.open() == names(1, 2)

    cvm.load(Sync([webapp()], [finding(1)]), max_close_percent=100)
    assert cvm.open() == names(1)
