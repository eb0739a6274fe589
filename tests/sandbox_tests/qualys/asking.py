"""Requests to the sandbox's Qualys, written by hand, and what their answers say."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import requests
from lxml import etree

if TYPE_CHECKING:
    from tests.sandbox.sandbox import Sandbox

Criterion = tuple[str, str, str]
"""Field, operator, value."""


class Answer:
    """An answer of the WAS side: its code, its rows, its paging."""

    def __init__(self, response: requests.Response) -> None:
        assert response.status_code == 200, response.text
        self.response = response
        self.root = etree.fromstring(response.content)

    def text(self, path: str) -> str | None:
        """Return the text of an element, None without one."""
        return self.root.findtext(path)

    @property
    def code(self) -> str | None:
        """Return SUCCESS or the error's name."""
        return self.text("responseCode")

    @property
    def count(self) -> int:
        """Return what the answer counts: all for a count, the page's rows for a search."""
        return int(self.text("count") or -1)

    @property
    def rows(self) -> list[etree._Element]:
        """Return the objects of the page."""
        data = self.root.find("data")
        return [] if data is None else list(data)

    def values(self, path: str) -> list[str | None]:
        """Return the text of a path in each row."""
        return [row.findtext(path) for row in self.rows]

    @property
    def ids(self) -> list[int]:
        """Return the rows' ids, in the page's order."""
        return [int(text or -1) for text in self.values("id")]


def basic(username: str, password: str) -> dict[str, str]:
    """Return the header of a Basic login in UTF-8."""
    login = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {login}"}


class Asker:
    """Asks a sandbox's Qualys with the right login unless told otherwise."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.base = f"{sandbox.qualys_url}/qps/rest/3.0"
        self.headers = basic(sandbox.username, sandbox.password)

    def get(self, path: str) -> Answer:
        """Ask by GET."""
        return Answer(requests.get(f"{self.base}/{path}", headers=self.headers, timeout=20))

    def post(self, path: str, body: str = "") -> Answer:
        """Send a body."""
        url = f"{self.base}/{path}"
        headers = {"Content-Type": "text/xml", **self.headers}
        return Answer(requests.post(url, body.encode(), headers=headers, timeout=20))

    def search(self, kind: str, *criteria: Criterion, **preferences: object) -> Answer:
        """Ask for a page."""
        return self.post(f"search/was/{kind}", body(criteria, preferences))

    def count(self, kind: str, *criteria: Criterion) -> int:
        """Ask how many there are."""
        return self.post(f"count/was/{kind}", body(criteria, {})).count


def body(criteria: tuple[Criterion, ...], preferences: dict[str, object]) -> str:
    """Write a ServiceRequest."""
    wishes = "".join(f"<{name}>{value}</{name}>" for name, value in preferences.items())
    filters = "".join(
        f'<Criteria field="{field}" operator="{operator}">{escape(value)}</Criteria>'
        for field, operator, value in criteria
    )
    return (
        f"<ServiceRequest><preferences>{wishes}</preferences>"
        f"<filters>{filters}</filters></ServiceRequest>"
    )
