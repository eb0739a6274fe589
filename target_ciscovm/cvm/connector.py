"""A connector and its runs, read from CVM's answers in all known forms."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import parse
from target_ciscovm.errors import CiscoVMError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Connector:
    """A connector, from `GET /connectors`.

    Attributes:
        id: its number, which `connector_id` names.
        name: its name in CVM, which searches filter by.
        host: where it fetches from; None for Data Importers, which take files.
        running: whether a run of it is in progress.
    """

    id: int
    name: str
    host: str | None
    running: bool


@dataclass(frozen=True)
class ConnectorRun:
    """One run of a connector, from `GET /connectors/{id}/connector_runs`.

    Counters are named as in Cisco's OpenAPI file (`connector_run_status_schema`); one that is
    missing, null, or no possible count is None: CVM does not tell it. A "payload" is CVM's unit of
    import work, not one of our files.

    Attributes:
        id: the run's number.
        start_time: when it began.
        end_time: when it ended; None while it is in progress.
        success: whether it ended well; None while that is unknown.
    """

    id: int
    start_time: datetime | None = None
    end_time: datetime | None = None
    success: bool | None = None
    total_payload_count: int | None = None
    processed_payload_count: int | None = None
    failed_payload_count: int | None = None
    processed_assets_count: int | None = None
    assets_with_tags_reset_count: int | None = None
    processed_scanner_vuln_count: int | None = None
    updated_scanner_vuln_count: int | None = None
    created_scanner_vuln_count: int | None = None
    closed_scanner_vuln_count: int | None = None
    autoclosed_scanner_vuln_count: int | None = None
    reopened_scanner_vuln_count: int | None = None
    closed_vuln_count: int | None = None
    autoclosed_vuln_count: int | None = None
    reopened_vuln_count: int | None = None

    @property
    def payloads(self) -> tuple[int, int]:
        """Give how many payloads CVM has failed, and of how many."""
        failed, done = self.failed_payload_count or 0, self.processed_payload_count
        return failed, self.total_payload_count or (0 if done is None else done + failed)

    @property
    def is_done_in_part(self) -> bool:
        """Tell whether CVM went through all payloads, and failed some of them, but not most."""
        failed, total = self.payloads
        done = self.processed_payload_count
        went_through = self.success is True if done is None else done >= total - failed
        return went_through and 0 < failed <= total / 2


class RunFailed(CiscoVMError):  # noqa: N818 - see target_ciscovm.errors
    """The run ended in CVM without success, or with too many failures.

    Attributes:
        run: the run with the last counters from CVM.

    Args:
        limit: what was exceeded, in words; None where CVM itself calls the run failed.
    """

    def __init__(self, run: ConnectorRun, limit: str | None = None) -> None:
        counted = f"{run.failed_payload_count or 0:,} of {run.total_payload_count or 0:,} payloads"
        is_said = run.success is not None or limit is not None
        what = "failed in CVM" if is_said else "ended, and CVM does not say whether it went well"
        super().__init__(
            f"Connector run {run.id} {what}: {counted} failed{limit or ''}. The connector's page "
            "in CVM has the reason; nothing was marked as sent, so the next run sends it all again."
        )
        self.run = run


COUNTERS: Final = tuple(item.name for item in fields(ConnectorRun) if item.name.endswith("_count"))

# Recorded in answers of 2020 and 2021; the present specification spells it correctly.
MISSPELT: Final = {"processed_payload_count": "processed_palyoad_count"}

LONGEST_NUMBER: Final = 30
"""Digits of a number that is read. Python refuses some thousands; no count has so many."""
LARGEST_ID: Final = 2**63 - 1
LARGEST_COUNT: Final = 10**12
"""No tenant has so many of anything; a larger count tells nothing."""
UNREADABLE: Final = datetime.fromtimestamp(0, timezone.utc)


def read_connector(row: Mapping[str, object]) -> Connector | None:
    """Read a connector, None when the row names no id.

    An empty or missing `host` counts as none: the answer about a single connector does not always
    have it.
    """
    number = read_int(row.get("id"))
    if number is None:
        return None
    host = row.get("host")
    return Connector(
        id=number,
        name=str(row.get("name") or ""),
        host=str(host) if host else None,
        running=read_flag(row.get("running")) is True,
    )


def read_run(row: Mapping[str, object]) -> ConnectorRun | None:
    """Read a connector run, None when the row names no id.

    CVM wraps a connector in its name, and so may do with a run.
    """
    inner = row.get("connector_run")
    row = inner if isinstance(inner, dict) else row
    number = read_int(row.get("id"))
    if number is None:
        return None
    counters = {name: _counter(row, name) for name in COUNTERS}
    return ConnectorRun(
        id=number,
        start_time=_time(row.get("start_time")),
        # An unreadable end is still an end, or we would wait for ever.
        end_time=_time(row.get("end_time")) or (UNREADABLE if row.get("end_time") else None),
        success=read_flag(row.get("success")),
        **counters,
    )


def _counter(row: Mapping[str, object], name: str) -> int | None:
    told = row.get(name)
    if type(told) is int and 0 <= told <= LARGEST_COUNT:
        return told  # as almost all are, and a list of runs has thousands
    value = read_int(told)
    if value is None and name in MISSPELT:
        value = read_int(row.get(MISSPELT[name]))
    return value if value is not None and value <= LARGEST_COUNT else None


def _time(value: object) -> datetime | None:
    return parse(value) if isinstance(value, str) else None


def read_flag(value: object) -> bool | None:
    """Read `true`, `"true"`, `false` or `"false"`; CVM's answers hold all four."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def read_int(value: object) -> int | None:
    """Read a number or a count that may be text, None for anything else.

    Neither is below 0, or beyond what a database holds.
    """
    number = _whole(value)
    return number if number is not None and 0 <= number <= LARGEST_ID else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        text = value.strip()
        is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
        return int(text) if is_number else None
    return None
