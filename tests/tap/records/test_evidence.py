"""Evidence: secrets left out, texts capped, never a row lost to it."""

from __future__ import annotations

import base64
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tap_qualyswas.records.evidence import (
    MAX_FINDING_BYTES,
    Evidence,
    cap_bytes,
    decode_base64,
    decode_unmarked,
)
from tap_qualyswas.records.fields import CUT
from tap_qualyswas.records.findings import finding_shape
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.parsing import parse
from tests.tap.scripted import finding

SECRET = "Cookie: session=hidden-word"


def payload(response: str = "", *, attributes: str = "", headers: str = "", body: str = "") -> str:
    return (
        "<PayloadInstance><payload>a=1</payload><request><method>POST</method>"
        f"<link>https://app1.example.test/?q=1</link><headers>{headers}</headers>"
        f"<body>{body}</body></request><response{attributes}>{response}</response>"
        "<payloadResponce><offset>3</offset><length>4</length></payloadResponce></PayloadInstance>"
    )


def result_list(*payloads: str) -> str:
    inside = f"<payloads><count>{len(payloads)}</count><list>{''.join(payloads)}</list></payloads>"
    path = "<accessPath><count>1</count><list><Url><value>https://a.test/</value></Url></list></accessPath>"
    return (
        f"<count>1</count><list><Result><authentication>false</authentication><ajax>true</ajax>"
        f"{path}{inside}</Result></list>"
    )


def read(evidence: Evidence, inside: str, notes: Notes | None = None) -> list[dict[str, object]]:
    document = parse(finding(1, resultList=inside).encode())
    record = finding_shape(evidence)(document.root, notes or Notes())
    results = json.loads(json.dumps(record["resultList"]))
    assert isinstance(results, list)
    return [found for result in results for found in result["payloads"]]


def test_results_are_nested_as_qualys_nests_them() -> None:
    document = parse(finding(1, resultList=result_list(payload("seen"))).encode())

    record = finding_shape(Evidence())(document.root, Notes())

    assert record["resultList"] == [
        {
            "authentication": False,
            "ajax": True,
            "ajaxRequestId": None,
            "formLocation": None,
            "accessPath": ["https://a.test/"],
            "payloads": [
                {
                    "payload": "a=1",
                    "payloadResult": None,
                    "payloadResponce": {"offset": 3, "length": 4},
                    "request": {
                        "method": "POST",
                        "link": "https://app1.example.test/?q=1",
                        "headers": None,
                        "body": None,
                    },
                    "response": "seen",
                }
            ],
        }
    ]


def test_evidence_is_left_out_unless_it_is_asked_for() -> None:
    document = parse(finding(1, resultList=result_list(payload("seen"))).encode())
    notes = Notes()

    record = finding_shape()(document.root, notes)

    assert record["resultList"] is None
    assert notes.unknown == {}


def test_request_headers_and_bodies_are_redacted_by_default() -> None:
    (found,) = read(Evidence(), result_list(payload("ok", headers=SECRET, body="password=x")))

    assert found["request"] == {
        "method": "POST",
        "link": "https://app1.example.test/?q=1",
        "headers": "[redacted]",
        "body": "[redacted]",
    }
    assert "hidden-word" not in str(found)


def test_they_are_given_when_redaction_is_switched_off() -> None:
    inside = result_list(payload("ok", headers=SECRET, body="password=x"))

    (found,) = read(Evidence(redact=False), inside)

    assert isinstance(found["request"], dict)
    assert (found["request"]["headers"], found["request"]["body"]) == (SECRET, "password=x")


@pytest.mark.parametrize("name", ["payloadResponce", "payloadResponse"])
def test_the_place_of_the_evidence_is_read_under_both_spellings(name: str) -> None:
    inside = result_list(payload().replace("payloadResponce", name))

    (found,) = read(Evidence(), inside)

    assert found["payloadResponce"] == {"offset": 3, "length": 4}


def test_the_history_is_left_out_without_a_word() -> None:
    notes = Notes()
    document = parse(finding(1, history="<set><WebAppFindingHistory/></set>").encode())

    record = finding_shape(Evidence())(document.root, notes)

    assert "history" not in record
    assert notes.unknown == {}


