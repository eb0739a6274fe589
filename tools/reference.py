"""The generated pages of the reference: streams with their fields, and the files of a run."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from tap_qualyswas.tap import TapQualysWAS
from tools.pages import cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk import Stream

NOTICE: Final = "<!-- Written by `uv run python -m tools.generate` from the schemas. -->"

CALLS: Final = {
    "webapps": "`POST /qps/rest/3.0/search/was/webapp`, verbose, 500 a page, and one walk of ids "
    "at the end of a full sync, 1,000 a page, to see which came or went meanwhile.",
    "scans": "`POST /qps/rest/3.0/search/was/wasscan`, verbose where Qualys takes that.",
    "findings": "`POST /qps/rest/3.0/search/was/finding`, each finding type by itself, 1,000 a "
    "page; with `include_evidence` 500. In a full sync also `count/was/finding`, to prove that all "
    "came.",
    "knowledge_base": "`POST /api/2.0/fo/knowledge_base/vuln/`, 250 QIDs a call, and one verbose "
    "finding of each QID, 100 a call, for CWE, OWASP and WASC.",
    "scan_results": "`GET /qps/rest/3.0/download/was/wasscan/{id}`, one for each finished scan.",
    "tags": "`POST /qps/rest/2.0/search/am/tag`, 1,000 a page.",
    "syncs": "None. One row at the end of each run, about the run itself.",
}
"""Which calls to Qualys each stream makes."""


def streams_page() -> str:
    """Give `docs/streams.md`: each stream with its key, its replication, its calls, its fields."""
    streams = TapQualysWAS(validate_config=False).streams.values()
    lines = ["# Streams", "", NOTICE, ""]
    lines += [
        "`tap-qualyswas` writes these streams, in this order. Property names are Qualys's own.",
        "",
        "| stream | key | replication | selected |",
        "|---|---|---|---|",
        *(_overview(stream) for stream in streams),
        "",
        "Incremental streams begin some hours before their bookmark (`overlap_hours`), and once in",
        "a while everything is read again (`full_sync_every_days`). [Limits](limits.md) says what",
        "an incremental sync cannot see.",
        "",
    ]
    for stream in streams:
        lines += _stream(stream)
    return "\n".join(lines)


def file_page(title: str, name: str, text: str) -> str:
    """Give the page of a JSON file that the target writes, by its schema.

    Args:
        title: of the page.
        name: of the schema in the package.
        text: what the file is, as a paragraph.
    """
    schema = json.loads((files("target_ciscovm") / "schemas" / name).read_text("utf-8"))
    parts: Mapping[str, Any] = schema["$defs"]
    root = schema["$ref"].rpartition("/")[2]
    lines = [f"# {title}", "", NOTICE, "", text, ""]
    for part in [root, *sorted(name for name in parts if name != root)]:
        found = parts[part]
        if "properties" in found:
            lines += _part(part, found, is_root=part == root)
    return "\n".join(lines)


def _overview(stream: Stream) -> str:
    kind = f"incremental, `{stream.replication_key}`" if stream.replication_key else "full table"
    key = ", ".join(f"`{name}`" for name in stream.primary_keys or ())
    selected = "yes" if stream.selected_by_default else "no"
    return f"| [`{stream.name}`](#{stream.name}) | {key} | {kind} | {selected} |"


def _stream(stream: Stream) -> list[str]:
    schema = dict(stream.schema)
    if stream.name not in CALLS:
        msg = f"tools/reference.py does not say which calls the stream {stream.name} makes."
        raise SystemExit(msg)
    return [
        f"## {stream.name}",
        "",
        schema["description"],
        "",
        f"Calls: {CALLS[stream.name]}",
        "",
        *_table(_fields(schema)),
    ]


def _fields(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each field with its schema; those of an object, or of a list's items, by their path."""
    for name, declared in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield path, declared
        items = declared.get("items", {})
        yield from _fields(declared, f"{path}.")
        yield from _fields(items if isinstance(items, dict) else {}, f"{path}[].")


def _part(name: str, schema: Mapping[str, Any], *, is_root: bool) -> list[str]:
    head = [] if is_root else [f"## {name}", ""]
    return [
        *head,
        cell(schema.get("description", "")),
        "",
        *_table(schema["properties"].items()),
    ]


def _table(fields: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    rows = (_field(*found) for found in fields)
    return ["| field | type | meaning |", "|---|---|---|", *rows, ""]


def _field(name: str, declared: Mapping[str, Any]) -> str:
    return f"| `{name}` | {_type(declared)} | {cell(declared.get('description', ''))} |"


def _type(declared: Mapping[str, Any]) -> str:
    """Name the type of a field: a link where it is a part of its own."""
    if "$ref" in declared:
        part = declared["$ref"].rpartition("/")[2]
        return f"[{part}](#{part.lower()})"
    if "anyOf" in declared:
        return " or ".join(dict.fromkeys(_type(one) for one in declared["anyOf"]))
    if "enum" in declared:
        return ", ".join("null" if one is None else f"`{one}`" for one in declared["enum"])
    kind = declared.get("type", "any")
    kinds = [kind] if isinstance(kind, str) else [one for one in kind if one != "null"]
    items = declared.get("items")
    if "array" in kinds and isinstance(items, dict) and items:
        return f"list of {_type(items)}"
    return " or ".join(kinds)
