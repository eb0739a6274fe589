"""What may be closed, and when closing so much is rather a mistake. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from target_ciscovm.mapping.locators import Identity

NEVER_STOPS: Final = 100


@dataclass(frozen=True)
class Read:
    """Which web applications the sync has read to the end.

    Attributes:
        webapps: ids of those that it told of, less those that it names as not proven and those
            left out for inactivity.
        listed: ids of all that are there in Qualys, as far as rows of them came.
        whole_account: whether the sync was of the whole account: no filter of web applications.
        close_deleted: whether deleted web applications are closed, as the setting says.
    """

    webapps: Collection[int]
    listed: Collection[int]
    whole_account: bool = True
    close_deleted: bool = False

    def is_deleted(self, webapp: int) -> bool:
        """Tell whether a web application is no longer there."""
        return self.whole_account and webapp not in self.listed

    def may_close(self, webapp: int) -> bool:
        """Tell whether findings of the web application may be closed by their absence."""
        return webapp in self.webapps or (self.close_deleted and self.is_deleted(webapp))


@dataclass(frozen=True)
class Balance:
    """What a proven load would do to what is open in CVM.

    Attributes:
        open_before: open by the ledger, None when there is no ledger.
        closing: of these, findings that the load closes by their absence.
        open_in_load: findings that it holds as open.
        open_in_cvm: open in CVM by its own count, None when it was not asked or did not tell.
        last_full_open: open in the last full load, None when there was none.
    """

    open_before: int | None
    closing: int
    open_in_load: int
    open_in_cvm: int | None = None
    last_full_open: int | None = None


def guard(balance: Balance, max_close_percent: int) -> str | None:
    """Say why the load must not be run, None when it may.

    Fixes are not counted: Qualys names each of them.
    """
    if max_close_percent >= NEVER_STOPS:
        return None
    way_out = (
        "Nothing has been run. If this is right, run once with a higher max_close_percent (now "
        f"{max_close_percent}; 100 never stops)."
    )
    if balance.open_in_load == 0 and balance.last_full_open:
        return (
            "The load holds no open finding at all, where the last full one had "
            f"{balance.last_full_open:,}: that is more likely a fault than a clean account. "
            + way_out
        )
    before, closing = balance.open_before, balance.closing
    if before is None and balance.open_in_cvm is not None:
        before = balance.open_in_cvm
        closing = before - balance.open_in_load
    if not before or closing * 100 <= max_close_percent * before:
        return None
    return f"The load would close {closing:,} of the {before:,} findings open in CVM. {way_out}"


def identity_text(identity: Identity, data_model: str) -> dict[str, str]:
    """Give the settings that decide what is one asset and one finding, each as text."""
    return {
        "data_model": data_model,
        "locator_order": ", ".join(identity.order),
        "tenant_locator_order": ", ".join(identity.tenant_order),
        "url_query": "keep" if identity.keep_query else "cut",
    }


def identity_problem(
    before: Mapping[str, str], now: Mapping[str, str], open_findings: int
) -> str | None:
    """Say what a changed identity would do, None when it is the same."""
    changed = {name: value for name, value in now.items() if before.get(name, value) != value}
    if not changed or not open_findings:
        return None
    what = "; ".join(f"{name} was {before[name]}, is {value}" for name, value in changed.items())
    return (
        f"The settings tell assets or findings apart in another way than before ({what}): the "
        f"{open_findings:,} findings open in CVM would close and come back as new ones, without "
        "their history. Put the settings back, or set accept_identity_change to true and run a "
        "full sync."
    )
