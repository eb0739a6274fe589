"""What a user would write on the Singer SDK alone: a RESTStream of findings, of the same schema.

It does what the SDK's templates do, and no more: one thread, page after page, the SDK's own type
conformance and writer. It reads XML with lxml as well, and makes values by the schema.
"""

from __future__ import annotations

import json
import sys
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lxml import etree
from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.pagination import BaseAPIPaginator
from singer_sdk.streams import RESTStream

from tap_qualyswas.qualys.request_bodies import equals, greater, service_request

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests
    from singer_sdk import Stream

KINDS: Final = ("VULNERABILITY", "SENSITIVE_CONTENT", "INFORMATION_GATHERED")
PAGE: Final = 1000
SCHEMA: Final = json.loads(
    (resources.files("tap_qualyswas") / "schemas" / "findings.json").read_text(encoding="utf-8")
)


def value_of(element: etree._Element, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Make a value of an element by its schema."""
    kinds = schema.get("type", ())
    text = element.text
    if "array" in kinds:
        listed = element.find("list")
        entries = () if listed is None else listed
        return [value_of(entry, schema["items"]) for entry in entries]
    if "object" in kinds:
        known = schema.get("properties", {})
        return {child.tag: value_of(child, known.get(child.tag, {})) for child in element}
    if not text:
        return None
    if "integer" in kinds:
        return int(text)
    if "number" in kinds:
        return float(text)
    return text == "true" if "boolean" in kinds else text


class LastId(BaseAPIPaginator[int]):
    """Goes on behind the last id of a page."""

    @override
    def has_more(self, response: requests.Response) -> bool:
        return b"<hasMoreRecords>true<" in response.content

    @override
    def get_next(self, response: requests.Response) -> int:
        root = etree.fromstring(response.content)
        return int(root.findtext("lastId") or 0)


class Findings(RESTStream[int]):
    """Findings of all types."""

    name = "findings"
    path = "/qps/rest/3.0/search/was/finding"
    http_method = "POST"
    primary_keys = ("uniqueId",)
    schema: ClassVar[dict[str, Any]] = SCHEMA
    http_headers: ClassVar[dict[str, str]] = {"Content-Type": "text/xml"}
    partitions: ClassVar[list[dict[str, Any]]] = [{"kind": kind} for kind in KINDS]

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def authenticator(self) -> BasicAuthenticator:
        return BasicAuthenticator(
            username=self.config["username"], password=self.config["password"]
        )

    @override
    def get_new_paginator(self) -> LastId:
        return LastId(0)

    @override
    def prepare_request(
        self, context: Any, next_page_token: int | None
    ) -> requests.PreparedRequest:
        prepared = super().prepare_request(context, next_page_token)
        criteria = [equals("type", context["kind"])]
        if next_page_token:
            criteria.append(greater("id", next_page_token))
        prepared.prepare_body(service_request(criteria, limit=PAGE), None)
        return prepared

    @override
    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        root = etree.fromstring(response.content)
        for element in root.iter("Finding"):
            yield value_of(element, SCHEMA)


class PlainTap(Tap):
    """The tap."""

    name = "plain-tap"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("username", th.StringType, required=True),
        th.Property("password", th.StringType, required=True, secret=True),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [Findings(self)]
