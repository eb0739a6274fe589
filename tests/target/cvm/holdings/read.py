"""Sandboxes with something in their CVM, and the reading of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.cvm.holdings.holdings import open_holdings
from tests.sandbox.ciscovm.tenant.tenant import OTHER_CONNECTOR_ID
from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.loads import Caller, asset, document, finding, vuln
from tests.target.cvm.quick import QUICK, Log

if TYPE_CHECKING:
    from target_ciscovm.cvm.holdings.holding import Holding
    from target_ciscovm.cvm.retry_policy import RetryPolicy
    from target_ciscovm.kdi.types import DataModel

OTHER = OTHER_CONNECTOR_ID
ONE = "https://one.example.test/"
TWO = "https://two.example.test/"
CLOSED = {"status": "closed", "closed_at": "2026-02-01T00:00:00Z"}
LOAD = document(
    asset(
        vuln("V-7-a"),
        vuln("V-7-b", **CLOSED),
        url=ONE,
        external_id="7",
        application="One",
        findings=[finding("V-7-f"), finding("V-7-g", triage_state="resolved")],
    ),
    {"url": TWO, "vulns": [vuln("V-8-c")]},
)


def opened(*faults: str, **switches: Any) -> Sandbox:  # noqa: ANN401
    """Give a sandbox whose CVM allows as many calls as come."""
    made = Switches(**{"rate_limit": 0, "run_seconds": 0} | switches)
    return Sandbox(apps=1, findings=1, scans=1, faults=faults, switches=made)


def load(sandbox: Sandbox, *documents: Any, connector: int | None = None) -> None:  # noqa: ANN401
    """Bring documents into its CVM, `LOAD` if there are none."""
    Caller(sandbox, connector).load(*(documents or (LOAD,)))


def api(sandbox: Sandbox, policy: RetryPolicy = QUICK) -> CiscoVMClient:
    """Give the API of the connector."""
    return CiscoVMClient(
        api_url=sandbox.ciscovm_url,
        api_key=sandbox.api_key,
        connector_id=sandbox.connector_id,
        policy=policy,
    )


class Read:
    """What is held, and what was told on the way.

    Attributes:
        by: whether an export or a search gave it.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        model: DataModel = "vulnerabilities",
        *,
        policy: RetryPolicy = QUICK,
        seconds: float = 20,
    ) -> None:
        self.log = Log()
        with tempfile.TemporaryDirectory() as folder:
            with open_holdings(
                api(sandbox, policy),
                model,
                Path(folder),
                timeout_seconds=seconds,
                progress=self.log,
            ) as found:
                self.by = found.source
                self.all = list(found)
                assert list(found) == self.all
            assert list(Path(folder).iterdir()) == []

    @property
    def open(self) -> dict[str, bool | None]:
        """Give what is open and what is not, by identifier."""
        return {one.identifier: one.open for one in self.all}

    def one(self, identifier: str) -> Holding:
        """Give the only one with an identifier."""
        (found,) = [one for one in self.all if one.identifier == identifier]
        return found
