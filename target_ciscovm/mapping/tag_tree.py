"""The tree of Qualys's tags: what stands above each of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_ciscovm.mapping.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_ciscovm.mapping.records import Tag, TagNode

SEPARATOR = "/"


class TagTree:
    """Tags by their ids.

    Args:
        nodes: rows of the stream `tags`.
    """

    def __init__(self, nodes: Iterable[TagNode] = ()) -> None:
        self._nodes = {node.id: node for node in nodes if node.id is not None}
        self._lines: dict[int, Sequence[str]] = {}

    @property
    def is_known(self) -> bool:
        """Whether any tags came."""
        return bool(self._nodes)

    def line(self, tag: Tag) -> Sequence[str]:
        """Give the names from a tag up to the top; of a tag that is not in the tree its own alone.

        A circle is left where it begins again, and a parent that is not there ends the line.
        """
        if tag.id is None or tag.id not in self._nodes:
            name = one_line(tag.name)
            return (name,) if name else ()
        if tag.id not in self._lines:
            self._lines[tag.id] = tuple(self._names(tag.id))
        return self._lines[tag.id]

    def _names(self, number: int) -> Iterable[str]:
        seen: set[int] = set()
        node = self._nodes.get(number)
        while node is not None and node.id is not None and node.id not in seen:
            seen.add(node.id)
            if name := one_line(node.name):
                yield name
            above = node.parent_tag_id
            node = None if above is None else self._nodes.get(above)


def names_of(tags: Iterable[Tag], tree: TagTree, *, ancestors: bool, paths: bool) -> Iterable[str]:
    """Give the names of tags, each followed by those above it where they are wanted.

    Args:
        tags: of a web application.
        tree: all tags.
        ancestors: whether the tags above them are named too.
        paths: whether a name is the path from the top, such as `Company/EMEA/Shop`.
    """
    for tag in tags:
        line = tree.line(tag)
        for place in range(len(line) if ancestors else min(len(line), 1)):
            yield SEPARATOR.join(reversed(line[place:])) if paths else line[place]
