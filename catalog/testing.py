"""Helpers for tests of all apps: templates and modules in the database, and another configuration."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from accounts.testing import configure
from catalog.audience import audience_of
from catalog.facets import CAPABILITY, FRAMEWORK, facets_of
from catalog.flavours import tag_flavour
from catalog.markdown import render
from catalog.models import Module, ModuleFacet, ModuleTemplate, Template
from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_template, plain
from catalog.tosca.reading import read_template
from catalog.tosca.types import import_urls

TEMPLATE = """\
tosca_definitions_version: tosca_simple_yaml_1_0

imports:
  - indigo_types: https://raw.githubusercontent.com/indigo-dc/tosca-types/master/custom_types.yaml

metadata:
  display_name: A typical template
  tag: CPU/GPU

topology_template:
  inputs:
    docker_image:
      type: string
      description: Image to run
      required: yes
    docker_privileged:
      type: string
      description: Run it privileged
      required: yes
      default: false
      constraints:
        - valid_values: [false, true]
    deployment_description:
      type: string
      required: no
      default: ""
    mem_size:
      type: string
      description: Memory
      default: 4096 MB
    num_cpus:
      type: integer
      default: 1
    num_gpus:
      type: integer
      default: 0
    rclone_password:
      type: string
      required: no
      default: ""
    jupyter_password:
      type: string
      description: Password for JupyterLab, at least 9 characters
      required: no
      default: ""
    run_command:
      type: string
      required: yes
      default: deepaas-run --listen-ip=0.0.0.0
  node_templates:
    runtime:
      type: tosca.nodes.indigo.Container.Runtime.Docker
    marathon:
      type: tosca.nodes.indigo.Container.Application.Docker.Marathon
      requirements:
        - host: runtime
  outputs:
    deepaas_endpoint:
      value: { get_attribute: [marathon, endpoint] }
"""


def make_template(raw: str = TEMPLATE, path: str = "deep-oc-marathon-webdav.yml", **columns: Any) -> Template:
    """A stored template, described as a refresh would ("valid" unless it can't be read or you say so)."""
    values: dict[str, Any] = {"verdict": Template.Verdict.VALID}
    try:
        data = plain(load_template(raw))
    except Refused as error:
        values |= {"verdict": Template.Verdict.UNREADABLE, "errors": [str(error)]}
    else:
        description = read_template(raw).description
        values |= {
            "description": description.model_dump(mode="json"),
            "kind": description.kind,
            "display_name": str(description.metadata.get("display_name") or ""),
            "imports": import_urls(data),
            "fragment": bool(description.parents),
            "audience": audience_of(description.metadata).as_dict(),
        }
    values |= {"filename": path.rpartition("/")[2], "raw": raw, "digest": hashlib.sha256(raw.encode()).hexdigest()}
    return Template.objects.create(path=path, **(values | columns))


def make_module(
    slug: str = "deep-oc-demo",
    *,
    tags: tuple[str, ...] = ("cpu", "gpu", "latest"),
    templates: tuple[Template, ...] = (),
    description: str = "A module to *try* things with.",
    **columns: Any,
) -> Module:
    """A stored module; what follows from something else (facets, flavours, HTML) follows from your columns too."""
    keywords = columns.setdefault("keywords", ["trainable", "inference", "tensorflow", "image classification"])
    columns.setdefault("title", slug.removeprefix("deep-oc-").replace("-", " ").capitalize())
    columns.setdefault("summary", f"What {columns['title']} is for.")
    columns.setdefault("licence", "MIT")
    columns.setdefault("url", f"https://github.com/deephdc/{slug}")
    columns.setdefault("docker_image", f"deephdc/{slug}")
    facets = facets_of(keywords, columns["licence"])
    columns.setdefault("capabilities", [facet.label for facet in facets if facet.kind == CAPABILITY])
    columns.setdefault("frameworks", [facet.label for facet in facets if facet.kind == FRAMEWORK])
    columns.setdefault("metadata", {"title": columns["title"], "keywords": keywords})
    module = Module.objects.create(
        slug=slug,
        description_md=description,
        description_html=render(description),
        tags=[{"name": tag, "size": 2_213_456_789, "pushed_at": "2024-03-01T09:22:33+00:00"} for tag in tags],
        flavours=sorted({tag_flavour(tag) for tag in tags} - {""}),
        **columns,
    )
    ModuleFacet.objects.bulk_create(
        ModuleFacet(module=module, kind=facet.kind, value=facet.value, label=facet.label) for facet in facets
    )
    for position, template in enumerate(templates):
        ModuleTemplate.objects.create(
            module=module, template=template, file=template.path, title=template.shown_name, position=position
        )
    return module


@contextmanager
def use_config(**values: Any) -> Iterator[None]:
    """The configuration with other values inside ``with use_config(MODULES_YML=...):``, for everybody."""
    with pytest.MonkeyPatch.context() as patch:
        configure(patch, **values)
        yield
