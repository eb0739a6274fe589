"""What the task `qualys_was` of Cisco's public toolkit does, call by call and file by file.

Written from its description and its source (github.com/KennaSecurity/toolkit, `tasks/connectors/
qualys_was`, and `lib/api` for CVM), none of which is here: pages of verbose findings by offset, one
GET of the knowledge base for each page, a file as soon as it holds more than 500 findings, all
files with auto-close on, one connector run of all of them at the end, and a look every 20 seconds
whether it is over. What the texts of an entry say is left out: no figure here depends on it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.sandbox import Sandbox

PAGE: Final = 100
"""Its default; 1,000 is the most that Qualys gives."""
FILE_FINDINGS: Final = 500
POLL: Final = timedelta(seconds=20)
SECONDS: Final = 120
SCANNER: Final = "QualysWas"
TRIAGE_STATES: Final = {"NEW": "new", "ACTIVE": "new", "REOPENED": "new", "FIXED": "resolved"}
IGNORED: Final = {
    "FALSE_POSITIVE": "false_positive",
    "RISK_ACCEPTED": "risk_accepted",
    "NOT_APPLICABLE": "not_a_security_issue",
}

Row = dict[str, Any]


def identifier(qid: int, number: int) -> str:
    """Give the name under which it loads a finding."""
    return f"{qid} - {number}"


@dataclass
class File:
    """A KDI file as it fills.

    Attributes:
        assets: by URL and name of the web application.
        definitions: by name.
        findings: how many it holds.
    """

    assets: dict[tuple[str, str], Row] = field(default_factory=dict)
    definitions: dict[str, Row] = field(default_factory=dict)
    findings: int = 0

    def add(self, row: Row) -> None:
        """Add a finding to the asset of its web application."""
        url, app = row["webApp"]["url"], row["webApp"]["name"]
        name = f"{row['qid']}-{row['name']}"
        asset = self.assets.setdefault(
            (url, app), {"url": url, "application": app, "tags": [], "vulns": [], "findings": []}
        )
        asset["findings"].append(
            {
                "scanner_identifier": identifier(row["qid"], row["id"]),
                "scanner_type": SCANNER,
                "severity": 2 * int(row["severity"]),
                "created_at": row["firstDetectedDate"],
                "last_seen_at": row["lastTestedDate"],
                "triage_state": triage_state(row),
                "vuln_def_name": name,
            }
        )
        self.definitions.setdefault(name, {"scanner_type": SCANNER, "name": name})
        self.findings += 1

    def content(self) -> bytes:
        """Give the file, auto-close on."""
        document = {
            "skip_autoclose": False,
            "version": 2,
            "assets": list(self.assets.values()),
            "vuln_defs": list(self.definitions.values()),
        }
        return json.dumps(document).encode()


def triage_state(row: Row) -> str:
    """Give the state that a finding is loaded with.

    Raises:
        KeyError: for PROTECTED, and for an ignore without a reason: there it stops.
    """
    if row.get("isIgnored") == "true":
        return IGNORED[row.get("ignoredReason", "")]
    return TRIAGE_STATES[row["status"]] if "status" in row else "new"


class Toolkit:
    """One installation; it keeps nothing from one run to the next.

    Attributes:
        files: that it has uploaded in the last run.
    """

    def __init__(self, sandbox: Sandbox, page: int = PAGE) -> None:
        self.files: list[int] = []
        self._sandbox = sandbox
        self._page = page
        self._qualys = requests.Session()
        # Bytes, as requests would write text in Latin-1.
        login = (sandbox.username, sandbox.password.encode())
        self._qualys.auth = login  # type: ignore[assignment] # typed for text only
        self._ciscovm = requests.Session()
        self._ciscovm.headers["X-Risk-Token"] = sandbox.api_key
        self._connector = f"{sandbox.ciscovm_url}/connectors/{sandbox.connector_id}"

    def run(self) -> None:
        """Read all findings, upload them by files, and run the connector."""
        self.files = []
        file = File()
        for rows in self._pages():
            self._knowledge_base({row["qid"] for row in rows})
            for row in rows:
                if file.findings > FILE_FINDINGS:
                    self._upload(file)
                    file = File()
                file.add(row)
        self._upload(file)
        self._run()

    def _pages(self) -> Iterator[list[Row]]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        offset, more = 1, True
        while more:
            preferences = {
                "verbose": "true",
                "limitResults": self._page,
                "startFromOffset": offset,
            }
            answer = self._qualys.post(
                f"{self._sandbox.qualys_url}/qps/rest/3.0/search/was/finding",
                json={"ServiceRequest": {"filters": {}, "preferences": preferences}},
                headers=headers,
                timeout=SECONDS,
            )
            found = answer.json()["ServiceResponse"]
            yield [one["Finding"] for one in found["data"]]
            more = found["hasMoreRecords"] == "true"
            offset += self._page

    def _knowledge_base(self, qids: set[int]) -> None:
        answer = self._qualys.get(
            f"{self._sandbox.qualys_url}/api/2.0/fo/knowledge_base/vuln/",
            params={"action": "list", "ids": ",".join(map(str, sorted(qids)))},
            headers={"X-Requested-With": "bench"},
            timeout=SECONDS,
        )
        answer.raise_for_status()

    def _upload(self, file: File) -> None:
        answer = self._ciscovm.post(
            f"{self._connector}/data_file",
            files={"file": ("qualys_was.json", file.content())},
            timeout=SECONDS,
        )
        answer.raise_for_status()
        self.files.append(answer.json()["data_file"])

    def _run(self) -> None:
        run = {"data_files": self.files}
        self._ciscovm.post(f"{self._connector}/run", json=run, timeout=SECONDS).raise_for_status()
        while True:
            self._sandbox.clock.advance(POLL)
            answer = self._ciscovm.get(self._connector, timeout=SECONDS)
            if not answer.json()["connector"]["running"]:
                return
