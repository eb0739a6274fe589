from __future__ import annotations

import re
import struct
import threading
import zlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pytest
from lxml import html

from target_ciscovm.report.files import write_html
from target_ciscovm.report.model import FilterCount, Report, SeverityCount
from target_ciscovm.report.page import OUTCOMES, render
from target_ciscovm.report.pictures import draw_bars, draw_flow, draw_steps
from tests.target.report.browser import CHROMIUM, dump_dom, screenshot
from tests.target.report.reports import REPORTS, hostile, succeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="a browser is not there (apt-get install chromium)"
)


def page(report: Report) -> html.HtmlElement:
    return html.document_fromstring(render(report).encode())


def text_of(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_opens_offline_and_runs_nothing(name: str) -> None:
    document = page(REPORTS[name]())

    forbidden = "//script | //link | //img | //iframe | //object | //form | //base | //a"
    assert document.xpath(forbidden) == []
    assert document.xpath("//@src | //@href | //@onclick | //@onerror | //@onload") == []
    assert "url(" not in document.xpath("string(//style)")
    policy = document.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_can_be_read_without_seeing_it(name: str) -> None:
    document = page(REPORTS[name]())

    assert document.get("lang") == "en"
    assert len(document.xpath("//h1")) == 1
    assert len(document.xpath("//main")) == 1
    for picture in document.xpath("//svg"):
        assert picture.get("role") == "img"
        assert ";" in picture.get("aria-label") or ":" in picture.get("aria-label")
    for table in document.xpath("//table"):
        assert text_of(table.xpath("caption")[0])
        assert table.xpath("thead//th[not(@scope='col')] | tbody//th[not(@scope='row')]") == []
    ids = document.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert set(document.xpath("//@aria-labelledby")) <= set(ids)


def test_every_text_is_shown_as_text() -> None:
    document = page(hostile())

    assert document.xpath("//*[@onerror]") == []
    shown = text_of(document)
    assert shown.count("<script>alert('MARKUP')</script>") > 20
    assert "{{ 7*7 }}" in shown
    assert not set("\x00\x1b\u202e") & set(render(hostile()))


def test_a_person_finds_the_numbers() -> None:
    document = page(succeeded())

    assert "Succeeded" in text_of(document.xpath("//h1")[0])
    rows = {text_of(row.xpath("th")[0]): row for row in document.xpath("//tbody/tr")}
    for label, value in {
        "Qualys counts": "48,311",
        "\N{MINUS SIGN} filtered": "1,200",
        "\N{MINUS SIGN} rejected": "3",
        "\N{MINUS SIGN} superseded": "10",
        "= mapped": "47,098",
        "Processed": "47,098",
        "Failed": "0",
        "Created": "120",
        "Closed": "50",
        "Reopened": "2",
        "min_severity": "1,000",
        "Old shop": "900001",
    }.items():
        assert text_of(rows[label].xpath("td")[0]) == value, label
    assert text_of(rows["min_severity"].xpath("td")[-1]) == "12"
    labels = " ".join(document.xpath("//svg/@aria-label"))
    assert "5 · Urgent 1,036 open, 1 closed" in labels
    assert "fixed in Qualys 30" in labels


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_has_its_words_and_a_next_step(outcome: str) -> None:
    report = REPORTS["empty"]()
    report.outcome = outcome  # type: ignore[assignment]
    document = page(report)

    assert OUTCOMES[report.outcome][2] in text_of(document.xpath("//h1")[0])
    assert len(text_of(document.xpath("//p[@class='next']")[0])) > len("What to do next ")
    assert document.xpath("//header/@class") == [OUTCOMES[report.outcome][0]]


def test_a_run_that_failed_before_sending_does_not_claim_to_have_closed() -> None:
    shown = text_of(page(REPORTS["failed"]()))

    assert "What would be closed, and why" in shown
    assert "not reached" in shown
    assert "created in CVM" not in shown


def test_nothing_received_is_said_and_not_drawn() -> None:
    document = page(REPORTS["empty"]())

    assert "No findings were received." in text_of(document)
    assert document.xpath("//svg") == []


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("sent", [True, False])
def test_pictures_stay_inside_their_frames(name: str, *, sent: bool) -> None:
    counts = REPORTS[name]().reconciliation

    flow = draw_flow(counts, sent=sent)
    for node in flow.nodes:
        assert 0 <= node.x <= flow.width - 10
        assert node.y + node.height <= flow.height
    for drop in flow.drops:
        assert drop.x <= flow.width - 100
        assert drop.y + drop.height <= flow.height
    for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", " ".join(r.path for r in flow.ribbons)):
        assert 0 <= float(x) <= flow.width
        assert 0 <= float(y) <= flow.height

    bars = draw_steps(counts, sent=sent)
    for row in bars.rows:
        for start, width, _ in row.parts:
            assert start >= 0
            assert width >= 2
            assert start + width <= bars.width + 0.01


def test_heights_are_in_proportion_and_the_way_narrows_by_what_is_lost() -> None:
    report = succeeded()
    report.reconciliation.filtered_by = [FilterCount(name="min_severity", filtered=24_155)]
    report.reconciliation.filtered = 24_155  # half of what came
    report.reconciliation.rejected = report.reconciliation.superseded = 0
    report.reconciliation.mapped = report.reconciliation.received - 24_155
    flow = draw_flow(report.reconciliation, sent=False)

    heights = {node.step.label: node.height for node in flow.nodes}
    assert heights["mapped"] == pytest.approx(heights["received"] / 2, rel=0.01)
    assert flow.drops[0].height == pytest.approx(heights["received"] / 2, rel=0.01)
    assert [drop.loss.label for drop in flow.drops] == ["filtered"]


def test_what_got_lost_on_the_way_is_drawn_as_lost() -> None:
    counts = succeeded().reconciliation
    counts.fetched = 48_000
    counts.received = 47_500
    counts.filtered = counts.rejected = counts.superseded = 0
    counts.mapped = 47_500
    counts.uploaded, counts.processed = 40_000, 41_000

    lost = {drop.loss.label: drop.loss.count for drop in draw_flow(counts, sent=True).drops}

    assert lost == {"not fetched": 311, "not received": 500, "not uploaded": 7_500}


def test_what_is_little_is_still_drawn() -> None:
    bars = draw_bars([("much", "", [(10**12, "a")]), ("little", "", [(1, "b")])])

    assert bars.rows[1].parts == [(0, 2, "b")]


def test_all_severities_are_drawn_from_worst_to_least() -> None:
    report = succeeded()
    report.severities = [SeverityCount(severity=n, open=n) for n in (3, 1, 5)]

    label = page(report).xpath("//svg[contains(@aria-label, 'by severity')]/@aria-label")[0]

    assert re.findall(r"(\d) ·", label) == ["5", "3", "1"]


def colours(block: str) -> dict[str, tuple[float, float, float]]:
    found = re.findall(r"--(\w+): #([0-9a-f]{6})", block)
    return {
        name: tuple(int(code[at : at + 2], 16) / 255 for at in (0, 2, 4))  # type: ignore[misc]
        for name, code in found
    }


def luminance(colour: tuple[float, float, float]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: tuple[float, float, float], second: tuple[float, float, float]) -> float:
    dark, light = sorted([luminance(first), luminance(second)])
    return (light + 0.05) / (dark + 0.05)


def themes() -> Iterator[dict[str, tuple[float, float, float]]]:
    style = (files("target_ciscovm") / "templates" / "report.html.j2").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    yield colours(light)
    yield colours(light) | colours(dark)


@pytest.mark.parametrize("theme", list(themes()), ids=["light", "dark"])
def test_texts_and_pictures_stand_out_from_their_ground(
    theme: dict[str, tuple[float, float, float]],
) -> None:
    # WCAG 2.2: 4.5 for texts (1.4.3), 3 for what pictures are made of (1.4.11).
    for ground in ("page", "card"):
        for name in ("ink", "soft", "good", "fair", "bad"):
            assert contrast(theme[name], theme[ground]) >= 4.5, (name, ground)
    others = set(theme) - {"page", "card", "ink", "soft", "line", "track"}
    for name in others - {"closed"}:
        assert contrast(theme[name], theme["card"]) >= 3, name
    assert contrast(theme["closed"], theme["card"]) >= 2.5


@needs_browser
def test_a_browser_shows_what_a_person_looks_for(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(succeeded(), file)

    shown = text_of(html.document_fromstring(dump_dom(file.as_uri(), tmp_path / "profile")))

    for text in ("Succeeded", "48,311", "47,098", "min_severity", "Old shop", "What to do next"):
        assert text in shown


@needs_browser
def test_a_browser_runs_nothing_of_a_hostile_report(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(hostile(), file)

    document = html.document_fromstring(dump_dom(file.as_uri(), tmp_path / "profile"))

    assert document.xpath("//script | //img") == []
    assert "<script>alert('MARKUP')</script>" in text_of(document)


@needs_browser
@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_draws_the_page_and_its_pictures(width: int, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(succeeded(), file)

    image = screenshot(file.as_uri(), tmp_path / "profile", tmp_path / "page.png", width, 1500)

    assert struct.unpack(">II", image[16:24]) == (width, 1500)
    blue, ground = (0x2F, 0x6F, 0xB0), (0xF4, 0xF6, 0xF8)
    shown = pixels(image)
    assert shown.count(bytes(blue)) > 1000  # the bars of the way from Qualys to CVM
    assert shown.count(bytes(ground)) > 1000


def pixels(image: bytes) -> list[bytes]:
    """Read the pixels of a PNG of 8 bits a channel without interlace, as RGB."""
    width, height, _, kind = struct.unpack(">IIBB", image[16:26])
    size = {2: 3, 6: 4}[kind]
    packed = b""
    at = 8
    while at < len(image):
        length, name = struct.unpack(">I4s", image[at : at + 8])
        packed += image[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    raw = zlib.decompress(packed)
    before = bytearray(width * size)
    found: list[bytes] = []
    for row in range(height):
        start = row * (width * size + 1)
        line = bytearray(raw[start + 1 : start + 1 + width * size])
        unfilter(raw[start], line, before, size)
        found += [bytes(line[x : x + 3]) for x in range(0, len(line), size)]
        before = line
    return found


def unfilter(kind: int, line: bytearray, before: bytearray, size: int) -> None:
    """Undo the filter of a PNG row (PNG specification, 9.2)."""
    guess = GUESSES.get(kind)
    if guess is None:
        return
    for x, above in enumerate(before):
        left, corner = (line[x - size], before[x - size]) if x >= size else (0, 0)
        line[x] = (line[x] + guess(left, above, corner)) & 255


def nearest(left: int, above: int, corner: int) -> int:
    """Give the neighbour that is nearest to what the three let expect (9.4)."""
    beside, over = abs(above - corner), abs(left - corner)
    both = abs(left + above - 2 * corner)
    if beside <= over and beside <= both:
        return left
    return above if over <= both else corner


GUESSES: Final[dict[int, Callable[[int, int, int], int]]] = {
    1: lambda left, _above, _corner: left,
    2: lambda _left, above, _corner: above,
    3: lambda left, above, _corner: (left + above) // 2,
    4: nearest,
}
"""What each kind of filter took from a byte, by its neighbours."""


MEASURE = """<!doctype html><iframe src="report.html" style="width:{width}px;height:900px"></iframe>
<output></output><script>
document.querySelector("iframe").addEventListener("load", event => {{
  const root = event.target.contentDocument.documentElement;
  document.querySelector("output").textContent = root.scrollWidth + " " + root.clientWidth;
}});
</script>"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    handler = partial(QuietHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@needs_browser
@pytest.mark.parametrize("name", ["succeeded", "huge", "hostile"])
@pytest.mark.parametrize("width", [400, 900])
def test_no_page_is_wider_than_its_window(name: str, width: int, folder: tuple[Path, str]) -> None:
    path, address = folder
    write_html(REPORTS[name](), path / "report.html")
    (path / "measure.html").write_text(MEASURE.format(width=width), encoding="utf-8")

    dom = dump_dom(f"{address}/measure.html", path / "profile")

    measured = re.search(r"<output>(\d+) (\d+)</output>", dom)
    assert measured, dom
    assert int(measured[1]) <= int(measured[2])
