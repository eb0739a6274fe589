"""The definitions of a load: their names, and how an entry of each begins in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.mapping.filters import INFORMATIONAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_ciscovm.intake.spool import Spool

LEAVE_OUT: Final = """
UPDATE finding_row SET filter = ?
WHERE state LIKE '%open' AND filter = '' AND definition IN (SELECT value FROM json_each(?))
"""
_encode: Final = msgspec.json.Encoder().encode


class Named(NamedTuple):
    """The name of a definition, and how an entry of it begins in the file.

    Attributes:
        scores: what follows in an open entry, by severity, where CVM would score it 0.
    """

    name: str
    json: bytes
    scores: Mapping[int, bytes] = {}


def named(name: str, scores: Mapping[int, bytes] | None = None) -> Named:
    """Give a definition's name in both forms."""
    return Named(name, b'{"vuln_def_name":%b,' % _encode(name), scores or {})


def score_texts(scores: Mapping[int, int]) -> dict[int, bytes]:
    """Give the scores by severity as an entry has them."""
    return {severity: b'"override_score":%d,' % score for severity, score in scores.items()}


def define(spool: Spool, names: Iterable[str], informational: Iterable[int]) -> None:
    """Tell the definitions of the load, and leave out those that a filter leaves out.

    Args:
        spool: with the findings.
        names: of the definitions, by their number.
        informational: numbers of the definitions that `exclude_informational` leaves out.
    """
    spool.insert("definition", enumerate(names), 2)
    if numbers := list(informational):
        spool.execute(LEAVE_OUT, (INFORMATIONAL, json.dumps(numbers)))
