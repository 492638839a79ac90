"""Icons: fetched with the catalogue within limits, shown from here, never loaded by the browser from elsewhere."""

import base64
import struct
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Module, Picture, Template
from catalog.sources.fetch import github_session
from catalog.sources.pictures import MAX_BYTES, media_type_of, picture_address, picture_session, read_picture
from catalog.testing import TEMPLATE
from catalog.tests.conftest import RAW, World
from deepdash.http import ServiceError

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ICON = f"{RAW}/deephdc/icons/master/own.png"
pytestmark = pytest.mark.django_db


def png(width: int, height: int) -> bytes:
    return PNG[:16] + struct.pack(">II", width, height) + PNG[24:]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (png(2048, 2048), "image/png"),
        (png(60_000, 60_000), ""),
        (png(0, 5), ""),
        (b"GIF89a" + struct.pack("<HH", 10, 10) + b"\0" * 10, "image/gif"),
        (b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + struct.pack(">HH", 20, 30) + b"\0" * 20, "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + (9).to_bytes(3, "little") + (9).to_bytes(3, "little"), "image/webp"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", ""),
        (b"<html>404</html>", ""),
        (b"\xff\xd8\xff\xe0\0\0", ""),
        (b"", ""),
    ],
)
def test_what_a_picture_is_is_told_by_its_content(content: bytes, media_type: str) -> None:
    assert media_type_of(content) == media_type


@pytest.mark.parametrize(
    ("icon", "address"),
    [("https://a.example/x.png", "https://a.example/x.png"), ("images/x.png", "folder:images/x.png"), (None, ""),
     ("", ""), ("/etc/passwd", ""), ("../x.png", ""), ("a/../../x", ""), ("file:///etc/passwd", ""),
     ("data:image/png;base64,x", ""), (["a"], ""), ("x" * 500, "")],
)  # fmt: skip
def test_only_web_addresses_and_files_beside_the_templates_are_read(icon: object, address: str) -> None:
    assert picture_address(icon) == address


def with_icon(world: World, icon: str) -> None:
    world.template("own.yml", TEMPLATE.replace("tag: CPU/GPU", f"icon: {icon}"))


def test_a_templates_icon_becomes_its_modules_picture(world: World, tmp_path: Path, client: Client) -> None:
    (world.folder / "images").mkdir()
    (world.folder / "images" / "x.png").write_bytes(PNG)
    with_icon(world, "images/x.png")
    world.refresh()
    picture = Picture.objects.get()
    assert Template.objects.get(path="own.yml").icon == Module.objects.get(slug="deep-oc-one").icon == picture.digest
    assert f'src="/pictures/{picture.digest}"' in client.get("/").text
    answer = client.get(f"/pictures/{picture.digest}")
    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer.headers["Cache-Control"]
    assert client.get("/pictures/none").status_code == 404


def test_an_icon_that_is_no_picture_leaves_our_drawing(world: World, client: Client) -> None:
    (world.folder / "x.svg").write_text("<svg/>", encoding="utf-8")
    (world.folder / "link.png").symlink_to("/etc/hostname")
    with_icon(world, "x.svg")
    run = world.refresh()
    assert Picture.objects.get().problem
    assert "/pictures/" not in client.get("/").text
    assert [item["name"] for item in run.items if item["kind"] == "picture" and item["result"] == "failed"]
    with_icon(world, "link.png")
    world.refresh()
    assert not Picture.objects.exclude(digest="").exists()


def test_hosts_are_asked_seldom_and_a_picture_nobody_names_is_forgotten(world: World) -> None:
    with_icon(world, ICON)
    world.files[ICON] = 500
    world.refresh()
    assert world.statuses(ICON) == [500]
    world.refresh()
    assert world.statuses(ICON) == []
    Picture.objects.update(asked_at=timezone.now() - timedelta(days=1))
    world.refresh()
    assert world.statuses(ICON) == [500]
    with_icon(world, "")
    world.refresh()
    assert not Picture.objects.exists()


def test_a_private_host_is_not_asked() -> None:
    with pytest.raises(ServiceError) as caught:
        read_picture(picture_session(), github_session(), "http://127.0.0.1:9/x.png")
    assert caught.value.id == "service:blocked"


def test_a_curators_picture_wins(world: World) -> None:
    (world.folder / "a.png").write_bytes(PNG)
    (world.folder / "b.png").write_bytes(png(2, 2))
    with_icon(world, "a.png")
    world.refresh()
    Module.objects.filter(slug="deep-oc-one").update(icon_address="folder:b.png")
    world.refresh()
    digests = dict(Picture.objects.values_list("address", "digest"))
    assert Module.objects.get(slug="deep-oc-one").icon == digests["folder:b.png"]
    assert Module.objects.get(slug="deep-oc-two").icon == digests["folder:a.png"]


def test_a_file_that_is_too_large_is_refused(world: World) -> None:
    (world.folder / "a.png").write_bytes(PNG + b"\0" * MAX_BYTES)
    with_icon(world, "a.png")
    world.refresh()
    assert "KiB" in Picture.objects.get().error["detail"]
