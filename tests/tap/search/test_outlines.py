"""What is read by outlines is what would be parsed, to the letter, and so are the refusals."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_qualyswas.errors import QualysError
from tap_qualyswas.qualys.answers import read_service_answer
from tap_qualyswas.qualys.reply import Reply
from tap_qualyswas.records.findings import finding_shape
from tap_qualyswas.search.outlines import MOST_MISSED, Outlines
from tap_qualyswas.search.page_records import read_page
from tap_qualyswas.search.pages import IdRange
from tap_qualyswas.search.short_pages import ShortPages
from tap_qualyswas.search.sweeps import Sweep
from tap_qualyswas.sources.finding_search import finding_reader, is_whole
from tap_qualyswas.tap import TapQualysWAS
from tests.support.recorded import SAMPLES, needs_samples
from tests.tap.scripted import finding, page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_qualyswas.qualys.answers import TakeRows
    from tap_qualyswas.search.page_records import Page

KIND: Final = "VULNERABILITY"
LOGIN: Final = {"api_url": "https://a.example.test", "username": "u", "password": "p"}
SWEEP: Final = Sweep(
    key=KIND,
    kind="finding",
    criteria=(),
    read=finding_reader(TapQualysWAS(config=LOGIN).settings),
    page_size=1000,
    verbose=False,
    row_type=KIND,
)


def outlines() -> Outlines:
    """Give outlines that learn from each row."""
    return Outlines(finding_shape(), is_whole, 1)


def read(body: bytes, take_rows: TakeRows | None, sweep: Sweep = SWEEP) -> Page:
    answer = read_service_answer(Reply("a", 200, {"Content-Type": "text/xml"}, body), take_rows)
    return read_page(sweep, IdRange(), answer, 1000, ShortPages())


def told(body: bytes, take_rows: TakeRows | None, sweep: Sweep = SWEEP) -> tuple[object, bytes]:
    """Give all that is read of a page, with its lines; or what it is refused with."""
    try:
        found = read(body, take_rows, sweep)
    except QualysError as error:
        return (repr(error), str(error).encode())
    return (found, msgspec.json.encode(found.records))


def taken(learnt: Outlines, body: bytes) -> int:
    """Tell how many rows of a page are read without a tree."""
    found = learnt.take_rows(body)
    return 0 if found is None else sum(isinstance(row, dict) for row in found[1])


# What may stand in a field: mostly what belongs there, else anything.
VALUES: Final = {
    "id": ["7", "8", " 9 ", "10.0", "0", "-5", "x", "", "9" * 30],
    "uniqueId": ["5f0e", " 6a ", ""],
    "qid": ["150001", "x", ""],
    "type": [KIND, "INFORMATION_GATHERED", "", f" {KIND}\n"],
    "severity": ["3", "3.0", "high", ""],
    "potential": ["true", " NO ", "maybe"],
    "firstDetectedDate": ["2024-03-01T08:00:00Z", "2024-03-01T10:00:00+02:00", "soon"],
    "name": ["Weakness", " ", "\n", "a]b]]c]", "é 漢 🚀", "x" * 131_073],
    "url": ["https://a.example.test/?a=1&b=<2>", "]]>", "</Finding>", "<id>3</id>"],
    "unknown": ["anything"],
    "history": [""],
    "cwe": ["", "79"],
}
FORMS: Final[dict[str, Callable[[str], str]]] = {
    "plain": escape,
    "raw": lambda text: text,
    "whole": lambda text: f"<![CDATA[{text.replace(']]>', ']] >')}]]>",
    "parts": lambda text: f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>",
    "after": lambda text: f"{escape(text)}<![CDATA[{escape(text)}]]>",
    "blanks": lambda text: f" <![CDATA[{escape(text)}]]>\n",
    "numbers": lambda text: "".join(f"&#{ord(one)};" for one in text[:9]),
    "comment": lambda text: f"{escape(text)}<!-- <id>4</id> -->",
    "child": lambda text: f"<id>{escape(text)}</id>{escape(text)}",
    "entity": lambda text: f"{escape(text)}&nbsp;&uuml;&",
    "return": lambda text: f"{escape(text)}\r\n\r",
    "control": lambda text: f"{escape(text)}\x0b\ufffe",
}
TAGS: Final = [
    *["<{0}>{1}</{0}>"] * 8,
    "<{0}>{1}</{0}\n>",
    "<{0} base64='true'>{1}</{0}>",
    "<x:{0}>{1}</x:{0}>",
    "<{0}/>",
    "<{0}></{0}>",
    "<{0}><list><{0}>{1}</{0}></list></{0}>",
    "<webApp><{0}>{1}</{0}</webApp>",
]
BLANKS: Final = [*["", "\n      ", " "] * 4, "\t", "\r\n", "<!-- -->", "<?x y?>", "text", "&#32;"]
HEADS: Final = [
    *["<data>"] * 6,
    "<data> ",
    "<data x='1'>",
    "<!-- <data> --><data>",
    "<!-- <data>",
    "<x><![CDATA[<data>]]></x><data>",
    "<data/><data>",
    "<data></data><x><data>",
    "<data><WebApp><id>1</id></WebApp>",
]
TAILS: Final = [
    *["</data>"] * 6,
    "</data><!-- evaluation version -->",
    "</data> --><data/>",
    "</data></x>",
    "<Finding/></data>",
    "<!-- </Finding> --></data>",
]


@dataclass(frozen=True)
class Slot:
    """One element of a row: how it is written, not what it holds."""

    name: str
    tag: str
    form: str
    before: str

    def written(self, text: str) -> str:
        return self.before + self.tag.format(self.name, FORMS[self.form](text))


NORMAL: Final = [Slot(one, TAGS[0], "plain", "") for one in ("id", "uniqueId", "qid", "type")]


@st.composite
def slots(draw: st.DrawFn) -> list[Slot]:
    """Give the elements of rows: the usual ones, and some that are odd in any way."""
    odd = st.builds(
        Slot,
        st.sampled_from(sorted(VALUES)),
        st.sampled_from(TAGS),
        st.sampled_from([*["plain", "whole"] * 8, *FORMS]),
        st.sampled_from(BLANKS),
    )
    return draw(st.permutations([*NORMAL, *draw(st.lists(odd, max_size=4))]))


@st.composite
def pages(draw: st.DrawFn) -> list[bytes]:
    """Give two pages whose rows have the same elements, with other texts in each."""
    kinds = draw(st.lists(slots(), min_size=1, max_size=3))
    head, tail = draw(st.sampled_from(HEADS)), draw(st.sampled_from(TAILS))
    blank = draw(st.sampled_from(BLANKS))
    return [
        page("ROWS", "")
        .replace("<data>ROWS</data>", f"{head}{_rows(draw, kinds, blank)}{tail}")
        .replace("<count>2</count>", "")
        .encode()
        for _ in range(2)
    ]


def _rows(draw: st.DrawFn, kinds: Sequence[Sequence[Slot]], blank: str) -> str:
    rows = []
    for number, kind in enumerate([*kinds, kinds[0]]):
        usual = {"id": str(number + 1), "uniqueId": f"u-{number}", "qid": "150001", "type": KIND}
        texts = usual | {
            name: draw(st.sampled_from(VALUES[name]))
            for name in {slot.name for slot in kind}
            if name not in usual or draw(st.integers(0, 9)) == 0
        }
        inside = "".join(slot.written(texts[slot.name]) for slot in kind)
        rows.append(f"{blank}<Finding>{inside}{blank}</Finding>")
    return "".join(rows)


@st.composite
def damaged(draw: st.DrawFn) -> list[bytes]:
    """Give two pages, the second of which was cut or altered somewhere."""
    first, second = draw(pages())
    at = draw(st.integers(0, len(second)))
    end = draw(st.sampled_from([at, at + 1, at + 9, len(second)]))
    put = draw(st.sampled_from([b"", b"<", b">", b"&", b"]", b"\xff", b"\x00", b"</Finding>"]))
    return [first, second[:at] + put + second[end:]]


@given(st.one_of(pages(), damaged()))
def test_pages_are_read_as_if_they_were_parsed(bodies: list[bytes]) -> None:
    learnt = outlines()

    for body in [*bodies, *bodies]:
        assert told(body, learnt.take_rows) == told(body, None)


HIDDEN: Final = page(finding(1)).replace("<data>", "<!-- <data>").replace("</data>", "</data> -->")


@pytest.mark.parametrize(
    "body",
    [
        page(),
        page(finding(1), finding(1)),
        page(finding(1), finding(2, kind="INFORMATION_GATHERED")),
        page(finding(1), finding(2, type=None)),
        page(finding(1), finding(-2)),
        page(finding(1), finding(2, qid="x")),
        page(finding(1), finding(2, name="x" * 131_073)),
        page(finding(1), finding(2, firstDetectedDate="soon")),
        page(finding(1), finding(2), more="true", last_id=9),
        page(finding(1), finding(2, name="R&amp;D &lt;1&gt;")),
        page(finding(1), finding(2, name="R&D &nbsp;")),
        page(finding(1), finding(2, status="a]]>b")),
        page(finding(1), finding(2, name="<![CDATA[</Finding>]]>")),
        page(finding(1), finding(2, name="<![CDATA[a\ufffeb]]>")),
        page(finding(1), finding(2, name="a\r\nb")),
        page(finding(1), finding(2, webApp="<id>x</id>")),
        page(finding(1), finding(2, webApp="x<![CDATA[<id>3</id>]]>")),
        page(finding(1, retest="<reason>x</reason><retestedUser><id>1</id></retestedUser>")),
        page(finding(1), "<!-- -->" + finding(2)),
        page(finding(1), "<!DOCTYPE x>" + finding(2)),
        page(finding(1), "<?xml version='1.0'?>" + finding(2)),
        page(finding(1), finding(2))[:-1],
        page(finding(1), finding(2))[:-40],
        page(finding(1), finding(2).replace("</name>", "</nome>")),
        page(finding(1), f"<WebApp>{finding(2)}</WebApp>"),
        HIDDEN,
        HIDDEN.replace("-->", "--><data/>"),
        HIDDEN.replace("-->", "--><data><rows-taken/></data>"),
        HIDDEN.replace("-->", "--><data><rows-taken /></data>"),
        HIDDEN.replace("-->", "--><data><rows-taken></rows-taken></data>"),
        page(finding(1, name=" <![CDATA[a]]>")).replace(
            "Response>", "Response xml:space='preserve'>", 1
        ),
        page(*(finding(number, unknown="<x xml:id='a'/>") for number in (1, 2))),
        page(finding(1, unknown="<x>" * 2045 + "</x>" * 2045)),
        "<data>",
        page(finding(1)).replace("SUCCESS", "INVALID_REQUEST"),
        page(finding(1, name="<![CDATA[é]]>")).replace("UTF-8", "ISO-8859-1"),
        page(finding(1)).replace("<ServiceResponse>", "<ServiceResponse xmlns='urn:x'>"),
        page(finding(1)).replace("?>", "?><!DOCTYPE x [<!ENTITY y 'z'>]>"),
    ],
)
def test_what_is_odd_is_read_or_refused_as_if_it_was_parsed(body: str) -> None:
    learnt = outlines()
    learnt.take_rows(page(finding(1)).encode())

    for _ in range(2):
        assert told(body.encode(), learnt.take_rows) == told(body.encode(), None)


def test_rows_that_differ_in_their_texts_only_are_read_without_a_tree() -> None:
    learnt = outlines()

    assert taken(learnt, page(finding(1)).encode()) == 0
    assert taken(learnt, page(finding(2, name="<![CDATA[ü]&]]>"), finding(3)).encode()) == 2


def test_rows_of_a_web_application_share_nothing_that_could_be_altered() -> None:
    learnt = outlines()
    learnt.take_rows(page(finding(1)).encode())
    found = learnt.take_rows(page(finding(2), finding(3)).encode())
    assert found is not None
    first, second = (row["webApp"] for row in found[1] if isinstance(row, dict))

    assert isinstance(first, dict)
    first.clear()

    assert second


def test_a_text_may_hold_what_looks_like_markup() -> None:
    learnt = Outlines(finding_shape(), is_whole, 2)
    learnt.take_rows(page(*(finding(number) for number in (1, 2))).encode())
    body = page(finding(3, name="<![CDATA[<a xml:id='a'>]]>"), finding(4)).encode()

    assert taken(learnt, body) == 2


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "R&amp;D"},
        {"name": "<![CDATA[a]]]]><![CDATA[>b]]>"},
        {"name": " <![CDATA[a]]>"},
        {"severity": "high"},
        {"param": "q"},
        {"unknown": "x"},
        {"cwe": "<count>1</count>"},
        {"type": ""},
    ],
)
def test_a_row_that_is_odd_is_parsed_and_the_others_are_not(odd: dict[str, str]) -> None:
    learnt = outlines()
    learnt.take_rows(page(finding(1)).encode())

    assert taken(learnt, page(finding(2), finding(3, **odd), finding(4)).encode()) == 2


def test_pages_of_rows_that_no_outline_fits_are_soon_parsed_as_a_whole() -> None:
    learnt = outlines()
    body = page(*(finding(number, unknown="x") for number in range(MOST_MISSED + 1))).encode()

    assert learnt.take_rows(body) is not None
    assert learnt.take_rows(body) is None


def test_what_looks_like_elements_in_a_text_takes_no_time() -> None:
    learnt = outlines()
    name = f"a<![CDATA[{'<a><![CDATA[' * 1000}]]>"

    begun = time.process_time()

    assert taken(learnt, page(*(finding(number, name=name) for number in range(200))).encode()) == 0
    assert time.process_time() - begun < 5


def test_rows_are_learnt_where_every_other_one_is_odd() -> None:
    learnt = Outlines(finding_shape(), is_whole)
    names = ("R&amp;D", "x")
    body = page(*(finding(number, name=names[number % 2]) for number in range(1, 101))).encode()

    learnt.take_rows(body)

    assert taken(learnt, body) == 50


def test_long_rows_are_not_compared() -> None:
    learnt = outlines()
    learnt.take_rows(page(finding(1)).encode())

    assert learnt.take_rows(page(finding(1), finding(2, name="]" * 14_001)).encode()) is None


@needs_samples
def test_recorded_findings_are_read_as_if_they_were_parsed() -> None:
    body = (SAMPLES / "qualys" / "finding_search.xml").read_bytes()
    sweep = replace(SWEEP, row_type=None)
    learnt = outlines()

    first, second = (told(body, learnt.take_rows, sweep) for _ in range(2))

    assert first == second == told(body, None, sweep)
    assert taken(learnt, body) == 86
