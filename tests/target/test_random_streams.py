"""Whatever comes in: each record is accounted for once, and what CVM holds is what is known."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.target.loads import CVM, load
from tests.target.streams import (
    ASKING,
    STATE,
    Sync,
    bare,
    entry,
    finding,
    fixed,
    joined,
    names,
    record,
    scan,
    schema,
    webapp,
    webapp_of,
)

if TYPE_CHECKING:
    from tests.target.loads import Loaded, Stage
    from tests.target.streams import Row

QUICKLY: Final = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

KEYS: Final = st.integers(1, 8)
TEXTS: Final = st.sampled_from(
    ["", "plain", 'a "quoted" <b>name</b>', "Größe 中文 \u0007", "x" * 300]
)
URLS: Final = st.sampled_from(
    [
        "https://app.example.test/a?x=1",
        "HTTPS://App.Example.Test/a#top",
        "https://app.example.test/b",
        "no URL at all",
        "",
        None,
    ]
)
APPS: Final = st.sampled_from([webapp_of(1), webapp_of(2), {"id": 3}, {"name": "Nameless"}, None])
DATES: Final = st.sampled_from(["2026-02-01T08:00:00Z", "2026-02-01T10:00:00+02:00", "soon", None])

ROWS: Final = st.builds(
    lambda number, changes: finding(number) | changes,
    KEYS,
    st.fixed_dictionaries(
        {},
        optional={
            "uniqueId": st.none(),
            "id": st.one_of(st.none(), KEYS, st.just("7"), st.just("seven")),
            "type": st.sampled_from(["VULNERABILITY", "INFORMATION_GATHERED", None, 5]),
            "status": st.sampled_from(
                ["NEW", "ACTIVE", "REOPENED", "PROTECTED", "FIXED", "ODD", "", None, ["ACTIVE"]]
            ),
            "severity": st.sampled_from([None, 0, 1, 2, 5, 9, "3", 4.0, "high", True]),
            "potential": st.sampled_from([True, False, None, "true", "perhaps"]),
            "qid": st.sampled_from([150001, 150002, 0, None, "150003", "x"]),
            "name": TEXTS,
            "param": TEXTS,
            "url": URLS,
            "webApp": APPS,
            "lastDetectedDate": DATES,
            "lastTestedDate": DATES,
            "fixedDate": DATES,
            "isIgnored": st.booleans(),
            "cwe": st.sampled_from([None, [], [79, 80], "79", [None]]),
            "resultList": st.sampled_from([None, {"list": [{"payload": "a" * 500}]}, "text", 7]),
        },
    ),
)

CONFIGS: Final = st.fixed_dictionaries(
    {"max_failed_percent": st.just("100"), "part_max_bytes": st.sampled_from([1000, 4000, 10**8])},
    optional={
        "min_severity": st.integers(1, 5),
        "exclude_potential": st.booleans(),
        "exclude_non_exploitable": st.booleans(),
        "exclude_informational": st.booleans(),
        "data_model": st.sampled_from(["vulnerabilities", "findings"]),
        "map_ignored": st.booleans(),
        "url_query": st.sampled_from(["cut", "keep"]),
        "skip_tags": st.booleans(),
        "locator_order": st.sampled_from(
            [
                ["url", "external_id", "application"],
                ["external_id"],
                ["application", "url"],
                ["url"],
            ]
        ),
    },
)


@QUICKLY
@given(
    rows=st.lists(ROWS, min_size=1, max_size=25),
    others=st.permutations(
        [
            ("webapps", webapp(1)),
            ("webapps", webapp(2)),
            ("webapps", {"id": "one"}),
            ("scans", scan(1)),
            ("scans", scan(3)),
            ("knowledge_base", entry(150001, cves=["CVE-2024-1234", "no CVE"])),
            ("knowledge_base", entry(150002, cwe=[], title=None)),
            ("users", {"id": 1}),
        ]
    ),
    few=st.integers(0, 8),
    config=CONFIGS,
)
def test_each_finding_that_came_is_in_one_place(
    rows: list[Row], others: list[tuple[str, Row]], few: int, config: dict[str, Any]
) -> None:
    mixed = [("findings", row) for row in rows] + others[:few]
    schemas = [schema(name) for name in {name for name, _ in mixed}]
    lines = joined(*schemas, *(record(name, row) for name, row in mixed))

    with tempfile.TemporaryDirectory() as folder:
        loaded = load(lines, config | {"output_path": folder})

    assert loaded.exit_code == 0, loaded.message
    account_for(loaded, len(rows), len(schemas))


def account_for(loaded: Loaded, received: int, before: int) -> None:
    """See each finding in one place, by what the files hold and not by what the report says."""
    rejected = Counter(row["line"] > 0 for row in loaded.rejected if row["stream"] == "findings")
    assert all(row["line"] <= before + received + 8 for row in loaded.rejected)
    items = [
        item["scanner_identifier"]
        for asset in loaded.assets
        for kind in ("vulns", "findings")
        for item in asset.get(kind, ())
    ]
    assert len(items) == len(set(items))
    keys = [asset_key(asset) for asset in loaded.assets]
    assert len(keys) == len(set(keys))

    way = loaded.report["reconciliation"]
    assert way["received"] == received
    assert way["mapped"] == len(items)
    assert way["rejected"] == rejected.total()
    left = received - len(items) - rejected.total()
    assert left == way["filtered"] + way["nothing_to_do"] + way["superseded"]


def asset_key(asset: dict[str, Any]) -> str:
    names = ("url", "external_id", "application", "fqdn", "ip_address")
    return next(f"{name} {asset[name]}" for name in names if name in asset)


class World:
    """A small Qualys, and what a connector that never guesses would hold open of it."""

    def __init__(self) -> None:
        self.pages: dict[int, int] = {}
        self.fixed: set[int] = set()
        self.changed: set[int] = set()
        self.expected: set[int] = set()
        self.chained = False

    def change(self, what: str, number: int, page: int) -> None:
        """Let something happen to a finding."""
        if what == "vanish":
            self.pages.pop(number, None)
            self.fixed.discard(number)
            self.changed.discard(number)
            return
        if what == "fix" and number not in self.pages:
            return
        self.pages[number] = page
        self.changed.add(number)
        if what == "fix":
            self.fixed.add(number)
        else:
            self.fixed.discard(number)

    def row(self, number: int) -> Row:
        make = fixed if number in self.fixed else finding
        page = self.pages[number]
        return make(number, 1 + number % 2, url=f"https://app.example.test/page{page}")

    def lacks_what_came_before(self, kind: Kind) -> bool:
        """Tell whether no load has begun the chain that a sync goes on from."""
        self.chained |= kind == "full"
        return kind == "incremental" and not self.chained

    def sync(self, kind: Kind) -> Sync:
        """Let the tap read, and note what may be known from it."""
        read = set(self.pages) if kind != "incremental" else set(self.changed)
        self.expected = (self.expected | (read - self.fixed)) - (read & self.fixed)
        if kind == "full":
            self.expected &= set(self.pages)
        self.changed.clear()
        rows = [self.row(number) for number in sorted(read)]
        mode = "incremental" if kind == "incremental" else "full"
        proof: dict[str, object] | None = None if kind == "unproven" else {}
        return Sync([webapp(1), webapp(2)], rows, mode=mode, proof=proof)


Kind = Literal["full", "incremental", "unproven"]
Event = tuple[str, int, int]
EVENTS: Final[st.SearchStrategy[list[Event]]] = st.lists(
    st.tuples(st.sampled_from(["appear", "fix", "vanish"]), st.integers(1, 5), st.integers(1, 3)),
    max_size=6,
)
KINDS: Final[st.SearchStrategy[Kind]] = st.sampled_from(["full", "incremental", "unproven"])


@settings(QUICKLY, max_examples=12)
@given(
    days=st.lists(st.tuples(EVENTS, KINDS), min_size=2, max_size=5),
    size=st.sampled_from([1000, 10**8]),
)
def test_what_is_open_in_cvm_is_what_is_known_to_be_open(
    days: list[tuple[list[Event], Kind]], size: int, stage: Stage
) -> None:
    world = World()
    with tempfile.TemporaryDirectory() as folder:
        cvm = CVM(stage, Path(folder))
        for events, kind in days:
            for event in events:
                world.change(*event)

            loaded = cvm.load(world.sync(kind), part_max_bytes=size)

            gap = world.lacks_what_came_before(kind)
            assert loaded.exit_code == int(gap), loaded.message
            assert loaded.states == [ASKING if gap else STATE]
            assert open_in(cvm) == sorted(names(*world.expected))
            assert loaded.report["closing"]["open_after"] == len(world.expected)


def open_in(cvm: CVM) -> list[str]:
    """Give what is open, each as often as it is."""
    return sorted(bare(one.scanner_identifier) for one in cvm.held() if one.is_open)


FAULTS: Final = st.sampled_from(
    ["", "run-fails", "payload-fails*2", "payloads-fail*0", "connector-gone"]
)


@settings(QUICKLY, max_examples=12)
@given(days=st.lists(st.tuples(EVENTS, KINDS, FAULTS), min_size=1, max_size=4))
def test_whatever_went_wrong_the_next_full_load_makes_cvm_right(
    days: list[tuple[list[Event], Kind, str]], stage: Stage
) -> None:
    world = World()
    with tempfile.TemporaryDirectory() as folder:
        cvm = CVM(stage, Path(folder))
        asked = False
        for events, kind, fault in days:
            for event in events:
                world.change(*event)
            read = set(world.changed)
            cvm.faults.arm(*([fault] if fault else []))
            loaded = cvm.load(world.sync("full" if asked else kind))
            cvm.faults.disarm()
            asked = loaded.states == [ASKING] or (asked and not loaded.states)
            # The tap reads again what no state says it has read.
            world.changed |= set() if loaded.states else read & set(world.pages)

        assert cvm.load(world.sync("full")).exit_code == 0

        assert open_in(cvm) == sorted(names(*(set(world.pages) - world.fixed)))
