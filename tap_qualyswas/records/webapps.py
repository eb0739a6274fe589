"""Web applications, with their users and tags.

Names are Qualys's own (WAS API user guide, "Reference" of the web application).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.fields import date, text, truth, whole, word
from tap_qualyswas.records.shapes import Shape, items, list_of

if TYPE_CHECKING:
    from tap_qualyswas.records.fields import Json
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

USER: Final = Shape("user", {"id": whole, "username": word, "firstName": text, "lastName": text})

_TAG: Final = Shape("Tag", {"id": whole, "name": word}, ignored=("color", "uuid"))


def read_tags(element: Element, notes: Notes) -> Json:
    """Read tags: names without surrounding blanks, each once; null when they are only counted."""
    entries = items(element)
    if entries is None:
        return None
    tags: dict[Json, Json] = {}
    for entry in entries:
        tag = _TAG(entry, notes)
        if tag["name"]:
            tags.setdefault(str(tag["name"]), tag)
    return list(tags.values())


_URL_LIST: Final = list_of(text)

_ATTRIBUTE: Final = Shape(
    "Attribute", {"name": text, "value": text}, renamed={"category": "name"}, ignored=("id",)
)

WEBAPP: Final = Shape(
    "WebApp",
    {
        "id": whole,
        "name": text,
        "url": text,
        "os": text,
        "owner": USER,
        "tags": read_tags,
        "attributes": list_of(_ATTRIBUTE),
        "riskScore": whole,
        "scope": word,
        "isScheduled": truth,
        "lastScan": Shape(
            "lastScan",
            {
                "id": whole,
                "name": text,
                "date": date,
                "status": word,
                "summary": Shape("lastScan.summary", {"resultsStatus": word, "authStatus": word}),
            },
            ignored=("reference", "mode", "type"),
        ),
        "lastScanStatus": word,
        "urlAllowlist": _URL_LIST,
        "urlExcludelist": _URL_LIST,
        "postDataExcludelist": _URL_LIST,
        "createdDate": date,
        "updatedDate": date,
    },
    # Names before WAS 3.18.
    renamed={
        "urlWhitelist": "urlAllowlist",
        "urlBlacklist": "urlExcludelist",
        "postDataBlacklist": "postDataExcludelist",
    },
    ignored=(
        # May hold secrets.
        *("headers", "authRecords", "crawlingScripts", "swaggerFile", "postmanCollection"),
        *("dnsOverrides", "proxy", "comments", "screenshot", "config"),
        # How the application is scanned, not what it is.
        *("uris", "subDomain", "domains", "defaultProfile", "defaultScanner", "scannerLocked"),
        *("defaultScannerTags", "progressiveScanning", "redundancyLinks", "maxRedundancyLinks"),
        *("logoutRegexList", "useRobots", "useSitemap", "malwareMonitoring", "malwareTaskId"),
        *("malwareNotification", "malwareScheduling", "createdBy", "updatedBy"),
        *("removeFromSubscription", "reactivateIfExists"),
    ),
    keys=("id",),
)
