"""The intake: each record is kept, or rejected with a reason, and what is lost is remembered."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from target_ciscovm.intake.counts import Counts
from target_ciscovm.intake.intake import Intake, IntakeRules, Lost
from target_ciscovm.intake.rejections import Rejections
from target_ciscovm.intake.spool import Spool
from target_ciscovm.mapping.finding import MappingRules
from target_ciscovm.mapping.locators import Identity
from tests.support.json_lines import json_lines
from tests.target.private import mode_of
from tests.target.rows import Row, entry, finding, scan, webapp

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "url:https://app1.example.test/page1"
UNIQUE = "00000000-0000-4000-8000-00000000000"
FIRST = f"V-9001-{UNIQUE}1"


class Taking:
    """An intake with all that it writes to."""

    def __init__(self, folder: Path, identity: Identity, rules: MappingRules) -> None:
        self.folder = folder
        self.counts = Counts()
        self.spool = Spool(folder / "records.db")
        self.rejections = Rejections(folder / "rejected.jsonl")
        wanted = IntakeRules(identity, rules)
        self.intake = Intake(self.spool, self.rejections, self.counts, wanted)
        self.line = 0

    def take(self, stream: str, row: object) -> None:
        """Take a row, or the bytes of one."""
        self.line += 1
        raw = row if isinstance(row, bytes) else json.dumps(row).encode()
        self.intake.take(self.line, stream, raw)

    @property
    def rejected(self) -> list[Row]:
        self.rejections.close()
        if not self.rejections.path.exists():
            return []
        return json_lines(self.rejections.path.read_bytes())

    @property
    def kept(self) -> list[tuple[str, str | None, int | None, str]]:
        self.spool.flush()
        rows = self.spool.execute("SELECT identifier, asset, webapp, state FROM finding")
        return list(rows)

    def others(self, stream: str) -> list[Row]:
        self.spool.flush()
        return [json.loads(raw) for raw in self.spool.rows(stream)]

    @property
    def lost(self) -> set[str]:
        return {row[0] for row in self.spool.execute("SELECT identifier FROM lost")}


def begun(folder: Path, *order: str, **rules: Any) -> Taking:  # noqa: ANN401 - rules of all types
    identity = Identity(order) if order else Identity()
    return Taking(folder, identity, MappingRules(**rules))


@pytest.fixture
def taking(tmp_path: Path) -> Iterator[Taking]:
    taking = begun(tmp_path)
    yield taking
    taking.spool.remove()
    taking.rejections.close()


def test_a_finding_is_kept_by_its_key_and_the_asset_it_is_on(taking: Taking) -> None:
    taking.take("findings", finding())
    taking.take("findings", finding(2, status="FIXED", webApp=None))

    assert taking.kept == [
        (FIRST, KEY, 9001, "open"),
        (f"V-0-{UNIQUE}2", KEY[:-1] + "2", None, "fixed"),
    ]
    assert taking.rejected == []
    assert taking.counts.received == {"findings": 2}


def test_a_later_row_of_the_same_key_takes_the_place_of_an_earlier_one(taking: Taking) -> None:
    for status in ("ACTIVE", "FIXED"):
        taking.take("findings", finding(status=status))
        taking.take("webapps", webapp(name=status))

    taking.spool.supersede()

    assert [state for *_, state in taking.kept] == ["fixed"]
    assert [row["name"] for row in taking.others("webapps")] == ["FIXED"]


@pytest.mark.parametrize("order", [("external_id",), ("application",)])
def test_an_asset_that_a_web_applications_row_could_change_is_left_open(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    taking = begun(tmp_path, *order, "url")
    taking.take("findings", finding(webApp=None))
    taking.take("findings", finding(2))

    assert [asset is None for _, asset, _, _ in taking.kept] == [True, False]
    taking.spool.remove()


@pytest.mark.parametrize(
    ("stream", "row"),
    [
        ("webapps", webapp()),
        ("scans", scan()),
        ("knowledge_base", entry()),
        ("syncs", {"syncId": "s-1", "complete": True}),
    ],
)
def test_rows_of_the_other_streams_are_kept_as_they_came(
    stream: str, row: Row, taking: Taking
) -> None:
    taking.take(stream, row | {"unknown": {"field": [1]}})

    assert taking.others(stream) == [row | {"unknown": {"field": [1]}}]


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        ("webapps", "it has no id"),
        ("scans", "it has no id"),
        ("knowledge_base", "it has no qid"),
        ("syncs", "it has no syncId"),
    ],
)
def test_a_row_without_its_key_is_rejected_by_the_name_on_the_wire(
    stream: str, says: str, taking: Taking
) -> None:
    taking.take(stream, {})

    assert taking.rejected == [{"line": 1, "stream": stream, "key": None, "reason": says}]
    assert taking.counts.rejected == {stream: 1}


def test_streams_of_others_are_counted_and_not_kept(taking: Taking) -> None:
    taking.take("scan_results", b"anything")
    taking.take("users", b"anything")

    assert (taking.counts.passed_over, taking.counts.foreign) == ({"scan_results": 1}, {"users": 1})
    assert taking.counts.received == {}
    assert taking.intake.proof_is_last is True


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (finding(severity="high"), "severity: expected int | null, got str"),
        (finding(webApp={"id": "x"}), "webApp.id: expected int"),
        (finding(webApp=[]), "webApp: expected object"),
        (finding(status=None), "it has no status"),
        (finding(uniqueId=None, id=None), "it has no uniqueId"),
        (finding(id=2**63), "id: expected int"),
        (finding(webApp={"id": 10**30}), "webApp.id: expected int"),
        (finding(severity=-(2**70)), "severity: expected int"),
        (finding(potential="maybe"), "potential: expected bool"),
        (b"null", "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (b'"text"', "is not a JSON object"),
        (b"{", "is not a JSON object"),
        (b"9" * 5000, "is not a JSON object"),
    ],
    ids=range(14),
)
def test_a_bad_finding_is_rejected_with_a_reason_a_person_can_read(
    row: object, says: str, taking: Taking
) -> None:
    taking.take("findings", row)

    (found,) = taking.rejected
    assert found["line"] == 1
    assert found["stream"] == "findings"
    assert says in found["reason"]
    assert "`" not in found["reason"]
    assert taking.kept == []
    assert taking.counts.rejected == {"findings": 1}


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (finding(severity="x"), "00000000-0000-4000-8000-000000000001"),
        (finding(severity="x", uniqueId=" "), "7001"),
        (finding(severity="x", uniqueId=None), "7001"),
        (finding(status=None, uniqueId=None), "7001"),
        (finding(severity="x", uniqueId="u" * 10_000), "u" * 200),
        (finding(status=None, uniqueId="u" * 10_000), "u" * 200),
        (finding(severity="x", uniqueId=["odd"], id={}), None),
        (finding(severity="x", uniqueId="a\nb"), "a\nb"),
        (b"[]", None),
    ],
    ids=range(9),
)
def test_a_rejected_finding_is_named_by_its_key(
    row: object, key: str | None, taking: Taking
) -> None:
    taking.take("findings", row)

    assert [found["key"] for found in taking.rejected] == [key]


def test_a_rejected_finding_whose_identifier_can_be_read_holds_that_entry_only(
    taking: Taking,
) -> None:
    taking.take("findings", finding(severity="x"))
    taking.take("findings", finding(2, status=None, type="SENSITIVE_CONTENT"))
    taking.take("findings", finding(3, qid=2**63, webApp=None))

    assert taking.lost == {FIRST, f"S-9001-{UNIQUE}2", f"V-0-{UNIQUE}3"}
    assert taking.intake.lost == Lost()


@pytest.mark.parametrize(
    "row",
    [
        finding(severity="x", uniqueId=None, id=None),
        finding(severity="x", type=None),
        finding(severity="x", type="A_TYPE_OF_TOMORROW"),
        finding(status=None, uniqueId={"odd": 1}),
    ],
    ids=range(4),
)
def test_else_it_holds_its_web_application(row: object, taking: Taking) -> None:
    taking.take("findings", row)

    assert taking.lost == set()
    assert taking.intake.lost == Lost({9001})


@pytest.mark.parametrize(
    "row",
    [
        b"[]",
        b"null",
        finding(severity="x", uniqueId=None, id=None, webApp=None),
        finding(severity="x", webApp={"id": 2**63}),
        finding(severity="x", webApp={"id": ["odd"]}),
        finding(severity="x", webApp="odd"),
    ],
    ids=range(6),
)
def test_one_of_which_neither_is_known_may_be_any(row: object, taking: Taking) -> None:
    taking.take("findings", row)

    assert taking.lost == set()
    assert taking.intake.lost == Lost(unknown=True)


@pytest.mark.parametrize(
    ("row", "lost", "unknown"),
    [
        (webapp(tags=1.5, name=[]), {9001}, False),
        (webapp(name={}, id="9001"), {9001}, False),
        (webapp(id=None), set(), True),
        (webapp(id="none"), set(), True),
        (webapp(id=2**63), set(), True),
        (webapp(id="9" * 300), set(), True),
        (webapp(id="٩"), set(), True),
        (b"[]", set(), True),
    ],
    ids=range(8),
)
def test_a_web_application_whose_row_is_rejected_is_remembered(
    row: object, lost: set[int], unknown: bool, taking: Taking
) -> None:
    taking.take("webapps", row)

    assert len(taking.rejected) == 1
    assert taking.intake.lost == Lost(lost, unknown)


def test_a_rejected_scan_or_entry_loses_no_finding(taking: Taking) -> None:
    taking.take("scans", scan(summary="x"))
    taking.take("knowledge_base", entry(title=[]))

    assert len(taking.rejected) == 2
    assert taking.intake.lost == Lost()
    assert taking.lost == set()


def test_the_last_row_of_syncs_counts_and_only_if_nothing_follows(taking: Taking) -> None:
    for name in ("s-1", "s-2"):
        taking.take("syncs", {"syncId": name})

    assert taking.intake.sync is not None
    assert taking.intake.sync.sync_id == "s-2"
    was_last = taking.intake.proof_is_last
    taking.take("findings", finding())
    assert (was_last, taking.intake.proof_is_last) == (True, False)


@pytest.mark.parametrize("row", [{"complete": True}, {"syncId": "s-2", "streams": "odd"}, b"null"])
def test_a_row_of_syncs_that_is_rejected_leaves_no_earlier_one_to_believe(
    row: object, taking: Taking
) -> None:
    taking.take("syncs", {"syncId": "s-1", "complete": True})
    taking.take("syncs", row)

    assert taking.intake.sync is None


def test_a_row_of_syncs_with_nulls_for_lists_is_believed(taking: Taking) -> None:
    taking.take("syncs", {"syncId": "s", "incompleteReasons": None, "notProven": None})

    assert taking.intake.sync is not None
    assert taking.rejected == []


def test_values_of_other_forms_are_kept_as_what_they_mean(taking: Taking) -> None:
    taking.take("findings", finding(severity="3", webApp={"id": "9001", "tags": "Blue"}))

    assert taking.kept[0][2] == 9001
    assert taking.rejected == []


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        (b'"param":NaN', "NaN or infinity"),
        (b'"severityComment":Infinity', "NaN or infinity"),
        (b'"cvssV3":{"base":1e999}', "NaN or infinity"),
        (b'"resultList":{"list":[{"payload":-1e999}]}', "NaN or infinity"),
        (b'"param":"\\ud800"', "lone surrogate"),
        (b'"param":"\xff"', "not UTF-8"),
    ],
)
def test_what_json_cannot_say_is_mended_and_counted(raw: bytes, note: str, taking: Taking) -> None:
    taking.take("findings", json.dumps(finding()).encode()[:-1] + b"," + raw + b"}")

    ((text, count),) = taking.counts.notes.items()
    assert note in text
    assert count == 1
    assert len(taking.kept) == 1
    assert taking.rejected == []


def test_a_replacement_character_that_came_as_one_is_not_counted(taking: Taking) -> None:
    row = finding(param="\ufffd", severity="3")
    taking.take("findings", row)
    taking.take("findings", json.dumps(row, ensure_ascii=False).encode())

    assert taking.counts.notes == {}


def test_a_status_map_decides_what_is_fixed(tmp_path: Path) -> None:
    taking = begun(tmp_path, status_map={"PROTECTED": "closed", "FIXED": "open"})
    taking.take("findings", finding(1, status="PROTECTED"))
    taking.take("findings", finding(2, status="FIXED"))

    assert [state for *_, state in taking.kept] == ["fixed", "open"]
    taking.spool.remove()


def test_the_file_of_rejections_is_made_with_the_first_and_its_owners_alone(taking: Taking) -> None:
    taking.take("findings", finding())
    assert not taking.rejections.path.exists()

    taking.take("findings", b"null")
    assert mode_of(taking.rejections.path) == 0o600


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
STREAMS = st.sampled_from(["findings", "webapps", "scans", "knowledge_base", "syncs"])
FIELDS = st.sampled_from(["id", "uniqueId", "qid", "syncId", "severity", "webApp", "url", "status"])
CHANGES = st.dictionaries(FIELDS | st.sampled_from(["tags", "type", "lastTestedDate"]), JSON)


@example([("knowledge_base", {"qid": "0\x850\u2028"})])
@given(st.lists(st.tuples(STREAMS, JSON | CHANGES), max_size=5))
def test_whatever_comes_is_kept_or_rejected_and_never_neither(
    rows: list[tuple[str, Any]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        taking = begun(Path(folder))
        for stream, row in rows:
            taking.take(stream, finding() | row if isinstance(row, dict) else row)
        counts = taking.counts
        kept = len(taking.kept) + sum(len(taking.others(name)) for name in counts.received)

        assert counts.received.total() == len(rows)
        assert len(taking.rejected) == counts.rejected.total()
        # Rows of one key take each other's place; a single row cannot.
        assert kept <= len(rows) - counts.rejected.total()
        assert len(rows) != 1 or kept == 1 - counts.rejected.total()
        taking.spool.remove()
