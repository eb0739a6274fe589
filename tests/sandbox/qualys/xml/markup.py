"""The XML of Qualys's answers: envelope, CDATA, lists, indentation as in recorded ones."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from tests.sandbox.world.model import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.sandbox.faults.switches import Switches
    from tests.sandbox.world.model import Tag

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_QUOTES: Final = {"'": "&apos;", '"': "&quot;"}
PERSON: Final = (
    "<id>17729931</id><username>user_ab1</username>"
    "<firstName>Alex</firstName><lastName>Doe</lastName>"
)
SCHEMA_HOST: Final = "https://qualysapi.sandbox.example.test"


@dataclass(frozen=True)
class Form:
    """What an answer carries.

    Attributes:
        seed: the world's.
        switches: the positions of what is only inferred about it.
        verbose: whether it was asked for in full.
        whole: whether it is an object's own answer, which leaves nothing out.
    """

    seed: int
    switches: Switches
    verbose: bool = False
    whole: bool = False


def cdata(text: str) -> str:
    """Wrap any text in CDATA, even one that holds the end of a CDATA section."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def encoded(text: str) -> str:
    """Wrap a text in base64, as evidence is."""
    return cdata(base64.b64encode(text.encode()).decode("ascii"))


def flag(value: bool) -> str:
    """Write a boolean."""
    return "true" if value else "false"


def dated(name: str, moment: int | None) -> str:
    """Return a date element, or nothing when there is no date."""
    return "" if moment is None else f"<{name}>{iso(moment)}</{name}>"


def listed(items: Sequence[str]) -> str:
    """Return the content of a list element: a count, and a `list` unless it is empty."""
    if not items:
        return "<count>0</count>"
    return f"<count>{len(items)}</count><list>{''.join(items)}</list>"


def lines(indent: int, elements: Iterable[str]) -> str:
    """Put each element that is there on a line of its own."""
    blanks = " " * indent
    return "".join(f"{blanks}{element}\n" for element in elements if element)


def envelope(schema: str, content: str) -> str:
    """Return a whole ServiceResponse; `schema` is its path, e.g. `3.0/was/finding`."""
    return (
        f'{DECLARATION}<ServiceResponse xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:noNamespaceSchemaLocation="{SCHEMA_HOST}/qps/xsd/{schema}.xsd">\n'
        f"{content}</ServiceResponse>"
    )


def success(
    schema: str, count: int, *, more: bool | None = None, last_id: int | None = None, data: str = ""
) -> str:
    """Return a SUCCESS answer; parts that are None or empty are left out."""
    content = lines(
        2,
        (
            "<responseCode>SUCCESS</responseCode>",
            f"<count>{count}</count>",
            "" if more is None else f"<hasMoreRecords>{flag(more)}</hasMoreRecords>",
            "" if last_id is None else f"<lastId>{last_id}</lastId>",
        ),
    )
    return envelope(schema, content + (f"  <data>\n{data}  </data>\n" if data else ""))


def failure(schema: str, code: str, message: str, resolution: str = "") -> str:
    """Return an error answer, quotes written as entities as in recorded ones."""
    details = lines(
        4,
        (
            f"<errorMessage>{escape(message, _QUOTES)}</errorMessage>",
            resolution and f"<errorResolution>{escape(resolution, _QUOTES)}</errorResolution>",
        ),
    )
    return envelope(
        schema,
        f"  <responseCode>{code}</responseCode>\n"
        f"  <responseErrorDetails>\n{details}  </responseErrorDetails>\n",
    )


def simple_return(
    moment: int,
    code: int | None,
    text: str,
    items: Iterable[tuple[str, str]] = (),
) -> str:
    """Return the short answer of the `/api/N/fo` side; a recorded one has no XML prolog.

    `code` names an error.
    """
    listing = "".join(
        f"      <ITEM>\n        <KEY>{key}</KEY>\n        <VALUE>{value}</VALUE>\n      </ITEM>\n"
        for key, value in items
    )
    return (
        f'<!DOCTYPE SIMPLE_RETURN SYSTEM "{SCHEMA_HOST}/api/2.0/simple_return.dtd">\n'
        "<SIMPLE_RETURN>\n  <RESPONSE>\n"
        f"    <DATETIME>{iso(moment)}</DATETIME>\n"
        + ("" if code is None else f"    <CODE>{code}</CODE>\n")
        + f"    <TEXT>{escape(text)}</TEXT>\n"
        + (f"    <ITEM_LIST>\n{listing}    </ITEM_LIST>\n" if listing else "")
        + "  </RESPONSE>\n</SIMPLE_RETURN>\n"
    )


def tag_list(tags: Sequence[Tag]) -> str:
    """Return the content of a `tags` element, names and ids."""
    return listed([f"<Tag><id>{tag.id}</id><name>{cdata(tag.name)}</name></Tag>" for tag in tags])
