"""The table of everything that can go wrong in the sandbox, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Place = Literal["process", "qualys", "ciscovm", "state"]


@dataclass(frozen=True)
class FaultKind:
    """One thing that can go wrong.

    Attributes:
        place: who carries it out. `process`: the sandbox, on a process of COMMAND; `state`: the
            sandbox, before the day's command starts.
        description: one line for people.
        strikes: how often it strikes; None is for as long as it is armed.
        after: how many opportunities it lets pass before its first strike.
    """

    place: Place
    description: str
    strikes: int | None = 1
    after: int = 0


def _qualys(description: str, strikes: int | None = 1, after: int = 0) -> FaultKind:
    return FaultKind("qualys", description, strikes, after)


def _ciscovm(description: str, strikes: int | None = 1, after: int = 0) -> FaultKind:
    return FaultKind("ciscovm", description, strikes, after)


def _process(description: str, strikes: int | None = 1, after: int = 0) -> FaultKind:
    return FaultKind("process", description, strikes, after)


_PROCESSES: Final = {
    "tap-killed": _process("SIGKILL for the tap when a page of findings is asked for", after=1),
    "tap-terminated": _process("SIGTERM for the tap when a page of findings is asked for", after=1),
    "target-killed": _process("SIGKILL for the target when a file arrives at CVM"),
    "target-terminated": _process("SIGTERM for the target when a file arrives at CVM"),
    "target-killed-before-run": _process("SIGKILL for the target after upload, before the run"),
    "target-killed-in-run": _process("SIGKILL for the target while CVM's run is on"),
    "disk-full": _process("no file of the target grows past 16 KiB, from its look at CVM on"),
    "state-lost": FaultKind("state", "the Meltano state is gone before the day starts", 1),
    "state-old": FaultKind("state", "the Meltano state is one day older than it should be", 1),
}

_QUALYS_ACCOUNT: Final = {
    "qualys-credentials": _qualys("every call: INVALID_CREDENTIALS in HTTP 200, 2000 on fo", None),
    "qualys-was-missing": _qualys("WAS is not licensed: UNAUTHORIZED_DESTINATION_APPS", None),
    "qualys-was-404": _qualys("WAS is not there: HTTP 404 on its calls", None),
    "qualys-api-missing": _qualys("the role lacks API access: UNAUTHORIZED", None),
    "qualys-http-403": _qualys("HTTP 403 on every WAS call", None),
    "qualys-unregistered": _qualys("registration not completed: code 2003", None),
    "qualys-unregistered-409": _qualys("registration not completed: HTTP 409, code 2003", None),
    "qualys-expired": _qualys("account expired: code 2001 in HTTP 200", None),
    "qualys-inactive": _qualys("account inactive: code 2002", None),
    "qualys-evaluation-expired": _qualys("EVALUATION_EXPIRED on every WAS call", None),
    "qualys-evaluation-header": _qualys("the answers say `evaluation: true`", None),
    "qualys-evaluation-comment": _qualys("the knowledge base says so in a comment", None),
    "qualys-trial": _qualys("trial licence: counts are told, searches return nothing", None),
    "qualys-other-account": _qualys("the answers name another subscription", None),
    "kb-not-licensed": _qualys("the knowledge base is refused: code 2012", None),
    "kb-down": _qualys("the knowledge base answers HTTP 500, code 999", None),
    "kb-busy": _qualys("the knowledge base: HTTP 409, code 1960"),
    "qualys-401": _qualys("one lone HTTP 401 on good credentials"),
}

_QUALYS_BUSY: Final = {
    "qualys-busy": _qualys("HTTP 429 with the seconds to wait in a header", 2),
    "qualys-concurrency": _qualys("HTTP 409, code 1960, no wait named", 2),
    "qualys-rate": _qualys("HTTP 409, code 1965, wait in a header", 2),
    "qualys-rate-text": _qualys("HTTP 409, code 1965, wait in the text", 2),
    "qualys-rate-item": _qualys("HTTP 409, code 1965, wait in the ITEM_LIST", 2),
    "qualys-rate-units": _qualys("HTTP 409, code 1965, wait in hours, minutes and seconds", 2),
    "qualys-wait-zero": _qualys("HTTP 409, code 1960, with waits of 0 seconds in its headers", 2),
    "qualys-409-invalid": _qualys("HTTP 409, code 1905: the call itself is wrong", None),
    "qualys-rate-unreadable": _qualys("HTTP 429 with headers that are no numbers", 2),
    "qualys-rate-absurd": _qualys("HTTP 429 that asks for a wait of eleven days", 1),
    "qualys-maintenance": _qualys("HTTP 503, code 1999", 2),
    "qualys-500": _qualys("HTTP 500 with an empty body", 2),
    "qualys-502": _qualys("HTTP 502 with a page of HTML", 2),
    "qualys-408": _qualys("HTTP 408 with a page of HTML", 2),
    "qualys-204": _qualys("HTTP 204", 2),
    "qualys-202": _qualys("HTTP 202, code 1981: still running", 2),
    "qualys-processing": _qualys("STILL_PROCESSING in HTTP 200", 2),
    "qualys-server-down": _qualys("RMI_SERVER_DOWN in HTTP 200", 2),
    "qualys-other-error": _qualys("OTHER_ERROR in HTTP 200", 2),
}

_QUALYS_BODIES: Final = {
    "tap-error": _qualys("a page of findings is refused for good: INVALID_REQUEST", None, 1),
    "qualys-html": _qualys("HTML with HTTP 200 in place of a page"),
    "qualys-html-always": _qualys("HTML with HTTP 200 on every call: the wrong host", None),
    "page-404": _qualys("HTTP 404 with a page of HTML in the middle of a walk", 1, 1),
    "page-403": _qualys("HTTP 403 with a page of HTML in the middle of a walk", 1, 1),
    "page-redirect": _qualys("HTTP 302 to another host in the middle of a walk", 1, 1),
    "qualys-empty": _qualys("an empty body with HTTP 200"),
    "qualys-cut-body": _qualys("the connection ends in the middle of a page", 1, 1),
    "qualys-cut-xml": _qualys("a whole answer whose XML ends in the middle", 1, 1),
    "qualys-bad-gzip": _qualys("a gzip body that breaks off"),
    "qualys-reset": _qualys("the connection is closed before any answer"),
    "qualys-hung": _qualys("no answer for an hour"),
    "qualys-slow": _qualys("a page of findings takes two seconds", 3),
    "page-too-large": _qualys("no answer to a search for more than 3 findings", None),
    "kb-too-large": _qualys("no answer of the knowledge base for more than 3 ids", None),
    "qualys-foreign-root": _qualys("well-formed XML that is no Qualys answer"),
    "qualys-bad-characters": _qualys("characters that XML does not allow in a page", None),
    "qualys-half-page": _qualys("the last page comes with half its rows and says it is whole", 1),
    "qualys-nothing": _qualys("finding searches return nothing, counts say zero", None),
}

_QUALYS_PAGING: Final = {
    "page-same-cursor": _qualys("more=true with the last row of the page before", None),
    "page-no-last-id": _qualys("pages with more to come lack lastId", None),
    "page-no-data": _qualys("more=true in a page without data", None),
    "page-empty-last": _qualys("the last full page says more; an empty page follows", None),
    "page-duplicates": _qualys("each page repeats the last row of the page before", None),
    "page-foreign": _qualys("a page of another type comes in place of the one asked for"),
    "rows-vanish": _qualys("findings are deleted while they are walked"),
    "rows-appear": _qualys("findings appear while they are walked"),
    "apps-change": _qualys("a web app goes and another one comes while scans are walked"),
    "rows-without-dates": _qualys("some rows lack their dates", None),
    "clock-back": _qualys("both clocks go back by a day between two pages", 1, 1),
    "clock-ahead": _qualys("both clocks go ahead by a day between two pages", 1, 1),
}

_CISCOVM: Final = {
    "upload-422": _ciscovm("an upload is refused with 422, nothing kept", 2),
    "upload-500": _ciscovm("an upload fails with 502", 2),
    "upload-twice": _ciscovm("a gateway delivers an upload twice: two files are kept"),
    "upload-empty": _ciscovm("an upload is kept but its answer is empty"),
    "upload-reset": _ciscovm("the connection is closed in the middle of an upload"),
    "upload-413": _ciscovm("files above 100,000 bytes are refused with 413", None),
    "lost-run-answer": _ciscovm("a run starts, but its answer is lost"),
    "run-twice": _ciscovm("a gateway delivers a run twice: the second answer comes back"),
    "run-refused": _ciscovm("a run is refused as one is running already", 2),
    "run-fails": _ciscovm("a run ends without success, nothing imported"),
    "run-never-ends": _ciscovm("a run does not end", None),
    "payload-fails": _ciscovm("one payload of a run fails, the others are imported"),
    "payloads-fail": _ciscovm("every payload of a run fails"),
    "poll-errors": _ciscovm("looking at a run fails: 502, reset, empty body", 3),
    "counters-null": _ciscovm("the counters of a run are null", None),
    "connector-busy": _ciscovm("somebody else starts the connector just before we look at it"),
    "connector-gone": _ciscovm("the connector is not found", None),
    "ciscovm-502": _ciscovm("HTTP 502 with a page of HTML on any call", 2),
    "ciscovm-html": _ciscovm("HTML with HTTP 200 on every call: the wrong host", None),
    "ciscovm-429": _ciscovm("HTTP 429 on any call", 2),
    "ciscovm-key": _ciscovm("the API key is refused on every call", None),
    "ciscovm-overage": _ciscovm("the licence is over its limit: new assets get nothing", None),
}

_CISCOVM_READING: Final = {
    "export-refused": _ciscovm("the key may not ask for data exports: HTTP 403", None),
    "export-429": _ciscovm("HTTP 429 on the calls of exports", 2),
    "export-slow": _ciscovm("an export is still worked on", 5),
    "export-never-ready": _ciscovm("an export is worked on for ever", None),
    "export-failed": _ciscovm("an export fails"),
    "export-expired": _ciscovm("an export has expired when it is asked for: HTTP 410"),
    "export-killed": _ciscovm("an export is killed in CVM while it is downloaded"),
    "export-cut": _ciscovm("the connection ends in the middle of a download"),
    "export-bad-gzip": _ciscovm("a whole download whose gzip file ends in the middle"),
    "export-short": _ciscovm("an export has half of the rows that it was to have"),
    "search-refused": _ciscovm("the key may not search: HTTP 403", None),
}

KINDS: Final[dict[str, FaultKind]] = {
    **_PROCESSES,
    **_QUALYS_ACCOUNT,
    **_QUALYS_BUSY,
    **_QUALYS_BODIES,
    **_QUALYS_PAGING,
    **_CISCOVM,
    **_CISCOVM_READING,
}
