# ruff: noqa: N818 - each name says what happened, as in the tree below
"""Everything that can go wrong with Qualys: one class for each cause, one sentence for a person.

    QualysError                  exit code 1: try again later, or look at the log
    ├── Refused                  exit code 2: someone has to change something first
    │   ├── SettingsError        a setting is missing, of the wrong type, or contradicts another
    │   ├── BadCredentials       user name, password, client id or client secret are not accepted
    │   ├── ApiAccessMissing     the account may log in, but not use the API
    │   ├── WasMissing           the subscription or the account lacks the WAS module
    │   ├── KbMissing            the account may not read the knowledge base
    │   ├── NotRegistered        nobody has logged in once with this account and accepted the terms
    │   ├── AccountExpired       account or evaluation are over, or the account is inactive
    │   ├── WrongPlatform        what answers is not the API server of a Qualys platform
    │   ├── TrialLicence         counts are told, rows are not given
    │   ├── UntrustedServer      the TLS certificate of the server is not trusted
    │   └── NothingMatches       a web application filter that no application passes
    ├── InvalidRequest           Qualys refused what was asked for (a filter, an operator, a value)
    ├── NotFound                 one object is not there (any more)
    ├── PagingStuck              more rows are announced, but the walk does not get on
    ├── WaitTooLong              Qualys asks for a longer wait than the settings allow
    ├── LineTooLong              one record would not fit into a line of the Singer output
    └── TemporaryError           asked again after a growing wait, up to max_attempts times
        ├── Busy                 a rate or concurrency limit
        ├── Unavailable          an error of the server, maintenance, work still going on
        ├── Unreachable          no connection to the server
        ├── TimedOut             no answer within request_timeout_seconds
        ├── AnswerTooLarge       a page too large to be held
        ├── BrokenAnswer         an answer that is empty, cut, or not what was asked for
        ├── HtmlAnswer           a page for people in place of an answer for programs
        └── LoneRefusal          HTTP 401, which now and then happens to good credentials

Classes differ where the way out differs. The codes are those of the Qualys API user guide,
appendix "Error codes", and of the WAS API's responseCode.
"""

from __future__ import annotations

from typing import ClassVar

from qualyswas_ciscovm.errors import SETTINGS_EXIT, PluginError


class QualysError(PluginError):
    """A sync that cannot go on. `str(error)` is one sentence or two for a person, no secrets."""


class Refused(QualysError):
    """Asking again is of no use before settings, account, licence or network have been changed."""

    exit_code = SETTINGS_EXIT


class SettingsError(Refused):
    """A setting is missing, has the wrong type, or contradicts another one."""


class BadCredentials(Refused):
    """Qualys does not know the login."""

    def __init__(self, place: str, code: str) -> None:
        super().__init__(
            f"Qualys refused the login at {place} ({code}). Check the user name and password, "
            "that the account has API access, and that this is the platform of the account."
        )
        self.place = place
        self.code = code


class ApiAccessMissing(Refused):
    """The login is known but its role lacks the permission that the call needs."""

    def __init__(self, place: str, code: str) -> None:
        super().__init__(
            f"Qualys does not let this account use the API at {place} ({code}). Ask an "
            'administrator of the subscription for the permission "API Access" and for read '
            "rights on Web Application Scanning."
        )
        self.code = code


class WasMissing(Refused):
    """The WAS module is not licensed, or not open to this account."""

    def __init__(self, place: str, code: str) -> None:
        super().__init__(
            f"Web Application Scanning is not available to this account at {place} ({code}). "
            "Check that the subscription has the WAS module and that it is switched on for the "
            "account's role."
        )


class KbMissing(Refused):
    """Everything but the knowledge base may be read."""

    def __init__(self, place: str, code: str) -> None:
        super().__init__(
            f"Qualys does not let this account read the knowledge base at {place} ({code}). Ask an "
            "administrator of the subscription for it, or leave the stream knowledge_base out; "
            "what is read then is not proven to be complete."
        )


class NotRegistered(Refused):
    """The account was created, but its registration has not been completed."""

    def __init__(self, place: str, code: str) -> None:
        super().__init__(
            f"The registration of this Qualys account at {place} is not completed ({code}). Log in "
            "once in the browser with it and accept the terms, then start again."
        )


class AccountExpired(Refused):
    """The account, or the evaluation it belongs to, is over."""

    def __init__(self, place: str, code: str) -> None:
        super().__init__(
            f"The Qualys account at {place} has expired or is inactive ({code}). Ask an "
            "administrator of the subscription, or Qualys, to renew it."
        )


