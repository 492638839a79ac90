"""The module a container runs, made up from the name of its image."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from sandbox.deepaas.arguments import Argument

NO_METADATA = "sandbox-nometadata"
NO_TRAINING = "sandbox-notrain"

TRAINING = (
    Argument("dataset", "str", "Folder with the training data, as seen from inside the container."),
    Argument("epochs", "int", "How often the whole training set is gone through.", 10, minimum=1, maximum=500),
    Argument("learning_rate", "float", "Step size of the optimiser.", 0.001),
    Argument("batch_size", "int", "Images per step.", 16, minimum=1, maximum=1024),
    Argument("augmentation", "bool", "Turn, mirror and crop the images at random.", True),
    Argument("optimizer", "str", "Optimisation method.", "adam", choices=("adam", "sgd", "rmsprop")),
    Argument("class_weights", "float", "Weight of each class, in the order of the classes.", [1.0], many=True),
    Argument("labels", "str", "Labels to train for; leave empty for all.", [], many=True),
    Argument("note", "str", "Remark that is kept with the training.", None),
)
PREDICTION = (
    Argument("image", "file", "The image to classify.", place="formData"),
    Argument("top_k", "int", "How many classes to return.", 5, minimum=1, maximum=20),
    Argument("threshold", "float", "Leave out classes less probable than this.", 0.0),
    Argument("with_heatmap", "bool", "Also mark what the decision was based on.", False),
    Argument(
        "accept",
        "str",
        "Media type of the answer.",
        "application/json",
        choices=("application/json", "image/png", "*/*"),
        place="header",
    ),
)


@dataclass(frozen=True)
class Module:
    """A module: ``name`` is what its routes use, ``metadata`` what it says of itself, rightly or not."""

    name: str
    metadata: dict[str, Any]
    training: tuple[Argument, ...]

    @property
    def trains(self) -> bool:
        return bool(self.training)

    def described(self, href: str) -> dict[str, Any]:
        """Return the module as listed: its own metadata goes over what DEEPaaS knows (contract 6.2)."""
        return {"id": self.name, "name": self.name, "links": [{"rel": "self", "href": href}], **self.metadata}


def module_of(image: str) -> Module:
    """Return the module in an image; the same image always holds the same one.

    One module in three has no metadata and so announces the id ``0``. A name containing
    ``sandbox-nometadata`` or ``sandbox-notrain`` gets a module without metadata, or that cannot train.
    """
    repository = image.rsplit("/", 1)[-1].split(":", 1)[0].lower()
    short = repository.removeprefix("uc-").removeprefix("deep-oc-").replace("-", "_") or "deepaas_test"
    described = NO_METADATA not in repository and zlib.crc32(short.encode()) % 3 != 0
    if described:
        metadata: dict[str, Any] = {
            "description": f"{short.replace('_', ' ').capitalize()}: a stand-in that learns nothing.",
            "author": "The sandbox",
            "version": "1.2.0",
            "url": f"https://github.com/deephdc/{short}",
            "license": "Apache-2.0",
        }
    else:
        metadata = {
            "id": "0",
            "name": short,
            "description": f"Could not load description from underlying model (loaded '{short}')",
        }
    return Module(short, metadata, () if NO_TRAINING in repository else TRAINING)
