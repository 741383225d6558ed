"""From an image, or a service that is built, to everything that is known of what is in it.

Bytes that came through a squash are followed into the stage it was squashed from, whose image the builder's cache still
has.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullmark._contents.accounts import AccountCapture, uid_of
from hullmark._contents.attribution import attribute, given_stage, shares
from hullmark._contents.credentials import CredentialCapture, find_credentials
from hullmark._contents.dependencies import EnvironmentCapture, missing_packages
from hullmark._contents.difference import contents as side
from hullmark._contents.difference import difference, settings_of
from hullmark._contents.elf import ElfCapture
from hullmark._contents.filesystem import overlay
from hullmark._contents.kept import contents_in, report_named
from hullmark._contents.libraries import ConfigurationCapture, missing_libraries
from hullmark._contents.losers import with_losers
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import Combined, PackageCapture
from hullmark._contents.packages.java import JavaCapture
from hullmark._contents.packages.runtimes import RuntimeCapture
from hullmark._contents.pulled import layer_sizes
from hullmark._contents.reclaim import reclaim
from hullmark._contents.stage import check_stage, unattributed
from hullmark._contents.summary import by_directory, by_owner, by_top
from hullmark._contents.update import update
from hullmark._engines.stages import stage_images
from hullmark._images.interface import Request
from hullmark._images.reference import SCHEMES, open_image
from hullmark._secrets.stream import SecretScanner
from hullmark.errors import ConfigurationError, Unavailable
from hullmark.model.anatomy import Anatomy
from hullmark.model.difference import Contents
from hullmark.model.image import ShippedImage

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.difference import Update
    from hullmark.model.dockerfile import Recipe
    from hullmark.model.image import Image
    from hullmark.model.inventory import Inventory
    from hullmark.model.location import SourceSpan
    from hullmark.model.project import Budget, Project, Service, ServiceSettings, UserOverride


def dissect(
    image: Image,
    recipe: Recipe | None = None,
    stages: Mapping[int, Image] | None = None,
    notes: tuple[str, ...] = (),
    *,
    squashed: Image | None = None,
) -> Anatomy:
    """All about `image`, which was read with `wanted`; `recipe` and `stages` are as `attribute` takes them.

    Raises `Unavailable` where it is no squash of `squashed`, which somebody said that it is.
    """
    files = overlay(image.layers)
    ownership = find_owners(files, image.platform)
    if squashed is not None and recipe is not None and (index := given_stage(recipe)) is not None:
        stages = {**(stages or {}), index: squashed}
    attribution = attribute(image, recipe, stages, squashed=squashed)
    if squashed is not None:
        check_stage(image, attribution, squashed)
    saved = reclaim(files, attribution)
    return Anatomy(
        image=image,
        files=files,
        ownership=ownership,
        attribution=attribution,
        reclaim=saved,
        settings=settings_of(image.configuration),
        shares=shares(attribution, files),
        owners=by_owner(files, ownership),
        tops=by_top(files),
        directories=by_directory(files),
        stages=stages or {},
        notes=(*notes, *attribution.notes, *unattributed(image, attribution), *ownership.notes, *saved.notes),
    )


def wanted(*, contents: bool = False, secrets: bool = False) -> Request:
    """What `dissect` needs of each layer.

    With `contents`, equal files are found as well, and with `secrets` what `find_secrets` needs; for either every byte
    is read.
    """
    capture = Combined(
        PackageCapture(),
        ElfCapture(),
        ConfigurationCapture(),
        EnvironmentCapture(),
        CredentialCapture(),
        AccountCapture(),
        JavaCapture(),
        RuntimeCapture(),
    )
    scanner = SecretScanner() if secrets else None
    return Request(capture=capture, contents=contents, scanner=scanner, verify=False)


def shipped(
    anatomy: Anatomy,
    *,
    service: str,
    settings: ServiceSettings,
    labels: tuple[str, ...] = (),
    origin: SourceSpan | None = None,
    recipe: Recipe | None = None,
    build_labels: tuple[str, ...] = (),
    override: UserOverride | None = None,
    previous: Contents | None = None,
    baseline: Contents | None = None,
    growth_budget: Budget | None = None,
) -> ShippedImage:
    """What the image rules look at, of an image that was read with `wanted`; hosts have `previous`."""
    image, files, ownership = anatomy.image, anatomy.files, anatomy.ownership
    environment = dict(image.configuration.environment)
    growth = None if previous is None else difference(previous, side_of(anatomy))
    missing = (
        *missing_libraries(files, environment),
        *missing_packages(files, ownership, environment=environment, platform=image.platform),
    )
    return ShippedImage(
        anatomy=anatomy,
        service=service,
        settings=settings,
        labels=labels,
        missing=with_losers(missing, anatomy, recipe),
        credentials=find_credentials(files, ownership),
        growth=growth,
        update=None if growth is None else growth.update,
        change=None if baseline is None else difference(baseline, side_of(anatomy)),
        growth_budget=growth_budget,
        origin=origin,
        recipe=recipe,
        build_labels=frozenset(build_labels),
        override=override,
        uid=uid_of(files, image.configuration.user if override is None else override.user),
    )


def side_of(anatomy: Anatomy) -> Contents:
    """The image as one side of a comparison."""
    return side(anatomy.image, anatomy.files, anatomy.ownership, anatomy.attribution)


def bare_side(image: Image) -> Contents:
    """The image as one side of a comparison of its layers."""
    return Contents(
        reference=image.reference,
        unpacked=image.unpacked,
        transfer=image.transfer,
        layers=layer_sizes(image),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """Where the images of a run are read: in the engine, unless it is said otherwise."""

    scheme: str = "docker"
    """One of `SCHEMES`."""
    platform: str | None = None
    """Of images for several; this machine's where `None`."""

    @property
    def local(self) -> bool:
        """Whether it is the engine, which has what was built here."""
        return self.scheme == "docker"

    def named(self, image: str) -> str:
        """The image with its source, for `open_image`."""
        return f"{self.scheme}:{image}"


