"""KDI documents made by hand, and the calls that bring them into the sandbox's CVM."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.sandbox import Sandbox

JSON = dict[str, Any]

SEEN = "2026-03-01T00:00:00Z"


def vuln(name: str, **changes: object) -> JSON:
    """Give an open vulnerability; its definition is named like it."""
    return {
        "scanner_type": "QualysWAS",
        "scanner_identifier": name,
        "vuln_def_name": name,
        "last_seen_at": SEEN,
        "status": "open",
        "scanner_score": 3,
    } | changes


def finding(name: str, **changes: object) -> JSON:
    """Give a finding in its first state."""
    return {
        "scanner_type": "QualysWAS",
        "scanner_identifier": name,
        "vuln_def_name": name,
        "last_seen_at": SEEN,
        "severity": 6,
    } | changes


def asset(*vulns: JSON, **fields: object) -> JSON:
    """Give an asset by its URL, with these vulnerabilities."""
    return {"url": "https://one.example.test/", "vulns": list(vulns)} | fields


def document(*assets: JSON, **fields: object) -> JSON:
    """Give a load that closes what it lacks, with all definitions it needs."""
    said = [one for each in assets for key in ("vulns", "findings") for one in each.get(key, [])]
    pairs = sorted({(one["scanner_type"], one["vuln_def_name"]) for one in said})
    definitions = [
        {"scanner_type": kind, "name": name, "cwe_identifiers": "CWE-79"} for kind, name in pairs
    ]
    whole: JSON = {"version": 2, "skip_autoclose": False, "assets": list(assets)}
    return deepcopy(whole | {"vuln_defs": definitions} | fields)


class Caller:
    """A client of the sandbox's CVM that keeps nothing but its key."""

    def __init__(self, sandbox: Sandbox, connector_id: int | None = None) -> None:
        self.sandbox = sandbox
        self.connector = f"/connectors/{connector_id or sandbox.connector_id}"
        self.headers = {"X-Risk-Token": sandbox.api_key}

    def get(self, path: str, **query: object) -> requests.Response:
        """Ask for a path of the API."""
        return self.call("GET", path, params=query)

    def call(self, verb: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401
        """Send a request with the key."""
        options.setdefault("headers", self.headers)
        return requests.request(verb, self.sandbox.ciscovm_url + path, timeout=20, **options)

    def upload(self, content: JSON | bytes, **form: str) -> requests.Response:
        """Send a file."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.call(
            "POST", f"{self.connector}/data_file", files={"file": ("kdi.json", data)}, data=form
        )

    def start(self, *files: int) -> requests.Response:
        """Start a run of the files, by the verb that the sandbox takes."""
        if self.sandbox.switches.run_verb == "GET":
            return self.get(f"{self.connector}/run", **{"data_files[]": files})
        return self.call("POST", f"{self.connector}/run", json={"data_files": files})

    def export(
        self, model: str, form: str = "jsonl", fields: Sequence[str] = (), **filters: object
    ) -> requests.Response:
        """Ask for a data export."""
        settings = {"model": model, "format": form} | ({"fields": list(fields)} if fields else {})
        return self.call("POST", "/data_exports", json={"export_settings": settings, **filters})

    def wait(self, run_id: int) -> JSON:
        """Let a minute pass in the world, and return the run, which has ended then."""
        self.sandbox.clock.advance(timedelta(minutes=1))
        found: JSON = self.get(f"{self.connector}/connector_runs/{run_id}").json()
        assert found["end_time"], found
        return found

    def load(self, *documents: JSON | bytes) -> JSON:
        """Upload documents, run them together, and return the run at its end."""
        files = [self.upload(one).json()["data_file"] for one in documents]
        return self.wait(self.start(*files).json()["connector_run_id"])
