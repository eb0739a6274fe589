"""The tap's settings: what each means, its type, its bounds, the reason for its default."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from singer_sdk import typing as th

from qualyswas_ciscovm.dates import to_utc_strict
from tap_qualyswas.errors import SettingsError
from tap_qualyswas.qualys.platforms import REGIONS, Platform, find_platform

if TYPE_CHECKING:
    from collections.abc import Mapping

FINDING_TYPES: Final = ("VULNERABILITY", "SENSITIVE_CONTENT", "INFORMATION_GATHERED")
VERBOSE_PAGE: Final = 500
"""Rows of a verbose page at most; their size has no bound."""

_LOGIN: Final = (
    th.Property(
        "region",
        th.StringType(nullable=False),
        title="Region",
        description=(
            "Qualys platform of the account: one of " + ", ".join(REGIONS) + ". Not needed with "
            "api_url."
        ),
    ),
    th.Property(
        "api_url",
        th.StringType(nullable=False),
        title="API server",
        description=(
            "Address of the API server, for private platforms or in place of region, such as "
            "https://qualysapi.qg2.apps.qualys.com. It wins over region."
        ),
    ),
    th.Property(
        "gateway_url",
        th.StringType(nullable=False),
        title="Gateway",
        description=(
            "Address of the platform's gateway, used with auth_method oidc only. Found from the "
            "API server when it is not set."
        ),
    ),
    th.Property(
        "auth_method",
        th.StringType(nullable=False, allowed_values=["basic", "oidc"]),
        default="basic",
        title="Authentication",
        description=(
            "basic: user name and password. oidc: client id and secret of an Auth ID client. The "
            "default is what every account with API access can use."
        ),
    ),
    th.Property(
        "username",
        th.StringType(nullable=False),
        title="User name",
        description=(
            "Qualys user name. With oidc it is used for the knowledge base only, which takes no "
            "token."
        ),
    ),
    th.Property(
        "password",
        th.StringType(nullable=False),
        secret=True,
        title="Password",
        description="Password that belongs to username.",
    ),
    th.Property(
        "client_id",
        th.StringType(nullable=False),
        title="Client id",
        description="Client id of an Auth ID client (My Profile, Auth ID Client Management).",
    ),
    th.Property(
        "client_secret",
        th.StringType(nullable=False),
        secret=True,
        title="Client secret",
        description="Secret that belongs to client_id.",
    ),
    th.Property(
        "ca_bundle",
        th.StringType(nullable=False),
        title="CA certificates",
        description=(
            "Path of a PEM file with the CA certificates to trust, where a proxy of your own "
            "opens TLS. Verification cannot be switched off."
        ),
    ),
)

_WHAT: Final = (
    th.Property(
        "source",
        th.StringType(nullable=False, allowed_values=["api", "scan_reports"]),
        default="api",
        title="Source of findings",
        description=(
            "api: the finding search, with status and fixes. scan_reports: the report of each web "
            "application's latest successful scan, as the hosted connector reads it. The default "
            "is the one that shows fixes."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType(nullable=False),
        title="Start date",
        description=(
            "Findings tested and scans launched before this moment are not read (ISO 8601; UTC "
            "when it has no offset). A sync with a start date is never a full one, so nothing is "
            "closed by its absence."
        ),
    ),
    th.Property(
        "full_sync",
        th.BooleanType(nullable=False),
        default=False,
        title="Full sync",
        description="Read everything from the beginning this time, whatever the state says.",
    ),
    th.Property(
        "full_sync_every_days",
        th.IntegerType(nullable=False, minimum=0, maximum=3650),
        default=7,
        title="Days between full syncs",
        description=(
            "A full sync happens by itself when the last complete one is older than this many "
            "days; 0 is never. Ignored, edited and deleted findings move no date and are only "
            "seen by a full sync; a week is how long they may go unseen."
        ),
    ),
    th.Property(
        "overlap_hours",
        th.IntegerType(nullable=False, minimum=0, maximum=8760),
        default=24,
        title="Overlap in hours",
        description=(
            "An incremental sync begins this many hours before the bookmark, for findings that "
            "appear late. A day covers a scan that ends a day after its launch."
        ),
    ),
    th.Property(
        "finding_types",
        th.ArrayType(
            th.StringType(nullable=False, allowed_values=list(FINDING_TYPES)), nullable=False
        ),
        default=list(FINDING_TYPES),
        title="Finding types",
        description="Types of findings to read: " + ", ".join(FINDING_TYPES) + ". All by default.",
    ),
    th.Property(
        "webapp_ids",
        th.ArrayType(th.IntegerType(nullable=False, minimum=1), nullable=False),
        title="Web application ids",
        description="Read these web applications only.",
    ),
    th.Property(
        "webapp_tag_ids",
        th.ArrayType(th.IntegerType(nullable=False, minimum=1), nullable=False),
        title="Tag ids",
        description="Read web applications with one of these tags only.",
    ),
    th.Property(
        "webapp_name_contains",
        th.StringType(nullable=False, max_length=1024),
        title="Part of the name",
        description="Read web applications only whose name contains this text.",
    ),
    th.Property(
        "include_evidence",
        th.BooleanType(nullable=False),
        default=False,
        title="Evidence",
        description=(
            "Read findings with their evidence: requests, responses, TLS details. Pages hold at "
            "most 500 findings then, and are large; so it is off by default."
        ),
    ),
    th.Property(
        "redact_evidence",
        th.BooleanType(nullable=False),
        default=True,
        title="Redact evidence",
        description=(
            "Replace request headers and bodies in the evidence, which hold cookies and logins."
        ),
    ),
    th.Property(
        "evidence_max_bytes",
        th.IntegerType(nullable=False, minimum=1, maximum=1_000_000),
        default=10_000,
        title="Bytes of evidence",
        description=(
            "Bytes of each text of the evidence at most; what follows is cut. The default keeps a "
            "page of a response."
        ),
    ),
)

_HOW: Final = (
    th.Property(
        "page_size",
        th.IntegerType(nullable=False, minimum=1, maximum=1000),
        default=1000,
        title="Page size",
        description=(
            "Rows of a page, 1000 at most. Rows with details come 500 at a time at most. A page "
            "that does not come in time is asked for again at half the size."
        ),
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(nullable=False, minimum=1, maximum=10),
        default=2,
        title="Calls at a time",
        description=(
            "Calls on the way to Qualys at a time. Two is what a standard subscription allows; it "
            "is lowered by itself when Qualys says so."
        ),
    ),
    th.Property(
        "max_attempts",
        th.IntegerType(nullable=False, minimum=1, maximum=30),
        default=8,
        title="Attempts",
        description=(
            "Attempts of one call before the sync gives up. Eight with growing waits outlast some "
            "minutes of trouble."
        ),
    ),
    th.Property(
        "max_wait_seconds",
        th.IntegerType(nullable=False, minimum=0, maximum=86_400),
        default=3600,
        title="Longest wait in seconds",
        description=(
            "Longest single wait before a further attempt. When Qualys names a longer one, the "
            "sync ends with what it has. An hour is the window of Qualys's rate limits."
        ),
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(nullable=False, minimum=1, maximum=3600),
        default=300,
        title="Timeout in seconds",
        description=(
            "How long Qualys may be silent within a call. Long, since giving up early leaves the "
            "call running there, and it counts against the concurrency limit."
        ),
    ),
    th.Property(
        "knowledge_base_version",
        th.StringType(nullable=False, allowed_values=["2.0", "3.0", "4.0"]),
        default="2.0",
        title="Knowledge base version",
        description=(
            "Version of the knowledge base API. 2.0 is the one that was recorded and that most "
            "clients use; take a later one when Qualys retires it."
        ),
    ),
)

CONFIG_SCHEMA: Final[dict[str, Any]] = th.PropertiesList(*_LOGIN, *_WHAT, *_HOW).to_dict()


@dataclass(frozen=True, slots=True)
class Filters:
    """What is read, of all that there is. A change of it makes a full sync necessary."""

    finding_types: tuple[str, ...]
    webapp_ids: tuple[int, ...]
    webapp_tag_ids: tuple[int, ...]
    webapp_name_contains: str | None
    start_date: str | None
    source: str

    @property
    def names_webapps(self) -> bool:
        """Whether only some web applications are read."""
        return bool(self.webapp_ids or self.webapp_tag_ids or self.webapp_name_contains)

    def as_state(self) -> dict[str, Any]:
        """Give the form in which they are kept in the state and shown in `syncs`."""
        return {
            "finding_types": list(self.finding_types),
            "webapp_ids": list(self.webapp_ids),
            "webapp_tag_ids": list(self.webapp_tag_ids),
            "webapp_name_contains": self.webapp_name_contains,
            "start_date": self.start_date,
            "source": self.source,
        }

    def told(self) -> str:
        """Name the web application filters with their values, for a message."""
        parts = []
        if self.webapp_ids:
            parts.append("webapp_ids " + _few(self.webapp_ids))
        if self.webapp_tag_ids:
            parts.append("webapp_tag_ids " + _few(self.webapp_tag_ids))
        if self.webapp_name_contains:
            parts.append(f"webapp_name_contains {self.webapp_name_contains!r}")
        return " together with ".join(parts)


def _few(values: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, values[:10]))
    return f"{shown} and {len(values) - 10} more" if len(values) > 10 else shown  # noqa: PLR2004


@dataclass(frozen=True)
class Settings:
    """The settings of one run, checked against one another."""

    platform: Platform
    auth_method: Literal["basic", "oidc"]
    username: str | None
    password: str | None
    client_id: str | None
    client_secret: str | None
    ca_bundle: str | None
    filters: Filters
    full_sync: bool
    full_sync_every_days: int
    overlap_hours: int
    include_evidence: bool
    redact_evidence: bool
    evidence_max_bytes: int
    page_size: int
    max_concurrency: int
    max_attempts: int
    max_wait_seconds: int
    request_timeout_seconds: int
    knowledge_base_version: str

    @property
    def verbose_page_size(self) -> int:
        """Rows of a page with details."""
        return min(self.page_size, VERBOSE_PAGE)


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Read a config whose types are right (see `coercion`).

    Raises:
        SettingsError: when something is missing or does not go together.
    """
    method = cast('Literal["basic", "oidc"]', config["auth_method"])
    needed = ("username", "password") if method == "basic" else ("client_id", "client_secret")
    missing = [name for name in needed if not config.get(name)]
    if missing:
        msg = f"{' and '.join(missing)} must be set for auth_method {method}."
        raise SettingsError(msg)
    return Settings(
        platform=find_platform(
            config.get("region"), config.get("api_url"), config.get("gateway_url")
        ),
        auth_method=method,
        username=config.get("username"),
        password=config.get("password"),
        client_id=config.get("client_id"),
        client_secret=config.get("client_secret"),
        ca_bundle=_bundle(config.get("ca_bundle")),
        filters=_filters(config),
        **{name: config[name] for name in _TAKEN_OVER},
    )


