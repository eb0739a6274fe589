"""Calls of the knowledge base: their version, their form, and what their answers hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import first_few
from tap_qualyswas.errors import (
    AnswerTooLarge,
    ApiAccessMissing,
    DoubtfulAnswer,
    InvalidRequest,
    KbMissing,
    KbRetired,
    WasMissing,
    Withdrawn,
)
from tap_qualyswas.qualys.answers import read_kb_answer
from tap_qualyswas.records.fields import loose_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_qualyswas.qualys.reply import Reply
    from tap_qualyswas.records.parsing import Document, Element

VERSIONS: Final = ("2.0", "3.0", "4.0")
KB_IDS: Final = 250
"""Ids of one call; careful clients stay at this number."""
CUT_SHORT: Final = "1980"
"""The code of the warning in an answer that does not hold all that was asked for."""
STRAY: Final = (
    "The knowledge base sends entries of QIDs that were not asked for, such as %s. They are left "
    "out."
)


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


def check_whole(document: Document, asked: Sequence[int]) -> None:
    """Refuse an answer that says that it was cut short, unless it is about a single QID.

    Raises:
        AnswerTooLarge: when fewer QIDs may bring all of their entries.
    """
    warnings = document.root.iterfind("RESPONSE/WARNING")
    is_cut = any((one.findtext("CODE") or "").strip() == CUT_SHORT for one in warnings)
    if is_cut and len(asked) > 1:
        msg = f"The knowledge base cut an answer about {len(asked)} QIDs short ({CUT_SHORT})."
        raise AnswerTooLarge(msg)


class Strays:
    """Entries of QIDs that were not asked for: the answer to another call, or what comes with each.

    The call is made again; entries that come beside the others each time are left out.

    Args:
        warn: gets one line for them.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._came: set[tuple[int, ...]] = set()
        self._are_usual = False

    def left_out(self, entries: list[Element], asked: Sequence[int]) -> list[Element]:
        """Give the entries that were asked for, and those that do not tell their QID.

        Raises:
            DoubtfulAnswer: when others came for the first time.
        """
        qids = [loose_whole(entry.findtext("QID") or "") for entry in entries]
        strays = sorted({qid for qid in qids if qid is not None} - {*asked})
        if not strays:
            return entries
        if not self._are_usual and tuple(asked) not in self._came:
            self._came.add(tuple(asked))
            msg = f"The knowledge base sent entries that were not asked for ({first_few(strays)})."
            raise DoubtfulAnswer(msg)
        if not self._are_usual:
            self._are_usual = True
            self._warn(STRAY % strays[0])
        return [entry for entry, qid in zip(entries, qids, strict=True) if qid not in strays]
