"""Read a Qualys platform with `qualysapi`, and print what it holds as JSON; run by its own."""

from __future__ import annotations

import json
import os
import sys
from typing import Any
from urllib.parse import urlsplit

import qualysapi
from lxml import etree

URL = urlsplit(os.environ["TAP_QUALYSWAS_API_URL"])
PAGE = {
    "xml": "<ServiceRequest><preferences><limitResults>1000</limitResults></preferences>"
    "</ServiceRequest>",
    "json": '{"ServiceRequest": {"preferences": {"limitResults": 1000}}}',
}


def connected(spelling: str) -> Any:  # noqa: ANN401 - untyped
    """Return a connection that speaks XML or JSON."""
    return qualysapi.connect(
        username=os.environ["TAP_QUALYSWAS_USERNAME"],
        password=os.environ["TAP_QUALYSWAS_PASSWORD"],
        hostname=URL.netloc,
        data_exchange_format=spelling,
    )


def by_xml(call: str, field: str) -> list[str]:
    """Return a field of all rows that a search shows."""
    text = connected("xml").request(call, PAGE["xml"])
    root = etree.fromstring(text.encode())
    return [row.findtext(field, "") for row in root.iterfind("data/*")]


def by_json(call: str, field: str) -> list[str]:
    """Return the same from the JSON spelling."""
    answer = json.loads(connected("json").request(call, PAGE["json"]))
    rows = answer["ServiceResponse"].get("data", [])
    return [str(next(iter(row.values()))[field]) for row in rows]


def entries(qids: list[str]) -> list[str]:
    """Return the QIDs that the knowledge base knows."""
    call = "api/2.0/fo/knowledge_base/vuln/"
    text = connected("xml").request(call, {"action": "list", "ids": ",".join(qids)})
    return [qid.text or "" for qid in etree.fromstring(text.encode()).iter("QID")]


findings = by_xml("search/was/finding", "uniqueId")
assert findings == by_json("search/was/finding", "uniqueId")
webapps = by_xml("search/was/webapp", "id")
assert webapps == by_json("search/was/webapp", "id")
sys.stdout.write(
    json.dumps(
        {
            "webapps": webapps,
            "scans": by_json("search/was/wasscan", "id"),
            "findings": findings,
            "entries": entries(sorted(set(by_xml("search/was/finding", "qid")))),
            "tags": by_xml("search/am/tag", "id"),
        }
    )
)
