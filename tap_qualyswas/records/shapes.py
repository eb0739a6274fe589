"""Records made of elements with children, by one table of fields for each kind of element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_qualyswas.records.fields import Json, Leaf, Record, TooLong, loose_whole, to_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_qualyswas.records.fields import Reader
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element


class Rejected(ValueError):  # noqa: N818 - it is an outcome of a row, not a failure of the sync
    """A row without a usable key. Its text says which row and why."""


class Shape:
    """Read the children of an element by a table.

    Every property of the table is in the record, null where the element lacks it. Children that
    neither `fields` nor `ignored` names are counted in the notes.

    Args:
        name: name of the shape in notes, such as `webApp`.
        fields: reader by name of the child, which is also the name of the property.
        renamed: name in `fields` by another name of the child, an old or a misspelt one.
        ignored: known children that are left out on purpose.
        keys: properties whose unreadable value rejects the row.
    """

    def __init__(
        self,
        name: str,
        fields: Mapping[str, Reader],
        *,
        renamed: Mapping[str, str] | None = None,
        ignored: Iterable[str] = (),
        keys: Iterable[str] = (),
    ) -> None:
        self.name = name
        self._blank: Record = dict.fromkeys(fields)
        self._values = {tag: read.value for tag, read in fields.items() if isinstance(read, Leaf)}
        self._readers = {tag: (tag, read) for tag, read in fields.items()}
        for tag, known in (renamed or {}).items():
            self._readers[tag] = (known, fields[known])
        self._ignored = frozenset(ignored)
        self._keys = frozenset(keys)

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of the properties of each record."""
        return tuple(self._blank)

    def blank(self) -> Record:
        """Give a record of nothing but nulls."""
        return self._blank.copy()

    def reader(self, name: str) -> tuple[str, Reader] | None:
        """Give the property that a child is read as, and what reads it; None where none does."""
        return self._readers.get(name)

    def __call__(self, element: Element, notes: Notes) -> Record:
        """Read one element.

        Raises:
            Rejected: when a key cannot be read.
        """
        record = self._blank.copy()
        values, readers = self._values, self._readers
        for child in element:
            name = child.tag
            value = values.get(name)
            try:
                if value is not None:
                    record[name] = value(child.text or "")
                elif name in readers:
                    name, read = readers[name]
                    record[name] = read(child, notes)
                elif name not in self._ignored:
                    notes.unknown[f"{self.name}.{name}"] += 1
            except Rejected:
                raise
            except TooLong as text:
                record[name] = text.kept
                notes.cut[name] += 1
            except ValueError as error:
                if name in self._keys:
                    msg = f"{self.name} {child_text(element, 'id')}: {name} is {error}"
                    raise Rejected(msg) from None
                notes.unreadable[f"{self.name}.{name}"] += 1
        return record


def child_text(element: Element, name: str) -> str:
    """Give the text of a child, stripped and cut for a message; `?` when there is none."""
    value = (element.findtext(name) or "").strip()
    return ascii(value[:60])[1:-1] if value else "?"


def child_of(element: Element, name: str) -> Element | None:
    """Give the first child with a name.

    It is mostly the first of all; a path, or lxml's own search, takes several times as long.
    """
    for child in element:
        if child.tag == name:
            return child
    return None


def row_id(element: Element) -> int | None:
    """Give the id of a row for paging, which is above 0; None when it has no readable one."""
    found = child_of(element, "id")
    number = None if found is None else loose_whole(found.text or "")
    return number if number is not None and number > 0 else None


def webapp_of(element: Element) -> int | None:
    """Give the id of the web application that a row is of; None when it tells none."""
    told = element.findtext("webApp/id") or element.findtext("target/webApp/id")
    return loose_whole(told or "")


def items(element: Element) -> Iterable[Element] | None:
    """Give the entries of a `<count/><list/>` element.

    None when the element counts entries without listing them, as lean rows do with tags.
    """
    listed = child_of(element, "list")
    if listed is not None:
        return listed
    count = child_of(element, "count")
    if count is None:
        return [child for child in element if child.tag != "set"]
    try:
        return None if to_whole(count.text or "") else ()
    except ValueError:
        return None


def list_of(read: Reader) -> Reader:
    """Make a reader of lists: entries are read by `read`, and unreadable ones are counted."""

    def read_list(element: Element, notes: Notes) -> Json:
        entries = items(element)
        if entries is None:
            return None
        values: list[Json] = []
        for entry in entries:
            try:
                value = read(entry, notes)
            except ValueError:
                notes.unreadable[f"{element.tag}[]"] += 1
                continue
            if value is not None:
                values.append(value)
        return values

    return read_list


def within(path: str, read: Reader) -> Reader:
    """Make a reader of the element at `path` below the given one; null when there is none."""

    def read_within(element: Element, notes: Notes) -> Json:
        found = element.find(path)
        return None if found is None else read(found, notes)

    return read_within
