"""What Qualys is asked about what it refuses, and in which words."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import requests

from tests.probe.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.probe.qualys import Account

UNKNOWN_QID: Final = 90_000_000
"""From here on there are no entries, so that the answers are small."""
KB_VERSIONS: Final = ("2.0", "3.0", "4.0")
KB_IDS: Final = (1000, 500, 250, 100, 50, 20, 5, 1)
AT_ONCE: Final = 8
"""Calls at a time that no usual subscription allows; they are read calls of one id each."""
WAIT_HEADERS: Final = ("X-RateLimit-ToWait-Sec", "Retry-After")
SPARED: Final = (
    ("wasscan", "resultsStatus", "EQUALS", "SUCCESSFUL"),
    ("wasscan", "launchedDate", "GREATER", "2020-01-01T00:00:00Z"),
    ("finding", "lastTestedDate", "GREATER", "2020-01-01T00:00:00Z"),
    ("finding", "ignoredDate", "GREATER", "2020-01-01T00:00:00Z"),
)
"""Criteria that searches are asked without where they are refused."""
NO_SCAN: Final = 2**62


def ask(account: Account) -> Iterator[Answer]:
    """Ask what is refused."""
    open_to_all = account.call("/qps/rest/portal/version").status_code == 200
    yield Answer("May the account ask for the portal's version?", open_to_all, "portal_version")
    refused = tuple(
        f"{kind}.{name}"
        for kind, name, operator, value in SPARED
        if not account.search(kind, (name, operator, value), limitResults=1).taken
    )
    yield Answer("Criteria that searches refuse:", refused, "refused_criteria")
    yield Answer("The report of a scan that is not there:", _missing_report(account))
    yield from _knowledge_base(account)
    yield from _token(account)


def _missing_report(account: Account) -> str:
    answer = account.call(f"/qps/rest/3.0/download/was/wasscan/{NO_SCAN}")
    return _words(answer)


def _knowledge_base(account: Account) -> Iterator[Answer]:
    answering = [
        version
        for version in KB_VERSIONS
        if account.knowledge_base([1], version).status_code == 200
    ]
    if not answering:
        yield Answer("The knowledge base answers:", _words(account.knowledge_base([1])))
        return
    oldest = answering[0]
    yield Answer("The oldest version of the knowledge base is", oldest, "kb_oldest_version")
    most = next((ids for ids in KB_IDS if _takes(account, ids, oldest)), 0)
    yield Answer("Ids in one call of the knowledge base at most:", most, "kb_max_ids")
    yield from _concurrency(account, oldest)


def _takes(account: Account, ids: int, version: str) -> bool:
    qids = range(UNKNOWN_QID, UNKNOWN_QID + ids)
    return account.knowledge_base(qids, version).status_code == 200


def _concurrency(account: Account, version: str) -> Iterator[Answer]:
    """Make more calls at a time than are allowed, and tell what the blocked one was answered."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [*pool.map(lambda _: account.knowledge_base([1], version), range(AT_ONCE))]
    blocked = next((one for one in answers if b"<CODE>1960</CODE>" in one.content), None)
    if blocked is None:
        yield Answer(f"Are {AT_ONCE} calls at a time blocked?", told=False)
        return
    wait = blocked.headers.get("X-RateLimit-ToWait-Sec")
    told = int(wait) if wait and wait.isdecimal() else wait
    yield Answer("The wait that a 1960 names in its header:", told, "concurrency_wait")
    named = {name: blocked.headers[name] for name in WAIT_HEADERS if name in blocked.headers}
    yield Answer("What a 1960 says:", f"{_words(blocked)} {named}")


def _token(account: Account) -> Iterator[Answer]:
    settings = account.settings
    if not (settings.client_id and settings.client_secret):
        return
    answer = requests.post(
        f"{settings.platform.gateway_url}/auth/oidc",
        headers={
            "clientId": settings.client_id,
            "clientSecret": settings.client_secret,
            "Content-Type": "application/x-www-form-urlencoded",
        },
        timeout=300,
        verify=settings.ca_bundle or True,
    )
    form = "json" if answer.text.lstrip().startswith("{") else "bare"
    yield Answer("The gateway gives the token", form if answer.ok else _words(answer), "token_form")


def _words(answer: requests.Response) -> str:
    """Tell status, content type and the text of an answer."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    text = " ".join(re.sub(r"<[^<>]*>", " ", answer.text[:2000]).split())
    return f"HTTP {answer.status_code}, {kind}: {text[:200]}"
