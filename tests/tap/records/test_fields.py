"""Text to values of the type that the schema promises, and rows to records."""

from __future__ import annotations

import pytest
from lxml import etree

from tap_qualyswas.records.fields import CUT, MAX_TEXT, MOST_KEPT, SHORT, Kept, number, to_whole
from tap_qualyswas.records.findings import finding_shape
from tap_qualyswas.records.knowledge_base import read_entry
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.parsing import Element, parse
from tap_qualyswas.records.scans import read_scan
from tap_qualyswas.records.shapes import Rejected, row_id
from tap_qualyswas.records.webapps import WEBAPP
from tests.tap.scripted import finding, scan, webapp

FINDING = finding_shape()


def element(xml: str) -> Element:
    return parse(xml.encode()).root


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        (" 3\r\n", 3),
        ("3.0", 3),
        ("50.0", 50),
        ("50.", 50),
        ("-1", -1),
        ("9223372036854775807", 9_223_372_036_854_775_807),
        ("", None),
        ("  ", None),
    ],
)
def test_whole_numbers_in_every_spelling(text: str, expected: int | None) -> None:
    assert to_whole(text) == expected


@pytest.mark.parametrize(
    "text",
    ["3.5", "x", "159\u200b002x", "1_000", "１２", "1e3", "0x10", "--1", "9223372036854775808"],
)
def test_garbage_is_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        to_whole(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7.5 (AV:N/AC:L)", 7.5),
        ("7.5", 7.5),
        ("10", 10.0),
        (" 3.1\n", 3.1),
        ("6,1 (AV:N)", 6.1),
        ("", None),
    ],
)
def test_a_score_is_read_from_the_beginning_of_its_text(text: str, expected: float | None) -> None:
    assert number(element(f"<base>{text}</base>"), Notes()) == expected


def test_a_lean_finding_becomes_a_flat_record() -> None:
    notes = Notes()

    record = FINDING(element(finding(7001)), notes)

    assert {name: value for name, value in record.items() if value is not None} == {
        "id": 7001,
        "uniqueId": "00000000-0000-4000-8000-000000007001",
        "qid": 150_001,
        "name": "Weakness 7001",
        "type": "VULNERABILITY",
        "potential": False,
        "findingType": "QUALYS",
        "severity": 3,
        "url": "https://app1.example.test/page7001?a=1&b=2",
        "status": "ACTIVE",
        "firstDetectedDate": "2024-03-01T08:00:00Z",
        "lastDetectedDate": "2024-05-01T08:00:00Z",
        "lastTestedDate": "2024-05-02T08:00:00Z",
        "timesDetected": 2,
        "isIgnored": False,
        "webApp": {
            "id": 9001,
            "name": "Demo App 1",
            "url": "https://app1.example.test/",
            "tags": None,
        },
    }
    assert notes == Notes()


def test_what_a_row_lacks_is_null() -> None:
    xml = finding(1, kind="INFORMATION_GATHERED", url=None, status=None, timesDetected=None)

    record = FINDING(element(xml), Notes())

    assert (record["url"], record["status"], record["timesDetected"]) == (None, None, None)
    assert set(record) == set(FINDING.properties)


def test_unreadable_values_are_null_and_counted() -> None:
    notes = Notes()

    record = FINDING(element(finding(1, severity="high", lastTestedDate="soon")), notes)

    assert (record["severity"], record["lastTestedDate"]) == (None, None)
    assert notes.unreadable == {"Finding.severity": 1, "Finding.lastTestedDate": 1}


def test_zero_and_empty_dates_are_null() -> None:
    record = FINDING(
        element(finding(1, lastTestedDate="0000-00-00T00:00:00Z", lastDetectedDate="")), Notes()
    )

    assert (record["lastTestedDate"], record["lastDetectedDate"]) == (None, None)


def test_unknown_fields_are_counted_by_name() -> None:
    notes = Notes()

    FINDING(element(finding(1, brandNewThing="<a>1</a>", webApp="<id>1</id><mood>x</mood>")), notes)

    assert notes.unknown == {"Finding.brandNewThing": 1, "webApp.mood": 1}


@pytest.mark.parametrize(
    ("name", "value"), [("id", "seven"), ("qid", "159\u200b002x"), ("qid", "15O001")]
)
def test_a_key_that_is_garbage_rejects_the_row_and_is_named(name: str, value: str) -> None:
    with pytest.raises(Rejected, match=rf"Finding .*: {name} is not a whole number"):
        FINDING(element(finding(7002, **{name: value})), Notes())


def test_a_key_with_blanks_around_it_is_read() -> None:
    assert FINDING(element(finding(7001, qid=" 159001\r\n")), Notes())["qid"] == 159_001


def test_texts_are_cut_at_their_bound_and_counted() -> None:
    notes = Notes()

    record = FINDING(element(finding(1, param="x" * (MAX_TEXT + 1))), notes)

    assert record["param"] == "x" * MAX_TEXT + CUT
    assert notes.cut == {"param": 1}


