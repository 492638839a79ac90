"""What names and keywords say: hardware of tags, facets of modules."""

import pytest

from catalog.facets import facets_of, glyph_for
from catalog.flavours import best_tag, group_tags, tag_flavour


@pytest.mark.parametrize(
    ("tag", "flavour"),
    [
        ("cpu", "cpu"),
        ("gpu", "gpu"),
        ("GPU-Test", "gpu"),
        ("tf2.9.1-cpu", "cpu"),
        ("1.14-gpu-py3", "gpu"),
        ("cuda11.3", "gpu"),
        ("latest", ""),
        ("cpugpu", ""),
        ("v1.0", ""),
    ],
)
def test_the_hardware_of_a_tag(tag: str, flavour: str) -> None:
    assert tag_flavour(tag) == flavour


def test_tags_are_grouped_with_the_chosen_hardware_first_and_in_their_own_case() -> None:
    tags = ["latest", "GPU-Test", "cpu", "gpu"]
    assert group_tags(tags, "gpu") == [
        ("For GPU", ["GPU-Test", "gpu"]),
        ("For CPU", ["cpu"]),
        ("Hardware not stated", ["latest"]),
    ]
    assert group_tags(["latest"], "cpu") == [("Hardware not stated", ["latest"])]


@pytest.mark.parametrize(
    ("tags", "hardware", "default", "best"),
    [
        (["latest", "GPU-Test", "gpu"], "gpu", "", "gpu"),
        (["latest", "GPU-Test"], "gpu", "", "GPU-Test"),
        (["a", "latest"], "gpu", "", "latest"),
        (["gpu", "v1"], "cpu", "", "v1"),
        (["gpu"], "cpu", "", "gpu"),
        (["cpu", "special"], "cpu", "special", "special"),
        (["cpu"], "cpu", "CPU", "cpu"),
        (["CPU"], "cpu", "", "CPU"),
        ([], "cpu", "x", ""),
    ],
)
def test_the_best_tag(tags: list[str], hardware: str, default: str, best: str) -> None:
    assert best_tag(tags, hardware, default) == best


def test_case_and_synonyms_are_folded_and_words_about_the_platform_left_out() -> None:
    found = facets_of(
        ["Tensorflow", "tensorflow", "Trainable", "imagine classification", "docker", "api-v2", "vo.x.eu"], "Apache-2.0"
    )
    assert [(facet.kind, facet.value, facet.label) for facet in found] == [
        ("framework", "tensorflow", "TensorFlow"),
        ("capability", "trainable", "Trainable"),
        ("task", "image classification", "Image classification"),
        ("community", "vo.x.eu", "vo.x.eu"),
        ("licence", "apache 2.0", "Apache 2.0"),
    ]


def test_a_module_without_telling_keywords_has_a_glyph_all_the_same() -> None:
    assert glyph_for([]) == "layers"
    assert glyph_for(["Audio Classification"]) == "audio"
