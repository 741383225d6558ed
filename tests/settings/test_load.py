"""Settings come from four places, each value knows which, and what is wrong with them is said all at once."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._settings import load_settings
from hullmark._settings.options import SCHEMA, scalars
from hullmark.errors import ConfigurationError
from hullmark.model.baseline import Standing
from hullmark.model.drill import Drill
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Check
from hullmark.model.probe import (
    Capture,
    ExecProbe,
    FlowProbe,
    HttpProbe,
    JsonExpectation,
    LogProbe,
    LogRule,
    OpenApiProbe,
    SqlProbe,
    TcpProbe,
)
from hullmark.model.project import (
    Allowance,
    AnyUser,
    Budget,
    DropsTo,
    Ignore,
    Link,
    NonRoot,
    ScanSettings,
    Settings,
)
from hullmark.model.secret import Whereabouts
from hullmark.model.verdict import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullmark._settings.kinds import Option, Table


def _load(
    root: Path,
    text: str | None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
    *,
    file: str = "hullmark.toml",
) -> Settings:
    if text is not None:
        (root / file).write_text(text, encoding="utf-8")
    return load_settings(root, environ or {}, flags)


def _problems(root: Path, text: str | None, *args: Any, **options: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        _load(root, text, *args, **options)
    assert caught.value.exit_code == 2
    return list(caught.value.problems)


def _at(line: int, column: int = 1) -> SourceSpan:
    return SourceSpan(path="hullmark.toml", line=line, column=column)


FULL = """\
[project]
compose = ["compose.yml", "compose.test.yml"]
env-file = ".env.test"
profiles = ["debug"]

[policy]
fail-on = "warning"
labels = ["a", "b"]

[smoke]
timeout = "90 s"

[scan]
fail-on = "high"
reports = "reports"
ignore-file = ".ignore"

[services.db]
budget = "1.2 GB"
user = "drops-to:postgres"
[[services.db.probes]]
tcp = 5432
timeout = "500 ms"
[[services.db.probes]]
exec = ["pg_isready", "-q"]

[services."rag.v2"]
budget = "600 MiB"
user = "non-root"
[[services."rag.v2".probes]]
http = "/health"
port = 8001
tls = "insecure"
method = "POST"
expect.status = 204
expect.body-contains = "ok"

[services.any]
user = "any"
timeout = "1 min"
start-budget = "10 s"

[[links]]
from = "db"
to = "https://rag:8001/health"
tls = "insecure"
timeout = "2 min"
expect.status = 200

