"""Sending a load: every file uploaded, then one run of all, then its end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.apply.halves import halve, without_evidence
from target_ciscovm.errors import TooLarge, UploadFailed
from target_ciscovm.output.timing import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_ciscovm.cvm.client import CiscoVMClient
    from target_ciscovm.kdi.files import Files, Part

LOGGER: Final = logging.getLogger(__name__)

TOO_LARGE: Final = "its asset alone is more than CVM takes at once, also without evidence"
STILL_TOO_LARGE: Final = (
    "the closings alone are more than CVM, or a gateway before it, takes at once. Raise its limit "
    "on the size of requests."
)


class Uploads(msgspec.Struct):
    """What CVM took.

    Attributes:
        parts: files with their ids in CVM, in the order of upload.
        refused: keys of assets that are too large for CVM whatever is done.
    """

    parts: list[tuple[Part, int]] = msgspec.field(default_factory=list)
    refused: list[str] = msgspec.field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        """Give the ids for the run."""
        return [number for _, number in self.parts]


def upload_all(
    api: CiscoVMClient,
    files: Files,
    parts: Sequence[Part],
    keys_of: Callable[[Part], Sequence[str]],
) -> Uploads:
    """Upload all files; one that is too large goes in halves.

    Args:
        api: the connector.
        files: writes the halves.
        parts: the load's files.
        keys_of: gives the keys of a part's assets, in the file's order.

    Raises:
        UploadFailed: when a file was not taken after all tries, or its number is that of another
            one, so that a run could not name both. Nothing has been run.
    """
    done = Uploads()
    waiting = list(reversed(parts))
    progress = Progress("uploading bytes", sum(part.bytes for part in parts))
    while waiting:
        part = waiting.pop()
        try:
            number = api.upload(part.path)
            if number in done.ids:
                msg = (
                    f"CVM gave {part.path.name} the number of another file ({number}), so nothing "
                    "has been run. Run again later."
                )
                raise UploadFailed(msg)
            done.parts.append((part, number))
            progress.add(part.bytes)
        except TooLarge as error:
            waiting += reversed(_smaller(files, part, keys_of(part), error, done.refused))
    return done


def _smaller(
    files: Files, part: Part, keys: Sequence[str], error: TooLarge, refused: list[str]
) -> list[Part]:
    if part.assets > 1:
        LOGGER.info("%s It goes in two halves.", error)
        return halve(files, part, keys)
    lean = without_evidence(files, part, keys)
    if lean is not None:
        LOGGER.warning("%s It holds one asset: it goes without evidence.", error)
        return [lean]
    LOGGER.warning("%s It holds one asset: it is left out.", error)
    refused += keys
    part.path.unlink()
    return []
