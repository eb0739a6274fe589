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
    """Give the tags of an asset, None when the file gets no tags at all.

    Names are put on one line, empty and repeated ones are dropped, long ones are cut and get a
    hash; a comma is part of the name. Qualys's order, the applications' names last.
    """
    if rules.skip:
        return None
    wanted = [*names, *(applications if rules.application else ())]
    tags = (_tag(rules.prefix, name) for name in wanted if name)
    return list(dict.fromkeys(tag for tag in tags if tag))


@lru_cache(maxsize=4096)
def _tag(prefix: str, name: str) -> str:
    """Give one tag, empty for a blank name. The same few tags are needed often."""
    tidy = one_line(name)
    return shorten(one_line(prefix + tidy), MAX_TAG) if tidy else ""
