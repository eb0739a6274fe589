"""A URL has one spelling; a path belongs to its web application; a word is no URL."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from target_ciscovm.mapping.urls import MAX_URL, host_of, resolved, tidy_url


@pytest.mark.parametrize(
    ("given_url", "url"),
    [
        ("https://app1.example.test/page1", "https://app1.example.test/page1"),
        ("HTTPS://App1.Example.TEST/Page1", "https://app1.example.test/Page1"),
        ("https://app1.example.test/p?q=%3Cscript%3E", "https://app1.example.test/p"),
        ("https://app1.example.test/p#top", "https://app1.example.test/p"),
        ("https://app1.example.test/p?q#top", "https://app1.example.test/p"),
        ("https://app1.example.test?q", "https://app1.example.test/"),
        ("https://app1.example.test:8443/p", "https://app1.example.test:8443/p"),
        ("https://user:pass@app1.example.test/p", "https://app1.example.test/p"),
        ("https://user@x:p@ss@app1.example.test/p", "https://app1.example.test/p"),
        ("https://[2001:DB8::1]:443/p", "https://[2001:db8::1]/p"),
        ("https://[2001:DB8::1]:8443/p", "https://[2001:db8::1]:8443/p"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/"),
        ("https://app1.example.test.:8443/p", "https://app1.example.test:8443/p"),
        ("http://app1.example.test:443/", "http://app1.example.test:443/"),
        ("https://app1.example.test:80/", "https://app1.example.test:80/"),
        ("https://app1.example.test:/p", "https://app1.example.test/p"),
        ("https://[broken/p?x", "https://[broken/p"),
        ("  https://app1.example.test/p \n", "https://app1.example.test/p"),
        ("https://app1.example.test/a b/\u00e9", "https://app1.example.test/a b/\u00e9"),
        ("https://app1.example.test/a\r\n\x00b", "https://app1.example.test/ab"),
        ("https://app1.example.test//a/../b/", "https://app1.example.test//a/../b/"),
        ("App1.example.test/P?x=1#y", "app1.example.test/P"),
        ("app1.example.test:8443", "app1.example.test:8443"),
        ("192.0.2.7/p", "192.0.2.7/p"),
        ("localhost/p", "localhost/p"),
    ],
)
def test_a_url_has_one_spelling(given_url: str, url: str) -> None:
    assert tidy_url(given_url) == url


ONE = "https://store1.example.test/"


@pytest.mark.parametrize(
    "url",
    [
        "https://store1.example.test",
        "https://store1.example.test/",
        "https://store1.example.test:443",
        "https://store1.example.test:443/",
        "https://store1.example.test.",
        "https://store1.example.test./",
        "https://store1.example.test.:443/",
        "HTTPS://STORE1.example.test",
        "https://store1.example.test/#top",
        "https://store1.example.test?x=1",
        "https://user:password@store1.example.test",
    ],
)
def test_the_front_page_of_a_host_is_one_asset_in_all_its_spellings(url: str) -> None:
    assert tidy_url(url) == ONE


@pytest.mark.parametrize("url", ["N/A", "n/a", "-", "None", "n.a.", "/", "/login", "//", "1.0"])
def test_a_word_and_a_bare_path_are_no_url(url: str) -> None:
    assert tidy_url(url) is None


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "mailto:a@example.test", "about:blank", "https://", "file:///etc"],
)
def test_what_leads_to_no_host_is_none(url: str) -> None:
    assert tidy_url(url) is None


def test_a_long_url_is_cut_with_a_hash_and_stays_apart_from_one_like_it() -> None:
    whole = "https://app1.example.test/" + "a" * (MAX_URL - 26)
    assert tidy_url(whole) == whole

    one, two = (tidy_url(f"{whole}{end}") or "" for end in ("a", "b"))

    assert len(one) == len(two) == MAX_URL
    assert one != two
    assert tidy_url(one) == one


BASE = "https://u:p@Store1.example.test:443/shop/start?x=1"


@pytest.mark.parametrize(
    ("url", "base", "found"),
    [
        ("/login", BASE, "https://store1.example.test/login"),
        (" /login?x=1#y", BASE, "https://store1.example.test/login?x=1#y"),
        ("/", BASE, "https://store1.example.test/"),
        ("//cdn.example.test/x", BASE, "https://cdn.example.test/x"),
        ("/login", "store1.example.test/shop", "store1.example.test/login"),
        ("https://other.example.test/x", BASE, "https://other.example.test/x"),
        ("store1.example.test/x", BASE, "store1.example.test/x"),
        ("store1.example.test", BASE, "store1.example.test"),
        ("index.php", BASE, BASE),
        ("N/A", BASE, BASE),
        ("-", BASE, BASE),
        ("None", BASE, BASE),
        ("javascript:x", BASE, BASE),
        ("?x=1", BASE, BASE),
        ("", BASE, BASE),
        (None, BASE, BASE),
        # What the web application's own row may still tell.
        ("/login", None, "/login"),
        ("N/A", None, None),
        (None, None, None),
        ("store1.example.test", None, "store1.example.test"),
    ],
    ids=repr,
)
def test_a_url_leads_somewhere_in_its_web_application(
    url: str | None, base: str | None, found: str | None
) -> None:
    assert resolved(url, base) == found


def test_two_web_applications_have_a_login_page_each() -> None:
    pages = {resolved("/login", f"https://store{number}.example.test/") for number in (1, 2)}

    assert len(pages) == 2


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://u:p@App1.example.test.:8443/x", "app1.example.test"),
        ("app1.example.test:8443/x", "app1.example.test"),
        ("https://[2001:DB8::1]:443/", "2001:db8::1"),
        ("https://[broken/", None),
        ("/path", None),
        ("N/A", None),
        (None, None),
    ],
)
def test_a_host_is_that_of_the_tidy_url(url: str | None, host: str | None) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("url", [None, "", "  ", "\r\n\x00", "#top", "?x=1", " # ", "not a url"])
def test_a_url_of_nothing_is_none(url: str | None) -> None:
    assert tidy_url(url) is None


def test_the_query_is_kept_when_asked_for_but_never_the_fragment() -> None:
    assert tidy_url("HTTPS://A.example.test/p?Q=A%20b#top", keep_query=True) == (
        "https://a.example.test/p?Q=A%20b"
    )
    assert tidy_url("https://a.example.test/p?", keep_query=True) == "https://a.example.test/p"
    assert tidy_url("a.test/p?q#top", keep_query=True) == "a.test/p?q"
    assert tidy_url("a.test/p?#top", keep_query=True) == "a.test/p"


URLS = st.text() | st.lists(
    st.sampled_from(["http", "HTTPS", "://", "/", "?", "#", "@", ":", "[", "]", "a", "İ", " ", "%"])
).map("".join)


@given(URLS, st.booleans())
@example(url="a #", keep_query=False)
@example(url="http://u:p@/x", keep_query=False)
def test_a_tidy_url_stays_as_it_is(url: str, keep_query: bool) -> None:
    once = tidy_url(url, keep_query=keep_query)

    assert once is None or tidy_url(once, keep_query=keep_query) == once


@given(URLS)
def test_a_tidy_url_is_filled_and_has_no_fragment_query_or_control_character(url: str) -> None:
    found = tidy_url(url)

    if found is not None:
        assert found.strip() == found
        assert found
        assert not {"#", "?", "\n", "\r", "\x00"} & set(found)
        found.encode()