[[ignore.findings]]
rule = "root-user"
service = "db"
reason = "it drops them"
expires = 2027-06-30
[[ignore.findings]]
rule = "other"
reason = "so"
owner = "platform team"
"""


def test_every_option_arrives_with_the_place_it_was_written_at(tmp_path: Path) -> None:
    settings = _load(tmp_path, FULL)
    assert settings.compose == ("compose.yml", "compose.test.yml")
    assert (settings.env_file, settings.profiles) == (".env.test", ("debug",))
    assert settings.policy == Policy(fail_on=Severity.WARNING)
    assert settings.labels == ("a", "b")
    assert settings.smoke_timeout == 90
    assert settings.scan == ScanSettings(fail_on="high", reports="reports", ignore_file=".ignore")
    db = settings.service("db")
    assert db.budget == Budget(size=1_200_000_000, origin=_at(19))
    assert (db.user, db.user_origin) == (DropsTo(name="postgres"), _at(20))
    assert db.probes == (
        TcpProbe(port=5432, timeout=0.5, origin=_at(21)),
        ExecProbe(command=("pg_isready", "-q"), origin=_at(24)),
    )
    assert db.origin == _at(18)
    rag = settings.service("rag.v2")
    assert rag.budget == Budget(size=600 * 2**20, origin=_at(28))
    assert rag.user == NonRoot()
    assert rag.probes == (
        HttpProbe(
            path="/health",
            port=8001,
            tls="insecure",
            method="POST",
            status=(range(204, 205),),
            body_contains="ok",
            origin=_at(30),
        ),
    )
    assert settings.service("any").user == AnyUser()
    assert settings.service("any").timeout == Allowance(seconds=60, origin=_at(40))
    assert settings.service("any").start_budget == Allowance(seconds=10, origin=_at(41))
    assert settings.links == (
        Link(
            from_service="db",
            to="https://rag:8001/health",
            tls="insecure",
            timeout=120,
            status=200,
            origin=_at(43),
        ),
    )
    assert settings.ignores == (
        Ignore(
            rule="root-user",
            service="db",
            reason="it drops them",
            expires=dt.date(2027, 6, 30),
            origin=_at(50),
        ),
        Ignore(rule="other", service=None, reason="so", expires=None, origin=_at(55), owner="platform team"),
    )
    origins = dict(settings.origins)
    assert origins["project.compose"] == "hullmark.toml:2:1"
    assert origins["services.rag.v2.budget"] == "hullmark.toml:28:1"
    assert origins["policy.fail-on"] == "hullmark.toml:7:1"


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "[project]\n[policy]\n[services.db]\n"])
def test_what_is_not_given_is_at_its_default(tmp_path: Path, text: str | None) -> None:
    settings = _load(tmp_path, text)
    assert settings.policy == Policy(
        fail_on=Severity.ERROR,
        required=frozenset(Check) - {Check.SCAN},
        advisory=frozenset({Check.SCAN}),
    )
    defaults = Settings()
    assert settings.labels == defaults.labels == ("org.opencontainers.image.version",)
    assert settings.smoke_timeout == defaults.smoke_timeout == 300
    assert settings.scan == defaults.scan
    assert (settings.compose, settings.env_file, settings.profiles) == ((), None, ())
    assert settings.service("db").user == AnyUser()
    assert settings.service("db").budget is None
    assert not settings.origins


def test_a_scan_that_may_fail_is_no_longer_advisory(tmp_path: Path) -> None:
    policy = _load(tmp_path, '[scan]\nfail-on = "critical"\n').policy
    assert policy.advisory == frozenset()
    assert Check.SCAN in policy.required


def test_the_command_line_wins_over_the_environment_that_over_the_file_and_that_over_the_default(
    tmp_path: Path,
) -> None:
    text = '[policy]\nfail-on = "warning"\n'
    environ = {"HULLMARK_FAIL_ON": "note"}
    flags = {"policy.fail-on": "error"}

    def decided(*args: Any) -> tuple[Severity, str | None]:
        settings = _load(tmp_path, *args)
        return settings.policy.fail_on, dict(settings.origins).get("policy.fail-on")

    assert decided("") == (Severity.ERROR, None)
    assert decided(text) == (Severity.WARNING, "hullmark.toml:2:1")
    assert decided(text, environ) == (Severity.NOTE, "environment variable HULLMARK_FAIL_ON")
    assert decided(text, environ, flags) == (Severity.ERROR, "option --fail-on")
    assert decided(None, None, flags) == (Severity.ERROR, "option --fail-on")


def test_an_empty_variable_or_flag_decides_nothing(tmp_path: Path) -> None:
    settings = _load(
        tmp_path, '[policy]\nfail-on = "note"\n', {"HULLMARK_FAIL_ON": ""}, {"policy.fail-on": ""}
    )
    assert settings.policy.fail_on is Severity.NOTE


def test_lists_in_the_environment_are_separated_by_commas(tmp_path: Path) -> None:
    settings = _load(tmp_path, None, {"HULLMARK_COMPOSE": "a.yml,b.yml,", "HULLMARK_PROFILES": "x"})
    assert (settings.compose, settings.profiles) == (("a.yml", "b.yml"), ("x",))


OVERRIDES: dict[str, tuple[str, Any, Any]] = {
    "project.compose": ("a.yml", lambda s: s.compose, ("a.yml",)),
    "project.env-file": (".env.x", lambda s: s.env_file, ".env.x"),
    "project.profiles": ("p,q", lambda s: s.profiles, ("p", "q")),
    "policy.fail-on": ("note", lambda s: s.policy.fail_on, Severity.NOTE),
    "policy.labels": ("l", lambda s: s.labels, ("l",)),
    "lint.hadolint": ("never", lambda s: s.hadolint, "never"),
    "smoke.drills": ("stop,kill", lambda s: s.smoke_drills, (Drill.STOP, Drill.KILL)),
    "smoke.drill-timeout": ("8 s", lambda s: s.drill_timeout, 8.0),
    "smoke.upgrade-from": ("a.json,db=shop/db:1", lambda s: s.upgrade_from, ("a.json", "db=shop/db:1")),
    "smoke.timeout": ("7 s", lambda s: s.smoke_timeout, 7.0),
    "smoke.shared": ("net,./models", lambda s: s.smoke_shared, ("net", "./models")),
    "smoke.forbidden-logs": ("a,b+", lambda s: [rule.pattern for rule in s.forbidden_logs], ["a", "b+"]),
    "dev.compose": ("a.yml,b.yml", lambda s: s.dev_compose, ("a.yml", "b.yml")),
    "secrets.visible": ("off", lambda s: s.secrets.off(Whereabouts.VISIBLE), True),
    "secrets.buried": ("note", lambda s: s.secrets.severity(Whereabouts.BURIED), Severity.NOTE),
    "secrets.recorded": ("error", lambda s: s.secrets.severity(Whereabouts.RECORDED), Severity.ERROR),
    "secrets.allow": (
        f"sha256:{'a1' * 8}",
        lambda s: [each.hash for each in s.secrets.allow],
        [f"sha256:{'a1' * 8}"],
    ),
    "scan.db-url": (
        "https://registry.example.com/osv",
        lambda s: s.scan.db_url,
        "https://registry.example.com/osv",
    ),
    "scan.db-max-age": ("3 days", lambda s: s.scan.db_max_age, 259_200.0),
    "smoke.derive-links": ("false", lambda s: s.smoke_derive_links, False),
    "scan.scanner": ("all", lambda s: s.scan.scanner, "all"),
    "scan.fixable": ("false", lambda s: s.scan.fixable, False),
    "scan.grace": ("7 days", lambda s: s.scan.grace, 604_800.0),
    "scan.kernel-headers": ("true", lambda s: s.scan.kernel_headers, True),
    "scan.vex": ("a.json,b.json", lambda s: s.scan.vex, ("a.json", "b.json")),
    "scan.fail-on": ("low", lambda s: s.scan.fail_on, "low"),
    "baseline.against": ("origin/main", lambda s: s.baseline.against, "origin/main"),
    "baseline.file": ("b.jsonl", lambda s: s.baseline.file, "b.jsonl"),
    "baseline.kept": ("none", lambda s: s.baseline.kept, "none"),
    "baseline.branches": ("main,stable", lambda s: s.baseline.branches, ("main", "stable")),
    "baseline.new-only": ("true", lambda s: s.policy.new_only, True),
    "baseline.introduced": ("low", lambda s: s.fail_on(Standing.INTRODUCED), "low"),
    "baseline.disclosed": ("high", lambda s: s.fail_on(Standing.DISCLOSED), "high"),
    "baseline.known": ("medium", lambda s: s.fail_on(Standing.KNOWN), "medium"),
    "baseline.required": ("true", lambda s: s.baseline.required, True),
    "ci.name": ("shop", lambda s: s.ci.name, "shop"),
    "ci.annotations": ("false", lambda s: s.ci.annotations, False),
    "ci.code-scanning": ("false", lambda s: s.ci.code_scanning, False),
    "history.url": ("sqlite:h.db", lambda s: s.history.url, "sqlite:h.db"),
    "history.branch": ("main", lambda s: s.history.branch, "main"),
    "history.trend": ("7 %", lambda s: s.history.trend, 0.07),
    "baseline.budget-growth": ("3 MB", lambda s: s.baseline.growth.size, 3_000_000),
    "policy.previous": ("old.json", lambda s: s.previous, "old.json"),
    "scan.reports": ("r", lambda s: s.scan.reports, "r"),
    "scan.ignore-file": ("i", lambda s: s.scan.ignore_file, "i"),
    "release.registry": ("r.example/shop", lambda s: s.release.registry, "r.example/shop"),
    "release.platforms": (
        "linux/amd64,linux/arm/v7",
        lambda s: s.release.platforms,
        ("linux/amd64", "linux/arm/v7"),
    ),
    "release.services": ("web,db", lambda s: s.release.services, ("web", "db")),
    "release.tags": ("minor,latest", lambda s: s.release.tags, ("minor", "latest")),
    "release.builder": ("far", lambda s: s.release.builder, "far"),
    "release.source": ("https://x.example/s", lambda s: s.release.source, "https://x.example/s"),
    "release.licenses": ("MIT", lambda s: s.release.licenses, "MIT"),
    "release.fail-on": ("warning", lambda s: s.release.fail_on, Severity.WARNING),
    "release.scan-fail-on": ("critical", lambda s: s.release.scan_fail_on, "critical"),
    "release.smoke": ("false", lambda s: s.release.smoke, False),
    "release.smoke-platforms": ("all", lambda s: s.release.smoke_platforms, "all"),
    "release.cache": ("false", lambda s: s.release.cache, False),
    "release.sbom": ("false", lambda s: s.release.sbom, False),
    "release.certificate-identity": (
        "release@example.com",
        lambda s: s.release.certificate_identity,
        "release@example.com",
    ),
    "release.certificate-oidc-issuer": (
        "https://example.com",
        lambda s: s.release.certificate_oidc_issuer,
        "https://example.com",
    ),
    "release.sign": ("never", lambda s: s.release.sign, "never"),
    "release.github-release": ("acme/shop", lambda s: s.release.github_release, "acme/shop"),
    "release.environment": ("pier/one", lambda s: s.release.environment, "pier/one"),
    "release.runners": (
        "linux/arm64=anvil,linux/riscv64=board",
        lambda s: s.release.runners,
        (("linux/arm64", "anvil"), ("linux/riscv64", "board")),
    ),
}


def test_every_option_that_can_be_overridden_is_tried_here() -> None:
    assert set(OVERRIDES) == set(scalars())


@pytest.mark.parametrize("path", OVERRIDES)
def test_an_option_can_be_overridden_by_its_path_and_by_its_variable(tmp_path: Path, path: str) -> None:
    text, read, expected = OVERRIDES[path]
    assert read(_load(tmp_path, None, None, {path: text})) == expected
    variable = scalars()[path].environment
    if variable:
        assert read(_load(tmp_path, None, {variable: text})) == expected


def test_compose_s_own_variable_names_the_files_where_nothing_else_does(tmp_path: Path) -> None:
    environ = {"COMPOSE_FILE": "a.yml:b.yml"}
    settings = _load(tmp_path, None, environ)
    assert settings.compose == ("a.yml", "b.yml")
    assert dict(settings.origins)["project.compose"] == "environment variable COMPOSE_FILE"
    assert _load(tmp_path, '[project]\ncompose = ["c.yml"]\n', environ).compose == ("c.yml",)


@pytest.mark.parametrize(
    ("text", "decides"),
    [
        ("", False),
        ('[baseline]\nintroduced = "high"\n', False),
        ('[baseline]\nagainst = "main"\n', False),
        ('[baseline]\nagainst = "main"\nintroduced = "high"\n', True),
        ('[scan]\nfail-on = "high"\n', True),
    ],
)
def test_a_scan_decides_where_a_vulnerability_can_fail(tmp_path: Path, text: str, *, decides: bool) -> None:
    policy = _load(tmp_path, text).policy
    assert (Check.SCAN in policy.required) is decides
    assert (Check.SCAN not in policy.advisory) is decides


# pyproject.toml


def test_the_table_of_a_pyproject_is_read_with_its_own_places(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n\n[tool.hullmark.policy]\nfail-on = "note"\n'
    settings = _load(tmp_path, text, file="pyproject.toml")
    assert settings.policy.fail_on is Severity.NOTE
    assert dict(settings.origins) == {"policy.fail-on": "pyproject.toml:5:1"}


def test_problems_in_a_pyproject_point_into_it(tmp_path: Path) -> None:
    text = '[tool.hullmark]\npolcy = 1\n[tool.hullmark.policy]\nfail-on = "never"\n'
    problems = _problems(tmp_path, text, file="pyproject.toml")
    assert [problem.partition(": ")[0] for problem in problems] == [
        "pyproject.toml:2:1",
        "pyproject.toml:4:1",
    ]


def test_a_file_of_its_own_wins_over_the_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.hullmark.policy]\nfail-on = "note"\n', encoding="utf-8")
    assert _load(tmp_path, "").policy.fail_on is Severity.ERROR


@pytest.mark.parametrize("value", ["0", "false", "[]", '""', "1"])
def test_a_pyproject_whose_entry_is_no_table_is_refused(tmp_path: Path, value: str) -> None:
    (problem,) = _problems(tmp_path, f"[tool]\nhullmark = {value}\n", file="pyproject.toml")
    assert problem.startswith("pyproject.toml:2:1: `tool.hullmark` must be a table, got ")


# What is wrong


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[policy\n", 1),
        ('a = "x\n', 1),
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2\n", 2),
        ("[a]\n[a]\n", 2),
        ("a = [1,\n", 1),
    ],
)
def test_what_is_no_toml_is_said_with_line_and_column(tmp_path: Path, text: str, line: int) -> None:
    (problem,) = _problems(tmp_path, text)
    assert re.match(rf"hullmark\.toml:{line}:[1-9][0-9]*: not valid TOML: [a-z]", problem)
    assert "(at " not in problem


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "hullmark.toml").write_bytes(b"a = '\xff'\n")
    (problem,) = _problems(tmp_path, None)
    assert problem.startswith("hullmark.toml: cannot be read: ")


def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "hullmark.toml").mkdir()
    (problem,) = _problems(tmp_path, None)
    assert problem.startswith("hullmark.toml: cannot be read: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[[links]]\nfrom = "a"\nto = "tcp://b:1"\nexpect.status = 200\n',
            "4:1: `links`: `expect` has no effect on `tcp://`; it fits `http://` and `https://`",
        ),
        (
            '[[links]]\nfrom = "a"\nto = "http://b/"\ntls = "insecure"\n',
            "4:1: `links`: `tls` has no effect on `http://`; it fits `https://`",
        ),
    ],
)
def test_what_a_link_cannot_be_held_to_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert _problems(tmp_path, text) == [f"hullmark.toml:{expected}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("polcy = 1\n", "1:1: unknown key `polcy`; did you mean `policy`?"),
        ("[polcy]\n", "1:1: unknown key `polcy`; did you mean `policy`?"),
        ("[project]\nenvfile = 1\n", "2:1: unknown key `envfile` in `project`; did you mean `env-file`?"),
        ("[policy]\nfail_on = 1\n", "2:1: unknown key `fail_on` in `policy`; did you mean `fail-on`?"),
        ("[smoke]\ntimeuot = 1\n", "2:1: unknown key `timeuot` in `smoke`; did you mean `timeout`?"),
        ("[scan]\nreport = 1\n", "2:1: unknown key `report` in `scan`; did you mean `reports`?"),
        ("services.rag.bugdet = 1\n", "1:1: unknown key `bugdet` in `services.rag`; did you mean `budget`?"),
        (
            "[[services.rag.probes]]\ntcp = 1\n timeuot = 1\n",
            "3:2: unknown key `timeuot` in `services.rag.probes`; did you mean `timeout`?",
        ),
        (
            '[[services.rag.probes]]\nhttp = "/"\nport = 1\nexpect = {status = 200, staus = 1}\n',
            "4:25: unknown key `staus` in `services.rag.probes.expect`; did you mean `status`?",
        ),
        (
            '[[links]]\nfrom = "a"\nto = "tcp://b:1"\nto_ = 1\n',
            "4:1: unknown key `to_` in `links`; did you mean `to`?",
        ),
        (
            '[[links]]\nfrom = "a"\nto = "http://b/"\nexpect.statu = 1\n',
            "4:1: unknown key `statu` in `links.expect`; did you mean `status`?",
        ),
        ("[ignore]\nfinding = 1\n", "2:1: unknown key `finding` in `ignore`; did you mean `findings`?"),
        (
            '[[ignore.findings]]\nrule = "a"\nreason = "b"\nexpire = 1\n',
            "4:1: unknown key `expire` in `ignore.findings`; did you mean `expires`?",
        ),
    ],
)
def test_an_unknown_key_names_the_nearest_one_at_every_level(
    tmp_path: Path, text: str, expected: str
) -> None:
    (problem,) = _problems(tmp_path, text)
    assert problem.startswith(f"hullmark.toml:{expected} (valid: ")


def test_an_unknown_key_that_is_like_no_other_lists_the_valid_ones(tmp_path: Path) -> None:
    assert _problems(tmp_path, "[smoke]\nxyz = 1\n") == [
        (
            "hullmark.toml:2:1: unknown key `xyz` in `smoke`; valid: `derive-links`, `drill-timeout`, `drills`, "
            "`forbidden-logs`, `shared`, `timeout`, `upgrade-from`"
        )
    ]


def test_every_problem_is_said_at_once_in_the_order_of_the_file_then_those_from_elsewhere(
    tmp_path: Path,
) -> None:
    text = """\
