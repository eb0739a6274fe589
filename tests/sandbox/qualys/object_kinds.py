"""The kinds of object that can be counted, searched and read, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.sandbox.qualys.search.fields import TAG, WASSCAN, WEBAPP, finding_fields
from tests.sandbox.qualys.xml.findings import findings
from tests.sandbox.qualys.xml.objects import scans, tags, web_apps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.sandbox.qualys.search.criteria import Field
    from tests.sandbox.qualys.xml.markup import Form
    from tests.sandbox.world.world import World


@dataclass(frozen=True)
class ObjectKind:
    """One kind of object.

    Attributes:
        path: version and module in the path of its calls, e.g. `3.0/was`.
        name: as it stands in paths and schemas.
        element: in answers.
        fields: what it can be searched by.
        rows: all there are, findings by their type; in ascending order of id.
        write: their elements.
        count_by_get: whether a count may be asked for by GET.
    """

    path: str
    name: str
    element: str
    fields: Mapping[str, Field[Any]]
    rows: Callable[[World], Mapping[str, Sequence[Any]]]
    write: Callable[[Sequence[Any], Form], str]
    count_by_get: bool = True

    @property
    def schema(self) -> str:
        """Return the path of its schema below `/qps/xsd/`."""
        return f"{self.path}/{self.name}"


def object_kinds(seed: int) -> dict[tuple[str, str], ObjectKind]:
    """Return all kinds by path and name; the UUIDs of findings depend on the world's seed."""
    was, am = "3.0/was", "2.0/am"
    found = (
        ObjectKind(was, "webapp", "WebApp", WEBAPP, _apps, web_apps),
        ObjectKind(was, "wasscan", "WasScan", WASSCAN, lambda world: {"": world.scans}, scans),
        ObjectKind(
            was,
            "finding",
            "Finding",
            finding_fields(seed),
            lambda world: world.findings,
            findings,
            count_by_get=False,
        ),
        ObjectKind(am, "tag", "Tag", TAG, lambda world: {"": world.tags}, tags),
    )
    return {(one.path, one.name): one for one in found}


def _apps(world: World) -> Mapping[str, Sequence[Any]]:
    return {"": list(world.apps.values())}
