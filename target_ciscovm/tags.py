"""The tags of an asset. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from target_ciscovm.kdi_types import shorten
from target_ciscovm.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH: Final = 255
"""CVM's limit for a tag is not published; this is that of its other names."""


@dataclass(frozen=True)
class TagRules:
    """How tags are made: the settings of the same names."""

    skip: bool = False
    prefix: str = ""
    application: bool = True


def asset_tags(
    names: Iterable[str | None], applications: Iterable[str | None], rules: TagRules
) -> list[str] | None:
    """Give the tags of an asset, None when the key is to be left out of the file.

    Names are brought on one line, empty and repeated ones dropped, too long ones cut with a hash; a
    comma belongs to the name. The order is that of Qualys, the web applications' names last.
    """
    if rules.skip:
        return None
    wanted = [*names, *(applications if rules.application else ())]
    tidy = (one_line(name) for name in wanted)
    tags = (shorten(one_line(rules.prefix + name), MAX_LENGTH) for name in tidy if name)
    return list(dict.fromkeys(tags))
