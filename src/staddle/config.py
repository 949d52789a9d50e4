"""The settings of the program, read once from the environment; every mistake is named with its setting.

STADDLE_HOME           folder of the embedded PostgreSQL; default ~/.local/share/staddle
STADDLE_DATABASE_URL   a PostgreSQL server of your own (version 15 or newer) instead of the embedded one
STADDLE_DATABASE       name of the database; default `staddle`, or the one the URL names
STADDLE_OPERATOR       the operator who is acting; needed by commands of the desk
STADDLE_SECRET_KEY     32 bytes in base64 that seal authenticator and signing secrets; older keys behind commas;
                       default a key file in STADDLE_HOME, but with STADDLE_DATABASE_URL it must be set
STADDLE_LISTEN         address and port on which the service answers; default 127.0.0.1:8080
STADDLE_PROCESSES      how many processes serve requests; default 2
STADDLE_PUBLIC_URL     what browsers call the service, such as https://earn.example.com; passkeys and cookies need it
STADDLE_TRUSTED_PROXIES  addresses or networks of your proxies, with commas: whose X-Forwarded-For is believed
STADDLE_WEBHOOK_ALLOW  what webhooks of a sandbox may reach besides public addresses: host:port or networks, with commas
STADDLE_METRICS_TOKEN  what whoever asks for /metrics, or for the reasons of /readyz, must send as a bearer token; 16
                       characters or more; without it there is no /metrics
STADDLE_IDLE_SECONDS   how long a connection may be silent before it is closed; default 10; behind a load balancer
                       more than its own idle time, such as 75
STADDLE_BODY_SECONDS   within how long the whole body of a request must have come; default 20
STADDLE_LOG_LEVEL      the least that is logged: debug, info, warning or error; default info
STADDLE_MAIL_URL       the server that takes our e-mail: smtp://user:password@host:587, with STARTTLS, or smtps://host:465;
                       without it a sandbox shows on its pages what it would have sent; any other desk sends nothing
STADDLE_MAIL_FROM      the address that our e-mail comes from; needed with STADDLE_MAIL_URL
STADDLE_SIGN_UP        open or closed: whether people can sign up on the pages; default open in a sandbox, else closed
STADDLE_BINANCE_TYPES  documented or observed: how the Binance API writes days and tiers; default documented
STADDLE_BINANCE_PACE_SECONDS
                       how many seconds an account waits between two subscriptions, or redemptions, by the Binance API;
                       default 3; 0 for no wait
STADDLE_HTTP_HOSTS     hosts, with commas, whose rate sources may be read without TLS, such as a node's: node-1:8899
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from staddle.errors import InvalidConfig

DEFAULT_DATABASE = "staddle"
Network: TypeAlias = IPv4Network | IPv6Network
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_RESERVED = frozenset({"postgres", "template0", "template1"})
_KNOWN = frozenset(
    {
        "STADDLE_HOME",
        "STADDLE_DATABASE_URL",
        "STADDLE_DATABASE",
        "STADDLE_OPERATOR",
        "STADDLE_SECRET_KEY",
        "STADDLE_LISTEN",
        "STADDLE_PROCESSES",
        "STADDLE_PUBLIC_URL",
        "STADDLE_TRUSTED_PROXIES",
        "STADDLE_WEBHOOK_ALLOW",
        "STADDLE_HTTP_HOSTS",
        "STADDLE_METRICS_TOKEN",
        "STADDLE_IDLE_SECONDS",
        "STADDLE_BODY_SECONDS",
        "STADDLE_LOG_LEVEL",
        "STADDLE_MAIL_URL",
        "STADDLE_MAIL_FROM",
        "STADDLE_SIGN_UP",
        "STADDLE_BINANCE_TYPES",
        "STADDLE_BINANCE_PACE_SECONDS",
    }
)
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9][a-z0-9._-]*)(:[0-9]{1,5})?", re.ASCII)
_SENDER = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)
_TEST_PREFIX = "STADDLE_TEST_"


def check_database_name(name: str, setting: str = "The database name") -> str:
    """Give the name back; raise InvalidConfig unless it is plain and none of PostgreSQL's own."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise InvalidConfig(
            f"{setting} must be 1 to 63 lower-case letters, digits or _, beginning with a letter, and not "
            f"one of PostgreSQL's own names; {name[:80]!r} is not."
        )
    return name


