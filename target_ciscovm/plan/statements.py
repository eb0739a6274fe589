"""The statements of SQL that fill the table of decisions, see `decisions`.

They join the spool's findings with the ledger, which is attached as `ledger`. Their parameters are
those of `decisions.Terms`. Each entry is decided by the first statement that names it.
"""

# ruff: noqa: S608 - the statements are put together of our own texts

from __future__ import annotations

from typing import Final

from target_ciscovm.ledger.tables import LIVE, OPEN, TRIAGE

TABLES: Final = """
DROP VIEW IF EXISTS decision;
DROP VIEW IF EXISTS opened;
DROP TABLE IF EXISTS opened_row;
DROP TABLE IF EXISTS not_opened;
DROP TABLE IF EXISTS covered_webapp;
DROP TABLE IF EXISTS unsettled_webapp;
DROP TABLE IF EXISTS inactive_webapp;
DROP TABLE IF EXISTS deleted_webapp;
DROP TABLE IF EXISTS covered_type;
CREATE TABLE opened_row(finding INTEGER PRIMARY KEY, cause TEXT NOT NULL, name TEXT);
CREATE TABLE not_opened(
    asset TEXT NOT NULL, identifier TEXT NOT NULL, model TEXT NOT NULL, action TEXT NOT NULL,
    cause TEXT NOT NULL, finding INTEGER, name TEXT, PRIMARY KEY(asset, identifier, model)
) WITHOUT ROWID;
CREATE TABLE covered_webapp(webapp INTEGER PRIMARY KEY);
CREATE TABLE unsettled_webapp(webapp INTEGER PRIMARY KEY);
CREATE TABLE inactive_webapp(webapp INTEGER PRIMARY KEY);
CREATE TABLE deleted_webapp(webapp INTEGER PRIMARY KEY);
CREATE TABLE covered_type(type TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS refused(asset TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS definition(number INTEGER PRIMARY KEY, name TEXT);
"""
OURS: Final = """(
    e.account IS NULL OR :account IS NULL OR e.account = :account
    OR e.identifier GLOB '*-????????-????-????-????-????????????'
)"""
"""Another account's findings may bear the same identifiers where ids are all that Qualys gives. One
with a UUID is the same finding, also where Qualys has named the account otherwise before."""
LIVE_ENTRIES: Final = f"""
CREATE TEMP VIEW live AS
SELECT asset, identifier, model, state, NULLIF(name, '') AS name, type, webapp, source, account,
    sent_at, seen, severity
FROM ledger.entry WHERE {LIVE}
"""
"""What may be open; of an entry that was read from CVM the name may not be known."""

OLDER_THAN_SENT: Final = f"""
UPDATE finding_row SET state = 'outdated ' || state
WHERE EXISTS (
    SELECT 1 FROM ledger.entry e
    WHERE e.identifier = finding_row.identifier AND {OURS}
        AND e.sent_at > :started AND finding_row.seen <= e.seen
)
"""
SEEN_EARLIER: Final = f"""
UPDATE finding_row SET state = 'outdated ' || state
WHERE EXISTS (
    SELECT 1 FROM ledger.entry e
    WHERE e.identifier = finding_row.identifier AND {OURS} AND finding_row.seen < e.seen
)
"""
OLDER_THAN_COVERED: Final = """
UPDATE finding_row SET state = 'outdated ' || state
WHERE state = 'open'
    AND NOT EXISTS (SELECT 1 FROM ledger.entry e WHERE e.identifier = finding_row.identifier)
    AND EXISTS (
        SELECT 1 FROM ledger.coverage c
        WHERE c.account = :account AND c.source = :source AND c.webapp = finding_row.webapp
            AND c.type = finding_row.type AND c.covered_at > :started
    )
"""
AS_IT_CAME: Final = """
UPDATE finding_row SET state = substr(state, length('outdated ') + 1) WHERE state LIKE 'outdated %'
"""

