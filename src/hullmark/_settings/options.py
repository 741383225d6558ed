"""Every option of the configuration, declared once: parser, schema and documentation derive from here."""

from __future__ import annotations

from hullmark._settings.baseline_options import BASELINE
from hullmark._settings.ci_options import CI
from hullmark._settings.drill_kinds import DRILLS
from hullmark._settings.history_options import HISTORY
from hullmark._settings.kinds import (
    ALLOWED,
    COMMAND,
    DATE,
    DURATION,
    FLAG,
    HASH,
    LINK_TARGET,
    SIZE,
    STATUS,
    TEXT,
    TEXTS,
    USER,
    Option,
    Table,
    choice,
)
from hullmark._settings.probe_kinds import COUNT, PATTERNS
from hullmark._settings.probe_options import LOGS, PROBE
from hullmark._settings.project_options import PROJECT
from hullmark._settings.release_options import RELEASE
from hullmark._settings.scan_options import SCAN
from hullmark.model.drill import Drill
from hullmark.model.finding import Severity

_PERSIST = Table(
    key="persist",
    array=True,
    help="Data that must be there after a restart and an upgrade; derived for PostgreSQL, Redis and Valkey with a volume.",
    options=(
        Option(
            key="write",
            kind=COMMAND,
            help="Command inside the container that writes it.",
            required=True,
            example='["sh", "-c", "echo kept > /var/lib/store/drill"]',
        ),
        Option(
            key="read",
            kind=COMMAND,
            help="Command inside the container that must find it.",
            required=True,
            example='["cat", "/var/lib/store/drill"]',
        ),
        Option(key="expect", kind=TEXT, help="Text that `read` must print.", default="exit code 0 is enough"),
        Option(key="timeout", kind=DURATION, help="Time that each of the two may take.", default="15 s"),
    ),
)

_DRILLS = Table(
    key="drills",
    help="How it is drilled; see `[smoke]`.",
    options=(
        Option(key="skip", kind=DRILLS, help="Drills that it is not put to.", example='["kill"]'),
        Option(
            key="timeout",
            kind=DURATION,
            help="Time within which it must be well again after a drill.",
            default="`drill-timeout` of `[smoke]`",
        ),
    ),
)

_CLASS = choice(*(str(each) for each in sorted(Severity, reverse=True)), "off")

