"""What CVM accepts, as constrained types: everything in a file is checked against them first.

From the help article "Data Importer (JSON Connector)" and the experience of other importers: a
missing required field, a null, a date of another form, an unknown word or a key over 255 characters
fails the whole file, or makes entries that can never be closed again. A broken rule is a defect of
this program, so the run ends before anything is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple, NoReturn

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from target_ciscovm.errors import CiscoVMError
from target_ciscovm.kdi.types import MAX_NAME, MAX_TAG, TriageState

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN: Final = 100
"""Characters of an asset's key in a message."""

Filled = Annotated[str, Meta(pattern=r"\S")]
Name = Annotated[str, Meta(pattern=r"\S", max_length=MAX_NAME)]
Identifier = Annotated[str, Meta(max_length=MAX_NAME)]
"""A name; `_problem` checks the rest for all of an asset at once, as patterns are slow."""
Tag = Annotated[str, Meta(pattern=r"\S", max_length=MAX_TAG)]
Searchable = Annotated[str, Meta(pattern=r'^\s*[^"\s][^"]*\Z')]
Address = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f:.]+(%\w+)?\Z")]
MOMENT: Final = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
)
Moment = Annotated[str, Meta(pattern=rf"^{MOMENT}\Z")]
SomeMoment = Annotated[str, Meta(min_length=20, max_length=20)]
"""A moment; `_problem` checks the rest for all of an asset at once."""
Score = Annotated[int, Meta(ge=0, le=10)]
CVEs = Annotated[str, Meta(pattern=r"^CVE-[0-9]{4}-[0-9]{4,}(,CVE-[0-9]{4}-[0-9]{4,})*\Z")]
CWEs = Annotated[str, Meta(pattern=r"^CWE-[1-9][0-9]*(,CWE-[1-9][0-9]*)*\Z")]
WASCs = Annotated[str, Meta(pattern=r"^WASC-[0-9]{2}(,WASC-[0-9]{2})*\Z")]