@dataclass(frozen=True, slots=True)
class Config:
    """Where the database is, who is acting, and how the service is reached.

    `database_url` None means the embedded server under `home`; `public_url` None means as the request says.
    """

    home: Path
    database_url: str | None
    database: str | None
    operator: str | None
    listen: tuple[str, int] = ("127.0.0.1", 8080)
    processes: int = 2
    public_url: str | None = None
    trusted_proxies: tuple[Network, ...] = ()
    http_hosts: frozenset[str] = frozenset()
    secret_keys: tuple[bytes, ...] = field(default=(), repr=False)
    webhook_allow: tuple[str, ...] = ()
    metrics_token: str | None = field(default=None, repr=False)
    idle_seconds: int = 10
    body_seconds: int = 20
    log_level: str = "INFO"
    mail_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    sign_up: Literal["open", "closed"] | None = None
    """Whether people can sign up; None: only in a sandbox."""
    binance_types: Literal["documented", "observed"] = "documented"
    binance_pace_seconds: int = 3

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Config":
        """Read the STADDLE_* settings; an empty one counts as not set. Raises InvalidConfig."""
        given = {
            key: value.strip()
            for key, value in environ.items()
            if key.startswith("STADDLE_") and value.strip()
        }
        _refuse_unknown(given)
        name = given.get("STADDLE_DATABASE")
        return cls(
            home=_home(given.get("STADDLE_HOME"), environ),
            database_url=_url(given.get("STADDLE_DATABASE_URL")),
            database=None if name is None else check_database_name(name, "STADDLE_DATABASE"),
            operator=_operator(given.get("STADDLE_OPERATOR")),
            listen=_listen(given.get("STADDLE_LISTEN", "127.0.0.1:8080")),
            processes=_count("STADDLE_PROCESSES", given.get("STADDLE_PROCESSES", "2"), 64),
            public_url=_public_url(given.get("STADDLE_PUBLIC_URL")),
            trusted_proxies=_networks("STADDLE_TRUSTED_PROXIES", given.get("STADDLE_TRUSTED_PROXIES", "")),
            http_hosts=_hosts("STADDLE_HTTP_HOSTS", given.get("STADDLE_HTTP_HOSTS", "")),
            secret_keys=_secret_keys(given.get("STADDLE_SECRET_KEY")),
            webhook_allow=_entries(given.get("STADDLE_WEBHOOK_ALLOW", "")),
            metrics_token=_metrics_token(given.get("STADDLE_METRICS_TOKEN")),
            idle_seconds=_count("STADDLE_IDLE_SECONDS", given.get("STADDLE_IDLE_SECONDS", "10"), 600),
            body_seconds=_count("STADDLE_BODY_SECONDS", given.get("STADDLE_BODY_SECONDS", "20"), 600),
            log_level=_log_level(given.get("STADDLE_LOG_LEVEL", "info")),
            mail_url=_mail_url(given.get("STADDLE_MAIL_URL"), given.get("STADDLE_MAIL_FROM")),
            mail_from=_mail_from(given.get("STADDLE_MAIL_FROM")),
            sign_up=_sign_up(given.get("STADDLE_SIGN_UP")),
            binance_types=_binance_types(given.get("STADDLE_BINANCE_TYPES", "documented")),
            binance_pace_seconds=_count(
                "STADDLE_BINANCE_PACE_SECONDS", given.get("STADDLE_BINANCE_PACE_SECONDS", "3"), 600, 0
            ),
        )

    @property
    def cookie_name(self) -> str:
        """The session's cookie; behind HTTPS its name binds it to this host and to secure connections."""
        return "__Host-staddle" if (self.public_url or "").startswith("https://") else "staddle"

    def named(self, database: str) -> "Config":
        """The same settings for another database of the same server."""
        return replace(self, database=check_database_name(database))


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """A setting as it is in force; `value` never holds a secret."""

    name: str
    value: str | None
    is_set: bool


