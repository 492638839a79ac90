"""The configuration: the original's file, the environment over it, secrets from files, strict parsing."""

import json
import os
from pathlib import Path

import pytest

from deepdash.config import Config, ConfigError, config_file_values, load_config, unknown_keys

ORIGINAL = {
    "IAM_CLIENT_ID": "my_client_id",
    "IAM_CLIENT_SECRET": "my_client_secret",
    "IAM_BASE_URL": "https://iam.example.org/",
    "ORCHESTRATOR_URL": "https://paas.example.org/orchestrator",
    "SLAM_URL": "https://paas.example.org:8443",
    "TOSCA_TEMPLATES_DIR": "../tosca-templates/deep-oc",
    "COMMON_TOSCAS": {"default": "a.yml", "minimal": "b.yml"},
    "MODULES_YML": "https://raw.example.org/MODULES.yml",
    "GITHUB_SECRET": "",
    "SUPPORT_EMAIL": "support@example.org",
    "EXTERNAL_LINKS": [{"url": "https://docs.example.org", "menu_item_name": "Documentation"}],
    "LOG_LEVEL": "info",
    "ENABLE_ADVANCED_MENU": "yes",
}


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """``given({...})`` puts a configuration file in place and returns what is loaded from it."""
    for name in list(os.environ):
        if name.startswith("DEEPDASH_"):
            monkeypatch.delenv(name)

    def load(values: object) -> Config:
        path = tmp_path / "config.json"
        path.write_text(values if isinstance(values, str) else json.dumps(values))
        monkeypatch.setenv("DEEPDASH_CONFIG", str(path))
        config_file_values.cache_clear()
        return load_config()

    yield load
    config_file_values.cache_clear()


def test_the_originals_file_works_as_it_stands(given) -> None:  # type: ignore[no-untyped-def]
    config = given(ORIGINAL)
    assert config.IAM_BASE_URL == "https://iam.example.org"
    assert config.COMMON_TOSCAS == {"default": "a.yml", "minimal": "b.yml"}
    assert config.EXTERNAL_LINKS == [{"url": "https://docs.example.org", "menu_item_name": "Documentation"}]
    assert config.LOG_LEVEL == "INFO"
    assert config.ENABLE_ADVANCED_MENU is True


def test_the_environment_wins_and_its_lists_may_be_words_or_json(given, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DEEPDASH_ORCHESTRATOR_URL", "https://other.example.org")
    monkeypatch.setenv("DEEPDASH_IAM_GROUP_MEMBERSHIP", "a, b c")
    monkeypatch.setenv("DEEPDASH_IAM_ADMIN_GROUPS", '["with blank", "x"]')
    monkeypatch.setenv("DEEPDASH_COMMON_TOSCAS", '{"one": "1.yml"}')
    monkeypatch.setenv("DEEPDASH_ENABLE_ADVANCED_MENU", "no")
    config = given(ORIGINAL)
    assert config.ORCHESTRATOR_URL == "https://other.example.org"
    assert config.IAM_GROUP_MEMBERSHIP == ["a", "b", "c"]
    assert config.IAM_ADMIN_GROUPS == ["with blank", "x"]
    assert config.COMMON_TOSCAS == {"one": "1.yml"}
    assert config.ENABLE_ADVANCED_MENU is False


def test_a_secret_may_come_from_a_file(given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "secret").write_text("from-a-file\n")
    monkeypatch.setenv("DEEPDASH_IAM_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    assert given(ORIGINAL).IAM_CLIENT_SECRET.get_secret_value() == "from-a-file"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ORCHESTRATOR_URL": "paas.example.org"}, "ORCHESTRATOR_URL: Value error, must start with https://"),
        ({"ENABLE_ADVANCED_MENU": "perhaps"}, "ENABLE_ADVANCED_MENU"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"SLAM_CERT": "/nowhere/ca.pem"}, "SLAM_CERT: Value error, there is no file or folder /nowhere/ca.pem"),
        ({"TRUSTED_PROXIES": -1}, "TRUSTED_PROXIES"),
        ({"DATABASE_URL": "mysql://db/x"}, "DATABASE_URL: Value error, must start with postgres://"),
        ({"REDIS_URL": "http://r"}, "REDIS_URL: Value error, must start with redis:// or rediss://"),
        ({"EMAIL_URL": "mail.example.org"}, "EMAIL_URL: Value error, must start with smtp:// or smtps://"),
        ({"PUBLIC_URL": "https://x.example.org/dash"}, "PUBLIC_URL: Value error, must be scheme and host alone"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        ("[1, 2]", "must hold one JSON object"),
        ("{nonsense", "is not JSON"),
    ],
)
def test_a_mistake_is_named_with_its_key(given, values: object, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as caught:
        given(values)
    assert said in str(caught.value)


def test_a_mistake_never_prints_a_secret(given) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as caught:
        given({"IAM_CLIENT_SECRET": ["hunter2"], "LOG_LEVEL": "loud"})
    assert "hunter2" not in str(caught.value)


def test_unknown_keys_are_listed(given, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DEEPDASH_ORCHESTRATR_URL", "x")
    given({"IAM_CLIENTID": "x"})
    assert unknown_keys() == ["IAM_CLIENTID", "DEEPDASH_ORCHESTRATR_URL"]
