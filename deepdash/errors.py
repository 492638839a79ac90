"""The registry of what can go wrong for a user: every message has an id, a headline, a next step, a severity.

Code raises ids; the words live here alone. What a service itself said is never the message: it travels beside it
as ``detail``, is redacted, and shown escaped and folded.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deepdash.inert import inert

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Tone(StrEnum):
    """How much it matters, in the tones of the interface."""

    INFO = "busy"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Message:
    """``headline`` and ``step`` are templates for ``str.format`` with the problem's ``facts``."""

    headline: "StrOrPromise"
    step: "StrOrPromise"
    tone: Tone = Tone.BAD
    status: int = 502


MESSAGES: dict[str, Message] = {
    # Outside services; {service} is the service's name as users know it.
    "service:unreachable": Message(_("{service} can’t be reached."), _("We keep trying; try again in a minute."), Tone.WARN),
    "service:timeout": Message(_("{service} did not answer in time."), _("Try again in a minute."), Tone.WARN),
    "service:fault": Message(_("{service} reports a fault of its own."), _("Try again in a minute; if it stays, tell support."), Tone.WARN),
    "service:garbled": Message(_("{service} sent an answer that can’t be understood."), _("Try again in a minute; if it stays, tell support."), Tone.WARN),
    "service:busy": Message(_("{service} asks us to slow down."), _("Try again in a minute."), Tone.WARN),
    "service:refused": Message(_("{service} refused this."), _("Read its own words below and change the request.")),
    "service:denied": Message(_("{service} does not let you do this."), _("It belongs to somebody else, or your account lacks a right."), status=403),
    "service:missing": Message(_("{service} does not know this."), _("It may have been deleted."), status=404),
    "service:conflict": Message(_("{service} can’t do this right now."), _("Something else is being done to it; reload the page and look at its status."), status=409),
    "service:blocked": Message(_("This address may not be called from here."), _("It points into a network that this dashboard is not allowed to reach."), status=502),
    "service:unset": Message(_("{service} is not configured here."), _("The operator has to set its address."), Tone.INFO, 503),
    # Signing in.
    "login:expired": Message(_("Your session has ended."), _("Sign in again; what you typed is kept."), Tone.INFO, 401),
    "login:denied": Message(_("IAM did not let you in."), _("You cancelled, or IAM refused. Try again."), Tone.WARN, 403),
    "login:rejected": Message(_("The sign-in could not be verified."), _("Start again from this page."), Tone.WARN, 403),
    "login:stale": Message(_("That sign-in was already used or is too old."), _("Start again from this page."), Tone.WARN, 400),
    "login:groups": Message(_("Your account lacks a group."), _("Ask for membership, then sign in again."), Tone.WARN, 403),
    "login:provider": Message(_("IAM can’t be reached, so nobody can sign in right now."), _("Try again in a minute; the catalogue stays open."), Tone.WARN, 503),
    # Submitting.
    "submit:refused": Message(_("Not deployed: the orchestrator refused it."), _("Your form is as you left it. Change what it names and deploy again."), status=422),
    "submit:unknown": Message(_("The orchestrator did not answer in time, so we don’t know whether it was accepted."), _("Look at your deployments before you send it again."), Tone.WARN),
    "submit:unsent": Message(_("Not deployed: {service} can’t be reached."), _("Your form is as you left it. Deploy again in a minute."), Tone.WARN, 502),
    "submit:template": Message(_("This template can’t be used."), _("Choose another template."), status=422),
    # Trainings and predictions.
    "training:no-api": Message(_("This deployment has no DEEPaaS API that can be called."), _("It may be gone, still starting, or running something else."), Tone.WARN, 409),
    "training:not-checked": Message(_("The orchestrator could not confirm where this deployment is."), _("Nothing was sent to its last known address, which may be another’s by now. Try again in a minute."), Tone.WARN),
    "training:unable": Message(_("This model can’t do that."), _("Its module has no such function, or its operator switched it off."), Tone.WARN, 409),
    "training:arguments": Message(_("Not started: the module refused the arguments."), _("Change what it names below."), status=422),
    "training:refused": Message(_("The module refused this."), _("Read its own words below."), status=422),
    "training:failed": Message(_("The module failed while it worked on this."), _("Its log says more; other arguments or another file may work."), Tone.BAD, 502),
    "training:unsent": Message(_("Not started: DEEPaaS can’t be reached."), _("Your arguments are as you left them. Start again in a minute."), Tone.WARN),
    "training:unknown": Message(_("DEEPaaS did not answer in time, so we don’t know whether the training was started."), _("It appears below if it was; look before you start it again."), Tone.WARN),
    "training:not-removed": Message(_("DEEPaaS still lists this training."), _("It may take a moment to stop; try again."), Tone.WARN),
    "training:slow": Message(_("The prediction took longer than we wait."), _("The first one loads the model: try again in a minute, or open the API itself."), Tone.WARN, 504),
    "training:too-many": Message(_("There are too many to show side by side."), _("Select fewer trainings."), Tone.INFO, 400),
    "training:sealed": Message(_("The secrets of these trainings can’t be read any more."), _("The key that they were encrypted with is gone. Start what is left as a new batch."), Tone.BAD, 409),
    "training:record": Message(_("This is not a readable record of a training."), _("Choose a file that was downloaded from a training’s page."), status=422),
    # Pages.
    "page:missing": Message(_("This page does not exist."), _("The address may be mistyped, or what it showed was deleted."), Tone.INFO, 404),
    "page:denied": Message(_("You may not see this."), _("Your account lacks the right to see it."), Tone.WARN, 403),
    "page:forgery": Message(_("This form was open too long, or came from elsewhere."), _("Go back, reload the page and send it again."), Tone.WARN, 403),
    "page:bad-request": Message(_("The request can’t be understood."), _("Go back and try again."), Tone.WARN, 400),
    "page:full": Message(_("Too many of these are under way at the same time."), _("Wait until one of yours has ended, then try again."), Tone.WARN, 429),
    "page:busy": Message(_("That was too often in a short time."), _("Wait up to {seconds} seconds, then try again."), Tone.WARN, 429),
    "page:away": Message(_("The dashboard is unavailable for a moment."), _("It comes back by itself: reload this page in a minute. If you just sent something, look whether it arrived before you send it again."), Tone.WARN, 503),
    "page:broken": Message(_("Something broke on our side."), _("It is logged. If it stays, send us the request id below."), Tone.BAD, 500),
}  # fmt: skip


class Problem(Exception):
    """Something a user has to be told.

    ``id`` is a key of MESSAGES, ``detail`` the words of the service (untrusted text, already redacted), ``facts``
    fill the message's gaps.
    """

    def __init__(self, id: str, *, detail: str = "", **facts: object) -> None:
        detail = inert(detail)
        super().__init__(id, detail)
        self.id, self.detail, self.facts = id, detail, facts

    def __str__(self) -> str:
        return f"{self.id} ({self.headline}) {self.detail}".strip()

    @property
    def message(self) -> Message:
        return MESSAGES[self.id]

    @property
    def _told(self) -> dict[str, object]:
        """The facts, with the name of the service in the reader's language: it is kept and logged in English."""
        service = self.facts.get("service")
        return {**self.facts, "service": gettext(str(service))} if service else self.facts

    @property
    def headline(self) -> str:
        return self.message.headline.format(**self._told)

    @property
    def step(self) -> str:
        return self.message.step.format(**self._told)

    @property
    def tone(self) -> Tone:
        return self.message.tone

    @property
    def status(self) -> int:
        return self.message.status
