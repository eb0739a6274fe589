"""From settings to a QualysClient: which login goes where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_qualyswas.qualys.auth import BearerAuth, NoAuth, basic_auth, fetch_token
from tap_qualyswas.qualys.client import QualysClient
from tap_qualyswas.qualys.retries import RetryPolicy
from tap_qualyswas.qualys.transport import Transport

if TYPE_CHECKING:
    import logging

    from requests.auth import AuthBase

    from tap_qualyswas.settings.values import Settings

USER_AGENT: Final = "tap-qualyswas"
FIRST_WAIT_SECONDS: Final = 1.0


def connect(
    settings: Settings, logger: logging.Logger, *, first_wait: float = FIRST_WAIT_SECONDS
) -> QualysClient:
    """Give the way to Qualys that the settings describe. Nothing is sent yet.

    Args:
        settings: of the run.
        logger: gets one line a wait.
        first_wait: seconds of the first wait of our own.
    """
    bearer = BearerAuth() if settings.auth_method == "oidc" else None
    transport = Transport(
        settings.platform.api_url,
        settings.platform.place,
        auth=bearer or _basic(settings) or NoAuth(),
        ca_bundle=settings.ca_bundle,
        timeout_seconds=settings.request_timeout_seconds,
        connections=settings.max_concurrency,
        user_agent=USER_AGENT,
    )
    if bearer is not None:
        bearer.fetch_by(lambda: _token(settings, transport))
    return QualysClient(
        transport,
        retries=RetryPolicy(settings.max_attempts, settings.max_wait_seconds, first_wait),
        max_concurrency=settings.max_concurrency,
        kb_version=settings.knowledge_base_version,
        kb_auth=_basic(settings),
        logger=logger,
        renew_login=None if bearer is None else bearer.forget,
    )


def _basic(settings: Settings) -> AuthBase | None:
    if settings.username and settings.password:
        return basic_auth(settings.username, settings.password)
    return None


def _token(settings: Settings, transport: Transport) -> str:
    return fetch_token(
        lambda url, headers: transport.post_form(url, headers, NoAuth()),
        settings.platform.gateway_url,
        settings.client_id or "",
        settings.client_secret or "",
    )
