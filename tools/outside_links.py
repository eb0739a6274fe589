"""A hook of MkDocs: links that lead out of the pages lead to the repository instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdocs.exceptions import PluginError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

UPWARDS: Final = re.compile(r"\]\((?P<path>(?:\.\./)+[^)#\s]*)(?P<part>#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead each link of a page that leaves the folder of the pages to the repository.

    Raises:
        PluginError: nothing is there.
    """
    del files
    pages = Path(config.docs_dir).resolve()
    here = pages / page.file.src_uri

    def lead(found: re.Match[str]) -> str:
        target = (here.parent / found["path"]).resolve()
        if target.is_relative_to(pages):
            return found[0]
        if not target.exists():
            msg = f"{page.file.src_uri} has a link to {found['path']}, which is not there"
            raise PluginError(msg)
        kind = "tree" if target.is_dir() else "blob"
        address = f"{config.repo_url}/{kind}/main/{target.relative_to(pages.parent).as_posix()}"
        return f"]({address}{found['part'] or ''})"

    return UPWARDS.sub(lead, markdown)