def test_a_keyword_that_is_too_long_is_cut_and_counted_wherever_it_stands() -> None:
    notes = Notes()
    long = "x" * (MAX_TEXT + 1)
    user = f"<username> {long}</username>"

    record = FINDING(element(finding(1, group=long, ignoredBy=user)), notes)

    assert record["group"] == long[:-1] + CUT
    assert record["ignoredBy"] == {
        **dict.fromkeys(("id", "firstName", "lastName")),
        "username": long[:-2] + CUT,
    }
    assert notes.cut == {"group": 1, "username": 1}


def test_the_values_of_short_texts_are_kept_and_not_too_many() -> None:
    read: list[str] = []

    def upper(text: str) -> str:
        read.append(text)
        return text.upper()

    kept, long = Kept(upper), "x" * (SHORT + 1)

    assert [kept[text] for text in ("new", "new", long, long)] == [
        *("NEW", "NEW"),
        *[long.upper()] * 2,
    ]
    assert read == ["new", long, long]
    for at in range(2 * MOST_KEPT):
        assert kept[str(at)] == str(at)
    assert len(kept) <= MOST_KEPT


def tags_of(inside: str) -> object:
    xml = finding(1, webApp=f"<id>1</id>{inside}")
    record = FINDING(element(xml), Notes())
    assert isinstance(record["webApp"], dict)
    return record["webApp"]["tags"]


def test_tags_are_a_list_whatever_their_number() -> None:
    one = "<tags><count>1</count><list><Tag><id>1</id><name>Team Blue</name></Tag></list></tags>"

    assert tags_of(one) == [{"id": 1, "name": "Team Blue"}]
    assert tags_of("<tags><count>0</count></tags>") == []
    assert tags_of("") is None


def test_tags_that_are_only_counted_are_not_told_to_be_none() -> None:
    assert tags_of("<tags><count>3</count></tags>") is None


def test_tag_names_are_trimmed_and_come_once() -> None:
    entries = "".join(
        f"<Tag><id>{number}</id><name>{name}</name></Tag>"
        for number, name in enumerate(["Blue, North", " Team ", "Team", ""], 1)
    )

    found = tags_of(f"<tags><count>4</count><list>{entries}</list></tags>")

    assert found == [{"id": 1, "name": "Blue, North"}, {"id": 2, "name": "Team"}]


def test_classifications_of_a_verbose_finding_are_lists() -> None:
    entry = "<name>Injection</name><url>https://owasp.example.test/A03_2021/</url><code>3</code>"
    xml = finding(
        1,
        group="XSS",
        cwe="<count>2</count><list><long>79</long><long>80</long></list>",
        owasp=f"<count>1</count><list><OWASP>{entry}</OWASP></list>",
        wasc="<count>0</count>",
        cvssV3="<base>7.5 (AV:N)</base><temporal></temporal><attackVector>Network</attackVector>",
    )

    record = FINDING(element(xml), Notes())

    assert record["cwe"] == [79, 80]
    assert record["owasp"] == [
        {"name": "Injection", "url": "https://owasp.example.test/A03_2021/", "code": 3}
    ]
    assert record["wasc"] == []
    assert record["cvssV3"] == {"base": 7.5, "temporal": None, "attackVector": "Network"}


def test_an_entry_of_a_list_that_cannot_be_read_costs_only_itself() -> None:
    notes = Notes()

    record = FINDING(
        element(finding(1, cwe="<count>2</count><list><long>79</long><long>x</long></list>")), notes
    )

    assert record["cwe"] == [79]
    assert notes.unreadable == {"cwe[]": 1}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("urlWhitelist", "urlAllowlist"),
        ("urlBlacklist", "urlExcludelist"),
        ("postDataBlacklist", "postDataExcludelist"),
    ],
)
def test_renamed_fields_are_read_under_both_names(old: str, new: str) -> None:
    inside = (
        "<count>1</count><list><UrlEntry regex='false'>https://a.example.test/</UrlEntry></list>"
    )

    for name in (old, new):
        record = WEBAPP(element(webapp(1, **{name: inside})), Notes())

        assert record[new] == ["https://a.example.test/"]


def test_secrets_of_a_web_application_are_not_read_and_not_called_unknown() -> None:
    notes = Notes()

    record = WEBAPP(
        element(webapp(1, headers="Cookie: hidden-word", authRecords="<count>1</count>")), notes
    )

    assert "hidden-word" not in str(record)
    assert notes.unknown == {}


def test_attributes_are_read_under_name_or_category() -> None:
    entries = (
        "<Attribute><name>Owner</name><value>Blue</value></Attribute>"
        "<Attribute><category>Business Function</category><value>web</value></Attribute>"
    )

    record = WEBAPP(
        element(webapp(1, attributes=f"<count>2</count><list>{entries}</list>")), Notes()
    )

    assert record["attributes"] == [
        {"name": "Owner", "value": "Blue"},
        {"name": "Business Function", "value": "web"},
    ]


def test_a_scan_names_its_web_application_at_the_top() -> None:
    record = read_scan(element(scan(5001)), Notes())

    assert record["webApp"] == {"id": 9001, "name": "Demo App 1", "url": None}
    assert "target" not in record
    assert record["endScanDate"] is None