def settings_in_force(environ: Mapping[str, str]) -> list[SettingInForce]:
    """Say of every setting what is in force and whether it was set. Raises InvalidConfig."""
    config = Config.from_environ(environ)
    host, port = config.listen
    values: dict[str, str | None] = {
        "STADDLE_HOME": str(config.home),
        "STADDLE_DATABASE_URL": _without_secrets(config.database_url),
        "STADDLE_DATABASE": config.database,
        "STADDLE_OPERATOR": config.operator,
        "STADDLE_SECRET_KEY": f"hidden ({len(config.secret_keys)})" if config.secret_keys else None,
        "STADDLE_LISTEN": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "STADDLE_PROCESSES": str(config.processes),
        "STADDLE_PUBLIC_URL": config.public_url,
        "STADDLE_TRUSTED_PROXIES": ", ".join(map(str, config.trusted_proxies)),
        "STADDLE_HTTP_HOSTS": ", ".join(sorted(config.http_hosts)),
        "STADDLE_WEBHOOK_ALLOW": ", ".join(config.webhook_allow),
        "STADDLE_METRICS_TOKEN": "hidden" if config.metrics_token else None,
        "STADDLE_IDLE_SECONDS": str(config.idle_seconds),
        "STADDLE_BODY_SECONDS": str(config.body_seconds),
        "STADDLE_LOG_LEVEL": config.log_level.lower(),
        "STADDLE_MAIL_URL": _without_secrets(config.mail_url),
        "STADDLE_MAIL_FROM": config.mail_from,
        "STADDLE_SIGN_UP": config.sign_up,
        "STADDLE_BINANCE_TYPES": config.binance_types,
        "STADDLE_BINANCE_PACE_SECONDS": str(config.binance_pace_seconds),
    }
    assert values.keys() == _KNOWN
    return [
        SettingInForce(name, value or None, bool(environ.get(name, "").strip()))
        for name, value in values.items()
    ]


def _without_secrets(url: str | None) -> str | None:
    """Give the parts of a URL that may be shown: user, host, port and path."""
    if url is None:
        return None
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"


def _refuse_unknown(given: Mapping[str, str]) -> None:
    """A misspelt setting would otherwise be silently ignored, and the wrong books opened."""
    unknown = sorted(key for key in given if key not in _KNOWN and not key.startswith(_TEST_PREFIX))
    if unknown:
        raise InvalidConfig(
            f"{unknown[0]} is not a setting of Staddle; there are {', '.join(sorted(_KNOWN))}."
        )


def _home(text: str | None, environ: Mapping[str, str]) -> Path:
    if text is None:
        user_home = environ.get("HOME") or str(Path("~").expanduser())
        path = Path(user_home) / ".local" / "share" / "staddle"
    else:
        path = Path(text).expanduser()
    if not path.is_absolute():
        raise InvalidConfig(f"STADDLE_HOME must be an absolute path; {str(path)!r} is not.")
    if path.exists() and not path.is_dir():
        raise InvalidConfig(f"STADDLE_HOME must be a folder; {str(path)!r} is a file.")
    return path


def _url(text: str | None) -> str | None:
    """Check the form only. The text may hold a password, so no message repeats it."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise InvalidConfig("STADDLE_DATABASE_URL is not a valid URL.") from error
    if parts.scheme not in {"postgresql", "postgres"}:
        raise InvalidConfig(
            "STADDLE_DATABASE_URL must look like postgresql://user:password@host:5432/database."
        )
    return text


def _listen(text: str) -> tuple[str, int]:
    """Read `host:port`; an IPv6 address stands in brackets."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise InvalidConfig(f"STADDLE_LISTEN must look like 127.0.0.1:8080; {text[:80]!r} does not.")
    return host, int(port)


