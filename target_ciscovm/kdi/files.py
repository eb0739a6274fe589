"""KDI 2 files: written asset by asset, capped in bytes, an asset always whole in one file.

From the help article "Data Importer (JSON Connector)": `skip_autoclose` is required, each pair of
scanner type and name that a file uses must be defined in that file, and there is no null.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.errors import CiscoVMError
from target_ciscovm.kdi.limits import check_asset, check_definition
from target_ciscovm.output.private_files import open_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from target_ciscovm.kdi.limits import Contents

ASSETS_END: Final = b'],"vuln_defs":['
FILE_END: Final = b"]}\n"
BUFFER_BYTES: Final = 1 << 20


class Group(NamedTuple):
    """The settings of a whole file; assets that differ in them go into different files.

    Those of `first` come before all others, as what moves is closed before it is opened elsewhere.
    """

    reset_tags: bool = False
    first: bool = False

    def header(self) -> bytes:
        """Give the beginning of a file.

        It never leaves anything to be closed by CVM: each closing is an entry of its own.
        """
        reset = b"true" if self.reset_tags else b"false"
        return b'{"version":2,"skip_autoclose":true,"reset_tags":%b,"assets":[' % reset


class Part(msgspec.Struct):
    """One file.

    Attributes:
        findings: vulnerabilities or findings in it.
        ends: offset at which each asset ends.
        keys: keys of its assets if the part was made from another one; else the spool has them.
    """

    path: Path
    group: Group
    bytes: int = 0
    findings: int = 0
    ends: array[int] = msgspec.field(default_factory=lambda: array("Q"))
    keys: list[str] = msgspec.field(default_factory=list)

    @property
    def assets(self) -> int:
        """The number of assets in it."""
        return len(self.ends)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Give where each asset begins and ends."""
        begin = len(self.group.header())
        for end in self.ends:
            yield (begin, end)
            begin = end + 1


class EncodedAsset(NamedTuple):
    """An asset as it is written in a file, and the key by which a person can find it."""

    key: str
    json: bytes


class PartWriter:
    """Writes one file; `close` adds the definitions that it uses.

    Args:
        definition: gives a definition's JSON by its name.
    """

    def __init__(self, path: Path, group: Group, definition: Callable[[str], bytes]) -> None:
        self.part = Part(path, group)
        self.name = path.name
        self._definition = definition
        self._names: dict[str, bytes] = {}
        self._file = open_private(path, buffer_bytes=BUFFER_BYTES)
        self._offset = self._file.write(group.header())
        self._tail = len(ASSETS_END) + len(FILE_END)

    def size_with(self, asset: EncodedAsset, contents: Contents) -> int:
        """Give the size that the file would have with this asset."""
        definitions = sum([len(self._definition(name)) + 1 for name in self._new(contents)])
        return self._offset + 1 + len(asset.json) + self._tail + definitions

    def add(self, asset: EncodedAsset, contents: Contents) -> None:
        """Write an asset with what the check has found in it.

        Raises:
            CiscoVMError: when CVM would refuse a definition that it uses.
        """
        if self.part.assets:
            self._offset += self._file.write(b",")
        self._offset += self._file.write(asset.json)
        self.part.ends.append(self._offset)
        self.part.findings += contents.entries
        for name in self._new(contents):
            definition = self._names[name] = self._definition(name)
            check_definition(name, definition)
            self._tail += len(definition) + 1

    def _new(self, contents: Contents) -> set[str]:
        """Give the names of definitions that the file does not have yet."""
        return contents.names.difference(self._names)

    def close(self) -> Part:
        """Complete the file and describe it."""
        with self._file:
            self._file.write(ASSETS_END)
            self._file.write(b",".join(self._names[name] for name in sorted(self._names)))
            self._file.write(FILE_END)
            self._file.flush()
            self.part.bytes = self._file.tell()
        return self.part


class Files:
    """All files of a load.

    Args:
        folder: where they are written, as `kdi-0001.json` and so on. Those of an earlier plan of
            the same run are removed.
        max_bytes: largest size of a file; a single larger asset gets a file of its own.
        definition: gives a definition's JSON by its name.
    """

    def __init__(self, folder: Path, max_bytes: int, definition: Callable[[str], bytes]) -> None:
        self.parts: list[Part] = []
        self._folder = folder
        self._max_bytes = max_bytes
        self._definition = definition
        self._open: dict[Group, PartWriter] = {}
        self._made = 0
        for earlier in folder.glob("kdi-*.json"):
            earlier.unlink()

    def add(self, asset: EncodedAsset, group: Group) -> tuple[str, int]:
        """Write an asset into the file of its group; give the file's name and the asset's place.

        Raises:
            CiscoVMError: when CVM would refuse it.
        """
        try:
            contents = check_asset(asset.key, asset.json)
            writer = self._open.get(group)
            size = writer.size_with(asset, contents) if writer and writer.part.assets else 0
            if writer and size > self._max_bytes:
                self.parts.append(self._open.pop(group).close())
                writer = None
            if writer is None:
                writer = self._open[group] = self.begin(group)
            writer.add(asset, contents)
        except CiscoVMError:
            self.close()
            raise
        return (writer.name, writer.part.assets - 1)

    def begin(self, group: Group) -> PartWriter:
        """Begin a new file."""
        self._made += 1
        path = self._folder / f"kdi-{self._made:04d}.json"
        return PartWriter(path, group, self._definition)

    def close(self) -> list[Part]:
        """Complete all files and give them."""
        self.parts += [writer.close() for writer in self._open.values()]
        self._open.clear()
        self.parts.sort(key=lambda part: (not part.group.first, part.path.name))
        return self.parts

    def rewrite(self, part: Part, assets: Iterable[EncodedAsset]) -> Part:
        """Write a new file with some of a part's assets."""
        writer = self.begin(part.group)
        for asset in assets:
            writer.add(asset, check_asset(asset.key, asset.json))
            writer.part.keys.append(asset.key)
        return writer.close()
