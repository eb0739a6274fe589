"""The statistics in the results of a scan: in all, and by group, OWASP and WASC."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.xml.markup import listed
from tests.sandbox.world.model import INFORMATION_GATHERED, SENSITIVE_CONTENT, VULNERABILITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.sandbox.world.model import Reported

_PREFIXES: Final = (
    ("nbVulns", VULNERABILITY),
    ("nbScs", SENSITIVE_CONTENT),
    ("nbIgs", INFORMATION_GATHERED),
)
_LEVELS: Final = (5, 4, 3, 2, 1)


def statistics(rows: Sequence[Reported]) -> str:
    """Return the content of a `stats` element."""
    whole = "".join(
        _levels(prefix, [row for row in rows if row.type == kind]) for prefix, kind in _PREFIXES
    )
    return (
        f"<global>{whole}</global>"
        f"<byGroup>{_by(rows, 'group', lambda row: [row.qid.group])}</byGroup>"
        f"<byOwasp>{_by(rows, 'owasp', _owasp)}</byOwasp>"
        f"<byWasc>{_by(rows, 'wasc', _wasc)}</byWasc>"
    )


def _owasp(row: Reported) -> Iterable[str]:
    return (f"OWASP-A{one.code}" for one in row.qid.owasp)


def _wasc(row: Reported) -> Iterable[str]:
    return (f"WASC-{one.code:02}" for one in row.qid.wasc)


def _by(rows: Sequence[Reported], name: str, keys: Callable[[Reported], Iterable[str]]) -> str:
    """Return a list of statistics, without information items."""
    found: dict[str, list[Reported]] = {}
    for row in rows:
        for key in keys(row) if row.type != INFORMATION_GATHERED else ():
            found.setdefault(key, []).append(row)
    stat = f"{name.capitalize()}Stat"
    return listed(
        [
            f"<{stat}><{name}>{key}</{name}>{_levels('nb', those)}</{stat}>"
            for key, those in sorted(found.items())
        ]
    )


def _levels(prefix: str, rows: Sequence[Reported]) -> str:
    levels = Counter(row.severity for row in rows)
    parts = [f"<{prefix}Level{level}>{levels[level]}</{prefix}Level{level}>" for level in _LEVELS]
    return f"<{prefix}Total>{len(rows)}</{prefix}Total>{''.join(parts)}"
