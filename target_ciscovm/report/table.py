"""The table at the end of a run's log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.progress import duration
from qualyswas_ciscovm.wording import counted, cut
from target_ciscovm.report.wording import number, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_ciscovm.report.model import Report

LABEL_WIDTH: Final = 16
NUMBER_WIDTH: Final = 10
NOTE: Final = 110
SENTENCE: Final = 400
NAMED: Final = 3
"""Filters, reasons, web applications or warnings that are named; the report has all."""

Row = tuple[str, int | None, str]


def table(report: Report) -> list[str]:
    """Give the table as lines: the outcome, where the findings went, and what to do next.

    At most 25 lines of about 400 characters, however long the texts in the report are.
    """
    rows = [*_way(report), *_in_ciscovm(report)] if _has_begun(report) else []
    numbers = [number(count) for _, count, _ in rows]
    width = max([NUMBER_WIDTH, *map(len, numbers)])
    lines = [cut(_headline(report), SENTENCE)]
    for (label, _, note), count in zip(rows, numbers, strict=True):
        lines.append(f"  {label:<{LABEL_WIDTH}}{count:>{width}}   {cut(note, NOTE)}".rstrip())
    lines += [f"  {label:<{LABEL_WIDTH}}{cut(text, SENTENCE)}" for label, text in _facts(report)]
    return lines


def _has_begun(report: Report) -> bool:
    return report.outcome != "refused" or bool(report.reconciliation.received)


def _headline(report: Report) -> str:
    head = f"{report.outcome} (exit code {report.exit_code})"
    return f"{head}: {report.message}" if report.message else head


def _way(report: Report) -> Iterator[Row]:
    counts = report.reconciliation
    yield "Qualys counts", counts.counted, ""
    yield "fetched", counts.fetched, ""
    yield "received", counts.received, ""
    closing = [
        f"{row.name} {row.filtered:,}" + (f" (closes {row.will_close:,})" if row.will_close else "")
        for row in counts.filtered_by
        if row.filtered
    ]
    yield "- filtered", counts.filtered, _named(closing)
    causes = [f"{row.cause} {row.count:,}" for row in counts.nothing_to_do_by]
    yield "- nothing to do", counts.nothing_to_do, _named(causes)
    reasons = [f"{row.stream}: {row.reason} ({row.count:,})" for row in counts.rejected_by]
    yield "- rejected", counts.rejected, _named([cut(reason, 40) for reason in reasons])
    yield "- superseded", counts.superseded, ""
    yield "= mapped", counts.mapped, f"on {counted(report.assets, 'asset')}" + _files(report)
    closings = [f"{row.cause} {row.count:,}" for row in counts.closings_by]
    yield "+ closings", counts.closings, _named(closings)


def _files(report: Report) -> str:
    if not report.files:
        return ""
    total = size(sum(file.bytes for file in report.files))
    return f", {counted(len(report.files), 'file')}, {total}"


def _in_ciscovm(report: Report) -> Iterator[Row]:
    counts = report.reconciliation
    if report.destination == "ciscovm":
        yield "uploaded", counts.uploaded or 0, ""
    if report.run:
        yield "processed", counts.processed, "in CVM"
        yield "failed", counts.failed, "payloads"
        yield "created", counts.created, ""
        yield "closed", counts.closed, _causes(report)
        yield "reopened", counts.reopened, ""
    if report.changes:
        yield (
            "would be opened",
            report.changes.opened,
            f"on {counted(report.changes.new_assets, 'new asset')}",
        )
        yield "would be closed", report.changes.closed, _causes(report)


def _causes(report: Report) -> str:
    closing = report.closing
    causes = (
        ("fixed", closing.fixed),
        ("gone", closing.gone),
        ("moved", closing.moved),
        ("filtered", closing.filtered),
        ("web app deleted", closing.deleted_webapps),
    )
    told = [f"{name} {count:,}" for name, count in causes if count]
    return f"by the plan: {', '.join(told)}" if told else ""


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    if _has_begun(report):
        yield "proof", _proof(report)
    if report.connector:
        run = f", run {report.run.id}" if report.run else ""
        yield "connector", f"{report.connector.id} ({report.connector.name}){run}"
    if report.webapps_gone:
        names = [cut(app.name or str(app.id), 30) for app in report.webapps_gone]
        yield "web apps gone", f"{len(names):,}: {_named(names)}"
    for text in report.warnings[:NAMED]:
        yield "warning", text
    if len(report.warnings) > NAMED:
        yield "warnings", f"{len(report.warnings) - NAMED:,} more in the report"
    yield "took", duration(report.times.seconds)
    if report.next_step:
        yield "next", report.next_step


def _proof(report: Report) -> str:
    mode = report.mode or "unknown mode"
    closed = "were closed" if report.was_applied else "would be closed"
    if report.proof.proven:
        return f"{mode} and complete: findings that are gone {closed}"
    why = f" ({'; '.join(report.proof.reasons)})" if report.proof.reasons else ""
    return f"{mode}, nothing was closed as gone{why}"


def _named(texts: Sequence[str]) -> str:
    more = len(texts) - NAMED
    return ", ".join(texts[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
