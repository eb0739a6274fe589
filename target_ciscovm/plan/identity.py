"""What makes CVM take known assets and findings for new ones, and how a change is let through.

Pure.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.mapping.locators import Identity

CODE_LENGTH: Final = 8
FULL_SYNC: Final = {"TAP_QUALYSWAS_FULL_SYNC": "true"}
"""Makes the tap read everything."""
SOURCE: Final = "source"


def identity_text(identity: Identity, data_model: str) -> dict[str, str]:
    """Give the settings that decide what is one asset and one finding, each as text."""
    return {
        "data_model": data_model,
        "locator_order": ", ".join(identity.order),
        "tenant_locator_order": ", ".join(identity.tenant_order),
        "url_query": "keep" if identity.keep_query else "cut",
    }


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Give what has changed, each with its value before and now."""
    return {
        name: (before[name], value)
        for name, value in now.items()
        if name in before and before[name] != value
    }


def code_of(change: Mapping[str, tuple[str, str]]) -> str:
    """Give the code that lets exactly this change through."""
    text = msgspec.json.encode(change, order="deterministic")
    return hashlib.sha256(text).hexdigest()[:CODE_LENGTH]


def accepting(change: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Give the settings of the one run that lets this change through."""
    return {"TARGET_CISCOVM_ACCEPT_IDENTITY_CHANGE": code_of(change)} | FULL_SYNC


def problem(change: Mapping[str, tuple[str, str]], open_entries: int) -> str:
    """Say what a change would do, and how to let it through or take it back."""
    what = "; ".join(f"{name} was {old}, is {new}" for name, (old, new) in change.items())
    one = open_entries == 1
    return (
        f"{' and '.join(change)} {'has' if len(change) == 1 else 'have'} changed ({what}), so CVM "
        f"would treat {'the one open finding' if one else f'all {open_entries:,} open findings'} "
        f"as new: {'it' if one else 'they'} would close and come back without "
        f"{'its' if one else 'their'} history. Put the setting back, or set "
        f"accept_identity_change to {code_of(change)} and run a full sync."
    )