SCHEMA = Table(
    key="",
    help="The configuration of a project.",
    tables=(
        PROJECT,
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
                Option(
                    key="derive-links",
                    kind=FLAG,
                    help="Whether links that are not declared are tried as well: to what services wait for, and to what "
                    "their environment has the address of. Those that fail are warnings.",
                    default="true",
                ),
                Option(
                    key="forbidden-logs",
                    kind=PATTERNS,
                    help="What must be found in no line of any service's log, looked at once everything has been tried.",
                    example='["Traceback", "panic:"]',
                ),
                Option(
                    key="drills",
                    kind=DRILLS,
                    help=f"What the stack is put to once it works: {', '.join(Drill)}, or all.",
                    environment="HULLMARK_DRILLS",
                    flag="--drill",
                    example='["restart", "stop"]',
                ),
                Option(
                    key="drill-timeout",
                    kind=DURATION,
                    help="Time within which a service must be well again after a drill.",
                    default="60 s",
                    environment="HULLMARK_DRILL_TIMEOUT",
                    flag="--drill-timeout",
                ),
                Option(
                    key="upgrade-from",
                    kind=TEXTS,
                    help="The images that hosts have now, for the drill `upgrade`, which it asks for: JSON reports of "
                    "earlier runs, and `SERVICE=REFERENCE`.",
                    default="`previous` of `[policy]` and of the services",
                    environment="HULLMARK_UPGRADE_FROM",
                    flag="--upgrade-from",
                    example='["reports/1.4.0.json"]',
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
            key="secrets",
            help="What is made of secrets that are found in images; see `hullmark scan`.",
            options=(
                Option(
                    key="visible",
                    kind=_CLASS,
                    help="How bad it is when containers have one in their files.",
                    default="error",
                ),
                Option(
                    key="buried",
                    kind=_CLASS,
                    help="How bad it is when a layer has one in a file that a later layer deletes or replaces.",
                    default="error",
                ),
                Option(
                    key="recorded",
                    kind=_CLASS,
                    help="How bad it is when one stands in the configuration or the history of an image.",
                    default="error",
                ),
                Option(
                    key="allow",
                    kind=ALLOWED,
                    help="What is no secret, or one that everybody may have, by the hash that findings tell; as a "
                    "table also with `reason`, `expires` and `owner`.",
                    example='["sha256:0123456789abcdef"]',
                ),
            ),
            tables=(
                Table(
                    key="formats",
                    array=True,
                    help="How bad secrets of one format are, which counts before what is said of all.",
                    options=(
                        Option(
                            key="format",
                            kind=TEXT,
                            help="The format, by its id.",
                            required=True,
                            example='"github-token"',
                        ),
                        Option(
                            key="severity",
                            kind=_CLASS,
                            help="How bad that is.",
                            required=True,
                            example='"warning"',
                        ),
                        Option(
                            key="class",
                            kind=choice("visible", "buried", "recorded"),
                            help="Only those of this class.",
                            default="all",
                        ),
                    ),
                ),
            ),
        ),
        SCAN,
        BASELINE,
        HISTORY,
        CI,
        RELEASE,
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
                            key="budget-growth",
                            kind=SIZE,
                            help="The most bytes by which its image may grow since the baseline, unpacked.",
                            default="`budget-growth` of `[baseline]`",
                            example='"20 MB"',
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
                            key="stage-image",
                            kind=TEXT,
                            help="The stage that its image is a squash of: a reference, from which files get the "
                            "instructions that wrote them.",
                            default="built out of the builder's cache",
                            example='"localhost:5000/shop/rag-runtime:1.5.0"',
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
                        Option(
                            key="restarts",
                            kind=COUNT,
                            help="How many times its restart policy may start it again before it is up; with none the "
                            "policy is off in the smoke test.",
                            default="none",
                            example="5",
                        ),
                        Option(
                            key="memory-budget",
                            kind=SIZE,
                            help="The most memory that it may use in the smoke test once its probes have passed.",
                            example='"300 MB"',
                        ),
                    ),
                    tables=(PROBE, LOGS, _DRILLS, _PERSIST),
                ),
            ),
        ),
        Table(
            key="links",
            array=True,
            help="Connections that services must be able to make, tried from inside the calling container's network. See "
            "[links.md](links.md).",
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
                    "Where the image holds none its network is entered: by hullmark, as root on the machine of the "
                    "engine, or by a container of another image of the stack.",
                    required=True,
                    example='"http://rag:8001/health"',
                ),
                Option(
                    key="tls", kind=choice("verify", "insecure"), help="For `https://`.", default="verify"
                ),
                Option(
                    key="degrades",
                    kind=FLAG,
                    help="Whether the caller stays healthy and answers its probes while it cannot reach the other, for "
                    "the drill `partition`; otherwise one of them must tell.",
                    default="false",
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
                            key="path",
                            kind=TEXT,
                            help="Only in files whose path fits this pattern; `**` goes through directories.",
                            default="all",
                            example='"/srv/app/**"',
                        ),
                        Option(
                            key="format",
                            kind=TEXT,
                            help="Only secrets of this format.",
                            default="all",
                            example='"github-token"',
                        ),
                        Option(
                            key="hash",
                            kind=HASH,
                            help="Only the secret with this hash.",
                            default="all",
                            example='"sha256:0123456789abcdef"',
                        ),
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
                        Option(
                            key="owner", kind=TEXT, help="Whom to ask about it.", example='"platform team"'
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
