"""The tags of the subscription, from one walk; an account that may not read them has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import counted
from tap_qualyswas.errors import cause_of
from tap_qualyswas.qualys.client import NO_RIGHT, TAG
from tap_qualyswas.records import tags
from tap_qualyswas.search.sweeps import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.reader import Reader

STREAM: Final = "tags"
CLOSED: Final = (
    "tags: the account may not read the tags of the subscription (%s), so none are sent. "
    "Everything else is read. Ask for the right to read tags, or deselect the stream."
)


def read_tags(reader: Reader, settings: Settings) -> Iterator[Record]:
    """Read all tags. What is missing of them makes a sync no less complete.

    Raises:
        QualysError: when the read cannot go on.
    """
    reader.tallies[STREAM].settled = True
    sweep = Sweep(
        key=TAG,
        kind=TAG,
        criteria=(),
        read=tags.TAG,
        page_size=settings.page_size,
        verbose=False,
    )
    try:
        records = [record for page in reader.further_pages(STREAM, [sweep]) for record in page]
    except NO_RIGHT as refused:
        reader.logger.warning(CLOSED, cause_of(refused))
        return
    reader.logger.info("tags: %s", counted(len(records), "tag"))
    yield from _with_parents(records)


def _with_parents(records: Sequence[Record]) -> Iterator[Record]:
    """Give the tags without their children, and the parent where only that one names them."""
    parents = {
        child: record["id"]
        for record in records
        if isinstance(children := record.pop(tags.CHILDREN), list)
        for child in children
        if isinstance(child, int)
    }
    for record in records:
        number = record["id"]
        if record["parentTagId"] is None and isinstance(number, int):
            record["parentTagId"] = parents.get(number)
        yield record
