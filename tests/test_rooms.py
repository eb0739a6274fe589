"""The folders tell what is where: which way they import, how much they hold, what each is for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
HOUSES: Final = ("qualyswas_ciscovm", "tap_qualyswas", "target_ciscovm", "tests/sandbox", "tools")
ROOMS: Final = sorted(
    str(init.parent.relative_to(ROOT))
    for house in HOUSES
    for init in (ROOT / house).rglob("__init__.py")
)
MODULES_AT_MOST: Final = 16


def test_every_import_keeps_to_the_directions() -> None:
    # In a process of its own: it switches off the loggers that are there.
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_can_be_taken_in_at_a_glance(room: str) -> None:
    modules = {path.name for path in (ROOT / room).glob("*.py")} - {"__init__.py"}

    assert len(modules) <= MODULES_AT_MOST


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_in_one_sentence_what_it_is_for_and_hands_nothing_out(room: str) -> None:
    tree = ast.parse((ROOT / room / "__init__.py").read_text("utf-8"))
    sentence = ast.get_docstring(tree) or ""

    assert len(tree.body) == 1
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("house", HOUSES)
def test_every_folder_of_modules_is_a_room(house: str) -> None:
    folders = {str(path.parent.relative_to(ROOT)) for path in (ROOT / house).rglob("*.py")}

    assert folders <= set(ROOMS)
