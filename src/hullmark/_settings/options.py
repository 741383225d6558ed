"""Every option of the configuration, declared once: parser, schema and documentation derive from here."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hullmark.model.duration import WRITTEN as DURATION_WRITTEN
from hullmark.model.duration import parse_duration
from hullmark.model.finding import Severity
from hullmark.model.project import AnyUser, DropsTo, NonRoot
from hullmark.model.size import WRITTEN as SIZE_WRITTEN
from hullmark.model.size import parse_size
from hullmark.model.vulnerability import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark.model.project import UserPolicy

HIGHEST_PORT = 65535
# From 1 to 65535, so that an editor can say it too.
_PORT = "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_HOST = "[A-Za-z0-9._-]+"
_LINK = rf"(?:https?://{_HOST}(?::{_PORT})?(?:[/?]\S*)?|tcp://{_HOST}:{_PORT})"
# Who drops to root has dropped nothing.
_DROPS_TO = r"drops-to:(?!(?:root|0+)$)[^\s:]+"
# Zero is written without any other digit.
_NOT_ZERO = "(?=[^1-9]*[1-9])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type of value: how it is read, and how the JSON Schema describes it."""

    name: str
    """As the documentation calls it."""
    read: Callable[[Any], Any]
    """From the TOML value to ours; raises `ValueError` saying what was expected."""
    schema: dict[str, Any]
    scalar: bool = True
    """Whether it can be given as text, in an environment variable or on the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One key of a table."""

    key: str
    kind: Kind
    help: str
    default: str = ""
    """As the documentation shows it; empty when there is none."""
    required: bool = False
    environment: str | None = None
    """The variable that overrides it."""
    flag: str | None = None
    """The option of the command line that overrides it, with its dashes."""
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One of several options of a table that exclude each other."""

    key: str
    needs: tuple[str, ...] = ()
    """Keys that must stand beside it."""
    fits: tuple[str, ...] = ()
    """Keys that may stand beside it, and beside no other alternative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the configuration and what may stand in it."""

    key: str
    """Its name in its parent; `*` for a table whose names are the user's (the services)."""
    help: str
    options: tuple[Option, ...] = ()
    tables: tuple[Table, ...] = ()
    array: bool = False
    """Whether it is written `[[key]]` and repeated."""
    alternatives: tuple[Alternative, ...] = ()
    """Options of which exactly one must be given, if there are any."""

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that may stand in it."""
        return (*(o.key for o in self.options), *(t.key for t in self.tables if t.key != "*"))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected text, got {describe(value)}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError(f"expected a list of texts, got {describe(value)}")
    return tuple(value)


def _command(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ValueError(f'expected a list of words, such as ["pg_isready", "-q"], got {describe(value)}')
    return tuple(value)


def _port(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= HIGHEST_PORT:
        raise ValueError(f"expected a port from 1 to {HIGHEST_PORT}, got {describe(value)}")
    return value


def _status(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 100 <= value <= 599:  # noqa: PLR2004  # RFC 9110
        raise ValueError(f"expected an HTTP status from 100 to 599, got {describe(value)}")
    return value


def _size(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError(f"expected a size such as `600 MB`, got {describe(value)}")
    return parse_size(value)


def _duration(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError(f"expected a duration such as `90 s`, got {describe(value)}")
    return parse_duration(value)


def _user(value: Any) -> UserPolicy:
    match value:
        case "non-root":
            return NonRoot()
        case "any":
            return AnyUser()
        case str() if re.fullmatch(_DROPS_TO, value):
            return DropsTo(name=value.removeprefix("drops-to:"))
        case str() if re.fullmatch(r"drops-to:(root|0+)", value):
            raise ValueError(f"expected a user to drop to that is not root, got {describe(value)}")
        case _:
            raise ValueError(f"expected `non-root`, `any` or `drops-to:NAME`, got {describe(value)}")


def _date(value: Any) -> dt.date:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise ValueError(f"expected a date such as 2027-06-30, without quotes, got {describe(value)}")
    return value


def _http_path(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(f"expected a path that starts with `/`, got {describe(value)}")
    return value


def _link_target(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_LINK, value):
        expected = "expected http://SERVICE[:PORT]/PATH, https://SERVICE/... or tcp://SERVICE:PORT"
        raise ValueError(f"{expected}, got {describe(value)}")
    return value


def describe(value: Any) -> str:
    """A TOML value in words, for messages: its type and, where it is short, itself."""
    match value:
        case str():
            return f'"{value}"'
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"`{value}`"


def choice(*words: str) -> Kind:
    """One of `words`."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"expected one of {', '.join(f'`{w}`' for w in words)}, got {describe(value)}")
        return str(value)

    return Kind(name=" | ".join(words), read=read, schema={"enum": list(words)})


