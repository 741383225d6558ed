"""What a plan was made from, in one digest: as long as that is the same, the plan is.

Compose decides by its files and all that they name, by variables of the environment, and by which Compose it is. A
variable counts when its name stands anywhere in what is read, be it a variable there or not. The rest of a plan comes
from settings, Dockerfiles and ignore files, and from where symbolic links lead.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark import __version__
from hullmark._dockerfile.sources import linked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._ci.plan import Plan
    from hullmark.model.inputs import BuildInputs

VERSION = "2"
"""Of how plans are written down, and of what counts for them."""
_ALWAYS = ("COMPOSE_", "DOCKER_", "HULLMARK_")
"""How variables begin that programs read, whatever stands in files."""
_OWN = frozenset({"HOME", "XDG_CONFIG_HOME"})
_NOT = frozenset({"HULLMARK_CACHE_DIR", "HULLMARK_NO_CACHE"})
"""What says where something is kept, and changes nothing of it."""
_ENV_FILES = "COMPOSE_ENV_FILES"
"""Names files that nobody here looks for."""
_ESCAPES = re.compile(rb"\\(?:[xuU]|\r?\n)")
"""What may stand in the middle of a name in YAML, so that it cannot be found as a text."""
_PLUGINS = (
    *("/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins"),
    *("/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins"),
)
_PLUGIN = "docker-compose"
GRANULARITY = 2.0
"""Seconds by which clocks and time stamps of file systems may be apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where to look, by absolute path."""

    configuration: tuple[str, ...]
    """What Compose reads, and may name variables; of some it counts that they are not there."""
    files: tuple[str, ...]
    """What else is read."""
    links: tuple[str, ...]
    """What may be, or lie behind, a symbolic link."""


def digest(sources: Sources, plan: Plan, environ: Mapping[str, str]) -> str | None:
    """One digest for all that `plan` was made from, as it is now; `None` where that cannot be said for certain."""
    found = hashlib.sha256(f"{VERSION}\0{__version__}\0".encode())
    texts = [_content(path) for path in sources.configuration]
    told = b"\0".join(text for text in texts if text is not None)
    if _ESCAPES.search(told) or _ENV_FILES.encode() in told or _ENV_FILES in environ:
        return None
    contents = [*texts, *(_content(path) for path in sources.files)]
    for what in (
        *zip((*sources.configuration, *sources.files), map(_hash, contents), strict=True),
        *((path, os.path.realpath(path)) for path in sources.links),
        *_variables(told, environ),
        *_programs(environ),
        *_links(plan),
    ):
        found.update("\0".join(what).encode("utf-8", "surrogateescape"))
        found.update(b"\0\0")
    return found.hexdigest()


def is_fresh(sources: Sources, started: float) -> bool:
    """Whether something may have changed after `started`, when the plan began to be made.

    Of what is not there, whether something changed in the directory where it would be.
    """
    for path in (*sources.configuration, *sources.files, *sources.links):
        for ask in (os.lstat, os.stat):
            changed = _changed(path, ask)
            if changed is None:
                changed = _changed(os.path.dirname(path), os.stat)  # noqa: PTH120
            if changed is not None and changed > started - GRANULARITY:
                return True
    return False


def _changed(path: str, ask: object) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        return float(ask(path).st_ctime)  # type: ignore[operator]
    return None


def links_of(inputs: Iterable[BuildInputs], root: str) -> Iterator[str]:
    """The paths of inputs of images behind which a symbolic link may be."""
    for each in inputs:
        for path in (*each.files, *each.contexts.values()):
            yield os.path.normpath(os.path.join(root, path))  # noqa: PTH118


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # much faster, for many files
            return file.read()
    except (OSError, ValueError):
        return None


def _hash(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _variables(told: bytes, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(environ.items()):
        if name in _NOT:
            continue
        if name in _OWN or name.startswith(_ALWAYS) or _stands_in(name, told):
            yield f"variable {name}", value


def _stands_in(name: str, told: bytes) -> bool:
    encoded = name.encode("utf-8", "surrogateescape")
    if encoded not in told:
        return False
    # A short name, such as the underscore that shells set, is a part of many words.
    return len(name) > 1 or re.search(rb"(?<!\w)%s(?!\w)" % re.escape(encoded), told) is not None


def _programs(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The Docker CLI and the Compose plugins that it may find, each with what changes when it is another one."""
    for directory in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory, "docker")  # noqa: PTH118
        if os.access(path, os.X_OK):
            yield path, _state(path)
            break
    own = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", ""), ".docker")  # noqa: PTH118
    configured = _content(os.path.join(own, "config.json"))  # noqa: PTH118
    yield "the Docker CLI's configuration", _hash(configured)
    for directory in (*_extra_plugins(configured), os.path.join(own, "cli-plugins"), *_PLUGINS):  # noqa: PTH118
        path = os.path.join(directory, _PLUGIN)  # noqa: PTH118
        yield path, _state(path)


def _extra_plugins(configured: bytes | None) -> tuple[str, ...]:
    if configured is None:
        return ()
    try:
        return tuple(str(each) for each in json.loads(configured).get("cliPluginsExtraDirs") or ())
    except (ValueError, AttributeError, TypeError):
        return ()


def _state(path: str) -> str:
    try:
        found = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return ""
    return f"{os.path.realpath(path)} {found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _links(plan: Plan) -> Iterator[tuple[str, ...]]:
    """Where symbolic links lead to in what the sources of images name."""
    root = os.path.realpath(plan.root)
    for name, inputs in plan.inputs.items():
        for selection in inputs.selections:
            top = os.path.normpath(os.path.join(root, inputs.contexts[selection.context]))  # noqa: PTH118
            yield name, selection.pattern, *linked(top, selection.parts)
