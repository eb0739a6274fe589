"""Files that CVM finds too large, in halves: down to one asset, then without its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.kdi.files import EncodedAsset
from target_ciscovm.mapping.details import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_ciscovm.kdi.files import Files, Part

EVIDENCE_LINE: Final = f"\n{EVIDENCE}: "


def read_assets(part: Part, keys: Sequence[str]) -> Iterator[EncodedAsset]:
    """Read a file's assets back, one at a time.

    Args:
        part: the file, as it was written.
        keys: keys of its assets, in the file's order.
    """
    with part.path.open("rb") as file:
        for key, (begin, end) in zip(keys, part.spans(), strict=True):
            file.seek(begin)
            yield EncodedAsset(key, file.read(end - begin))


def halve(files: Files, part: Part, keys: Sequence[str]) -> list[Part]:
    """Write a part of several assets anew as two files, and remove the old one."""
    middle = part.assets // 2
    assets = read_assets(part, keys)
    first = files.rewrite(part, (next(assets) for _ in range(middle)))
    second = files.rewrite(part, assets)
    part.path.unlink()
    return [first, second]


def without_evidence(files: Files, part: Part, keys: Sequence[str]) -> Part | None:
    """Write a part of one asset anew without evidence; None when there is none to leave out."""
    (asset,) = read_assets(part, keys)
    leaner = strip_evidence(asset.json)
    if leaner == asset.json:
        return None
    made = files.rewrite(part, [asset._replace(json=leaner)])
    part.path.unlink()
    return made


def strip_evidence(asset: bytes) -> bytes:
    """Give an asset's JSON without the evidence of its findings."""
    found = msgspec.json.decode(asset, type=dict[str, object])
    for name in ("vulns", "findings"):
        items = found.get(name)
        for item in items if isinstance(items, list) else ():
            fields = item.get("additional_fields")
            if isinstance(fields, dict):
                fields.pop(EVIDENCE, None)
            if isinstance(item.get("details"), str):
                item["details"] = item["details"].partition(EVIDENCE_LINE)[0]
    return msgspec.json.encode(found)
