"""The tags of an asset. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from target_ciscovm.kdi.types import MAX_TAG
from target_ciscovm.mapping.tag_tree import names_of
from target_ciscovm.mapping.text import one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_ciscovm.mapping.records import Attribute, Tag
    from target_ciscovm.mapping.tag_tree import TagTree


class TagRules(msgspec.Struct, frozen=True):
    """How tags are made: the settings of the same names.

    Attributes:
        attributes: names of custom attributes whose values become tags, with what stands before
            the value.
    """

    skip: bool = False
    prefix: str = ""
    application: bool = True
    ancestors: bool = False
    paths: bool = False
    attributes: Mapping[str, str] = msgspec.field(default_factory=dict)

    @property
    def need_tree(self) -> bool:
        """Whether the tags of the subscription have to be known."""
        return not self.skip and (self.ancestors or self.paths)

    def names_of(self, tags: Iterable[Tag], tree: TagTree) -> Iterable[str]:
        """Give the names that Qualys's tags get."""
        return names_of(tags, tree, ancestors=self.ancestors, paths=self.paths)

    def of_attributes(self, attributes: Iterable[Attribute] | None) -> Iterator[str]:
        """Give the tags that a web application's custom attributes become, in their order."""
        for wanted, prefix in self.attributes.items():
            for one in attributes or ():
                if one_line(one.name) == wanted and (value := one_line(one.value)):
                    yield f"{prefix}{value}"


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
