"""What a template asks for and gives: the typed description that forms are made from.

Values keep the YAML type they were written in (``false`` is a boolean, ``"false"`` a text), since that is what
they are compared with and sent as.
"""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from catalog.tosca.harmless import MAX_HELP, words

KINDS = (  # contract 10.3: the first node type that matches decides
    ("tosca.nodes.indigo.Container.Application.Docker.Marathon", "MARATHON"),
    ("tosca.nodes.indigo.Container.Application.Docker.Chronos", "CHRONOS"),
    ("tosca.nodes.indigo.Qcg.Job", "QCG"),
    ("tosca.nodes.indigo.LRMS.FrontEnd.Kubernetes", "KUBERNETES"),
    ("tosca.nodes.indigo.KubernetesObject", "KUBERNETES"),
    ("tosca.nodes.indigo.Helm.Chart", "KUBERNETES"),
    ("tosca.nodes.indigo.Compute", "CLOUD"),
    ("tosca.nodes.Compute", "CLOUD"),
)
CONSTRAINTS = frozenset(
    {"equal", "greater_than", "greater_or_equal", "less_than", "less_or_equal", "in_range", "valid_values",
     "length", "min_length", "max_length", "pattern"}
)  # fmt: skip
_SECRET = re.compile(
    r"(?i)passw(or)?d|passphrase|secret|private_?key|api_?key|access_?key|credential|kube_?config"
    r"|(^|[_-])(pass|pwd|token)($|[_-](?!type$))|[a-z]token$"  # a token_type only says of what kind the token is
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Constraint(_Frozen):
    """One rule for a value; ``kind`` is one of CONSTRAINTS, ``value`` what the template wrote after it."""

    kind: str
    value: Any = None


class Option(_Frozen):
    """One choice of a select: the value that is sent and the words that are shown.

    ``parent_value`` is the value that the input named by ``depends_on`` must have for this choice to be offered, None
    when it always is. ``sets`` are the values this choice gives to other inputs.
    """

    value: Any
    label: str
    parent_value: Any = None
    sets: dict[str, Any] = {}


class EntrySchema(_Frozen):
    """What the entries of a list or map are."""

    type: str = "string"
    constraints: tuple[Constraint, ...] = ()
    entry_schema: "EntrySchema | None" = None


class Input(_Frozen):
    """One input of a template, as it is to be asked for.

    ``widget`` is "" when the type alone decides, else one of ``parameters.WIDGETS``. ``depends_on`` names the input
    whose value decides which choices are offered, ``enabled_by`` the boolean input without which this one has no
    effect. ``virtual``: the template has no such input; a choice made here only sets others and is never sent.
    ``set_by`` names the virtual input that decides on this one. ``prefix``, ``suffix`` (uuidgen) and ``attribute``
    (userinfo) say how a generated value is made.
    """

    name: str
    type: str = "string"
    label: str = ""
    help: str = ""
    default: Any = None
    has_default: bool = False
    required: bool = True
    constraints: tuple[Constraint, ...] = ()
    entry_schema: EntrySchema | None = None
    secret: bool = False
    options: tuple[Option, ...] = ()
    widget: str = ""
    placeholder: str = ""
    tab: str = ""
    hidden: bool = False
    depends_on: str = ""
    enabled_by: str = ""
    virtual: bool = False
    set_by: str = ""
    rows: int = 0
    prefix: str = ""
    suffix: str = ""
    attribute: str = ""

    @property
    def title(self) -> str:
        """The label, or the name made readable."""
        title = self.label or words(self.name.replace("_", " ")) or words(self.name)
        return title[:1].upper() + title[1:]

    def constraint(self, kind: str) -> Constraint | None:
        """The first constraint of a kind, or None."""
        return next((constraint for constraint in self.constraints if constraint.kind == kind), None)

    @property
    def choices(self) -> tuple[Option, ...]:
        """What a select offers: the options of the parameters file, else the template's valid_values, else ()."""
        if self.options:
            return self.options
        valid = self.constraint("valid_values")
        values = valid.value if valid and isinstance(valid.value, list) else []
        return tuple(Option(value=value, label=words(as_words(value))) for value in values)


class TemplateDescription(_Frozen):
    """What a template holds, in its own order.

    ``parents`` are the templates it is a part of: such a fragment is meant to be merged into one of them and can't
    stand alone. ``output_types`` says of outputs what the parameters file calls them (``ssh_user``, ``hidden``).
    """

    text: str = ""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[str, ...] = ()
    node_types: tuple[str, ...] = ()
    kind: str = ""
    metadata: dict[str, Any] = {}
    tabs: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    output_types: dict[str, str] = {}

    def input(self, name: str) -> Input | None:
        """The input of that name, or None."""
        return next((item for item in self.inputs if item.name == name), None)


def describe(data: dict[str, Any]) -> TemplateDescription:
    """Describe a loaded template (from ``loader.load_template``). Odd parts are read as far as they make sense.

    Never raises for anything the loader lets through.
    """
    topology = _map(data.get("topology_template"))
    node_types = tuple(
        node["type"]
        for node in _map(topology.get("node_templates")).values()
        if isinstance(node, dict) and isinstance(node.get("type"), str)
    )
    metadata = _map(data.get("metadata"))
    parents = metadata.get("parents")
    return TemplateDescription(
        text=_text(data.get("description")),
        parents=tuple(str(name) for name in parents if name) if isinstance(parents, list) else (),
        inputs=tuple(_input(name, spec) for name, spec in _map(topology.get("inputs")).items()),
        outputs=tuple(_map(topology.get("outputs"))),
        node_types=tuple(dict.fromkeys(node_types)),
        kind=next((kind for type_, kind in KINDS if type_ in node_types), ""),
        metadata=metadata,
    )


def is_secret(name: str) -> bool:
    """Whether an input's name says that its value must not be shown or kept."""
    return bool(_SECRET.search(name))


def as_words(value: Any) -> str:
    """A value as it is written in YAML, for a label."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def constraints_of(spec: Any) -> tuple[Constraint, ...]:
    """Constraints in either form seen: a list of one-key maps, or one map. Unknown kinds are left out."""
    parts = spec if isinstance(spec, list) else [spec]
    return tuple(
        Constraint(kind=kind, value=value)
        for part in parts
        if isinstance(part, dict)
        for kind, value in part.items()
        if kind in CONSTRAINTS
    )


def _input(name: str, spec: Any) -> Input:
    spec = _map(spec)
    kind = spec.get("type")
    has_default = "default" in spec and spec["default"] is not None  # a null default says nothing (not "None")
    schema = _entry_schema(spec.get("entry_schema"))
    return Input(
        name=name,
        type=kind if isinstance(kind, str) and kind else "string",
        help=_text(spec.get("description")),
        default=spec.get("default"),
        has_default=has_default,
        required=spec.get("required", True) not in (False, "no", "false", "No", "False"),
        constraints=constraints_of(spec.get("constraints")),
        entry_schema=schema,
        secret=is_secret(name),
        widget="ports" if kind in ("list", "map") and schema and schema.type.endswith("PortSpec") else "",
    )


def _entry_schema(spec: Any) -> EntrySchema | None:
    if isinstance(spec, str):
        return EntrySchema(type=spec)
    if not isinstance(spec, dict):
        return None
    kind = spec.get("type")
    return EntrySchema(
        type=kind if isinstance(kind, str) else "string",
        constraints=constraints_of(spec.get("constraints")),
        entry_schema=_entry_schema(spec.get("entry_schema")),
    )


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return "" if isinstance(value, (dict, list)) else words(as_words(value), MAX_HELP)
