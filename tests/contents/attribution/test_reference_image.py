"""The bytes of an image that was squashed, and of what it copied, are traced to the lines of its Dockerfile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hullmark._contents.attribution import attribute, shares
from hullmark._contents.filesystem import overlay
from hullmark._dockerfile import load
from hullmark.model.attribution import Told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.contents.conftest import BuildService, Open

    from hullmark.model.attribution import Share
    from hullmark.model.image import Image

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]


def _without_digests(image: Image) -> Image:
    return replace(
        image,
        layers=tuple(replace(layer, table=replace(layer.table, digests=None)) for layer in image.layers),
    )


def _unattributed(found: Iterable[Share]) -> int:
    """Bytes of which nothing is known but the layer, or the squash that they came through."""
    return sum(share.bytes for share in found if not share.origin.told.attributed)


def test_the_bytes_of_the_squashed_image_come_from_lines_of_its_dockerfile(
    build_service: BuildService, opened: Open, tale: Path
) -> None:
    path = tale / "services" / "rag" / "Dockerfile"
    dockerfile = load(path, tale)
    indexes = {stage.name: stage.index for stage in dockerfile.stages}
    stages = {indexes[name]: opened(build_service("rag", name)) for name in ("runtime", "builder")}
    image = opened(build_service("rag"))
    assert len(image.layers) == 1

    found = shares(attribute(image, dockerfile.recipe(), stages), overlay(image.layers))
    assert sum(share.bytes for share in found) == image.unpacked
    assert _unattributed(found) <= image.unpacked / 100
    lines = path.read_text(encoding="utf-8").splitlines()
    for share in found:
        for origin in share.origin.chain:
            if origin.told is not Told.HISTORY:
                assert origin.span is not None
                assert lines[origin.span.line - 1].startswith(f"{origin.keyword} ")
    large = [share for share in found if share.bytes > 10_000_000]
    assert [[origin.keyword for origin in share.origin.chain] for share in large] == [
        ["FROM"],
        ["RUN"],
        ["COPY", "RUN"],
    ]
    assert "uv pip install" in large[2].origin.chain[1].text

    # The same where contents were not read: path, time, mode, owner and size are enough.
    plain = _without_digests(image)
    again = attribute(
        plain, dockerfile.recipe(), {index: _without_digests(stage) for index, stage in stages.items()}
    )
    assert shares(again, overlay(plain.layers)) == found

    # Without the builder's image, what was copied from there is the COPY's.
    shallow = attribute(image, dockerfile.recipe(), {indexes["runtime"]: stages[indexes["runtime"]]})
    keywords = {share.origin.keyword for share in shares(shallow, overlay(image.layers))}
    assert keywords == {"FROM", "RUN", "COPY"}
    assert all(share.origin.source is None for share in shares(shallow, overlay(image.layers)))

    # Without any, the squash is all that can be named, and that does not count as known.
    blind = shares(attribute(image, dockerfile.recipe()), overlay(image.layers))
    assert [(share.origin.told, share.origin.text) for share in blind] == [
        (Told.COPY, "COPY --from=runtime / /")
    ]
    assert _unattributed(blind) == image.unpacked