zzz = 1
[policy]
labels = "one"
fail-on = "sometimes"
[services.rag]
budget = 600
user = "root"
[[services.rag.probes]]
http = "health"
port = 0
[project]
env-file = ""
[[links]]
to = "ftp://x"
[[ignore.findings]]
expires = "2027-06-30"
rule = "x"
reason = "y"
"""
    environ = {"HULLMARK_SMOKE_TIMEOUT": "soon", "HULLMARK_SCAN_FAIL_ON": "worst"}
    problems = _problems(tmp_path, text, environ, {"policy.fail-on": "maybe"})
    assert [problem.partition(": ")[0] for problem in problems] == [
        "hullmark.toml:1:1",
        "hullmark.toml:3:1",
        "hullmark.toml:4:1",
        "hullmark.toml:6:1",
        "hullmark.toml:7:1",
        "hullmark.toml:9:1",
        "hullmark.toml:10:1",
        "hullmark.toml:12:1",
        "hullmark.toml:13:1",
        "hullmark.toml:14:1",
        "hullmark.toml:16:1",
        "environment variable HULLMARK_SMOKE_TIMEOUT",
        "environment variable HULLMARK_SCAN_FAIL_ON",
        "option --fail-on",
    ]


@pytest.mark.parametrize("user", ["root", "0", "00"])
def test_who_drops_to_root_has_dropped_nothing(tmp_path: Path, user: str) -> None:
    (problem,) = _problems(tmp_path, f'[services.db]\nuser = "drops-to:{user}"\n')
    assert problem == (
        f'hullmark.toml:2:1: `services.db.user`: expected a user to drop to that is not root, got "drops-to:{user}"'
    )


@pytest.mark.parametrize("user", ["rooted", "0x", "10"])
def test_a_user_whose_name_only_begins_like_root_is_one(tmp_path: Path, user: str) -> None:
    (tmp_path / "hullmark.toml").write_text(f'[services.db]\nuser = "drops-to:{user}"\n', encoding="utf-8")
    assert load_settings(tmp_path, {}).service("db").user == DropsTo(name=user)


KINDS = "`http`, `tcp`, `exec`, `log`, `log-absent`, `sql`, `openapi` and `steps`"


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ("", f"needs exactly one of {KINDS}, got 0"),
        ("tcp = 1\nexec = ['a']", f"needs exactly one of {KINDS}, got 2"),
        ("tcp = 1\nexec = ['a']\nhttp = '/'\nport = 1", f"needs exactly one of {KINDS}, got 3"),
        ("http = '/'", "with `http` needs `port`"),
        ("openapi = '/'", "with `openapi` needs `port`"),
        ("tcp = 1\nport = 1", "`port` fits only `http` and `openapi`, not `tcp`"),
        ("exec = ['a']\ntls = 'off'", "`tls` fits only `http` and `openapi`, not `exec`"),
        ("tcp = 1\nmethod = 'GET'", "`method` fits only `http`, not `tcp`"),
        ("exec = ['a']\nexpect.status = 200", "`expect.status` fits only `http`, not `exec`"),
        ("log = 'a'\nexpect.text = 'b'", "`expect.text` fits only `exec` and `sql`, not `log`"),
        ("log-absent = 'a'\nclient = 'psql'", "`client` fits only `sql`, not `log-absent`"),
        ("http = '/'\nport = 1\nexpect.rows = 2", "`expect.rows` fits only `sql`, not `http`"),
        ("http = '/'\nport = 1\nskip = ['/a']", "`skip` fits only `openapi`, not `http`"),
        ("steps = []", "must hold at least one entry"),
        ("steps = [{}]", "`services.rag.probes.steps` needs exactly one of `http`, `exec` and `sql`, got 0"),
        ("steps = [{ exec = ['a'], port = 1 }]", "`port` fits only `http`, not `exec`"),
        (
            "http = '/'\nport = 1\nexpect.json = [{ path = '$' }]",
            "`services.rag.probes.expect.json` needs exactly one of `equals`, `matches` and `exists`, got 0",
        ),
        ("http = '/'\nport = 1\nexpect.json = [{ exists = true }]", "lacks the required key `path`"),
        ("http = '/'\nport = 1\nexpect.json = [{ path = '$.a[', exists = true }]", "expected a JSON path"),
        ("log = '['", 'expected a regular expression, got "[": unterminated character set'),
    ],
)
def test_a_probe_is_of_exactly_one_kind(tmp_path: Path, probe: str, said: str) -> None:
    (problem,) = _problems(tmp_path, f"[[services.rag.probes]]\n{probe}\n")
    assert said in problem


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (
            "body = 'a'\njson = 1",
            "3:1: `services.rag.probes`: `json` and `body` are both the body; give one of them",
        ),
        (
            "ca = 'a'\ntls = 'insecure'",
            '2:1: `services.rag.probes`: `ca` has no effect on `tls = "insecure"`',
        ),
        ("ca = 'a'", "2:1: `services.rag.probes`: `ca` has no effect without TLS; set `tls"),
        (
            "method = 'HEAD'\nexpect.body-contains = 'x'",
            "3:1: `services.rag.probes`: `expect.body-contains` has no",
        ),
        (
            "method = 'HEAD'\nexpect.body-matches = 'x'",
            "3:1: `services.rag.probes`: `expect.body-matches` has no",
        ),
        (
            "method = 'HEAD'\nexpect.json = [{path = '$', exists = true}]",
            "3:1: `services.rag.probes`: `expect.json`",
        ),
        (
            "within = '20 s'",
            "2:1: `services.rag.probes`: `within` is 20.0 s, but `timeout` ends after 15.0 s",
        ),
        (
            "within = '2 s'\ntimeout = '1 s'",
            "2:1: `services.rag.probes`: `within` is 2.0 s, but `timeout` ends after 1.0 s",
        ),
    ],
)
def test_what_has_no_effect_in_a_request_is_refused(tmp_path: Path, probe: str, said: str) -> None:
    (problem,) = _problems(tmp_path, f"[[services.rag.probes]]\n{probe}\nhttp = '/'\nport = 1\n")
    assert problem.startswith(f"hullmark.toml:{said}")


def test_what_has_no_effect_in_a_step_is_refused_there(tmp_path: Path) -> None:
    text = """
