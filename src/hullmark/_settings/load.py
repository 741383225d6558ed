"""From files, environment and flags to `Settings`, with every problem found at once."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hullmark._settings.baseline_options import baseline_settings
from hullmark._settings.ci_options import ci_settings
from hullmark._settings.history_options import history_settings
from hullmark._settings.kinds import describe
from hullmark._settings.options import SCHEMA, scalars
from hullmark._settings.positions import positions
from hullmark._settings.probes import build_probe, clashes, variables
from hullmark._settings.release_options import release_settings
from hullmark._settings.scan_options import scan_settings
from hullmark.errors import ConfigurationError, nearest
from hullmark.model.drill import Drill, DrillSettings, Persistence
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Check
from hullmark.model.probe import DEFAULT_TIMEOUT, LogRule
from hullmark.model.project import (
    Allowance,
    AnyUser,
    Budget,
    Ignore,
    Link,
    ServiceSettings,
    Settings,
)
from hullmark.model.secret import AllowedSecret, FormatSeverity, SecretPolicy, Whereabouts
from hullmark.model.verdict import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hullmark._settings.kinds import Table
    from hullmark._settings.positions import Path as KeyPath

FILE = "hullmark.toml"


@dataclass(kw_only=True)
class _Source:
    """A configuration file while it is read."""

    name: str
    root: Path
    """The directory of the project."""
    prefix: KeyPath = ()
    positions: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    problems: list[tuple[int, int, str]] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)
    """The tables at the top that something is wrong with, by the name that they probably stand for."""

    def span(self, path: KeyPath) -> SourceSpan:
        """Where the key at `path`, or the nearest table around it, stands."""
        full = (*self.prefix, *path)
        while full and full not in self.positions:
            full = full[:-1]
        line, column = self.positions.get(full, (1, 1))
        return SourceSpan(path=self.name, line=line, column=column)

    def problem(self, path: KeyPath, text: str) -> None:
        span = self.span(path)
        self.problems.append((span.line, span.column, f"{span}: {text}"))
        top = str(path[0]) if path else "project"
        self.tables.add(top if top in SCHEMA.names else nearest(top, SCHEMA.names) or top)


class UnsoundSettings(ConfigurationError):
    """Something is wrong with the settings, and the rest of them can still be held against the project."""

    def __init__(
        self, problems: Iterable[str], *, root: Path, rest: Settings | None, filed: bool = True
    ) -> None:
        # What the command line and the environment have given is not looked for in a file.
        super().__init__(
            problems, hint="`hullmark explain hullmark.toml` lists every option" if filed else None
        )
        self.root = root
        """The directory of the project."""
        self.rest = rest
        """What could be read; `None` where what is wrong decides which project that is."""


def load_settings(root: Path, environ: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Settings:
    """The settings of the project in the directory `root`.

    `flags` are values from the command line by option path, for example `policy.fail-on`. The command line wins
    over the environment, that over `hullmark.toml` (or `[tool.hullmark]` of `pyproject.toml`), that over defaults.
    Compose's own COMPOSE_FILE says which files to take where nothing of these does. Raises `ConfigurationError` for a
    file that is no TOML, and `UnsoundSettings` with every problem there is: those of the file in its order, then those
    of the environment and of the command line.
    """
    source, document = _read(root)
    values = _table(SCHEMA, document, (), source)
    _refuse_idle(values.get("links", []), source)
    _refuse_clashes(values.get("services", {}), source)
    overrides, refused = _overrides(environ, flags or {})
    services = tuple(
        (name, _service(service, ("services", name), source))
        for name, service in values.get("services", {}).items()
    )
    origins = {".".join(path): str(source.span(path)) for path in _given(values)}
    for path, value, origin in overrides:
        _set(values, path, value)
        origins[path] = origin
    if "project.compose" not in origins and environ.get("COMPOSE_FILE"):
        separator = environ.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        files = tuple(file for file in environ["COMPOSE_FILE"].split(separator) if file)
        _set(values, "project.compose", files)
        origins["project.compose"] = "environment variable COMPOSE_FILE"
    settings = replace(
        _settings(values, services, source, tuple(sorted(origins.items()))),
        variables=variables(_all_probes(values), environ),
    )
    if source.problems or refused:
        problems = [*(text for _, _, text in sorted(source.problems)), *refused]
        raise UnsoundSettings(
            problems,
            root=root,
            rest=None if "project" in source.tables else settings,
            filed=bool(source.problems),
        )
    return settings


def _overrides(
    environ: Mapping[str, str], flags: Mapping[str, str]
) -> tuple[list[tuple[str, Any, str]], list[str]]:
    """Options given outside of the file, stronger ones last, as path, value and origin; and what is wrong."""
    found: list[tuple[str, Any, str]] = []
    refused: list[str] = []
    options = scalars().items()
    given = [
        (path, option, environ.get(option.environment or ""), f"environment variable {option.environment}")
        for path, option in options
    ]
    given += [(path, option, flags.get(path), f"option {option.flag}") for path, option in options]
    for path, option, text, origin in given:
        if text:
            try:
                found.append((path, option.kind.read(option.kind.told(text)), origin))
            except ValueError as error:
                refused.append(f"{origin}: {error}")
    return found, refused


def _read(root: Path) -> tuple[_Source, dict[str, Any]]:
    for name, prefix in ((FILE, ()), ("pyproject.toml", ("tool", "hullmark"))):
        path = root / name
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError([f"{name}: cannot be read: {error}"]) from error
        try:
            document: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError([_syntax(name, text, error)]) from error
        except RecursionError as error:
            raise ConfigurationError([f"{name}: cannot be read: it is nested too deeply"]) from error
        for key in prefix:
            document = document.get(key, {}) if isinstance(document, dict) else {}
        if document != {} or name == FILE:
            return _Source(name=name, root=root, prefix=prefix, positions=positions(text)), document
    return _Source(name=FILE, root=root), {}


def _syntax(name: str, text: str, error: tomllib.TOMLDecodeError) -> str:
    import re  # noqa: PLC0415  # only for a broken file

    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
    message = str(error)[: found.start()] if found else str(error)
    line = int(found[1]) if found and found[1] else len(text.splitlines()) or 1
    column = int(found[2]) if found and found[2] else 1
    return f"{name}:{line}:{column}: not valid TOML: {message[:1].lower()}{message[1:]}"


def _table(table: Table, document: Any, path: KeyPath, source: _Source) -> dict[str, Any]:
    """The values of `table`, read; what cannot be read is left out and noted as a problem."""
    if not isinstance(document, dict):
        source.problem(path, f"`{_shown((*source.prefix, *path))}` must be a table, got {describe(document)}")
        return {}
    options = {option.key: option for option in table.options}
    tables = {child.key: child for child in table.tables}
    values: dict[str, Any] = {}
    for key, value in document.items():
        here = (*path, key)
        if key in options:
            try:
                values[key] = options[key].kind.read(value)
            except ValueError as error:
                source.problem(here, f"`{_shown(here)}`: {error}")
        elif child := tables.get(key) or tables.get("*"):
            values[key] = _child(child, value, here, source)
        else:
            source.problem(here, _unknown(here, table))
    for option in table.options:
        if option.required and option.key not in document:
            source.problem(path, f"`{_shown(path)}` lacks the required key `{option.key}` ({option.help})")
    if table.alternatives:
        _choose(table, document, path, source)
    return values


def _choose(table: Table, document: Mapping[str, Any], path: KeyPath, source: _Source) -> None:
    """Notes as a problem that not exactly one of the table's alternatives was given, or not what goes with it."""
    chosen = [one for one in table.alternatives if one.key in document]
    if len(chosen) != 1:
        *keys, last = (f"`{one.key}`" for one in table.alternatives)
        source.problem(
            path, f"`{_shown(path)}` needs exactly one of {', '.join(keys)} and {last}, got {len(chosen)}"
        )
        return
    fits: dict[str, list[str]] = {}
    for one in table.alternatives:
        for key in one.own:
            fits.setdefault(key, []).append(one.key)
    for key, alternatives in fits.items():
        if chosen[0].key not in alternatives and _stands(document, key):
            shown = " and ".join(f"`{each}`" for each in alternatives)
            source.problem(
                (*path, *key.split(".")),
                f"`{_shown(path)}`: `{key}` fits only {shown}, not `{chosen[0].key}`",
            )
    for key in chosen[0].needs:
        if key not in document:
            help_ = next(option.help for option in table.options if option.key == key)
            source.problem(path, f"`{_shown(path)}` with `{chosen[0].key}` needs `{key}` ({help_})")


