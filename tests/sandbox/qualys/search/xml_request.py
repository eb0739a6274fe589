"""`ServiceRequest` bodies in XML."""

from __future__ import annotations

from typing import Final

from lxml import etree

from tests.sandbox.qualys.search.criteria import Criterion
from tests.sandbox.qualys.search.refusals import refuse

_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def read(body: bytes) -> tuple[dict[str, str], tuple[Criterion, ...]]:
    """Return preferences and criteria.

    Raises:
        RefusalError: for malformed XML, or an element at a place where there is none.
    """
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
    return _preferences(root.find("preferences")), _criteria(root.find("filters"))


def _preferences(element: etree._Element | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in element if element is not None else ():
        name = str(child.tag)
        if name in found:
            refuse(f"Preferences: '{name}' is there twice.", "Remove one of them.")
        found[name] = (child.text or "").strip()
    return found


def _criteria(element: etree._Element | None) -> tuple[Criterion, ...]:
    found: list[Criterion] = []
    for child in element if element is not None else ():
        field, operator = child.get("field"), child.get("operator")
        unknown = set(child.attrib) - {"field", "operator", "name"}
        if child.tag != "Criteria" or field is None or operator is None or unknown or len(child):
            refuse(
                f"Invalid filter element '{child.tag}'.", "Send Criteria with field and operator."
            )
        found.append(Criterion(field, operator, child.text or "", child.get("name")))
    return tuple(found)
