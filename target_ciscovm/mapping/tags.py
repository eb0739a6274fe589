"""The tags of an asset. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from target_ciscovm.kdi.types import MAX_TAG
from target_ciscovm.mapping.text import one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    tags = (_tag(rules.prefix, name) for name in wanted if name)
    return list(dict.fromkeys(tag for tag in tags if tag))


@lru_cache(maxsize=4096)
def _tag(prefix: str, name: str) -> str:
    """Give one tag, empty for a name of nothing but blanks: the same few are asked for often."""
    tidy = one_line(name)
    return shorten(one_line(prefix + tidy), MAX_TAG) if tidy else ""