def _stands(document: Mapping[str, Any], key: str) -> bool:
    """Whether `key`, whose dots lead into tables, is given."""
    table, _, rest = key.partition(".")
    if not rest:
        return key in document
    inner = document.get(table)
    return isinstance(inner, dict) and _stands(inner, rest)


def _refuse_idle(links: Sequence[Mapping[str, Any] | None], source: _Source) -> None:
    """Notes as a problem what a link promises, but the scheme of its URL gives nothing to hold it to."""
    for index, link in enumerate(links):
        scheme = "" if link is None else link["to"].partition("://")[0]
        for key, schemes in (("expect", ("http", "https")), ("tls", ("https",))):
            if link is not None and key in link and scheme not in (*schemes, ""):
                fits = " and ".join(f"`{each}://`" for each in schemes)
                source.problem(
                    ("links", index, key), f"`links`: `{key}` has no effect on `{scheme}://`; it fits {fits}"
                )


def _refuse_clashes(services: Mapping[str, Mapping[str, Any]], source: _Source) -> None:
    """Notes as a problem what stands in a probe and has no effect there, or contradicts what stands beside it."""
    for name, service in services.items():
        for index, probe in enumerate(service.get("probes", [])):
            for path, text in () if probe is None else clashes(probe):
                source.problem(
                    ("services", name, "probes", index, *path), f"`services.{name}.probes`: {text}"
                )


