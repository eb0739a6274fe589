"""Loads of the target into a CVM that is played, in this process, with all that is always true.

Each load that a test makes is looked at in the same way: its KDI files by the strict checker, its
report by its schema, the report's numbers by their sums, the folder by its modes, and all of it
for the key, which must be nowhere.
"""

from __future__ import annotations

import copy
import io
import json
import re
import signal
import stat
from collections import Counter
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

from qualyswas_ciscovm.endings import Ending, ending_well
from target_ciscovm.ledger.ledger import Ledger
from target_ciscovm.target import TargetCiscoVM
from tests.sandbox.ciscovm import api as ciscovm
from tests.sandbox.ciscovm.kdi.check import check
from tests.sandbox.ciscovm.tenant.tenant import API_KEY, CONNECTOR_ID, Tenant
from tests.sandbox.faults.faults import FAULTS, Faults
from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.clock import Clock
from tests.support.json_lines import json_lines
from tests.support.json_schemas import validator_of
from tests.target.altered import Altered
from tests.target.beginnings import Beginning
from tests.target.streams import bare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from tests.sandbox.ciscovm.face import Logged
    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.target.altered import Change
    from tests.target.streams import Sync

QUICK: Final = Switches(rate_limit=0, run_seconds=0)
FAILED: Final = "failed_payload_count"
HOUR: Final = timedelta(hours=1)


class QuickTarget(TargetCiscoVM):
    """The target, with waits that suit a CVM next door."""

    first_wait_seconds: ClassVar[float] = 0.005
    pace_seconds: ClassVar[float] = 0
    show_seconds: ClassVar[tuple[float, ...]] = (0, 0)


class Stage:
    """An application that is another one whenever a test wants: the server stays.

    Attributes:
        beginnings: what first loads have left behind, by their input and settings.
        folder: where these keep their files.
    """

    def __init__(self, folder: Path) -> None:
        self.app: ASGIApp | None = None
        self.url = ""
        self.folder = folder
        self.beginnings: dict[str, Beginning] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@dataclass
class Loaded:
    """What a load came to.

    Attributes:
        states: the lines of its standard output.
        report: of its `report.json`; empty when there is none.
        documents: its KDI files, by name.
        rejected: rows of its `rejected.jsonl`.
        changes: rows of its `changes.jsonl`.
    """

    exit_code: int
    message: str
    states: list[Any]
    folder: Path | None
    report: dict[str, Any] = field(default_factory=dict)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def outcome(self) -> str | None:
        return self.report.get("outcome")

    @property
    def assets(self) -> list[dict[str, Any]]:
        """Give the assets of all files."""
        return [asset for document in self.documents.values() for asset in document["assets"]]

    def asset(self, locator: str) -> dict[str, Any]:
        """Give the one asset that has this value as a locator."""
        names = ("url", "external_id", "application", "fqdn", "ip_address")
        (found,) = (a for a in self.assets if locator in [a.get(name) for name in names])
        return found

    @property
    def closings(self) -> dict[str, str]:
        """Give the causes of what the plan closes by the uniqueId in the identifier."""
        rows = (row for row in self.changes if row["action"] == "close")
        return {bare(row["identifier"]): row["cause"] for row in rows}

    def items(self, kind: str = "vulns") -> dict[str, dict[str, Any]]:
        """Give the vulnerabilities or findings of all files by the uniqueId in their identifier."""
        return {
            bare(item["scanner_identifier"]): item
            for asset in self.assets
            for item in asset.get(kind, ())
        }


