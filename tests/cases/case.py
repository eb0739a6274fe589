"""A case: what happened to somebody, what is right, and a small input that shows it.

Each case is a YAML file in the folder of its subject; README.md says what may stand in it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from tests.cases.rows import Row, as_lines, as_record
from tests.tap import scripted

FOLDER: Final = Path(__file__).parent


class SimpleReturn(msgspec.Struct, array_like=True, frozen=True):
    """An error of the fo API: `[1960, busy, {CALLS_TO_FINISH: "1"}]`."""

    code: int
    text: str = ""
    items: dict[str, str] = {}


class Answer(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One answer of Qualys: a body, or the shape of one.

    Attributes:
        page: rows of a search answer, with `more` and `last_id` where the answer tells them.
        data: whether an empty page has an empty list or none at all.
        count: the number that a count call gives.
        failure: code, message and resolution of an error inside HTTP 200.
        delay: seconds before the answer comes.
    """

    status: int = 200
    headers: dict[str, str] = {}
    body: str = ""
    page: list[Row] | None = None
    more: str | None = "false"
    last_id: int | None = None
    data: bool = True
    count: int | None = None
    failure: list[str] = []
    simple_return: SimpleReturn | None = None
    delay: float = 0


class Asked(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What holds for one call: texts that are in its body or not, and how many criteria it has."""

    has: list[str] = []
    lacks: list[str] = []
    criteria: int | None = None


Maybe = msgspec.UnsetType


class Expected(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """What is right about a run of the tap; only what is written is looked at.

    Attributes:
        ids: of the findings, in their order.
        unique: how many different identities they have.
        rows: values of records, by stream and id: `{findings: {7001: {severity: 3}}}`.
        tags: names of the tags of each web application, by its id.
        entries: QIDs of the knowledge base.
        calls: how many pages of findings were asked for.
        page_sizes: of the first of them.
        asked: what holds for the calls of a path, in their order; none of them for an empty list.
        waits: the least and the most seconds between the first page and the second.
        exit: the exit code.
        error: the class of the error that ends the run.
        says: texts in the log or the error.
        says_once: texts that stand there once.
        never_says: texts that do not stand there.
        complete: as the sync calls itself; null when it has no row of its own.
        duplicates: rows of findings that came twice.
        bookmark: of the findings, after the run.
        state: a part of the last state.
    """

    ids: list[int] | Maybe = msgspec.UNSET
    unique: int | Maybe = msgspec.UNSET
    rows: dict[str, dict[int, Row]] | Maybe = msgspec.UNSET
    tags: dict[int, list[str]] | Maybe = msgspec.UNSET
    entries: list[int] | Maybe = msgspec.UNSET
    calls: int | Maybe = msgspec.UNSET
    page_sizes: list[int] | Maybe = msgspec.UNSET
    asked: dict[str, list[Asked]] | Maybe = msgspec.UNSET
    waits: tuple[float, float] | Maybe = msgspec.UNSET
    exit: int | Maybe = msgspec.UNSET
    error: str | Maybe = msgspec.UNSET
    says: list[str] | Maybe = msgspec.UNSET
    says_once: list[str] | Maybe = msgspec.UNSET
    never_says: list[str] | Maybe = msgspec.UNSET
    complete: bool | Maybe | None = msgspec.UNSET
    duplicates: int | Maybe = msgspec.UNSET
    bookmark: str | Maybe | None = msgspec.UNSET
    state: dict[str, Any] | Maybe = msgspec.UNSET


class Conversation(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A run of the tap against written answers.

    Attributes:
        bookmark: of an earlier complete sync; short for a `state`.
        streams: what is selected; all that is by default, unless given.
        metadata: of streams in the catalog, by their names.
        scripts: answers by path, each given once; without any for findings, the case's own rows.
        always: answers by path, when its script is used up.
        date: the `Date` of the answers, unless they have one of their own.
        options: of the command, such as `--test`; with any of them the tap runs as a process.
        then: the next run, from the state that this one leaves.
    """

    expect: Expected
    settings: dict[str, Any] = {}
    bookmark: str | None = None
    state: dict[str, Any] | None = None
    streams: list[str] | None = None
    metadata: dict[str, dict[str, str]] = {}
    environment: dict[str, str] = {}
    date: str = scripted.DATE
    options: list[str] = []
    scripts: dict[str, list[Answer]] = {}
    always: dict[str, Answer] = {}
    then: Conversation | None = None


class Reply(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One answer of CVM, to a call such as `GET /connectors/42`."""

    to: str
    status: int = 200
    json: Any = None
    text: str | None = None
    headers: dict[str, str] = {}


class Case(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A case of the index.

    Attributes:
        happened: to somebody, with what came of it.
        right: what has to come of it here.
        conversations: with Qualys.
        findings: rows that are an input of the target, and what Qualys answers with.
        inputs: lines of inputs of the target, by name.
        replies: of CVM, in the order in which they come.
        values: settings, states and the like, by name.
    """

    happened: str
    right: str
    conversations: list[Conversation] = []
    findings: list[Row] = []
    inputs: dict[str, list[Row]] = {}
    replies: list[Reply] = []
    values: dict[str, str] = {}

    def input(self, name: str = "") -> bytes:
        """Give the input of this name, or that of the findings with a state at its end."""
        if name:
            return as_lines(self.inputs[name])
        rows = [{"schema": "findings"}, *self.findings, {"state": {}}]
        return as_lines(rows)

    def records(self) -> list[Row]:
        """Give the findings as records."""
        return [as_record(row) for row in self.findings]


class _Loader(yaml.CSafeLoader):
    """Reads dates as the texts that they are."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def names() -> list[str]:
    """Give the names of all cases, such as `paging/row_on_two_pages`."""
    found = FOLDER.glob("*/*.yaml")
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in found)


@cache
def read(name: str) -> Case:
    """Read a case."""
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    return msgspec.convert(yaml.load(text, _Loader), Case)  # noqa: S506 - made of the safe one
