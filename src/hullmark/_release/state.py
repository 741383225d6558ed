"""How far a release is, as it is written down: for the next command, for another machine, and for whoever looks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from hullmark._files import write_whole
from hullmark._images.artifacts import Kind
from hullmark._release.commit import OWN
from hullmark.errors import ConfigurationError, Unavailable, UsageError
from hullmark.model.digest import Digest
from hullmark.model.reference import parse_reference
from hullmark.model.staging import State  # noqa: TC001  # the decoder looks at it

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hullmark._release.registries import Registries
    from hullmark.model.staging import Passage, StagedService

SCHEMA = "hullmark/release/1"
LARGEST = 4 << 20
"""Bytes of a state."""
STATE = Kind(
    artifact_type="application/vnd.hullmark.release.v1+json",
    media_type="application/vnd.hullmark.release.v1+json",
)
_GITIGNORE = "# what hullmark notes about releases\n*\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    schema: str
    content: str
    release: State


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(_Envelope)


def encode(state: State) -> bytes:
    """`state` as a document that says its own hash; equal states are equal bytes."""
    content = f"sha256:{hashlib.sha256(msgspec.json.encode(state)).hexdigest()}"
    written = msgspec.json.encode(_Envelope(schema=SCHEMA, content=content, release=state))
    return msgspec.json.format(written, indent=2) + b"\n"


def decode(document: bytes, name: str) -> State:
    """The state that `document`, called `name`, holds.

    Raises `ConfigurationError` for everything else, and for a single byte that is not as `encode` writes it.
    """
    if len(document) > LARGEST:
        raise ConfigurationError([f"{name}: the state of a release has no more than {LARGEST} bytes"])
    try:
        envelope = _DECODER.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError([f"{name}: not the state of a release: {error}"]) from error
    if envelope.schema != SCHEMA:
        raise ConfigurationError([f"{name}: expected the schema `{SCHEMA}`, got `{envelope.schema[:80]}`"])
    if encode(envelope.release) != document:
        raise ConfigurationError(
            [f"{name}: somebody has changed it: it is not what its own hash, {envelope.content[:80]}, is of"]
        )
    problems = [f"{name}: {problem}" for problem in _unsound(envelope.release)]
    if problems:
        raise ConfigurationError(problems)
    return envelope.release


def _unsound(state: State) -> Iterator[str]:
    """What no release can be."""
    repositories = {service.repository for service in state.services}
    for name in sorted(repositories):
        try:
            parse_reference(name)
        except ValueError as error:
            yield str(error)
    for digest in _digests(state):
        try:
            Digest.parse(digest)
        except ValueError as error:
            yield str(error)
    for repository in sorted(
        {*(move.repository for move in state.journal), *(each[0] for each in state.seen)}
    ):
        if repository not in repositories:
            yield f"`{repository}` belongs to no service of the release"
    yield from _unsound_moves(state)


def _unsound_moves(state: State) -> Iterator[str]:
    """Moves that no release makes: of a tag that is none of its own, or to something else than its index."""
    tags = {state.tag, *state.moving}
    digests = {each.service: each.digest for each in state.indexes}
    led = {service.repository: digests.get(service.name) for service in state.services}
    for move in state.journal:
        if move.tag not in tags:
            yield f"{move.reference} is moved, and is no tag of the release"
        if move.after != led.get(move.repository):
            yield f"{move.reference} is moved to {move.after or 'nothing'}, which is not the index of the release"


def _digests(state: State) -> Iterator[str]:
    for service in state.services:
        for image in service.images:
            yield from (image.digest, image.image, *(each.digest for each in image.attestations))
    yield from (each.digest for each in state.indexes)
    yield from (each.digest for each in state.lists)
    for digest in (
        *(each[2] for each in state.seen),
        *(digest for move in state.journal for digest in (move.before, move.after)),
    ):
        if digest is not None:
            yield digest


def path_of(root: Path, version: str) -> Path:
    """Where the state of that version is kept in the project at `root`."""
    return root / OWN / "release" / f"{version}.json"


def load(root: Path, version: str) -> State | None:
    """The state that is kept on this machine; `None` where there is none. Raises as `decode`."""
    path = path_of(root, version)
    if not path.exists():
        return None
    try:
        return read(path)
    except ConfigurationError as error:
        hint = f"remove the file, then `hullmark release {version} --resume` takes up what the registry has noted"
        raise ConfigurationError(error.problems, hint=hint) from error


def read(path: Path) -> State:
    """The state in the file at `path`; raises as `decode`, and `Unavailable` for what cannot be read."""
    try:
        with path.open("rb") as file:
            return decode(file.read(LARGEST + 1), str(path))
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error


def save(root: Path, state: State) -> Path:
    """Keeps `state` on this machine, whole or not at all; git is told to look away."""
    path = path_of(root, state.version)
    ignore = root / OWN / ".gitignore"
    if not ignore.exists():
        write_whole(ignore, _GITIGNORE.encode(), what="what git is to ignore")
    write_whole(path, encode(state), what="the state of the release")
    return path


def registry_tag(version: str, platform: str | None = None) -> str:
    """The tag under which the state of that version is kept in a registry; of `platform` alone where one is given."""
    part = "" if platform is None else f"-{platform.replace('/', '-')}"
    return f"hullmark-release-{version.replace('+', '_')}{part}"


def home(state: State) -> str:
    """The repository that the state, and the lock, of the release are kept in."""
    return min(service.repository for service in state.services)


def publish(registries: Registries, state: State, platform: str | None = None) -> None:
    """Keeps `state` in the registry, from where another machine can take it up.

    With `platform`, as that of the machine that has built the images for it: others build theirs at the same time.
    """
    registries.keep(home(state), STATE, encode(state), registry_tag(state.version, platform))


def fetch(registries: Registries, repository: str, version: str, platform: str | None = None) -> State | None:
    """The state that is kept in `repository`; `None` where there is none. Raises as `decode`."""
    tag = registry_tag(version, platform)
    kept = registries.kept(repository, STATE, tag, LARGEST)
    return None if kept is None else decode(kept, f"{repository}:{tag}")


def parts(registries: Registries, repository: str, version: str) -> Iterator[State]:
    """What was noted in `repository` of single platforms of that version, whichever they are. Raises as `decode`."""
    beginning = f"{registry_tag(version)}-"
    for tag in registries.tags(repository):
        kept = registries.kept(repository, STATE, tag, LARGEST) if tag.startswith(beginning) else None
        if kept is not None:
            noted = decode(kept, f"{repository}:{tag}")
            # The tag of a pre-release begins in the same way.
            if noted.version == version:
                yield noted


def part(state: State, platform: str) -> State:
    """What has been done for `platform` alone, and of no tag."""
    return replace(
        state,
        services=tuple(
            replace(each, images=tuple(image for image in each.images if image.platform == platform))
            for each in state.services
        ),
        gate=tuple(each for each in state.gate if each.platform == platform),
        indexes=(),
        lists=(),
        journal=(),
        published=False,
        triggered=(),
    )


def merged(states: Iterable[State]) -> State:
    """The states of several machines, which have built the images for a platform each, as one.

    Where one of them has begun to move tags, that one: everything is decided then. Raises `UsageError` where they are
    not of one release, do not agree on an image, or move tags in different ways.
    """
    first, *others = all_of_them = tuple(states)
    for other in others:
        # A project may be called by its directory, which each machine names as it likes.
        for what in ("version", "revision", "created", "platforms", "moving"):
            mine, theirs = getattr(first, what), getattr(other, what)
            if mine != theirs:
                raise UsageError(
                    f"the states are of two releases: their {what} is {_told(mine)} and {_told(theirs)}"
                )
        if [(s.name, s.repository) for s in first.services] != [
            (s.name, s.repository) for s in other.services
        ]:
            raise UsageError(
                "the states are of two releases: they are of other services, or other repositories"
            )
        first = replace(first, services=tuple(map(_joined, first.services, other.services)))
    begun = [each for each in all_of_them if each.journal]
    if len({each.journal for each in begun}) > 1:
        raise UsageError("the states are of two releases: they have begun to move tags in different ways")
    if begun:
        return max(begun, key=lambda each: (each.published, len(each.triggered)))
    return with_passages(first, others)


def with_passages(state: State, others: Iterable[State]) -> State:
    """`state` with what others have seen at the gate of the images that it has.

    For one platform, one of the images as they are counts rather than one of earlier images, and of those one that
    passed, because what has passed is not looked at again; of two alike, the state's own.
    """
    found: dict[str, tuple[tuple[bool, bool], Passage]] = {}
    for passage in (*state.gate, *(each for other in others for each in other.gate)):
        images = tuple(sorted(filter(None, (each.pinned(passage.platform) for each in state.services))))
        worth = (passage.images == images, passage.exit_code == 0)
        if passage.platform not in found or worth > found[passage.platform][0]:
            found[passage.platform] = (worth, passage)
    return replace(state, gate=tuple(passage for _, passage in found.values()))


def _joined(mine: StagedService, theirs: StagedService) -> StagedService:
    images = {each.platform: each for each in mine.images}
    for each in theirs.images:
        if images.setdefault(each.platform, each) != each:
            raise UsageError(
                f"the states do not agree on {mine.name} for {each.platform}: {images[each.platform].digest} and {each.digest}"
            )
    return replace(mine, images=tuple(images[name] for name in sorted(images)))


def _told(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else f"`{value}`"
