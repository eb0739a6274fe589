"""The filters: pure functions that tell whether they leave a finding out.

They act on open findings only. A fix always passes, or its finding would stay open for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_ciscovm.mapping.records import Finding

LOWEST_SEVERITY: Final = 1


@dataclass(frozen=True)
class FilterRules:
    """Which filters are on: the settings of the same names."""

    exclude_non_exploitable: bool = False
    exclude_informational: bool = False
    exclude_potential: bool = False
    min_severity: int = LOWEST_SEVERITY

    @cached_property
    def are_on(self) -> bool:
        """Whether any of `FILTERS` is on."""
        return self != FilterRules(exclude_informational=self.exclude_informational)


@dataclass(frozen=True)
class QidFacts:
    """What is known about a finding's QID.

    Attributes:
        known: whether the knowledge base has an entry for it.
        classified: whether it has a CVE, a CWE or a WASC class.
    """

    known: bool = False
    classified: bool = False


def exclude_non_exploitable(finding: Finding, rules: FilterRules) -> bool:
    """Leave out what is not exploitable due to configuration: a virtual patch protects it."""
    return rules.exclude_non_exploitable and finding.status == "PROTECTED"


def exclude_potential(finding: Finding, rules: FilterRules) -> bool:
    """Leave out what Qualys could not confirm."""
    return rules.exclude_potential and finding.potential is True


def min_severity(finding: Finding, rules: FilterRules) -> bool:
    """Leave out what is less severe. A finding without a severity stays."""
    return finding.severity is not None and 0 < finding.severity < rules.min_severity


def exclude_informational(qid: QidFacts, rules: FilterRules) -> bool:
    """Leave out what has no CVE, CWE or WASC class. A QID without an entry stays."""
    return rules.exclude_informational and qid.known and not qid.classified


FILTERS: Final[dict[str, Callable[[Finding, FilterRules], bool]]] = {
    "exclude_non_exploitable": exclude_non_exploitable,
    "exclude_potential": exclude_potential,
    "min_severity": min_severity,
}
"""Filters that need only the finding; `exclude_informational` comes after them."""
INFORMATIONAL: Final = "exclude_informational"


def filtered_by(finding: Finding, rules: FilterRules) -> str | None:
    """Name the first of `FILTERS` that leaves the finding out, None when it stays."""
    for name, leaves_out in FILTERS.items():
        if leaves_out(finding, rules):
            return name
    return None
