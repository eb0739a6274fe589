"""The sentences that a run ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_ciscovm.intake.counts import FINDINGS

if TYPE_CHECKING:
    from target_ciscovm.apply.loading import Load


def succeeded_message(load: Load) -> str:
    """Say what the load has done."""
    assets = sum(part.assets for part in load.parts)
    what = f"{load.counts.mapped:,} findings on {assets:,} assets"
    received = load.counts.received[FINDINGS]
    if not load.parts and received:
        return f"Of {received:,} findings none was left to send."
    if not load.parts:
        return "Nothing new came, so nothing was sent."
    if load.settings.destination == "files":
        return f"{what} are in {len(load.parts)} KDI files in {load.folder.path}."
    if load.settings.destination == "dry_run":
        return f"Dry run: {what} would be sent; nothing was."
    return f"{what} are in Cisco Vulnerability Management."


def succeeded_step(load: Load) -> str:
    """Say what a person should do after a load that went well; empty for nothing."""
    if load.run is not None and load.run.failed_payload_count:
        return "Look at the failed payloads on the connector's page in CVM; run again."
    if not load.verdict.valid:
        return (
            f"Loaded without closing anything by absence: {'; '.join(load.verdict.reasons)}. The "
            "next full sync that ends well makes up for it."
        )
    if load.settings.destination == "files" and load.parts:
        return "Import the KDI files in CVM, or set api_key and connector_id."
    return ""


def failed_step(load: Load | None) -> str:
    """Say what to do after a load that did not go well."""
    if load is not None and load.rejections.path.exists():
        return f"Look into {load.rejections.path} for what was rejected and why."
    return ""
