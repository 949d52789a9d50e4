"""The settings from the environment; each mistake is named."""

from pathlib import Path

import pytest

from staddle.config import Config, settings_in_force
from staddle.errors import InvalidConfig


def test_nothing_set_means_the_embedded_server_in_the_users_folder() -> None:
    config = Config.from_environ({"HOME": "/home/ana"})
    assert config == Config(Path("/home/ana/.local/share/staddle"), None, None, None)


def test_everything_can_be_set() -> None:
    config = Config.from_environ(
        {
            "STADDLE_HOME": "/srv/staddle",
            "STADDLE_DATABASE_URL": " postgresql://desk:secret@db.example:5433/books ",
            "STADDLE_DATABASE": "sandbox",
            "STADDLE_OPERATOR": "ana",
        }
    )
    assert config.home == Path("/srv/staddle")
    assert config.database_url == "postgresql://desk:secret@db.example:5433/books"
    assert (config.database, config.operator) == ("sandbox", "ana")
    assert config.named("other").database == "other"


def test_an_empty_setting_is_one_that_is_not_set() -> None:
    assert Config.from_environ({"HOME": "/home/ana", "STADDLE_DATABASE_URL": " "}).database_url is None


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("STADDLE_HOME", "relative/folder", "STADDLE_HOME must be an absolute path"),
        ("STADDLE_HOME", "/etc/hostname", "STADDLE_HOME must be a folder"),
        ("STADDLE_DATABASE_URL", "mysql://host/db", "STADDLE_DATABASE_URL must look like postgresql://"),
        ("STADDLE_DATABASE_URL", "postgresql://host:port/db", "STADDLE_DATABASE_URL is not a valid URL"),
        ("STADDLE_DATABASE", "Desk", "STADDLE_DATABASE must be 1 to 63 lower-case"),
        ("STADDLE_DATABASE", "postgres", "STADDLE_DATABASE must be 1 to 63 lower-case"),
        ("STADDLE_DATABASE", "a" * 64, "STADDLE_DATABASE must be 1 to 63 lower-case"),
        ("STADDLE_OPERATOR", "ana\x07", "STADDLE_OPERATOR must be 1 to 80 printable"),
        ("STADDLE_OPERATOR", "a" * 81, "STADDLE_OPERATOR must be 1 to 80 printable"),
        ("STADDLE_SECRET_KEY", "short", "STADDLE_SECRET_KEY must be 32 bytes"),
        ("STADDLE_SECRET_KEY", f"{'A' * 43}=,not base64!", "STADDLE_SECRET_KEY must be 32 bytes"),
        ("STADDLE_SECRET_KEY", f"{'A' * 43}=,", "STADDLE_SECRET_KEY must be 32 bytes"),
        ("STADDLE_LISTEN", "8080", "STADDLE_LISTEN must look like 127.0.0.1:8080"),
        ("STADDLE_LISTEN", "localhost:99999", "STADDLE_LISTEN must look like"),
        ("STADDLE_PROCESSES", "0", "STADDLE_PROCESSES must be a number from 1 to 64"),
        ("STADDLE_PROCESSES", "two", "STADDLE_PROCESSES must be a number"),
        ("STADDLE_PUBLIC_URL", "earn.example.com", "STADDLE_PUBLIC_URL must look like https://"),
        ("STADDLE_PUBLIC_URL", "https://earn.example.com/desk", "STADDLE_PUBLIC_URL must look like"),
        ("STADDLE_TRUSTED_PROXIES", "10.0.0.0/33", "STADDLE_TRUSTED_PROXIES must hold addresses"),
        ("STADDLE_HTTP_HOSTS", "http://node", "STADDLE_HTTP_HOSTS must hold hosts"),
        ("STADDLE_METRICS_TOKEN", "hush", "STADDLE_METRICS_TOKEN must be 16 to 200"),
        ("STADDLE_METRICS_TOKEN", "hush hush hush hush", "STADDLE_METRICS_TOKEN must be"),
        ("STADDLE_IDLE_SECONDS", "0", "STADDLE_IDLE_SECONDS must be a number from 1 to 600"),
        ("STADDLE_BODY_SECONDS", "601", "STADDLE_BODY_SECONDS must be a number from 1 to 600"),
        ("STADDLE_LOG_LEVEL", "loud", "STADDLE_LOG_LEVEL must be debug, info, warning or error"),
        ("STADDLE_MAIL_URL", "mail.example.com", "STADDLE_MAIL_URL must look like smtp://"),
        ("STADDLE_MAIL_URL", "http://mail.example.com", "STADDLE_MAIL_URL must look like smtp://"),
        ("STADDLE_MAIL_URL", "smtp://mail.example.com", "STADDLE_MAIL_URL needs STADDLE_MAIL_FROM"),
        ("STADDLE_MAIL_FROM", "Earn <earn@example.com>", "STADDLE_MAIL_FROM must be an address"),
        ("STADDLE_SIGN_UP", "perhaps", "STADDLE_SIGN_UP must be open or closed"),
        ("STADDLE_DATABASE_URI", "postgresql://host/db", "STADDLE_DATABASE_URI is not a setting"),
    ],
)
def test_each_mistake_names_its_setting(setting: str, value: str, said: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        Config.from_environ({"HOME": "/home/ana", setting: value})
    assert said in caught.value.message


def test_what_is_in_force_is_shown_without_any_secret() -> None:
    environ = {
        "HOME": "/home/ana",
        "STADDLE_DATABASE_URL": "postgresql://desk:secret@db:5433/books?password=secret",
        "STADDLE_SECRET_KEY": f"{'A' * 43}=",
        "STADDLE_METRICS_TOKEN": "secretsecretsecret",
        "STADDLE_MAIL_URL": "smtps://desk:secret@mail.example.com:465",
        "STADDLE_MAIL_FROM": "earn@example.com",
        "STADDLE_LISTEN": "[::1]:9000",
        "STADDLE_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
    }
    shown = {each.name: each for each in settings_in_force(environ)}
    assert "secret" not in str(shown)
    assert "AAA" not in str(shown)
    assert shown["STADDLE_DATABASE_URL"].value == "postgresql://desk@db:5433/books"
    assert shown["STADDLE_SECRET_KEY"].value == "hidden (1)"
    assert shown["STADDLE_LISTEN"].value == "[::1]:9000"
    assert shown["STADDLE_TRUSTED_PROXIES"].value == "10.0.0.0/8, ::1/128"
    assert (shown["STADDLE_PROCESSES"].value, shown["STADDLE_PROCESSES"].is_set) == ("2", False)
    assert shown["STADDLE_METRICS_TOKEN"].is_set
    assert shown["STADDLE_MAIL_URL"].value == "smtps://desk@mail.example.com:465"
    assert (shown["STADDLE_SIGN_UP"].value, shown["STADDLE_SIGN_UP"].is_set) == (None, False)


def test_no_message_repeats_a_password() -> None:
    for url in ("mysql://desk:secret@host/db", "postgresql://desk:secret@host:port/db"):
        for setting in ("STADDLE_DATABASE_URL", "STADDLE_MAIL_URL"):
            with pytest.raises(InvalidConfig) as caught:
                Config.from_environ({"HOME": "/home/ana", setting: url})
            assert "secret" not in caught.value.message


def test_no_key_is_ever_shown() -> None:
    config = Config.from_environ({"HOME": "/home/ana", "STADDLE_SECRET_KEY": f"{'A' * 43}=, {'B' * 42}A="})
    assert [len(key) for key in config.secret_keys] == [32, 32]
    assert "secret" not in repr(config)
    with pytest.raises(InvalidConfig) as caught:
        Config.from_environ({"HOME": "/home/ana", "STADDLE_SECRET_KEY": "hush"})
    assert "hush" not in caught.value.message
