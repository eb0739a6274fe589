"""What an error tells can be read, logged and shown, whatever it quotes."""

from __future__ import annotations

import pytest

from qualyswas_ciscovm.errors import PluginError


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("Store 1", "Store 1"),
        ("\x1b[31mStore\x1b[0m", "\ufffd[31mStore\ufffd[0m"),
        ("Store\n\tERROR: all is lost", "Store ERROR: all is lost"),
        ("a\x9bb\x00c\x7f", "a\ufffdb\ufffdc\ufffd"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("https://alex:s3cret@app.example.test/a@b", "https://app.example.test/a@b"),
        ("Größe 12 ☃", "Größe 12 ☃"),
    ],
)
def test_names_from_outside_are_cleaned(given: str, told: str) -> None:
    assert str(PluginError(f"No {given}.")) == f"No {told}."