_STRINGS = {"type": "array", "items": {"type": "string", "minLength": 1}}
TEXT = Kind(name="text", read=_text, schema={"type": "string", "minLength": 1})
TEXTS = Kind(name="list of texts", read=_texts, schema=_STRINGS, scalar=False)
COMMAND = Kind(
    name="list of words",
    read=_command,
    schema={"type": "array", "items": {"type": "string"}, "minItems": 1},
    scalar=False,
)
PORT = Kind(
    name="port", read=_port, schema={"type": "integer", "minimum": 1, "maximum": HIGHEST_PORT}, scalar=False
)
STATUS = Kind(
    name="HTTP status", read=_status, schema={"type": "integer", "minimum": 100, "maximum": 599}, scalar=False
)
SIZE = Kind(
    name="size",
    read=_size,
    schema={
        "type": "string",
        "pattern": rf"^\s*{_NOT_ZERO}{SIZE_WRITTEN}\s*$",
        "examples": ["600 MB", "1.5 GiB"],
    },
)
DURATION = Kind(
    name="duration",
    read=_duration,
    schema={
        "type": "string",
        "pattern": rf"^\s*{_NOT_ZERO}{DURATION_WRITTEN}\s*$",
        "examples": ["90 s", "2 min"],
    },
)
USER = Kind(
    name="non-root | any | drops-to:NAME",
    read=_user,
    schema={"type": "string", "pattern": f"^(?:non-root|any|{_DROPS_TO})$"},
)
DATE = Kind(name="date", read=_date, schema={"type": "string", "format": "date"}, scalar=False)
HTTP_PATH = Kind(name="path", read=_http_path, schema={"type": "string", "pattern": "^/"})
LINK_TARGET = Kind(name="URL", read=_link_target, schema={"type": "string", "pattern": f"^{_LINK}$"})
TLS = choice("off", "verify", "insecure")

_EXPECT = Table(
    key="expect",
    help="What the answer must be.",
    options=(
        Option(key="status", kind=STATUS, help="The exact HTTP status.", default="any of 200-399"),
        Option(key="body-contains", kind=TEXT, help="Text that the body must contain."),
    ),
)

_PROBE = Table(
    key="probes",
    array=True,
    help="What must answer once the service is up; exactly one of `http`, `tcp` and `exec`.",
    options=(
        Option(
            key="http",
            kind=HTTP_PATH,
            help="Path to request from the host; needs `port`.",
            example='"/health"',
        ),
        Option(
            key="tcp",
            kind=PORT,
            help="Port inside the container that must accept connections.",
            example="5432",
        ),
        Option(
            key="exec",
            kind=COMMAND,
            help="Command that must succeed inside the container.",
            example='["pg_isready", "-q"]',
        ),
        Option(key="port", kind=PORT, help="The port inside the container, for `http`."),
        Option(
            key="tls",
            kind=TLS,
            help="Whether to speak TLS, for `http`; `insecure` takes any certificate.",
            default="off",
        ),
        Option(
            key="method", kind=choice("GET", "HEAD", "POST"), help="The method, for `http`.", default="GET"
        ),
        Option(key="timeout", kind=DURATION, help="Time within which it must succeed.", default="15 s"),
    ),
    tables=(_EXPECT,),
    alternatives=(
        Alternative(key="http", needs=("port",), fits=("tls", "method", "expect")),
        Alternative(key="tcp"),
        Alternative(key="exec"),
    ),
)

