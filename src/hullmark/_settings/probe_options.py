"""The options of probes and of what a log must not hold."""

from __future__ import annotations

from hullmark._settings.kinds import (
    COMMAND,
    DURATION,
    FLAG,
    HTTP_PATH,
    PORT,
    TEXT,
    TEXTS,
    TLS,
    Alternative,
    Option,
    Table,
    choice,
)
from hullmark._settings.probe_kinds import (
    CAPTURES,
    COUNT,
    HEADERS,
    HOST,
    JSON,
    JSON_PATH,
    PATTERN,
    STATUSES,
)

CLIENTS = ("psql", "mysql", "mariadb", "sqlite3")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_EXPECT = Table(
    key="expect",
    help="What the answer must be.",
    options=(
        Option(
            key="status",
            kind=STATUSES,
            help="The HTTP status, for `http`.",
            default="any of 200-399",
            example='[200, "3xx"]',
        ),
        Option(key="body-contains", kind=TEXT, help="Text that the body must contain, for `http`."),
        Option(
            key="body-matches",
            kind=PATTERN,
            help="What must be found in the body, for `http`.",
            example="'version \\d+'",
        ),
        Option(
            key="headers",
            kind=HEADERS,
            help="Headers that the answer must have, for `http`.",
            example='{ Content-Type = "application/json" }',
        ),
        Option(key="rows", kind=COUNT, help="How many rows must come back, for `sql`.", example="1"),
        Option(key="text", kind=TEXT, help="Text that the output must contain, for `exec` and `sql`."),
    ),
    tables=(
        Table(
            key="json",
            array=True,
            help="What a JSON answer must hold, for `http`; exactly one of `equals`, `matches` and `exists`.",
            options=(
                Option(
                    key="path",
                    kind=JSON_PATH,
                    help="Where, as RFC 9535 writes it; of several values one has to fit.",
                    required=True,
                    example='"$.items[0].id"',
                ),
                Option(key="equals", kind=JSON, help="The value.", example='"ok"'),
                Option(key="matches", kind=PATTERN, help="What must be found in the value, as text."),
                Option(key="exists", kind=FLAG, help="Whether there must be a value at all.", example="true"),
            ),
            alternatives=(Alternative(key="equals"), Alternative(key="matches"), Alternative(key="exists")),
        ),
    ),
)

_REQUEST = (
    Option(key="port", kind=PORT, help="The port inside the container, for `http` and `openapi`."),
    Option(
        key="tls",
        kind=TLS,
        help="Whether to speak TLS, for `http` and `openapi`; `insecure` takes any certificate.",
        default="off",
    ),
    Option(
        key="ca",
        kind=TEXT,
        help='File with the certificates to trust, relative to the project, for `tls = "verify"`.',
        default="those of this machine",
        example='"certs/ca.pem"',
    ),
    Option(
        key="host",
        kind=HOST,
        help="The virtual host to ask for, in the request and in TLS, for `http` and `openapi`.",
        default="localhost",
        example='"shop.example"',
    ),
    Option(
        key="headers",
        kind=HEADERS,
        help="Headers to send, for `http` and `openapi`; `${NAME}` stands for a variable.",
        example='{ Authorization = "Bearer ${API_TOKEN}" }',
    ),
    Option(
        key="within",
        kind=DURATION,
        help="Time within which one answer must come, for `http` and `openapi`.",
        default="10 s",
        example='"800 ms"',
    ),
    Option(key="method", kind=choice(*METHODS), help="The method, for `http`.", default="GET"),
    Option(key="body", kind=TEXT, help="The body to send, for `http`."),
    Option(
        key="json",
        kind=JSON,
        help="The body to send, written as JSON, for `http`.",
        example='{ q = "lantern", limit = 5 }',
    ),
    Option(
        key="follow",
        kind=FLAG,
        help="Whether to follow redirections, within the stack, for `http`.",
        default="false",
    ),
)
_ANY_REQUEST = ("tls", "ca", "host", "headers", "within")
_STATEMENT = (
    Option(
        key="sql",
        kind=TEXT,
        help="Statement that the database must execute.",
        example='"select 1 from schema_migrations"',
    ),
    Option(
        key="client",
        kind=choice(*CLIENTS),
        help="The client in the container, for `sql`.",
        default="what its environment speaks of",
    ),
    Option(key="user", kind=TEXT, help="Whom to log in as, for `sql`.", default="from its environment"),
    Option(
        key="database",
        kind=TEXT,
        help="The database, for `sql`; for `sqlite3` its file.",
        default="from its environment",
    ),
)
_HTTP = Alternative(
    key="http",
    needs=("port",),
    fits=(
        *_ANY_REQUEST,
        *("method", "body", "json", "follow"),
        *(f"expect.{key}" for key in ("status", "body-contains", "body-matches", "headers", "json")),
    ),
)
_EXEC = Alternative(key="exec", fits=("expect.text",))
_SQL = Alternative(key="sql", fits=("client", "user", "database", "expect.rows", "expect.text"))
_ASK = Option(
    key="http",
    kind=HTTP_PATH,
    help="Path to request from the host; needs `port`.",
    example='"/health"',
)
_RUN = Option(
    key="exec",
    kind=COMMAND,
    help="Command that must succeed inside the container.",
    example='["pg_isready", "-q"]',
)
_TIMEOUT = (
    "Time within which it must succeed; how long `log-absent` is watched, which otherwise is looked at once."
)