class CVM:
    """A tenant that is played, and the folder of the target that loads into it."""

    def __init__(self, stage: Stage, home: Path, switches: Switches = QUICK) -> None:
        self.home = home
        self.clock = Clock()
        self.faults = Faults()
        self.switches = switches
        self.tenant = Tenant(self.clock, self.faults, switches)
        self.url = stage.url
        self._stage = stage
        self.play(switches)

    def play(self, switches: Switches) -> None:
        """Go on with the same tenant in other positions of the switches."""
        self.switches = switches
        self.tenant = Tenant(self.clock, self.faults, switches, self.tenant.state)
        self._app = ciscovm.create_app(self.tenant, self.clock, self.faults, switches)
        self._stage.app = self._app

    def alter(self, change: Change) -> None:
        """Change what the tenant answers on its way back, until `play` is called again."""
        self._stage.app = Altered(self._app, change)

    @property
    def output(self) -> Path:
        return self.home / "output"

    @property
    def ledger(self) -> Path:
        return self.output / f"ledger-{CONNECTOR_ID}.db"

    @property
    def requests(self) -> Counter[str]:
        found: Counter[str] = self._app.state.requests
        return found

    @property
    def log(self) -> list[Logged]:
        found: list[Logged] = self._app.state.log
        return found

    @property
    def login(self) -> dict[str, Any]:
        return {"api_url": self.url, "api_key": API_KEY, "connector_id": CONNECTOR_ID}

    def config(self, **settings: object) -> dict[str, Any]:
        """Give a config; a setting of None is left out."""
        whole = self.login | {"output_path": str(self.output), "max_wait_seconds": 20} | settings
        return {name: value for name, value in whole.items() if value is not None}

    def held(self) -> list[Held]:
        """Give all that this connector has said."""
        return self.tenant.held(CONNECTOR_ID)

    def open(self) -> set[str]:
        """Give what is open, by the uniqueId in the identifier."""
        return {bare(one.scanner_identifier) for one in self.held() if one.is_open}

    def closed(self) -> set[str]:
        """Give what is closed and nowhere open, by the uniqueId in the identifier."""
        return {bare(one.scanner_identifier) for one in self.held() if one.is_closed} - self.open()

    def tags(self, locator: str) -> set[str]:
        """Give the tags of the asset with this locator."""
        (found,) = (a for a in self.tenant.state.assets.values() if locator in a.locators.values())
        return set(found.tags)

    def shown(self) -> dict[int, Any]:
        """Give all that CVM shows of assets, to see whether something has changed."""
        self.tenant.settle()
        return copy.deepcopy({k: asdict(v) for k, v in self.tenant.state.assets.items()})

    def code(self, sync: Sync, **settings: object) -> str:
        """Give the code by which the target lets a change of identity through."""
        refused = self.load(sync, **settings)
        assert (refused.outcome, refused.exit_code, refused.states) == ("refused", 2, [])
        found = re.search(r"set accept_identity_change to (\w+)", refused.message)
        assert found, refused.message
        return found[1]

    def begin(self, sync: Sync, **settings: object) -> None:
        """Have this sync loaded already, as `load` does it, but once for all tests that begin so.

        What the load says is left out: a test that looks at the log loads by itself.
        """
        assert not self.log, "a test begins with this"
        assert self.switches is QUICK
        assert not any(map(self.faults.armed, FAULTS))
        known = self._stage.beginnings
        key = f"{sync.lines(self.clock.now())!r} {settings}"
        if key in known:
            known[key].give(self)
        else:
            self.load(sync, **settings)
            known[key] = Beginning.of(self, self._stage.folder / str(len(known)))

    def load(self, sync: Sync | bytes, **settings: object) -> Loaded:
        """Load what a sync writes, an hour after the last load, and look at what came of it."""
        self.clock.advance(HOUR)
        given = sync if isinstance(sync, bytes) else sync.lines(self.clock.now())
        loaded = load(given, self.config(**settings), self.switches.locator_order)
        assert "auto" not in {one.cause for one in self.tenant.state.closings}
        if loaded.outcome in {"succeeded", "succeeded_unproven"} and loaded.report["run"]:
            self.examine_ledger(loaded)
        return loaded

    def examine_ledger(self, loaded: Loaded) -> None:
        """Hold what the report says of the ledger against the ledger, once it is settled."""
        with Ledger(self.ledger) as ledger:
            if ledger.path and ledger.exists and not loaded.report["run"]["counters"].get(FAILED):
                assert loaded.report["closing"]["open_after"] == ledger.open_count()


