"""The page in a browser, where one is installed."""

from __future__ import annotations

import re
import struct
import threading
import zlib
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest
from lxml import html

from target_ciscovm.report.files import write_html
from tests.target.report.browser import CHROMIUM, dump_dom, printed_pages, screenshot
from tests.target.report.reports import MARKUP, REPORTS, changes, hostile, succeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

UP: Final = 2
"""The filter of a PNG row that takes from each byte the one above."""

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="a browser is not there (apt-get install chromium)"
)


def text_of(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


@needs_browser
def test_a_browser_shows_what_a_person_looks_for(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(succeeded(), file)

    shown = text_of(html.document_fromstring(dump_dom(file.as_uri(), tmp_path / "profile")))

    for text in ("Succeeded", "48,311", "45,098", "min_severity", "Old shop", "What to do next"):
        assert text in shown


@needs_browser
def test_a_browser_runs_nothing_of_a_hostile_report(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(hostile(), file, changes(MARKUP))

    document = html.document_fromstring(dump_dom(file.as_uri(), tmp_path / "profile"))

    assert document.xpath("count(//script)") == 1  # the filter
    assert document.xpath("//img") == []
    assert "<script>alert('MARKUP')</script>" in text_of(document)


@needs_browser
@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_draws_the_page_and_its_pictures(width: int, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(succeeded(), file)

    image = screenshot(file.as_uri(), tmp_path / "profile", tmp_path / "page.png", width, 900)

    assert struct.unpack(">II", image[16:24]) == (width, 900)
    shown = colours(image)
    assert shown[0x2F, 0x6F, 0xB0] > 1000  # the bars of the way from Qualys to CVM
    assert shown[0xF4, 0xF6, 0xF8] > 1000  # the ground


@needs_browser
@pytest.mark.parametrize("name", ["succeeded", "unproven", "lossy"])
def test_a_browser_prints_a_report_on_two_pages(name: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    write_html(REPORTS[name](), file, changes())

    assert printed_pages(file.as_uri(), tmp_path / "profile", tmp_path / "report.pdf") == 2


def colours(image: bytes) -> Counter[tuple[int, int, int]]:
    """Count the pixels of each colour in a PNG of 8 bits a channel without interlace."""
    width, height, _, kind = struct.unpack(">IIBB", image[16:26])
    size = {2: 3, 6: 4}[kind]
    packed = b""
    at = 8
    while at < len(image):
        length, name = struct.unpack(">I4s", image[at : at + 8])
        packed += image[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    raw = zlib.decompress(packed)
    line, row = bytes(width * size), Counter({(0, 0, 0): width})
    found: Counter[tuple[int, int, int]] = Counter()
    for start in range(0, height * (width * size + 1), width * size + 1):
        kept = raw[start + 1 : start + 1 + width * size]
        if raw[start] != UP or any(kept):  # else it is the row above once more
            line = unfiltered(raw[start], kept, line, size)
            row = Counter(zip(line[0::size], line[1::size], line[2::size], strict=True))
        found.update(row)
    return found


def unfiltered(kind: int, kept: bytes, before: bytes, size: int) -> bytes:
    """Undo the filter of a PNG row (PNG specification, 9.2)."""
    if kind == UP:
        return bytes((byte + above) & 255 for byte, above in zip(kept, before, strict=True))
    guess = GUESSES.get(kind)
    if guess is None:
        return kept
    line = bytearray(kept)
    for x, above in enumerate(before):
        left, corner = (line[x - size], before[x - size]) if x >= size else (0, 0)
        line[x] = (line[x] + guess(left, above, corner)) & 255
    return bytes(line)


def nearest(left: int, above: int, corner: int) -> int:
    """Give the neighbour that is nearest to what the three let expect (9.4)."""
    beside, over = abs(above - corner), abs(left - corner)
    both = abs(left + above - 2 * corner)
    if beside <= over and beside <= both:
        return left
    return above if over <= both else corner


GUESSES: Final[dict[int, Callable[[int, int, int], int]]] = {
    1: lambda left, _above, _corner: left,
    3: lambda left, above, _corner: (left + above) // 2,
    4: nearest,
}
"""What each kind of filter took from a byte, by its neighbours; UP took the one above."""


MEASURED = """<iframe src="{page}.html" style="width:{width}px;height:900px"
onload="measure(this.contentDocument.documentElement, '{page} at {width}')"></iframe>"""

MEASURE = """<!doctype html><script>
const measure = (root, name) => {
  const told = document.createElement("output");
  told.textContent = name + ": " + root.scrollWidth + " of " + root.clientWidth;
  document.body.append(told);
};
</script>"""


FILTER = """<!doctype html><iframe src="report.html"></iframe><output></output><script>
document.querySelector("iframe").addEventListener("load", event => {
  const page = event.target.contentDocument;
  const box = page.getElementById("filter");
  const shown = () => page.querySelectorAll("#first-changes tbody tr:not([hidden])").length;
  const told = [box.parentElement.hidden, shown()];
  for (const words of ["gone", " SHOP  150123 new ", "nothing of this kind", ""]) {
    box.value = words;
    box.dispatchEvent(new Event("input"));
    told.push(shown());
  }
  document.querySelector("output").textContent = told.join(" ");
});
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
def test_the_box_filters_the_changes_by_its_words(folder: tuple[Path, str]) -> None:
    path, address = folder
    write_html(succeeded(), path / "report.html", changes())
    (path / "filter.html").write_text(FILTER, encoding="utf-8")

    dom = dump_dom(f"{address}/filter.html", path / "profile")

    assert "<output>false 200 100 1 0 200</output>" in dom


@needs_browser
def test_no_page_is_wider_than_its_window(folder: tuple[Path, str]) -> None:
    path, address = folder
    frames = {(page, width) for page in ("succeeded", "huge", "hostile") for width in (400, 900)}
    for page, _ in frames:
        write_html(REPORTS[page](), path / f"{page}.html", changes(MARKUP))
    framed = [MEASURED.format(page=page, width=width) for page, width in frames]
    (path / "measure.html").write_text(MEASURE + "".join(framed), encoding="utf-8")

    dom = dump_dom(f"{address}/measure.html", path / "profile")

    told = re.findall(r"<output>(\w+) at (\d+): (\d+) of (\d+)</output>", dom)
    assert {(page, int(width)) for page, width, *_ in told} == frames
    assert [row for row in told if int(row[2]) > int(row[3])] == []
    assert [row for row in told if int(row[3]) < int(row[1]) - 20] == []  # a bar for scrolling
