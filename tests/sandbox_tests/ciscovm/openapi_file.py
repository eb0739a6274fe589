"""Cisco's OpenAPI file, mended where it contradicts itself, as a judge of answers."""

from __future__ import annotations

import copy
import gzip
import json
from typing import TYPE_CHECKING, Any

from requests.structures import CaseInsensitiveDict

from tests.sandbox_tests.loads import JSON, Caller

if TYPE_CHECKING:
    from pathlib import Path

    import requests
    from openapi_core import OpenAPI

    from tests.sandbox.sandbox import Sandbox

RUNS = "connector_run_status_schema"
UPLOAD = ("file_upload_response_schema", "success_run_get_response_schema")
# Statuses that Cisco's text names for the whole API and the file for none of these calls.
UNLISTED = ("400", "401", "403", "404", "409", "422", "429")


def amended(spec: JSON) -> JSON:
    """Mend the file where its own examples or the API's behaviour contradict its schemas."""
    schemas = spec["components"]["schemas"]
    # Connectors that take files have no host: null in the file's example.
    schemas["connectors_get_response_schema"]["items"]["properties"]["host"]["nullable"] = True
    # `success` is a text in the examples of uploads, a boolean in that of a 404.
    for name in (*UPLOAD, RUNS):
        schemas[name]["properties"]["success"] = {"enum": [True, False, "true", "false", None]}
    schemas["error_response"]["properties"]["success"] = {"enum": [False, "false"]}
    # A run that is on has no end; counters were seen to be null.
    for name, value in schemas[RUNS]["properties"].items():
        value["nullable"] = name not in {"id", "start_time"}
    misspelt = "processed_palyoad_count"
    schemas[RUNS]["properties"][misspelt] = schemas[RUNS]["properties"]["processed_payload_count"]
    # Pages: `meta` is nested once too deep, and the list of findings refers to one finding.
    schemas["page_metadata"] = schemas["page_metadata"]["properties"]["meta"]
    one_finding = {"$ref": "#/components/schemas/finding_post_response_schema"}
    page = {"$ref": "#/components/schemas/page_metadata"}
    findings = {"findings": {"type": "array", "items": one_finding}, "meta": page}
    found = content({"type": "object", "properties": findings})
    spec["paths"]["/findings"]["get"]["responses"]["200"] = found
    # In the example a single finding stands below a key of its own.
    one = content({"type": "object", "properties": {"finding": one_finding}})
    spec["paths"]["/findings/{id}"]["get"]["responses"]["200"] = one
    # Exports are judged unpacked, as JSON. Their `meta` counts in the example, and has no pages;
    # the schema of a refusal with 422 is a number.
    exports = spec["paths"]["/data_exports"]
    packed = exports["get"]["responses"]["200"]["content"]
    packed["application/json"] = packed.pop("application/gzip")
    counted = {"type": "object", "properties": {"total_count": {"type": "integer"}}}
    for form in packed["application/json"]["schema"]["oneOf"]:
        form["properties"]["meta"] = counted
    of_findings = {"findings": findings["findings"], "meta": counted}
    packed["application/json"]["schema"]["oneOf"].append(
        {"type": "object", "properties": of_findings}
    )
    exports["post"]["responses"]["422"] = content({"$ref": "#/components/schemas/error_response"})
    # An answer of 204 has no content, whatever the file gives as an example.
    spec["paths"]["/vulnerabilities/{id}"]["put"]["responses"]["204"] = {"description": ""}
    # Cisco's toolkit asks for one connector, and starts runs by POST; the file has neither.
    told = {"type": "object", "properties": {"connector": connector(schemas)}}
    get = {"responses": {"200": content(told)}}
    spec["paths"]["/connectors/{id}"]["get"] = get | {"parameters": parameters(spec)}
    run = spec["paths"]["/connectors/{id}/run"]
    run["post"] = {"responses": run["get"]["responses"], "parameters": parameters(spec)}
    refused = content({"$ref": "#/components/schemas/error_response"})
    for path in spec["paths"].values():
        for verb in path:
            for status in UNLISTED:
                path[verb]["responses"].setdefault(status, refused)
    return spec


def connector(schemas: JSON) -> object:
    return schemas["connectors_get_response_schema"]["items"]


def parameters(spec: JSON) -> object:
    return spec["paths"]["/connectors/{id}"]["put"]["parameters"]


def content(schema: object) -> JSON:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def reader(file: Path, sandbox: Sandbox, *, mended: bool = True) -> OpenAPI:
    from openapi_core import Config, OpenAPI  # noqa: PLC0415 - half a second for each worker

    spec = json.loads(file.read_bytes())
    spec["servers"] = [{"url": sandbox.ciscovm_url}]
    # The file is no valid OpenAPI in places (a default of null): only answers are judged by it.
    config = Config(
        spec_validator_cls=None,  # type: ignore[arg-type]
        additional_properties_default_policy="forbid" if mended else "allow",
    )
    return OpenAPI.from_dict(amended(spec) if mended else spec, config=config)


class Judge(Caller):
    """A client that holds each answer against the file."""

    def __init__(self, file: Path, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.file = reader(file, sandbox)
        self.seen: set[tuple[str, int]] = set()

    def call(self, verb: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401
        answer = super().call(verb, path, **options)
        judge(self.file, answer)
        self.seen.add((f"{verb} {path.rsplit('/', maxsplit=1)[-1]}", answer.status_code))
        return answer


LISTS = {"scanner_vulnerabilities": "vulnerabilities", "external_unique_id": "findings"}
"""By a field that only its rows have, the name of a list; the other rows are assets."""


def rows_of(answer: requests.Response) -> tuple[str, list[JSON]]:
    """Unpack an export, and give the name of its list and its rows."""
    content = gzip.decompress(answer.content)
    whole = json.loads(content) if content.startswith(b'{"') and b'"meta":' in content else {}
    named = [(name, rows) for name, rows in whole.items() if name != "meta"]
    if named:
        return named[0]
    rows = [json.loads(line) for line in content.splitlines()]
    return next(
        (name for field, name in LISTS.items() if rows and field in rows[0]), "assets"
    ), rows


def unpacked(answer: requests.Response) -> requests.Response:
    """Give an export as the file describes it: unpacked, and its lines as one document."""
    if answer.headers.get("Content-Type") != "application/gzip":
        return answer
    name, rows = rows_of(answer)
    told = copy.copy(answer)
    told.headers = CaseInsensitiveDict({**answer.headers, "Content-Type": "application/json"})
    told._content = json.dumps({name: rows, "meta": {"total_count": len(rows)}}).encode()
    return told


def judge(file: OpenAPI, answer: requests.Response) -> None:
    from openapi_core.contrib import requests as calls  # noqa: PLC0415 - as above

    told = calls.RequestsOpenAPIResponse(unpacked(answer))
    file.validate_response(calls.RequestsOpenAPIRequest(answer.request), told)
