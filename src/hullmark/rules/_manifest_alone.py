"""Whether an installation reads nothing of a build context but a manifest, so that the rest of it may come later.

Proven is little: pip, told to install packages of an index by their names, on an image that is known well enough.
Whatever could have pip look into the directory of the sources, or could make it another program, is no proof.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import ImageBase
from hullmark.rules._package_managers import calls

if TYPE_CHECKING:
    from hullmark.model.context import Context
    from hullmark.model.dockerfile import Instruction, Stage

_KNOWN = re.compile(
    r"(?:docker\.io/)?(?:library/)?(?:python|debian|ubuntu)(?::(?!.*onbuild)[\w.-]+)?(?:@sha256:\w+)?"
)
"""Images whose pip is the one of Python, and where it reads no configuration below the directories of sources."""
_SOURCES = re.compile(r"/(?:app|build|code|project|service|source|src|srv|usr/src|workspace)(?:/[\w.-]+)*")
"""Directories in which neither an image nor pip keeps anything."""
_PIP = re.compile(r"(?:/usr(?:/local)?/bin/)?pip3?(?:\.\d+)?")
_PLAIN = frozenset(
    {
        *(
            "--break-system-packages",
            "--disable-pip-version-check",
            "--no-cache-dir",
            "--no-compile",
            "--no-deps",
        ),
        *("--no-index", "--no-input", "--only-binary", "--prefer-binary", "--progress-bar", "--quiet", "-q"),
        *(
            "--require-hashes",
            "--requirement",
            "-r",
            "--root-user-action",
            "--upgrade",
            "-U",
            "--upgrade-strategy",
        ),
        *(
            "--find-links",
            "-f",
            "--index-url",
            "-i",
            "--extra-index-url",
            "--retries",
            "--timeout",
            "--verbose",
            "-v",
        ),
    }
)
"""Options of pip that name no file of a relative path, or are looked at below."""
_ADDRESS = re.compile(r"(?:https?://|/)\S*")
_STRANGE = re.compile(r"PATH|HOME|LD_\w*|XDG_\w*|BASH_ENV|ENV|VIRTUAL_ENV|PIP_\w*|PYTHON\w*", re.IGNORECASE)
_HARMLESS = frozenset(
    {
        *(
            "PIP_BREAK_SYSTEM_PACKAGES",
            "PIP_DISABLE_PIP_VERSION_CHECK",
            "PIP_NO_CACHE_DIR",
            "PIP_ROOT_USER_ACTION",
        ),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER"),
    }
)
"""Variables of pip and Python that do not say where something is."""
_BEFORE = frozenset(
    {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "RUN", "WORKDIR"}
)
"""Instructions above the sources that are understood; USER has another home, SHELL another shell."""


def reads_manifest_alone(stage: Stage, run: Instruction, directory: str, context: Context | None) -> bool:
    """Whether `run`, started in `directory` that has the whole `context`, would do the same with its manifest alone.

    And whether it writes nothing into that directory, which has nothing in it before.
    """
    if context is None or not _SOURCES.fullmatch(directory) or not _is_known(stage, run, directory):
        return False
    found = [call for _, call in calls(run)]
    if len(found) != 1 or len(run.commands) != 1 or run.json is not None or run.unread is not None:
        return False
    (call,) = found
    command = call.command
    if command.redirects or command.piped or not all(word.static for word in command.words):
        return False
    if any(mount.type not in {"cache", "secret"} for mount in run.mounts):
        return False
    if not _PIP.fullmatch(command.words[0].text) or call.operands:
        return False
    if any(option.name not in _PLAIN for option in call.options):
        return False
    addresses = call.values("--find-links", "-f", "--index-url", "-i", "--extra-index-url")
    if not all(_ADDRESS.fullmatch(each) and not f"{each}/".startswith(f"{directory}/") for each in addresses):
        return False
    plain = {each.path for each in context.manifests if each.plain}
    return all(name in plain for name in call.values("-r", "--requirement"))


def _is_known(stage: Stage, run: Instruction, directory: str) -> bool:
    """Whether nothing above `run` changes what pip is, where it looks, and what is in `directory`."""
    match stage.root:
        case ImageBase(reference=reference, unresolved=()) if _KNOWN.fullmatch(reference):
            pass
        case _:
            return False
    top = "/".join(directory.split("/")[:2])
    sources = None
    for each in stage.history:
        if each is run:
            return True
        if each.keyword not in _BEFORE or sources is not None:
            return False
        if any(_STRANGE.fullmatch(pair.name) and pair.name not in _HARMLESS for pair in each.pairs):
            return False
        if (
            each.keyword == "COPY"
            and each.source is None
            and [word.text for word in each.words[:-1]] == ["."]
        ):
            sources = each
        elif each.keyword == "COPY" or (each.keyword == "RUN" and top in each.value):
            return False
    return False
