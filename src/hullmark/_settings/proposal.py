"""A first `hullmark.toml` for a project that has none: what its own files already promise, written down."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from hullmark._settings.candidates import calls
from hullmark._settings.passed_over import asks_more, of_links, of_service
from hullmark.model.size import UNITS, format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._settings.candidates import Candidate

_HEADER = """\
# What this project promises, and hullmark holds it to. `hullmark check` does; `hullmark explain` says what a finding
# means. Every option: docs/configuration.md of hullmark."""
HEADROOM = 10
"""Per cent that a proposed budget leaves for growth."""
_KILOBYTES_TO = 999
_TENTHS_TO = 9_900
"""Up to so many kB, budgets are whole kB, and tenths of a MB."""
_ROOT = frozenset({"", "root", "0"})


def propose(
    candidates: Iterable[Candidate],
    *,
    compose: tuple[str, ...] = (),
    env_file: str | None = None,
    tests: str | None = None,
) -> str:
    """The text of a `hullmark.toml` for these services; `compose` and `env_file` where Compose's defaults do not do.

    `tests` is the one of `compose` that was taken because of its name.
    """
    services = {each.name: each for each in sorted(candidates, key=lambda each: each.name)}
    blocks = [
        _HEADER,
        *_project(compose, env_file, tests),
        '[policy]\nfail-on = "error" # or "warning": the least severe finding that fails',
    ]
    for service in services.values():
        blocks += _service(service)
    blocks += _links(services)
    over = list(dict.fromkeys(of_links(services)))
    if over:
        blocks.append("\n".join(["# No link was made of", *(_comment(f"- {each}") for each in over)]))
    return "\n\n".join(blocks) + "\n"


def _project(compose: tuple[str, ...], env_file: str | None, tests: str | None) -> Iterator[str]:
    lines = [f"compose = [{', '.join(map(_quoted, compose))}]"] if compose else []
    lines += [f"env-file = {_quoted(env_file)}"] if env_file else []
    if lines:
        why = [
            f"# {tests} makes the test stack, which is what is checked; leave it out to check what is deployed"
        ]
        yield "\n".join(["[project]", *(why if tests else ()), *lines])


def _service(service: Candidate) -> Iterator[str]:
    lines = [f"[services.{_key(service.name)}]"]
    if service.built:
        lines += [_budget(service), _user(service)]
    probes = [] if service.one_shot else list(_probes(service))
    over = [_comment(each) for each in of_service(service)]
    if service.built or probes:
        yield "\n".join(line for line in (*lines, *over) if line)
    elif over:
        yield "\n".join([_comment(f"{service.name}, of which nothing is asked:"), *over])
    for probe in probes:
        yield f"[[services.{_key(service.name)}.probes]]\n{probe}"


def _budget(service: Candidate) -> str:
    if service.size is None:
        return '# budget = "600 MB" # no image yet: build it, then `hullmark budget update`'
    return f"budget = {_quoted(budget(service.size))} # it has {format_size(service.size)}, and {HEADROOM} % to grow"


def budget(size: int, headroom: int = HEADROOM) -> str:
    """A budget for `size` bytes that leaves `headroom` per cent, rounded up; one for nothing, too.

    In whole MB, below 10 MB in tenths of one, and below 1 MB in whole kB: rounding is not to leave more than was asked.
    """
    kilobytes = max(1, -(-size * (100 + headroom) // (100 * UNITS["KB"])))
    if kilobytes <= _KILOBYTES_TO:
        return f"{kilobytes} kB"
    if kilobytes <= _TENTHS_TO:
        tenths = -(-kilobytes // 100)
        return f"{tenths // 10}.{tenths % 10} MB"
    return f"{-(-kilobytes // 1000)} MB"


def _user(service: Candidate) -> str:
    if service.user is None:
        return '# user = "non-root" # nothing says whom it runs as'
    if service.user.partition(":")[0] in _ROOT:
        return '# user = "non-root" # it runs as root; "drops-to:NAME" where its entrypoint gives that up'
    return 'user = "non-root"'


def _probes(service: Candidate) -> Iterator[str]:
    asked = None
    if service.checked is not None and not asks_more(service):
        scheme, asked, path = service.checked
        # The certificate of a service that is asked by its loopback address is nobody's to trust.
        tls = '\ntls = "insecure"' if scheme == "https" else ""
        yield f"http = {_quoted(path)}\nport = {asked}{tls}"
    for port in service.ports:
        if port != asked:
            yield f"tcp = {port}"


def _links(services: Mapping[str, Candidate]) -> Iterator[str]:
    for call in calls(services):
        tls = '\ntls = "insecure"' if call.url.startswith("https:") else ""
        yield f"[[links]]\nfrom = {_quoted(call.caller)}\nto = {_quoted(call.url)}{tls}"


def _comment(text: str) -> str:
    """`text` as a comment; what would end its line, or is not allowed there, is shown as its number."""
    return "# " + "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)
