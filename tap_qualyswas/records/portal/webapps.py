"""The web applications that a report is about, as rows of the stream `webapps`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.fields import loose_whole, text, word
from tap_qualyswas.records.shapes import Shape
from tap_qualyswas.records.webapps import USER, WEBAPP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

BLANK: Final[Mapping[str, Json]] = dict.fromkeys(WEBAPP.properties)
NAMES: Final = ("NAME", "KEY")
LISTS: Final = ("VULNERABILITY_LIST", "SENSITIVE_CONTENT_LIST", "INFORMATION_GATHERED_LIST")


def _tags(element: Element, _notes: Notes) -> Json:
    names = [_name(child) for child in element] or (element.text or "").split(",")
    found = dict.fromkeys(name.strip() for name in names if name.strip())
    return [{"id": None, "name": name} for name in found]


def _attributes(element: Element, _notes: Notes) -> Json:
    return [
        {"name": _name(child), "value": (child.findtext("VALUE") or "").strip() or None}
        for child in element
    ]


def _name(element: Element) -> str:
    found = (element.findtext(name) for name in NAMES)
    return (next(filter(None, found), None) or element.text or "").strip()


_WEBAPP: Final = Shape(
    "WEB_APPLICATION",
    {
        "ID": word,
        "NAME": text,
        "URL": text,
        "OWNER": text,
        "OPERATING_SYSTEM": text,
        "SCOPE": text,
        "TAGS": _tags,
        "CUSTOM_ATTRIBUTES": _attributes,
    },
    ignored=(*LISTS, "AUTHENTICATION_RECORD", "SECURITY_RISK"),
)


def read_webapp(element: Element, notes: Notes) -> Record:
    """Read a web application; its `id` is None where it is no number."""
    return webapp_of(_WEBAPP(element, notes))


def webapp_of(raw: Mapping[str, Json]) -> Record:
    """Make a row of the values of a web application, named as in XML."""
    return {
        **BLANK,
        "id": loose_whole(str(raw.get("ID") or "")),
        "name": raw.get("NAME"),
        "url": raw.get("URL"),
        "owner": _owner(raw.get("OWNER")),
        "os": raw.get("OPERATING_SYSTEM"),
        "scope": raw.get("SCOPE"),
        "tags": raw.get("TAGS"),
        "attributes": raw.get("CUSTOM_ATTRIBUTES"),
    }


def _owner(value: Json) -> Json:
    """Read `Alex Doe (user_ab1)`."""
    if not isinstance(value, str):
        return None
    name, login = " ".join(value.split()), ""
    if name.endswith(")") and "(" in name:
        name, _, login = name[:-1].rpartition("(")
    first, _, last = name.strip().partition(" ")
    return {
        **dict.fromkeys(USER.properties),
        "username": login or None,
        "firstName": first or None,
        "lastName": last or None,
    }