@pytest.mark.parametrize(
    ("packed", "text", "replaced"),
    [
        ("aGVsbG8=", "hello", 0),
        ("aGVsbG8", "hello", 0),
        ("aGVs\nbG8=", "hello", 0),
        ("aGVsbG8hI", "hello!", 0),
        ("/////w==", "\ufffd\ufffd\ufffd\ufffd", 4),
        ("_____w", "\ufffd\ufffd\ufffd\ufffd", 4),
        ("AAEC", "\ufffd\ufffd\ufffd", 3),
        ("77+9", "\ufffd", 0),
        ("not*base64", "not*base64", 0),
        ("", "", 0),
    ],
)
def test_base64_is_decoded_as_far_as_it_is_any(packed: str, text: str, replaced: int) -> None:
    assert decode_base64(packed) == (text, replaced)


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("dXNlcj1hbGV4JnBhc3N3b3JkPXg=", "user=alex&password=x"),
        ("dXNlcj1hbGV4JnBhc3N3b3JkPXg", "user=alex&password=x"),
        ("dXNlcj1h\r\nbGV4", "user=alex"),
        ("R3LDvMOfZQ0K", "Grüße\r\n"),
        ("user=alex&password=x", "user=alex&password=x"),
        ("Host: example.test", "Host: example.test"),
        ("test", "test"),
        ("password", "password"),
        ("AAEC", "AAEC"),
        ("/////w==", "/////w=="),
        ("dXNl cj1h", "dXNl cj1h"),
        ("", ""),
    ],
)
def test_what_has_no_mark_is_decoded_when_it_is_clean_text(sent: str, text: str) -> None:
    assert decode_unmarked(sent, whole=True) == text


@pytest.mark.parametrize("bytes_of_it", range(1, 12))
def test_the_beginning_of_base64_is_decoded_wherever_it_ends(bytes_of_it: int) -> None:
    packed = base64.b64encode("Grüße".encode()[:bytes_of_it])

    assert "Grüße".startswith(decode_unmarked(packed.decode(), whole=False))


@pytest.mark.parametrize("mark", ["", ' base64="true"', ' base64="TRUE"'])
def test_headers_and_bodies_are_decoded_with_and_without_a_mark(mark: str) -> None:
    packed = base64.b64encode(SECRET.encode()).decode()
    inside = result_list(payload("ok", headers=packed, body="dXNlcj1hbGV4"))
    for name in ("headers", "body"):
        inside = inside.replace(f"<{name}>", f"<{name}{mark}>")

    (plain,) = read(Evidence(redact=False), inside)
    (redacted,) = read(Evidence(), inside)

    assert isinstance(plain["request"], dict)
    assert (plain["request"]["headers"], plain["request"]["body"]) == (SECRET, "user=alex")
    assert "hidden-word" not in str(redacted)
    assert packed not in str(redacted)


def test_a_text_that_says_it_is_no_base64_stays_as_it_is() -> None:
    inside = result_list(payload(body="dXNlcj1hbGV4")).replace("<body>", '<body base64="false">')

    (found,) = read(Evidence(redact=False), inside)

    assert isinstance(found["request"], dict)
    assert found["request"]["body"] == "dXNlcj1hbGV4"


def test_responses_are_decoded_only_where_they_are_marked() -> None:
    inside = result_list(
        payload("aGVsbG8=", attributes=' base64="true"'),
        payload("aGVsbG8="),
        payload("not*base64", attributes=' base64="true"'),
    )

    found = read(Evidence(), inside)

    assert [one["response"] for one in found] == ["hello", "aGVsbG8=", "not*base64"]


def test_what_is_replaced_in_decoded_text_is_counted() -> None:
    notes = Notes()

    (found,) = read(Evidence(), result_list(payload("YQBi", attributes=' base64="true"')), notes)

    assert (found["response"], notes.replaced) == ("a\ufffdb", 1)


