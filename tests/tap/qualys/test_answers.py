"""What an answer is: data, or the one error that it stands for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from requests.structures import CaseInsensitiveDict

from tap_qualyswas import errors
from tap_qualyswas.qualys.answers import read_kb_answer, read_service_answer
from tap_qualyswas.qualys.reply import Reply
from tests.tap.scripted import count_xml, failure, finding, page, simple_return

HTML = "<!DOCTYPE html><html><body>Sign in</body></html>"


def reply(body: str, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        "qualysapi.qg2.apps.qualys.com (region US2)",
        status,
        CaseInsensitiveDict({"Content-Type": "application/xml", **named}),
        body.encode(),
    )


def test_a_page_tells_its_rows_and_whether_there_are_more() -> None:
    answer = read_service_answer(reply(page(finding(1), finding(2), more="true", last_id=2)))

    assert [row.findtext("id") for row in answer.rows] == ["1", "2"]
    assert (answer.count, answer.more, answer.last_id) == (2, True, 2)


@pytest.mark.parametrize(
    ("spelling", "more"),
    [
        ("true", True),
        ("TRUE", True),
        (" True ", True),
        ("1", True),
        ("false", False),
        ("False", False),
        ("0", False),
        ("", None),
        ("maybe", None),
        (None, None),
    ],
)
def test_more_is_read_in_any_spelling(spelling: str | None, more: bool | None) -> None:
    assert read_service_answer(reply(page(finding(1), more=spelling))).more is more


@pytest.mark.parametrize(
    "body",
    [
        page(data=False),
        page(data=False, more=None),
        page(),
        count_xml(0),
        "<ServiceResponse><responseCode>SUCCESS</responseCode><data>\n   </data></ServiceResponse>",
    ],
)
def test_an_empty_result_in_each_recorded_form_has_no_rows(body: str) -> None:
    answer = read_service_answer(reply(body))

    assert list(answer.rows) == []
    assert not answer.more


@pytest.mark.parametrize(
    ("code", "kind", "exit_code"),
    [
        ("AUTH_CREDENTIALS_NEEDED", errors.BadCredentials, 2),
        ("INVALID_CREDENTIALS", errors.BadCredentials, 2),
        ("UNAUTHORIZED", errors.ApiAccessMissing, 2),
        ("UNAUTHORIZED_DESTINATION_APPS", errors.WasMissing, 2),
        ("EVALUATION_EXPIRED", errors.AccountExpired, 2),
        ("INVALID_REQUEST", errors.InvalidRequest, 1),
        ("INVALID_PARAM", errors.InvalidRequest, 1),
        ("OPERATION_NOT_SUPPORTED", errors.InvalidRequest, 1),
        ("UNKNOWN_OBJECT", errors.InvalidRequest, 1),
        ("NOT_FOUND", errors.NotFound, 1),
        ("STILL_PROCESSING", errors.Unavailable, 1),
        ("RMI_SERVER_DOWN", errors.Unavailable, 1),
        ("JMS_SERVER_DOWN", errors.Unavailable, 1),
        ("OTHER_ERROR", errors.Unavailable, 1),
        ("LIMIT_EXCEEDED", errors.Busy, 1),
        ("SOMETHING_NEW", errors.Unavailable, 1),
    ],
)
def test_each_response_code_inside_http_200_is_its_error(
    code: str, kind: type[errors.QualysError], exit_code: int
) -> None:
    with pytest.raises(errors.QualysError) as raised:
        read_service_answer(reply(failure(code, "What happened.", "What to do.")))

    assert type(raised.value) is kind
    assert raised.value.exit_code == exit_code


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (2000, 401, errors.BadCredentials),
        (2001, 200, errors.AccountExpired),
        (2002, 403, errors.AccountExpired),
        (2003, 403, errors.NotRegistered),
        (2003, 401, errors.NotRegistered),
        (2011, 401, errors.BadCredentials),
        (2012, 403, errors.ApiAccessMissing),
        (1901, 400, errors.InvalidRequest),
        (1905, 400, errors.InvalidRequest),
        (1922, 400, errors.InvalidRequest),
        (1960, 409, errors.Busy),
        (1965, 409, errors.Busy),
        (1965, 400, errors.Busy),
        (1905, 409, errors.InvalidRequest),
        (1905, 429, errors.InvalidRequest),
        (1920, 409, errors.Unavailable),
        (4711, 409, errors.Unavailable),
        (4711, 429, errors.Busy),
        (1981, 202, errors.Unavailable),
        (1999, 503, errors.Unavailable),
        (999, 500, errors.Unavailable),
    ],
)
@pytest.mark.parametrize("read", [read_service_answer, read_kb_answer])
def test_each_code_of_the_fo_api_is_its_error(
    code: int, status: int, kind: type[errors.QualysError], read: object
) -> None:
    assert callable(read)

    with pytest.raises(errors.QualysError) as raised:
        read(reply(simple_return(code, "Text."), status))

    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.LoneRefusal),
        (403, errors.ApiAccessMissing),
        (404, errors.WasMissing),
        (410, errors.WasMissing),
        (204, errors.Unavailable),
        (408, errors.Unavailable),
        (425, errors.Unavailable),
        (400, errors.InvalidRequest),
        (202, errors.Unavailable),
        (409, errors.Busy),
        (429, errors.Busy),
        *[(status, errors.Unavailable) for status in (500, 501, 502, 503, 504, 520)],
    ],
)
@pytest.mark.parametrize("body", ["", HTML, "oops", "<a>cut"])
def test_a_status_counts_when_the_body_says_nothing(
    status: int, kind: type[errors.QualysError], body: str
) -> None:
    with pytest.raises(errors.QualysError) as raised:
        read_service_answer(reply(body, status))

    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("", errors.BrokenAnswer, "empty"),
        ("{}", errors.BrokenAnswer, "not XML"),
        (page(finding(1))[:-30], errors.BrokenAnswer, "cut"),
        ("<feed/>", errors.BrokenAnswer, "unexpected kind of document (feed)"),
        ("<ServiceResponse/>", errors.BrokenAnswer, "without a responseCode"),
        (HTML, errors.HtmlAnswer, "web page"),
        ("<html><head></head></html>", errors.HtmlAnswer, "web page"),
        ('<?xml version="1.0"?><html><p>Log in</p></html>', errors.HtmlAnswer, '"Log in"'),
        ("\ufeff<!-- 1 --><html><p>Log in</p></html>", errors.HtmlAnswer, '"Log in"'),
        (" " * 3000 + "<html><p>Log in</p></html>", errors.HtmlAnswer, '"Log in"'),
        ("<script>go()</script><p>Log in", errors.HtmlAnswer, '"Log in"'),
        ("<center><h1>502 Bad Gateway</h1><hr>", errors.HtmlAnswer, '"502 Bad Gateway"'),
        ("<s:Envelope xmlns:s='x'>Blocked</s:Envelope>", errors.BrokenAnswer, '"Blocked"'),
        ("<feed><p>Blocked", errors.BrokenAnswer, '"Blocked"'),
    ],
)
def test_what_is_no_answer_is_never_an_empty_page(
    body: str, kind: type[errors.QualysError], words: str
) -> None:
    with pytest.raises(kind) as raised:
        read_service_answer(reply(body))

    assert words in str(raised.value)


@pytest.mark.parametrize("body", ['{"fault": "no such route"}', "no such route"])
def test_what_is_neither_xml_nor_a_page_is_told_by_its_first_words(body: str) -> None:
    with pytest.raises(errors.BrokenAnswer, match="no such route"):
        read_service_answer(reply(body))


def test_data_that_was_cut_is_not_repeated() -> None:
    with pytest.raises(errors.BrokenAnswer) as raised:
        read_service_answer(reply(page(finding(1))[:-30]))

    assert "Weakness" not in str(raised.value)


def test_html_is_told_by_its_content_type_too() -> None:
    with pytest.raises(errors.HtmlAnswer):
        read_service_answer(reply("Please wait", Content_Type="text/html; charset=utf-8"))


def test_a_redirect_is_refused_and_names_where_to() -> None:
    with pytest.raises(errors.WrongPlatform, match=r"redirect to login\.example\.test"):
        read_service_answer(reply("", 302, Location="https://login.example.test/x?y"))


@pytest.mark.parametrize("status", [301, 302, 307, 403, 404, 410])
def test_a_call_that_has_worked_is_not_suddenly_missing_or_elsewhere(status: int) -> None:
    answer = replace(reply(HTML, status, Content_Type="text/html"), has_worked=True)

    with pytest.raises(errors.Unavailable, match="other calls have worked in this run"):
        read_service_answer(answer)


def test_what_a_page_says_is_told_in_its_first_words() -> None:
    page = f"<p>Hello\x1b[31m\n there</p><script>no()</script>{'x ' * 500}"
    answer = reply(page, 502, Content_Type="text/html; charset=utf-8")

    with pytest.raises(errors.Unavailable) as raised:
        read_service_answer(answer)

    told = str(raised.value).partition("502, ")[2]
    assert told.startswith('text/html: "Hello')
    assert "\x1b" not in told
    assert "no()" not in told
    assert len(told) < 110


@pytest.mark.parametrize("spelled", ["p&ss <1>", "p&amp;ss &lt;1&gt;", "p%26ss+%3C1%3E"])
@pytest.mark.parametrize("before", ["", "x" * 4060, "<br>" * 1014, "<br>" * 1021])
def test_a_page_that_repeats_the_password_does_not_tell_it(spelled: str, before: str) -> None:
    page = f"<html>{before} {spelled} {before}</html>"
    answer = replace(reply(page, 403), secrets=("p&ss <1>",))

    with pytest.raises(errors.ApiAccessMissing) as raised:
        read_service_answer(answer)

    assert not any(part in str(raised.value) for part in ("p&s", "p&amp", "p%26"))


@pytest.mark.parametrize(
    ("answer", "wait", "lower"),
    [
        (reply("", 429, X_RateLimit_ToWait_Sec="7"), 7, False),
        (reply('{"message": "Try again in 8 seconds"}', 429), 8, False),
        (reply("<html>Try again in 8 seconds", 429, Retry_After="7"), 7, False),
        (reply(simple_return(1965, "Try again in 9 seconds."), 409), 9, False),
        (reply(simple_return(1965, "", {"SECONDS_TO_WAIT": "11"}), 409), 11, False),
        (reply(simple_return(1965), 409, Retry_After="soon"), None, False),
        (reply(simple_return(1960, "busy"), 409), None, True),
        (reply(simple_return(1960), 409, X_RateLimit_ToWait_Sec="0"), None, True),
        (reply(simple_return(1920, "blocked for 5 seconds"), 409), None, False),
        (reply(simple_return(1999), 503, Retry_After="60"), 60, False),
    ],
)
def test_the_wait_is_the_servers_where_it_names_one(
    answer: Reply, wait: float | None, lower: bool
) -> None:
    with pytest.raises(errors.TemporaryError) as raised:
        read_kb_answer(answer)

    assert raised.value.wait_seconds == wait
    assert raised.value.lower_concurrency is lower


def test_messages_name_thing_cause_and_next_step() -> None:
    with pytest.raises(errors.BadCredentials) as raised:
        read_service_answer(reply(failure("INVALID_CREDENTIALS", "Authentication failed")))

    assert str(raised.value) == (
        "Qualys refused the login at qualysapi.qg2.apps.qualys.com (region US2) "
        "(INVALID_CREDENTIALS: Authentication failed). Check the user name and password, that this "
        "is the platform of the account, that the account has API access, and that its "
        "registration is complete: log in with it once in the browser."
    )


def test_a_knowledge_base_without_entries_is_no_error() -> None:
    root = "KNOWLEDGE_BASE_VULN_LIST_OUTPUT"
    body = f"<{root}><RESPONSE><DATETIME/></RESPONSE></{root}>"

    assert read_kb_answer(reply(body))[0] == []


def test_old_return_documents_are_errors_too() -> None:
    told = '<RETURN status="FAILED" number="2003">Register first</RETURN>'
    body = f"<GENERIC_RETURN>{told}</GENERIC_RETURN>"

    with pytest.raises(errors.NotRegistered):
        read_kb_answer(reply(body))


def test_a_page_in_another_encoding_is_described() -> None:
    page_of_a_proxy = replace(reply(""), body=b"<p>Acc\xe8s refus\xe9</p>")

    assert page_of_a_proxy.described().endswith('"Acc\ufffds refus\ufffd"')