class WrongPlatform(Refused):
    """The address belongs to something that is no Qualys API server."""


class TrialLicence(Refused):
    """Qualys counts rows that it does not give."""

    def __init__(self, stream: str, counted: int) -> None:
        super().__init__(
            f"Qualys counts {counted:,} {stream} but returns none of them, as it does for trial "
            "licences. Ask Qualys for a full WAS API licence; nothing is reported as read."
        )


class UntrustedServer(Refused):
    """The server's certificate cannot be verified."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"The TLS certificate of {place} is not trusted. If a proxy of your own opens the "
            "connection, put the path of its CA certificate into ca_bundle; verification is never "
            "switched off."
        )


class NothingMatches(Refused):
    """A web application filter lets nothing through."""

    def __init__(self, filters: str) -> None:
        super().__init__(
            f"No web application in the scope of this account matches {filters}. Correct the "
            "filter, or remove it to read all web applications."
        )


class InvalidRequest(QualysError):
    """Qualys understood who asks, but not what for."""

    def __init__(self, place: str, code: str, text: str) -> None:
        super().__init__(
            f"Qualys refused a request at {place} ({code}): {text.rstrip('.') or 'no reason given'}"
            ". Check the filter settings; if they are right, report this message."
        )
        self.code = code


class NotFound(QualysError):
    """One object does not exist, or lies outside the scope of the account."""


class PagingStuck(QualysError):
    """The walk through the pages does not get on, so its end would never come."""


class WaitTooLong(QualysError):
    """The server names a wait above `max_wait_seconds`."""

    def __init__(self, cause: str, seconds: float) -> None:
        super().__init__(
            f"{cause} It asks for a wait of {seconds:,.0f} s, more than max_wait_seconds allows. "
            "What was read is kept in the state; start again later, or raise the setting."
        )


class LineTooLong(QualysError):
    """A record that no Singer target could take."""


class TemporaryError(QualysError):
    """Worth asking again.

    Attributes:
        wait_seconds: the wait that the server named, None when it named none.
        lower_concurrency: whether fewer calls at a time would help.
        cuts_first_contact: when Qualys has not answered once in this run, the cause is more
            likely a wrong address than a bad moment, and few attempts will do.
        asks_for_less: whether a smaller page would help.
    """

    wait_seconds: float | None = None
    lower_concurrency: bool = False
    cuts_first_contact: ClassVar[bool] = False
    asks_for_less: ClassVar[bool] = False

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:  # noqa: ARG002 - for some
        """Give the error to end with.

        Args:
            attempts: how often it was asked.
            answered: whether Qualys has given a good answer in this run.
        """
        times = "once" if attempts == 1 else f"{attempts} times"
        error = type(self)(f"{self} Asked {times}; what was read so far is kept in the state.")
        error.wait_seconds = self.wait_seconds
        return error


class Busy(TemporaryError):
    """A limit of calls in a time, or of calls at a time."""


class Unavailable(TemporaryError):
    """The server is there but cannot answer now."""


class Unreachable(TemporaryError):
    """No connection: no such host, nobody listens, or the connection broke."""

    cuts_first_contact = True


class TimedOut(TemporaryError):
    """No answer in time. A smaller page may arrive."""

    asks_for_less = True


class AnswerTooLarge(TemporaryError):
    """A page beyond what is held in memory. A smaller page may fit."""

    asks_for_less = True


class BrokenAnswer(TemporaryError):
    """Not one whole, well-formed answer of the kind that was asked for."""


class HtmlAnswer(TemporaryError):
    """HTML in place of XML: a portal, a proxy, or an outage page."""

    cuts_first_contact = True

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:
        """Give the error to end with: whoever has never answered with anything else is no API."""
        if answered:
            return super().given_up(attempts, answered=answered)
        return WrongPlatform(
            f"{self} Asked {attempts} times. Check region or api_url (the API server's name "
            "begins with qualysapi), and whether a proxy stands between."
        )


class LoneRefusal(TemporaryError):
    """A first HTTP 401. More would lock the account."""

    def __init__(self, place: str, code: str = "HTTP 401") -> None:
        super().__init__(f"{place} answered {code}.")
        self.place = place
        self.code = code

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:  # noqa: ARG002 - a login
        """Give the error to end with."""
        return BadCredentials(self.place, self.code)
