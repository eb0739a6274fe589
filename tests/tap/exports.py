"""Reports of a made-up world, exported into a folder, and the tap that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.qualys.xml.portal_csv import portal_csv
from tests.sandbox.qualys.xml.portal_report import Exported, ReportShape, portal_report
from tests.tap.syncs import sync_here

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.sandbox.world.model import WebApp
    from tests.sandbox.world.world import World
    from tests.tap.syncs import Json, Outcome

USUAL = ReportShape()


class Exports:
    """A folder of exported reports."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def text(
        self, shape: ReportShape = USUAL, apps: Sequence[WebApp] | None = None, kind: str = "xml"
    ) -> str:
        """Give the report of some web apps, all of them by default."""
        world = self.world
        exported = Exported(world.size.seed, world.moment(), world.of_app)
        write = portal_csv if kind == "csv" else portal_report
        return write([*world.apps.values()] if apps is None else apps, exported, shape)

    def write(
        self,
        name: str,
        shape: ReportShape = USUAL,
        apps: Sequence[WebApp] | None = None,
        encoding: str = "utf-8",
    ) -> Path:
        """Export the report of some web apps, all of them by default."""
        path = self.folder / name
        text = self.text(shape, apps, path.suffix[1:])
        path.write_bytes(text.encode(encoding))
        return path

    def empty(self) -> None:
        """Take all reports away."""
        for path in self.folder.iterdir():
            path.unlink()

    def sync(self, state: Json = None, **settings: Any) -> Outcome:  # noqa: ANN401 - of any type
        """Run the tap once, in this process, without anything to call."""
        given = {"source": "report_files", "report_paths": [str(self.folder)], **settings}
        return sync_here(given, state)

    def unique_ids(self) -> set[str]:
        """Give the unique ids of the world's findings."""
        return set(map(self.world.unique_id, self.world.all_findings()))


def ids(outcome: Outcome) -> set[str]:
    """Give the unique ids of the findings of a sync, each of which came once."""
    found = [row["uniqueId"] for row in outcome.records("findings")]
    assert len(found) == len(set(found))
    return set(found)


def rows_by_id(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """Give the findings of a sync by their unique ids."""
    return {row["uniqueId"]: row for row in outcome.records("findings")}
