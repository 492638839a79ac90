"""Refreshes the pictures that templates and curators name, and says which entry shows which."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from django.utils import timezone

from catalog.models import Module, ModuleTemplate, Picture, Template
from catalog.problems import noted
from catalog.refresh.jobs import Jobs
from catalog.refresh.runs import UNCHANGED, Report
from catalog.sources.pictures import FetchedPicture, picture_session, read_picture
from deepdash.errors import Problem
from deepdash.http import ServiceSession

# Icons hardly ever change, and their hosts are nobody we know: they are asked seldom.
GOOD_FOR, RETRY_AFTER = timedelta(days=7), timedelta(hours=20)


@dataclass
class PictureRefresh:
    """One refresh of all pictures. Call ``start`` when the templates are stored, drain, ``show``."""

    jobs: Jobs
    report: Report
    github: ServiceSession
    _session: ServiceSession = field(default_factory=picture_session)

    def start(self) -> None:
        """Ask for pictures that are new, or have not been asked for in a while; forget those nobody names."""
        templates = Template.objects.filter(state=Template.State.LIVE).values_list("icon_address", flat=True)
        modules = Module.objects.exclude(state=Module.State.GONE).values_list("icon_address", flat=True)
        wanted = {address for address in (*templates.distinct(), *modules.distinct()) if address}
        known = {picture.address: picture for picture in Picture.objects.defer("content")}
        unwanted = [picture.pk for address, picture in known.items() if address not in wanted]
        if unwanted:
            Picture.objects.filter(pk__in=unwanted).delete()
        now = timezone.now()
        for address in sorted(wanted):
            picture = known.get(address) or Picture(address=address)
            age = now - picture.asked_at if picture.asked_at else None
            if age is None or age > (RETRY_AFTER if picture.error else GOOD_FOR):
                call = partial(read_picture, self._session, self.github, address, etag=picture.etag)
                self.jobs.add(address, call, partial(self._read, picture))

    def show(self) -> None:
        """Give each template and module the digest of its picture: a curator's, else its own first template's."""
        digests = dict(Picture.objects.exclude(digest="").values_list("address", "digest"))
        for template in Template.objects.only("icon_address", "icon"):
            digest = digests.get(template.icon_address, "")
            if template.icon != digest:
                Template.objects.filter(pk=template.pk).update(icon=digest)
        first: dict[int, str] = {}
        links = ModuleTemplate.objects.exclude(template__icon="").exclude(template=None).order_by("-position")
        first.update(links.values_list("module_id", "template__icon"))
        for pk, address, icon in Module.objects.values_list("pk", "icon_address", "icon"):
            digest = digests.get(address, "") if address else first.get(pk, "")
            if icon != digest:
                Module.objects.filter(pk=pk).update(icon=digest)

    def _read(self, picture: Picture, result: FetchedPicture | Problem) -> None:
        picture.asked_at = timezone.now()
        if isinstance(result, Problem):
            picture.error = noted(result, picture.error)
            outcome = "failed"
        else:
            picture.error, outcome = {}, UNCHANGED
            if result.content is not None and result.digest != picture.digest:
                outcome = "changed" if picture.digest else "new"
                picture.content, picture.media_type, picture.digest = result.content, result.media_type, result.digest
            picture.etag = result.etag
        if picture.pk is None:
            picture.save()
        else:
            content = {"content", "media_type", "digest"} if outcome in {"new", "changed"} else set()
            picture.save(update_fields={"asked_at", "error", "etag"} | content)
        self.report.item("picture", picture.address, outcome, result if isinstance(result, Problem) else None)
