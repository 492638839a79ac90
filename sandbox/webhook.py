"""Deliveries of a GitHub webhook, signed as GitHub signs them (contract 8)."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

EVENTS = ("push", "ping")
SIGNATURES = ("valid", "wrong", "sha1", "none")
_NOBODY = "0" * 40


@dataclass
class Delivery:
    """One delivery to make.

    ``signature``: ``valid`` sends both headers, ``sha1`` the old one only, ``wrong`` both over another body,
    ``none`` neither (as GitHub does when no secret is set). ``form`` sends the payload form-encoded.
    """

    url: str
    secret: str = ""
    event: str = "push"
    repository: str = "indigo-dc/tosca-templates"
    ref: str = "refs/heads/master"
    before: str = _NOBODY
    after: str = ""
    modified: list[str] = field(default_factory=list)
    deleted: bool = False
    signature: str = "valid"
    form: bool = False
    delivery: str = field(default_factory=lambda: str(uuid.uuid4()))

    def request(self, when: float) -> tuple[bytes, dict[str, str]]:
        """Return body and headers; ``when`` in seconds since the epoch dates the commit."""
        payload = self._ping() if self.event == "ping" else self._push(when)
        text = json.dumps(payload, separators=(",", ":"))
        body = urlencode({"payload": text}).encode() if self.form else text.encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded" if self.form else "application/json",
            "User-Agent": "GitHub-Hookshot/5a6b7c8",
            "X-GitHub-Event": self.event,
            "X-GitHub-Delivery": self.delivery,
            "X-GitHub-Hook-ID": "424242",
            "X-GitHub-Hook-Installation-Target-Type": "repository",
            "X-GitHub-Hook-Installation-Target-ID": "1001",
        }
        if self.secret and self.signature != "none":
            signed = body + b"!" if self.signature == "wrong" else body
            headers["X-Hub-Signature"] = "sha1=" + hmac.new(self.secret.encode(), signed, "sha1").hexdigest()
            if self.signature != "sha1":
                digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
                headers["X-Hub-Signature-256"] = f"sha256={digest}"
        return body, headers

    def _repository(self) -> dict[str, Any]:
        return {
            "id": 1001,
            "name": self.repository.partition("/")[2],
            "full_name": self.repository,
            "default_branch": "master",
            "master_branch": "master",
            "html_url": f"https://github.com/{self.repository}",
            "private": False,
        }

    def _ping(self) -> dict[str, Any]:
        hook_url = f"https://api.github.com/repos/{self.repository}/hooks/424242"
        return {
            "zen": "Keep it logically awesome.",
            "hook_id": 424242,
            "hook": {
                "type": "Repository",
                "id": 424242,
                "name": "web",
                "active": True,
                "events": ["push"],
                "config": {
                    "content_type": "form" if self.form else "json",
                    "insecure_ssl": "0",
                    "url": self.url,
                },
                "created_at": "2024-01-15T09:30:00Z",
                "updated_at": "2024-01-15T09:30:00Z",
                "url": hook_url,
                "test_url": f"{hook_url}/test",
                "ping_url": f"{hook_url}/pings",
                "deliveries_url": f"{hook_url}/deliveries",
                "last_response": {"code": None, "status": "unused", "message": None},
            },
            "repository": self._repository(),
            "sender": {"login": "template-keeper"},
        }

    def _push(self, when: float) -> dict[str, Any]:
        after = _NOBODY if self.deleted else self.after
        person = {
            "name": "Template Keeper",
            "email": "templates@indigo-dc.example.org",
            "username": "template-keeper",
        }
        commits = [] if self.deleted else [self._commit(person, when)]
        return {
            "ref": self.ref,
            "before": self.before,
            "after": after,
            "created": False,
            "deleted": self.deleted,
            "forced": False,
            "base_ref": None,
            "compare": f"https://github.com/{self.repository}/compare/{self.before[:12]}...{after[:12]}",
            "repository": self._repository(),
            "pusher": {"name": person["name"], "email": person["email"]},
            "sender": {"login": person["username"]},
            "head_commit": commits[-1] if commits else None,
            "commits": commits,
        }

    def _commit(self, person: dict[str, str], when: float) -> dict[str, Any]:
        return {
            "id": self.after,
            "tree_id": hashlib.sha1(self.after.encode(), usedforsecurity=False).hexdigest(),
            "distinct": True,
            "message": "Change templates",
            "timestamp": datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds"),
            "url": f"https://github.com/{self.repository}/commit/{self.after}",
            "author": person,
            "committer": person,
            "added": [],
            "removed": [],
            "modified": self.modified,
        }
