"""The tap's settings: the meaning, type and bounds of each, and the reason for its default."""

from __future__ import annotations

from typing import Any, Final

from singer_sdk import typing as th

from tap_qualyswas.qualys.platforms import REGIONS

FINDING_TYPES: Final = ("VULNERABILITY", "SENSITIVE_CONTENT", "INFORMATION_GATHERED")

_CONNECTION: Final = (
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
            "URL of the API server, for private platforms or in place of region, such as "
            "https://qualysapi.qg2.apps.qualys.com. It takes precedence over region."
        ),
    ),
    th.Property(
        "gateway_url",
        th.StringType(nullable=False),
        title="Gateway",
        description=(
            "URL of the platform's gateway, used with auth_method oidc only. Derived from the API "
            "server when it is not set."
        ),
    ),
    th.Property(
        "auth_method",
        th.StringType(nullable=False, allowed_values=["basic", "oidc"]),
        default="basic",
        title="Authentication",
        description=(
            "basic: user name and password. oidc: client id and secret of an Auth ID client. The "
            "default works for every account with API access."
        ),
    ),
    th.Property(
        "username",
        th.StringType(nullable=False),
        title="User name",
        description=(
            "Qualys user name. With oidc it is used for the knowledge base only, which accepts no "
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
            "opens TLS connections. Verification cannot be switched off."
        ),
    ),
)

