"""The table at the end of a run's log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.progress import duration
from qualyswas_ciscovm.wording import counted, cut
from target_ciscovm.report.causes import finding_types, proof, with_counts
from target_ciscovm.report.holdings import verified
from target_ciscovm.report.wording import number, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_ciscovm.report.model import Reconciliation, Report

LABEL_WIDTH: Final = 18
NUMBER_WIDTH: Final = 10
NOTE: Final = 110
SENTENCE: Final = 400
NAMED: Final = 3
"""Causes, reasons, web applications or warnings that are named; the report has all."""

Row = tuple[str, int | None, str]


def table(report: Report) -> list[str]:
    """Give the table as lines: the outcome, where the findings went, and what to do next.

    At most 40 lines of about 400 characters, however long the texts in the report are.
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
    """Give the steps from Qualys to the files; each sign says how it is reckoned."""
    counts = report.reconciliation
    yield "Qualys counts", counts.counted, ""
    yield "fetched", counts.fetched, ""
    if counts.lost:
        yield "- lost on the way", counts.lost, "between the tap and here"
    if counts.dropped_by_maps:
        yield "- dropped", counts.dropped_by_maps, "by stream maps of the target"
    yield "received", counts.received, ""
    yield "- filtered", counts.filtered, _named(_filters(counts))
    yield "- nothing to do", counts.nothing_to_do, _named(with_counts(counts.nothing_to_do_by))
    yield "- rejected", counts.rejected, _named(_reasons(counts))
    yield "- superseded", counts.superseded, ""
    yield "= mapped", counts.mapped, ""
    if counts.entries is None:
        return
    yield "+ closings", counts.closings, _named(with_counts(counts.closings_by))
    if counts.fixed_again:
        yield "+ fixed elsewhere", counts.fixed_again, "the same fix at further assets"
    yield "= in files", counts.entries, f"on {counted(report.assets, 'asset')}{_files(report)}"


def _filters(counts: Reconciliation) -> list[str]:
    return [
        f"{row.name} {row.filtered:,}" + (f" (closes {row.will_close:,})" if row.will_close else "")
        for row in counts.filtered_by
    ]


def _reasons(counts: Reconciliation) -> list[str]:
    reasons = (f"{row.stream}: {row.reason} ({row.count:,})" for row in counts.rejected_by)
    return [cut(reason, 40) for reason in reasons]


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
        yield "closed", counts.closed, _closings(report)
        yield "reopened", counts.reopened, ""
    changes = report.changes
    if changes and not report.was_applied:
        new_assets = f"on {counted(changes.new_assets, 'new asset')}" if changes.new_assets else ""
        yield "would open", changes.opened, new_assets
        yield "would close", changes.closed, _closings(report)


def _closings(report: Report) -> str:
    closing = report.closing
    told = [
        f"{name} {count:,}"
        for name, count in (
            ("fixed", closing.fixed),
            ("gone", closing.gone),
            ("moved", closing.moved),
            ("filtered", closing.filtered),
            ("web app deleted", closing.deleted_webapps),
        )
        if count
    ]
    again = f"; {closing.again:,} of them again" if closing.again else ""
    return f"by the plan: {', '.join(told)}{again}" if told else ""


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    if _has_begun(report):
        yield "proof", proof(report)
    yield from _covered(report)
    if report.verification:
        yield "in CVM", verified(report.verification)
    if report.connector:
        run = f", run {report.run.id}" if report.run else ""
        yield "connector", f"{report.connector.title}{run}"
    yield from _webapps(report)
    if report.tags_dropped:
        assets = [f"{cut(one.asset, 60)} {_named(one.tags)}" for one in report.tags_dropped]
        yield "tags left", f"on {counted(len(assets), 'asset')}: {_named(assets)}"
    for text in report.warnings[:NAMED]:
        yield "warning", text
    if len(report.warnings) > NAMED:
        yield "warnings", f"{len(report.warnings) - NAMED:,} more in the report"
    yield "took", duration(report.times.seconds)
    if report.next_step:
        yield "next", report.next_step
    if report.next_command:
        yield "command", report.next_command


def _covered(report: Report) -> Iterator[tuple[str, str]]:
    if report.coverage.source is not None:
        yield "coverage", _coverage(report)
    if report.coverage.left:
        yield "stays open", _left(report)
    if report.gap:
        yield "gap", f"CVM lacks what came before this load: {report.gap}"


def _webapps(report: Report) -> Iterator[tuple[str, str]]:
    for label, apps in (
        ("web apps gone", report.webapps_gone),
        ("web apps unproven", report.webapps_not_proven),
        ("web apps unread", report.webapps_not_covered),
    ):
        if apps:
            names = [cut(app.name or str(app.id), 30) for app in apps]
            yield label, f"{len(names):,}: {_named(names)}"


def _coverage(report: Report) -> str:
    found = report.coverage
    what = "the whole account" if found.whole_account else "a part of the account"
    return (
        f"{counted(found.webapps, 'web application')} read to the end, {what}, "
        f"{finding_types(found.finding_types)}"
    )


def _left(report: Report) -> str:
    left = report.coverage.left
    return f"{sum(row.count for row in left):,}: {_named(with_counts(left))}"


def _named(texts: Sequence[str]) -> str:
    more = len(texts) - NAMED
    return ", ".join(texts[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
