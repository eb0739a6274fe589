"""Why there was no answer: from the exceptions of requests and urllib3 to one sentence."""

from __future__ import annotations

import socket
import ssl
from typing import Final, NamedTuple

import requests

from qualyswas_ciscovm.bodies import PATIENCE, Stalled
from qualyswas_ciscovm.causes import causes, proxy_advice, setting_to_blame
from tap_qualyswas.errors import (
    BrokenAnswer,
    QualysError,
    SettingsError,
    TimedOut,
    Unreachable,
    UntrustedServer,
)

BROKEN: Final = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class Timeout(NamedTuple):
    """How long a server may take, in seconds, and the setting that says so, if any."""

    connect: float
    answer: float
    setting: str = ""

    @property
    def told(self) -> str:
        """How a message gives it."""
        seconds = f"{self.answer:.0f} s"
        return f"{self.setting} ({seconds})" if self.setting else seconds


def explain(error: requests.RequestException, place: str, timeout: Timeout) -> QualysError:
    """Give the error for what `requests` raised, without its text, which may hold the request.

    Args:
        error: of the call.
        place: where it went.
        timeout: how long the server was given.
    """
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
        return UntrustedServer(place)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Unreachable(f"No connection to {place} within {timeout.connect:.0f} s.")
    if isinstance(error, requests.exceptions.Timeout) or "Read timed out" in str(error):
        return TimedOut(f"{place} {_too_slow(error, timeout)}")
    if isinstance(error, BROKEN):
        return BrokenAnswer(f"The answer of {place} broke off or could not be decompressed.")
    if blamed := setting_to_blame(error):
        return SettingsError(blamed)
    return Unreachable(_unreachable(error, place))


def _too_slow(error: requests.RequestException, timeout: Timeout) -> str:
    if isinstance(error, Stalled):
        return f"kept a call open for {PATIENCE * timeout.answer:,.0f} s without an answer."
    return f"did not answer within {timeout.told}."


def _unreachable(error: requests.RequestException, place: str) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return f"The proxy did not let the call to {place} through{proxy_advice(error)}"
    if isinstance(error, requests.exceptions.SSLError):
        # Any break of a TLS connection raises this; only a certificate is a matter of trust.
        return f"No TLS connection to {place} could be made. Check that it is an https server."
    if any(isinstance(cause, socket.gaierror) for cause in causes(error)):
        host = place.removeprefix("The gateway ").partition(" ")[0]
        return f"There is no host {host} in DNS. Check region or api_url, and the network."
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes(error)):
        return (
            f"{place} refuses the connection. Check region or api_url, and any firewall or proxy."
        )
    return f"The connection to {place} failed or was closed by the server."
