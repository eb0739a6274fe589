"""Calls of the knowledge base: their version, their form, and what their answers hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import (
    ApiAccessMissing,
    InvalidRequest,
    KbMissing,
    KbRetired,
    WasMissing,
    Withdrawn,
)
from tap_qualyswas.qualys.answers import read_kb_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_qualyswas.qualys.reply import Reply
    from tap_qualyswas.records.parsing import Document, Element

VERSIONS: Final = ("2.0", "3.0", "4.0")
KB_IDS: Final = 250
"""Ids of one call; careful clients stay at this number."""


class KbVersions:
    """The version that is asked now: that of the settings, or a later one where it is retired.

    Args:
        version: of the settings.
    """

    def __init__(self, version: str) -> None:
        self._tried = [version]
        self._withdrawn: Withdrawn | None = None

    @property
    def path(self) -> str:
        """The path of the call."""
        return f"/api/{self._tried[-1]}/fo/knowledge_base/vuln/"

    def move_on(self, refused: WasMissing | InvalidRequest | Withdrawn) -> str:
        """Ask a later version from now on; give the sentence that says so.

        Args:
            refused: what the version at hand has answered.

        Raises:
            InvalidRequest: when it is not the version that was refused.
            KbRetired: when there is no later version.
            Withdrawn: likewise, after a version that an earlier sync was answered in.
        """
        self._withdrawn = refused if isinstance(refused, Withdrawn) else self._withdrawn
        if isinstance(refused, InvalidRequest) and "version" not in refused.reason.lower():
            raise refused
        retired = self._tried[-1]
        later = VERSIONS[VERSIONS.index(retired) + 1 :]
        if not later and self._withdrawn is not None:
            raise self._withdrawn
        if not later:
            raise KbRetired(refused.place, refused.code, self._tried)
        self._tried.append(later[0])
        return (
            f"The knowledge base API does not answer in version {retired} ({refused.code}). Asking "
            f"version {later[0]}; set knowledge_base_version to it if that works."
        )


def kb_form(qids: Sequence[int]) -> dict[str, str]:
    """Give the form that asks for entries.

    Raises:
        ValueError: for no ids, with which the whole knowledge base would come, or too many.
    """
    if not 0 < len(qids) <= KB_IDS:
        msg = f"1 to {KB_IDS} QIDs, not {len(qids)}"
        raise ValueError(msg)
    return {"action": "list", "details": "All", "ids": ",".join(map(str, qids))}


def read_entries(reply: Reply, *, answered: bool) -> tuple[list[Element], Document]:
    """Read an answer: its VULN elements, and the document.

    Args:
        reply: the answer.
        answered: whether other calls have worked, so that only this part can be closed.

    Raises:
        QualysError: the error that the answer stands for.
    """
    try:
        return read_kb_answer(reply)
    except ApiAccessMissing as refused:
        if not answered:
            raise
        raise KbMissing(reply.place, refused.code) from None
