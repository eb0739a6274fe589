"""Headless Chromium, where one is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")

SHEET: Final = re.compile(rb"/Type\s*/Page\b")

OPTIONS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def dump_dom(address: str, profile: Path) -> str:
    """Give the document of a page after it was loaded, scripts run."""
    return _run(address, profile, "--virtual-time-budget=3000", "--dump-dom").decode()


def screenshot(address: str, profile: Path, image: Path, width: int, height: int) -> bytes:
    """Give a PNG picture of a page in a window of this size."""
    _run(address, profile, f"--screenshot={image}", f"--window-size={width},{height}")
    return image.read_bytes()


def printed_pages(address: str, profile: Path, file: Path) -> int:
    """Print a page, and count the sheets."""
    _run(address, profile, f"--print-to-pdf={file}", "--no-pdf-header-footer")
    return len(SHEET.findall(file.read_bytes()))


def _run(address: str, profile: Path, *options: str) -> bytes:
    line = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={profile}", *options, address]
    return subprocess.run(line, capture_output=True, check=True, timeout=120).stdout
