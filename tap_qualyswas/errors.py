# ruff: noqa: N818 - each name says what happened, as in the tree below
"""Everything that can go wrong with Qualys: one class for each way out, one message for a person.

    QualysError                  exit code 1: try again later, or look at the log
    ├── Refused                  exit code 2: someone has to change something first
    │   ├── SettingsError        a setting is missing, of the wrong type, or contradicts another
    │   ├── CodedRefusal         the answer says why, by a code or its status
    │   │   ├── BadCredentials   user name, password, client id or client secret are not accepted
    │   │   │   └── BadClient    those of a client, at the gateway
    │   │   ├── ApiAccessMissing the account may log in, but not use the API
    │   │   ├── WasMissing       the subscription or the account lacks the WAS module
    │   │   ├── ReportsMissing   everything but the reports of scans may be read
    │   │   ├── KbMissing        the account may not read the knowledge base
    │   │   ├── NotRegistered    nobody has logged in once with this account and accepted the terms
    │   │   └── AccountExpired   the account or its evaluation has ended, or is inactive
    │   ├── KbRetired            no version of the knowledge base API that is known answers
    │   ├── WrongPlatform        the server is not the API server of a Qualys platform
    │   ├── TrialLicence         rows are counted, but not returned
    │   ├── UntrustedServer      the TLS certificate of the server is not trusted
    │   ├── NothingMatches       no web application passes the filters
    │   └── NoSuchTag            a filter names a tag that Qualys does not have
    ├── InvalidRequest           Qualys refused a request (a filter, an operator, a value)
    │   └── BlockedRequest       a web page in place of each answer to it, that blames the request
    ├── NotFound                 one object does not exist (any more)
    ├── PagingStuck              more rows are announced, but the walk does not advance
    ├── WaitTooLong              Qualys asks for a longer wait than the settings allow
    ├── ReportTooLarge           a report of a scan that is larger than any should be
    ├── UnreadableReports        none of the report files can be read
    ├── ReportChanged            a report file is no longer what it was a moment ago
    ├── LineTooLong              one record does not fit into a line of the Singer output
    └── TemporaryError           tried again after a growing wait, up to max_attempts times
        ├── Busy                 a rate or concurrency limit
        ├── Unavailable          an error of the server, maintenance, unfinished work
        │   ├── Intercepted      a web page that blames a request, of a call that is known
        │   └── Withdrawn        a call is refused that an earlier sync could make
        ├── Unreachable          no connection to the server
        ├── TimedOut             no answer within request_timeout_seconds
        ├── AnswerTooLarge       a page that is too large to be held in memory
        ├── BrokenAnswer         an answer that is empty, cut, or not of the kind asked for
        │   └── DoubtfulAnswer   one that may be cut, and is whole if it comes again
        ├── HtmlAnswer           a web page in place of data
        ├── NoToken              the gateway gave no token
        └── LoneRefusal          one HTTP 401, which good credentials get now and then

The codes are those of the Qualys API user guide, appendix "Error codes", and of the WAS API's
responseCode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from qualyswas_ciscovm.errors import SETTINGS_EXIT, PluginError
from qualyswas_ciscovm.wording import counted, one_line, without_logins

if TYPE_CHECKING:
    from collections.abc import Sequence


class QualysError(PluginError):
    """A sync that cannot go on. `str(error)` is one or two sentences for a person, no secrets."""


def cause_of(error: QualysError) -> str:
    """Give the code of an error with its text where it has one, else what it says."""
    if isinstance(error, CodedRefusal):
        return error.code
    return error.reason if isinstance(error, InvalidRequest) else str(error).rstrip(".")


class Refused(QualysError):
    """Trying again is useless until settings, account, licence or network have been changed."""

    exit_code = SETTINGS_EXIT


class SettingsError(Refused):
    """A setting is missing, has the wrong type, or contradicts another one."""


class CodedRefusal(Refused):
    """An answer that says by a code, or by its status, why it refuses.

    Attributes:
        place: who refused.
        code: the code with its text, or the status.
    """

    text: ClassVar[str]
    """The message, with `place` and `code` to be filled in."""

    def __init__(self, place: str, code: str, note: str = "") -> None:
        super().__init__(self.text.format(place=place, code=code) + note)
        self.place = place
        self.code = code


class BadCredentials(CodedRefusal):
    """Qualys does not accept the login."""

    text = (
        "Qualys refused the login at {place} ({code}). Check the user name and password, that this "
        "is the platform of the account, that the account has API access, and that its "
        "registration is complete: log in with it once in the browser."
    )


class BadClient(BadCredentials):
    """The gateway does not accept the client id and secret."""

    text = (
        "{place} does not accept the Auth ID client ({code}). Check client_id and client_secret, "
        "that the client is active, and gateway_url."
    )


class ApiAccessMissing(CodedRefusal):
    """The login is accepted, but its role lacks the permission that the call needs."""

    text = (
        "Qualys does not let this account use the API at {place} ({code}). Ask an "
        'administrator of the subscription for the permission "API Access" and for read '
        "rights on Web Application Scanning."
    )


class WasMissing(CodedRefusal):
    """The WAS module is not licensed, or not open to this account."""

    text = (
        "Web Application Scanning is not available to this account at {place} ({code}). "
        "Check that the subscription has the WAS module and that the account's role includes "
        "it."
    )


class KbMissing(CodedRefusal):
    """Everything but the knowledge base may be read."""

    text = (
        "Qualys does not let this account read the knowledge base at {place} ({code}). Ask an "
        "administrator of the subscription for access, or deselect the stream knowledge_base: "
        "findings then come without CVEs and solutions."
    )


class ReportsMissing(CodedRefusal):
    """Searches work, but no report of a scan can be had."""

    text = (
        "Qualys gives this account no reports of scans at {place} ({code}). Ask an administrator "
        "of the subscription for the right to view them, or do without: set source to api, and "
        "deselect the stream scan_results."
    )


class KbRetired(Refused):
    """The knowledge base API does not answer in any version that is known."""

    def __init__(self, place: str, code: str, versions: Sequence[str]) -> None:
        super().__init__(
            f"The knowledge base API at {place} does not answer in version "
            f"{' or '.join(versions)} ({code}). Set knowledge_base_version to one that "
            "Qualys supports, or deselect the stream knowledge_base: findings then come without "
            "CVEs and solutions."
        )


class NotRegistered(CodedRefusal):
    """The account exists, but its registration is not complete."""

    text = (
        "The registration of this Qualys account at {place} is not complete ({code}). Log in "
        "with it once in a browser, accept the terms, and run the sync again."
    )


class AccountExpired(CodedRefusal):
    """The account, or the evaluation it belongs to, has ended."""

    text = (
        "The Qualys account at {place} has expired or is inactive ({code}). Ask an "
        "administrator of the subscription, or Qualys, to renew it."
    )


class WrongPlatform(Refused):
    """The address does not belong to a Qualys API server."""


class TrialLicence(Refused):
    """Qualys counts rows that it does not return."""

    def __init__(self, stream: str, count: int) -> None:
        super().__init__(
            f"Qualys counts {count:,} {stream} but returns none of them, as it does for trial "
            "licences. Nothing was read. Ask Qualys for a full WAS API licence."
        )


class UntrustedServer(Refused):
    """The server's certificate cannot be verified."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"The TLS certificate of {place} is not trusted. If a proxy of your own opens TLS "
            "connections, set ca_bundle to the file with its CA certificate. Verification cannot "
            "be switched off."
        )


