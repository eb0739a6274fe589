"""The evidence in an XML report, in the shape and with the limits that it has from the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from tap_qualyswas.records.evidence import CIPHER, KEX, MAX_FINDING_BYTES, PROP
from tap_qualyswas.records.fields import Json, number, text, word
from tap_qualyswas.records.shapes import Shape, list_of, within

if TYPE_CHECKING:
    from tap_qualyswas.records.evidence import Evidence
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

_CIPHERS: Final = within(
    "CIPHERS",
    list_of(Shape("CIPHERS", dict.fromkeys(CIPHER, text), renamed={"key-exchange": "keyExchange"})),
)
_KEXS: Final = within("KEXS", list_of(Shape("KEXS", dict.fromkeys(KEX, text))))
_PROPS: Final = within("PROPS", list_of(Shape("PROPS", dict.fromkeys(PROP, text))))


class ReportEvidence:
    """Readers for PAYLOADS, DATA and SSL_DETAILS.

    Args:
        evidence: knows the limits, and what is redacted. Texts of a report are base64 with a mark
            or without one.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._response = evidence.response
        self._headers = evidence.sent
        self._payload = Shape(
            "PAYLOAD",
            {
                "PAYLOAD": evidence.capped,
                "REQUEST": Shape(
                    "REQUEST",
                    {
                        "METHOD": word,
                        "URL": evidence.capped,
                        "HEADERS": self._read_headers,
                        "BODY": evidence.sent,
                    },
                ),
                "RESPONSE": Shape(
                    "RESPONSE", {"CONTENTS": evidence.response, "EVIDENCE": evidence.response}
                ),
            },
            ignored=("NUM",),
        )
        self._payloads = list_of(self._read_payload)
        self._ssl = Shape(
            "SSL_DETAILS",
            {
                "PORT": number,
                "PROTOCOL": text,
                "VIRTUAL_HOST": text,
                "IP": word,
                "RESULT": evidence.response,
                "INFO": self._read_info,
                "CERTIFICATE_FINGERPRINT": text,
            },
            ignored=("QID",),
        )

    def payloads(self, element: Element, notes: Notes) -> Json:
        """Read the payloads of a finding as its `resultList`."""
        notes.evidence_left = MAX_FINDING_BYTES
        return [_result(self._payloads(element, notes))]

    def data(self, element: Element, notes: Notes) -> Json:
        """Read what an information item says as its `resultList`."""
        notes.evidence_left = MAX_FINDING_BYTES
        return [_result([_payload({}, self._response(element, notes))])]

    def ssl_details(self, element: Element, notes: Notes) -> Json:
        """Read the details of TLS as `sslData`."""
        notes.evidence_left = MAX_FINDING_BYTES
        raw = self._ssl(element, notes)
        return {
            "protocol": raw["PROTOCOL"],
            "virtualhost": raw["VIRTUAL_HOST"],
            "ip": raw["IP"],
            "port": raw["PORT"],
            "result": raw["RESULT"],
            "flags": None,
            "certificateFingerprint": raw["CERTIFICATE_FINGERPRINT"]
            or (element.findtext("INFO/CERTIFICATE_FINGERPRINT") or "").strip()
            or None,
            "sslDataInfoList": None if raw["INFO"] is None else [raw["INFO"]],
        }

    def _read_headers(self, element: Element, notes: Notes) -> Json:
        lines = [
            f"{(header.findtext('key') or '').strip()}: {(header.findtext('value') or '').strip()}"
            for header in element
        ]
        joined = etree.Element("HEADERS", {"base64": "false"})
        joined.text = "\n".join(lines) or element.text
        return self._headers(joined, notes)

    def _read_payload(self, element: Element, notes: Notes) -> Json:
        raw = self._payload(element, notes)
        answer, asked = raw["RESPONSE"], raw["REQUEST"]
        response: Record = answer if isinstance(answer, dict) else {}
        request: Record = asked if isinstance(asked, dict) else {}
        return {
            **_payload(request, response.get("CONTENTS")),
            "payload": raw["PAYLOAD"],
            "payloadResult": response.get("EVIDENCE"),
        }

    @staticmethod
    def _read_info(element: Element, notes: Notes) -> Json:
        return {
            "sslDataCipherList": _CIPHERS(element, notes) or [],
            "sslDataKexList": _KEXS(element, notes) or [],
            "sslDataPropList": _PROPS(element, notes) or [],
        }


def _result(payloads: Json) -> Json:
    return {
        **dict.fromkeys(
            ("authentication", "ajax", "ajaxRequestId", "formLocation", "accessPath"), None
        ),
        "payloads": payloads,
    }


def _payload(request: Record, response: Json) -> Record:
    return {
        "payload": None,
        "payloadResult": None,
        "payloadResponce": None,
        "request": {
            "method": request.get("METHOD"),
            "link": request.get("URL"),
            "headers": request.get("HEADERS"),
            "body": request.get("BODY"),
        }
        if request
        else None,
        "response": response,
    }
