"""Why a deployment failed: the orchestrator's ``statusReason`` taken apart, and the known causes in plain words."""

import enum
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# One block per attempt, each after a line of dashes (contract 1.8); the brackets are literal.
_RULE = re.compile(r"^-{20,}\s*$", re.MULTILINE)
_PROVIDER = re.compile(r"^\s*Cloud Provider <(.*?)>\s*$", re.MULTILINE)
_SERVICE = re.compile(r"^\s*Cloud Provider Service <(.*?)>\s*$", re.MULTILINE)
_PREFIX = "provider-"


@dataclass(frozen=True)
class Explanation:
    """``short`` fits into a line of a list, ``advice`` says what to do about it."""

    short: str
    advice: str = ""


@dataclass(frozen=True)
class Attempt:
    """One try at one provider. ``cause`` is its own words."""

    provider: str
    service: str
    cause: str
    explanation: Explanation

    @property
    def name(self) -> str:
        return site_name(self.provider) or self.service or _("a provider")


@dataclass(frozen=True)
class Reason:
    """``raw`` is the whole text; ``attempts`` are in the order in which they were made."""

    raw: str
    explanation: Explanation
    attempts: tuple[Attempt, ...] = ()

    @property
    def gist(self) -> str:
        """For a line of a list: what all attempts had in common, else how many there were."""
        shorts = {attempt.explanation.short for attempt in self.attempts}
        return shorts.pop() if len(shorts) == 1 else self.explanation.short


class Phase(enum.Enum):
    """What was being done when it went wrong; the value is what to do about a cause that has no advice of its own."""

    CREATE = ""
    UPDATE = gettext_noop("It may still run as before. Try the update again when the cause is gone.")
    DELETE = gettext_noop(
        "It may still hold resources. Delete it again; if that fails too, delete it by force or tell support."
    )


def phase_of(status: str) -> Phase:
    """The phase that a status belongs to."""
    return {"UPDATE": Phase.UPDATE, "DELETE": Phase.DELETE}.get(status.partition("_")[0], Phase.CREATE)


@dataclass(frozen=True)
class _Cause:
    """A cause that is known by a pattern. What it means when updating or deleting is said where it differs."""

    pattern: str
    create: Explanation
    update: Explanation | None = None
    delete: Explanation | None = None

    def explained(self, phase: Phase) -> Explanation:
        own = {Phase.CREATE: self.create, Phase.UPDATE: self.update, Phase.DELETE: self.delete}[phase]
        said = own or Explanation(self.create.short, phase.value)
        return Explanation(_(said.short), said.advice and _(said.advice))


