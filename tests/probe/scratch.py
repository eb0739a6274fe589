"""A scratch connector of CVM: files are loaded into it, and its vulnerabilities read back."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

import requests

from tests.probe.answers import RefusedError

if TYPE_CHECKING:
    from target_ciscovm.cvm.login import Login

JSON = dict[str, Any]
SCANNER: Final = "QualysWASProbe"
LONGEST_RUN: Final = 2 * 3600
STATUSES: Final = ("open", "closed", "risk accepted", "false positive")


@dataclass
class Scratch:
    """One Data Importer connector that is used for nothing else.

    Attributes:
        poll_seconds: between two looks at a run.
        pace: seconds between calls, as CVM takes five in a second.
        delay: seconds until searches show a load, once that is known.
        verb: how runs are started, once that is known.
    """

    login: Login
    poll_seconds: float = 20
    pace: float = 0.25
    delay: float = 0
    verb: str = "POST"
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._session.headers["X-Risk-Token"] = self.login.api_key
        self._session.verify = self.login.ca_bundle or True

    @property
    def path(self) -> str:
        """The path of the connector."""
        return f"/connectors/{self.login.connector_id}"

    def ask(self, verb: str, path: str, **options: Any) -> requests.Response:  # noqa: ANN401
        """Send a request, whatever becomes of it."""
        time.sleep(self.pace)
        try:
            return self._session.request(verb, self.login.api_url + path, timeout=300, **options)
        except requests.RequestException as error:
            msg = f"{verb} {path} failed: {type(error).__name__}"
            raise RefusedError(msg) from error

    def read(self, path: str, **query: object) -> Any:  # noqa: ANN401
        """Return what a call tells.

        Raises:
            RefusedError: when it is refused.
        """
        answer = self.ask("GET", path, params=query)
        if not answer.ok:
            msg = f"GET {path} was refused with HTTP {answer.status_code}"
            raise RefusedError(msg)
        return answer.json()

    def upload(self, document: JSON) -> requests.Response:
        """Send a file."""
        files = {"file": ("probe.json", json.dumps(document).encode())}
        return self.ask("POST", f"{self.path}/data_file", files=files)

    def load(self, *documents: JSON) -> JSON:
        """Upload files and run them together; return the run as it is at its end.

        Raises:
            RefusedError: when CVM takes no file or no run, or the run does not end.
        """
        numbers = [self._number(self.upload(one), "data_file") for one in documents]
        started = self._start(self.verb, numbers)
        if not started.ok and self.verb == "POST":
            self.verb = "GET"
            started = self._start(self.verb, numbers)
        return self._end_of(self._number(started, "connector_run_id"))

    def starts_by(self, verb: str, document: JSON) -> bool:
        """Tell whether a run can be started by a verb, and wait for its end if so."""
        number = self._number(self.upload(document), "data_file")
        started = self._start(verb, [number])
        if started.ok:
            self._end_of(self._number(started, "connector_run_id"))
        return started.ok

    def _start(self, verb: str, numbers: list[int]) -> requests.Response:
        path = f"{self.path}/run"
        if verb == "GET":
            return self.ask("GET", path, params={"data_files[]": numbers})
        return self.ask(verb, path, json={"data_files": numbers})

    def _end_of(self, run_id: int) -> JSON:
        deadline = time.monotonic() + LONGEST_RUN
        while time.monotonic() < deadline:
            run: JSON = self.read(f"{self.path}/connector_runs/{run_id}")
            if run["end_time"] is not None:
                time.sleep(self.delay)
                return run
            time.sleep(self.poll_seconds)
        msg = f"run {run_id} has not ended within two hours"
        raise RefusedError(msg)

    def _number(self, answer: requests.Response, name: str) -> int:
        try:
            return int(answer.json()[name])
        except (KeyError, TypeError, ValueError) as error:
            msg = f"CVM gave no {name} (HTTP {answer.status_code})"
            raise RefusedError(msg) from error

    def is_used(self) -> bool:
        """Return whether the connector has anything open."""
        name = self.read(self.path)["connector"]["name"]
        rows = self.read("/vulnerabilities/search", **{"connector_names[]": [name]})
        owners = [one["id"] for row in rows["vulnerabilities"] for one in row["connectors"]]
        return self.login.connector_id in owners

    def rows(self, url: str) -> list[JSON]:
        """Return the vulnerabilities of the asset with this URL, in any status."""
        query = {"q": f'url:"{url}"', "status[]": STATUSES}
        found: list[JSON] = self.read("/vulnerabilities/search", **query)["vulnerabilities"]
        return found

    def state(self, url: str, identifier: str) -> str | None:
        """Return whether the scanner's entry is open or closed; None if CVM does not have it."""
        for row in self.rows(url):
            for one in row["scanner_vulnerabilities"]:
                if one["external_unique_id"] == identifier:
                    return "open" if one["open"] else "closed"
        return None


def now() -> str:
    """Return the moment as KDI has it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def url_of(name: str) -> str:
    """Return the URL of a probe's asset."""
    return f"https://probe-{name}.example.test/"


def vuln(name: str, **changes: object) -> JSON:
    """Return an open vulnerability; its definition is named like it."""
    return {
        "scanner_type": SCANNER,
        "scanner_identifier": f"probe-{name}",
        "vuln_def_name": f"Probe {name}",
        "status": "open",
        "last_seen_at": now(),
    } | changes


def closed(name: str, **changes: object) -> JSON:
    """Return the same vulnerability, closed."""
    return vuln(name, status="closed", closed_at=now()) | changes


def asset(name: str, *vulns: JSON, **fields: object) -> JSON:
    """Return an asset with these vulnerabilities."""
    return {"url": url_of(name), "vulns": list(vulns)} | fields


def document(*assets: JSON, skip: bool = True, cve: str | None = None) -> JSON:
    """Return a KDI file; `cve` is given to all its definitions."""
    names = sorted({one["vuln_def_name"] for each in assets for one in each["vulns"]})
    kept = {} if cve is None else {"cve_identifiers": cve}
    return {
        "version": 2,
        "skip_autoclose": skip,
        "assets": list(assets),
        "vuln_defs": [{"scanner_type": SCANNER, "name": name, **kept} for name in names],
    }
