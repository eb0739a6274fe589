"""The SDK's METRIC lines, with the stream that each is of.

The SDK puts the stream among a measurement's tags, which Meltano's log leaves out. It shows what a
line has besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk import metrics

if TYPE_CHECKING:
    from logging import LogRecord


def name_streams() -> None:
    """Let each METRIC line of this process name its stream."""
    metrics.get_metrics_logger().addFilter(_with_stream)


def _with_stream(record: LogRecord) -> bool:
    point = record.args[0] if isinstance(record.args, tuple) and record.args else None
    if isinstance(point, metrics.Point):
        record.stream = point.tags.get(metrics.Tag.STREAM)
    return True
