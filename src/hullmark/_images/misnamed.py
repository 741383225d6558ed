"""What was meant by a name that names no image: a path without its scheme, a scheme that there is not, a slip."""

from __future__ import annotations

import contextlib
import re
import stat
from typing import TYPE_CHECKING

from hullmark._images.tags import existing
from hullmark.errors import UsageError, nearest
from hullmark.model.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_OTHER_SCHEMES = {
    "docker-daemon": "docker",
    "daemon": "docker",
    "image": "docker",
    "containers-storage": "podman",
    "remote": "registry",
    "http": "registry",
    "https": "registry",
    "oci": "oci-dir",
    "oci-layout": "oci-dir",
    "dir": "oci-dir",
    "file": "docker-archive",
    "tar": "docker-archive",
    "tarball": "docker-archive",
}
"""What other programs write for what is meant here by the schemes of this one."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+._-]*")
_ARCHIVE = re.compile(r"\.(?:tar|tgz|tzst|tar\.(?:gz|zst|zstd))$", re.IGNORECASE).search
_ID = re.compile(r"sha256:[0-9a-f]{6,64}|[0-9a-f]{12,64}")
_NEAR = 3
"""Names that are shown where there are many."""
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_MAGIC = slice(257, 262)
_FILES = frozenset({"oci-dir", "oci-archive", "docker-archive"})


def check_name(name: str, reference: str) -> None:
    """Raises `UsageError` unless `name`, which `reference` holds, can be what an engine or a registry calls an image."""
    if is_id(name):
        return
    if name.startswith("//"):
        meant = f"{reference[: len(reference) - len(name)]}{name.lstrip('/')}"
        raise UsageError(f"`{reference}`: no name begins with `//`; did you mean `{meant}`?")
    try:
        parse_reference(name)
    except ValueError as error:
        raise UsageError(str(error)) from error


def is_id(name: str) -> bool:
    """Whether `name` is the ID of an image, as engines know it, or how one begins."""
    return bool(_ID.fullmatch(name))


def forms_said(forms: Iterable[str]) -> str:
    """How an image is named: by one of `forms`, which have schemes, or without any."""
    return f"an image is {', '.join(forms)}, or a bare name"


def check_bare(reference: str, forms: Iterable[str]) -> None:
    """Raises `UsageError`, saying what was probably meant, unless `reference` can be a name without a scheme.

    `forms` are the names that have one.
    """
    forms = tuple(forms)
    schemes = tuple(form.partition(":")[0] for form in forms)
    hint = forms_said(forms)
    scheme = _scheme_of(reference, schemes)
    if scheme is not None:
        rest = reference[len(scheme) + 1 :]
        meant = _instead_of(scheme, rest, schemes)
        question = f"; did you mean `{meant}`?" if meant else ""
        raise UsageError(f"`{reference}`: there is no scheme `{scheme}`{question}", hint=hint)
    if _is_path(reference):
        meant = meant_path(reference)
        if meant is not None:
            raise UsageError(
                f"`{reference}` is a path, and does not say to what; did you mean `{meant}`?", hint=hint
            )
        what = "holds no image that can be read" if existing(reference) else "does not exist"
        raise UsageError(f"`{reference}` is a path, which names no image, and {what}", hint=hint)
    try:
        check_name(reference, reference)
    except UsageError as error:
        # What has several colons may have been meant to begin with a scheme.
        raise UsageError(error.message, hint=hint if reference.count(":") > 1 else error.hint) from error


def meant_path(reference: str) -> str | None:
    """`reference` with the scheme for what is at that path; `None` where that is no image."""
    found = existing(reference)
    scheme = None if found is None else _kind(found[0])
    return None if scheme is None else f"{scheme}:{reference}"


def is_plain_file(reference: str) -> bool:
    """Whether there is a file of that name, whatever it holds."""
    found = existing(reference)
    with contextlib.suppress(OSError):
        return found is not None and found[1] is None and found[0].is_file()
    return False


def _kind(path: Path) -> str | None:
    """The scheme for what is at `path`."""
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "oci-dir" if (path / "index.json").is_file() else None
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                head = file.read(512)
            # Archives of both kinds are read by this name.
            return "docker-archive" if head.startswith(_COMPRESSED) or head[_MAGIC] == b"ustar" else None
    return None


def near(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Those of `known`, names of images, that `name` was most likely meant to be, the likeliest first."""
    from difflib import get_close_matches  # noqa: PLC0415  # only needed on the way to an error

    known = sorted(known)
    try:
        wanted = _repository(name)
    except ValueError:
        return ()
    same = [each for each in known if _repository(each) == wanted]
    return tuple(dict.fromkeys([*same, *get_close_matches(name, known, n=_NEAR)]))[:_NEAR]


def _repository(name: str) -> tuple[str, str]:
    parsed = parse_reference(name)
    return parsed.registry, parsed.repository


def _is_path(reference: str) -> bool:
    """Whether it is written like a path, or like an archive that is there."""
    if reference.startswith(("/", "./", "../", "~")) or reference.endswith("/") or reference in {".", ".."}:
        return True
    found = existing(reference)
    return found is not None and bool(_ARCHIVE(str(found[0]))) and found[0].is_file()


def _scheme_of(reference: str, schemes: Iterable[str]) -> str | None:
    """What stands before the first colon, where it can be nothing but a scheme that there is not."""
    head, colon, rest = reference.partition(":")
    if not colon or not _SCHEME.fullmatch(head) or existing(reference):
        return None
    with contextlib.suppress(ValueError):
        parse_reference(reference)
        # A name with a tag, or with the port of a host; but nobody tags an image with the path of a file.
        return head if _meant_scheme(head, schemes) is not None and existing(rest) else None
    # A name has one tag: with two, what is written like a scheme is a slip of one.
    slip = ":" in rest and _meant_scheme(head, schemes) is not None
    return head if "/" in rest or slip or existing(rest) else None


def _meant_scheme(scheme: str, schemes: Iterable[str]) -> str | None:
    """The scheme that was probably meant by one that there is not."""
    return _OTHER_SCHEMES.get(scheme.lower()) or nearest(scheme.lower(), schemes)


def _instead_of(scheme: str, rest: str, schemes: Iterable[str]) -> str | None:
    rest = rest.removeprefix("//")
    meant = _meant_scheme(scheme, schemes)
    if meant is None or meant in _FILES:
        # What is at that path says more than what it was called.
        meant_there = meant_path(rest)
        if meant_there is not None:
            return meant_there
    return None if meant is None else f"{meant}:{rest}"
