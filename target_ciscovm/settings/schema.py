"""The schema of the target's settings: meaning, type, bounds, and the reason for a default."""

from __future__ import annotations

from typing import Any, Final

from singer_sdk import typing as th

from target_ciscovm.mapping.locators import CVM_ORDER, DEFAULT_ORDER, LOCATORS

TEXT: Final = th.StringType(nullable=False)
YES_NO: Final = th.BooleanType(nullable=False)
LOCATOR_LIST: Final = th.ArrayType(th.StringType(allowed_values=list(LOCATORS), nullable=False))
TENANT_LIST: Final = th.ArrayType(th.StringType(allowed_values=list(CVM_ORDER), nullable=False))


def _number(minimum: int, maximum: int) -> th.IntegerType:
    return th.IntegerType(minimum=minimum, maximum=maximum, nullable=False)


def _choice(*words: str) -> th.StringType:
    return th.StringType(allowed_values=list(words), nullable=False)


def _setting(  # noqa: PLR0913 - the parts of a setting
    name: str,
    kind: Any,  # noqa: ANN401 - the SDK's types share no public base
    title: str,
    description: str,
    *,
    default: Any = None,  # noqa: ANN401 - any JSON value
    secret: bool = False,
) -> th.Property[Any]:
    return th.Property(
        name, kind, title=title, description=description, default=default, secret=secret
    )