BARE: Final = "SELECT EXISTS (SELECT 1 FROM bare)"
LOST_TO_BARE: Final = """
INSERT OR IGNORE INTO lost
SELECT e.identifier, b.cause FROM live e JOIN bare b
    ON b.identifier IN (
        'V' || substr(e.identifier, 2),
        substr(e.identifier, 1, 2) || '0' || substr(e.identifier, 3 + length(e.webapp)),
        'V-0' || substr(e.identifier, 3 + length(e.webapp))
    )
WHERE b.identifier <> e.identifier
"""
"""A finding whose record lacks web application or type may be known with them."""
UNNAMED_WEBAPPS: Final = """
SELECT DISTINCT webapp FROM nameless n
WHERE webapp IN (SELECT webapp FROM live)
    AND NOT EXISTS (SELECT 1 FROM live e WHERE e.identifier = n.identifier)
    AND identifier NOT IN (SELECT identifier FROM finding_row WHERE filter <> '')
"""
"""Of web applications with a new finding without `uniqueId`: it may be any that had one before. Of
one that a filter leaves out that does not matter, as its closing is right then; and it would be new
in every load."""
RENAMED_WHILE_OPEN: Final = f"""
SELECT COUNT(*) FROM lost l JOIN live e ON e.identifier = l.identifier
WHERE l.cause = ? AND e.{OPEN}
"""

DECISION: Final = """
CREATE VIEW decision AS
SELECT k.key AS asset, o.identifier, '{model}' AS model, 'open' AS action, o.cause, o.finding,
    o.name
FROM opened o CROSS JOIN asset_key k ON k.number = o.asset
UNION ALL
SELECT asset, identifier, model, action, cause, finding, name FROM not_opened
"""
"""All decisions. Most open a finding at its own asset, so of these nothing is stored twice."""

_NOT_REFUSED: Final = "f.asset NOT IN (SELECT asset FROM refused)"
_OPEN: Final = f"f.state = 'open' AND f.filter = '' AND {_NOT_REFUSED}"
_INTO: Final = "INSERT OR IGNORE INTO not_opened"

FIND_BY_IDENTIFIER: Final = """
CREATE INDEX IF NOT EXISTS finding_identifier ON finding_row(identifier)
"""
OPENED: Final = f"""
INSERT INTO opened_row
SELECT f.number,
    CASE
        WHEN here.{OPEN} AND here.severity IS NOT f.severity AND here.name <> ''
        THEN 'edited'
        WHEN here.{OPEN} THEN 'still'
        ELSE CASE (
            SELECT max({OPEN} AND e.model = :model) FROM ledger.entry e
            WHERE e.identifier = f.identifier AND {OURS}
        ) WHEN 1 THEN 'moved here' WHEN 0 THEN 'again' ELSE 'new' END
    END,
    NULLIF(here.name, '')
FROM finding f LEFT JOIN ledger.entry here
    ON here.identifier = f.identifier AND here.asset = f.asset AND here.model = :model
WHERE f.asset IS NOT NULL AND {_OPEN}
"""
ASSETS_OF_LEDGER: Final = """
INSERT INTO asset_key(key)
SELECT DISTINCT asset FROM live WHERE asset NOT IN (SELECT key FROM asset_key)
"""
_COLUMNS: Final = "identifier, asset, webapp, type, definition, app, url, severity, seen, item"
OPENED_ROWS: Final = f"""
CREATE VIEW opened AS
SELECT finding, cause, name, {_COLUMNS}
FROM finding_row f CROSS JOIN opened_row o ON o.finding = f.number
"""
"""`CROSS JOIN` keeps SQLite to this order, so that the findings of an asset can be looked up."""
OPENED_NEW: Final = f"""
CREATE VIEW opened AS
SELECT number AS finding, 'new' AS cause, NULL AS name, {_COLUMNS} FROM finding_row
WHERE asset IS NOT NULL AND state = 'open' AND filter = ''
"""
"""The same where neither the ledger knows an entry, nor CVM has refused one: all is new, so nothing
has to be stored."""
STAYING: Final = f"""
UPDATE finding_row SET asset = (
    SELECT min(k.number) FROM asset_key k WHERE k.key = (
        SELECT min(e.asset) FROM live e
        WHERE e.identifier = finding_row.identifier AND e.model = :model AND e.{OPEN} AND {OURS}
    )
)
WHERE state = 'open' AND filter = ''
    AND EXISTS (
        SELECT 1 FROM live e
        WHERE e.identifier = finding_row.identifier AND e.model = :model AND e.{OPEN} AND {OURS}
    )
    AND NOT EXISTS (
        SELECT 1 FROM live e
        WHERE e.identifier = finding_row.identifier AND e.model = :model AND e.{OPEN}
            AND e.asset = (SELECT key FROM asset_key k WHERE k.number = finding_row.asset)
    )
"""
"""Where rows may have been altered on the way, a finding stays at the asset that it is open at."""
MOVED: Final = f"""
{_INTO}
SELECT e.asset, e.identifier, e.model,
    CASE WHEN :over OR NOT :moves THEN 'leave' ELSE 'close' END,
    CASE
        WHEN e.model <> :model THEN 'other data model'
        WHEN :over THEN 'licence over its limit'
        ELSE 'moved away'
    END,
    NULL, COALESCE(e.name, (SELECT n.name FROM definition n WHERE n.number = f.definition))
FROM live e JOIN finding f ON f.identifier = e.identifier
WHERE {_OPEN} AND {OURS} AND NOT (e.asset = f.asset AND e.model = :model)
"""
FIXES: Final = f"""
{_INTO}
SELECT e.asset, e.identifier, e.model, 'close', 'fixed', f.number, e.name
FROM finding f JOIN live e ON e.identifier = f.identifier AND {OURS} WHERE f.state = 'fixed'
"""
FIXES_SINCE: Final = f"""
{_INTO}
SELECT f.asset, f.identifier, :model, 'close', 'fixed', f.number, NULL
FROM finding f
WHERE f.state = 'fixed' AND f.closed >= :since
    AND NOT EXISTS (SELECT 1 FROM ledger.entry e WHERE e.identifier = f.identifier AND {OURS})
"""
NOT_OPEN: Final = f"""
{_INTO}
SELECT f.asset, f.identifier, :model, 'leave', 'already closed', f.number, NULL
FROM finding f
WHERE f.state = 'fixed'
    AND NOT EXISTS (SELECT 1 FROM live e WHERE e.identifier = f.identifier AND {OURS})
"""