[[services.rag.probes]]
timeout = "20 s"
[[services.rag.probes.steps]]
exec = ["a"]
[[services.rag.probes.steps]]
http = "/"
port = 1
method = "HEAD"
until = "30 s"
expect.body-contains = "a"
"""
    until, contains = _problems(tmp_path, text)
    said = "`until` is 30.0 s, but the probe's `timeout` ends after 20.0 s"
    assert until == f"hullmark.toml:10:1: `services.rag.probes`: {said}"
    said = "`expect.body-contains` has no effect: an answer to HEAD has no body; use GET"
    assert contains == f"hullmark.toml:11:1: `services.rag.probes`: {said}"


PROBES = """
[smoke]
forbidden-logs = ["Traceback", "panic:"]
[[services.rag.logs]]
absent = "FATAL"
[[services.rag.probes]]
name = "login"
http = "/login?as=${WHO}"
port = 443
tls = "verify"
ca = "certs/ca.pem"
method = "PUT"
host = "shop.example"
headers = { Authorization = "Bearer ${TOKEN}" }
json = { user = "${WHO}", when = 2027-06-30, deep = [1, 2.5, true] }
follow = true
within = "2 s"
[services.rag.probes.expect]
status = [200, "3xx"]
body-matches = "o+"
headers = { Server = "caddy" }
json = [{ path = "$.a", equals = { b = 1 } }, { path = "$.c", exists = false }, { path = "$.d", matches = "^x" }]
[[services.rag.probes]]
log = "ready"
[[services.rag.probes]]
log-absent = "FATAL"
[[services.rag.probes]]
log-absent = "FATAL"
timeout = "3 s"
[[services.rag.probes]]
sql = "select '${KEPT}'"
client = "psql"
user = "u"
database = "d"
expect = { rows = 1, text = "x" }
[[services.rag.probes]]
openapi = "/openapi.json"
port = 8001
skip = ["/events"]
headers = { Key = "$${TOKEN} ${OTHER} ${UNSET}" }
[[services.rag.probes]]
timeout = "1 min"
[[services.rag.probes.steps]]
http = "/crawl"
port = 80
body = "a"
capture = { ID = "$.id", WORD = "w(.)" }
[[services.rag.probes.steps]]
exec = ["check", "${ID}"]
service = "db"
until = "30 s"
expect.text = "done"
"""


def test_every_kind_of_probe_is_read(tmp_path: Path) -> None:
    environ = {"WHO": "me", "TOKEN": "t", "OTHER": "o", "KEPT": "k", "HOME": "/"}
    settings = _load(tmp_path, PROBES, environ)
    rag = settings.service("rag")
    login, log, now, watched, sql, openapi, flow = rag.probes
    assert login == HttpProbe(
        name="login",
        path="/login?as=${WHO}",
        port=443,
        tls="verify",
        ca=str(tmp_path / "certs/ca.pem"),
        method="PUT",
        host="shop.example",
        headers=(("Authorization", "Bearer ${TOKEN}"),),
        json='{"user": "${WHO}", "when": "2027-06-30", "deep": [1, 2.5, true]}',
        follow=True,
        within=2.0,
        status=(range(200, 201), range(300, 400)),
        body_matches="o+",
        header_is=(("Server", "caddy"),),
        json_holds=(
            JsonExpectation(path="$.a", equals='{"b": 1}'),
            JsonExpectation(path="$.c", exists=False),
            JsonExpectation(path="$.d", matches="^x"),
        ),
        origin=_at(6),
    )
    assert log == LogProbe(pattern="ready", origin=_at(23))
    assert now == LogProbe(pattern="FATAL", absent=True, timeout=0.0, origin=_at(25))
    assert watched == LogProbe(pattern="FATAL", absent=True, timeout=3.0, origin=_at(27))
    assert sql == SqlProbe(
        statement="select '${KEPT}'", client="psql", user="u", database="d", rows=1, text="x", origin=_at(30)
    )
    assert isinstance(openapi, OpenApiProbe)
    assert (openapi.document.path, openapi.document.port, openapi.skip) == (
        "/openapi.json",
        8001,
        ("/events",),
    )
    assert isinstance(flow, FlowProbe)
    first, second = flow.steps
    assert first.captures == (Capture(name="ID", pattern="$.id"), Capture(name="WORD", pattern="w(.)"))
    assert (first.until, first.service, str(first)) == (None, None, "GET /crawl at port 80")
    assert second.action == ExecProbe(command=("check", "${ID}"), text="done", timeout=60.0, origin=_at(41))
    assert (second.until, second.service, str(second)) == (30.0, "db", "db: exec check ${ID}")
    assert rag.logs == (LogRule(pattern="FATAL", origin=_at(4)),)
    assert settings.forbidden_logs == (
        LogRule(pattern="Traceback", origin=SourceSpan(path="hullmark.toml", line=3, column=19)),
        LogRule(pattern="panic:", origin=SourceSpan(path="hullmark.toml", line=3, column=32)),
    )
    # What a command or a statement says is the container's own, and `$$` only looks like a variable.
    assert {each.name: each.value for each in settings.variables} == {"WHO": "me", "TOKEN": "t", "OTHER": "o"}
    assert "value" not in repr(settings.variables)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[links]\nfrom = 'a'\n", "1:1: `links` must be written `[[links]]`, got a table"),
        (
            "ignore.findings = 1\n",
            "1:1: `ignore.findings` must be written `[[ignore.findings]]`, got the number 1",
        ),
        ("links = [1]\n", "1:10: `links` must be a table, got the number 1"),
        ("services = 1\n", "1:1: `services` must be a table, got the number 1"),
        ("services.rag = true\n", "1:1: `services.rag` must be a table, got true"),
        ("[[policy]]\n", "1:1: `policy` must be a table, got a list"),
    ],
)
def test_a_table_that_is_none_is_said_with_how_it_must_be_written(
    tmp_path: Path, text: str, said: str
) -> None:
    problems = _problems(tmp_path, text)
    assert problems[0] == f"hullmark.toml:{said}"


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("[[links]]\nfrom = 'a'\n", ["`links` lacks the required key `to`"]),
        (
            "[[ignore.findings]]\n",
            [
                "`ignore.findings` lacks the required key `reason`",
                "`ignore.findings` lacks the required key `rule`",
            ],
        ),
    ],
)
def test_a_required_key_that_lacks_is_named(tmp_path: Path, text: str, lacks: list[str]) -> None:
    problems = _problems(tmp_path, text)
    assert [problem.removeprefix("hullmark.toml:1:1: ").partition(" (")[0] for problem in problems] == lacks


# Every option of the schema


def _options(table: Table, above: tuple[Table, ...] = ()) -> Iterator[tuple[tuple[Table, ...], Option]]:
    """Every option with the tables that it stands in, the outermost first."""
    inside = (*above, table) if table.key else above
    for option in table.options:
        yield inside, option
    for child in table.tables:
        yield from _options(child, inside)


def _path(tables: tuple[Table, ...]) -> tuple[str, ...]:
    return tuple("name" if table.key == "*" else table.key for table in tables)


ALL = [pytest.param(*each, id=".".join((*_path(each[0]), each[1].key))) for each in _options(SCHEMA)]
VALUES = {
    "text": '"x"',
    "URL | directory": '"file:///srv/osv"',
    "list of texts": '["x"]',
    "list of words": '["x"]',
    "port": "80",
    "HTTP status": "200",
    "HTTP status, class, or list of them": '[200, "3xx"]',
    "size": '"1 MB"',
    "duration": '"5 s"',
    "date": "2027-06-30",
    "path": '"/"',
    "URL": '"https://b/"',
    "address": '"https://b/"',
    "OWNER/REPOSITORY/FILE.yml": '"a/b/c.yml"',
    "non-root | any | drops-to:NAME": '"any"',
    "list of drills": '["kill"]',
    "true | false": "true",
    "table of headers": '{ A = "b" }',
    "regular expression": '"x+"',
    "list of regular expressions": '["x+"]',
    "JSON path": '"$.a[0]"',
    "any value": "[1, {a = 1.5}]",
    "host name": '"x.example:8443"',
    "whole number": "0",
    "table of JSON paths and regular expressions": "{ A = '$.a', B = 'b(.)' }",
}
WRONG = ["1.5", "{}", "[[1]]", "1979-05-27T07:32:00Z", '""', "[1]", "-1", "70000"]
RIGHT = {
    "any value": WRONG,
    "whole number": ["70000"],
    "table of headers": ["{}"],
    "table of JSON paths and regular expressions": ["{}"],
}
"""What of these is a value after all."""
MISTAKES = [
    pytest.param(*each.values, value, id=f"{each.id}-{value}")
    for each in ALL
    for value in WRONG
    if value not in RIGHT.get(each.values[1].kind.name, ())  # type: ignore[union-attr]  # it is an option
]


def _sample(option: Option) -> str:
    if "enum" in option.kind.schema:
        return f'"{option.kind.schema["enum"][0]}"'
    return VALUES[option.kind.name]


def _beside(table: Table, *given: str) -> dict[str, str]:
    """What `table` needs besides the keys `given`, the inner ones of which have dots."""
    needed = [option.key for option in table.options if option.required]
    fitting = [one for one in table.alternatives if {one.key, *one.own} & set(given)]
    for one in fitting[:1] or table.alternatives[:1]:
        needed += [one.key, *one.needs]
    options = {option.key: option for option in table.options}
    if "ca" in given:
        return {**{key: _sample(options[key]) for key in needed}, "tls": '"verify"'}
    return {key: _sample(options[key]) for key in needed if key not in given}


def _document(tables: tuple[Table, ...], option: Option, value: str) -> str:
    """A document with nothing in it but `option`, on its second line, and what must stand beside it."""
    lists = [depth for depth, table in enumerate(tables) if table.array]
    outer = lists[0] if lists else len(tables) - 1
    text, given = f"{option.key} = {value}", [option.key]
    for table, child in zip(tables[outer:][::-1], [*tables[outer + 1 :][::-1], None], strict=True):
        beside = [f"{key} = {sample}" for key, sample in _beside(table, *given).items()]
        if child is None:
            header = ".".join(_path(tables[: outer + 1]))
            return "\n".join([f"[[{header}]]" if table.array else f"[{header}]", text, *beside]) + "\n"
        inner = f"{{ {', '.join([text, *beside])} }}"
        text = f"{table.key} = [{inner}]" if table.array else f"{table.key} = {inner}"
        given = [table.key, *(f"{table.key}.{key}" for key in given)]
    raise AssertionError


def _default(option: Option) -> list[str]:
    """The default as a TOML value, unless it is described in words."""
    if option.default[:1] in {'"', "["} or option.default in {"true", "false"}:
        return [option.default] if option.default != '"all"' else []
    words = option.kind.schema.get("enum", ())
    return [f'"{option.default}"'] if option.default[:1].isdigit() or option.default in words else []


@pytest.mark.parametrize(("tables", "option"), ALL)
def test_an_option_takes_its_example_its_default_and_a_value_of_its_kind(
    tmp_path: Path, tables: tuple[Table, ...], option: Option
) -> None:
    assert option.key in tables[-1].names
    values = [f'"{word}"' for word in option.kind.schema.get("enum", ())]
    values += [VALUES[option.kind.name]] if option.kind.name in VALUES else []
    values += [option.example] if option.example else []
    values += _default(option)
    assert values
    for value in values:
        _load(tmp_path, _document(tables, option, value))


@pytest.mark.parametrize(("tables", "option", "value"), MISTAKES)
def test_an_option_refuses_what_is_no_value_of_its_kind_with_its_place(
    tmp_path: Path, tables: tuple[Table, ...], option: Option, value: str
) -> None:
    document = _document(tables, option, value)
    problems = _problems(tmp_path, document)
    column = document.splitlines()[1].index(f"{option.key} = {value}") + 1
    shown = ".".join((*_path(tables), option.key))
    assert problems[0].startswith(f"hullmark.toml:2:{column}: `{shown}`: ")
    assert "expected " in problems[0]
    assert len(problems) == 1


def test_a_file_that_is_nested_too_deeply_is_told(tmp_path: Path) -> None:
    assert _problems(tmp_path, "a = " + "[" * 100_000) == [
        "hullmark.toml: cannot be read: it is nested too deeply"
    ]


@pytest.mark.parametrize(("text", "value"), [("1", True), ("0", False), ("true", True), ("false", False)])
def test_a_variable_says_yes_and_no_as_variables_do(tmp_path: Path, text: str, *, value: bool) -> None:
    for path, option in scalars().items():
        if option.kind.schema == {"type": "boolean"} and option.environment:
            assert option.kind.read(option.kind.told(text)) is value, path
    assert _load(tmp_path, None, {"HULLMARK_NEW_ONLY": text}).baseline.new_only is value
