"""A template's whole description: its own text, its parameters file and its metadata file, with what is odd in them."""

from dataclasses import dataclass

from catalog.tosca.description import TemplateDescription, describe
from catalog.tosca.duplicates import duplicate_keys
from catalog.tosca.guard import Refused
from catalog.tosca.harmless import harmless
from catalog.tosca.loader import load_template, plain
from catalog.tosca.overrides import load_overrides, override
from catalog.tosca.parameters import load_parameters, refine
from catalog.tosca.tabs import parameters_of


@dataclass(frozen=True)
class Reading:
    """The description, and one sentence for each oddity that its author should know of."""

    description: TemplateDescription
    notes: tuple[str, ...]


def read_template(text: str, *, parameters: str = "", overrides: str = "") -> Reading:
    """Read a template with the texts of the files beside it ("" for none).

    What is wrong with one of those becomes a note and leaves the rest as it is. Raises Refused for a text that is
    no template or not safe to handle.
    """
    description = describe(harmless(plain(load_template(text))))
    notes = duplicate_keys(text)
    if description.parents:
        parents = ", ".join(description.parents)
        notes.append(f"It is a part that is meant to be merged into {parents}, and can't stand alone.")
    description = refine(description, parameters_of(description))
    if parameters:
        try:
            description = refine(description, load_parameters(parameters))
            notes += [f"In its parameters file: {note}" for note in duplicate_keys(parameters)]
        except Refused as error:
            notes.append(f"Its parameters file can't be read: {error}")
    if overrides:
        try:
            description = override(description, load_overrides(overrides))
        except Refused as error:
            notes.append(f"Its metadata file can't be read: {error}")
    return Reading(description, tuple(notes))
