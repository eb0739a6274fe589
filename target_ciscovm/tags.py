"""The tags of an asset. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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

    Blanks around a name are cut, empty and repeated names dropped; a comma belongs to the name.
    The order is that of Qualys, the web applications' names last.
    """
    if rules.skip:
        return None
    wanted = [*names, *(applications if rules.application else ())]
    tidy = ((rules.prefix + " ".join(name.split())) for name in wanted if name and name.strip())
    return list(dict.fromkeys(tag[:MAX_LENGTH].rstrip() for tag in tidy))
