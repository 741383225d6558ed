"""Images with secrets that were made up for them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._contents.credentials import CredentialCapture
from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import Combined, PackageCapture
from hullmark._contents.secrets import find_secrets
from hullmark._images.cache import Cache
from hullmark._images.interface import Request
from hullmark._images.reference import open_image
from hullmark._secrets.stream import SecretScanner
from hullmark.model.table import Entry, Kind
from hullmark.testing import ImageFiles, archive_of, docker_files, layer_tar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hullmark.model.image import Image, StreamScanner
    from hullmark.model.secret import Scan


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """The same for a test in every run: a secret that is not found is then not found again."""
    return random.Random(request.node.nodeid)  # noqa: S311  # nobody relies on these


@dataclass(kw_only=True)
class Laboratory:
    """Makes images of files and looks for secrets in them."""

    directory: Path
    cache: Cache

    def image(
        self,
        layers: Sequence[Mapping[str, bytes | None]],
        scanner: StreamScanner | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        history: tuple[Mapping[str, Any], ...] | None = None,
    ) -> Image:
        """An image whose layers have these files; `None` removes one."""
        tars = tuple(
            layer_tar(
                [
                    Entry(path=path, kind=Kind.WHITEOUT if content is None else Kind.FILE, mode=0o644)
                    for path, content in files.items()
                ],
                {path: content for path, content in files.items() if content is not None},
            )
            for files in layers
        )
        place = self.directory / f"{len(list(self.directory.iterdir()))}.tar"
        image = ImageFiles(layers=tars, settings=settings or {}, history=history)
        place.write_bytes(archive_of(docker_files({"shop:dev": image})))
        request = Request(
            capture=Combined(PackageCapture(), CredentialCapture()), scanner=scanner or SecretScanner()
        )
        return open_image(f"docker-archive:{place}", request=request, environ={}, cache=self.cache)

    def scan(
        self, layers: Sequence[Mapping[str, bytes | None]], scanner: StreamScanner | None = None
    ) -> Scan:
        """What is found in such an image."""
        image = self.image(layers, scanner)
        files = overlay(image.layers)
        return find_secrets(files, find_owners(files))


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    """Images below the directory of the test, without a cache."""
    return Laboratory(directory=tmp_path, cache=Cache(None))
