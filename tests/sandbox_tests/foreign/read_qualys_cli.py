"""Read a Qualys platform with the command `qualys-cli`, and print what it holds as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("qualys-cli")
URL = os.environ["TAP_QUALYSWAS_API_URL"]
ENVIRONMENT = {
    **os.environ,
    "QUALYS_URL": URL,
    "QUALYS_GATEWAY_URL": URL,
    "QUALYS_USERNAME": os.environ["TAP_QUALYSWAS_USERNAME"],
    "QUALYS_PASSWORD": os.environ["TAP_QUALYSWAS_PASSWORD"],
    "SSL_CERT_FILE": os.environ["REQUESTS_CA_BUNDLE"],
    "QUALYS_OUTPUT_MODE": "agentic",
}


def rows(kind: str, element: str) -> list[dict[str, Any]]:
    """Return the rows of a list."""
    line = [str(COMMAND), "was", kind, "list", "--format", "json", "--limit", "1000"]
    done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)["ServiceResponse"]
    assert answer["hasMoreRecords"] == "false", "it reads one page only"
    found = answer["data"][element]
    listed: list[dict[str, Any]] = found if isinstance(found, list) else [found]
    return listed


sys.stdout.write(
    json.dumps(
        {
            "webapps": [row["id"] for row in rows("webapp", "WebApp")],
            "scans": [row["id"] for row in rows("scan", "WasScan")],
            "findings": [row["uniqueId"] for row in rows("finding", "Finding")],
        }
    )
)
