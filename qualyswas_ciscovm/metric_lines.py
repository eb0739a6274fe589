"""The SDK's METRIC lines in Meltano's log, with the stream that each is of.

The SDK puts the stream among a measurement's tags. Meltano shows of a line its message, and of a
measurement its name and its value.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from singer_sdk import metrics

if TYPE_CHECKING:
    from logging import LogRecord


def name_streams() -> None:
    """Let each METRIC line of this process name its stream, where Meltano reads the log.

    Elsewhere the line has all tags.
    """
    if "SINGER_SDK_LOG_CONFIG" in os.environ:
        metrics.get_metrics_logger().addFilter(_with_stream)


def _with_stream(record: LogRecord) -> bool:
    point = record.args[0] if isinstance(record.args, tuple) and record.args else None
    if isinstance(point, metrics.Point):
        record.msg, record.args = "METRIC %s", (point.tags.get(metrics.Tag.STREAM, ""),)
        record.metric_info = point.to_dict()  # where Meltano looks for it
    return True
