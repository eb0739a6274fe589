"""Values that nobody expects: loaded as what they mean, or rejected, and never a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.kdi.types import MAX_NAME
from tests.target.streams import TYPES, Row, Sync, bare, entry, finding, names, scan, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

HUGE = 2**63


def load_one(cvm: CVM, **changes: object) -> Row:
    """Load one odd finding beside an ordinary one, and give it as it was sent."""
    loaded = cvm.load(Sync([webapp()], [finding(1), finding(2) | changes]))
    assert (loaded.exit_code, loaded.rejected) == (0, []), loaded.message
    (odd,) = (item for key, item in loaded.items().items() if key != "finding-1")
    return odd


def covering(not_proven: list[int]) -> Row:
    """Give a coverage that leaves out some web applications."""
    return {
        "source": "api",
        "findingTypes": TYPES,
        "wholeAccount": True,
        "webApps": {"read": 1, "notProven": not_proven, "changed": []},
    }


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
        Sync([webapp()], [finding()], proof={"coverage": covering([HUGE])}),
        Sync([webapp()], [finding()], proof={"coverage": covering([-1, 2**63 - 1])}),
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


def test_a_finding_without_a_web_application_is_loaded_and_closed_with_the_whole_account(
    cvm: CVM,
) -> None:
    alone = finding(2, webApp=None, url="https://alone.example.test/")
    loaded = cvm.load(Sync([webapp()], [finding(1), alone]))

    assert loaded.asset("https://alone.example.test/")["application"] == "alone.example.test"
    part = covering([]) | {"wholeAccount": False}
    cvm.load(Sync([webapp()], [finding(1)], proof={"coverage": part}))
    assert cvm.open() == names(1, 2)
    cvm.load(Sync([webapp()], [finding(1)]))
    assert cvm.open() == names(1)


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

    assert odd["scanner_identifier"] == "V-1-finding-2"
    assert "" not in odd.values()


@pytest.mark.parametrize("unique", ["u" * 10_000, "u" * 9_999 + "v", "\u00e9" * 300])
def test_a_key_of_ten_thousand_characters_is_short_in_cvm_and_closes_again(
    unique: str, cvm: CVM
) -> None:
    key = load_one(cvm, uniqueId=unique)["scanner_identifier"]

    assert len(key) == MAX_NAME
    assert cvm.open() == {"finding-1", bare(key)}
    cvm.load(Sync([webapp()], [finding(1), finding(2, uniqueId=unique, status="FIXED")]))
    assert (cvm.open(), cvm.closed()) == ({"finding-1"}, {bare(key)})


@pytest.mark.parametrize("unique", [" finding-2 ", "finding-2\n"])
def test_blanks_around_a_key_do_not_make_another(unique: str, cvm: CVM) -> None:
    assert load_one(cvm, uniqueId=unique)["scanner_identifier"] == "V-1-finding-2"


@pytest.mark.parametrize("unique", ["find\x00ing", "find\ning", "find\ud800ing"])
def test_a_key_with_control_characters_is_none_without_them(unique: str, cvm: CVM) -> None:
    plain = unique.replace("\ud800", "\ufffd")
    both = [finding(1), finding(2, uniqueId=unique), finding(3, uniqueId="finding")]

    loaded = cvm.load(Sync([webapp()], both, proof=None))

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


def test_a_login_in_a_url_is_in_nothing_that_is_sent_or_kept(cvm: CVM) -> None:
    secret = "S3cretPw"
    url = f"https://scanuser:{secret}@app1.example.test"
    app = {"id": 1, "name": f"Shop at {url}", "url": f"{url}/"}
    row = finding(
        1,
        url=f"{url}/admin?next={url}/x",
        content=f"See {url}/a and {url}/b",
        resultList={"list": [{"payload": f"GET {url}/c"}]},
        webApp=app,
    )
    plain = finding(2, url="/login", content=f"<a href='{url}/d'>", webApp=app)
    entries = [entry(row["qid"], title=f"About {url}", solution=f"<p>Ask {url}/e</p>")]
    tags = [{"id": 1, "name": f"of {url}"}]

    for model in ("vulnerabilities", "findings"):
        sync = Sync([webapp(url=app["url"], tags=tags)], [row, plain], entries=entries)
        loaded = cvm.load(sync, data_model=model, output_path=str(cvm.home / model))

        assert loaded.exit_code == 0, loaded.message
        assert loaded.folder is not None
        for path in [*loaded.folder.iterdir(), *(cvm.home / model).glob("*.db")]:
            assert secret.encode() not in path.read_bytes(), path.name
        assert "https://app1.example.test/admin" in {asset["url"] for asset in loaded.assets}
        assert "GET https://app1.example.test/c" in str(loaded.documents)


@pytest.mark.parametrize("url", ["/login", "N/A", "-", "None"])
def test_findings_of_two_web_applications_never_meet_on_a_path_or_a_word(
    url: str, cvm: CVM
) -> None:
    rows = [finding(1, 1, url=url), finding(2, 2, url=url)]

    loaded = cvm.load(Sync([webapp(1), webapp(2)], rows))

    found = {asset["url"]: asset["application"] for asset in loaded.assets}
    page = url if url == "/login" else "/"
    assert found == {f"https://app{n}.example.test{page}": f"App {n}" for n in (1, 2)}


def test_a_path_is_joined_to_the_url_of_the_row_where_the_finding_names_none(cvm: CVM) -> None:
    row = finding(1, url="/login", webApp={"id": 1})

    loaded = cvm.load(Sync([webapp(1)], [row]))

    assert [asset["url"] for asset in loaded.assets] == ["https://app1.example.test/login"]


def test_all_spellings_of_a_front_page_are_one_asset(cvm: CVM) -> None:
    host = "app1.example.test"
    spellings = ["", "/", ":443", ":443/", "./", ".:443", "/#top", "?x=1"]
    rows = [finding(n, url=f"https://{host}{end}") for n, end in enumerate(spellings)]

    loaded = cvm.load(Sync([webapp(1)], rows))

    assert [asset["url"] for asset in loaded.assets] == [f"https://{host}/"]
    assert cvm.open() == names(*range(len(spellings)))


def test_a_zone_of_an_address_keeps_nothing_from_being_loaded(cvm: CVM) -> None:
    rows = [finding(1), finding(2, url="https://[fe80::1%25eth-0]/x")]

    loaded = cvm.load(Sync([webapp(1)], rows), locator_order=["ip_address", "url"])

    assert loaded.exit_code == 0, loaded.message
    assert "fe80::1" in {asset.get("ip_address") for asset in loaded.assets}


@pytest.mark.parametrize("model", ["vulnerabilities", "findings"])
def test_an_infinite_number_is_none_and_the_load_goes_on(model: str, cvm: CVM) -> None:
    sync = Sync([webapp()], [finding(1), finding(2, cvssV3={"base": "HUGE"})])
    lines = sync.lines(cvm.clock.now()).replace(b'"HUGE"', b"1e999")

    loaded = cvm.load(lines, data_model=model)

    assert loaded.exit_code == 0, loaded.message
    assert cvm.open() == names(1, 2)
    assert any("infinity" in note["text"] for note in loaded.report["notes"])
