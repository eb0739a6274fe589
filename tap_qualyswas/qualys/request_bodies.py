"""Bodies of WAS requests: criteria, written by an XML writer.

All criteria of a request are combined by AND, and a field may be named twice (Qualys WAS API user
guide, "Search operators"). So paging adds its bounds to the user's filters and replaces none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition on one field."""

    field: str
    operator: str
    value: str
    name: str | None = None
    """Of the custom attribute that is meant, where the field is `attributes`."""


def equals(field: str, value: object) -> Criterion:
    """Ask for rows whose field is `value`."""
    return Criterion(field, "EQUALS", str(value))


def attribute(name: str, value: str) -> Criterion:
    """Ask for web applications whose custom attribute has a value."""
    return Criterion("attributes", "EQUALS", value, name)


def greater(field: str, value: object) -> Criterion:
    """Ask for rows strictly above `value`."""
    return Criterion(field, "GREATER", str(value))


def lesser(field: str, value: object) -> Criterion:
    """Ask for rows strictly below `value`."""
    return Criterion(field, "LESSER", str(value))


def contains(field: str, value: str) -> Criterion:
    """Ask for rows whose text holds `value`."""
    return Criterion(field, "CONTAINS", value)


def one_of(field: str, values: Iterable[object]) -> Criterion:
    """Ask for rows whose field is one of `values`.

    Raises:
        ValueError: without a value, as an empty list is no condition at all.
    """
    listed = ",".join(str(value) for value in values)
    if not listed:
        msg = f"no values for {field}"
        raise ValueError(msg)
    return Criterion(field, "IN", listed)


def service_request(
    criteria: Iterable[Criterion] = (), *, limit: int | None = None, verbose: bool = False
) -> bytes:
    """Write a ServiceRequest.

    Args:
        criteria: conditions, all of which must hold.
        limit: the most rows in the answer, 1 to 1000.
        verbose: whether rows come with their details.

    Returns:
        The document in UTF-8, with its declaration.
    """
    root = etree.Element("ServiceRequest")
    if limit is not None or verbose:
        preferences = etree.SubElement(root, "preferences")
        if limit is not None:
            etree.SubElement(preferences, "limitResults").text = str(limit)
        if verbose:
            etree.SubElement(preferences, "verbose").text = "true"
    listed = list(criteria)
    if listed:
        filters = etree.SubElement(root, "filters")
        for criterion in listed:
            element = etree.SubElement(
                filters, "Criteria", field=criterion.field, operator=criterion.operator
            )
            if criterion.name is not None:
                element.set("name", criterion.name)
            element.text = criterion.value
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
