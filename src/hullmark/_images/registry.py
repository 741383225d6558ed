"""Images of registries, pulled by the OCI distribution specification: nothing is written to the disk."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hullmark._images.interface import Blob, Core
from hullmark._images.platforms import Platform, asked_for, host_platform
from hullmark.errors import DamagedImage, Unavailable, UsageError
from hullmark.model.digest import Digest
from hullmark.model.reference import Pinned, parse_reference

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullmark._images.distribution import Repository
    from hullmark._images.interface import Limits, Request
    from hullmark._images.layout import Beside
    from hullmark._images.manifests import Descriptor, ImageManifest
    from hullmark._images.push import Push
    from hullmark._images.transport import Patience
    from hullmark._process import Commands
    from hullmark.model.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Any registry; the reference says which.

    Credentials are those of `docker login`. TLS is verified, except where the registry is this very machine or is
    listed as insecure, in `insecure` or in `HULLMARK_INSECURE_REGISTRIES`.
    """

    commands: Commands
    """Runs credential helpers."""
    environ: Mapping[str, str] = field(repr=False)
    """For DOCKER_CONFIG, SSL_CERT_FILE, HTTPS_PROXY, NO_PROXY and the variable above."""
    insecure: tuple[str, ...] = ()
    """Hosts, with or without their port."""
    foreign: bool = False
    """Whether layers that registries do not distribute are fetched from where their manifest says."""
    patience: Patience | None = None
    certificates: Path | None = None
    """Where the authorities of single registries are; Docker's directory when not given."""

    @contextlib.contextmanager
    def open(
        self, reference: str, platform: str | None, request: Request, cancelled: threading.Event
    ) -> Iterator[Core]:
        """See `Source.open`. Blobs can be opened from several threads, and only until the context is left."""
        asked = asked_for(platform)
        with self.repository(reference, cancelled) as repository:
            yield _Pull(repository, request.limits, foreign=self.foreign).core(asked)

    def digest(self, reference: str, limits: Limits, cancelled: threading.Event) -> Digest:
        """What `reference` leads to today, which of an image for several platforms is what lists all of them.

        Raises as `open` does.
        """
        with self.repository(reference, cancelled) as repository:
            content = repository.manifest(which(repository.reference), limits.manifest).content
        return Digest.parse(f"sha256:{hashlib.sha256(content).hexdigest()}")

    @contextlib.contextmanager
    def beside(self, reference: str, request: Request, cancelled: threading.Event) -> Iterator[Beside]:
        """What is kept beside the images; see `hullmark._images.attestations`."""
        limit = request.limits.manifest
        with self.repository(reference, cancelled) as repository:

            def indexes(digest: str) -> Iterator[tuple[bytes, bool]]:
                yield repository.manifest(which(repository.reference), limit).content, False
                referring = repository.referrers(Digest.parse(digest), limit)
                if referring is not None:
                    yield referring, True

            def fetch(descriptor: Descriptor) -> bytes:
                from hullmark._images.manifests import INDEXES, MANIFESTS  # noqa: PLC0415  # as above

                if descriptor.media_type in INDEXES | MANIFESTS:
                    digest = descriptor.checked_digest(repository.name)
                    return repository.manifest(digest, limit, size=descriptor.size).content
                return repository.document(descriptor, limit)

            yield indexes, fetch

    @contextlib.contextmanager
    def pushing(self, reference: str, cancelled: threading.Event) -> Iterator[Push]:
        """What puts blobs and manifests into the repository of `reference`, from several threads if need be."""
        from hullmark._images.push import Push  # noqa: PLC0415  # as below

        with self.repository(reference, cancelled, pushing=True) as repository:
            yield Push(repository=repository)

    @contextlib.contextmanager
    def repository(
        self, reference: str, cancelled: threading.Event, *, pushing: bool = False
    ) -> Iterator[Repository]:
        """The repository of `reference`, connected; `pushing` asks for the right to change it."""
        # A tenth of a second, paid only where a registry is asked.
        from hullmark._images.credentials import find_login  # noqa: PLC0415
        from hullmark._images.distribution import Repository  # noqa: PLC0415
        from hullmark._images.transport import CERTIFICATES, Patience, Transport, Trust  # noqa: PLC0415

        try:
            parsed = parse_reference(reference)
        except ValueError as error:
            raise UsageError(str(error)) from error
        with Transport(
            environ=self.environ,
            trust=Trust.of(self.environ, self.insecure),
            patience=self.patience or Patience(),
            cancelled=cancelled,
            certificates=self.certificates or CERTIFICATES,
        ) as transport:
            repository = Repository(
                reference=parsed,
                name=reference,
                transport=transport,
                find_login=partial(find_login, parsed.registry, self.commands, self.environ),
                pushing=pushing,
            )
            repository.connect()
            yield repository


