"""Images made of literals."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import Image, ImageConfiguration, Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def synthetic_image(
    reference: str = "example:dev",
    *,
    configuration: ImageConfiguration | None = None,
    layers: Sequence[Mapping[str, int]] = (),
) -> Image:
    """An image with the given configuration; a layer is a mapping of file path to size in bytes.

    Digests are derived from the content, so equal images have equal digests.
    """
    configuration = configuration or ImageConfiguration()
    made = tuple(
        Layer(
            diff_id=DiffId.parse(_sha256(repr(sorted(files.items())))),
            table=FileTable.of([Entry(path=path, kind=Kind.FILE, size=size) for path, size in files.items()]),
        )
        for files in layers
    )
    return Image(
        reference=reference,
        config_digest=Digest.parse(_sha256(repr((configuration, made)))),
        platform="linux/amd64",
        configuration=configuration,
        layers=made,
    )


def _sha256(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
