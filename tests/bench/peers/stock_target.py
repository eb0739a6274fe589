"""What a user would write on the Singer SDK alone: a BatchSink that writes JSON.

Nothing of it is switched off: it validates records and reads dates, as each target of the template
does. It maps nothing and joins nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
from singer_sdk import BatchSink, Target
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import enc_hook

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from singer_sdk import Sink

ENCODER: Final = msgspec.json.Encoder(enc_hook=enc_hook, decimal_format="number")


class JsonSink(BatchSink):
    """Writes each batch as one JSON document."""

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        path = Path(self.config["output_path"]) / f"{self.stream_name}-{context['batch_id']}.json"
        path.write_bytes(ENCODER.encode(context["records"]))


class StockTarget(Target):
    """The target."""

    name = "stock-target"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("output_path", th.StringType, required=True),
    ).to_dict()
    default_sink_class: type[Sink] = JsonSink