def _bundle(path: str | None) -> str | None:
    if not path:
        return None
    if not Path(path).is_file():
        msg = f"ca_bundle names no file: {path}"
        raise SettingsError(msg)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:  # which an SSLError is, too
        msg = f"ca_bundle must be a PEM file with CA certificates; {path} cannot be read as one."
        raise SettingsError(msg) from None
    return path


_TAKEN_OVER: Final = (
    "full_sync",
    "full_sync_every_days",
    "overlap_hours",
    "include_evidence",
    "redact_evidence",
    "evidence_max_bytes",
    "page_size",
    "max_concurrency",
    "max_attempts",
    "max_wait_seconds",
    "request_timeout_seconds",
    "knowledge_base_version",
)


def _filters(config: Mapping[str, Any]) -> Filters:
    start = config.get("start_date")
    types = config["finding_types"]
    if not types:
        msg = "finding_types must name at least one type: " + ", ".join(FINDING_TYPES) + "."
        raise SettingsError(msg)
    return Filters(
        finding_types=tuple(name for name in FINDING_TYPES if name in types),
        webapp_ids=tuple(sorted(set(config.get("webapp_ids") or ()))),
        webapp_tag_ids=tuple(sorted(set(config.get("webapp_tag_ids") or ()))),
        webapp_name_contains=config.get("webapp_name_contains"),
        start_date=to_utc_strict(start) if start else None,
        source=config["source"],
    )
