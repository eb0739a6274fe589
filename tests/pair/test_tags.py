"""Tags from Qualys to CVM: the tree of the subscription, and custom attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.pair.together import Pair, open_sandbox
from tests.tap.catalogs import with_metadata

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.world.model import Tag, WebApp

WITH_TAGS: Final = with_metadata({"tags": {"selected": True}})


def path_of(tag: Tag) -> str:
    return tag.name if tag.parent is None else f"{path_of(tag.parent)}/{tag.name}"


def wanted(app: WebApp) -> set[str]:
    owner = app.attributes.get("Owner")
    tags = {path_of(one) for tag in app.tags for one in (tag, tag.parent) if one is not None}
    return tags | ({f"Owner: {owner}"} if owner else set())


def test_paths_above_and_attributes_arrive_as_tags(tmp_path: Path) -> None:
    settings = {
        "tag_ancestors": True,
        "tag_paths": True,
        "attribute_tags": ["Owner"],
        "tag_application": False,
        "locator_order": ["external_id"],
        "tenant_locator_order": ["external_id"],
    }
    with open_sandbox(apps=5, findings=30, locator_order=("external_id",)) as sandbox:
        world = sandbox.world
        world.tags[2].parent, world.tags[3].parent = world.tags[0], None
        world.tag_app(next(iter(world.apps.values())), [world.tags[2], world.tags[3]])
        pair = Pair(sandbox, tmp_path, settings=settings, catalog=WITH_TAGS)
        synced = pair.sync()
        held = {
            asset.locators["external_id"]: set(asset.tags)
            for asset in sandbox.tenant.state.assets.values()
        }

    assert (synced.tap_exit, synced.exit_code, synced.proven) == (0, 0, True)
    assert len(held) > 1
    for number, tags in held.items():
        assert tags == wanted(world.apps[int(number)])
