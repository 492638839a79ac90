"""What may be wrong with modules and templates, as the administration counts it and finds it: one meaning for both."""

from dataclasses import dataclass

from django.db.models import Q

from catalog.models import Module, ModuleTemplate, Template


@dataclass(frozen=True)
class Trouble:
    """``label`` says it of one, ``one`` and ``many`` after a count; without them it is only filtered by."""

    key: str
    label: str
    found: Q
    one: str = ""
    many: str = ""

    def counted(self, number: int) -> str:
        return self.one if number == 1 else self.many


_HERE = ~Q(state=Module.State.GONE)
_ODD = Q(verdict__in=[Template.Verdict.INVALID, Template.Verdict.PARSER_FAILED], fragment=False)
_LIVE = Q(state=Template.State.LIVE)
_AS_UPSTREAM = Q(
    title_override="", summary_override="", note="", default_tag="", default_hardware="", glyph_override="",
    icon_address="", position=1000, hidden=False, featured=False, default_template__isnull=True,
)  # fmt: skip

OF_MODULES = (
    Trouble("broken", "can’t be deployed", _HERE & ~Q(error={}) & Q(docker_image=""),
            "module can’t be deployed", "modules can’t be deployed"),
    Trouble("stale", "shows an older version", _HERE & ~Q(error={}) & ~Q(docker_image=""),
            "module shows an older version", "modules show an older version"),
    Trouble("tags", "tags can’t be read", _HERE & ~Q(tags_error={}),
            "module’s tags can’t be read", "modules’ tags can’t be read"),
    Trouble("no-tags", "has no tags", _HERE & Q(tags=[])),
    Trouble("templates", "a template is missing",
            _HERE & Q(pk__in=ModuleTemplate.objects.exclude(error={}).values("module_id")),
            "module names a template that is missing", "modules name a template that is missing"),
    Trouble("remarks", "oddities in the metadata", _HERE & ~Q(remarks=[])),
    Trouble("curated", "changed by curators", ~_AS_UPSTREAM),
)  # fmt: skip

OF_TEMPLATES = (
    Trouble("unread", "can’t be read", _LIVE & Q(verdict=Template.Verdict.UNREADABLE),
            "template can’t be read, and is withheld", "templates can’t be read, and are withheld"),
    Trouble("stale", "newest text can’t be read", _LIVE & ~Q(error={}) & ~Q(verdict=Template.Verdict.UNREADABLE),
            "template is used as it was: its newest text can’t be read",
            "templates are used as they were: their newest text can’t be read"),
    Trouble("odd", "odd to tosca-parser", _LIVE & _ODD),
    Trouble("unused", "no module names it", _LIVE & Q(module_links=None)),
    Trouble("locked", "for some groups only", _LIVE & ~Q(audience={})),
)  # fmt: skip
