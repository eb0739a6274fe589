"""Qualys's answers in JSON, converted from XML as recorded answers of both kinds compare.

Numbers are numbers where Qualys counts or names by number; yes, no and severities stay text. A
list holds objects of one key, and what is not there has no key, save the body of a request.
"""

from __future__ import annotations

import json
from typing import Any, Final

from lxml import etree

NUMBERS: Final = frozenset(
    {
        "base",
        "code",
        "count",
        "crawlDuration",
        "detectionScore",
        "id",
        "lastId",
        "length",
        "linksCrawled",
        "long",
        "nbRequests",
        "offset",
        "parentTagId",
        "qid",
        "riskScore",
        "scanDuration",
        "temporal",
        "testDuration",
        "timesDetected",
    }
)
_COUNTED: Final = "nb"
"""Statistics of a scan are all named `nb…`."""
_ENVELOPE: Final = "ServiceResponse"


def in_json(document: bytes) -> bytes | None:
    """Return an answer of the qps side in JSON; None for what only exists in XML.

    The results of a scan stand in an envelope here, which they lack in XML.
    """
    try:
        root = etree.fromstring(document)
    except etree.XMLSyntaxError:
        return None
    if root.tag == "WasScan":
        content = {"responseCode": "SUCCESS", "count": 1, "data": [{"WasScan": _value(root)}]}
    elif root.tag == _ENVELOPE:
        content = _object(root)
    else:
        return None
    return json.dumps({_ENVELOPE: content}, ensure_ascii=False).encode()


def _value(element: etree._Element) -> Any:  # noqa: ANN401 - any JSON value
    if _is_list(element):
        return [_item(child) for child in element]
    if len(element):
        return _object(element)
    text = element.text or ""
    marks = {str(name): str(value) for name, value in element.attrib.items()}
    if marks:
        return {**marks, "value": text}
    return _number(text) if _is_number(str(element.tag)) else text


def _object(element: etree._Element) -> dict[str, Any]:
    # An empty page of the XML spelling may have an empty `data`, which JSON leaves out.
    children = [child for child in element if len(child) or not _is_list(child)]
    found = {str(child.tag): _value(child) for child in children}
    if element.tag == "request":
        found.setdefault("body", None)
    return found


def _item(element: etree._Element) -> Any:  # noqa: ANN401 - any JSON value
    value = _value(element)
    return value if element.tag == "long" else {str(element.tag): value}


def _is_list(element: etree._Element) -> bool:
    """Tell a list; the `data` of an information item is base64, and says so."""
    return element.tag == "list" or (element.tag == "data" and not element.attrib)


def _is_number(name: str) -> bool:
    return name in NUMBERS or name.startswith(_COUNTED)


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)
