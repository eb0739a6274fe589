"""The intake: it checks each record against its type, and spools or rejects it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.intake.arrivals import read_record
from target_ciscovm.intake.counts import FINDINGS, WEBAPPS, Counts
from target_ciscovm.intake.identities import (
    finding_of,
    identity_of,
    key_of,
    number_of,
    read_any,
    webapp_of,
    wire_name,
)
from target_ciscovm.intake.loose_json import read_loosely
from target_ciscovm.intake.loose_types import tidy
from target_ciscovm.intake.references import References
from target_ciscovm.intake.rejections import KeptLines
from target_ciscovm.intake.spool import DROPPED, REJECTED, RENAMED
from target_ciscovm.mapping.filters import FilterRules, filtered_by
from target_ciscovm.mapping.finding import (
    CLOSED,
    OPEN_OR_CLOSED,
    MappingRules,
    finding_problem,
    identifier_of,
    map_finding,
    moments,
    notes,
    state_of,
)
from target_ciscovm.mapping.locators import Identity, asset_key, place_of
from target_ciscovm.mapping.records import (
    KEYS,
    LETTERS,
    PASSED_OVER,
    TYPES,
    WORDS,
    Finding,
    Record,
    Sync,
    WebAppRef,
)
from target_ciscovm.mapping.urls import tidy_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_ciscovm.intake.loose_json import JSON
    from target_ciscovm.intake.rejections import Rejections
    from target_ciscovm.intake.spool import FindingValues, LostCause, Spool

SYNCS: Final = "syncs"
URL_KEY: Final = "url:"
"""How the key of an asset begins that is a page."""
UUID_LENGTH: Final = 36
"""Characters of the `uniqueId` that Qualys gives."""
SPOTS_KEPT: Final = 8192
"""How many places stay in memory: findings of one place often come together."""
LONGEST_KEY: Final = 200
"""Characters of a record's key in `rejected.jsonl`."""


class _Spot(NamedTuple):
    """What URL and web application of a finding tell of its place.

    Attributes:
        app: number of its web application, None for none.
        asset: number of its asset, None while only the web application's own row can tell it.
        url: its URL, where the asset's key does not tell the place; empty where it does.
        page: its URL without a login, empty where the asset's key is the page.
    """

    app: int | None
    asset: int | None
    url: str
    page: str


class IntakeRules(msgspec.Struct, frozen=True):
    """How findings are identified, mapped and filtered: the settings of those names."""

    identity: Identity = msgspec.field(default_factory=Identity)
    mapping: MappingRules = msgspec.field(default_factory=MappingRules)
    filters: FilterRules = msgspec.field(default_factory=FilterRules)


class Lost(msgspec.Struct):
    """What rejected records may have told of, beside the findings in the spool's `lost`.

    Attributes:
        webapps: web applications of which it is not known which of their findings was lost.
        unknown: whether not even the web application is known.
    """

    webapps: set[int] = msgspec.field(default_factory=set)
    unknown: bool = False


