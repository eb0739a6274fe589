"""XML is read strictly: whole or not at all."""

from __future__ import annotations

from io import BytesIO

import pytest

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.records.characters import clean
from tap_qualyswas.records.parsing import ended_elements, parse, read_large, root_name

EVALUATION = b"<!-- This report was generated with an evaluation version of Qualys //-->"


def test_a_page_in_bytes_becomes_a_tree() -> None:
    document = parse(b'<?xml version="1.0" encoding="UTF-8"?>\n<a><b>Gr\xc3\xbc\xc3\x9fe</b></a>')

    assert document.root.findtext("b") == "Grüße"
    assert (document.replaced, document.evaluation) == (0, False)


@pytest.mark.parametrize("at", range(1, 60, 3))
def test_a_cut_page_is_refused_wherever_it_was_cut(at: int) -> None:
    page = b'<?xml version="1.0"?><a><row><id>1</id></row><row><id>2</id></row></a>'

    with pytest.raises(BrokenAnswer):
        parse(page[:at])


@pytest.mark.parametrize(
    "body", [b"", b"  \n", b"no xml", b"{}", b"<!-- only a comment -->", b"<?xml"]
)
def test_what_is_no_xml_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        parse(body)


def test_a_cut_page_with_an_illegal_character_stays_refused() -> None:
    with pytest.raises(BrokenAnswer):
        parse(b"<a><row>\x0b</row><row>")


def test_blanks_comments_and_a_mark_before_the_declaration_are_passed_over() -> None:
    for before in (b"\n\n", b"\xef\xbb\xbf", b"<!-- keep-alive for X -->\n", EVALUATION + b"\n "):
        document = parse(before + b'<?xml version="1.0" encoding="UTF-8"?><a>1</a>')

        assert document.root.text == "1"


def test_a_doctype_that_names_a_dtd_is_read_without_fetching_it() -> None:
    document = parse(
        b'<!DOCTYPE SIMPLE_RETURN SYSTEM "https://qualysapi.example.test/api/2.0/simple_return.dtd">'
        b"<SIMPLE_RETURN/>"
    )

    assert document.root.tag == "SIMPLE_RETURN"


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]>',
        b'<!DOCTYPE a SYSTEM "http://192.0.2.1/x.dtd" [<!ENTITY % p SYSTEM "file:///etc/passwd">]>',
        b'<!-- <a> --><!DOCTYPE a [\n<!ENTITY x "y">]>',
        b"<!doctype a [<!ELEMENT a ANY>]>",
    ],
)
def test_declared_entities_are_refused(doctype: bytes) -> None:
    with pytest.raises(BrokenAnswer, match="entities"):
        parse(doctype + b"<a>&x;</a>")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_cannot_hide_entities(encoding: str) -> None:
    with pytest.raises(BrokenAnswer):
        parse('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode(encoding))


def test_an_entity_inside_evidence_is_only_text() -> None:
    document = parse(b'<a><![CDATA[<!DOCTYPE x [<!ENTITY e SYSTEM "file:///x">]>]]></a>')

    assert document.root.text == '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///x">]>'


@pytest.mark.parametrize(
    ("inside", "text", "replaced"),
    [
        (b"a\x0bb", "a\ufffdb", 1),
        (b"a\x00b\x1f", "a\ufffdb\ufffd", 2),
        (b"caf\xe9", "caf\ufffd", 1),
        (b"&#11;|&#x1F;|&#65;", "\ufffd|\ufffd|A", 2),
        (b"&#x110000;", "\ufffd", 1),
        (b"<![CDATA[&#11;]]>\x01", "&#11;\ufffd", 1),
        (b"\xef\xbf\xbf", "\ufffd", 1),
    ],
)
def test_illegal_characters_are_replaced_and_counted(
    inside: bytes, text: str, replaced: int
) -> None:
    document = parse(b'<?xml version="1.0" encoding="UTF-8"?><a>' + inside + b"</a>")

    assert document.root.text == text
    assert document.replaced == replaced


@pytest.mark.parametrize(
    "prolog",
    [
        b"",
        b'<?xml version="1.0" encoding="UTF-8"?>',
        b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "https://qualysapi.example.test/a.dtd">',
    ],
)
@pytest.mark.parametrize(
    ("inside", "text", "replaced"),
    [
        (b"Caf&eacute;&nbsp;now", "Café\xa0now", 0),
        (b"a&nbsp;<!-- b --> c", "a\xa0 c", 0),
        (b"1 &lt; 2 &amp;amp; &eacute;", "1 < 2 &amp; é", 0),
        (b"&LT;b&AMP;&hellip;", "<b&…", 0),
        (b"before&nothing;after", "before\ufffdafter", 1),
        (b"<![CDATA[&eacute;]]>&eacute;<![CDATA[<!-- &eacute;]]>", "&eacute;é<!-- &eacute;", 0),
        (b"<!-- <![CDATA[ -->&eacute;<!-- ]]> -->", "é", 0),
        (b"?a=1&b=2&copy=3 & more &; &#; &#x;", "?a=1&b=2&copy=3 & more &; &#; &#x;", 6),
        (b"&eacute;<![CDATA[\x00]]>\x00", "é\ufffd\ufffd", 2),
        (b"&#0;|&#00065;|&#99999999999999999999;", "\ufffd|A|\ufffd", 2),
    ],
)
def test_entities_of_html_are_read_by_name_and_never_cut_a_text(
    prolog: bytes, inside: bytes, text: str, replaced: int
) -> None:
    whole = prolog + b"<a><row><id>" + inside + b"</id></row></a>"

    document = parse(whole)

    assert (document.root.findtext("row/id"), document.replaced) == (text, replaced)
    assert ids(whole) == ([text], replaced)


def test_an_entity_of_html_inside_an_attribute_does_not_end_it() -> None:
    assert parse(b'<a b="&QUOT;&eacute;"/>').root.get("b") == '"é'


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        (b"\n    <![CDATA[ Store 1 ]]>\n  ", " Store 1 "),
        (b"<![CDATA[Store]]>\t<![CDATA[ 1]]>\n", "Store 1"),
        (b"\n", "\n"),
        (b" Store 1 ", " Store 1 "),
    ],
)
def test_blanks_around_cdata_belong_to_the_layout(inside: bytes, text: str) -> None:
    whole = b"<a>\n  <row>\n  <id>" + inside + b"</id></row></a>"

    assert parse(whole).root.findtext("row/id") == text
    assert ids(whole) == ([text], 0)


