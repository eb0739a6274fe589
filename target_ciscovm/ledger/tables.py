"""What the ledger holds, as tables.

    entry        what this connector may hold open, and for some weeks what it has closed
    asset        how an asset was addressed last
    account      Qualys accounts that have been loaded
    webapp       web applications that a login was shown, and since when one is missing
    coverage     when the findings of one type of a web application were last read to the end
    chain        by scope, when the sync began that was settled last
    meta         whose ledger it is, what decides the identity of assets and findings, the
                 definitions that were sent, and what loads have given a state of triage
    pending_*    what a run in CVM does, until its end is known

Moments are the beginnings of syncs at Qualys, `YYYY-MM-DDTHH:MM:SSZ`, so they compare as text.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

State = Literal["open", "perhaps", "closing", "closed"]
"""`perhaps`: handed to CVM in a run whose good end was not seen. It counts as open, as to close
what is not open does no harm. `closing`: closed by name in a run of which CVM failed a part. It
is closed again by each load that covers it, and does not count as open. `closed`: closed by name;
kept for some weeks."""

DEFINITION: Final = "definition "
"""How the name begins in `meta` of a definition as it was sent; what follows is its own name."""
TRIAGE: Final = "triage "
"""How the name begins in `meta` of whether a load has given an entry a state that is neither open
nor closed; what follows is its identifier."""
LIVE: Final = "state <> 'closed'"
"""What may be open."""
OPEN: Final = "state IN ('open', 'perhaps')"
"""What counts as open."""


class Entry(NamedTuple):
    """A finding at an asset in CVM.

    Attributes:
        asset: key of the asset.
        identifier: its `scanner_identifier`.
        model: data model that it was sent in.
        name: `vuln_def_name` last sent.
        type: letter of its finding type: V, S or I.
        webapp: id of its web application, None where none was told.
        source: the tap's `source`, None where no sync told it.
        account: number of its Qualys account, None where no sync told it.
        sent_at: beginning of the sync that sent it last.
        seen: when Qualys had last looked at it.
        severity: Qualys's, 1 to 5.
    """

    asset: str
    identifier: str
    model: str
    state: State
    name: str
    type: str
    webapp: int | None = None
    source: str | None = None
    account: int | None = None
    sent_at: str = ""
    seen: str = ""
    severity: int | None = None


class SentAsset(NamedTuple):
    """An asset as it was last sent.

    Attributes:
        locators: JSON of its locators by KDI's names.
        tags: JSON of all tags that it was ever sent, and that no reset has wiped; None if unknown.
    """

    key: str
    locators: str
    last_seen: str | None
    tags: str | None = None


class ShownWebApp(NamedTuple):
    """A web application that a login was shown.

    Attributes:
        missing_since: beginning of the first proven sync of the whole account that lacked it.
    """

    account: int
    id: int
    login: str
    name: str
    shown_at: str
    missing_since: str | None = None


class Covered(NamedTuple):
    """The findings of one type of a web application, read to their end."""

    account: int
    source: str
    webapp: int
    type: str
    covered_at: str


class Link(NamedTuple):
    """The end of the chain of one scope.

    Attributes:
        scope: fingerprint of account, login, source and filters.
        began: beginning of the sync that was settled last.
        findings: open findings of the scope's last full sync, None before one.
    """

    scope: str
    began: str
    findings: int | None


_ENTRY: Final = (
    "asset TEXT NOT NULL, identifier TEXT NOT NULL, model TEXT NOT NULL, state TEXT NOT NULL, "
    "name TEXT NOT NULL, type TEXT NOT NULL, webapp INTEGER, source TEXT, account INTEGER, "
    "sent_at TEXT NOT NULL, seen TEXT NOT NULL, severity INTEGER"
)
_SETTLED: Final = {
    "asset": "(key TEXT PRIMARY KEY, locators TEXT NOT NULL, last_seen TEXT, tags TEXT) "
    "WITHOUT ROWID",
    "webapp": "(account INTEGER NOT NULL, id INTEGER NOT NULL, login TEXT NOT NULL, "
    "name TEXT NOT NULL, shown_at TEXT NOT NULL, missing_since TEXT, "
    "PRIMARY KEY(id, account, login)) WITHOUT ROWID",
    "coverage": "(account INTEGER NOT NULL, source TEXT NOT NULL, webapp INTEGER NOT NULL, "
    "type TEXT NOT NULL, covered_at TEXT NOT NULL, "
    "PRIMARY KEY(webapp, type, account, source)) WITHOUT ROWID",
    "chain": "(scope TEXT PRIMARY KEY, began TEXT NOT NULL, findings INTEGER) WITHOUT ROWID",
    "meta": "(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
}
TABLES: Final = {
    "account": "(number INTEGER PRIMARY KEY, subscription TEXT, host TEXT NOT NULL, login TEXT)",
    "entry": f"({_ENTRY}, PRIMARY KEY(identifier, asset, model)) WITHOUT ROWID",
    "pending_entry": f"({_ENTRY})",
    **_SETTLED,
    **{f"pending_{name}": columns for name, columns in _SETTLED.items()},
}
INDEXES: Final = {"entry_asset": "entry(asset)"}
PENDING: Final = tuple(name for name in TABLES if name.startswith("pending_"))
"""What a run does in CVM, put down before it begins; it has the columns of what it will change."""
