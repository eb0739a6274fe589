"""The version of the knowledge base API: that of the settings, or a later one, if it is retired."""

from __future__ import annotations

from typing import Final

from tap_qualyswas.errors import InvalidRequest, KbRetired, WasMissing

VERSIONS: Final = ("2.0", "3.0", "4.0")


class KbVersions:
    """The version that is asked now.

    Args:
        version: of the settings.
    """

    def __init__(self, version: str) -> None:
        self._tried = [version]

    @property
    def path(self) -> str:
        """The path of the call."""
        return f"/api/{self._tried[-1]}/fo/knowledge_base/vuln/"

    def move_on(self, refused: WasMissing | InvalidRequest) -> str:
        """Ask a later version from now on; give the sentence that says so.

        Args:
            refused: what the version at hand has answered.

        Raises:
            InvalidRequest: when it is not the version that was refused.
            KbRetired: when there is no later version.
        """
        if isinstance(refused, InvalidRequest) and "version" not in refused.reason.lower():
            raise refused
        retired = self._tried[-1]
        later = VERSIONS[VERSIONS.index(retired) + 1 :]
        if not later:
            raise KbRetired(refused.place, refused.code, self._tried)
        self._tried.append(later[0])
        return (
            f"The knowledge base API does not answer in version {retired} ({refused.code}). Asking "
            f"version {later[0]}; set knowledge_base_version to it if that works."
        )
