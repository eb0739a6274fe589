"""The decisions on a small spool and ledger, without a load around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from target_ciscovm.intake.spool import FindingRow, Spool
from target_ciscovm.ledger.ledger import Ledger
from target_ciscovm.ledger.tables import Covered, Entry, ShownWebApp
from target_ciscovm.plan import decisions
from target_ciscovm.plan.coverage import Coverage
from target_ciscovm.plan.decisions import Decided, Terms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

VULNERABILITIES: Final = "vulnerabilities"
HERE, THERE = "url:https://app.example.test/here", "url:https://app.example.test/there"
BEFORE, LAST, STARTED, LATER = (f"2026-03-0{day}T08:00:00Z" for day in (1, 2, 3, 4))
"""When what is in the ledger was sent, when Qualys looked at the findings, when this sync began,
and after it."""
COVERAGE: Final = Coverage(
    proven=True,
    account=1,
    source="api",
    started=STARTED,
    types=frozenset("VSI"),
    webapps=frozenset({7}),
    listed=frozenset({7}),
    whole_account=True,
)
TERMS: Final = Terms(VULNERABILITIES, COVERAGE, newest=BEFORE)


def covering(**changes: Any) -> Terms:  # noqa: ANN401 - of all types
    """Give the terms of a load that covers something else."""
    return TERMS._replace(coverage=structs.replace(COVERAGE, **changes))


INCREMENTAL: Final = covering(proven=False)


def finding(name: str = "a", asset: str = HERE, **changes: Any) -> FindingRow:  # noqa: ANN401 - of all types
    """Make a finding of the spool: open, of web application 7."""
    number = 1 + (HERE, THERE).index(asset)
    made = FindingRow(name, number, 7, "V", "open", "", 0, None, "", 3, LAST, "", item=0)
    return made._replace(**changes)


def entry(name: str = "a", **changes: Any) -> Entry:  # noqa: ANN401 - of all types
    """Make what the ledger has of the same finding."""
    made = Entry(
        HERE, name, VULNERABILITIES, "open", "QID 1 X", "V", 7, "api", 1, BEFORE, BEFORE, 3
    )
    return made._replace(**changes)


@dataclass(frozen=True)
class Given:
    """What is decided on.

    Attributes:
        findings: of the load, in the order of its input.
        entries: of the ledger.
        webapps: that the ledger was shown.
        coverage: that the ledger was told of.
        lost: identifiers of findings whose record was rejected.
        refused: keys of assets that are too large for CVM.
    """

    findings: Sequence[FindingRow] = ()
    entries: Sequence[Entry] = ()
    webapps: Sequence[ShownWebApp] = ()
    coverage: Sequence[Covered] = ()
    lost: Sequence[str] = ()
    refused: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """What was decided.

    Attributes:
        rows: asset, identifier, model, action, cause, number of the finding in the load or None.
        tally: the rows counted.
        covered: how many open entries the load covers.
    """

    rows: list[tuple[str, str, str, str, str, int | None]]
    tally: list[Decided]
    covered: int

    @property
    def causes(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Give action and cause by asset and identifier."""
        return {row[:2]: row[3:5] for row in self.rows}

    @property
    def cause(self) -> tuple[str, str]:
        """Give action and cause of the one row that there is."""
        ((*_, action, cause, _),) = self.rows
        return (action, cause)


class Desk:
    """Decides one thing after the other, with a spool for each.

    Args:
        folder: for their files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def decide(self, given: Given, terms: Terms = TERMS, rounds: int = 1) -> Outcome:
        """Decide on what is given.

        Args:
            given: what is decided on.
            terms: of the load.
            rounds: how often, as a load decides again where the ledger has changed meanwhile.
        """
        self._made += 1
        with Spool(self._folder / f"{self._made}.spool") as spool, Ledger(None) as ledger:
            for key in (HERE, THERE):
                spool.asset_number(key)
            spool.add_findings(given.findings)
            for identifier in given.lost:
                spool.add_lost(identifier)
            spool.supersede()
            for _ in range(rounds):
                decisions.attach(spool, ledger)
                spool.insert("refused", [(key,) for key in given.refused], 1)
                # A ledger without a file is tables in memory: there is no disk to wait for.
                spool.insert("ledger.entry", given.entries, len(Entry._fields))
                spool.insert("ledger.webapp", given.webapps, len(ShownWebApp._fields))
                spool.insert("ledger.coverage", given.coverage, len(Covered._fields))
                decisions.decide(spool, terms)
            rows = spool.execute(
                "SELECT asset, identifier, model, action, cause, finding FROM decision "
                "ORDER BY asset, identifier, model"
            ).fetchall()
            return Outcome(rows, decisions.tally(spool), decisions.covered_open(spool, terms))