class Reading:
    """How images are read in one run of the tool."""

    def __init__(self, commands: Commands, environ: Mapping[str, str], cancelled: threading.Event) -> None:
        self._commands = commands
        self._environ = environ
        self._cancelled = cancelled

    def bare(self, reference: str, *, platform: str | None = None, transfer: bool = False) -> Image:
        """The image called `reference` without what is in its files: enough for its configuration and its sizes.

        With `transfer`, also those of blobs that nobody has made yet, for which layers are compressed.
        """
        return self._open(reference, platform, Request(verify=False, transfer=transfer))

    def image(
        self,
        reference: str,
        *,
        platform: str | None = None,
        contents: bool = False,
        secrets: bool = False,
    ) -> Image:
        """The image called `reference`, as `dissect` needs it; see `open_image`."""
        return self._open(reference, platform, wanted(contents=contents, secrets=secrets))

    def measured(self, anatomy: Anatomy, reference: str, platform: str | None = None) -> Anatomy:
        """`anatomy`, of the image called `reference`, with the sizes of the blobs that nobody has made yet.

        For that all of its layers are compressed. Where `reference` is another image by now, some remain unknown.
        """
        image = anatomy.image
        if image.transfer is not None:
            return anatomy
        again = self.bare(reference, platform=platform, transfer=True)
        found = {layer.diff_id: layer for layer in again.layers}
        layers = tuple(
            replace(layer, transfer=same.transfer, estimated=same.estimated)
            if (same := found.get(layer.diff_id)) is not None
            else layer
            for layer in image.layers
        )
        return replace(anatomy, image=replace(image, layers=layers))

    def _open(self, reference: str, platform: str | None, request: Request) -> Image:
        return open_image(
            reference,
            platform=platform,
            request=request,
            environ=self._environ,
            commands=self._commands,
            cancelled=self._cancelled,
        )

    def previous(
        self, name: str, service: str | None, root: Path, *, platform: str, stage: str | None = None
    ) -> Contents:
        """The image that hosts have before the next one of `service`; `name` is as in `ServiceSettings.previous`.

        `stage` is the image that it is said to be a squash of. Raises `ConfigurationError` and `UsageError` for a
        report that does not tell of it, else as `dissect` and `open_image`.
        """
        report = report_named(name)
        if report is None:
            squashed = None if stage is None else self.image(stage, platform=platform)
            return side_of(dissect(self.image(name, platform=platform), squashed=squashed))
        return self._kept(*report, service, root)

    def update(self, image: Image, name: str, service: str, root: Path) -> Update:
        """What a host must pull for `image`, of `service`, that has the image called `name` as in `previous`.

        Raises as that.
        """
        report = report_named(name)
        before = (
            bare_side(self.bare(name, platform=image.platform))
            if report is None
            else self._kept(*report, service, root)
        )
        return update(before, bare_side(image))

    def _kept(self, file: str, named: str | None, service: str | None, root: Path) -> Contents:
        key = service if named is None else named
        try:
            text = (root / file).read_bytes()
        except OSError as error:
            raise Unavailable(f"{file} cannot be read: {error.strerror}") from error
        return contents_in(text, file, key)

    def listed(self, name: str, root: Path, *, platform: str | None = None) -> Inventory:
        """The software that a document lists: a file below `root`, or what is attested of the image called `name`.

        An image is called so with its scheme. Raises `ConfigurationError` for what is no list of software, and
        `Unavailable` where none is attested.
        """
        # The library for package URLs costs a tenth of a second to load.
        from hullmark._sbom.read import LARGEST, read, told  # noqa: PLC0415

        if name.partition(":")[0] not in SCHEMES:
            try:
                with (root / name).open("rb") as file:
                    return read(file.read(LARGEST + 1), name)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise ConfigurationError([f"{name} cannot be read: {reason}"]) from error
        from hullmark._images.attestations import attestations  # noqa: PLC0415  # few need it

        found = attestations(
            name, platform=platform, environ=self._environ, commands=self._commands, cancelled=self._cancelled
        )
        for document in found:
            if told(document):
                return read(document, name)
        raise Unavailable(f"no list of software is attested of {name}; {len(found)} other documents are")

    def service(
        self,
        project: Project,
        service: Service,
        recipe: Recipe | None,
        engine: Callable[[], Engine],
        *,
        labels: Callable[[str], Mapping[str, str]],
        stage: str | None = None,
        medium: Medium = Medium(),  # it cannot change
        contents: bool = False,
        secrets: bool = False,
    ) -> Anatomy:
        """All about the image of `service` as the engine, or `medium`, has it now.

        The stages that it was copied from are built, which right after a build is done by the builder's cache. Where
        they are not to be had, that is a note, and their bytes are the COPY's. Where `stage` or the settings name the
        image of the stage that it is a squash of, nothing is built, and it raises as `dissect` and `open_image`.
        """
        image = self.image(
            medium.named(service.image), platform=medium.platform, contents=contents, secrets=secrets
        )
        given = stage or project.settings.service(service.name).stage_image
        if given is not None and medium.local:
            squashed = self.image(given, platform=image.platform, contents=contents)
            return dissect(image, recipe, squashed=squashed)
        notes: list[str] = []
        stages: dict[int, Image] = {}
        with ExitStack() as stack:
            if recipe is not None and service.build is not None and medium.local:
                try:
                    names = stack.enter_context(
                        stage_images(project, service, recipe, engine(), self._commands, labels=labels)
                    )
                    stages = {
                        index: self.image(f"docker:{name}", contents=contents)
                        for index, name in names.items()
                    }
                except Unavailable as error:
                    notes.append(f"what was copied from other stages is not followed: {error.message}")
            return dissect(image, recipe, stages, tuple(notes))
