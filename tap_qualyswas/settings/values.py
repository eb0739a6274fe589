"""The tap's settings as typed values, checked against one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from qualyswas_ciscovm.dates import to_utc_strict
from qualyswas_ciscovm.sessions import bundle_path, bundle_problem
from qualyswas_ciscovm.settings import InvalidValue, require_writable
from tap_qualyswas.errors import SettingsError
from tap_qualyswas.qualys.platforms import Platform, find_platform
from tap_qualyswas.settings.schema import FINDING_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERBOSE_PAGE: Final = 500
"""The most rows of a verbose page; their size has no limit."""


REPORT_FILES: Final = "report_files"
NO_PLATFORM: Final = "file://report-files"
"""In place of the API server, where reports are read and nothing tells the account's platform."""
OF_QUALYS: Final = (
    *("start_date", "webapp_tag_ids", "webapp_tags", "webapp_tags_exclude", "webapp_attributes"),
)
"""Filters that only Qualys itself can apply."""
SOURCES_OF: Final = {
    "report_paths": (REPORT_FILES,),
    "include_evidence": ("api", REPORT_FILES),
    "webapp_details": ("api", "scan_reports"),
}
"""Settings that have an effect with some sources only."""


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Tags by their names.

    Attributes:
        names: of which a web application must have one, or all.
        match: `any` or `all` of them.
        exclude: names of which it may have none.
    """

    names: tuple[str, ...] = ()
    match: str = "any"
    exclude: tuple[str, ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.names or self.exclude)

    def as_state(self) -> dict[str, Any]:
        """Give what is set of it, by the names of the settings."""
        found: dict[str, Any] = {}
        if self.names:
            found |= {"webapp_tags": list(self.names), "webapp_tags_match": self.match}
        if self.exclude:
            found["webapp_tags_exclude"] = list(self.exclude)
        return found

    def described(self) -> list[str]:
        """Name what is set of it, for a message."""
        parts = []
        if self.names:
            parts.append(f"{self.match} of webapp_tags {_quoted(self.names)}")
        if self.exclude:
            parts.append(f"webapp_tags_exclude {_quoted(self.exclude)}")
        return parts


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names))


@dataclass(frozen=True, slots=True)
class Filters:
    """What is read of all that there is. A change makes the next sync a full one."""

    finding_types: tuple[str, ...]
    webapp_ids: tuple[int, ...]
    webapp_tag_ids: tuple[int, ...]
    webapp_name_contains: str | None
    start_date: str | None
    source: str
    tags: TagFilter = TagFilter()
    webapp_attributes: tuple[tuple[str, str], ...] = ()

    @property
    def reads_files(self) -> bool:
        """Whether everything comes from report files."""
        return self.source == REPORT_FILES

    @property
    def names_webapps(self) -> bool:
        """Whether only some web applications are read."""
        return bool(self.names_criteria or self.tags.is_set or self.webapp_attributes)

    @property
    def names_criteria(self) -> bool:
        """Whether there are filters that one search can combine."""
        return bool(self.webapp_ids or self.webapp_tag_ids or self.webapp_name_contains)

    def as_state(self) -> dict[str, Any]:
        """Give the form that the state and `syncs` show.

        Filters by words are there only when they are set: a state of before holds none.
        """
        attributes = {"webapp_attributes": dict(self.webapp_attributes)}
        return {
            "finding_types": list(self.finding_types),
            "webapp_ids": list(self.webapp_ids),
            "webapp_tag_ids": list(self.webapp_tag_ids),
            "webapp_name_contains": self.webapp_name_contains,
            "start_date": self.start_date,
            "source": self.source,
            **self.tags.as_state(),
            **(attributes if self.webapp_attributes else {}),
        }

    def described(self) -> str:
        """Name the web application filters and their values, for a message."""
        parts = []
        if self.webapp_ids:
            parts.append("webapp_ids " + _few(self.webapp_ids))
        if self.webapp_tag_ids:
            parts.append("webapp_tag_ids " + _few(self.webapp_tag_ids))
        if self.webapp_name_contains:
            parts.append(f"webapp_name_contains {self.webapp_name_contains!r}")
        parts += self.tags.described()
        if self.webapp_attributes:
            listed = ", ".join(f"{name}={value!r}" for name, value in self.webapp_attributes)
            parts.append(f"webapp_attributes {listed}")
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
    report_paths: tuple[str, ...]
    full_sync: bool
    full_sync_every_days: int
    overlap_hours: int
    webapp_details: bool
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
    def has_kb_login(self) -> bool:
        """Whether there is a login for the knowledge base, which accepts no token."""
        return bool(self.username and self.password)

    @property
    def useless(self) -> list[str]:
        """The settings that are set and have no effect with this source."""
        return [
            name
            for name, sources in SOURCES_OF.items()
            if getattr(self, name) and self.filters.source not in sources
        ]

    @property
    def verbose_page_size(self) -> int:
        """Rows of a page with details."""
        return min(self.page_size, VERBOSE_PAGE)


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Read a config whose types are right (see `qualyswas_ciscovm.settings`).

    Raises:
        SettingsError: when a setting is missing or contradicts another one.
    """
    method = cast('Literal["basic", "oidc"]', config["auth_method"])
    if config["source"] == REPORT_FILES:
        _check_reports(config)
    else:
        _check_login(config, method)
    platform = _platform(config)
    return Settings(
        platform=platform,
        auth_method=method,
        username=config.get("username"),
        password=config.get("password"),
        client_id=config.get("client_id"),
        client_secret=config.get("client_secret"),
        ca_bundle=_bundle(config.get("ca_bundle"), platform),
        filters=_filters(config),
        report_paths=tuple(config.get("report_paths") or ()),
        **{name: config[name] for name in _SAME_NAMES},
    )