class Intake:
    """Takes records one by one, in any order.

    A finding is mapped when it arrives, so each is read only once.

    Attributes:
        sync: the last `syncs` row, None without one.
        proof_is_last: whether no other record came after it.
        lost: what the rejected records may have told of.
        references: what the findings have in common.
        lines: where the findings came that were kept.

    Args:
        spool: where good records go.
        rejections: where bad records go.
        counts: counts each record.
        rules: how findings are read.
    """

    def __init__(
        self, spool: Spool, rejections: Rejections, counts: Counts, rules: IntakeRules
    ) -> None:
        self.sync: Sync | None = None
        self.proof_is_last = True
        self.lost = Lost()
        self.references = References()
        self.lines = KeptLines()
        self._spool = spool
        self._rejections = rejections
        self._counts = counts
        self._rules = rules
        self._first = f"{rules.identity.order[0]}:"
        self._url_tells_all = not {"fqdn", "ip_address"} & set(rules.identity.order)
        self._encode = msgspec.json.Encoder().encode
        self._spots: dict[tuple[object, ...], _Spot] = {}

    def take(self, line: int, stream: str, raw: bytes, record: Record | None = None) -> None:
        """Take one record, as it is in its line, and as its type where it was read already.

        Raises:
            DiskFull: when there is no room for it.
        """
        if stream not in TYPES:
            unknown = self._counts.passed_over if stream in PASSED_OVER else self._counts.foreign
            unknown[stream] += 1
            return
        self._counts.received[stream] += 1
        self.proof_is_last = stream == SYNCS
        if record is None:
            record = read_record(stream, raw)
        if record is None:
            tidied = self._tidied(line, stream, bytes(raw))
            if tidied is None:
                return
            record, raw = tidied
        if isinstance(record, Finding):
            self._keep_findings(line, [record])
        else:
            self._keep(line, stream, record, bytes(raw))

    def take_findings(self, line: int, findings: Sequence[Finding]) -> None:
        """Take findings that are read already, of this line and those after it.

        Raises:
            DiskFull: when there is no room for them.
        """
        self._counts.received[FINDINGS] += len(findings)
        self.proof_is_last = False
        self._keep_findings(line, findings)

    def compare(self, stream: str, raw: bytes, mapped: Sequence[tuple[str, bytes]]) -> None:
        """Take note of what stream maps make of a record.

        What they drop, or give another identity, may still be there in Qualys; and a web
        application that only they name was not read.
        """
        was = (stream, identity_of(stream, raw))
        now = [(name, identity_of(name, made)) for name, made in mapped]
        for name, number in now:
            if name == WEBAPPS and isinstance(number, int) and (name, number) != was:
                self._lose_webapp(number)
        is_there = any(name == stream for name, _ in now)
        if was in now or (is_there and was[1] is None):
            return
        if stream == FINDINGS:
            self._lose_finding(read_any(raw), RENAMED if is_there else DROPPED)
        elif stream == WEBAPPS:
            self._lose_webapp(webapp_of(read_any(raw)))

    def _tidied(self, line: int, stream: str, raw: bytes) -> tuple[Record, bytes] | None:
        """Read a record that does not quite have its type; if it cannot be read, reject it."""
        loose: JSON = None
        try:
            loose = read_loosely(raw, self._counts.notes)
            if not isinstance(loose, dict):
                self._reject(line, stream, "the record is not a JSON object", None)
                return None
            record = msgspec.convert(tidy(loose), TYPES[stream])
            return (record, msgspec.json.encode(record))
        except msgspec.ValidationError as error:
            self._reject(line, stream, _sentence(error), loose)
        except RecursionError:
            self._reject(line, stream, "it is nested too deeply to be read", read_any(raw))
        except ValueError:
            self._reject(line, stream, "the record is not a JSON object", loose)
        return None

    def _keep(self, line: int, stream: str, record: Record, raw: bytes) -> None:
        key = getattr(record, KEYS[stream])
        if key is None:
            self._reject(line, stream, f"it has no {wire_name(stream)}", None)
            return
        if isinstance(record, Sync):
            self.sync = record
        self._spool.add(stream, str(key), raw)

    def _keep_findings(self, first_line: int, findings: Sequence[Finding]) -> None:
        """Keep or reject findings of lines that follow one another."""
        spool, references, encode = self._spool, self.references, self._encode
        mapping, filters = self._rules.mapping, self._rules.filters
        rows: list[FindingValues] = []
        kept_from = first_line
        for line, finding in enumerate(findings, first_line):
            if finding.status not in WORDS or finding.type not in WORDS:
                finding.spell_words()
            at = moments(finding)
            if problem := finding_problem(finding, at):
                self._reject(line, FINDINGS, problem, finding)
                self.lines.note(kept_from, line - kept_from)
                kept_from = line + 1
                continue
            for note in notes(finding, at, mapping):
                self._counts.note(note)
            app = finding.web_app
            if app is not None and not app.id:
                app.id = None  # identifiers have 0 for none
            spot = self._spot_of(finding.url, app)
            item = map_finding(finding, at, mapping)
            identifier, state = item.scanner_identifier, state_of(item)
            is_fixed = state in CLOSED
            webapp = app.id if app else None
            if not is_fixed and (webapp is None or finding.type not in LETTERS):
                spool.add_bare(identifier)
            is_usual = len(finding.unique_id or "") == UUID_LENGTH
            if not is_usual and webapp is not None and not is_fixed and not finding.has_unique_id:
                spool.add_nameless(identifier, webapp)
            if state not in OPEN_OR_CLOSED:
                spool.add_triaged(identifier)
            rows.append(
                (
                    identifier,
                    spot.asset,
                    webapp,
                    identifier[0],
                    "fixed" if is_fixed else "open",
                    "" if is_fixed or not filters.are_on else filtered_by(finding, filters) or "",
                    references.definition_of(finding),
                    spot.app,
                    spot.url,
                    finding.severity,
                    at.last_looked_at,
                    (is_fixed and at.closed) or "",
                    spool.add_item(encode(item)),
                    spot.page,
                )
            )
        self.lines.note(kept_from, first_line + len(findings) - kept_from)
        spool.add_findings(rows)

    def _spot_of(self, url: str | None, app: WebAppRef | None) -> _Spot:
        key = (url, app.id, app.name, app.url) if app else (url,)
        spot = self._spots.get(key)
        if spot is None:
            if len(self._spots) >= SPOTS_KEPT:
                self._spots.clear()
            spot = self._spots[key] = self._spot(url, app)
        return spot

    def _spot(self, url: str | None, app: WebAppRef | None) -> _Spot:
        key = self._asset(url, app)
        is_told = key is not None and key.startswith(URL_KEY)
        return _Spot(
            self.references.app_of(app),
            None if key is None else self._spool.asset_number(key),
            "" if key and self._url_tells_all else url or "",
            "" if is_told else tidy_url(url, keep_query=True) or "",
        )

    def _asset(self, url: str | None, app: WebAppRef | None) -> str | None:
        """Give the asset's key, unless a row of its web application may still change it."""
        key = asset_key(place_of(url, app), self._rules.identity)
        return key if key and key.startswith(self._first) else None

    def _reject(self, line: int, stream: str, reason: str, record: Finding | JSON) -> None:
        self._counts.reject(stream, reason)
        key = record.key if isinstance(record, Finding) else key_of(stream, record)
        key = key and key[:LONGEST_KEY]
        self._rejections.write(line, stream, key, reason)
        if stream == FINDINGS:
            self._lose_finding(record)
        elif stream == WEBAPPS:
            self._lose_webapp(number_of(key))
        elif stream == SYNCS:
            # An earlier row is no proof either: the tap has written another one since.
            self.sync = None

    def _lose_finding(self, record: Finding | JSON, cause: LostCause = REJECTED) -> None:
        known = record if isinstance(record, Finding) else finding_of(record)
        if known is not None and known.key is not None and known.type in LETTERS:
            self._spool.add_lost(identifier_of(known), cause)
            if known.web_app is None or not known.web_app.id:
                self._spool.add_bare(identifier_of(known), cause)
            if known.has_unique_id:
                return
            # It may have had one before, and then it went by another identifier.
        app = known.web_app if known is not None else None
        self._lose_webapp((app.id or None) if app else None)

    def _lose_webapp(self, number: int | None) -> None:
        if number is None:
            self.lost.unknown = True
        else:
            self.lost.webapps.add(number)


def _sentence(error: msgspec.ValidationError) -> str:
    """Turn ``Expected `int | null`, got `str` - at `$.severity` `` into a plainer sentence."""
    what, _, where = str(error).replace("`", "").partition(" - at ")
    field = where.removeprefix("$.")
    return f"{field}: {what[:1].lower()}{what[1:]}" if field else what
