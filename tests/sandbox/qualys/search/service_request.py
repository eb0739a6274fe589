"""Reading `ServiceRequest` bodies: preferences and criteria, in XML only.

The real platform takes JSON as well; nothing here needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from lxml import etree

from tests.sandbox.qualys.search.criteria import Criterion
from tests.sandbox.qualys.search.refusals import refuse

DEFAULT_LIMIT: Final = 100
LARGEST_LIMIT: Final = 1000
LARGEST_ID: Final = 2**63 - 1
_PREFERENCES: Final = frozenset({"limitResults", "startFromOffset", "startFromId", "verbose"})
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


@dataclass(frozen=True)
class ServiceRequest:
    """What a search or count asks for.

    Attributes:
        limit: rows of a page, 1 to 1000.
        offset: 1-based place of the first row; not stable while rows come and go.
        from_id: rows from this id on, inclusive.
    """

    criteria: tuple[Criterion, ...] = ()
    limit: int = DEFAULT_LIMIT
    offset: int = 1
    from_id: int | None = None
    verbose: bool = False


def parse(body: bytes) -> ServiceRequest:
    """Read a body; an empty one asks for everything.

    Raises:
        RefusalError: for malformed XML, unknown elements or preferences out of bounds.
    """
    if not body.strip():
        return ServiceRequest()
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError as error:
        refuse(f"Invalid XML: {error.msg}", "Send valid XML.", "INVALID_XML")
    if root.tag != "ServiceRequest":
        refuse(f"Unexpected root element '{root.tag}'.", "Send a ServiceRequest.")
    for child in root:
        if child.tag not in {"preferences", "filters"} or len(root.findall(child.tag)) > 1:
            refuse(
                f"Unexpected element '{child.tag}'.", "Send at most one preferences and filters."
            )
    asked = _preferences(root)
    from_id = asked.get("startFromId")
    return ServiceRequest(
        criteria=_criteria(root.find("filters")),
        limit=_number("limitResults", asked.get("limitResults", "100"), LARGEST_LIMIT),
        offset=_number("startFromOffset", asked.get("startFromOffset", "1"), LARGEST_ID),
        from_id=None if from_id is None else _number("startFromId", from_id, LARGEST_ID),
        verbose=_flag("verbose", asked.get("verbose", "false")),
    )


def _criteria(filters: etree._Element | None) -> tuple[Criterion, ...]:
    found: list[Criterion] = []
    for child in filters if filters is not None else ():
        field, operator = child.get("field"), child.get("operator")
        unknown = set(child.attrib) - {"field", "operator", "name"}
        if child.tag != "Criteria" or field is None or operator is None or unknown or len(child):
            refuse(
                f"Invalid filter element '{child.tag}'.", "Send Criteria with field and operator."
            )
        found.append(Criterion(field, operator, child.text or "", child.get("name")))
    return tuple(found)


def _preferences(root: etree._Element) -> dict[str, str]:
    preferences = root.find("preferences")
    found: dict[str, str] = {}
    for child in preferences if preferences is not None else ():
        text = (child.text or "").strip()
        if child.tag not in _PREFERENCES or child.tag in found:
            _refuse_preference(str(child.tag), text, "Remove the preference.")
        found[child.tag] = text
    return found


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        _refuse_preference(name, text, "Values expected: true, false.")
    return text == "true"


def _number(name: str, text: str, largest: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= largest:
        _refuse_preference(name, text, f"Specify a value from 1 to {largest}.")
    return number


def _refuse_preference(name: str, text: str, resolution: str) -> NoReturn:
    refuse(f"Preferences: Invalid value for '{name}' ({text}).", resolution)
