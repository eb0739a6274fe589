"""Read a Qualys platform with `qualysdk`, and print what it holds as JSON; run by its own.

It has no name for the `content` of sensitive content, and fails at such a row: these are left out.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout

from qualysdk import tagging, vmdr, was
from qualysdk.auth import BasicAuth

TYPES = ("VULNERABILITY", "INFORMATION_GATHERED")
URL = os.environ["TAP_QUALYSWAS_API_URL"]


def read() -> dict[str, list[str]]:
    """Return everything by kind."""
    auth = BasicAuth(
        os.environ["TAP_QUALYSWAS_USERNAME"],
        os.environ["TAP_QUALYSWAS_PASSWORD"],
        override_platform=dict.fromkeys(("api_url", "gateway_url", "qualysguard_url"), URL),
    )
    findings = [row for kind in TYPES for row in was.get_findings(auth, type=kind)]
    assert len(findings) == sum(was.count_findings(auth, type=kind) for kind in TYPES)
    detailed = was.get_findings_verbose(auth, type="VULNERABILITY")
    scans = was.get_scans(auth)
    qids = sorted({str(row.qid) for row in findings})
    return {
        "webapps": [str(row.id) for row in was.get_webapps(auth)],
        "scans": [str(row.id) for row in scans],
        "findings": [row.uniqueId for row in findings],
        "detailed": [row.uniqueId for row in detailed],
        "entries": [str(row.QID) for row in vmdr.query_kb(auth, ids=",".join(qids))],
        "tags": [str(row.id) for row in tagging.get_tags(auth)],
    }


with redirect_stdout(sys.stderr):  # it tells its steps there
    found = read()
sys.stdout.write(json.dumps(found))
