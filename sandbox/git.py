"""Stand-in of a git host: one read-only repository over smart HTTP, through ``git http-backend``."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.catalogue import TEMPLATES_REPOSITORY, Changes
from sandbox.world import Part

if TYPE_CHECKING:
    from sandbox.world import World

BRANCH = "refs/heads/master"
_INITIAL = "refs/sandbox/initial"
_NEXT = "refs/sandbox/next"
# The date and author of the first commit are fixed, so that the same folder always gives the same commit id.
_FIRST_COMMIT = 1_704_103_200
_AUTHOR = "Template Keeper <templates@indigo-dc.example.org>"
_PROCESSES = 8
_CHUNK = 64 * 1024


class GitError(Exception):
    """A git command failed; the message is what it said."""


class TemplatesRepository(Part):
    """The repository of templates, built from the catalogue; also keeps the catalogue's changes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = world.work_dir / "git"
        self.path = self.root.joinpath(TEMPLATES_REPOSITORY[0], f"{TEMPLATES_REPOSITORY[1]}.git")
        self.processes = asyncio.Semaphore(_PROCESSES)
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Make the repository, or bring the one kept from an earlier start up to date."""
        changed = bool(self.world.catalogue.changes.templates)
        if not (self.path / "HEAD").is_file():
            self.path.mkdir(parents=True, exist_ok=True)
            await self._git("init", "--quiet", "--bare", "--initial-branch=master")
            for key in ("uploadpack.allowFilter", "uploadpack.allowReachableSHA1InWant"):
                await self._git("config", key, "true")
        await self.commit("Changes since the first commit" if changed else "Import the templates")

    async def reset(self) -> None:
        """Go back to the folder as it is on disk, under the commit it had first."""
        self.world.catalogue.read()
        async with self._lock:
            await self._write(_INITIAL, "Import the templates", None, _FIRST_COMMIT)
            await self._git("update-ref", BRANCH, _INITIAL)

    def dump(self) -> Any:
        return asdict(self.world.catalogue.changes)

    def load(self, data: Any) -> None:
        self.world.catalogue.apply(Changes(**data))

    def summary(self) -> dict[str, Any]:
        catalogue = self.world.catalogue
        return {"modules": len(catalogue.modules()), "template files": len(catalogue.templates)}

    async def commit(self, message: str) -> str:
        """Commit the catalogue's templates as they are now, if they differ; return the id of the head."""
        async with self._lock:
            head = await self._resolve(BRANCH)
            if head is None:
                await self._write(BRANCH, message, None, _FIRST_COMMIT)
            else:
                await self._write(_NEXT, message, head, int(self.world.now()))
                if await self._resolve(f"{_NEXT}^{{tree}}") != await self._resolve(f"{BRANCH}^{{tree}}"):
                    await self._git("update-ref", BRANCH, _NEXT)
            return await self._resolve(BRANCH) or ""

    async def _resolve(self, revision: str) -> str | None:
        try:
            return (await self._git("rev-parse", "--verify", "--quiet", revision)).strip()
        except GitError:
            return None

    async def _write(self, ref: str, message: str, parent: str | None, when: int) -> None:
        """Write one commit that holds exactly the catalogue's templates."""
        stream = bytearray()
        if parent is None:
            stream += f"reset {ref}\n".encode()
        text = message.encode()
        stream += f"commit {ref}\ncommitter {_AUTHOR} {when} +0000\ndata {len(text)}\n".encode() + text + b"\n"
        if parent is not None:
            stream += f"from {parent}\n".encode()
        stream += b"deleteall\n"
        for name, content in sorted(self.world.catalogue.templates.items()):
            quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            stream += f'M 100644 inline "{quoted}"\ndata {len(content)}\n'.encode() + content + b"\n"
        await self._git("fast-import", "--quiet", "--force", "--date-format=raw", stdin=bytes(stream))

    async def _git(self, *arguments: str, stdin: bytes | None = None) -> str:
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=self.path,
            env=_environment({"GIT_DIR": str(self.path)}),
            stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(stdin)
        if process.returncode:
            raise GitError(errors.decode(errors="replace").strip() or f"git {arguments[0]} failed")
        return output.decode()


def part(world: World) -> TemplatesRepository:
    return TemplatesRepository(world)


def routes(world: World) -> list[web.RouteDef]:
    repository = world.parts["git"]
    assert isinstance(repository, TemplatesRepository)

    async def refs(request: web.Request) -> web.StreamResponse:
        if request.query.get("service") == "git-receive-pack":
            return web.Response(status=HTTPStatus.FORBIDDEN, text="This repository is read-only.")
        return await _backend(repository, request)

    async def upload_pack(request: web.Request) -> web.StreamResponse:
        return await _backend(repository, request)

    async def receive_pack(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=HTTPStatus.FORBIDDEN, text="This repository is read-only.")

    return [
        web.get("/{owner}/{repository}/info/refs", refs),
        web.post("/{owner}/{repository}/git-upload-pack", upload_pack),
        web.post("/{owner}/{repository}/git-receive-pack", receive_pack),
    ]


async def _backend(repository: TemplatesRepository, request: web.Request) -> web.StreamResponse:
    """Answer through ``git http-backend`` as a CGI program would be run, streaming its output."""
    # A git host takes the address with and without the suffix.
    name = request.match_info["repository"].removesuffix(".git")
    if (request.match_info["owner"], name) != TEMPLATES_REPOSITORY:
        return web.Response(status=HTTPStatus.NOT_FOUND, text="Repository not found.")
    service = request.path.partition(f"/{request.match_info['repository']}/")[2]
    body = await request.read()
    environment = _environment(
        {
            "GIT_PROJECT_ROOT": str(repository.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{TEMPLATES_REPOSITORY[0]}/{repository.path.name}/{service}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            # aiohttp has undone any compression of the body, so the length is that of what it hands over.
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": request.remote or "",
        }
    )
    async with repository.processes:
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            response = await _relay(process, body, request)
        except BaseException:
            # The client went away: nobody reads the rest. (Killing it on every exit would reap it twice.)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        finally:
            await process.wait()
        return response


async def _relay(process: asyncio.subprocess.Process, body: bytes, request: web.Request) -> web.StreamResponse:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(body)
    process.stdin.write_eof()
    status, headers = HTTPStatus.OK.value, {}
    while line := (await process.stdout.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()
    if not headers:
        return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text="git http-backend failed")
    response = web.StreamResponse(status=status, headers=headers)
    await response.prepare(request)
    while chunk := await process.stdout.read(_CHUNK):
        await response.write(chunk)
    await response.write_eof()
    return response


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which nobody's own git configuration counts."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {
        **kept,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        # A state folder on a mounted volume may belong to another user.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_TERMINAL_PROMPT": "0",
        **extra,
    }
