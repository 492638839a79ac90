"""What a module's keywords say: capability, task, framework, community; case folded and synonyms joined."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

CAPABILITY, TASK, FRAMEWORK, COMMUNITY, LICENCE = "capability", "task", "framework", "community", "licence"
KINDS = {
    CAPABILITY: _("Capability"),
    TASK: _("Task"),
    FRAMEWORK: _("Framework"),
    COMMUNITY: _("Community"),
    LICENCE: _("Licence"),
}

_CAPABILITIES = {
    "trainable": "Trainable",
    "inference": "Inference",
    "pre-trained": "Pre-trained",
    "ai4 trainable": "trainable",
    "ai4 inference": "inference",
    "ai4 pre trained": "pre-trained",
    "pretrained": "pre-trained",
}
_FRAMEWORKS = {
    "tensorflow": "TensorFlow",
    "pytorch": "PyTorch",
    "keras": "Keras",
    "scikit-learn": "scikit-learn",
    "jax": "JAX",
    "mxnet": "MXNet",
    "yolov8": "YOLOv8",
    "tensorflow-v1": "tensorflow",
    "tensorflow-v2": "tensorflow",
    "torch": "pytorch",
    "sklearn": "scikit-learn",
}
_SYNONYMS = {"imagine classification": "image classification"}  # a slip seen in two public modules
# Said by nearly every module, or about the platform and not about the module.
_NOT_A_TASK = {"docker", "deep learning", "api-v1", "api-v2", "beta", "services", "machine learning", "other"}
_LABELS = {"nlp": "NLP", "cnn": "CNN", "rcnn": "R-CNN", "faster-rcnn": "Faster R-CNN", "vscode": "VS Code"}
_LICENCES = {
    "apache 2.0": "Apache 2.0",
    "apache-2.0": "Apache 2.0",
    "apache license 2.0": "Apache 2.0",
    "apache2": "Apache 2.0",
    "mit license": "MIT",
    "mit": "MIT",
}
_GLYPHS = (
    ("audio", ("audio", "noise", "speech", "sound", "nlp")),
    ("segment", ("segmentation",)),
    ("detect", ("detection", "rcnn", "yolo", "pose")),
    ("terminal", ("development", "jupyterlab", "vscode")),
    ("stream", ("video", "stream")),
    ("image", ("image", "classification", "cnn", "spectral")),
    ("chart", ("time series", "forecast", "regression", "nowcast", "weather")),
)

# All the drawings there are for a module, for who chooses one.
GLYPHS = (*(glyph for glyph, _ in _GLYPHS), "layers", "chip", "folder", "star", "code")


@dataclass(frozen=True)
class Facet:
    """``value`` is what addresses carry, ``label`` what people read."""

    kind: str
    value: str
    label: str


def facets_of(keywords: Iterable[str], licence: str) -> list[Facet]:
    """The facets of a module, each once, in the order of its keywords, the licence last."""
    found: dict[tuple[str, str], Facet] = {}
    for keyword in keywords:
        facet = _facet(" ".join(keyword.casefold().split()))
        if facet:
            found.setdefault((facet.kind, facet.value), facet)
    if licence.strip():
        label = _LICENCES.get(licence.strip().casefold(), licence.strip())[:120]
        found[LICENCE, label.casefold()] = Facet(LICENCE, label.casefold(), label)
    return list(found.values())


def glyph_for(keywords: Iterable[str], words: str = "") -> str:
    """Name of our own icon for what a module works on, by its keywords, or else by its title and summary."""
    return _glyph(" ".join(str(keyword) for keyword in keywords)) or _glyph(words) or "layers"


def _glyph(text: str) -> str:
    text = text.casefold()
    return next((glyph for glyph, words in _GLYPHS if any(word in text for word in words)), "")


def _facet(word: str) -> Facet | None:
    word = _SYNONYMS.get(word, word)[:120]
    for kind, table in ((CAPABILITY, _CAPABILITIES), (FRAMEWORK, _FRAMEWORKS)):
        if word in table:
            value = word if table[word].casefold() == word else table[word]
            return Facet(kind, value, table[value])
    if word.startswith("vo."):
        return Facet(COMMUNITY, word, word)
    if not word or word in _NOT_A_TASK:
        return None
    return Facet(TASK, word, _LABELS.get(word, word[:1].upper() + word[1:]))
