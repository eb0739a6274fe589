"""HTML becomes text that a person can read: no tag is left, no word is lost, nothing raises."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qualyswas_ciscovm.wording import without_logins
from target_ciscovm.mapping.html import from_html
from target_ciscovm.mapping.text import one_line, plain

TAGS = ["p", "b", "i", "ul", "ol", "li", "br", "a", "div", "table", "tr", "td", "pre", "h2", "font"]
FRAGMENTS = st.sampled_from(
    [f"<{tag}>" for tag in TAGS]
    + [f"</{tag}>" for tag in TAGS]
    + ['<a href="https://x.example.test/">', "<LI>", "<P ALIGN=left>", "<br/>", "<!-- c -->"]
)
WORDS = st.text("abcäß😀 \n\t.,;:", max_size=12)
MARKUP = st.lists(FRAGMENTS | WORDS).map("".join)
HOSTILE = st.lists(
    st.sampled_from(
        [
            *("<html>", "<head>", "<body>", "</body>", "</html>", "<frameset>", "<!DOCTYPE html>"),
            *('<?xml version="1.0" encoding="utf-16"?>', "<![CDATA[", "<!--", "-->", "<b", "&#0;"),
            *("&#xD800;", "<script>", "<title>", "<plaintext>", "<svg>", "<a href='", "\x00", "x"),
        ]
    )
).map("".join)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One<p>Two", "One\n\nTwo"),
        ("One<br>Two<BR/>Three", "One\nTwo\nThree"),
        ("Do:<ul><li>this<li>that</ul>Done", "Do:\n\n- this\n- that\n\nDone"),
        ("<ol><li>a</li><li>b</li></ol>", "- a\n- b"),
        ("<b>Bold</b>ly", "Boldly"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3"),
        ("<dl><dt>T<dd>D</dl>", "T\nD"),
        ("<h2>Head</h2>text", "Head\n\ntext"),
        ('<a href="https://x.example.test/">here</a>', "here (https://x.example.test/)"),
        ('<a href="http://x.example.test">http://x.example.test</a>', "http://x.example.test"),
        ("<a>here</a>", "here"),
        ("<p> much \t\xa0 room </p>", "much room"),
        ("<p>a</p>\n\n\n\n<p>b</p>", "a\n\nb"),
        ("line one\r\nline two\rline three", "line one\nline two\nline three"),
        ("No mark-up: 1 < 2 and 3 > 2, R&D", "No mark-up: 1 < 2 and 3 > 2, R&D"),
        ("<html><head><title>t</title></head><body>a</body></html>", "a"),
        ('<?xml version="1.0" encoding="utf-16"?><p>é</p>', "é"),
        ("a<script>alert(1)</script>b<style>p {}</style>c", "abc"),
        ("a<!-- b -->c", "ac"),
        ("😀 <p>ß", "😀\n\nß"),
    ],
)
def test_mark_up_becomes_lines_and_lists(html: str, text: str) -> None:
    assert from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("&lt;b&gt;x&lt;/b&gt;", "<b>x</b>"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("R&amp;D", "R&D"),
        ("&eacute;&#233;&#xE9;", "ééé"),
    ],
)
def test_entities_are_decoded_once(html: str, text: str) -> None:
    assert from_html(html) == text


@pytest.mark.parametrize("html", [None, "", "  \r\n ", "<p>", "<br><br>", "<!-- -->", "<html>"])
def test_nothing_but_mark_up_is_none(html: str | None) -> None:
    assert from_html(html) is None


def test_thousands_of_tags_within_one_another_lose_no_word() -> None:
    assert from_html("<b>" * 5000 + "deep" + "</b>" * 5000) == "deep"


def test_a_very_long_text_is_read_to_its_end() -> None:
    found = from_html("<p>word</p>" * 100_000 + "<p>last")

    assert found is not None
    assert found.endswith("word\n\nlast")


@given(MARKUP)
def test_no_tag_is_left_and_no_word_is_lost(html: str) -> None:
    found = from_html(html) or ""

    assert not re.search(r"</?[A-Za-z!]", found)
    words = re.sub(r"<[^>]*>", " ", html).split()
    assert "".join(words) == "".join(re.sub(r"\(https://x.example.test/\)|-", "", found).split())


@given(HOSTILE | st.text() | st.text().map(lambda text: f"<p>{text}</p>"))
@example("<html><frameset><frame></frameset></html>")
@example("<body>x</body><body>y</body>")
@example("\ud800<p>\udfff")
def test_whatever_comes_gives_a_clean_text_or_none(html: str) -> None:
    found = from_html(html)

    if found is not None:
        assert found == found.strip()
        assert found == plain(found)
        assert json.loads(json.dumps(found).encode()) == found


@given(st.text() | st.text("a\r\n\x00\x07\x1b\x7f\ud800\t é", max_size=20))
def test_a_plain_text_has_no_control_characters_and_stays_what_it_is(text: str) -> None:
    found = plain(text)

    assert plain(found) == found
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", found)
    found.encode()


def test_a_plain_text_keeps_lines_and_tabs() -> None:
    assert plain("a\r\nb\rc\td\x07\x00e") == "a\nb\nc\tde"


@given(st.text())
def test_a_line_is_one_line(text: str) -> None:
    found = one_line(text)

    assert found == found.strip()
    assert len(found.splitlines()) <= 1
    assert one_line(found) == found


def test_a_missing_text_is_an_empty_line() -> None:
    assert one_line(None) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://user:pass@app.example.test/x", "https://app.example.test/x"),
        ("see http://u@a.test and ftp://u:p@ss@b.test.", "see http://a.test and ftp://b.test."),
        ("<a href='https://u:p@a.test'>", "<a href='https://a.test'>"),
        (r"{\"url\": \"https:\\/\\/u:p@a.test\"}", r"{\"url\": \"https:\\/\\/a.test\"}"),
        ("https://a.test/x?mail=me@b.test", "https://a.test/x?mail=me@b.test"),
        ("mail me@b.test", "mail me@b.test"),
        ("https://a.test no login @ all", "https://a.test no login @ all"),
        ("https://u:p@[2001:db8::1]/", "https://[2001:db8::1]/"),
    ],
)
def test_logins_are_cut_from_the_urls_in_a_text(text: str, found: str) -> None:
    assert without_logins(text) == plain(text) == found


def test_a_hostile_text_is_searched_for_logins_in_linear_time() -> None:
    text = "://" * 100_000 + "a" * 300_000 + "@"

    assert without_logins(text) == "://" * 100_000


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "Before:<pre>\n  if (x) {\n\ty();   \n  }\n</pre>after  it",
            "Before:\n\n  if (x) {\n    y();\n  }\n\nafter it",
        ),
        ("<PRE>a  b\n<B>  c</B>\n</PRE><P>d   e", "a  b\n  c\n\nd e"),
        ("<pre>  &lt;b&gt;  x</pre>", "  <b>  x"),
        ("a\ue000 b<BR>c", "a b\nc"),
        ("<pre>  </pre>", None),
    ],
)
def test_code_keeps_its_blanks_and_lines(html: str, text: str | None) -> None:
    assert from_html(html) == text
