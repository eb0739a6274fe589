"""What CVM holds, held against the ledger: as a report has it, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct, field

from qualyswas_ciscovm.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Count = Annotated[int, Meta(ge=0)]
Kind = Literal[
    "closed by people",
    "closed in CVM",
    "not in CVM",
    "at another asset",
    "closed in the ledger",
    "not in the ledger",
    "left alone",
]
LACKED: Final[tuple[Kind, ...]] = (
    "closed by people",
    "closed in CVM",
    "not in CVM",
    "at another asset",
)
"""What CVM does not have open, though this connector has sent it. People may close; all else is a
difference."""


class KindCount(Struct, kw_only=True, forbid_unknown_fields=True):
    """How many entries differ in one way."""

    kind: Kind
    count: Count = 0


class DriftEntry(Struct, kw_only=True, forbid_unknown_fields=True):
    """An entry that differs."""

    kind: Kind
    asset: Annotated[str, Meta(description="key of its asset, such as url:https://…")]
    identifier: Annotated[str, Meta(description="its scanner_identifier")]
    model: str


class Holdings(Struct, kw_only=True, forbid_unknown_fields=True):
    """What CVM holds of the connector, held against what the ledger has open."""

    asked: Annotated[
        bool, Meta(description="false: CVM did not tell what it holds, see problem")
    ] = True
    problem: str = ""
    in_ledger: Annotated[Count, Meta(description="open by the ledger")] = 0
    in_cvm: Annotated[Count, Meta(description="open in CVM, and of our form")] = 0
    kinds: list[KindCount] = field(default_factory=list)
    not_visible: Annotated[Count, Meta(description="of the load, and not visible in CVM yet")] = 0
    shared: Annotated[
        Count,
        Meta(
            description="open in CVM and of our form, below vulnerabilities of several connectors, "
            "so perhaps another's; not counted as open in CVM"
        ),
    ] = 0
    foreign: Annotated[
        Count,
        Meta(
            description="entries of the connector that are left alone: their identifier is of "
            "another form, or none of our locators tells their asset"
        ),
    ] = 0
    entries: Annotated[
        list[DriftEntry],
        Meta(description="the first of those that differ; all, and those left alone: drift.jsonl"),
    ] = field(default_factory=list)

    def count(self, *kinds: Kind) -> int:
        """Count the entries of these kinds."""
        return sum(one.count for one in self.kinds if one.kind in kinds)

    @property
    def differences(self) -> int:
        """Count what differs; what people have closed does not."""
        return sum(one.count for one in self.kinds) - self.count("closed by people")

    @property
    def agrees(self) -> bool:
        """Whether CVM is known to hold what the ledger says."""
        return self.asked and not self.differences and not self.not_visible


def sentences(found: Holdings) -> Iterator[str]:
    """Say what CVM holds otherwise than expected, without full stops; nothing if it does not."""
    lacked = [one for one in found.kinds if one.kind in LACKED]
    if lacked:
        total = counted(sum(one.count for one in lacked), "finding")
        yield f"CVM lacks {total} that this connector sent ({_named(lacked)})"
    if count := found.count("closed in the ledger"):
        yield f"CVM has {count:,} open that Qualys no longer reports"
    if count := found.count("not in the ledger"):
        yield f"CVM has {count:,} open that the ledger does not know"
    if found.not_visible:
        yield f"{counted(found.not_visible, 'change')} of this load cannot be seen in CVM yet"


def verified(found: Holdings) -> str:
    """Say what came of asking CVM."""
    if not found.asked:
        return f"CVM did not tell what it holds: {found.problem}".removesuffix(".")
    told = "; ".join(sentences(found))
    if found.agrees:
        people = f"; {told}" if told else ""
        return f"verified: CVM holds exactly these {found.in_ledger:,}{people}"
    return told


def _named(kinds: Sequence[KindCount]) -> str:
    return ", ".join(f"{one.kind} {one.count:,}" for one in kinds)
