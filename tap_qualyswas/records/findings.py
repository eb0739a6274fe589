"""Findings, with or without their evidence.

Names are Qualys's own (WAS API user guide, "Reference" of the finding).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.evidence import no_evidence
from tap_qualyswas.records.fields import (
    date,
    number,
    own_id,
    own_word,
    text,
    title,
    truth,
    whole,
    word,
)
from tap_qualyswas.records.shapes import Shape, list_of
from tap_qualyswas.records.webapps import USER, read_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_qualyswas.records.evidence import Evidence
    from tap_qualyswas.records.fields import Reader

_WEBAPP: Final = Shape(
    "webApp", {"id": whole, "name": text, "url": text, "tags": read_tags}, keys=("id",)
)
"""The web application inside a finding, which is a part of what tells one from another."""

_CLASSIFICATION: Final = Shape("classification", {"name": text, "url": text, "code": whole})
"""One entry of OWASP or WASC."""

_FINDING_FIELDS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "id": own_id,
        "uniqueId": own_word,
        "qid": whole,
        "detectionScore": whole,
        "name": title,
        "type": word,
        "potential": truth,
        "findingType": word,
        "severity": whole,
        "originalSeverity": whole,
        "param": text,
        "url": text,
        "status": word,
        "function": text,
        "content": text,
        "group": word,
        "cwe": list_of(whole),
        "owasp": list_of(_CLASSIFICATION),
        "wasc": list_of(_CLASSIFICATION),
        "cvssV3": Shape("cvssV3", {"base": number, "temporal": number, "attackVector": text}),
        "firstDetectedDate": date,
        "lastDetectedDate": date,
        "lastTestedDate": date,
        "fixedDate": date,
        "updatedDate": date,
        "timesDetected": whole,
        "isIgnored": truth,
        "ignoredReason": word,
        "ignoredBy": USER,
        "ignoredDate": date,
        "ignoredComment": text,
        "reactivateIn": whole,
        "reactivateDate": date,
        "externalRef": text,
        "patch": whole,
        "severityComment": text,
        "editedSeverityUser": USER,
        "editedSeverityDate": date,
        "retest": Shape(
            "retest",
            {
                "retestStatus": word,
                "retestedDate": date,
                "findingStatus": word,
                "reason": text,
                "retestedUser": USER,
            },
        ),
        "webApp": _WEBAPP,
        "resultList": no_evidence,
        "sslData": no_evidence,
    }
)


def finding_shape(evidence: Evidence | None = None) -> Shape:
    """Give the shape of findings; without `evidence`, results and TLS details are left out."""
    fields = dict(_FINDING_FIELDS)
    if evidence is not None:
        fields |= {"resultList": evidence.result_list, "sslData": evidence.ssl_data}
    # The history has one entry for each scan there ever was; the scans are a stream of their own.
    return Shape("Finding", fields, ignored=("history",), keys=("id", "qid"))
