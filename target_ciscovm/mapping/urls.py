"""URLs of findings and web applications in one spelling, and what is none. Pure."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from target_ciscovm.mapping.text import HASH_LENGTH

URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<login_and_host>[^/?#]+)(?P<path>/[^?#]*)?"
    r"(?P<query>\?[^#]+)?\??(?:#.*)?",
    re.DOTALL,
)
BARE: Final = re.compile(
    r"(?P<host>localhost|(?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}|\d{1,3}(?:\.\d{1,3}){3})"
    r"(?P<rest>(?::\d+)?(?:/[^\s?]*)?(?:\?\S*)?)",
    re.ASCII,
)
"""A host without a scheme, with or without a path."""
DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
MAX_URL: Final = 1000
"""CVM's limit for a URL is not published; some databases cut at 1,024 characters."""


def resolved(url: str | None, base: str | None) -> str | None:
    """Give where a URL leads that stands in a finding of a web application.

    A bare path is one of the web application; what is no URL, such as `N/A` or `index.php`, leads
    to it. A path stays as it is where the web application has no URL.
    """
    # As the asset's key asks for it, so that it is worked out once.
    if url and "://" in url and tidy_url(url, keep_query=False):
        return url
    path = _printable(url)
    if not path.startswith("/"):
        return url if _leads_somewhere(url, base) else base
    origin = _origin(base)
    if path.startswith("//"):
        scheme = origin.partition("://")[0] if "://" in origin else "https"
        return f"{scheme}:{path}"
    return f"{origin}{path}" if origin else path


def _leads_somewhere(url: str | None, base: str | None) -> bool:
    """Tell whether what has no scheme is a URL: a word with a dot in it may be a file's name."""
    text = tidy_url(url)
    return text is not None and ("/" in text or not base or host_of(text) == host_of(base))


@lru_cache(maxsize=8192)
def tidy_url(url: str | None, *, keep_query: bool = False) -> str | None:
    """Give a URL in one spelling (RFC 3986, 6.2.3), None for what is none.

    Scheme and host are in lower case; a fragment, a login, the scheme's own port and a dot behind
    the host are cut; an empty path is `/`. The query is cut, for Qualys puts the attack there. A
    host without a scheme is a URL; a path alone is not, nor a word. One that is too long ends in a
    hash.
    """
    text = _printable(url)
    match = URL.fullmatch(text)
    if match is None:
        return _tidy_bare(text.partition("#")[0], keep_query=keep_query)
    scheme = match["scheme"].lower()
    host = _tidy_host(match["login_and_host"], scheme)
    if not host:
        return None
    query = match["query"] if keep_query else None
    return _cut(f"{scheme}://{host}{match['path'] or '/'}{query or ''}".rstrip())


def host_of(url: str | None) -> str | None:
    """Give the host of a URL, None when there is none."""
    text = tidy_url(url)
    if text is None:
        return None
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname or None
    except ValueError:
        return None


def _printable(url: str | None) -> str:
    return UNPRINTABLE.sub("", url or "").strip()


def _origin(url: str | None) -> str:
    """Give scheme and host of a URL, as far as it has them; empty for none."""
    text = tidy_url(url) or ""
    scheme, separator, rest = text.partition("://") if "://" in text else ("", "", text)
    return f"{scheme}{separator}{rest.partition('/')[0]}"


def _tidy_bare(text: str, *, keep_query: bool) -> str | None:
    match = BARE.fullmatch(text.strip())
    if match is None:
        return None
    rest = match["rest"] if keep_query else match["rest"].partition("?")[0]
    return _cut(f"{match['host'].lower()}{rest.rstrip('?')}")


def _tidy_host(login_and_host: str, scheme: str) -> str:
    host = login_and_host.rpartition("@")[2].lower()
    name, colon, port = host.rpartition(":")
    if not colon or not (port.isdigit() or not port) or name.endswith(":"):
        name, colon, port = host, "", ""
    if len(name) > 1:
        name = name.removesuffix(".")
    return name if port in {"", DEFAULT_PORTS.get(scheme)} else f"{name}:{port}"


def _cut(url: str) -> str:
    if len(url) <= MAX_URL:
        return url
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
    return f"{url[: MAX_URL - HASH_LENGTH - 1].rstrip()}-{digest}"
