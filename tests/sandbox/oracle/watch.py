"""One account, one connector: takes note before each run, and judges it when it has ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.sandbox.oracle.coverage import Run
from tests.sandbox.oracle.reads import kinds_read, read_everything

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.ciscovm.tenant.state import Closing
    from tests.sandbox.ciscovm.tenant.tenant import Tenant
    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.oracle.coverage import Asked
    from tests.sandbox.oracle.oracle import Comparison, Oracle
    from tests.sandbox.qualys.face import QualysFace

UNPROVABLE: Final = frozenset({"qualys-evaluation-header", "qualys-evaluation-comment"})
"""With these a sync may succeed, but must not take anything for gone."""

UNCOUNTED: Final = frozenset({"qualys-half-page", "qualys-nothing", "qualys-trial"})
"""Only a count can notice these, and an incremental sync makes none."""

UNTOLD: Final = frozenset({"payload-fails", "payloads-fail"})
"""Only a run's counters tell these."""

HIDING: Final = UNCOUNTED | UNTOLD | {"page-foreign", "page-no-data", "page-same-cursor"}
"""With these a sync may end well without having seen or loaded everything: a later one has to."""

BREAKING: Final = frozenset({"tap-killed", "tap-terminated", "tap-error"})
"""A sync that one of these has struck has failed, also where COMMAND's exit code does not say so:
that of a shell's pipe is the target's alone."""


class Watch:
    """Stands by while tap and target run.

    Attributes:
        strange_runs: runs of the connector that somebody else has started.
        is_behind: whether the clock is behind an earlier sync or run, so that a sync that begins
            now counts as older.
    """

    def __init__(self, oracle: Oracle, face: QualysFace, tenant: Tenant, connector_id: int) -> None:
        self.oracle, self.face, self.tenant = oracle, face, tenant
        self.connector_id = connector_id
        self.strange_runs: set[int] = set()
        self._log_start = self._closings = 0
        self.is_behind = self._was_over = self._named_another = False
        self._latest = self._began = tenant.clock.now()
        self._struck: Counter[str] = Counter()
        self._runs: set[int] = set()
        self._strange_before = 0

    def begin(self) -> None:
        """Take note of world, tenant and requests just before a run."""
        self.oracle.begin(self.tenant.held(self.connector_id))
        self._take_note()

    def _take_note(self) -> None:
        self._log_start = len(self.face.log)
        self._closings = len(self.tenant.state.closings)
        # Of a clock that has gone back, nobody can tell what comes before what.
        now, runs = self.tenant.clock.now(), self.tenant.runs(self.connector_id)
        self._runs = {run.id for run in runs}
        self._latest = max(now, self._latest, *(run.start_time for run in runs))
        self.is_behind = now < self._latest
        self._began = now
        self._was_over = self.tenant.is_over()
        self._struck = Counter(self.face.faults.struck)
        self._strange_before = len(self.strange_runs)

    def settle(self, exit_code: int, *, full: bool | None = None, whole: bool = True) -> Comparison:
        """Judge the run that has just ended, and take note for the next one.

        Args:
            exit_code: of tap and target together.
            full: whether all was read from the beginning; told from the requests by default.
            whole: whether the tap ended well, and each of its rows came to the target as it was.
        """
        held = self.tenant.held(self.connector_id)
        closed = self.tenant.state.closings[self._closings :]
        ours = [one for one in closed if self._is_ours(one)]
        others = {(one.asset_id, one.scanner_identifier) for one in closed}
        others -= {(one.asset_id, one.scanner_identifier) for one in ours}
        run = self._run(exit_code, full, held, whole=whole)
        found = self.oracle.settle(run, held, others)
        self._take_note()
        return found

    def proves(self, asked: Asked, start: int) -> bool:
        """Tell whether all was read, of an account that can prove it, from this request on."""
        provable = not any(map(self.face.faults.armed, UNPROVABLE))
        kinds = sorted(asked.kinds)
        return provable and read_everything(self.face.log[start:], self.oracle.world, kinds)

    def _run(self, exit_code: int, full: bool | None, held: Iterable[Held], *, whole: bool) -> Run:
        oracle, faults = self.oracle, self.face.faults
        log, world = self.face.log[self._log_start :], oracle.world
        struck = {name for name, number in (faults.struck - self._struck).items() if number}
        hidden = HIDING & (struck | {name for name in HIDING if faults.armed(name)})
        everything = read_everything(log, world, sorted(oracle.asked.kinds))
        everything = everything if full is None else full
        untold = bool(hidden & UNTOLD) and self.tenant.switches.untold_counters == "all"
        if (not everything and hidden & UNCOUNTED) or untold:
            oracle.memory.excused = True
        resumes = oracle.ours.resumes and full is None
        over, overtaken = self.tenant.is_over(), self._is_overtaken()
        another = self._may_be_another()
        oracle.memory.excused |= overtaken
        return Run(
            succeeded=exit_code == 0 and not hidden and not BREAKING & struck,
            full=everything,
            walked=kinds_read(log, world) if resumes else oracle.asked.kinds,
            whole=whole and not BREAKING & struck,
            provable=not any(faults.armed(name) for name in UNPROVABLE),
            calm=not (struck or over or self.is_behind or self._has_strange_run or another),
            over=over,
            behind=self.is_behind,
            emptied="qualys-nothing" in struck,
            was_over=self._was_over,
            garbled="qualys-bad-characters" in struck,
            overtaken=overtaken,
            replayed=full is None and not log,
            untold=self._untold(),
            out_of_reach=self.tenant.book.out_of_reach(oracle.rules.key()),
            unclosable=self._unclosable(held),
        )

    def _may_be_another(self) -> bool:
        """Tell whether answers name no subscription where they have named two: it may be either."""
        self._named_another |= self.face.faults.armed("qualys-other-account")
        return self._named_another and not self.face.identity()

    def _untold(self) -> frozenset[tuple[int, str]]:
        """Return the closings that CVM has dropped without a word, and took for no failure."""
        if self.tenant.switches.untold_counters != "all":
            return frozenset()
        runs = self.tenant.runs(self.connector_id)
        fine = [run for run in runs if run.id not in self._runs | self.strange_runs and run.success]
        return frozenset(closing for run in fine for closing in run.dropped)

    def _unclosable(self, held: Iterable[Held]) -> frozenset[tuple[int, str]]:
        """Return what people have judged, where CVM ignores the closings of it."""
        if self.tenant.switches.judged_closing != "ignored":
            return frozenset()
        judged = [one for one in held if one.manual in {"false_positive", "risk_accepted"}]
        return frozenset((one.asset_id, one.scanner_identifier) for one in judged)

    def _is_overtaken(self) -> bool:
        """Tell whether a stranger's run began in a later second than the sync that is judged."""
        if not self._has_strange_run:
            return False
        began = self._began.replace(microsecond=0)
        runs = self.tenant.runs(self.connector_id)
        late = [run for run in runs if run.start_time.replace(microsecond=0) > began]
        return any(run.id in self.strange_runs for run in late)

    @property
    def _has_strange_run(self) -> bool:
        """Tell whether somebody else has loaded meanwhile: maybe what this run has missed."""
        return len(self.strange_runs) > self._strange_before

    def _is_ours(self, closing: Closing) -> bool:
        by_a_run = closing.run_id is not None and closing.run_id not in self.strange_runs
        return by_a_run and closing.connector_id == self.connector_id