_CONTENT: Final = (
    th.Property(
        "source",
        th.StringType(nullable=False, allowed_values=["api", "scan_reports", "report_files"]),
        default="api",
        title="Source of findings",
        description=(
            "api: the finding search, with status and fixes. scan_reports: the report of each web "
            "application's latest successful scan, as the hosted connector reads it. report_files: "
            "the files in report_paths, without any call to Qualys. The default is the source that "
            "shows fixes."
        ),
    ),
    th.Property(
        "report_paths",
        th.ArrayType(th.StringType(nullable=False), nullable=False),
        title="Report files",
        description=(
            "With source report_files: reports that were exported from the Qualys portal as XML or "
            "CSV, files or folders. Of a folder all files below it are read that end in .xml or "
            ".csv."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType(nullable=False),
        title="Start date",
        description=(
            "Findings tested and scans launched before this moment are not read (ISO 8601; UTC "
            "when it has no offset). A moment in the future is refused. A sync with a start date "
            "is never a full one, so nothing is closed because it is absent."
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
            "A full sync happens by itself this many days after the last one that was read to its "
            "end; 0 means never. Only a full sync sees edited severities and deleted findings, "
            "which change no date. The default of a week suits warehouses and large accounts; 1 "
            "suits a load into CVM every day."
        ),
    ),
    th.Property(
        "overlap_hours",
        th.IntegerType(nullable=False, minimum=0, maximum=8760),
        default=24,
        title="Overlap in hours",
        description=(
            "An incremental sync begins this many hours before the bookmark, for findings that "
            "appear late. The default covers a scan that ends a day after its launch."
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
        description="Only these web applications are read.",
    ),
    th.Property(
        "webapp_tag_ids",
        th.ArrayType(th.IntegerType(nullable=False, minimum=1), nullable=False),
        title="Tag ids",
        description="Only web applications with one of these tags are read.",
    ),
    th.Property(
        "webapp_name_contains",
        th.StringType(nullable=False, max_length=1024),
        title="Part of the name",
        description="Only web applications whose name contains this text are read.",
    ),
    th.Property(
        "webapp_tags",
        th.ArrayType(th.StringType(nullable=False, max_length=1024), nullable=False),
        title="Tags",
        description=(
            "Only web applications with one of these tags, by name, are read. A name that matches "
            "no tag is an error. Each name costs a call for each 1,000 web applications, and one "
            "to count them."
        ),
    ),
    th.Property(
        "webapp_tags_match",
        th.StringType(nullable=False, allowed_values=["any", "all"]),
        default="any",
        title="Any or all tags",
        description=(
            "any: one tag of webapp_tags is enough, the default. all: a web application must have "
            "all of them."
        ),
    ),
    th.Property(
        "webapp_tags_exclude",
        th.ArrayType(th.StringType(nullable=False, max_length=1024), nullable=False),
        title="Tags to leave out",
        description="Web applications with one of these tags, by name, are not read.",
    ),
    th.Property(
        "webapp_attributes",
        th.ObjectType(nullable=False, additional_properties=True),
        title="Custom attributes",
        description=(
            "Only web applications whose custom attributes have these values are read, as JSON, "
            'such as {"Owner": "payments"}. Where there are several, all must match.'
        ),
    ),
    th.Property(
        "webapp_details",
        th.BooleanType(nullable=False),
        default=False,
        title="Details of web applications",
        description=(
            "Read each web application on its own too, for what a search may leave out: custom "
            "attributes and the operating system. It costs a call for each web application, so it "
            "is off by default."
        ),
    ),
    th.Property(
        "include_evidence",
        th.BooleanType(nullable=False),
        default=False,
        title="Evidence",
        description=(
            "Read findings with their evidence: requests, responses, TLS details. Pages then hold "
            "at most 500 findings and are large, so it is off by default."
        ),
    ),
    th.Property(
        "redact_evidence",
        th.BooleanType(nullable=False),
        default=True,
        title="Redact evidence",
        description=(
            "Replace request headers and bodies in the evidence, as they hold cookies and logins."
        ),
    ),
    th.Property(
        "evidence_max_bytes",
        th.IntegerType(nullable=False, minimum=1, maximum=1_000_000),
        default=10_000,
        title="Bytes of evidence",
        description=(
            "The most bytes of each text of the evidence. A longer one is cut and ends with [cut]. "
            "The default keeps a page of a response."
        ),
    ),
)

_CALLS: Final = (
    th.Property(
        "page_size",
        th.IntegerType(nullable=False, minimum=1, maximum=1000),
        default=1000,
        title="Page size",
        description=(
            "Rows of a page, at most 1000; rows with details come at most 500 at a time. A page "
            "that does not come in time is asked for again at half the size, down to one row."
        ),
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(nullable=False, minimum=1, maximum=10),
        default=2,
        title="Calls at a time",
        description=(
            "Calls to Qualys at a time. A standard subscription allows the default of two. The tap "
            "makes fewer at a time when Qualys asks for it."
        ),
    ),
    th.Property(
        "max_attempts",
        th.IntegerType(nullable=False, minimum=1, maximum=30),
        default=8,
        title="Attempts",
        description=(
            "Attempts of one call before the sync gives up. The default of eight, with growing "
            "waits, outlasts some minutes of trouble. Where Qualys has not answered at all, four "
            "attempts are made at most; smaller pages are tried beyond that number. A lone HTTP "
            "401, and an answer that may have been cut, get a second attempt in any case."
        ),
    ),
    th.Property(
        "max_wait_seconds",
        th.IntegerType(nullable=False, minimum=0, maximum=86_400),
        default=3600,
        title="Longest wait in seconds",
        description=(
            "Longest single wait before another attempt. When Qualys asks for a longer one, the "
            "sync ends, and the next one goes on from there. The default is the window of Qualys's "
            "rate limits, an hour."
        ),
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(nullable=False, minimum=1, maximum=3600),
        default=300,
        title="Timeout in seconds",
        description=(
            "How long Qualys may be silent during a call. The default is long, as a call that is "
            "given up goes on at Qualys and counts against the concurrency limit. The first check "
            "of the login waits 22 seconds at most."
        ),
    ),
    th.Property(
        "knowledge_base_version",
        th.StringType(nullable=False, allowed_values=["2.0", "3.0", "4.0"]),
        default="2.0",
        title="Knowledge base version",
        description=(
            "Version of the knowledge base API. Most clients use 2.0, the default. Where Qualys "
            "has retired it, the tap tries later ones and says so."
        ),
    ),
)

CONFIG_SCHEMA: Final[dict[str, Any]] = th.PropertiesList(*_CONNECTION, *_CONTENT, *_CALLS).to_dict()