SCHEMA = Table(
    key="",
    help="The configuration of a project.",
    tables=(
        Table(
            key="project",
            help="Which Compose project this is.",
            options=(
                Option(
                    key="compose",
                    kind=TEXTS,
                    help="Compose files, later ones over earlier ones.",
                    default="what `docker compose` finds",
                    environment="HULLMARK_COMPOSE",
                    flag="--compose",
                    example='["compose.yml"]',
                ),
                Option(
                    key="env-file",
                    kind=TEXT,
                    help="File with variables for the Compose files.",
                    default=".env when there is one",
                    environment="HULLMARK_ENV_FILE",
                    flag="--env-file",
                    example='".env.test"',
                ),
                Option(
                    key="profiles",
                    kind=TEXTS,
                    help="Compose profiles to enable.",
                    environment="HULLMARK_PROFILES",
                    flag="--profile",
                ),
            ),
        ),
        Table(
            key="policy",
            help="What makes the difference between pass and fail.",
            options=(
                Option(
                    key="fail-on",
                    kind=choice(*(str(s) for s in sorted(Severity, reverse=True))),
                    help="The least severe finding that fails.",
                    default="error",
                    environment="HULLMARK_FAIL_ON",
                    flag="--fail-on",
                ),
                Option(
                    key="labels",
                    kind=TEXTS,
                    help="Labels that every image must carry.",
                    default='["org.opencontainers.image.version"]',
                ),
                Option(
                    key="previous",
                    kind=TEXT,
                    help="What hosts run now: a JSON report; for services without `previous` of their own.",
                    environment="HULLMARK_PREVIOUS",
                    example='"reports/1.4.0.json"',
                ),
            ),
        ),
        Table(
            key="lint",
            help="What else is asked about the Dockerfiles.",
            options=(
                Option(
                    key="hadolint",
                    kind=choice("auto", "always", "never"),
                    help="Whether hadolint runs as well: where it is installed, always, or never.",
                    default="auto",
                    environment="HULLMARK_HADOLINT",
                    flag="--hadolint",
                ),
            ),
        ),
        Table(
            key="smoke",
            help="How the stack is tried out.",
            options=(
                Option(
                    key="timeout",
                    kind=DURATION,
                    help="Time within which every service must be up.",
                    default="5 min",
                    environment="HULLMARK_SMOKE_TIMEOUT",
                    flag="--smoke-timeout",
                ),
                Option(
                    key="shared",
                    kind=TEXTS,
                    help="External networks and volumes, and mounted paths of the host, that the isolated copy uses "
                    "as they are, instead of private ones.",
                    example='["company-net", "./models"]',
                ),
            ),
        ),
        Table(
            key="dev",
            help="How the stack is developed; see `hullmark dev`.",
            options=(
                Option(
                    key="compose",
                    kind=TEXTS,
                    help="Compose files of the development stack, later ones over earlier ones.",
                    default="those of the project, with `compose.dev.yml` when there is one",
                    example='["compose.yml", "compose.dev.yml"]',
                ),
            ),
        ),
        Table(
            key="scan",
            help="How vulnerabilities are looked for.",
            options=(
                Option(
                    key="fail-on",
                    kind=choice("never", *SEVERITIES[1:]),
                    help="The least severe vulnerability that fails.",
                    default="never",
                    environment="HULLMARK_SCAN_FAIL_ON",
                    flag="--scan-fail-on",
                ),
                Option(
                    key="reports",
                    kind=TEXT,
                    help="Directory for the scanner's own reports.",
                    default="trivy-reports",
                ),
                Option(
                    key="ignore-file",
                    kind=TEXT,
                    help="Vulnerabilities to ignore, in Trivy's format.",
                    default=".trivyignore",
                ),
            ),
        ),
        Table(
            key="services",
            help="What each service promises.",
            tables=(
                Table(
                    key="*",
                    help="One service, by its name in the Compose file.",
                    options=(
                        Option(
                            key="budget",
                            kind=SIZE,
                            help="The most bytes that its image may hold, unpacked.",
                            example='"600 MB"',
                        ),
                        Option(
                            key="transfer-budget",
                            kind=SIZE,
                            help="The most bytes that a host without any of it may have to pull, compressed.",
                            example='"200 MB"',
                        ),
                        Option(
                            key="update-budget",
                            kind=SIZE,
                            help="The most bytes that a host with `previous` may have to pull, compressed.",
                            example='"60 MB"',
                        ),
                        Option(
                            key="previous",
                            kind=TEXT,
                            help="The image that hosts run now: a reference, or a JSON report beside this file.",
                            default="`previous` of `[policy]`",
                            example='"localhost:5000/shop/rag:1.4.0"',
                        ),
                        Option(
                            key="user",
                            kind=USER,
                            help="Whom it runs as.",
                            default="any",
                            example='"non-root"',
                        ),
                        Option(
                            key="timeout",
                            kind=DURATION,
                            help="Time from the start of its container within which it must be up, within that of "
                            "`[smoke]`; without a health check also the time that its probes are tried for.",
                            example='"90 s"',
                        ),
                        Option(
                            key="start-budget",
                            kind=DURATION,
                            help="The most time that it may take from the start of its container until it is up.",
                            example='"10 s"',
                        ),
                    ),
                    tables=(_PROBE,),
                ),
            ),
        ),
        Table(
            key="links",
            array=True,
            help="Connections that services must be able to make, tried from inside the calling container.",
            options=(
                Option(
                    key="from", kind=TEXT, help="The calling service.", required=True, example='"platform"'
                ),
                Option(
                    key="to",
                    kind=LINK_TARGET,
                    help="What it calls: `http://`, `https://` or `tcp://`, with a client that the image of `from` holds: "
                    "curl, Python, Node.js, wget or busybox; for `tcp://` also nc or bash. For `https://` it must be "
                    'built with TLS, and busybox, which verifies no certificate, fits only `tls = "insecure"`. '
                    "Without a client the link is reported as not tried.",
                    required=True,
                    example='"http://rag:8001/health"',
                ),
                Option(
                    key="tls", kind=choice("verify", "insecure"), help="For `https://`.", default="verify"
                ),
                Option(
                    key="timeout", kind=DURATION, help="Time within which it must succeed.", default="15 s"
                ),
            ),
            tables=(
                Table(
                    key="expect",
                    help="What the answer must be.",
                    options=(
                        Option(
                            key="status", kind=STATUS, help="The exact HTTP status.", default="any of 200-399"
                        ),
                    ),
                ),
            ),
        ),
        Table(
            key="ignore",
            help="Findings that the project has decided to live with.",
            tables=(
                Table(
                    key="findings",
                    array=True,
                    help="One decision.",
                    options=(
                        Option(
                            key="rule", kind=TEXT, help="The rule's id.", required=True, example='"root-user"'
                        ),
                        Option(key="service", kind=TEXT, help="Only in this service.", default="all"),
                        Option(
                            key="reason",
                            kind=TEXT,
                            help="Why that is right.",
                            required=True,
                            example='"postgres drops privileges in its entrypoint"',
                        ),
                        Option(
                            key="expires",
                            kind=DATE,
                            help="The last day on which it holds.",
                            example="2027-06-30",
                        ),
                    ),
                ),
            ),
        ),
    ),
)


def scalars(table: Table = SCHEMA, path: str = "") -> dict[str, Option]:
    """The options outside of arrays and of the services, by path: those that can be overridden."""
    found = {f"{path}{option.key}": option for option in table.options}
    for child in table.tables:
        if not child.array and child.key != "*":
            found |= scalars(child, f"{path}{child.key}.")
    return found


def flagged() -> dict[str, Option]:
    """The options that the command line can override, by path."""
    return {path: option for path, option in scalars().items() if option.flag}
