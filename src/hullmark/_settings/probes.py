"""From the values of a `[[services.NAME.probes]]` to the probe, and what does not go together in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hullmark.model.duration import format_duration
from hullmark.model.probe import (
    DEFAULT_TIMEOUT,
    Capture,
    ExecProbe,
    FlowProbe,
    HttpProbe,
    JsonExpectation,
    LogProbe,
    OpenApiProbe,
    SqlProbe,
    Step,
    TcpProbe,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullmark._settings.positions import Path as KeyPath
    from hullmark.model.location import SourceSpan
    from hullmark.model.probe import Probe

_REFERENCE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FILLED = ("http", "openapi", "host", "headers", "body", "json", "expect", "steps")
"""The keys whose texts may refer to variables; in commands and statements `${NAME}` is the container's own."""


def build_probe(values: Mapping[str, Any], origin: SourceSpan, root: Path) -> Probe:
    """The probe that `values`, read and usable, describe."""
    name = values.get("name", "")
    timeout = values.get("timeout", DEFAULT_TIMEOUT)
    if "tcp" in values:
        return TcpProbe(port=values["tcp"], origin=origin, name=name, timeout=timeout)
    if "log" in values:
        return LogProbe(pattern=values["log"], origin=origin, name=name, timeout=timeout)
    if "log-absent" in values:
        # Who does not say how long asks what the log holds by now.
        watched = values.get("timeout", 0.0)
        return LogProbe(pattern=values["log-absent"], absent=True, origin=origin, name=name, timeout=watched)
    if "openapi" in values:
        document = _http({**values, "http": values["openapi"]}, origin, root, timeout)
        return OpenApiProbe(
            document=document, origin=origin, skip=values.get("skip", ()), name=name, timeout=timeout
        )
    if "steps" in values:
        steps = tuple(_step(step, origin, root, timeout) for step in values["steps"] if step is not None)
        return FlowProbe(steps=steps, origin=origin, name=name, timeout=timeout)
    return _action(values, origin, root, timeout)


def _step(values: Mapping[str, Any], origin: SourceSpan, root: Path, timeout: float) -> Step:
    return Step(
        action=_action(values, origin, root, timeout),
        service=values.get("service"),
        until=values.get("until"),
        captures=tuple(Capture(name=name, pattern=pattern) for name, pattern in values.get("capture", ())),
    )


def _action(
    values: Mapping[str, Any], origin: SourceSpan, root: Path, timeout: float
) -> HttpProbe | ExecProbe | SqlProbe:
    name, expect = values.get("name", ""), values.get("expect", {})
    if "exec" in values:
        return ExecProbe(
            command=values["exec"], origin=origin, name=name, text=expect.get("text"), timeout=timeout
        )
    if "sql" in values:
        return SqlProbe(
            statement=values["sql"],
            origin=origin,
            name=name,
            client=values.get("client"),
            user=values.get("user"),
            database=values.get("database"),
            rows=expect.get("rows"),
            text=expect.get("text"),
            timeout=timeout,
        )
    return _http(values, origin, root, timeout)


def _http(values: Mapping[str, Any], origin: SourceSpan, root: Path, timeout: float) -> HttpProbe:
    expect = values.get("expect", {})
    return HttpProbe(
        path=values["http"],
        port=values["port"],
        origin=origin,
        name=values.get("name", ""),
        tls=values.get("tls", "off"),
        ca=str(root / values["ca"]) if "ca" in values else None,
        method=values.get("method", "GET"),
        host=values.get("host"),
        headers=values.get("headers", ()),
        body=values.get("body"),
        json=values.get("json"),
        follow=values.get("follow", False),
        within=values.get("within"),
        status=expect.get("status", ()),
        body_contains=expect.get("body-contains"),
        body_matches=expect.get("body-matches"),
        json_holds=tuple(
            JsonExpectation(
                path=each["path"],
                equals=each.get("equals"),
                matches=each.get("matches"),
                exists=each.get("exists"),
            )
            for each in expect.get("json", ())
            if each is not None
        ),
        header_is=expect.get("headers", ()),
        timeout=timeout,
    )


def clashes(values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """What each value of a probe is, beside the others, without effect or a contradiction: its key, and why."""
    timeout = values.get("timeout", DEFAULT_TIMEOUT)
    yield from _request_clashes(values, timeout)
    for index, step in enumerate(values.get("steps", ())):
        if step is None:
            continue
        for path, text in _request_clashes(step, timeout):
            yield ("steps", index, *path), text
        if step.get("until", 0.0) > timeout:
            limit = f"the probe's `timeout` ends after {format_duration(timeout)}"
            yield ("steps", index, "until"), f"`until` is {format_duration(step['until'])}, but {limit}"


def _request_clashes(values: Mapping[str, Any], timeout: float) -> Iterator[tuple[KeyPath, str]]:
    expect = values.get("expect", {})
    if "body" in values and "json" in values:
        yield ("json",), "`json` and `body` are both the body; give one of them"
    if "ca" in values and values.get("tls") == "insecure":
        yield (
            ("ca",),
            '`ca` has no effect on `tls = "insecure"`, which takes any certificate; use `tls = "verify"`',
        )
    if "ca" in values and values.get("tls", "off") == "off" and not values.get("follow"):
        yield ("ca",), '`ca` has no effect without TLS; set `tls = "verify"`'
    if values.get("method") == "HEAD":
        for key in ("body-contains", "body-matches", "json"):
            if key in expect:
                yield ("expect", key), f"`expect.{key}` has no effect: an answer to HEAD has no body; use GET"
    if values.get("within", 0.0) > timeout:
        limit = f"`timeout` ends after {format_duration(timeout)}"
        yield ("within",), f"`within` is {format_duration(values['within'])}, but {limit}"


def variables(probes: list[Mapping[str, Any]], environ: Mapping[str, str]) -> tuple[Variable, ...]:
    """What the probes refer to of `environ`, sorted by name."""
    names = {name for probe in probes for key in _FILLED for name in _references(probe.get(key))}
    return tuple(Variable(name=name, value=environ[name]) for name in sorted(names & set(environ)))


def _references(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield from _REFERENCE.findall(value)
        case dict():
            for item in value.values():
                yield from _references(item)
        case list() | tuple():
            for item in value:
                yield from _references(item)
        case _:
            return
