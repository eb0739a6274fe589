"""The `syncs` row: what a sync has read, and why that may not be all that there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.digest import DIGESTED
from qualyswas_ciscovm.wording import counted
from tap_qualyswas.sync.tallies import counts_agree

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tap_qualyswas.records.fields import Json
    from tap_qualyswas.sync.tallies import Tally

CONTRACT: Final = 1
"""Number of the form of the `syncs` row, so that a target can tell an older tap."""
NEEDED: Final = ("webapps", "findings")
"""Streams without which a sync is never complete."""
NEEDED_PROPERTIES: Final = {
    "webapps": ("id",),
    "findings": ("id", "uniqueId", "type", "status", "webApp.id", "url"),
}
"""Properties that tell what a finding is, where, and whether it is open."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for a whole run.

    Attributes:
        resumed: whether it began from the cursor of an interrupted run.
        has_base: whether it is a full sync, or there was a complete one before.
        evaluation: whether the account marks itself as an evaluation.
        mixed: whether answers have named more than one subscription.
        deselected: properties that identity or closing needs, and that the catalog leaves out.
    """

    resumed: bool
    has_base: bool
    evaluation: bool
    mixed: bool
    deselected: tuple[str, ...] = ()


def incomplete_reasons(tallies: Mapping[str, Tally], circumstances: Circumstances) -> list[str]:
    """Say why what was read may not be all that there is; nothing when it is."""
    about_the_run = (
        (circumstances.resumed, "the sync went on from the cursor of an interrupted one"),
        (not circumstances.has_base, "no full sync has been complete yet"),
        (circumstances.evaluation, "the account marks itself as an evaluation"),
        (circumstances.mixed, "answers came from more than one Qualys subscription"),
    )
    reasons = [reason for holds, reason in about_the_run if holds]
    reasons += [f"{name} is not selected" for name in circumstances.deselected]
    reasons += [gap for tally in tallies.values() for gap in tally.gaps]
    for name, tally in tallies.items():
        if not tally.ended:
            reasons.append(f"{name} was not read to its end")
        if tally.settled:
            continue
        if tally.notes.rejected:
            reasons.append(f"{name}: {counted(tally.notes.rejected, 'row')} rejected")
        if not counts_agree(tally):
            read = counted(tally.fetched, "row")
            reasons.append(f"{name}: {read} read, {tally.latest_count:,} counted")
    return reasons


def missing_streams(selected: Collection[str]) -> list[str]:
    """Say why a run of these streams is never complete; nothing when it can be."""
    return [f"{name} is not selected" for name in NEEDED if name not in selected]


def stream_row(name: str, tally: Tally, emitted: int) -> Json:
    """Give what the `syncs` row says about one stream."""
    return {
        "stream": name,
        "read": tally.read,
        "emitted": emitted,
        "digest": str(tally.digest) if name in DIGESTED else None,
        "counted": tally.latest_count,
        "duplicates": tally.duplicates,
        "windowStart": tally.window_start,
    }
