"""Answers that are meant to do harm are refused in words: nothing is fetched or blown up."""

from __future__ import annotations

import base64
import html
import json
import time
import urllib.parse
from io import BytesIO
from typing import Final

import pytest

from tap_qualyswas.errors import BrokenAnswer, QualysError
from tap_qualyswas.records.parsing import HEAD_BYTES, parse, read_large
from tests.tap.scripted import (
    COUNT,
    FINDINGS,
    KB,
    SEARCH,
    Answer,
    ScriptedServer,
    failure,
    finding,
    page,
)
from tests.tap.syncs import sync_here

TENS: Final = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB: Final = f'<!DOCTYPE a [<!ENTITY l0 "lol">{TENS}]>'
ROW: Final = "<a><row><id>&l9;</id></row></a>"
PLACES: Final = (f"{SEARCH}webapp", f"{SEARCH}wasscan", FINDINGS, KB)


def with_entity(text: str, declared: str) -> str:
    """Put a declaration before an answer's root element, and a reference into it."""
    body = text.partition("?>")[2] or text
    return f'<?xml version="1.0"?>{declared}{body.replace("</", "&x;</", 1)}'


@pytest.mark.parametrize("where", PLACES)
def test_entities_are_never_fetched_from_wherever_they_are_declared_to_be(where: str) -> None:
    with ScriptedServer() as elsewhere:
        declared = (
            f'<!DOCTYPE a SYSTEM "{elsewhere.url}/a.dtd" '
            f'[<!ENTITY x SYSTEM "{elsewhere.url}/x"><!ENTITY % p SYSTEM "{elsewhere.url}/p"> %p;]>'
        )
        answers = {FINDINGS: [Answer(page(finding(1)))]} if where == KB else {}
        answers[where] = [Answer(with_entity(page(finding(1)), declared))]
        with (
            ScriptedServer(answers) as server,
            pytest.raises(BrokenAnswer, match="entities"),
        ):
            sync_here({**server.config, "finding_types": ["VULNERABILITY"], "max_attempts": 1})

        assert elsewhere.requests == []


def test_a_bomb_of_entities_is_refused_in_every_kind_of_answer() -> None:
    body = (BOMB + ROW).encode()

    with pytest.raises(BrokenAnswer, match="entities"):
        parse(body)
    with pytest.raises(BrokenAnswer, match="entities"):
        read_large(BytesIO(body), ("row",), lambda: lambda element: element.findtext("id"))


@pytest.mark.parametrize("depth", [10_000, 1_000_000])
def test_elements_nested_without_end_are_refused(depth: int) -> None:
    with pytest.raises(BrokenAnswer):
        parse(b"<a>" * depth + b"</a>" * depth)


def test_an_attribute_of_many_megabytes_does_no_harm() -> None:
    assert parse(b'<a b="' + b"x" * 12_000_000 + b'"><c>1</c></a>').root.findtext("c") == "1"


@pytest.mark.parametrize("before", [b"", b"<!--" + b"x" * HEAD_BYTES + b"-->"])
def test_entities_of_a_large_document_are_refused_wherever_they_stand(before: bytes) -> None:
    body = before + b'<!DOCTYPE a [<!ENTITY x "y">]><a><row><id>1&x;2</id></row></a>'

    with pytest.raises(BrokenAnswer):
        read_large(BytesIO(body), ("row",), lambda: lambda element: element.findtext("id"))


LENGTH: Final = 1 << 18
SECONDS: Final = 2.0
"""Of CPU, with the server and all the rest of the sync."""
STEERING: Final = "\x9b31m\x7f\u202egnp\x85"
BOTH: Final = (f"{COUNT}webapp", f"{SEARCH}webapp")
"""A sync goes on without a count that is refused, and says so; not without a search."""
LOGIN_IN_URL: Final = "https://alex:s3cret@app1.example.test/"


@pytest.mark.parametrize("code", ["INVALID_REQUEST", "OTHER_ERROR", "INVALID_CREDENTIALS"])
def test_what_an_error_quotes_steers_no_terminal_and_shows_no_login(code: str) -> None:
    answer = Answer(failure(code, f"not for {STEERING} {LOGIN_IN_URL}"))
    with (
        ScriptedServer(always=dict.fromkeys(BOTH, answer)) as server,
        pytest.raises(QualysError) as raised,
    ):
        sync_here({**server.config, "max_attempts": 2})

    log: str = raised.value.outcome.log  # type: ignore[attr-defined] # set by sync_here
    told = f"{log}{raised.value}"
    assert "s3cret" not in told
    assert not any(letter in told for letter in STEERING if not letter.isalnum())
    assert "https://app1.example.test/" in told or code == "INVALID_CREDENTIALS"


