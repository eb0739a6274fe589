"""Why there was no answer: from the exceptions of requests and urllib3 to one sentence."""

from __future__ import annotations

import socket
import ssl

import requests
from urllib3.exceptions import NameResolutionError

from qualyswas_ciscovm.bodies import PATIENCE, Stalled
from qualyswas_ciscovm.causes import causes, proxy_advice, setting_to_blame
from target_ciscovm.errors import (
    BrokenAnswer,
    CiscoVMError,
    SettingsError,
    TimedOut,
    Unreachable,
    UntrustedServer,
)


def explain(error: BaseException, place: str, seconds: float) -> CiscoVMError:
    """Give the error to raise when the exchange with `place` ended in `error`.

    It names only the kind of failure: the texts of the libraries may contain the address of a proxy
    with its password.
    """
    found = list(causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in found):
        return UntrustedServer(place)
    if isinstance(error, requests.exceptions.ProxyError):
        return Unreachable(f"The proxy does not allow connections to {place}{proxy_advice(error)}")
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(
            f"No secure connection to {place} was possible. Check that api_url names an https "
            "server, and that no proxy interrupts the connection."
        )
    if any(isinstance(cause, (socket.gaierror, NameResolutionError)) for cause in found):
        return Unreachable(
            f"The host name of {place} is unknown. Check api_url and the network (DNS, VPN, "
            "HTTPS_PROXY)."
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in found):
        return Unreachable(
            f"{place} refuses the connection. Check api_url and any firewall or proxy in between."
        )
    return _explain_lost(error, place, seconds)


def _explain_lost(error: BaseException, place: str, seconds: float) -> CiscoVMError:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Unreachable(
            f"{place} cannot be reached. Check api_url and any firewall or proxy in between."
        )
    if isinstance(error, Stalled):
        return TimedOut(
            f"{place} kept a call open for {PATIENCE * seconds:,.0f} s without an answer."
        )
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return TimedOut(f"{place} did not answer within {seconds:,.0f} s.")
    if blamed := setting_to_blame(error):
        return SettingsError(blamed)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return BrokenAnswer(f"The answer of {place} cannot be decompressed.")
    return BrokenAnswer(f"The connection to {place} was lost before the answer was complete.")
