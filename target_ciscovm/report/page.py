"""`report.html`: one page that opens offline and escapes all. Its one script filters changes."""

from __future__ import annotations

import base64
import hashlib
import sys
from contextlib import suppress
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.metadata import distribution
from importlib.resources import files
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from qualyswas_ciscovm.progress import duration
from qualyswas_ciscovm.wording import clean, counted, cut
from target_ciscovm.output.private_files import plain_name
from target_ciscovm.report import wording
from target_ciscovm.report.bars import draw_bars
from target_ciscovm.report.causes import finding_types, stays, with_counts
from target_ciscovm.report.changes import NONE
from target_ciscovm.report.flow import draw_flow, draw_steps
from target_ciscovm.report.holdings import verified

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template
    from jinja2.bccache import Bucket
    from msgspec import Struct

    from target_ciscovm.report.bars import Bars
    from target_ciscovm.report.changes import Written
    from target_ciscovm.report.model import Report

OUTCOMES: Final = {
    "succeeded": ("good", "✓", "Succeeded"),
    "succeeded_unproven": ("fair", "✓", "Succeeded, nothing closed as gone"),
    "aborted": ("fair", "○", "Aborted: nothing to load"),
    "failed": ("bad", "✕", "Failed"),
    "still_running": ("fair", "…", "Still running in CVM"),
    "refused": ("bad", "✕", "Refused"),
    "interrupted": ("bad", "✕", "Interrupted"),
}
"""Colour, sign and words of each outcome; the words alone are enough."""

NEXT_STEPS: Final = {
    "good": "Nothing.",
    "fair": "Nothing, unless a warning below says otherwise.",
    "bad": "Look at the log of this run.",
}
"""What to do next, unless the run says so itself."""

SEVERITIES: Final = {5: "Urgent", 4: "Critical", 3: "Serious", 2: "Medium", 1: "Minimal"}
"""Qualys's names of its severities (WAS user guide, "Severity levels")."""

CHECK_BYTES: Final = 8
"""With which a kept template begins, to see whether the rest is as it was written."""


def render(report: Report, changes: Written = NONE) -> str:
    """Give the page of `report` as HTML, with the first of its changes."""
    sent = report.destination == "ciscovm"
    colour, sign, outcome = OUTCOMES[report.outcome]
    return template("report.html.j2").render(
        report=report,
        changes=changes,
        script=_filter_script() if changes.first else None,
        colour=colour,
        sign=sign,
        outcome=outcome,
        message=_message(report),
        next_step=report.next_step or NEXT_STEPS[colour],
        flow=draw_flow(report.reconciliation, sent=sent),
        steps=draw_steps(report.reconciliation, sent=sent),
        severities=_severities(report),
        closing=_closing(report),
        phases=_phases(report),
        sent=sent,
        done=report.was_applied,
        planned_closings=_planned_closings(report),
        counts=lambda rows: ", ".join(with_counts(rows)),
        finding_types=finding_types,
        stays=stays,
        share=wording.share,
        counted=counted,
        verified=verified,
    )


class Script(NamedTuple):
    """A script of the page, and the hash by which the page's policy allows it and no other."""

    text: Markup
    digest: str


@cache
def _filter_script() -> Script:
    """Give the script of the box that filters changes."""
    text = (files("target_ciscovm") / "templates" / "filter.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(Markup(text), f"sha256-{digest}")  # noqa: S704 - a file of our own


def _message(report: Report) -> str:
    """Give the message without what is said below it as the next step."""
    return report.message.removesuffix(report.next_step).rstrip() or report.message


def render_audit(audit: Struct, rows: Sequence[tuple[str, int, str]]) -> str:
    """Give the page of an audit as HTML.

    Args:
        audit: with the fields of `audit.json`.
        rows: what was counted, with what each number means.
    """
    return template("audit.html.j2").render(audit=audit, rows=rows)


def _clean(value: object) -> object:
    return clean(value) if type(value) is str else value


def _severities(report: Report) -> Bars | None:
    if not any(row.open or row.closed for row in report.severities):
        return None
    rows = []
    for row in sorted(report.severities, key=lambda item: -item.severity):
        closed = f", {row.closed:,} closed" if row.closed else ""
        label = f"{row.severity} · {SEVERITIES[row.severity]}"
        parts = [(row.open, f"severity-{row.severity}"), (row.closed, "closed")]
        rows.append((label, f"{row.open:,} open{closed}", parts))
    return draw_bars(rows)


def _planned_closings(report: Report) -> int:
    closing = report.closing
    return closing.fixed + report.reconciliation.closings


def _closing(report: Report) -> Bars | None:
    closing = report.closing
    causes = (
        ("fixed in Qualys", closing.fixed, "fixed"),
        ("gone from Qualys, proven", closing.gone, "gone"),
        ("moved to another asset", closing.moved, "flow"),
        ("left out by a filter", closing.filtered, "filtered"),
        ("web application deleted", closing.deleted_webapps, "deleted"),
    )
    if not any(count for _, count, _ in causes):
        return None
    return draw_bars([(label, f"{count:,}", [(count, kind)]) for label, count, kind in causes])


def _phases(report: Report) -> Bars | None:
    phases = report.times.phases
    if not phases:
        return None
    return draw_bars(
        [
            (phase.name, duration(phase.seconds), [(round(phase.seconds * 1000), "flow")])
            for phase in phases
        ]
    )


def template(name: str) -> Template:
    """Give a template of this package, which escapes and cleans all that it is given.

    Sections that few pages have are templates of their own, as compiling them takes long.
    """
    return environment().get_template(name)


@cache
def _compiled_by() -> str:
    """Give what compiled templates depend on beside their own text."""
    # Not `version`, which imports a reader of mail headers for what stands in here as well.
    read = distribution("jinja2").read_text
    known = read("METADATA") or read("PKG-INFO") or ""  # of a wheel, and of a package of Debian
    with suppress(OSError, UnicodeDecodeError):  # not where there is byte code alone
        known += Path(__file__).read_text(encoding="utf-8")
    return known


def _check(code: bytes) -> bytes:
    return hashlib.blake2b(code, digest_size=CHECK_BYTES).digest()


class _ByteCode(BytecodeCache):
    """Keeps compiled templates where Python keeps the byte code of this module, if it may."""

    @override
    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return name.replace("/", ".")

    @override
    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(_compiled_by() + source)

    @override
    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            file = self._path(bucket).read_bytes()
            # Code that a disk has altered would end this process, or fail in any other way.
            if _check(code := file[CHECK_BYTES:]) == file[:CHECK_BYTES]:
                bucket.bytecode_from_string(code)

    @override
    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            # Writes it whole or not at all, and passes over a folder where it may not write.
            loader = SourceFileLoader(__name__, __file__)
            code = bucket.bytecode_to_string()
            loader.set_data(str(self._path(bucket)), _check(code) + code)

    def _path(self, bucket: Bucket) -> Path:
        kept = Path(cache_from_source(__file__))
        return kept.with_name(f"{bucket.key}.{kept.name}")


@cache
def environment() -> Environment:
    """Give what the templates of this package are compiled and filled in by."""
    made = Environment(
        loader=PackageLoader("target_ciscovm"),
        bytecode_cache=_ByteCode(),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,  # where nothing can be kept, each template is compiled for one page
    )
    made.filters |= {
        "number": wording.number,
        "short": wording.short_number,
        "cut": cut,
        "size": wording.size,
        "duration": duration,
        "moment": wording.moment,
    }
    made.tests["plain_name"] = lambda name: plain_name(name) == name
    return made
