"""The configuration rules, as a table and at their edges."""

import pytest

from catalog.models import Module, Template, TemplateChoice
from catalog.tosca.description import Input, TemplateDescription
from deepdash.errors import Problem
from deployments.choices import (
    Choices,
    choices_resolve,
    choices_without_effect,
    governed_values,
    image_input,
    mismatch,
    with_tag,
)

DEEPAAS_CPU = "monitorPORT=6006 deepaas-run --listen-ip=0.0.0.0"
JUPYTER_CPU = "monitorPORT=6006 /srv/.jupyter/run_jupyter.sh --allow-root"
DEEPAAS_GPU = "monitorPORT=$PORT1 deepaas-run --listen-ip=0.0.0.0 --listen-port=$PORT0"
JUPYTER_GPU = "monitorPORT=$PORT1 jupyterPORT=$PORT2 /srv/.jupyter/run_jupyter.sh --allow-root"
FULL = ("docker_image", "num_cpus", "num_gpus", "run_command", "mem_size")


def description(*names: str, image: str = "") -> TemplateDescription:
    return TemplateDescription(
        inputs=tuple(
            Input(name=name, default=image, has_default=True) if name == "docker_image" and image else Input(name=name)
            for name in names
        )
    )


def module(tags: tuple[str, ...] = ("cpu", "gpu", "latest"), **columns: str) -> Module:
    tag_rows = [{"name": tag, "size": 1, "pushed_at": ""} for tag in tags]
    return Module(slug="m", title="M", docker_image="deephdc/deep-oc-m", tags=tag_rows, **columns)


TEMPLATES = [TemplateChoice("default", "default", Template()), TemplateChoice("own one", "Own One", Template())]


@pytest.mark.parametrize(
    ("hardware", "run", "cpus", "gpus", "command"),
    [
        ("cpu", "deepaas", 1, 0, DEEPAAS_CPU),
        ("cpu", "jupyterlab", 1, 0, JUPYTER_CPU),
        ("gpu", "deepaas", 1, 1, DEEPAAS_GPU),
        ("gpu", "jupyterlab", 1, 1, JUPYTER_GPU),
    ],
)
def test_hardware_and_run_decide_cpus_gpus_and_command(
    hardware: str, run: str, cpus: int, gpus: int, command: str
) -> None:
    values = governed_values(
        choices=Choices("default", hardware, "gpu", run), description=description(*FULL), module=module()
    )
    assert values == {
        "num_cpus": cpus,
        "num_gpus": gpus,
        "run_command": command,
        "docker_image": "deephdc/deep-oc-m:gpu",
    }


@pytest.mark.parametrize(
    ("wished", "hardware", "run"),
    [
        ({"hardware": "GPU", "run": "JupyterLab"}, "gpu", "jupyterlab"),
        ({"hardware": "Cpu", "run": "DEEPaaS"}, "cpu", "deepaas"),
        ({}, "cpu", "deepaas"),
    ],
)
def test_choices_are_taken_in_any_case(wished: dict[str, str], hardware: str, run: str) -> None:
    resolved = choices_resolve(wishes=wished, module=module(), templates=TEMPLATES)
    assert (resolved.choices.hardware, resolved.choices.run, resolved.notes) == (hardware, run, ())


def test_a_tag_keeps_its_exact_case_and_old_lower_case_links_still_find_it() -> None:
    ours = module(tags=("cpu", "GPU-Test"))
    for wish in ("GPU-Test", "gpu-test"):
        resolved = choices_resolve(wishes={"docker_tag": wish, "hardware": "gpu"}, module=ours, templates=TEMPLATES)
        assert resolved.choices.docker_tag == "GPU-Test"
        assert resolved.notes == ()


def test_an_ambiguous_case_is_not_guessed() -> None:
    ours = module(tags=("GPU", "Gpu"))
    resolved = choices_resolve(wishes={"docker_tag": "gpu"}, module=ours, templates=TEMPLATES)
    assert resolved.choices.docker_tag in {"GPU", "Gpu"}
    assert any("no tag “gpu”" in note for note in resolved.notes)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"docker_tag": "nope"}, "no tag “nope”"),
        ({"toscaname": "nope"}, "no template “nope”"),
        ({"hardware": "tpu"}, "“tpu” is no hardware"),
        ({"run": "vscode"}, "“vscode” is no run"),
    ],
)
def test_a_wish_that_can_not_be_met_is_said_never_swallowed(wishes: dict[str, str], said: str) -> None:
    resolved = choices_resolve(wishes=wishes, module=module(), templates=TEMPLATES)
    assert any(said in note for note in resolved.notes)
    assert resolved.choices.toscaname == "default"


