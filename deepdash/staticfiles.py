"""Static files under hashed names, so that browsers may keep them for ever and never show an old version."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """As WhiteNoise's, but before ``collectstatic`` has run (tests, a fresh checkout) plain names are used."""

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files else name