def _count(name: str, text: str, most: int, least: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise InvalidConfig(f"{name} must be a number from {least} to {most}; {text[:80]!r} is not.")
    return int(text)


def _public_url(text: str | None) -> str | None:
    """Check that it is the origin of a site and nothing more."""
    if text is None:
        return None
    try:
        parts = urlsplit(text.rstrip("/"))
        is_origin = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        is_origin = is_origin and not (parts.path or parts.query or parts.fragment)
    except ValueError:
        is_origin = False
    if not is_origin:
        raise InvalidConfig(
            f"STADDLE_PUBLIC_URL must look like https://earn.example.com; {text[:80]!r} does not."
        )
    return text.rstrip("/")


def _networks(name: str, text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise InvalidConfig(f"{name} must hold addresses or networks with commas: {error}.") from None


def _hosts(name: str, text: str) -> frozenset[str]:
    """Read names of hosts, each with its port or for every port of it."""
    hosts = [each.strip().lower() for each in text.split(",") if each.strip()]
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise InvalidConfig(
                f"{name} must hold hosts such as node-1:8899, with commas; {host[:80]!r} is none."
            )
    return frozenset(hosts)


def _entries(text: str) -> tuple[str, ...]:
    """Cut a list at its commas; who uses it says what an entry must be."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _operator(text: str | None) -> str | None:
    if text is not None and (len(text) > 80 or not text.isprintable()):
        raise InvalidConfig("STADDLE_OPERATOR must be 1 to 80 printable characters.")
    return text


def _metrics_token(text: str | None) -> str | None:
    """Check that it can be sent in a header and not be guessed. No message repeats it."""
    if text is not None and not re.fullmatch(r"[!-~]{16,200}", text, re.ASCII):
        raise InvalidConfig("STADDLE_METRICS_TOKEN must be 16 to 200 plain characters without spaces.")
    return text


def _mail_url(text: str | None, sender: str | None) -> str | None:
    """Check the form only. The text may hold a password, so no message repeats it."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        is_server = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
        is_server = is_server and parts.path in {"", "/"} and not (parts.query or parts.fragment)
    except ValueError:
        is_server = False
    if not is_server:
        raise InvalidConfig("STADDLE_MAIL_URL must look like smtp://user:password@mail.example.com:587.")
    if sender is None:
        raise InvalidConfig(
            "STADDLE_MAIL_URL needs STADDLE_MAIL_FROM, the address that our e-mail comes from."
        )
    return text


def _mail_from(text: str | None) -> str | None:
    if text is not None and not _SENDER.fullmatch(text):
        raise InvalidConfig(
            f"STADDLE_MAIL_FROM must be an address such as earn@example.com; {text[:80]!r} is not."
        )
    return text


def _sign_up(text: str | None) -> Literal["open", "closed"] | None:
    if text is None:
        return None
    if text == "open":
        return "open"
    if text == "closed":
        return "closed"
    raise InvalidConfig(f"STADDLE_SIGN_UP must be open or closed; {text[:80]!r} is not.")


def _binance_types(text: str) -> Literal["documented", "observed"]:
    if text == "documented":
        return "documented"
    if text == "observed":
        return "observed"
    raise InvalidConfig(f"STADDLE_BINANCE_TYPES must be documented or observed; {text[:80]!r} is not.")


def _log_level(text: str) -> str:
    if text.lower() not in {"debug", "info", "warning", "error"}:
        raise InvalidConfig(f"STADDLE_LOG_LEVEL must be debug, info, warning or error; {text[:80]!r} is not.")
    return text.upper()


def _secret_keys(text: str | None) -> tuple[bytes, ...]:
    """Read the newest key and the older ones behind it. No message repeats one."""
    keys = []
    for each in (text or "").split(",") if text else ():
        try:
            keys.append(base64.b64decode(each.strip(), validate=True))
        except (binascii.Error, ValueError):
            keys.append(b"")
        if len(keys[-1]) != 32:
            raise InvalidConfig(
                "STADDLE_SECRET_KEY must be 32 bytes in base64; older keys follow after commas."
            )
    return tuple(keys)
