"""What is not compressed yet has a bound that no archive of it exceeds; and reports that were kept tell their layers."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile

import pytest

from hullmark._contents.kept import contents_in
from hullmark._contents.pulled import layer_sizes, pulled
from hullmark._contents.update import largest_transfer
from hullmark.errors import ConfigurationError, UsageError
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind
from hullmark.testing import synthetic_image

ONE = "sha256:" + "1" * 64
TWO = "sha256:" + "2" * 64


def _archived(files: dict[str, bytes], style: int) -> tuple[Layer, bytes]:
    """The files as a layer, and their archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=style) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path.removeprefix("/"))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    table = FileTable.of(
        [Entry(path=path, kind=Kind.FILE, size=len(content)) for path, content in files.items()]
    )
    return Layer(diff_id=DiffId.parse(ONE), table=table), out.getvalue()


@pytest.mark.parametrize("style", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize(
    ("count", "size", "name"),
    [
        (0, 0, "x"),
        (1, 0, "x"),
        (300, 1, "short"),
        (40, 100_001, "x"),
        (50, 700, "/".join(["directory"] * 14)),
    ],
)
def test_no_archive_of_a_layer_is_larger_than_its_bound(style: int, count: int, size: int, name: str) -> None:
    noise = random.Random(count)  # noqa: S311  # for what cannot be compressed
    layer, archive = _archived({f"/{name}/{n}": noise.randbytes(size) for n in range(count)}, style)
    most = largest_transfer([layer])
    assert len(archive) <= most
    assert max(len(gzip.compress(archive, level)) for level in (0, 1, 9)) <= most
    # A bound that is far off would never let anything pass.
    assert most <= 1.01 * len(archive) + 4096 * count + 24_000


def test_a_name_that_is_not_ascii_needs_headers_of_its_own() -> None:
    layer, archive = _archived({f"/{'ü' * 60}{n}": b"" for n in range(100)}, tarfile.PAX_FORMAT)
    assert len(archive) <= largest_transfer([layer])


def _report(**layers: str | int | None) -> bytes:
    rows = [{"diff_id": ONE, "unpacked": 5, "instruction": None, **layers}]
    image = {"reference": "web:1", "size": {"unpacked": 5}, "layers": rows}
    return json.dumps({"schema": "hullmark/report/1", "images": {"web": image}}).encode()


def test_a_kept_report_tells_layers_and_their_blobs() -> None:
    (layer,) = contents_in(_report(), "old.json", "web").layers
    assert (layer.diff_id, layer.digest, layer.transfer) == (ONE, None, None)
    (layer,) = contents_in(_report(digest=TWO, transfer=3), "old.json", None).layers
    assert (layer.diff_id, layer.digest, layer.transfer) == (ONE, TWO, 3)


@pytest.mark.parametrize("broken", [{"digest": "sha256:1"}, {"diff_id": "1"}, {"diff_id": None}])
def test_a_kept_report_with_layers_that_are_none_is_refused(broken: dict[str, str | None]) -> None:
    with pytest.raises(ConfigurationError, match=r"old\.json"):
        contents_in(_report(**broken), "old.json", "web")


def test_a_kept_report_without_the_service_is_refused() -> None:
    with pytest.raises(UsageError, match="no service `rag`"):
        contents_in(_report(), "old.json", "rag")


def test_a_host_that_has_a_layer_need_not_pull_it() -> None:
    image = synthetic_image(layers=[{"/a": 5}, {"/b": 7}])
    first, second = layer_sizes(image)
    assert pulled([first], (first, second)) == ((first,), (second,))
    assert pulled([first, second], (first, second)) == ((first, second), ())
    assert pulled([], (second, second)) == ((), (second,))