def test_names_of_fields_from_outside_do_not_flood_the_log() -> None:
    fields = "".join(f"<n{number}{'x' * 10_000}/>" for number in range(200))
    row = finding(1).replace("</Finding>", f"{fields}</Finding>")
    with ScriptedServer({FINDINGS: [Answer(page(row))]}) as server:
        outcome = sync_here({**server.config, "finding_types": ["VULNERABILITY"]})

    line = next(one for one in outcome.log.splitlines() if "not in the schema" in one)
    assert "Finding.n100xxx" in line
    assert ", and 150 more" in line
    assert len(line) < 10_000


@pytest.mark.parametrize("code", ["INVALID_REQUEST", "INVALID_CREDENTIALS", "OTHER_ERROR"])
def test_an_error_that_repeats_the_login_is_told_without_it(code: str) -> None:
    password = "hidden-word"
    login = base64.b64encode(f"someone:{password}".encode()).decode()
    body = (
        f"<ServiceResponse><responseCode>{code}</responseCode><responseErrorDetails>"
        f"<errorMessage>not for {password}, Basic {login}</errorMessage>"
        "</responseErrorDetails></ServiceResponse>"
    )
    with (
        ScriptedServer(always=dict.fromkeys(BOTH, Answer(body))) as server,
        pytest.raises(QualysError) as raised,
    ):
        sync_here({**server.config, "username": "someone", "password": password, "max_attempts": 1})

    assert "not for ***" in str(raised.value) or code == "INVALID_CREDENTIALS"
    assert password not in str(raised.value)
    assert login not in str(raised.value)


PASSWORD: Final = 'p&s"<w>/ü% x'


@pytest.mark.parametrize(
    "spelled",
    [
        PASSWORD,
        html.escape(PASSWORD),
        urllib.parse.quote(PASSWORD),
        urllib.parse.quote(PASSWORD, safe=""),
        urllib.parse.quote_plus(PASSWORD),
        json.dumps(PASSWORD)[1:-1],
    ],
)
def test_a_password_that_is_repeated_in_another_spelling_is_not_told(spelled: str) -> None:
    answer = Answer(failure("INVALID_REQUEST", f"not for {spelled}."))
    with (
        ScriptedServer(always=dict.fromkeys(BOTH, answer)) as server,
        pytest.raises(QualysError, match=r"not for \*\*\*\."),
    ):
        sync_here({**server.config, "password": PASSWORD, "max_attempts": 1})


@pytest.mark.parametrize("opening", ["<!--", "<!DOCTYPE ", "<![CDATA[", "<?xml ", "&a;", "&#"])
@pytest.mark.parametrize("where", PLACES)
def test_an_answer_that_opens_without_end_is_given_up_at_once(where: str, opening: str) -> None:
    answers = {FINDINGS: [Answer(page(finding(1)))]} if where == KB else {}
    answers[where] = [Answer(f"<a/>{opening * (LENGTH // len(opening))}")]
    began = time.process_time()
    with ScriptedServer(answers) as server, pytest.raises(BrokenAnswer):
        sync_here({**server.config, "finding_types": ["VULNERABILITY"], "max_attempts": 1})

    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("where", PLACES[:3])
def test_a_redirect_to_what_is_no_url_is_told_in_words(where: str) -> None:
    answer = Answer("", 302, {"Location": "https://[::1/"})
    with ScriptedServer(always={where: answer}) as server, pytest.raises(QualysError) as raised:
        sync_here({**server.config, "max_attempts": 2})

    assert "redirect to another address" in str(raised.value)


@pytest.mark.parametrize(
    ("body", "told"),
    [("x" * 1_048_577, "more than 1,048,576 bytes"), ("[" * 100_000, "gave no token")],
)
def test_a_gateway_that_answers_with_anything_but_a_token_is_told(body: str, told: str) -> None:
    with ScriptedServer(always={"/auth/oidc": Answer(body)}) as server:
        login = {"auth_method": "oidc", "client_id": "someone", "client_secret": "hidden-word"}
        settings = {"api_url": server.url, "gateway_url": server.url, **login}
        with pytest.raises(QualysError, match=told):
            sync_here({**settings, "max_attempts": 1})
