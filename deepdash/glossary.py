"""The words of the interface: what each means, what is not said instead, and how it is called in Spanish and Italian.

``/design`` shows them, ``docs/languages.md`` repeats their translations, and ``tools/untranslated.py`` holds every text
that users see against them.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """``never`` are English words that no text may say for it; ``unless`` says what else is not meant, for people."""

    term: str
    meaning: str
    es: str
    it: str
    never: tuple[str, ...] = ()
    unless: str = ""

    @property
    def instead_of(self) -> str:
        return ", ".join([*self.never, *([self.unless] if self.unless else [])])


WORDS = (
    Word("module", "what one chooses: a model with its code, as a Docker image", "módulo", "modulo", ("application",),
         "app (only an app password), model (only what a module trains)"),
    Word("catalogue", "all modules", "catálogo", "catalogo", ("portfolio", "marketplace", "catalog")),
    Word("template", "how it is deployed: a TOSCA file", "plantilla", "template", ("recipe", "topology", "blueprint")),
    Word("tag", "one build of a module’s image", "etiqueta", "tag", unless="version (only of software)"),
    Word("registry", "where images and their tags are kept", "registro de imágenes", "registro delle immagini"),
    Word("hardware", "CPU or GPU", "hardware", "hardware", ("flavour", "flavor", "device")),
    Word("run", "the service that is started: DEEPaaS API or JupyterLab", "ejecución", "esecuzione",
         ("command type",), "a training"),
    Word("form", "what is filled in before something is sent", "formulario", "form"),
    Word("deployment", "somebody’s running copy of a module", "despliegue", "deployment (invariable)",
         ("stack",), "instance, job"),
    Word("to deploy", "to have the orchestrator make one", "desplegar", "distribuire", ("launch", "submit")),
    Word("status", "how far a deployment is", "estado", "stato"),
    Word("gone", "deleted, here or elsewhere", "ya no existe", "non esiste più"),
    Word("to refresh", "to ask the services anew for what a page shows", "refrescar", "ricaricare", ("look again",),
         "reload (what a browser does to a page)"),
    Word("to update", "to change what a deployment runs with", "actualizar", "aggiornare", ("upgrade",)),
    Word("to clone", "to fill in a form as it was for another deployment", "clonar", "clonare", ("duplicate",)),
    Word("to delete", "to end something for good", "eliminar", "eliminare", ("erase", "destroy"),
         "remove (only a filter)"),
    Word("locked", "not to be deleted by mistake", "protegido", "protetto", ("frozen",)),
    Word("input, output", "what a template takes and gives", "entrada, salida", "input, output", ("parameter",)),
    Word("secret", "an input or output that is never kept", "secreto", "segreto", ("credential",)),
    Word("service", "what a deployment answers on, or the dashboard works with", "servicio", "servizio", ("endpoint",)),
    Word("node", "one machine of a deployment", "nodo", "nodo"),
    Word("log", "what a deployment’s machine wrote", "registro", "log"),
    Word("its own words", "what a service answered, unchanged", "sus propias palabras", "le sue parole"),
    Word("training", "one run of a model’s training, with arguments and result", "entrenamiento", "addestramento",
         ("experiment",), "run, job"),
    Word("batch", "several trainings, started one after another", "lote", "lotto", ("grid", "sweep", "several runs")),
    Word("set", "arguments of a training, saved under a name", "conjunto", "insieme"),
    Word("preset", "values of a deployment’s form, saved under a name", "preajuste", "preimpostazione", ("profile",)),
    Word("record", "what something was made with and what came of it, as a file", "ficha", "registro"),
    Word("provider", "where a deployment runs", "proveedor", "provider", ("site", "data centre"),
         "cloud (only all of them together)"),
    Word("agreement", "what a group may use at a provider (SLA)", "acuerdo", "accordo", ("contract",)),
    Word("storage account", "a linked Nextcloud or WebDAV", "cuenta de almacenamiento", "account di archiviazione",
         ("remote",)),
    Word("group", "whom one works for, as IAM has it", "grupo", "gruppo", ("team", "tenant")),
    Word("notice", "what happened while one was away", "aviso", "avviso", ("notification", "alert")),
    Word("curator", "who decides how the catalogue shows modules", "curador", "curatore"),
    Word("operator", "who runs this dashboard", "operador", "operatore"),
    Word("support", "whom one writes to", "soporte", "supporto", ("helpdesk",)),
    Word("dashboard", "deepdash", "panel", "dashboard", ("portal",)),
    Word("orchestrator", "the INDIGO PaaS Orchestrator", "orquestador", "orchestratore"),
    Word("to sign in, to sign out", "to begin and end one’s session", "iniciar sesión, cerrar sesión",
         "accedere, uscire", ("log in", "log out")),
    Word("to choose", "one of several values", "elegir", "scegliere"),
    Word("to select", "rows, to do something with all of them", "seleccionar", "selezionare", ("pick", "tick")),
    Word("to search, to find", "in a list; a page, module or deployment anywhere", "buscar", "cercare, trovare"),
    Word("to save", "to keep under a name, for next time", "guardar", "salvare", ("store",)),
    Word("matches", "what a search or filter finds", "coincide", "corrisponde"),
    Word("not stated", "its source says nothing of it", "no indicado", "non indicato", ("not told", "n/a")),
    Word("not known", "nothing has been read of it yet", "no se conoce", "non noto"),
    Word("not answering", "asked, and no answer came", "no responde", "non risponde"),
)  # fmt: skip

_NEVER = {
    word.term: re.compile(rf"\b({'|'.join(map(re.escape, word.never))})s?\b", re.I) for word in WORDS if word.never
}


def wrong_words(text: str) -> list[tuple[str, str]]:
    """(what an English text says, what it should say) for each word that is another one's."""
    return [(found[1], term) for term, never in _NEVER.items() for found in never.finditer(text)]
