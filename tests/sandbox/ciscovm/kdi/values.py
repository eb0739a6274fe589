"""Single values of a KDI file: each check returns what is wrong with one, or None."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[object], str | None]

STATUSES: Final = frozenset({"open", "closed", "false_positive", "risk_accepted"})
"""Of vulnerabilities. Cisco's toolkit names all four; only open and closed are beyond doubt."""
TRIAGE_STATES: Final = frozenset(
    {
        "new",
        "in_progress",
        "triaged",
        "resolved",
        "false_positive",
        "risk_accepted",
        "duplicate",
        "not_a_security_issue",
    }
)
"""Of findings. One other word and CVM refuses the file (seen in Cisco's toolkit's issues)."""
ASSET_TYPES: Final = frozenset({"image", "container"})

_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_MAC: Final = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}", re.ASCII)
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}", re.ASCII)
_CWE: Final = re.compile(r"CWE-[1-9][0-9]*", re.ASCII)
_WASC: Final = re.compile(r"WASC-[0-9]{2}", re.ASCII)


def text(value: object) -> str | None:
    """Accept any string."""
    return None if isinstance(value, str) else f"must be a string, not {_kind(value)}"


def filled(value: object) -> str | None:
    """Accept a string that holds more than white space."""
    if not isinstance(value, str):
        return text(value)
    return None if value.strip() else "must not be empty"


def flag(value: object) -> str | None:
    """Accept true and false."""
    return None if isinstance(value, bool) else f"must be a boolean, not {_kind(value)}"


def whole(lowest: int, highest: int) -> Check:
    """Return a check for integers of a range; `5.0` and `true` are not integers."""

    def check(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return f"must be an integer, not {_kind(value)}"
        return None if lowest <= value <= highest else f"must be {lowest} to {highest}: {value}"

    return check


def one_of(words: frozenset[str]) -> Check:
    """Return a check for an enumeration."""

    def check(value: object) -> str | None:
        if isinstance(value, str) and value in words:
            return None
        return f"must be one of {', '.join(sorted(words))}: {value!r}"

    return check


def moment(value: object) -> str | None:
    """Accept `YYYY-MM-DDTHH:MM:SSZ` of a day that exists: the one form that is beyond doubt."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return f"must be a date YYYY-MM-DDTHH:MM:SSZ: {value!r}"
    try:
        datetime.fromisoformat(value.removesuffix("Z"))
    except ValueError:
        return f"no such day or time: {value!r}"
    return None


def address(value: object) -> str | None:
    """Accept an IPv4 or IPv6 address."""
    try:
        ip_address(value) if isinstance(value, str) else ip_address("")
    except ValueError:
        return f"must be an IP address: {value!r}"
    return None


def mac(value: object) -> str | None:
    """Accept six pairs of hexadecimal digits."""
    fits = isinstance(value, str) and _MAC.fullmatch(value)
    return None if fits else f"must be a MAC address: {value!r}"


def _identifiers(form: re.Pattern[str], example: str) -> Check:
    def check(value: object) -> str | None:
        if not isinstance(value, str) or not value:
            return f"must be a comma list like {example}, never empty: {value!r}"
        names = [name.strip(" ") for name in value.split(",")]
        wrong = [name for name in names if not form.fullmatch(name)]
        if wrong:
            return f"must be like {example}: {wrong[0]!r}"
        return None if len(set(names)) == len(names) else f"an identifier twice: {value!r}"

    return check


cves: Final = _identifiers(_CVE, "CVE-2021-44228")
cwes: Final = _identifiers(_CWE, "CWE-79")
wascs: Final = _identifiers(_WASC, "WASC-08")


def tags(value: object) -> str | None:
    """Accept a list of filled strings."""
    if not isinstance(value, list):
        return f"must be a list, not {_kind(value)}"
    return next((f"tag {why}" for tag in value if (why := filled(tag))), None)


def additional_fields(value: object) -> str | None:
    """Accept names with scalars, or with one more object of scalars: deeper was never seen."""
    if not isinstance(value, dict):
        return f"must be an object, not {_kind(value)}"
    for name, inner in value.items():
        leaves = inner.values() if isinstance(inner, dict) else [inner]
        for leaf in leaves:
            if not isinstance(leaf, str | bool | int | float):
                return f"{name!r} holds {_kind(leaf)}"
    return None


def _kind(value: object) -> str:
    names = {
        type(None): "null",
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "a boolean",
    }
    return names.get(type(value), f"the number {value!r}")
