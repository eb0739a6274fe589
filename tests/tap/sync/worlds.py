"""Worlds and systems at random: of any size, with ids and answers of any form."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.size import WorldSize


def any_sizes(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[WorldSize]:
    """Give small worlds, empty ones too."""
    return st.builds(
        WorldSize,
        apps=st.integers(1, 8),
        findings=st.integers(0, 80),
        qids=st.integers(3, 15),
        scans=st.integers(0, 12),
        seed=st.integers(0, 10**6),
        id_sequences=st.sampled_from(["separate", "overlapping", "shared"]),
        huge_ids=st.booleans(),
        **more,
    )


def any_switches(**more: st.SearchStrategy[Any]) -> st.SearchStrategy[Switches]:
    """Give positions of what is only inferred about the answers of Qualys."""
    return st.builds(
        Switches,
        id_order=st.sampled_from(["ascending", "descending"]),
        empty_result_form=st.sampled_from(["count", "more", "data"]),
        verbose_limit=st.sampled_from([3, 1000]),
        **more,
    )
