"""What can go wrong with deployments, added to the registry of messages."""

from django.utils.translation import gettext_lazy as _

from deepdash.errors import MESSAGES, Message, Tone

MESSAGES.update(
    {
        "deployment:locked": Message(
            _("“{title}” is locked against deletion."), _("Unlock it first, on its page."), Tone.WARN, 409
        ),
        "deployment:unnamed": Message(
            _("The orchestrator has not named this deployment yet."),
            _("It can be deleted once it is known whether it exists. Refresh in a minute."),
            Tone.WARN,
            409,
        ),
        "deployment:not-deleted": Message(
            _("“{title}” was not deleted. {cause}"), _("Nothing changed. Try again in a minute."), Tone.WARN, 502
        ),
        "deployment:delete-refused": Message(
            _("“{title}” was not deleted: the orchestrator refused it."), _("Its own words are below."), Tone.BAD, 409
        ),
        "deployment:delete-unknown": Message(
            _("The orchestrator did not answer in time, so we don’t know whether “{title}” is being deleted."),
            _("Look at its status before you try again."),
            Tone.WARN,
            502,
        ),
        "deployment:no-customer": Message(
            _("Your account names no organisation and no group, so there are no agreements with providers."),
            _("“Automatic” still works. Ask support if you expected providers here."),
            Tone.INFO,
            404,
        ),
        "deployment:not-your-group": Message(
            _("You are not in the group {group}."), _("Choose one of your own groups."), Tone.WARN, 403
        ),
        "configure:not-deployable": Message(
            _("{title} can’t be deployed now."), _("Choose another module; curators see this too."), Tone.WARN, 409
        ),
        "configure:other-group": Message(
            _("The template of “{title}” is for people {wanted}."),
            _("You are one of them: choose {group} under “Work for” in your account’s menu, then come back."),
            Tone.INFO,
            403,
        ),
        "configure:not-for-you": Message(
            _("The template of “{title}” is for people {wanted}."),
            _("Ask whoever runs this dashboard how to join."),
            Tone.INFO,
            403,
        ),
        "again:no-template": Message(
            _("The template of “{title}” is not known any more."),
            _("It was made elsewhere and is gone, so it can’t be deployed again from here. Choose a module instead."),
            Tone.INFO,
            409,
        ),
        "update:refused": Message(
            _("“{title}” was not updated: the orchestrator refused it."),
            _("Your form is as you left it. Change what it names and update again."),
            Tone.BAD,
            422,
        ),
        "update:unsent": Message(
            _("“{title}” was not updated. {cause}"),
            _("Your form is as you left it. Try again in a minute."),
            Tone.WARN,
            502,
        ),
        "update:unknown": Message(
            _("The orchestrator did not answer in time, so we don’t know whether “{title}” is being updated."),
            _("Look at its status before you send it again."),
            Tone.WARN,
            502,
        ),
        "update:not-possible": Message(
            _("“{title}” can’t be updated. {cause}"), _("Clone it instead."), Tone.INFO, 409
        ),
        "update:nothing": Message(
            _("Nothing differs from what it runs with."), _("Change a value, then update."), Tone.INFO, 422
        ),
        "action:not-possible": Message(
            _("“{title}” can’t be {done}. {cause}"), _("Nothing was changed."), Tone.WARN, 409
        ),
        "action:refused": Message(
            _("“{title}” was not {done}: the orchestrator refused it."), _("Its own words are below."), Tone.BAD, 409
        ),
        "action:unsent": Message(
            _("“{title}” was not {done}. {cause}"), _("Nothing changed. Try again in a minute."), Tone.WARN, 502
        ),
        "action:unknown": Message(
            _("The orchestrator did not answer in time, so we don’t know whether “{title}” was {done}."),
            _("Look at its status before you try again."),
            Tone.WARN,
            502,
        ),
        "group:none": Message(
            _("You are in no group."), _("Deployments of a group are shown to its members."), Tone.INFO, 404
        ),
        "group:unsupported": Message(
            _("This orchestrator can’t list a group’s deployments."),
            _("That needs version 2.6 or later; here it is {version}. Your own are in your list."),
            Tone.INFO,
            404,
        ),
    }
)