def test_each_text_is_cut_at_the_bound_says_so_and_is_counted() -> None:
    notes = Notes()
    inside = result_list(payload("x" * 12), payload("x" * 11), payload("ü" * 10))

    found = read(Evidence(max_bytes=11), inside, notes)

    assert [one["response"] for one in found] == ["x" * 5 + CUT, "x" * 11, "ü" * 2 + CUT]
    assert notes.cut["response"] == 2


@pytest.mark.parametrize("length", [99, 100, 101, 102, 103, 106, 1000])
@pytest.mark.parametrize("mark", ["", ' base64="true"'])
def test_decoded_text_is_cut_at_the_bound_too(mark: str, length: int) -> None:
    notes = Notes()
    packed = base64.b64encode(b"y" * length).decode()
    inside = result_list(payload(body=packed)).replace("<body>", f"<body{mark}>")

    (found,) = read(Evidence(redact=False, max_bytes=100), inside, notes)

    assert isinstance(found["request"], dict)
    is_cut = length > 100
    assert found["request"]["body"] == ("y" * (100 - len(CUT)) + CUT if is_cut else "y" * length)
    assert notes.cut["body"] == is_cut


@given(
    text=st.text("aü☃😀 \n", min_size=1, max_size=40),
    limit=st.integers(1, 60),
    mark=st.sampled_from(["true", "false"]),
)
def test_a_text_fits_into_the_bound_with_its_mark(text: str, limit: int, mark: str) -> None:
    element, notes = etree.Element("response", base64=mark), Notes(evidence_left=MAX_FINDING_BYTES)
    element.text = base64.b64encode(text.encode()).decode() if mark == "true" else text

    found = Evidence(max_bytes=limit).response(element, notes)

    if len(text.encode()) <= limit:
        assert (found, notes.cut.total()) == (text, 0)
        return
    assert found is not None
    assert len(found.encode()) <= limit
    assert notes.cut["response"] == 1
    if limit < len(CUT):
        assert CUT.strip().startswith(found)
    else:
        beginning = found.removesuffix(CUT.strip()).removesuffix(" ")
        assert found.endswith(CUT.strip())
        assert text.startswith(beginning)
        assert len(beginning.encode()) > limit - len(CUT) - 4


@pytest.mark.parametrize("limit", range(1, 12))
def test_a_cut_never_splits_a_character(limit: int) -> None:
    cut = cap_bytes("aü☃😀", limit)

    assert "aü☃😀".startswith(cut)
    assert len(cut.encode()) <= limit


def test_one_finding_never_carries_more_than_its_share() -> None:
    notes = Notes()
    inside = result_list(*[payload("x" * 100_000) for _ in range(50)])

    found = read(Evidence(max_bytes=100_000), inside, notes)

    assert len(found) == 50
    assert sum(len(str(one["response"] or "")) for one in found) <= MAX_FINDING_BYTES + 100_000
    assert notes.cut["resultList"] > 0
    assert found[-1]["response"] == "[cut]"


def test_a_text_of_twenty_megabytes_is_not_copied() -> None:
    document = parse(finding(1, resultList=result_list(payload("z" * 20_000_000))).encode())
    shape = finding_shape(Evidence(max_bytes=1000))
    tracemalloc.start()

    record = shape(document.root, Notes())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "z" * 990 in str(record["resultList"])
    assert peak < 2_000_000


def test_tls_details_are_read() -> None:
    told = "<protocol>TLSv1</protocol><name>RC4</name><grade>LOW</grade>"
    cipher = f"<SSLDataCipher>{told}</SSLDataCipher>"
    inside = (
        "<protocol>tcp</protocol><ip>192.0.2.7</ip><port>443</port><sslDataInfoList><list><SSLDataInfo>"
        f"<sslDataCipherList><list>{cipher}</list></sslDataCipherList>"
        "</SSLDataInfo></list></sslDataInfoList>"
    )
    document = parse(finding(1, sslData=inside).encode())

    record = finding_shape(Evidence())(document.root, Notes())

    assert isinstance(record["sslData"], dict)
    (info,) = json.loads(json.dumps(record["sslData"]["sslDataInfoList"]))
    assert info["sslDataCipherList"][0]["name"] == "RC4"
    assert info["sslDataKexList"] is None