def test_a_knowledge_base_entry_is_named_like_the_rest() -> None:
    entry = read_entry(
        element(
            "<VULN><QID>150001</QID><TITLE><![CDATA[XSS]]></TITLE><SEVERITY_LEVEL>4</SEVERITY_LEVEL>"
            "<CVE_LIST><CVE><ID>CVE-2020-0001</ID><URL>x</URL></CVE></CVE_LIST>"
            "<CVSS><BASE source='service'>4.3</BASE><TEMPORAL>3.2</TEMPORAL></CVSS>"
            "<PCI_FLAG>1</PCI_FLAG><PATCHABLE>0</PATCHABLE>"
            "<PUBLISHED_DATETIME>2020-01-01T00:00:00Z</PUBLISHED_DATETIME></VULN>"
        ),
        Notes(),
    )

    assert entry["qid"] == 150_001
    assert entry["cves"] == ["CVE-2020-0001"]
    assert entry["cvss"] == {"base": 4.3, "temporal": 3.2, "vector": None}
    assert (entry["cvssV3"], entry["pciFlag"], entry["patchable"]) == (None, True, False)
    assert entry["solution"] is None


def test_a_knowledge_base_entry_tells_what_it_refers_to() -> None:
    notes = Notes()
    entry = read_entry(
        element(
            "<VULN><QID>150001</QID>"
            "<PATCH_PUBLISHED_DATE>2021-02-03T04:05:06Z</PATCH_PUBLISHED_DATE>"
            "<CODE_MODIFIED_DATETIME>2022-01-01T00:00:00Z</CODE_MODIFIED_DATETIME>"
            "<VENDOR_REFERENCE_LIST><VENDOR_REFERENCE><ID>KB1</ID><URL>https://v.example.test/</URL>"
            "</VENDOR_REFERENCE></VENDOR_REFERENCE_LIST>"
            "<CORRELATION><EXPLOITS>"
            "<EXPLT_SRC><SRC_NAME> DB </SRC_NAME><EXPLT_LIST>"
            "<EXPLT><REF>CVE-1</REF><DESC>d</DESC></EXPLT><EXPLT><REF>CVE-2</REF></EXPLT>"
            "</EXPLT_LIST></EXPLT_SRC><EXPLT_SRC><SRC_NAME>Empty</SRC_NAME></EXPLT_SRC></EXPLOITS>"
            "<MALWARE><MW_SRC><SRC_NAME>Lab</SRC_NAME><MW_LIST>"
            "<MW_INFO><MW_ID>W32</MW_ID><MW_TYPE>Worm</MW_TYPE></MW_INFO>"
            "</MW_LIST></MW_SRC></MALWARE></CORRELATION>"
            "<CVSS_V4><BASE>9.3</BASE><VECTOR_STRING>CVSS:4.0/AV:N</VECTOR_STRING></CVSS_V4>"
            "<THREAT_INTELLIGENCE><THREAT_INTEL id='5'><![CDATA[Easy_Exploit]]></THREAT_INTEL>"
            "<THREAT_INTEL id='x'>Odd</THREAT_INTEL></THREAT_INTELLIGENCE></VULN>"
        ),
        notes,
    )

    assert entry["cvssV4"] == {
        "base": 9.3,
        "temporal": None,
        "vector": "CVSS:4.0/AV:N",
        "version": None,
    }
    assert (entry["patchPublishedDate"], entry["codeModifiedDate"]) == (
        "2021-02-03T04:05:06Z",
        "2022-01-01T00:00:00Z",
    )
    assert entry["vendorReferences"] == [{"id": "KB1", "url": "https://v.example.test/"}]
    assert entry["exploits"] == [
        {"source": "DB", "reference": "CVE-1", "description": "d", "link": None},
        {"source": "DB", "reference": "CVE-2", "description": None, "link": None},
    ]
    assert entry["malware"] == [{"source": "Lab", "id": "W32", "type": "Worm", "link": None}]
    assert entry["threatIntelligence"] == [{"id": 5, "name": "Easy_Exploit"}]
    assert notes.unreadable == {"THREAT_INTELLIGENCE[]": 1}
    assert not notes.unknown


def test_an_entry_that_refers_to_nothing_has_empty_lists() -> None:
    entry = read_entry(element("<VULN><QID>7</QID></VULN>"), Notes())

    lists = ("cves", "vendorReferences", "threatIntelligence", "exploits", "malware")
    assert [entry[name] for name in lists] == [[]] * len(lists)


def test_the_id_for_paging_is_read_without_the_rest() -> None:
    assert row_id(element(finding(9_007_199_254_740_993))) == 9_007_199_254_740_993
    assert row_id(element(finding(1, id="seven"))) is None
    assert row_id(element("<Finding/>")) is None
    assert row_id(element(finding(1, id="-5"))) is None
    assert row_id(element(finding(1, id="0"))) is None


def test_elements_are_what_lxml_makes() -> None:
    # The private name stands for the type in annotations; it goes when lxml renames it.
    assert isinstance(element("<a/>"), etree._Element)