_DESTINATION: Final = (
    _setting(
        "api_url",
        TEXT,
        "API host",
        "Address of your tenant's API, shown in CVM under Settings > API Keys. The default is the "
        "shared US host.",
        default="https://api.kennasecurity.com",
    ),
    _setting(
        "api_key",
        TEXT,
        "API key",
        "Key of a CVM user who may use connectors. Without api_key and connector_id nothing is "
        "sent; the result is the KDI files.",
        secret=True,
    ),
    _setting(
        "connector_id",
        _number(1, 2**63 - 1),
        "Connector id",
        "Number of a Data Importer (KDI) connector in CVM, found at the end of the address of its "
        "page.",
    ),
    _setting(
        "ca_bundle",
        TEXT,
        "CA bundle",
        "Path of the CA certificates to trust if your own proxy opens TLS connections. "
        "Verification cannot be switched off.",
    ),
)
_MAPPING: Final = (
    _setting(
        "data_model",
        _choice("vulnerabilities", "findings"),
        "Data model",
        "What findings become in CVM: vulnerabilities, as with the hosted connector, or findings "
        "of the Application Security Module. A change is an identity change.",
        default="vulnerabilities",
    ),
    _setting(
        "locator_order",
        LOCATOR_LIST,
        "Locator order",
        "What identifies an asset: the first of these that has a value. With url first there is "
        "one asset per URL, with external_id or application first one per web application. "
        "Values: " + ", ".join(LOCATORS) + ". A change is an identity change.",
        default=list(DEFAULT_ORDER),
    ),
    _setting(
        "tenant_locator_order",
        TENANT_LIST,
        "Locator order of the tenant",
        "The locator order set in CVM, if it is not CVM's default. Locators that CVM would rank "
        "above the chosen one are not sent.",
    ),
    _setting(
        "url_query",
        _choice("cut", "keep"),
        "URL query",
        "Whether an asset's URL keeps its query. By default it is cut, because Qualys puts the "
        "attack there. A change is an identity change.",
        default="cut",
    ),
    _setting(
        "status_map",
        th.ObjectType(additional_properties=th.StringType),
        "Status map",
        "CVM's status for a status of Qualys, as JSON, in place of the built-in one, such as "
        '{"PROTECTED": "risk_accepted"}.',
    ),
    _setting(
        "override_scores",
        th.ObjectType(additional_properties=True),
        "Scores of informational findings",
        "CVM's score (0 to 100) by Qualys's severity (1 to 5), as JSON, for findings whose QID has "
        'no CVE, CWE or WASC class, such as {"3": 30, "4": 60, "5": 80}. CVM scores them 0 '
        "otherwise. Each load sets it again, also where your people changed it. None by default; "
        "with data_model vulnerabilities only.",
    ),
    _setting(
        "map_ignored",
        YES_NO,
        "Map ignored findings",
        "Whether findings that are ignored in Qualys become false_positive, risk_accepted or "
        "not_a_security_issue. Off by default, as in the hosted connector, so they stay open.",
        default=False,
    ),
)
_FILTERS: Final = (
    _setting(
        "exclude_non_exploitable",
        YES_NO,
        "Exclude non-exploitable",
        "Leaves out findings protected by a virtual patch (status PROTECTED).",
        default=False,
    ),
    _setting(
        "exclude_informational",
        YES_NO,
        "Exclude informational",
        "Keeps only findings whose QID has a CVE, a CWE or a WASC class. A QID without an entry "
        "in the knowledge base always stays.",
        default=False,
    ),
    _setting(
        "exclude_potential",
        YES_NO,
        "Exclude potential",
        "Leaves out findings that Qualys could not confirm.",
        default=False,
    ),
    _setting(
        "min_severity",
        _number(1, 5),
        "Minimum severity",
        "Leaves out findings with a lower Qualys severity; 1 keeps all.",
        default=1,
    ),
    _setting(
        "asset_inactivity_days",
        _number(0, 36500),
        "Asset inactivity, in days",
        "On full syncs, leaves out web applications that no scan has reached for this many days, "
        "so that CVM's own limit ages them out. 0 leaves none out.",
        default=0,
    ),
)
_ASSETS: Final = (
    _setting("skip_tags", YES_NO, "Skip tags", "Sends no tags at all.", default=False),
    _setting(
        "reset_tags",
        YES_NO,
        "Reset tags",
        "Removes all tags of the assets in the load, whoever set them, and adds Qualys's tags. "
        "Off by default, because manual tags are lost.",
        default=False,
    ),
    _setting(
        "tag_prefix", TEXT, "Tag prefix", "Text put before each tag. Empty by default.", default=""
    ),
    _setting(
        "tag_application",
        YES_NO,
        "Tag with the application",
        "Tags each asset with the name of its web application.",
        default=True,
    ),
    _setting(
        "tag_ancestors",
        YES_NO,
        "Tags above",
        "Sends the tags that stand above a web application's tags too. It needs the tap's stream "
        "tags, which is not selected by default.",
        default=False,
    ),
    _setting(
        "tag_paths",
        YES_NO,
        "Paths of tags",
        "Sends a tag as its path from the top, such as Company/EMEA/Shop, in place of its name "
        "alone. It needs the tap's stream tags, which is not selected by default.",
        default=False,
    ),
    _setting(
        "attribute_tags",
        th.CustomType({"type": ["object", "array"], "items": {"type": "string"}}),
        "Tags from custom attributes",
        "Custom attributes of web applications that become tags: a list of their names, which "
        'gives tags such as "Owner: payments", or as JSON what stands before the value of each, '
        'such as {"Owner": "owned-by-"}. Where the search does not tell attributes, set the '
        "tap's webapp_details.",
    ),
    _setting(
        "ignore_scanner_last_seen",
        YES_NO,
        "Ignore the scanner's last-seen time",
        "Leaves the last-seen time of assets to CVM, which takes the time of the load.",
        default=False,
    ),
)
_CLOSING: Final = (
    _setting(
        "close_gone",
        _choice("proven", "never"),
        "Close what is gone",
        "Whether findings that Qualys no longer reports are closed. proven: in a complete full "
        "sync, as far as it covers them. never: only what Qualys calls fixed is closed.",
        default="proven",
    ),
    _setting(
        "close_deleted_webapps",
        YES_NO,
        "Close deleted web applications",
        "Closes the findings of web applications that are gone from Qualys. Off by default, "
        "because an application that left the account's scope looks the same.",
        default=False,
    ),
    _setting(
        "max_close_percent",
        _number(0, 100),
        "Closing limit, in percent",
        "Stops a load that would close more than this share of what is open and covered by it, as "
        "gone or by a filter, if that is more than 20 findings. 100 never stops; the default lets "
        "an ordinary clean-up through.",
        default=50,
    ),
    _setting(
        "accept_identity_change",
        TEXT,
        "Accept an identity change",
        "Code that a refused run has given. It lets exactly that change of settings through, in a "
        "complete full sync: everything closes and comes back as new.",
    ),
    _setting(
        "allow_dropped_records",
        YES_NO,
        "Allow dropped records",
        "Set it where a stream map or mapper between tap and target drops or alters records on "
        "purpose. By default such a load fails and asks for a full sync; nothing is closed as gone "
        "either way.",
        default=False,
    ),
    _setting(
        "max_days_unproven",
        _number(0, 3650),
        "Days without proof",
        "Ends a run with exit code 1 when no load has been proven complete for so many days, so "
        "that a schedule that only looks healthy is noticed. 0 is off.",
        default=0,
    ),
    _setting(
        "verify_load",
        _choice("suspicion", "full_syncs", "every_run", "never"),
        "Verify a load",
        "When CVM is asked after a load what it holds, entry by entry. suspicion: when its "
        "counters do not fit what was sent. full_syncs and every_run: after each such load too. "
        "What is lost fails the run and asks for a full sync. CVM takes some minutes to answer, "
        "so it is not asked each time by default.",
        default="suspicion",
    ),
    _setting(
        "ledger_path",
        TEXT,
        "Ledger",
        "File that records what was last sent as open. By default "
        "{output_path}/ledger-{connector_id}.db. Keep it between runs; one that is lost is made "
        "anew from what CVM holds.",
    ),
)
_RUNNING: Final = (
    _setting(
        "output_path",
        TEXT,
        "Output folder",
        "Folder for the results of each run: KDI files, rejected records, the report.",
        default="output",
    ),
    _setting(
        "keep_runs",
        _number(1, 100000),
        "Runs to keep",
        "Number of run folders of a connector to keep; older ones are removed.",
        default=20,
    ),
    _setting(
        "dry_run",
        YES_NO,
        "Dry run",
        "Sends nothing and reports what would change.",
        default=False,
    ),
    {
        "max_failed_percent": {
            "type": ["string", "number"],
            "pattern": r"(100(\.0+)?|\d{1,2}(\.\d+)?)",
            "title": "Failure limit, in percent",
            "description": "The run fails if more than this share of the findings, the web "
            "applications or all records is rejected, or of CVM's payloads fails. One single "
            "finding that is rejected in an incremental sync fails it only if this is 0. "
            "Fractions are allowed. The default is the hosted connector's limit.",
            "default": "1",
        }
    },
    _setting(
        "fail_on_abort",
        YES_NO,
        "Fail on an empty load",
        "Ends with exit code 1 instead of 0 if the input has no record or no scan report at all.",
        default=False,
    ),
    _setting(
        "part_max_bytes",
        _number(1000, 2_000_000_000),
        "File size, in bytes",
        "Largest size of a KDI file; a single larger asset gets a file of its own. CVM publishes "
        "no limit; the default is well below what gateways usually accept.",
        default=50_000_000,
    ),
    _setting(
        "run_timeout_seconds",
        _number(1, 604800),
        "Run time limit, in seconds",
        "How long to wait for the connector run. The default is 4 hours, as CVM may take hours.",
        default=14400,
    ),
    _setting(
        "max_wait_seconds",
        _number(1, 86400),
        "Longest wait, in seconds",
        "Longest total wait of a call that is tried again after a temporary error.",
        default=3600,
    ),
    _setting(
        "poll_seconds",
        _number(1, 3600),
        "Poll interval, in seconds",
        "Longest pause between two checks of a connector run.",
        default=20,
    ),
)
_WATCHING: Final = (
    _setting(
        "notify_url",
        TEXT,
        "Address for notices",
        "Address of a webhook that gets a JSON message when a load does not succeed, and when an "
        "audit finds a difference or fails: Slack, Mattermost and others show its text. A notice "
        "that cannot be delivered is a warning and never fails a run. Only https, except on this "
        "machine.",
        secret=True,
    ),
    _setting(
        "notify_when",
        _choice("problems", "every_run"),
        "Which ends are announced",
        "problems: each load that is not succeeded, as when nothing could be closed as gone, and "
        "each audit that differs. every_run: each load and audit, so that a silent schedule is "
        "noticed too.",
        default="problems",
    ),
    _setting(
        "metrics_path",
        TEXT,
        "File for Prometheus",
        "File that gets the figures of the last run in the text format of Prometheus, for the "
        "textfile collector of its node exporter. Its name should end in .prom; each connector "
        "needs a file of its own.",
    ),
)


def _schema() -> dict[str, Any]:
    extra: dict[str, Any] = {}
    properties: list[th.Property[Any]] = []
    order: list[str] = []
    for item in (*_DESTINATION, *_MAPPING, *_FILTERS, *_ASSETS, *_CLOSING, *_RUNNING, *_WATCHING):
        if isinstance(item, dict):
            extra |= item
            order += item
        else:
            properties.append(item)
            order.append(item.name)
    schema = th.PropertiesList(*properties).to_dict()
    declared = schema["properties"] | extra
    schema["properties"] = {name: declared[name] for name in order}
    return schema


CONFIG_SCHEMA: Final = _schema()
"""JSON schema of the settings, in the order of the docs."""
