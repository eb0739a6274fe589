"""The places of the weeks are as far apart as real ones are."""

from __future__ import annotations

import pytest

from tests.pair.together import open_sandbox
from tests.pair.weeks_places import other_account


@pytest.mark.parametrize("seed", range(1, 5))
def test_no_web_application_of_another_account_has_the_id_of_a_deleted_one(seed: int) -> None:
    with open_sandbox(apps=3, findings=4, seed=seed) as sandbox:
        world = sandbox.world
        ids = set(world.apps)
        for app in list(world.apps.values()):
            world.delete_app(app)
            world.add_app()
        ids |= set(world.apps)

        assert not ids & set(other_account(world).apps)
