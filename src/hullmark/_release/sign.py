"""Signs what is published, by cosign, before any tag leads to it; what was signed is verified at once."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._images.transport import Origin, Trust
from hullmark.model.release import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._process import Commands
    from hullmark._release.undertaking import Undertaking
    from hullmark.model.release import ReleaseSettings

KEY = "COSIGN_KEY"
"""The variable that names the key: a file, or where else cosign finds it. Without one, cosign signs by identity."""
_PROGRAM = "cosign"
_SECONDS = 300.0
_ANYBODY = ("--certificate-identity-regexp", ".*", "--certificate-oidc-issuer-regexp", ".*")
"""Who has signed is known here: it was this very program."""
_UNKNOWN = (
    "nobody says who has to have signed it: set `certificate-identity` and `certificate-oidc-issuer` of `[release]`, or "
    "give the key in COSIGN_KEY"
)


def signing(settings: ReleaseSettings, environ: Mapping[str, str]) -> bool:
    """Whether anything is signed."""
    if settings.sign == "auto":
        return bool(environ.get(KEY)) and _is_there(environ)
    return settings.sign == "always"


def unsigned(settings: ReleaseSettings, environ: Mapping[str, str]) -> Iterator[Problem]:
    """What keeps a release from being signed that has to be."""
    if settings.sign == "always" and not _is_there(environ):
        yield Problem(
            check="sign",
            text="`sign` of `[release]` is `always`, and `cosign` is not on PATH",
            hint="install cosign",
        )


def sign(undertaking: Undertaking, tell: Callable[[str], None]) -> None:
    """Signs the index of every service, and the images that it leads to; raises `CommandFailed` where that fails."""
    around = undertaking.surroundings
    settings = undertaking.project.settings.release
    if not signing(settings, around.environ):
        return
    key = around.environ.get(KEY)
    with tempfile.TemporaryDirectory(prefix="hullmark-") as directory:
        keyed, known = _keys(around.commands, key, Path(directory), _identity(settings))
        known = known or _ANYBODY
        for service in undertaking.state.services:
            digest = next(each.digest for each in undertaking.state.indexes if each.service == service.name)
            reference = f"{service.repository}@{digest}"
            insecure = _insecure(service.repository, around.environ)
            argv = (_PROGRAM, "sign", "--yes", "--recursive", *keyed, *insecure, reference)
            around.commands.run(argv, timeout=_SECONDS).check()
            # That the index is signed says nothing of the images, which are pulled by digests of their own.
            for each in (digest, *(image.image for image in service.images)):
                what = f"{service.repository}@{each}"
                around.commands.run((_PROGRAM, "verify", *known, *insecure, what), timeout=_SECONDS).check()
            tell(f"{reference} and its images are signed")


@contextlib.contextmanager
def signatures(
    settings: ReleaseSettings, commands: Commands, environ: Mapping[str, str]
) -> Iterator[Callable[[str, str], str | None]]:
    """What tells, of a repository and a digest there, what is wrong with the signature; nothing where none is made.

    By a key, that it was this key which signed; without one, that it was the identity which the project names. Where it
    names none, anybody may have signed, and that proves nothing.
    """
    named = settings.certificate_identity or settings.certificate_oidc_issuer
    if not signing(settings, environ) and not named:
        yield lambda _repository, _digest: None
        return
    if not _is_there(environ):
        yield lambda _repository, _digest: "`cosign` is not on PATH, so nobody knows whether it is signed"
        return
    with tempfile.TemporaryDirectory(prefix="hullmark-") as directory:
        _, known = _keys(commands, environ.get(KEY), Path(directory), _identity(settings))

        def problem(repository: str, digest: str) -> str | None:
            if not known:
                return f"the signature of {digest} is not verified: {_UNKNOWN}"
            argv = (_PROGRAM, "verify", *known, *_insecure(repository, environ), f"{repository}@{digest}")
            ran = commands.run(argv, timeout=_SECONDS)
            if ran.returncode == 0:
                return None
            said = next((line.strip() for line in reversed(ran.stderr.splitlines()) if line.strip()), "")
            return f"{digest} is not signed as it has to be: {said or f'cosign ends with {ran.returncode}'}"

        yield problem


def _identity(settings: ReleaseSettings) -> tuple[str, ...]:
    """Who has to have signed without a key, as cosign is told; nothing where the project does not say all of it."""
    if settings.certificate_identity is None or settings.certificate_oidc_issuer is None:
        return ()
    return (
        "--certificate-identity",
        settings.certificate_identity,
        "--certificate-oidc-issuer",
        settings.certificate_oidc_issuer,
    )


def _keys(
    commands: Commands, key: str | None, directory: Path, identity: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What tells cosign to sign, and to verify; the second is empty where nobody says who has to have signed."""
    if not key:
        return (), identity
    public = directory / "cosign.pub"
    argv = (_PROGRAM, "public-key", "--key", key)
    public.write_text(commands.run(argv, timeout=_SECONDS).check().stdout, encoding="utf-8")
    return ("--key", key), ("--key", str(public))


def _insecure(repository: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What cosign has to be told of registries without TLS, or with TLS that proves nothing."""
    origin = Origin.of(f"http://{repository.partition('/')[0]}")
    return ("--allow-insecure-registry", "--allow-http-registry") if Trust.of(environ).allows(origin) else ()


def _is_there(environ: Mapping[str, str]) -> bool:
    return shutil.which(_PROGRAM, path=environ.get("PATH")) is not None
