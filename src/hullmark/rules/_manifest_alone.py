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
    from hullmark.model.dockerfile import Instruction, Mount, Pair, Stage

_KNOWN = re.compile(
    r"(?:docker\.io/)?(?:library/)?(?:python|debian|ubuntu)(?::(?!.*(?:onbuild|windows|nanoserver)|2(?:[.-]|$|@))[\w.-]+)?(?:@sha256:\w+)?"
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
_BARE = re.compile(r"[\w\s./:@%+=,~-]+", re.ASCII)
"""A command that the shell takes as it stands: nothing to expand, to redirect, to repeat, or to ask first."""
_ADDRESS = re.compile(r"https?://[\w.:/%+-]+", re.ASCII)
_CACHE = re.compile(r"/root/\.cache(?:/[\w-]+)*")
_SECRET = re.compile(r"/run/secrets/[\w-]+")
_MOUNTED = frozenset(
    {"destination", "dst", "gid", "id", "mode", "required", "sharing", "target", "type", "uid"}
)
"""What a mount may say; `env` would set a variable."""
_HARMLESS = frozenset(
    {
        *("DEBIAN_FRONTEND", "LANG", "LC_ALL", "TZ"),
        *(
            "PIP_BREAK_SYSTEM_PACKAGES",
            "PIP_DISABLE_PIP_VERSION_CHECK",
            "PIP_NO_CACHE_DIR",
            "PIP_ROOT_USER_ACTION",
        ),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER"),
    }
)
"""Variables that do not say where something is; of any other one nobody knows who reads it."""
_WORD = re.compile(r"[\w.-]*", re.ASCII)
_PREPARING = re.compile(
    r"\s*(?:apt-get\s+update\s*&&\s*)?apt-get\s+install(?:\s+(?:-y|--yes|--no-install-recommends|[a-z0-9][a-z0-9+.-]*))+"
    r"(?:\s*&&\s*rm\s+-rf\s+/var/lib/apt/lists/\*)?\s*"
)
"""What may be run before: packages of the distribution are installed, and no file of one is named."""
_BEFORE = frozenset(
    {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "RUN", "WORKDIR"}
)
"""Instructions above the sources that are understood; USER has another home, SHELL another shell."""


def reads_manifest_alone(stage: Stage, run: Instruction, directory: str, context: Context | None) -> bool:
    """Whether `run`, started in `directory` that has the whole `context`, would do the same with its manifest alone.

    And whether it writes nothing into that directory, which has nothing in it before.
    """
    if context is None or not _SOURCES.fullmatch(directory) or not _is_known(stage, run):
        return False
    found = [call for _, call in calls(run)]
    if len(found) != 1 or len(run.commands) != 1 or run.json is not None or run.unread is not None:
        return False
    (call,) = found
    command = call.command
    if command.redirects or command.piped or not all(word.static for word in command.words):
        return False
    if command.assignments or command.wrappers or run.heredocs or not _BARE.fullmatch(run.value):
        return False
    if run.value.split() != [word.text for word in command.words] or command.words[1].text != "install":
        return False
    if any(flag.name != "mount" for flag in run.flags) or not all(map(_is_apart, run.mounts)):
        return False
    if not _PIP.fullmatch(command.words[0].text) or call.operands:
        return False
    if any(option.name not in _PLAIN for option in call.options):
        return False
    addresses = call.values("--find-links", "-f", "--index-url", "-i", "--extra-index-url")
    if not all(_ADDRESS.fullmatch(each) for each in addresses):
        return False
    plain = {each.path for each in context.manifests if each.plain}
    return all(name in plain for name in call.values("-r", "--requirement"))


def _is_apart(mount: Mount) -> bool:
    """Whether `mount` hides nothing that pip reads, and sets nothing."""
    if any(name not in _MOUNTED for name, _ in mount.options):
        return False
    if mount.type == "cache":
        return _CACHE.fullmatch(mount.target or "") is not None
    return mount.type == "secret" and (mount.target is None or _SECRET.fullmatch(mount.target) is not None)


def _is_known(stage: Stage, run: Instruction) -> bool:
    """Whether nothing above `run` changes what pip is, where it looks, and what is in the directory."""
    match stage.root:
        case ImageBase(reference=reference, unresolved=()) if _KNOWN.fullmatch(reference):
            pass
        case _:
            return False
    sources = None
    for each in stage.history:
        if each is run:
            return True
        if each.keyword not in _BEFORE or sources is not None:
            return False
        if each.keyword in {"ARG", "ENV"} and not all(_is_harmless(pair) for pair in each.pairs):
            return False
        if (
            each.keyword == "COPY"
            and each.source is None
            and [word.text for word in each.words[:-1]] == ["."]
        ):
            sources = each
        elif each.keyword == "COPY" or (each.keyword == "RUN" and not _prepares(each)):
            return False
    return False


def _is_harmless(pair: Pair) -> bool:
    return pair.name in _HARMLESS and _WORD.fullmatch(pair.value or "") is not None


def _prepares(run: Instruction) -> bool:
    """Whether `run` leaves pip, and what it reads, as they are."""
    plain = run.json is None and not run.flags and not run.heredocs
    return plain and _PREPARING.fullmatch(run.value) is not None
