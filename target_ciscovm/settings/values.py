"""The target's settings, typed and checked against one another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from target_ciscovm.cvm.login import Login
from target_ciscovm.cvm.retry_policy import RetryPolicy
from target_ciscovm.errors import SettingsError
from target_ciscovm.kdi.types import TriageState, VulnStatus
from target_ciscovm.mapping.filters import FilterRules
from target_ciscovm.mapping.finding import MappingRules
from target_ciscovm.mapping.locators import CVM_ORDER, DEFAULT_ORDER, Identity, hidden_key
from target_ciscovm.mapping.tags import TagRules
from target_ciscovm.mapping.text import one_line
from target_ciscovm.settings.notices import NoticeRules, notice_rules
from target_ciscovm.settings.schema import CONFIG_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.kdi.types import DataModel
    from target_ciscovm.outcomes import Destination

STATUS_WORDS: Final[dict[DataModel, tuple[str, ...]]] = {
    "vulnerabilities": get_args(VulnStatus),
    "findings": get_args(TriageState),
}
ALL: Final = 100
SEVERITIES: Final = frozenset("12345")
VerifyLoad = Literal["suspicion", "full_syncs", "every_run", "never"]
"""When CVM is asked after a load what it holds."""


@dataclass(frozen=True)
class Settings:
    """All settings; each attribute is the setting of that name, or rules made of several.

    Attributes:
        login: None without a key and a connector: nothing is sent.
        identity: what identifies an asset.
        ledger_path: None without a connector.
        max_failed_percent: share of 100, exact.
        notices: None where the end of a run is not announced.
    """

    login: Login | None
    identity: Identity
    mapping: MappingRules
    filters: FilterRules
    tags: TagRules
    override_scores: Mapping[int, int]
    retry_policy: RetryPolicy
    output_path: Path
    ledger_path: Path | None
    max_failed_percent: Fraction
    reset_tags: bool
    ignore_scanner_last_seen: bool
    asset_inactivity_days: int
    close_gone: bool
    close_deleted_webapps: bool
    max_close_percent: int
    accept_identity_change: str | None
    allow_dropped_records: bool
    max_days_unproven: int
    verify_load: VerifyLoad
    keep_runs: int
    dry_run: bool
    fail_on_abort: bool
    part_max_bytes: int
    run_timeout_seconds: int
    notices: NoticeRules | None
    metrics_path: Path | None

    @property
    def data_model(self) -> DataModel:
        """What findings become in CVM."""
        return self.mapping.data_model

    @property
    def destination(self) -> Destination:
        """Where the load goes."""
        if self.login is None:
            return "files"
        return "dry_run" if self.dry_run else "ciscovm"


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Read the settings from a config whose values have the types of the schema.

    Raises:
        SettingsError: for values that contradict each other; its text says what to change.
    """
    given = _with_defaults(config)
    login = _login(given)
    output_path = Path(given["output_path"]).expanduser()
    if given["skip_tags"] and given["reset_tags"]:
        msg = (
            "skip_tags and reset_tags contradict each other: one sends no tags, the other replaces "
            "them. Switch one of them off."
        )
        raise SettingsError(msg)
    if given["close_deleted_webapps"] and given["close_gone"] == "never":
        msg = (
            "close_gone: never and close_deleted_webapps contradict each other: one closes nothing "
            "by absence, the other what web applications that are gone have left. Change one."
        )
        raise SettingsError(msg)
    return Settings(
        login=login,
        identity=_identity(given),
        mapping=_mapping(given),
        filters=FilterRules(
            exclude_non_exploitable=given["exclude_non_exploitable"],
            exclude_informational=given["exclude_informational"],
            exclude_potential=given["exclude_potential"],
            min_severity=given["min_severity"],
        ),
        tags=_tags(given),
        override_scores=_override_scores(given),
        retry_policy=RetryPolicy(given["max_wait_seconds"], poll_seconds=given["poll_seconds"]),
        output_path=output_path,
        ledger_path=_ledger_path(given, output_path, login),
        max_failed_percent=Fraction(str(given["max_failed_percent"])),
        reset_tags=given["reset_tags"],
        ignore_scanner_last_seen=given["ignore_scanner_last_seen"],
        asset_inactivity_days=given["asset_inactivity_days"],
        close_gone=given["close_gone"] == "proven",
        close_deleted_webapps=given["close_deleted_webapps"],
        max_close_percent=given["max_close_percent"],
        accept_identity_change=given["accept_identity_change"],
        allow_dropped_records=given["allow_dropped_records"],
        max_days_unproven=given["max_days_unproven"],
        verify_load=given["verify_load"],
        keep_runs=given["keep_runs"],
        dry_run=given["dry_run"],
        fail_on_abort=given["fail_on_abort"],
        part_max_bytes=given["part_max_bytes"],
        run_timeout_seconds=given["run_timeout_seconds"],
        notices=notice_rules(given),
        metrics_path=_path(given["metrics_path"]),
    )