class NothingMatches(Refused):
    """No web application passes the filters."""

    def __init__(self, filters: str) -> None:
        super().__init__(
            f"No web application in the scope of this account matches {filters}. Correct the "
            "filter, or remove it to read all web applications."
        )


class NoSuchTag(Refused):
    """A filter names a tag that Qualys does not have, as far as the account can tell.

    Args:
        setting: the filter.
        name: of the tag.
        unsure: why it is not known whether there is such a tag; None when it is known.
    """

    def __init__(self, setting: str, name: str, unsure: str | None = None) -> None:
        told = (
            "which Qualys does not have"
            if unsure is None
            else "which no web application has; the account may not read tags to tell whether "
            f"there is such a tag ({unsure})"
        )
        super().__init__(
            f"{setting} names the tag {name!r}, {told}. Check the spelling, or remove the name."
        )


class InvalidRequest(QualysError):
    """Qualys knows who asks, but refuses the request."""

    def __init__(self, place: str, code: str, text: str) -> None:
        super().__init__(
            f"Qualys refused a request at {place} ({code}): {text.rstrip('.') or 'no reason given'}"
            ". Check the filter settings; if they are right, report this message."
        )
        self.place = place
        self.code = code
        self.reason = one_line(without_logins(f"{code}: {text}" if text else code))


class BlockedRequest(InvalidRequest):
    """Each attempt was answered with a web page whose status blames the request.

    A firewall may do so, which lets other requests through.
    """

    def __init__(self, place: str, code: str, message: str) -> None:
        super().__init__(place, code, "")
        self.args = (message,)


class NotFound(QualysError):
    """One object does not exist, or lies outside the scope of the account."""


class PagingStuck(QualysError):
    """The walk through the pages does not advance, so it would never end."""


class WaitTooLong(QualysError):
    """The server asks for a wait above `max_wait_seconds`."""

    def __init__(self, cause: str, seconds: float) -> None:
        super().__init__(
            f"{cause} Qualys asks for a wait of {seconds:,.0f} s, more than max_wait_seconds "
            "allows. What was read is kept in the state. Start again later, or raise the setting."
        )


class ReportTooLarge(QualysError):
    """A report of a scan above the limit of a download."""


class UnreadableReports(QualysError):
    """None of the report files can be read."""

    def __init__(self, files: int) -> None:
        super().__init__(
            f"None of {counted(files, 'report file')} in report_paths can be read; the log says "
            "why. Export them again."
        )


