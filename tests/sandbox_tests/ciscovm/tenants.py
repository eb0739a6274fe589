"""Tenants without a server, loads into them, and what they hold then."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID, Tenant
from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.clock import Clock

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.state import Run
    from tests.sandbox_tests.loads import JSON

ONE = "https://one.example.test/"
TWO = "https://two.example.test/"
CLOSED = {"status": "closed", "closed_at": "2026-02-01T00:00:00Z"}


def tenant(**switches: object) -> Tenant:
    """Give an empty tenant with these switches."""
    return Tenant(Clock(), switches=Switches(**switches))  # type: ignore[arg-type]


def load(tenant: Tenant, *documents: JSON, connector: int = CONNECTOR_ID) -> Run:
    """Load documents in one run."""
    files = [tenant.upload(connector, json.dumps(one).encode()).id for one in documents]
    run = tenant.start_run(connector, files)
    tenant.clock.advance(timedelta(minutes=1))
    tenant.settle()
    return run


def held(tenant: Tenant, connector: int | None = CONNECTOR_ID) -> dict[str, str]:
    """Give the status of each identifier."""
    return {one.scanner_identifier: one.status for one in tenant.held(connector)}