def _path(given: str | None) -> Path | None:
    return Path(given).expanduser() if given else None


def _with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    declared: Mapping[str, Any] = CONFIG_SCHEMA["properties"]
    given = {name: part.get("default") for name, part in declared.items()}
    return given | {name: value for name, value in config.items() if value not in (None, "")}


def _login(given: Mapping[str, Any]) -> Login | None:
    names = ("api_key", "connector_id")
    missing = [name for name in names if not given[name]]
    if len(missing) == len(names):
        return None
    if missing:
        there = next(name for name in names if name not in missing)
        msg = (
            f"{there} is set but {missing[0]} is not: set both to send to Cisco Vulnerability "
            "Management, or neither to get KDI files only."
        )
        raise SettingsError(msg)
    return Login(given["api_url"], given["api_key"], given["connector_id"], given["ca_bundle"])


def _ledger_path(given: Mapping[str, Any], output_path: Path, login: Login | None) -> Path | None:
    if login is None:
        return None
    path = _path(given["ledger_path"]) or output_path / f"ledger-{login.connector_id}.db"
    # Loads lock the folder that the file is in, by whatever path they come to it. `Path` raises for
    # what is too long to be a path.
    return Path(os.path.realpath(path)) if os.path.islink(path) else path  # noqa: PTH114


def _override_scores(given: Mapping[str, Any]) -> dict[int, int]:
    wanted: dict[str, object] = given["override_scores"] or {}
    found: dict[int, int] = {}
    for severity, score in wanted.items():
        number = int(score) if isinstance(score, int | str) and str(score).isdecimal() else ALL + 1
        if severity not in SEVERITIES or isinstance(score, bool) or number > ALL:
            msg = (
                "override_scores must give a score from 0 to 100 for severities 1 to 5 (got "
                f"{severity!r}: {score!r})."
            )
            raise SettingsError(msg)
        found[int(severity)] = number
    if found and given["data_model"] != "vulnerabilities":
        msg = (
            "override_scores needs data_model vulnerabilities: findings of the Application "
            "Security Module are scored by their severity. Remove one of them."
        )
        raise SettingsError(msg)
    return found


def _tags(given: Mapping[str, Any]) -> TagRules:
    wanted = given["attribute_tags"] or {}
    if not isinstance(wanted, dict):
        wanted = {name: f"{one_line(name)}: " for name in wanted}
    for name, prefix in wanted.items():
        if not isinstance(prefix, str):
            msg = f"attribute_tags must have a text for {name!r} (got {prefix!r})."
            raise SettingsError(msg)
    return TagRules(
        skip=given["skip_tags"],
        prefix=given["tag_prefix"],
        application=given["tag_application"],
        ancestors=given["tag_ancestors"],
        paths=given["tag_paths"],
        attributes={one_line(name): prefix for name, prefix in wanted.items()},
    )


def _identity(given: Mapping[str, Any]) -> Identity:
    identity = Identity(
        tuple(given["locator_order"] or DEFAULT_ORDER),
        tuple(given["tenant_locator_order"] or CVM_ORDER),
        keep_query=given["url_query"] == "keep",
    )
    hidden = hidden_key(identity)
    if hidden:
        msg = (
            f"locator_order names {hidden}, but tenant_locator_order does not: CVM would not "
            f"identify assets by it. Add {hidden} to tenant_locator_order where CVM has it, or "
            "remove it from locator_order."
        )
        raise SettingsError(msg)
    return identity


def _mapping(given: Mapping[str, Any]) -> MappingRules:
    model: DataModel = given["data_model"]
    status_map: dict[str, str] = given["status_map"] or {}
    words = STATUS_WORDS[model]
    wrong = {name: word for name, word in status_map.items() if word not in words}
    if wrong:
        msg = (
            f"status_map has {', '.join(f'{name}: {word}' for name, word in wrong.items())}, "
            f"which CVM does not know for {model}. Use one of {', '.join(words)}."
        )
        raise SettingsError(msg)
    by_status = {name.strip().upper(): word for name, word in status_map.items()}
    return MappingRules(model, by_status, given["map_ignored"])
