"""The session to Qualys that the settings describe: which login goes where."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from tap_qualyswas.qualys.attempts import Attempts
from tap_qualyswas.qualys.auth import BearerAuth, NoAuth, basic_auth, fetch_token
from tap_qualyswas.qualys.client import QualysClient
from tap_qualyswas.qualys.retries import FIRST_WAIT_SECONDS, RetryPolicy
from tap_qualyswas.qualys.transport import Transport

if TYPE_CHECKING:
    import logging

    from requests.auth import AuthBase

    from tap_qualyswas.settings.values import Settings

USER_AGENT: Final = "tap-qualyswas"
LOGIN_HASH_LENGTH: Final = 16


def connect(
    settings: Settings, logger: logging.Logger, *, first_wait: float = FIRST_WAIT_SECONDS
) -> QualysClient:
    """Prepare a session to Qualys. Nothing is sent yet.

    Args:
        settings: of the run.
        logger: gets one line for each wait.
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
    policy = RetryPolicy(settings.max_attempts, settings.max_wait_seconds, first_wait)
    renew_login = None if bearer is None else bearer.forget
    return QualysClient(
        transport,
        Attempts(policy, settings.max_concurrency, logger, renew_login),
        login=login_hash(settings),
        kb_version=settings.knowledge_base_version,
        kb_auth=_basic(settings),
    )


def login_hash(settings: Settings) -> str:
    """Give what tells one user or client from another, and shows neither."""
    name = settings.client_id if settings.auth_method == "oidc" else settings.username
    return hashlib.sha256((name or "").encode()).hexdigest()[:LOGIN_HASH_LENGTH]


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