def load(given: bytes | IO[bytes], config: dict[str, Any], order: tuple[str, ...] = ()) -> Loaded:
    """Load an input with this config, and look at what came of it.

    Bytes are read line by line, and a file as it is from a pipe.
    """
    target: TargetCiscoVM | None = None
    code, message = 0, ""
    written = io.BytesIO()
    printed = io.TextIOWrapper(written, encoding="utf-8")
    with own_signals(), redirect_stdout(printed):
        try:
            with ending_well(TargetCiscoVM.logger):
                target = QuickTarget(config=config)
                file = io.BytesIO(given) if isinstance(given, bytes) else given
                target.listen(file)  # type: ignore[arg-type] # bytes, as from a pipe
        except Ending as ending:
            code, message = ending.exit_code, ending.message
    printed.flush()
    states = json_lines(written.getvalue())
    folder = target.run.folder if target and "run" in vars(target) else None
    loaded = Loaded(code, message, states, folder)
    if folder is not None:
        read_folder(loaded, folder)
        examine(loaded, folder, order)
    if target is not None and target.report is not None:
        loaded.message = target.report.message
    return loaded


@contextmanager
def own_signals() -> Iterator[None]:
    """Keep the test runner's handlers: the SDK sets its own in each plugin."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def read_folder(loaded: Loaded, folder: Path) -> None:
    """Read what the run left behind."""
    report = folder / "report.json"
    if report.exists():
        loaded.report = json.loads(report.read_bytes())
    rejected = folder / "rejected.jsonl"
    if rejected.exists():
        loaded.rejected = json_lines(rejected.read_bytes())
    changes = folder / "changes.jsonl"
    if changes.exists():
        loaded.changes = json_lines(changes.read_bytes())
    for path in sorted(folder.glob("kdi-*.json")):
        with_end = path.read_bytes().endswith(b"}\n")
        loaded.documents |= {path.name: json.loads(path.read_bytes())} if with_end else {}


def examine(loaded: Loaded, folder: Path, order: tuple[str, ...] = ()) -> None:
    """Look at what is true of every load."""
    for name in loaded.documents:
        problems = check((folder / name).read_bytes(), *([order] if order else []))
        assert problems == [], f"{name}: {problems}"
        assert loaded.documents[name]["skip_autoclose"] is True
    assert not (folder / "spool").exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert API_KEY.encode() not in path.read_bytes(), path
    assert API_KEY not in loaded.message
    assert "\n" not in loaded.message
    if loaded.report:
        examine_report(loaded)


VALIDATOR: Final = validator_of("report")


def examine_report(loaded: Loaded) -> None:
    """Hold a report against its schema, and its numbers against one another."""
    report = loaded.report
    VALIDATOR.validate(report)
    assert report["exit_code"] == loaded.exit_code
    assert report["message"]
    way = report["reconciliation"]
    assert way["filtered"] == sum(one["filtered"] for one in way["filtered_by"])
    rejected = sum(one["count"] for one in way["rejected_by"] if one["stream"] == "findings")
    assert way["rejected"] == rejected
    if way["entries"] is not None:
        parts = ("filtered", "nothing_to_do", "rejected", "superseded", "mapped")
        assert way["received"] == sum(way[part] for part in parts)
        assert len(loaded.rejected) == sum(one["count"] for one in way["rejected_by"])
        examine_plan(loaded)


def examine_plan(loaded: Loaded) -> None:
    """Hold what the report tells of the plan against the list of its changes and the files."""
    way, closing = loaded.report["reconciliation"], loaded.report["closing"]
    assert way["entries"] == sum(one["findings"] for one in loaded.report["files"])
    if closing["open_before"] is None:  # without a ledger nobody knows what is a change
        assert loaded.changes == []
        return
    closed = Counter(row["cause"] for row in loaded.changes if row["action"] == "close")
    fixed = closed.pop("fixed", 0)
    told = {name: closing[name] for name in closing if not name.startswith("open_")}
    assert told.pop("again") <= closed.total() + fixed
    assert told["fixed"] == fixed
    assert {one["cause"]: one["count"] for one in way["closings_by"]} == closed
    assert sum(told.values()) - fixed == way["closings"] == closed.total()