def _child(child: Table, value: Any, here: KeyPath, source: _Source) -> Any:
    if not child.array:
        return _table(child, value, here, source)
    if not isinstance(value, list):
        source.problem(here, f"`{_shown(here)}` must be written `[[{_shown(here)}]]`, got {describe(value)}")
        return []
    if child.filled and not value:
        source.problem(here, f"`{_shown(here)}` must hold at least one entry")
    items = [_table(child, item, (*here, index), source) for index, item in enumerate(value)]
    # What lacks something keeps its place, as the others are found in the file by theirs.
    return [item if _usable(child, item) else None for item in items]


def _usable(table: Table, values: Mapping[str, Any]) -> bool:
    """Whether an entry of a list has all that it needs, whatever else is wrong with it."""
    chosen = [one for one in table.alternatives if one.key in values]
    needed = {option.key for option in table.options if option.required}
    needed.update(*(one.needs for one in chosen))
    return needed <= set(values) and (not table.alternatives or len(chosen) == 1)


def _unknown(path: KeyPath, table: Table) -> str:
    meant = nearest(str(path[-1]), table.names)
    where = f" in `{_shown(path[:-1])}`" if len(path) > 1 else ""
    valid = ", ".join(f"`{name}`" for name in sorted(table.names))
    if meant:
        return f"unknown key `{path[-1]}`{where}; did you mean `{meant}`? (valid: {valid})"
    return f"unknown key `{path[-1]}`{where}; valid: {valid}"


def _shown(path: KeyPath) -> str:
    return ".".join(str(key) for key in path if not isinstance(key, int))


