"""What the plan says, in words: what was proven and read, and why something stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_ciscovm.intake.spool import DROPPED, LACKS, REJECTED, RENAMED
from target_ciscovm.plan import decisions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_ciscovm.report.model import CauseCount, Report

TYPES: Final = {"V": "vulnerabilities", "S": "sensitive content", "I": "information gathered"}
"""Finding types by their letters."""

STAYS: Final = {
    "not proven": "this load proves nothing gone; the next complete full sync decides",
    REJECTED: "rejected.jsonl has it",
    LACKS: "the record of the same finding does not tell them in this load",
    DROPPED: "stream_maps leave it out, and Qualys still has it",
    RENAMED: "stream_maps change its uniqueId, type or web application, and Qualys still has it",
    "another account": "only syncs of its own Qualys account close it",
    "another source": "only syncs of its own source close it",
    "type not read": "finding_types of the tap leaves its type out",
    "sent later": "a later sync has sent or covered it",
    "web app not proven": "its web application was not read to the end, or changed meanwhile",
    "inactive web app": "asset_inactivity_days leaves it to CVM's own limit",
    "web app not read": "its web application is not among those that were read",
    decisions.DELETED_WEBAPP: "close_deleted_webapps: true closes it",
    decisions.OUTDATED: "this load is older than what CVM has",
    decisions.REFUSED: "its asset is too large for CVM",
    decisions.OVER_LICENCE: "while the licence of the tenant is over its limit, nothing moves",
    decisions.MOVED_AWAY: "rows may have been altered on the way, so nothing moves",
    decisions.OTHER_MODEL: "nothing of it changes in this load",
}
"""Why entries stay open, and what would close them, by the cause."""
FILTERED: Final = "a filter leaves it out, but this load does not cover it"


def stays(cause: str) -> str:
    """Say why entries of a cause stay open, empty for an unknown cause."""
    if cause.startswith(decisions.FILTERED):
        return FILTERED
    return STAYS.get(cause, "")


def with_counts(rows: Iterable[CauseCount]) -> list[str]:
    """Give causes with their counts: `gone 8`."""
    return [f"{row.cause} {row.count:,}" for row in rows]


def finding_types(letters: Sequence[str]) -> str:
    """Name finding types by their letters."""
    return ", ".join(TYPES.get(letter, letter) for letter in letters) or "no finding type"


def proof(report: Report) -> str:
    """Say what the load proves, and what follows from it."""
    mode = report.mode or "unknown mode"
    tense = "was" if report.was_applied else "would be"
    if report.proof.proven:
        return f"{mode} and complete: what is gone {tense} closed"
    why = f" ({'; '.join(report.proof.reasons)})" if report.proof.reasons else ""
    return f"{mode}, nothing {tense} closed as gone{why}"
