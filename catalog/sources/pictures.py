"""Icons from other hosts: fetched within narrow limits, judged by their content, never by what they are called.

Only raster formats are taken. SVG can carry scripts and references, and is left to our own drawings.
"""

import hashlib
import struct
from dataclasses import dataclass

from catalog.sources.places import raw_address, template_place
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.guard import GuardedAdapter, networks
from deepdash.http import ServiceSession

MAX_BYTES = 256 * 1024
MAX_PIXELS = 2048  # either side; a small file can unfold to gigabytes in the browser
IN_FOLDER = "folder:"  # how the address of a file of the templates folder begins
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


@dataclass(frozen=True)
class FetchedPicture:
    """An image that may be shown; ``content`` is None when nothing changed since ``etag``."""

    content: bytes | None
    media_type: str
    digest: str
    etag: str


def picture_address(icon: object) -> str:
    """The address of what a template's metadata names as its icon, "" when it names nothing that can be read."""
    if not isinstance(icon, str) or not icon.strip() or len(icon) > 400:
        return ""
    icon = icon.strip()
    if icon.startswith(("https://", "http://")):
        return icon
    parts = icon.split("/")
    odd = icon.startswith("/") or ".." in parts or ":" in icon or "\\" in icon
    return "" if odd else f"{IN_FOLDER}{icon}"


def picture_session() -> ServiceSession:
    """For hosts that anybody may have named: public addresses only, small answers only."""
    adapter = GuardedAdapter("The picture’s host", allowed=networks(config.OUTBOUND_ALLOWED_NETWORKS))
    return ServiceSession("The picture’s host", "", headers={"Accept": "image/*"}, max_bytes=MAX_BYTES, adapter=adapter)


def read_picture(session: ServiceSession, github: ServiceSession, address: str, *, etag: str = "") -> FetchedPicture:
    """Read the picture at an address (one of ``picture_address``) unless it is still that of ``etag``.

    Raises ServiceError, or Problem ``catalog:bad-picture`` for what is no picture that may be shown.
    """
    if address.startswith(IN_FOLDER):
        return _checked(_from_folder(address.removeprefix(IN_FOLDER)), "")
    headers = {"If-None-Match": etag} if etag else {}
    place = raw_address(address)
    answer = (github if place else session).get(place or address, headers=headers, ok=(304,))
    if answer.status == 304:
        return FetchedPicture(None, "", "", etag)
    return _checked(answer.body, answer.headers.get("ETag", "")[:200])


def media_type_of(content: bytes) -> str:
    """The type of a PNG, JPEG, GIF or WebP image of bearable size by its own words, "" for anything else."""
    for media_type, size in (
        ("image/png", _png(content)), ("image/gif", _gif(content)), ("image/jpeg", _jpeg(content)),
        ("image/webp", _webp(content)),
    ):  # fmt: skip
        if size and 0 < size[0] <= MAX_PIXELS and 0 < size[1] <= MAX_PIXELS:
            return media_type
    return ""


def _checked(content: bytes, etag: str) -> FetchedPicture:
    if len(content) > MAX_BYTES:
        raise Problem("catalog:bad-picture", detail=f"It has more than {MAX_BYTES // 1024} KiB.")
    media_type = media_type_of(content)
    if not media_type:
        raise Problem(
            "catalog:bad-picture", detail="It is no PNG, JPEG, GIF or WebP image of at most 2048 pixels a side."
        )
    return FetchedPicture(content, media_type, hashlib.sha256(content).hexdigest(), etag)


def _from_folder(name: str) -> bytes:
    """A file of the templates folder, or of the checkout around it; no link is followed."""
    place = template_place()
    for folder in [place.folder, *([place.checkout] if place.checkout else [])] if place else []:
        path = folder.resolve() / name
        if path.resolve() != path or not path.is_file():
            continue  # not there, or a link on the way
        try:
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError:
            continue
    raise Problem("catalog:bad-picture", detail=f"There is no file {name} beside the templates.")


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        return None
    return struct.unpack(">II", content[16:24])


def _gif(content: bytes) -> tuple[int, int] | None:
    return struct.unpack("<HH", content[6:10]) if content[:6] in (b"GIF87a", b"GIF89a") and len(content) > 13 else None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    if content[:3] != b"\xff\xd8\xff":
        return None
    place = 2
    while place + 9 <= len(content):
        if content[place] != 0xFF:
            return None
        marker, (length,) = content[place + 1], struct.unpack(">H", content[place + 2 : place + 4])
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
        place += 2 + length
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < 30:
        return None
    kind = content[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF)
    return None