class _Item(Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    scanner_type: Literal["QualysWAS"]
    scanner_identifier: Identifier
    # Needs no rule of its own: it must be the name of a definition, which has one.
    vuln_def_name: str
    last_seen_at: SomeMoment
    created_at: SomeMoment | UnsetType = UNSET


class _Vuln(_Item, tag_field="status", forbid_unknown_fields=True, gc=False, kw_only=True):
    scanner_score: Score | UnsetType = UNSET
    override_score: Annotated[int, Meta(ge=0, le=100)] | UnsetType = UNSET
    details: str | UnsetType = UNSET


class _Open(_Vuln, tag="open", forbid_unknown_fields=True, gc=False):
    pass


class _Closed(_Vuln, tag="closed", forbid_unknown_fields=True, gc=False, kw_only=True):
    closed_at: Moment


class _FalsePositive(_Vuln, tag="false_positive", forbid_unknown_fields=True, gc=False):
    pass


class _RiskAccepted(_Vuln, tag="risk_accepted", forbid_unknown_fields=True, gc=False):
    pass


class _Finding(_Item, forbid_unknown_fields=True, gc=False, kw_only=True):
    severity: Score | UnsetType = UNSET
    triage_state: TriageState | UnsetType = UNSET
    additional_fields: dict[Filled, str | int | float | bool] | UnsetType = UNSET


class _Asset(Struct, forbid_unknown_fields=True, kw_only=True):
    url: Filled | UnsetType = UNSET
    external_id: Filled | UnsetType = UNSET
    application: Searchable | UnsetType = UNSET
    fqdn: Filled | UnsetType = UNSET
    ip_address: Address | UnsetType = UNSET
    os: str | UnsetType = UNSET
    last_seen_at: Moment | UnsetType = UNSET
    tags: list[Tag] | UnsetType = UNSET
    vulns: list[_Open | _Closed | _FalsePositive | _RiskAccepted] | UnsetType = UNSET
    findings: list[_Finding] | UnsetType = UNSET


class _Definition(Struct, forbid_unknown_fields=True, kw_only=True):
    scanner_type: Literal["QualysWAS"]
    name: Name
    cve_identifiers: CVEs | UnsetType = UNSET
    cwe_identifiers: CWEs | UnsetType = UNSET
    wasc_identifiers: WASCs | UnsetType = UNSET
    description: str | UnsetType = UNSET
    solution: str | UnsetType = UNSET


LOCATORS: Final = {
    "url": Filled,
    "external_id": Filled,
    "application": Searchable,
    "fqdn": Filled,
    "ip_address": Address,
}

_is_moment: Final = re.compile(MOMENT).fullmatch
_moments: Final[set[str]] = set()
"""Dates that are well formed: they repeat a lot, as a scan's findings all carry the scan's."""
MOMENTS_KEPT: Final = 10_000
_asset: Final = msgspec.json.Decoder(_Asset).decode
_definition: Final = msgspec.json.Decoder(_Definition).decode


class Contents(NamedTuple):
    """What is in an asset.

    Attributes:
        names: of the definitions that its entries use.
        entries: their number.
    """

    names: set[str]
    entries: int


def is_locator(kind: str, value: str) -> bool:
    """Tell whether a file can name an asset by this value."""
    rule = LOCATORS.get(kind)
    return rule is not None and _fits(value, rule)


def is_name(text: str) -> bool:
    """Tell whether a definition, or an entry, can have this name."""
    return _fits(text, Name)


def _fits(value: str, rule: object) -> bool:
    try:
        msgspec.convert(value, rule)
    except msgspec.ValidationError:
        return False
    return True


def check_asset(key: str, json: bytes) -> Contents:
    """Read an asset back as CVM would, and give what is in it.

    Args:
        key: by which a person can find it.
        json: the asset as it will be written in a file.

    Raises:
        CiscoVMError: when CVM would refuse or misunderstand it.
    """
    try:
        asset = _asset(json)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _refuse(f"asset {key[:SHOWN]}", str(error))
    if problem := _problem(asset):
        _refuse(f"asset {key[:SHOWN]}", problem)
    items = [*(asset.vulns or ()), *(asset.findings or ())]
    return Contents({item.vuln_def_name for item in items}, len(items))


def _problem(asset: _Asset) -> str | None:
    """Say what is wrong beyond single fields."""
    if not (asset.url or asset.external_id or asset.application or asset.fqdn or asset.ip_address):
        return "it has no locator"
    for items in (asset.vulns, asset.findings):
        if items and (problem := _problem_of_items(items)):
            return problem
    return None


def _problem_of_items(items: Sequence[_Item]) -> str | None:
    identifiers = {item.scanner_identifier for item in items}
    if len(identifiers) < len(items):
        return "an entry is there twice"
    if not all(map(str.strip, identifiers)):
        return "an entry has an empty identifier"
    moments = {item.last_seen_at for item in items}
    moments |= {item.created_at for item in items if item.created_at is not UNSET}
    if new := moments - _moments:
        if not all(map(_is_moment, new)):
            return "an entry has a date of another form"
        if len(_moments) > MOMENTS_KEPT:
            _moments.clear()
        _moments.update(new)
    return None


def check_definition(name: str, json: bytes) -> None:
    """Read a definition back as CVM would.

    Raises:
        CiscoVMError: when CVM would refuse or misunderstand it.
    """
    try:
        found = _definition(json)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _refuse(f"definition {name[:SHOWN]}", str(error))
    if found.name != name:
        _refuse(f"definition {name[:SHOWN]}", "it has another name")


def _refuse(what: str, why: str) -> NoReturn:
    msg = (
        f"The {what} would break a rule of CVM's file format ({why.replace('`', '')}), so nothing "
        "was sent. This is a defect of target-ciscovm: please report it with this line."
    )
    raise CiscoVMError(msg) from None