def left_entries(cause: str, which: str) -> str:
    """Leave the open entries of some findings, wherever they are."""
    return f"""
{_INTO}
SELECT e.asset, e.identifier, e.model, 'leave', {cause},
    CASE WHEN e.asset = f.asset AND e.model = :model THEN f.number END, e.name
FROM finding f JOIN live e ON e.identifier = f.identifier AND {OURS} WHERE {which}
"""


def left_findings(cause: str, which: str) -> str:
    """Leave some findings where they are themselves."""
    return f"""
{_INTO}
SELECT f.asset, f.identifier, :model, 'leave', {cause}, f.number, NULL
FROM finding f WHERE f.asset IS NOT NULL AND {which}
"""


OUTDATED_STATES: Final = ("outdated open", "outdated fixed")
OUTDATED_ROWS: Final = f"f.state IN {OUTDATED_STATES}"
REFUSED_ROWS: Final = f"f.state = 'open' AND f.filter = '' AND NOT {_NOT_REFUSED}"
FILTERED_ROWS: Final = "f.state = 'open' AND f.filter <> ''"

_ALONE: Final = """
NOT EXISTS (
    SELECT 1 FROM ledger.account a WHERE a.number <> :account
    UNION ALL
    SELECT 1 FROM live o
    WHERE o.account IS NULL AND o.webapp IS NOT NULL
        AND o.webapp NOT IN (SELECT webapp FROM covered_webapp)
        AND o.webapp NOT IN (SELECT webapp FROM unsettled_webapp)
        AND o.webapp NOT IN (SELECT webapp FROM inactive_webapp)
)
"""
"""Nothing in the connector is of another account: neither a known one nor a web application that
CVM tells of, and this account does not have."""
REACH: Final = f"""
CASE
    WHEN NOT :proven THEN 'not proven'
    WHEN e.identifier IN (SELECT identifier FROM lost)
    THEN (SELECT l.cause FROM lost l WHERE l.identifier = e.identifier)
    WHEN e.account <> :account OR (
        e.account IS NULL AND EXISTS (
            SELECT 1 FROM ledger.webapp w WHERE w.id = e.webapp AND w.account <> :account
        )
    ) THEN 'another account'
    WHEN e.source <> :source AND NOT :any_source AND e.{OPEN} THEN 'another source'
    WHEN e.type NOT IN (SELECT type FROM covered_type) THEN 'type not read'
    WHEN e.sent_at >= :started OR EXISTS (
        SELECT 1 FROM ledger.coverage c
        WHERE c.account = :account AND c.source = :source AND c.webapp = e.webapp
            AND c.type = e.type AND c.covered_at >= :started
    ) THEN 'sent later'
    WHEN e.webapp IS NULL THEN CASE
        WHEN :whole AND (e.account IS NOT NULL OR {_ALONE}) THEN 'gone' ELSE 'web app not read'
    END
    WHEN e.webapp IN (SELECT webapp FROM unsettled_webapp) THEN 'web app not proven'
    WHEN e.webapp IN (SELECT webapp FROM inactive_webapp) THEN 'inactive web app'
    WHEN e.webapp IN (SELECT webapp FROM covered_webapp) THEN 'gone'
    WHEN e.webapp IN (SELECT webapp FROM deleted_webapp) THEN 'deleted web app'
    ELSE 'web app not read'
END
"""
"""Why an entry that the load lacks stays open; `gone` and `deleted web app` where it is covered."""
_ACTION: Final = """
CASE
    WHEN cause = 'gone' OR (cause = 'deleted web app' AND :close_deleted) THEN 'close'
    ELSE 'leave'
END
"""
FILTERED_ENTRIES: Final = f"""
{_INTO}
SELECT asset, identifier, model, {_ACTION}, filter, own, name
FROM (
    SELECT e.asset, e.identifier, e.model, e.name, {REACH} AS cause,
        'filtered: ' || f.filter AS filter,
        CASE WHEN e.asset = f.asset AND e.model = :model THEN f.number END AS own
    FROM finding f JOIN live e ON e.identifier = f.identifier AND {OURS} WHERE {FILTERED_ROWS}
)
"""
ABSENT_ENTRIES: Final = f"""
{_INTO}
SELECT asset, identifier, model, {_ACTION}, cause, NULL, name
FROM (
    SELECT e.asset, e.identifier, e.model, e.name, {REACH} AS cause
    FROM live e
    WHERE NOT EXISTS (
        SELECT 1 FROM finding f
        WHERE f.identifier = e.identifier AND ({OURS} OR (
            e.asset = f.asset AND e.model = :model AND f.number IN (SELECT finding FROM opened)
        ))
    )
)
"""
COVERED_COUNT: Final = f"""
SELECT COUNT(*) FROM (SELECT {REACH} AS cause FROM live e WHERE e.{OPEN})
WHERE cause = 'gone' OR (cause = 'deleted web app' AND :close_deleted)
"""
TALLY: Final = """
SELECT 'open', cause, COUNT(*), COUNT(*) FROM opened GROUP BY cause
UNION ALL
SELECT action, cause, COUNT(*),
    COUNT(CASE WHEN action <> 'close' THEN finding END)
        + COUNT(DISTINCT CASE WHEN action = 'close' THEN finding END)
FROM not_opened GROUP BY 1, 2 ORDER BY 1, 2
"""
"""Only closings may come from one finding at several assets, so only they need `DISTINCT`."""
KINDS: Final = """
SELECT DISTINCT CASE WHEN state = 'open' AND filter <> '' THEN 'filtered' ELSE state END
FROM finding
"""
CLOSED_AGAIN: Final = """
SELECT d.cause, COUNT(*) FROM not_opened d
JOIN live e ON e.identifier = d.identifier AND e.asset = d.asset AND e.model = d.model
WHERE d.action = 'close' AND e.state = 'closing' GROUP BY 1
"""
TRIAGED: Final = f"""
SELECT substr(key, {len(TRIAGE) + 1}) FROM ledger.meta WHERE key GLOB '{TRIAGE}*' AND value = 'true'
"""
"""What loads have given a state that is neither open nor closed."""
CLOSED_WHILE_OPEN: Final = f"""
SELECT COUNT(*) FROM not_opened d
JOIN ledger.entry e ON e.identifier = d.identifier AND e.asset = d.asset AND e.model = d.model
WHERE d.action = 'close' AND e.state = 'open' AND e.identifier NOT IN ({TRIAGED})
"""
OPEN_SOURCES: Final = f"""
SELECT DISTINCT source FROM live
WHERE {OPEN} AND source IS NOT NULL AND account IN (SELECT value FROM json_each(?))
"""
LEFT_OF_OTHER_SOURCES: Final = f"""
SELECT COUNT(*) FROM not_opened d
JOIN live e ON e.identifier = d.identifier AND e.asset = d.asset AND e.model = d.model
WHERE d.action = 'leave' AND e.{OPEN} AND e.source <> :source AND {OURS}
"""