def test_with_no_tags_read_the_users_tag_is_believed() -> None:
    resolved = choices_resolve(wishes={"docker_tag": "v2"}, module=module(tags=()), templates=TEMPLATES)
    assert resolved.choices.docker_tag == "v2"


def test_a_curators_defaults_come_first() -> None:
    ours = module(default_hardware="gpu", default_tag="latest")
    resolved = choices_resolve(wishes={}, module=ours, templates=TEMPLATES)
    assert (resolved.choices.hardware, resolved.choices.docker_tag) == ("gpu", "latest")


def test_a_module_without_templates_is_a_problem_not_a_crash() -> None:
    with pytest.raises(Problem) as caught:
        choices_resolve(wishes={}, module=module(), templates=[])
    assert caught.value.id == "submit:template"


@pytest.mark.parametrize(
    ("image", "tag", "result"),
    [
        ("deephdc/x", "gpu", "deephdc/x:gpu"),
        ("deephdc/x:gpu", "gpu", "deephdc/x:gpu"),
        ("deephdc/x:cpu", "GPU-Test", "deephdc/x:GPU-Test"),
        ("registry.example.org:5000/deephdc/x", "gpu", "registry.example.org:5000/deephdc/x:gpu"),
        ("registry.example.org:5000/deephdc/x:1.0", "gpu", "registry.example.org:5000/deephdc/x:gpu"),
        ("deephdc/x@sha256:abc", "gpu", "deephdc/x@sha256:abc"),
        ("deephdc/x", "", "deephdc/x"),
    ],
)
def test_an_image_gets_its_tag_once(image: str, tag: str, result: str) -> None:
    assert with_tag(image, tag) == result


def test_the_templates_own_image_wins_over_the_modules() -> None:
    values = governed_values(
        choices=Choices("default", "cpu", "cpu", "deepaas"),
        description=description(*FULL, image="other/image:gpu"),
        module=module(),
    )
    assert values["docker_image"] == "other/image:cpu"


def test_a_template_lacking_inputs_gets_only_those_it_has_and_says_so() -> None:
    lacking = description("docker_image", "num_gpus")
    values = governed_values(choices=Choices("d", "gpu", "gpu", "jupyterlab"), description=lacking, module=module())
    assert set(values) == {"docker_image", "num_gpus"}
    said = choices_without_effect(lacking)
    assert len(said) == 2
    assert any("num_cpus" in text for text in said)
    assert any("run_command" in text for text in said)
    assert "image" in choices_without_effect(description("num_cpus", "num_gpus", "run_command"))[0]


def test_the_image_input_of_virtual_machine_templates_is_filled_too() -> None:
    asked = description("dockerhub_img", "num_cpus")
    assert image_input(asked) == "dockerhub_img"
    values = governed_values(choices=Choices("d", "cpu", "cpu", "deepaas"), description=asked, module=module())
    assert values["dockerhub_img"] == "deephdc/deep-oc-m:cpu"


def test_without_any_image_it_is_left_to_the_user() -> None:
    ours = Module(slug="external", docker_image="", tags=[{"name": "latest"}])
    values = governed_values(
        choices=Choices("d", "cpu", "latest", "deepaas"), description=description(*FULL), module=ours
    )
    assert "docker_image" not in values


@pytest.mark.parametrize(
    ("tag", "hardware", "warns"),
    [("gpu", "cpu", True), ("cpu-1.2", "gpu", True), ("latest", "gpu", False), ("GPU-Test", "gpu", False)],
)
def test_a_tag_made_for_other_hardware_is_warned_about(tag: str, hardware: str, *, warns: bool) -> None:
    assert bool(mismatch(Choices("d", hardware, tag, "deepaas"))) is warns
