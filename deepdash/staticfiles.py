"""Static files under hashed names, so that browsers may keep them for ever and never show an old version."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """As WhiteNoise's, but before ``collectstatic`` has run (tests, a fresh checkout) plain names are used."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses: dict[str, str] = {}

    def url(self, name: str, force: bool = False) -> str:
        """As always, but worked out once per file: a page asks for the address of its icons dozens of times."""
        if not self.hashed_files:
            return super().url(name, force)  # type: ignore[no-any-return]
        found = self._addresses.get(name)
        if found is None:
            found = self._addresses[name] = super().url(name, force)
        return found

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files else name
