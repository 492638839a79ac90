"""Who may use a template: ``allowed_groups`` and ``visibility`` of its metadata (contract 10.3).

``allowed_groups`` is "*" or a list (or a text with commas) of groups, of which one is enough. ``visibility`` is
"public", "private", or a mapping of ``type``, ``groups`` and ``groups_regex``. Both may be there: both must admit. A
private template is not even named to those it does not admit; any other is shown to them as locked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import regex
from django.utils.translation import gettext as _

from deepdash.wording import either

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

PATTERN_SECONDS = 0.1
MAX_PATTERN = 500  # characters


@dataclass(frozen=True)
class Audience:
    """Groups that admit: one of ``allowed`` and one of ``groups`` or of those that ``pattern`` fits, where given."""

    private: bool = False
    allowed: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    pattern: str = ""

    @classmethod
    def stored(cls, columns: Mapping[str, Any]) -> "Audience":
        """From what ``as_dict`` made."""
        return cls(
            private=bool(columns.get("private")),
            allowed=tuple(columns.get("allowed", ())),
            groups=tuple(columns.get("groups", ())),
            pattern=str(columns.get("pattern", "")),
        )

    def as_dict(self) -> dict[str, Any]:
        """For a JSON column; empty when it admits everybody."""
        found = {"private": self.private, "allowed": list(self.allowed), "groups": list(self.groups),
                 "pattern": self.pattern}  # fmt: skip
        return {key: value for key, value in found.items() if value}

    def admits(self, groups: Iterable[str]) -> bool:
        """Whether a member of these groups may use it. Names are compared whole, in their own case."""
        held = {group.strip("/") for group in groups}
        if self.allowed and not held & set(self.allowed):
            return False
        if self.groups or self.pattern:
            return bool(held & set(self.groups)) or any(self._fits(group) for group in held)
        return not self.private

    def wanted(self) -> str:
        """Which group is missing, for people: "in the group a or b"."""
        names = self.allowed or self.groups
        if names:
            if len(names) > 3:
                return _("in one of %(number)s groups") % {"number": len(names)}
            return _("in the group %(names)s") % {"names": either(names)}
        if self.pattern:
            return _("in a group that matches %(pattern)s") % {"pattern": self.pattern}
        return _("named by the template")

    def _fits(self, group: str) -> bool:
        if not self.pattern:
            return False
        try:
            return bool(regex.fullmatch(self.pattern, group, timeout=PATTERN_SECONDS))
        except (regex.error, TimeoutError):
            return False  # a rule that can't be followed admits nobody


def groups_of(user: "User | AnonymousUser | None") -> list[str]:
    """The groups that count for what somebody may choose, on every page, in the form and when it is sent: the one
    they work for, else all of theirs; anybody has none."""
    if user is None or user.is_anonymous:
        return []
    return [user.current_group] if user.current_group else list(user.groups)


def switch_to(audience: Audience, user: "User | AnonymousUser | None") -> str:
    """The one of the user's groups that they would have to work for to be admitted; "" when none of them helps."""
    own = [] if user is None or user.is_anonymous else user.groups
    return next((group for group in own if audience.admits([group])), "")


def audience_of(metadata: Mapping[str, Any]) -> Audience:
    """What a template's metadata says. A rule that makes no sense closes the template rather than opening it."""
    allowed = _names(metadata.get("allowed_groups"))
    visibility = metadata.get("visibility")
    if isinstance(visibility, str):
        visibility = {"type": visibility}
    if visibility is None:
        return Audience(allowed=allowed)
    if not isinstance(visibility, dict):
        return Audience(private=True, allowed=allowed)
    kind = str(visibility.get("type") or ("private" if len(visibility) else "public")).casefold()
    pattern = visibility.get("groups_regex")
    sound = pattern if isinstance(pattern, str) and len(pattern) <= MAX_PATTERN else ""
    if pattern and not sound:
        kind = "private"
    return Audience(
        private=kind != "public",
        allowed=allowed,
        groups=_names(visibility.get("groups")),
        pattern=sound,
    )


def _names(value: Any) -> tuple[str, ...]:
    """Groups from a list or a text with commas; "*" among them means no rule. Leading slashes don't count."""
    entries = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    names = tuple(dict.fromkeys(str(entry).strip().strip("/") for entry in entries))
    return () if "*" in names else tuple(name for name in names if name)
