"""The configuration: the original's file, the environment over it, secrets from files, strict parsing."""

import json
import os
from pathlib import Path

import pytest
from django.http.request import validate_host

from deepdash.config import Config, ConfigError, config_file_values, load_config, unknown_keys
from deepdash.settings import _database, _host, _mail_transport

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
        ({"ORCHESTRATOR_URL": "paas.example.org"}, "ORCHESTRATOR_URL: must start with https://"),
        ({"ENABLE_ADVANCED_MENU": "perhaps"}, "ENABLE_ADVANCED_MENU: must be yes or no"),
        ({"IAM_ADMIN_GROUPS": {"a": "b"}}, 'IAM_ADMIN_GROUPS: must be a list, such as ["a", "b"]'),
        ({"IAM_ADMIN_GROUPS": "[deepdash-curators]"}, "IAM_ADMIN_GROUPS: begins with [ and so has to be JSON"),
        ({"TRUSTED_PROXIES": "one"}, "TRUSTED_PROXIES: must be a whole number"),
        ({"IAM_CLIENT_ID": 5}, "IAM_CLIENT_ID: must be a text"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"SLAM_CERT": "/nowhere/ca.pem"}, "SLAM_CERT: there is no file or folder /nowhere/ca.pem"),
        ({"TRUSTED_PROXIES": -1}, "TRUSTED_PROXIES"),
        ({"DATABASE_URL": "mysql://db/x"}, "DATABASE_URL: must start with postgres://"),
        ({"REDIS_URL": "http://r"}, "REDIS_URL: must start with redis:// or rediss://"),
        ({"REDIS_URL": "redis://r:6379/3"}, "REDIS_URL: must end with host and port: databases 0 and 1"),
        ({"REDIS_URL": "redis://r:port"}, "REDIS_URL: Port could not be cast to integer"),
        ({"DATABASE_URL": "postgres://db:99999/x"}, "DATABASE_URL: Port out of range"),
        ({"IAM_BASE_URL": "https://["}, "IAM_BASE_URL: Invalid IPv6 URL"),
        ({"SLAM_URL": "https://"}, "SLAM_URL: must"),
        ({"MODULES_YML": "https://h/a b"}, "MODULES_YML: must hold no blanks"),
        ({"EMAIL_URL": "mail.example.org"}, "EMAIL_URL: must start with smtp:// or smtps://"),
        ({"PUBLIC_URL": "https://x.example.org/dash"}, "PUBLIC_URL: must be scheme and host alone"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        ("[1, 2]", "must hold one JSON object"),
        ("{nonsense", "is not JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ({"COMMON_TOSCAS": "{" + '"a":{' * 100_000}, "COMMON_TOSCAS: is nested too deeply"),
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


def test_what_a_file_of_secrets_can_be_wrong_about_is_named_and_not_shown(  # type: ignore[no-untyped-def]
    given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DEEPDASH_SECRET_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match=r"DEEPDASH_SECRET_KEY_FILE: .*/none can't be read: No such file"):
        given(ORIGINAL)
    (tmp_path / "none").write_bytes(b"hunter2\xff")
    with pytest.raises(ConfigError, match=r"DEEPDASH_SECRET_KEY_FILE: .*/none holds no UTF-8 text") as caught:
        given(ORIGINAL)
    assert "hunter2" not in str(caught.value)


def test_what_libpq_takes_may_stand_in_the_databases_address() -> None:
    made = _database("postgres://u:p%40@db:6432/name?sslmode=verify-full&sslrootcert=/ca.pem")
    assert made["OPTIONS"] == {"connect_timeout": 5, "sslmode": "verify-full", "sslrootcert": "/ca.pem"}
    assert (made["NAME"], made["PASSWORD"], made["PORT"]) == ("name", "p@", "6432")


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("", 25, False, False),
        ("smtp://mail.example.org", 25, False, False),
        ("smtp://mail.example.org:587", 587, True, False),
        ("smtps://mail.example.org", 465, False, True),
        ("smtps://mail.example.org:587", 587, False, True),
    ],
)
def test_mail_goes_to_the_usual_port_and_is_encrypted_one_way_at_most(
    url: str, port: int, tls: bool, ssl: bool
) -> None:
    assert _mail_transport(url) == (port, tls, ssl)


def test_a_public_address_that_is_a_number_is_a_host_the_site_answers_to() -> None:
    assert validate_host(_host("https://[2001:db8::1]:8443"), [_host("https://[2001:db8::1]:8443")])
    assert _host("https://[2001:db8::1]:8443") == "[2001:db8::1]"  # as Django takes it from a request
    assert (_host("https://Dash.example.org:8443"), _host("")) == ("dash.example.org", "")


def test_unknown_keys_are_listed(given, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("DEEPDASH_ORCHESTRATR_URL", "x")
    given({"IAM_CLIENTID": "x"})
    assert unknown_keys() == ["IAM_CLIENTID", "DEEPDASH_ORCHESTRATR_URL"]