class ReportChanged(QualysError):
    """A report file that could be read before can no longer be read."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"The report {path} changed while it was read ({reason}). Run the sync again when the "
            "files are complete."
        )


class LineTooLong(QualysError):
    """A record that no Singer target could take."""


class TemporaryError(QualysError):
    """Worth another attempt.

    Attributes:
        wait_seconds: the wait that the server asks for; None when it does not say.
        lower_concurrency: whether fewer calls at a time would help.
        cuts_first_contact: whether few attempts will do while Qualys has not answered once in this
            run: the cause is more likely a wrong address than a bad moment.
        asks_for_less: whether a smaller page would help.
        blames_address: whether it is taken for that of a wrong address while nothing has shown, in
            this run or an earlier one, that the address is right.
    """

    wait_seconds: float | None = None
    lower_concurrency: bool = False
    cuts_first_contact: ClassVar[bool] = False
    asks_for_less: ClassVar[bool] = False
    blames_address: ClassVar[bool] = False

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:
        """Give the error to end with.

        Args:
            attempts: how many were made.
            answered: whether Qualys has given a good answer, as far as that matters for this error.
        """
        error = type(self)(f"{self} {_gave_up(attempts, answered=answered)}")
        error.wait_seconds = self.wait_seconds
        return error


def _gave_up(attempts: int, *, answered: bool = True) -> str:
    ending = "What was read is kept in the state." if answered else "Nothing was read."
    return f"Gave up after {counted(attempts, 'attempt')}. {ending}"


class Busy(TemporaryError):
    """A limit of calls in a time, or of calls at a time."""


class Unavailable(TemporaryError):
    """The server is there but cannot answer now."""


class Intercepted(Unavailable):
    """A web page in place of an answer, with a status that blames the request, of a known call.

    Args:
        place: who answered.
        code: status and first words of the answer.
        passing: what it is taken for until the attempts are used up.
    """

    def __init__(self, place: str, code: str, passing: Unavailable) -> None:
        super().__init__(str(passing))
        self._place = place
        self._code = code
        self._passing = passing

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:
        """Give the error to end with: by then it may be this request that does not get through."""
        ending = self._passing.given_up(attempts, answered=answered)
        return BlockedRequest(self._place, self._code, str(ending))


class Withdrawn(Unavailable):
    """A call that an earlier sync could make is refused, without a code that says why.

    Attributes:
        place: who refused.
        code: status and first words of the answer.
    """

    def __init__(self, place: str, code: str, *, ending: str = "") -> None:
        super().__init__(
            f"{place} answered {code}, though an earlier sync could make this call.{ending}"
        )
        self.place = place
        self.code = code

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:  # noqa: ARG002 - a proxy's
        """Give the error to end with, which tells what else it can be."""
        ending = (
            f" {_gave_up(attempts)} If it lasts, check that the account still has API access and "
            "the WAS module."
        )
        return Withdrawn(self.place, self.code, ending=ending)


class Unreachable(TemporaryError):
    """No connection: no such host, nobody listens, or the connection broke."""

    cuts_first_contact = True


class TimedOut(TemporaryError):
    """No answer in time. A smaller page may arrive."""

    cuts_first_contact = True
    asks_for_less = True


class AnswerTooLarge(TemporaryError):
    """A page that is too large to be held in memory. A smaller page may fit."""

    asks_for_less = True


class BrokenAnswer(TemporaryError):
    """Not one whole, well-formed answer of the kind that was asked for."""


class DoubtfulAnswer(BrokenAnswer):
    """Perhaps broken, and perhaps all that there is: then it comes again.

    So it is asked for twice at least, whatever max_attempts says: each sync would end at it.
    """


class HtmlAnswer(TemporaryError):
    """HTML in place of XML: a portal, a proxy, or an outage page."""

    cuts_first_contact = True
    blames_address = True

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:
        """Give the error to end with: a server that has never answered otherwise is not an API."""
        if answered:
            return super().given_up(attempts, answered=answered)
        return WrongPlatform(
            f"{self} Gave up after {counted(attempts, 'attempt')}. Check region or api_url (the "
            "name of the API server begins with qualysapi), and whether a proxy is in the way."
        )


class NoToken(TemporaryError):
    """The gateway answered, but not with a token."""

    cuts_first_contact = True
    blames_address = True

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:
        """Give the error to end with: what has never given a token is no gateway."""
        if answered:
            return super().given_up(attempts, answered=answered)
        return WrongPlatform(f"{self} Gave up after {counted(attempts, 'attempt')}.")


class LoneRefusal(TemporaryError):
    """A first HTTP 401. More of them would lock the account."""

    def __init__(self, place: str, code: str, note: str = "") -> None:
        super().__init__(f"{place} answered {code}.")
        self.refusal = BadCredentials(place, code, note)

    def given_up(self, attempts: int, *, answered: bool) -> QualysError:  # noqa: ARG002 - a login
        """Give the error to end with."""
        return self.refusal