@pytest.mark.parametrize("declared", ["punycode", "utf-7", "idna", "unicode_escape", "x" * 40])
def test_an_encoding_that_nobody_uses_is_read_as_utf_8(declared: str) -> None:
    whole = f'<?xml version="1.0" encoding="{declared}"?>'.encode() + b"<a>+ADw-\xff</a>"

    assert parse(whole).root.text == "+ADw-\ufffd"


def test_a_damaged_line_is_counted_from_the_beginning_of_the_answer() -> None:
    with pytest.raises(BrokenAnswer, match="line 4"):
        parse(b'<?xml version="1.0"?>\n\n<a>\n</b></a>')


def test_a_replacement_character_of_the_original_is_not_counted() -> None:
    _, replaced = clean("<a>\ufffd\x01</a>".encode())

    assert replaced == 1


def test_a_latin_page_with_a_control_character_keeps_its_letters() -> None:
    document = parse(b'<?xml version="1.0" encoding="ISO-8859-1"?><a>caf\xe9\x02</a>')

    assert document.root.text == "café\ufffd"


@pytest.mark.parametrize(
    "body",
    [EVALUATION + b"<a><b>1</b></a>", b"<a><b>1</b></a>\n" + EVALUATION],
)
def test_the_comment_of_an_evaluation_is_seen_beside_the_root(body: bytes) -> None:
    assert parse(body).evaluation


def test_the_same_words_inside_a_finding_are_no_such_comment() -> None:
    body = b"<a><b><![CDATA[" + EVALUATION + b"]]></b><c>evaluation version</c></a>"

    assert not parse(body).evaluation


def test_comments_inside_do_not_split_texts() -> None:
    assert parse(b"<a><b>one<!-- keep-alive -->two</b></a>").root.findtext("b") == "onetwo"


def test_a_text_of_twenty_megabytes_is_read() -> None:
    size = 20_000_000

    text = parse(b"<a>" + b"x" * size + b"</a>").root.text

    assert text is not None
    assert len(text) == size


def ids(source: bytes) -> tuple[list[str | None], int]:
    return read_large(BytesIO(source), ("row",), lambda: lambda element: element.findtext("id"))


def test_a_large_document_is_read_element_by_element() -> None:
    rows = b"".join(b"<row><id>%d</id></row>" % number for number in range(3000))

    found, replaced = ids(b'\n<?xml version="1.0"?><WasScan><list>' + rows + b"</list></WasScan>")

    assert found == [str(number) for number in range(3000)]
    assert replaced == 0


def test_nothing_is_given_of_a_large_document_that_is_cut() -> None:
    with pytest.raises(BrokenAnswer):
        ids(b"<WasScan><row><id>1</id></row><row><id>2</id>")


def test_illegal_characters_in_a_large_document_are_replaced() -> None:
    assert ids(b"<WasScan><row><id>1\x0b</id></row></WasScan>") == (["1\ufffd"], 1)


def test_a_document_that_is_too_large_to_be_cleaned_is_refused() -> None:
    document = b"<WasScan><row><id>1\x0b</id></row></WasScan>"

    with pytest.raises(BrokenAnswer, match="cut or damaged"):
        read_large(BytesIO(document), ("row",), lambda: str, most_cleaned=len(document) - 1)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b'<?xml version="1.0"?>\n<WasScan xmlns:x="y"><id>', "WasScan"),
        (b"<!-- keep-alive --><ServiceResponse>", "ServiceResponse"),
    ],
)
def test_the_root_is_named_from_the_beginning(head: bytes, name: str) -> None:
    assert root_name(head) == name


class Named(BytesIO):
    """A file whose name is not in UTF-8, as Python gives it."""

    name = "B\udcfcro.xml"


def test_a_document_may_have_a_name_in_any_encoding() -> None:
    found = ended_elements(Named(b"<a><b>1</b></a>"), ["b"], "utf-8")

    assert [element.text for element in found] == ["1"]