def _check_login(config: Mapping[str, Any], method: str) -> None:
    needed = ("username", "password") if method == "basic" else ("client_id", "client_secret")
    missing = [name for name in needed if not config.get(name)]
    if missing:
        msg = f"{' and '.join(missing)} must be set for auth_method {method}."
        raise SettingsError(msg)


def _check_reports(config: Mapping[str, Any]) -> None:
    if not config.get("report_paths"):
        msg = "report_paths must be set for source report_files: the files or folders to read."
        raise SettingsError(msg)
    useless = [name for name in OF_QUALYS if config.get(name)]
    if useless:
        msg = (
            f"{' and '.join(useless)} cannot be used with source report_files, as reports do not "
            "tell what it takes. Remove it."
        )
        raise SettingsError(msg)


def _platform(config: Mapping[str, Any]) -> Platform:
    """Give the platform of the account. Reports need none, as nothing is sent there."""
    region, api_url = config.get("region"), config.get("api_url")
    if config["source"] == REPORT_FILES and not (region or api_url):
        return Platform(NO_PLATFORM, NO_PLATFORM)
    return find_platform(region, api_url, config.get("gateway_url"))


def _bundle(path: str | None, platform: Platform) -> str | None:
    found = bundle_path(path)
    problem = bundle_problem(found, platform.api_url)
    if problem:
        raise SettingsError(problem)
    return found


_SAME_NAMES: Final = (
    "full_sync",
    "full_sync_every_days",
    "overlap_hours",
    "webapp_details",
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
    start, part = config.get("start_date"), config.get("webapp_name_contains") or ""
    types = config["finding_types"]
    if not types:
        msg = "finding_types must name at least one type: " + ", ".join(FINDING_TYPES) + "."
        raise SettingsError(msg)
    return Filters(
        finding_types=tuple(name for name in FINDING_TYPES if name in types),
        webapp_ids=tuple(sorted(set(config.get("webapp_ids") or ()))),
        webapp_tag_ids=tuple(sorted(set(config.get("webapp_tag_ids") or ()))),
        webapp_name_contains=part if part.strip() else None,
        start_date=to_utc_strict(start) if start else None,
        source=config["source"],
        tags=TagFilter(
            names=_names(config.get("webapp_tags")),
            match=config["webapp_tags_match"],
            exclude=_names(config.get("webapp_tags_exclude")),
        ),
        webapp_attributes=_attributes(config.get("webapp_attributes") or {}),
    )


def _names(listed: Sequence[str] | None) -> tuple[str, ...]:
    """Give names without the blanks around them, each once."""
    stripped = (name.strip() for name in listed or ())
    return tuple(sorted({name for name in stripped if name}))


def _attributes(given: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    for name, value in given.items():
        is_text = isinstance(value, str | int) and not isinstance(value, bool)
        if not is_text or not name.strip() or not str(value).strip():
            msg = f"webapp_attributes must have a text for {name!r} (got {value!r})."
            raise SettingsError(msg)
        try:
            require_writable(f"{name}{value}")
        except InvalidValue as problem:
            msg = f"webapp_attributes must be {problem} (got {name!r}: {value!r})."
            raise SettingsError(msg) from None
    return tuple(sorted((name.strip(), str(value)) for name, value in given.items()))