def which(reference: Reference) -> str | Digest:
    """The tag or digest to ask for."""
    return reference.digest if isinstance(reference, Pinned) else reference.tag


class _Pull:
    """The way from a reference to the core of one image."""

    def __init__(self, repository: Repository, limits: Limits, *, foreign: bool) -> None:
        self._repository = repository
        self._limits = limits
        self._foreign = foreign

    def core(self, asked: Platform | None) -> Core:
        """The core of the image for the platform that was asked for, or for this host's."""
        from hullmark._images.manifests import choose, parse_manifest  # noqa: PLC0415

        repository = self._repository
        name, reference = repository.name, repository.reference
        root = repository.manifest(which(reference), self._limits.manifest)
        parsed = parse_manifest(root.content, name, root.media_type)
        chosen = choose(
            root.content, parsed, asked or host_platform(), self._manifest, self._platform_of, name
        )
        config = self._configuration(chosen.manifest)
        found = _platform(config)
        # An index has been asked already; a single image is what it is, unless something else was asked for.
        if chosen.platform is None and asked is not None and found is not None and asked.rank(found) is None:
            raise Unavailable(
                f"{name} is not there for {asked}; it is one image, for {found}",
                hint=f"name it with `--platform {found}`, or name no platform",
            )
        return Core(
            reference=name,
            how=f"pulled from {reference.registry} as {reference.repository}@{_short(chosen.content)}",
            manifest=chosen.content,
            config=config,
            layers=tuple(self._layer(each) for each in chosen.manifest.layers),
            platform=str(chosen.platform or found or "") or None,
        )

    def _manifest(self, descriptor: Descriptor) -> bytes:
        digest = descriptor.checked_digest(self._repository.name)
        return self._repository.manifest(digest, self._limits.manifest, size=descriptor.size).content

    def _configuration(self, manifest: ImageManifest) -> bytes:
        """The configuration; raises `DamagedImage` when it is none of an image."""
        config = self._repository.document(manifest.config, self._limits.manifest)
        if not isinstance(_json(config).get("rootfs"), dict):
            raise DamagedImage(
                f"{self._repository.name} is no image: its configuration, of the type "
                f"`{manifest.config.media_type[:120]}`, lists no layers"
            )
        return config

    def _platform_of(self, manifest: ImageManifest) -> Platform | None:
        return _platform(self._repository.document(manifest.config, self._limits.manifest))

    def _layer(self, descriptor: Descriptor) -> Blob:
        urls = (descriptor.urls or ()) if self._foreign else ()
        return Blob(
            digest=descriptor.checked_digest(self._repository.name),
            transfer=descriptor.size,
            open=partial(self._repository.blob, descriptor, urls=urls),
            media_type=descriptor.media_type,
        )


def _json(config: bytes) -> Mapping[str, Any]:
    import msgspec  # noqa: PLC0415

    try:
        decoded = msgspec.json.decode(config)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _platform(config: bytes) -> Platform | None:
    """What a configuration says of itself."""
    said = _json(config)
    names = [said.get(key) or "" for key in ("os", "architecture", "variant")]
    if not all(isinstance(name, str) for name in names) or not names[0] or not names[1]:
        return None
    return Platform.of(*names)


def _short(content: bytes) -> str:
    import hashlib  # noqa: PLC0415

    return f"sha256:{hashlib.sha256(content).hexdigest()[:12]}"