_STEPS = Table(
    key="steps",
    array=True,
    filled=True,
    help="A flow: requests, commands and statements, one after another; each is exactly one of `http`, `exec` and `sql`.",
    options=(
        _ASK,
        _RUN,
        _STATEMENT[0],
        Option(key="service", kind=TEXT, help="The service that is asked.", default="that of the probe"),
        Option(
            key="until",
            kind=DURATION,
            help="Repeat the step until it is as expected, for so long at most.",
            default="it is tried once",
            example='"10 s"',
        ),
        Option(
            key="capture",
            kind=CAPTURES,
            help="What later steps call `${NAME}`: a JSON path, or a regular expression and its first group.",
            example='{ ID = "$.id" }',
        ),
        *_REQUEST,
        *_STATEMENT[1:],
    ),
    tables=(_EXPECT,),
    alternatives=(_HTTP, _EXEC, _SQL),
)

PROBE = Table(
    key="probes",
    array=True,
    help="What must answer once the service is up; exactly one of `http`, `tcp`, `exec`, `log`, `log-absent`, `sql`, "
    "`openapi` and `steps`. See [probes.md](probes.md).",
    options=(
        _ASK,
        Option(
            key="tcp",
            kind=PORT,
            help="Port inside the container that must accept connections.",
            example="5432",
        ),
        _RUN,
        Option(
            key="log",
            kind=PATTERN,
            help="What must be found in a line of the log since the start.",
            example='"ready to accept"',
        ),
        Option(
            key="log-absent",
            kind=PATTERN,
            help="What must be found in no line of the log since the start.",
            example='"FATAL|panic"',
        ),
        _STATEMENT[0],
        Option(
            key="openapi",
            kind=HTTP_PATH,
            help="Path of the OpenAPI document, of which every GET without required parameters must be answered below 500; "
            "needs `port`.",
            example='"/openapi.json"',
        ),
        Option(key="name", kind=TEXT, help="What the report calls it.", default="what it asks"),
        *_REQUEST,
        Option(key="skip", kind=TEXTS, help="Paths to leave out, for `openapi`.", example='["/events"]'),
        *_STATEMENT[1:],
        Option(key="timeout", kind=DURATION, help=_TIMEOUT, default="15 s"),
    ),
    tables=(_EXPECT, _STEPS),
    alternatives=(
        _HTTP,
        Alternative(key="tcp"),
        _EXEC,
        Alternative(key="log"),
        Alternative(key="log-absent"),
        _SQL,
        Alternative(key="openapi", needs=("port",), fits=(*_ANY_REQUEST, "skip")),
        Alternative(key="steps"),
    ),
)

LOGS = Table(
    key="logs",
    array=True,
    help="What its log must not hold, looked at once everything else has been tried; see also `forbidden-logs` of "
    "`[smoke]`.",
    options=(
        Option(
            key="absent",
            kind=PATTERN,
            help="What must be found in no line.",
            required=True,
            example='"Traceback"',
        ),
    ),
)
