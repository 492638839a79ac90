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
        ({"docker_tag": "nope"}, "There is no tag “nope”; “cpu” is used."),
        ({"toscaname": "nope"}, "There is no template “nope” for this module; “default” is used."),
        ({"hardware": "tpu"}, "“tpu” can’t be chosen as hardware; CPU is used."),
        ({"run": "vscode"}, "“vscode” can’t be chosen to run; DEEPaaS API is used."),
    ],
)
def test_a_wish_that_can_not_be_met_is_said_never_swallowed(wishes: dict[str, str], said: str) -> None:
    resolved = choices_resolve(wishes=wishes, module=module(), templates=TEMPLATES)
    assert resolved.notes == (said,)
    assert resolved.choices == Choices("default", "cpu", "cpu", "deepaas")


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


def test_a_template_is_found_in_any_case_and_known_by_its_key() -> None:
    for wish in ("OWN one", " own one "):
        resolved = choices_resolve(wishes={"toscaname": wish}, module=module(), templates=TEMPLATES)
        assert (resolved.choices.toscaname, resolved.template, resolved.notes) == ("own one", TEMPLATES[1], ())


def test_without_a_wish_the_curators_template_comes_first_then_the_default_one_then_any() -> None:
    templates = [*TEMPLATES, TemplateChoice("third", "Third", Template(pk=3))]
    ours = module()
    assert choices_resolve(wishes={}, module=ours, templates=templates[::-1]).template.key == "default"
    assert choices_resolve(wishes={}, module=ours, templates=templates[1:]).template.key == "own one"
    ours.default_template_id = 3
    assert choices_resolve(wishes={}, module=ours, templates=templates).template.key == "third"
    assert choices_resolve(wishes={"toscaname": "default"}, module=ours, templates=templates).template.key == "default"


def test_blanks_around_a_wish_are_none_of_it() -> None:
    wishes = {"hardware": " gpu ", "run": " jupyterlab ", "docker_tag": " latest "}
    resolved = choices_resolve(wishes=wishes, module=module(), templates=TEMPLATES)
    assert (resolved.choices, resolved.notes) == (Choices("default", "gpu", "latest", "jupyterlab"), ())


def test_what_can_be_no_tag_is_not_believed_even_if_none_are_known() -> None:
    wish = "-" + "x" * 60
    resolved = choices_resolve(wishes={"docker_tag": wish}, module=module(tags=()), templates=TEMPLATES)
    assert resolved.choices.docker_tag == "cpu"
    assert resolved.notes == (
        f"“{wish[:40]}” is not a tag: one has only letters, digits, dots, dashes and underscores.",
    )  # fmt: skip
    nothing = choices_resolve(wishes={"hardware": "gpu"}, module=module(tags=()), templates=TEMPLATES)
    assert (nothing.choices.docker_tag, nothing.notes) == ("gpu", ())


def test_without_a_wish_the_tag_for_the_hardware_is_taken() -> None:
    found = [
        choices_resolve(wishes={"hardware": hardware}, module=module(), templates=TEMPLATES).choices.docker_tag
        for hardware in ("cpu", "gpu")
    ]
    assert found == ["cpu", "gpu"]


def test_choices_are_written_in_links_by_their_names() -> None:
    made = Choices("own one", "gpu", "GPU-Test", "jupyterlab")
    assert made.query() == "toscaname=own+one&hardware=gpu&docker_tag=GPU-Test&run=jupyterlab"


def test_a_mismatch_is_said_in_words() -> None:
    assert mismatch(Choices("d", "cpu", "gpu-1", "deepaas")) == "Tag gpu-1 is made for GPU, but CPU is chosen."
    assert mismatch(Choices("d", "cpu", "cpu", "deepaas")) == ""


def test_each_input_that_is_lacking_is_told_in_its_own_sentence() -> None:
    assert choices_without_effect(description(*FULL)) == []
    assert choices_without_effect(description()) == [
        "Tag changes nothing here: this template has no input for the image and names it itself.",
        "This template has no input num_cpus: it decides on the CPUs itself.",
        "Hardware changes no GPUs here: this template has no input num_gpus.",
        "Run changes nothing here: this template has no input run_command.",
    ]
    assert image_input(description("num_cpus")) == ""


def test_a_default_image_that_is_no_text_or_blank_counts_for_none() -> None:
    for odd in (7, None, "  "):
        asked = TemplateDescription(inputs=(Input(name="docker_image", default=odd, has_default=True),))
        values = governed_values(choices=Choices("d", "cpu", "cpu", "deepaas"), description=asked, module=module())
        assert values == {"docker_image": "deephdc/deep-oc-m:cpu"}
