"""A world, a tenant that a right first sync has filled, and what can be done to both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.oracle.sight import place_by_url
from tests.sandbox.qualys.face import Logged
from tests.sandbox.qualys.search.criteria import Criterion
from tests.sandbox.sandbox import DAY, Sandbox
from tests.sandbox.world.model import VULNERABILITY
from tests.sandbox_tests.loads import JSON, Caller, document, vuln

if TYPE_CHECKING:
    from collections.abc import Container

    from tests.sandbox.oracle.oracle import Comparison
    from tests.sandbox.world.model import Finding


MOVED = "https://moved.example.test/"


class Bench:
    """A world, and a tenant that a right first sync has filled.

    Attributes:
        victim: an open vulnerability.
        name: its UUID.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.world = sandbox, sandbox.world
        self.victim = next(one for one in self.world.findings[VULNERABILITY] if one.open)
        self.name = self.world.unique_id(self.victim)

    def load(self, *, without: Finding | None = None) -> None:
        """Load what is open now, closing by absence; perhaps without one."""
        self.load_all_but({id(without)})

    def load_all_but(self, left_out: Container[int]) -> None:
        """Load what is open now, closing by absence, without the objects of these ids."""
        assets: dict[str, JSON] = {}
        for found in self.world.all_findings():
            url = place_by_url(found)
            asset = assets.setdefault(url, {"url": url, "vulns": [], "tags": []})
            tags = {found.app.name, *(tag.name for tag in found.app.tags)}
            asset["tags"] = sorted({*asset["tags"], *tags})
            if found.open and id(found) not in left_out:
                name = self.world.unique_id(found)
                asset["vulns"].append(vuln(name, scanner_score=found.severity))
        Caller(self.sandbox).load(document(*assets.values()))

    def load_at(self, url: str, name: str = "", **changes: object) -> None:
        """Load the victim (or another one) alone at a page; nothing else is closed or changed."""
        app = self.victim.app
        tags = sorted({app.name, *(tag.name for tag in app.tags)})
        told = vuln(name or self.name, **{"scanner_score": self.victim.severity, **changes})
        there: JSON = {"url": url, "vulns": [told], "tags": tags}
        Caller(self.sandbox).load(document(there, skip_autoclose=True))

    def pass_day(self) -> None:
        """Let a day pass on which nothing happens by itself."""
        self.world.day += 1
        self.sandbox.clock.advance(DAY)
        self.sandbox.begin()

    def walk(self, *kinds: str) -> None:
        """Note requests as of a tap that reads these types from the first id on."""
        since = ("lastTestedDate", "GREATER", "2026-01-01T00:00:00Z")
        self.sandbox.face.log += [asked(kind, since) for kind in kinds]

    def settle(
        self, *, full: bool | None = True, exit_code: int = 0, whole: bool = True
    ) -> Comparison:
        return self.sandbox.settle(exit_code, full=full, whole=whole)


def asked(kind: str, *criteria: tuple[str, str, str], status: int = 200) -> Logged:
    return searched("finding", ("type", "EQUALS", kind), *criteria, status=status)


def searched(of: str, *criteria: tuple[str, str, str], status: int = 200) -> Logged:
    found = tuple(Criterion(*one) for one in criteria)
    return Logged("POST", f"search/was/{of}", 0, criteria=found, status=status)


def differences(found: Comparison) -> dict[str, list[str]]:
    return {name: uids for name, uids in vars(found).items() if uids}


def move_and_rate_anew(bench: Bench) -> int:
    """Let the victim move, be rated anew and tested; give the severity that it had before."""
    before = bench.victim.severity
    bench.world.move_finding(bench.victim, MOVED)
    bench.world.edit_severity(bench.victim, before % 5 + 1)
    bench.world.reopen_finding(bench.victim)
    bench.sandbox.begin()
    return before