_UNKNOWN = gettext_noop("Its own words say more")
# The first pattern that is found counts, so what is more particular stands higher.
_KNOWN = (
    _Cause(
        r"deletion was given up here",
        Explanation(
            gettext_noop("Its deletion was given up"),
            gettext_noop("Nothing was cleaned up by that. Delete it when the cause is gone."),
        ),
        delete=Explanation(
            gettext_noop("Its deletion was given up here"),
            gettext_noop(
                "Nothing was cleaned up by that: it may still hold resources. Delete it again when the cause is gone."
            ),
        ),
    ),
    _Cause(
        r"no cloud provider meets",
        Explanation(
            gettext_noop("No provider meets its requirements"),
            gettext_noop(
                "None of the providers open to you offers the memory, processors, GPUs or kind of service that it asks "
                "for. Ask for less, or choose a provider yourself."
            ),
        ),
        update=Explanation(
            gettext_noop("Its provider can’t meet the new requirements"),
            gettext_noop("It may still run as before. Ask for less in the update, or clone it to have it elsewhere."),
        ),
    ),
    _Cause(
        r"error fetching sla|no sla with id",
        Explanation(
            gettext_noop("Your agreements with providers could not be used"),
            gettext_noop(
                "The orchestrator found no agreement for your group or for the chosen provider. Choose “Automatic” or "
                "another group; if it stays, tell support."
            ),
        ),
    ),
    _Cause(
        r"single placement policy",
        Explanation(
            gettext_noop("Its template names several providers"),
            gettext_noop("Only one placement policy is possible. Choose another template."),
        ),
    ),
    _Cause(
        r"quota|limit exceeded|exceeds the (allowed|available)",
        Explanation(
            gettext_noop("The provider’s quota is used up"),
            gettext_noop("Delete what you no longer need there, ask for less, or choose another provider."),
        ),
        update=Explanation(
            gettext_noop("The provider’s quota is used up"),
            gettext_noop(
                "It may still run as before. Delete what you no longer need there, or ask for less in the update."
            ),
        ),
    ),
    _Cause(
        r"insufficient.{0,30}gpu|no (free )?gpu|gpus?.{0,20}(unavailable|not available)|not enough( free)? gpus?",
        Explanation(
            gettext_noop("No GPU was free"), gettext_noop("Try again later, choose another provider, or use CPU.")
        ),
        update=Explanation(
            gettext_noop("No GPU was free"), gettext_noop("It may still run as before. Try the update again later.")
        ),
    ),
    _Cause(
        r"pull access denied|manifest (unknown|for)|image.{0,60}not found|(failed|cannot|unable) to pull|imagepull",
        Explanation(
            gettext_noop("The Docker image could not be fetched"),
            gettext_noop("Check name and tag of the image: it must be public and have that tag."),
        ),
        update=Explanation(
            gettext_noop("The Docker image could not be fetched"),
            gettext_noop("Check name and tag of the image in the update: it must be public and have that tag."),
        ),
    ),
    _Cause(
        r"no valid host|(insufficient|not enough) (resources|memory|cpu)|resources.{0,20}not available",
        Explanation(
            gettext_noop("The provider had no room for it"),
            gettext_noop("Ask for fewer processors or less memory, or choose another provider."),
        ),
        update=Explanation(
            gettext_noop("The provider had no room for it"),
            gettext_noop("It may still run as before. Ask for fewer processors or less memory in the update."),
        ),
    ),
    _Cause(
        r"out of memory|\boom\b|oomkilled",
        Explanation(gettext_noop("It ran out of memory"), gettext_noop("Give it more memory.")),
        update=Explanation(gettext_noop("It ran out of memory"), gettext_noop("Give it more memory in the update.")),
    ),
    _Cause(
        r"health check|unhealthy",
        Explanation(
            gettext_noop("The container started but its service never came up"),
            gettext_noop("Check the run command; an image made for GPUs may not start on CPUs."),
        ),
        update=Explanation(
            gettext_noop("Its service did not come up after the update"),
            gettext_noop("Check what was changed: the run command, and whether image and hardware fit."),
        ),
    ),
    _Cause(
        r"maximum execution time|timeout|timed out",
        Explanation(
            gettext_noop("It did not come up in time"),
            gettext_noop("The provider may have been full, or the image is very large. Try again or elsewhere."),
        ),
        update=Explanation(
            gettext_noop("The update did not end in time"),
            gettext_noop("It may still run as before, or as updated: see whether its service answers, then try again."),
        ),
        delete=Explanation(
            gettext_noop("Its provider did not delete it in time"),
            gettext_noop(
                "It may still hold resources. Delete it again; if that fails too, delete it by force or tell support."
            ),
        ),
    ),
    _Cause(
        r"contextuali[sz]ation|ansible",
        Explanation(gettext_noop("Setting up the machine failed"), gettext_noop("The log shows the step that failed.")),
        update=Explanation(
            gettext_noop("Setting up the machine failed"), gettext_noop("The log shows the step that failed.")
        ),
    ),
    _Cause(
        r"token.{0,40}(expired|invalid)|unauthori[sz]ed|\b401\b|\b403\b|forbidden",
        Explanation(
            gettext_noop("The provider did not accept your account"),
            gettext_noop("Sign in again and retry; if it stays, tell support which provider it was."),
        ),
        delete=Explanation(
            gettext_noop("The provider did not accept your account"),
            gettext_noop(
                "It still holds resources. Sign in again and delete it again; if it stays, tell support which provider "
                "it was."
            ),
        ),
    ),
    _Cause(
        r"connection refused|connection reset|unreachable|no route|unknown ?host|\b50[234]\b|bad gateway",
        Explanation(
            gettext_noop("The provider could not be reached"),
            gettext_noop("Try again later, or choose another provider."),
        ),
        update=Explanation(
            gettext_noop("The provider could not be reached"),
            gettext_noop("It may still run as before. Try the update later."),
        ),
        delete=Explanation(
            gettext_noop("The provider could not be reached"),
            gettext_noop("It still holds resources there. Delete it again later."),
        ),
    ),
    _Cause(
        r"never had it",
        Explanation(
            gettext_noop("It never reached the orchestrator"), gettext_noop("Nothing was deployed. Deploy again.")
        ),
    ),
)


def explained(text: str, phase: Phase = Phase.CREATE) -> Explanation:
    """The plain words for a cause; for unknown ones its own first line."""
    for cause in _KNOWN:
        if re.search(cause.pattern, text, re.IGNORECASE):
            return cause.explained(phase)
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return Explanation(
        line[:120] + ("…" if len(line) > 120 else "") if line else _(_UNKNOWN), phase.value and _(phase.value)
    )


def reason_of(text: str, status: str) -> Reason | None:
    """The parts of the ``statusReason`` that came with a status; None when there is none."""
    text, phase = text.strip(), phase_of(status)
    if not text:
        return None
    blocks = _RULE.split(text)[1:]
    attempts = tuple(_attempt(block, phase) for block in blocks if _PROVIDER.search(block))
    if not attempts:
        return Reason(text, explained(text, phase))
    shorts = {attempt.explanation.short for attempt in attempts}
    tried = _tried(len(attempts))
    if len(shorts) == 1:
        same = attempts[0].explanation
        short = _("%(tried)s: %(why)s") % {"tried": tried, "why": f"{same.short[:1].lower()}{same.short[1:]}"}
        return Reason(text, Explanation(short, same.advice), attempts)
    return Reason(text, Explanation(tried, _("Each failed for a reason of its own, see below.")), attempts)


def site_name(provider: str) -> str:
    """A provider's id as people say it: CMDB ids begin with ``provider-``."""
    return provider.removeprefix(_PREFIX)


def _attempt(block: str, phase: Phase) -> Attempt:
    provider, service = _PROVIDER.search(block), _SERVICE.search(block)
    cause = _SERVICE.sub("", _PROVIDER.sub("", block)).strip()
    return Attempt(provider[1] if provider else "", service[1] if service else "", cause, explained(cause, phase))


def _tried(number: int) -> str:
    words = (
        gettext_noop("No provider tried"),
        gettext_noop("One provider tried"),
        gettext_noop("Two providers tried"),
        gettext_noop("Three providers tried"),
        gettext_noop("Four providers tried"),
        gettext_noop("Five providers tried"),
    )
    return _(words[number]) if number < len(words) else _("%(number)s providers tried") % {"number": number}
