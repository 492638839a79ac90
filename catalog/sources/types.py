"""Files of TOSCA types, under the addresses that templates import them by."""

from catalog.sources.fetch import Fetched, fetch
from catalog.sources.folder import read_text
from catalog.sources.places import below_base, raw_address
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.http import ServiceSession


def read_type_file(session: ServiceSession, url: str, *, etag: str = "") -> Fetched:
    """The file behind an import address: where TOSCA_TYPES says, else from GitHub if it is an address there.

    Any other address is not called: templates are written by outsiders. Raises Problem.
    """
    place = config.TOSCA_TYPES.get(url) or raw_address(url)
    if place.startswith(("https://", "http://")):
        return fetch(session, place, etag=etag)
    if place:
        try:
            return Fetched(read_text(below_base(place)), "")
        except (OSError, ValueError) as error:
            raise Problem("catalog:source", detail=str(error), what="A file of TOSCA types") from None
    raise Problem(
        "catalog:source",
        detail=f"TOSCA_TYPES does not say where {url[:300]} is to be read.",
        what="A file of TOSCA types",
    )