def _given(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in values.items():
        found += _given(value, (*path, key)) if isinstance(value, dict) else [(*path, key)]
    return found


def _set(values: dict[str, Any], path: str, value: Any) -> None:
    *tables, key = path.split(".")
    for table in tables:
        values = values.setdefault(table, {})
    values[key] = value


def _settings(
    values: Mapping[str, Any],
    services: tuple[tuple[str, ServiceSettings], ...],
    source: _Source,
    origins: tuple[tuple[str, str], ...],
) -> Settings:
    project = values.get("project", {})
    policy = values.get("policy", {})
    scan = scan_settings(values.get("scan", {}), source.span)
    defaults = Settings()
    baseline = baseline_settings(values.get("baseline", {}), source.span)
    told = [baseline.introduced, baseline.disclosed, baseline.known] if baseline.against else []
    deciding = any((each or scan.fail_on) != "never" for each in (None, *told))
    advisory = frozenset[Check]() if deciding else frozenset({Check.SCAN})
    return Settings(
        compose=project.get("compose", ()),
        env_file=project.get("env-file"),
        profiles=project.get("profiles", ()),
        policy=Policy(
            fail_on=Severity.parse(policy.get("fail-on", "error")),
            required=frozenset(Check) - advisory,
            advisory=advisory,
            new_only=baseline.new_only,
        ),
        labels=policy.get("labels", defaults.labels),
        previous=policy.get("previous"),
        hadolint=values.get("lint", {}).get("hadolint", defaults.hadolint),
        dev_compose=values.get("dev", {}).get("compose", ()),
        smoke_timeout=values.get("smoke", {}).get("timeout", defaults.smoke_timeout),
        smoke_shared=values.get("smoke", {}).get("shared", defaults.smoke_shared),
        smoke_drills=_drills(values.get("smoke", {})),
        drill_timeout=values.get("smoke", {}).get("drill-timeout", defaults.drill_timeout),
        upgrade_from=values.get("smoke", {}).get("upgrade-from", ()),
        forbidden_logs=tuple(
            LogRule(pattern=pattern, origin=source.span(("smoke", "forbidden-logs", index)))
            for index, pattern in enumerate(values.get("smoke", {}).get("forbidden-logs", ()))
        ),
        smoke_derive_links=values.get("smoke", {}).get("derive-links", defaults.smoke_derive_links),
        secrets=_secrets(values.get("secrets", {}), source),
        scan=scan,
        baseline=baseline,
        history=history_settings(values.get("history", {})),
        ci=ci_settings(values.get("ci", {})),
        release=release_settings(values.get("release", {}), source.span),
        services=services,
        links=tuple(
            _link(link, source.span(("links", i)))
            for i, link in enumerate(values.get("links", []))
            if link is not None
        ),
        ignores=tuple(
            Ignore(
                rule=ignore["rule"],
                service=ignore.get("service"),
                reason=ignore["reason"],
                expires=ignore.get("expires"),
                owner=ignore.get("owner"),
                path=ignore.get("path"),
                format=ignore.get("format"),
                hash=ignore.get("hash"),
                origin=source.span(("ignore", "findings", i)),
            )
            for i, ignore in enumerate(values.get("ignore", {}).get("findings", []))
            if ignore is not None
        ),
        origins=origins,
    )


def _secrets(values: Mapping[str, Any], source: _Source) -> SecretPolicy:
    return SecretPolicy(
        severities=tuple(
            (each, None if values[each] == "off" else Severity.parse(values[each]))
            for each in Whereabouts
            if each in values
        ),
        formats=tuple(
            FormatSeverity(
                format=each["format"],
                severity=None if each["severity"] == "off" else Severity.parse(each["severity"]),
                whereabouts=Whereabouts(each["class"]) if "class" in each else None,
                origin=source.span(("secrets", "formats", index)),
            )
            for index, each in enumerate(values.get("formats", ()))
            if each is not None
        ),
        allow=tuple(
            AllowedSecret(**each, origin=source.span(("secrets", "allow", index)))
            for index, each in enumerate(values.get("allow", ()))
        ),
    )


def _service(values: Mapping[str, Any], path: KeyPath, source: _Source) -> ServiceSettings:
    def budget(key: str) -> Budget | None:
        size = values.get(key)
        return None if size is None else Budget(size=size, origin=source.span((*path, key)))

    def allowance(key: str) -> Allowance | None:
        seconds = values.get(key)
        return None if seconds is None else Allowance(seconds=seconds, origin=source.span((*path, key)))

    return ServiceSettings(
        budget=budget("budget"),
        growth_budget=budget("budget-growth"),
        transfer_budget=budget("transfer-budget"),
        update_budget=budget("update-budget"),
        previous=values.get("previous"),
        stage_image=values.get("stage-image"),
        user=values.get("user", AnyUser()),
        user_origin=source.span((*path, "user")) if "user" in values else None,
        timeout=allowance("timeout"),
        start_budget=allowance("start-budget"),
        restarts=values.get("restarts", 0),
        probes=tuple(
            build_probe(probe, source.span((*path, "probes", index)), source.root)
            for index, probe in enumerate(values.get("probes", []))
            if probe is not None
        ),
        logs=tuple(
            LogRule(pattern=each["absent"], origin=source.span((*path, "logs", index)))
            for index, each in enumerate(values.get("logs", []))
            if each is not None
        ),
        memory_budget=budget("memory-budget"),
        drills=DrillSettings(
            skip=values.get("drills", {}).get("skip", ()),
            timeout=values.get("drills", {}).get("timeout"),
            persist=tuple(
                Persistence(
                    write=each["write"],
                    read=each["read"],
                    expect=each.get("expect"),
                    origin=source.span((*path, "persist", index)),
                    timeout=each.get("timeout", DEFAULT_TIMEOUT),
                )
                for index, each in enumerate(values.get("persist", []))
                if each is not None
            ),
        ),
        origin=source.span(path),
    )


def _drills(values: Mapping[str, Any]) -> tuple[Drill, ...]:
    """The drills that are asked for; who says what to upgrade from asks for that one as well."""
    asked = {*values.get("drills", ()), *([Drill.UPGRADE] if values.get("upgrade-from") else [])}
    return tuple(drill for drill in Drill if drill in asked)


def _all_probes(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = (each for service in values.get("services", {}).values() for each in service.get("probes", []))
    return [each for each in found if each is not None]


def _link(values: Mapping[str, Any], origin: SourceSpan) -> Link:
    return Link(
        from_service=values["from"],
        to=values["to"],
        origin=origin,
        tls=values.get("tls", "verify"),
        status=values.get("expect", {}).get("status"),
        timeout=values.get("timeout", DEFAULT_TIMEOUT),
        degrades=values.get("degrades", False),
    )
