"""Who gave a file or a directory its mode: what a finding about modes points at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hullmark._contents.attribution import attribute
from hullmark._dockerfile import parse
from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import HistoryEntry, Image, ImageConfiguration, Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullmark.model.attribution import Attribution

LAYERS = """\
FROM scratch AS runtime
ADD one /
RUN two
RUN three
RUN four
FROM scratch
COPY --from=runtime / /
"""


def _directory(path: str, mode: int, **others: Any) -> Entry:
    return Entry(path=path, kind=Kind.DIRECTORY, mode=mode, **others)


def _file(path: str, mode: int, size: int = 3) -> Entry:
    return Entry(path=path, kind=Kind.FILE, mode=mode, size=size, mtime=7)


def _image(*layers: tuple[str, Sequence[Entry]]) -> Image:
    """An image of layers, each with what its history says."""
    return Image(
        reference="x:1",
        config_digest=Digest.parse(f"sha256:{'0' * 64}"),
        platform="linux/amd64",
        configuration=ImageConfiguration(),
        history=tuple(HistoryEntry(created_by=text) for text, _ in layers),
        layers=tuple(
            Layer(diff_id=DiffId.parse(f"sha256:{index:064x}"), table=FileTable.of(list(entries)))
            for index, (_, entries) in enumerate(layers)
        ),
    )


def _line(attribution: Attribution, image: Image, path: str) -> int:
    """The line that gave what lies at `path` in the topmost layer its mode."""
    layer = len(image.layers) - 1
    row = image.layers[layer].table.paths.index(path)
    span = attribution.mode_origin(layer, row).first.span
    assert span is not None
    return span.line


@pytest.mark.parametrize(
    ("below", "line"),
    [
        # What puts something into a directory has it in its layer, and did not set its mode.
        (([_directory("/d", 0o777)], [], [_directory("/d", 0o777)]), 2),
        (([_directory("/d", 0o755)], [_directory("/d", 0o777)], [_directory("/d", 0o777)]), 3),
        (([_directory("/d", 0o777)], [_directory("/d", 0o755)], [_directory("/d", 0o777)]), 4),
        # Who gives it to somebody else keeps the mode.
        (([_directory("/d", 0o777)], [], [_directory("/d", 0o777, uid=1)]), 2),
        # One that was removed in between is another one.
        (([_directory("/d", 0o777)], [Entry(path="/d", kind=Kind.WHITEOUT)], [_directory("/d", 0o777)]), 4),
        (
            ([_directory("/d", 0o777)], [], [Entry(path="/d", kind=Kind.OPAQUE), _directory("/d", 0o777)]),
            4,
        ),
    ],
)
def test_the_mode_of_a_directory_is_from_what_changed_it_last(
    below: tuple[list[Entry], ...], line: int
) -> None:
    steps = zip(
        ("ADD one /", "RUN two", "RUN three", "RUN four"), (*below, [_directory("/d", 0o777)]), strict=True
    )
    runtime = _image(*steps)
    recipe = parse(LAYERS, "Dockerfile").recipe("runtime")
    assert _line(attribute(runtime, recipe), runtime, "/d") == line
    squashed = _image(("COPY / /", [_directory("/d", 0o777)]))
    whole = attribute(squashed, parse(LAYERS, "Dockerfile").recipe(), {0: runtime})
    assert _line(whole, squashed, "/d") == line


def test_below_a_directory_that_was_removed_everything_is_new() -> None:
    inside = [_directory("/d/e", 0o777)]
    image = _image(
        ("ADD one /", inside),
        ("RUN two", [Entry(path="/d", kind=Kind.WHITEOUT)]),
        ("RUN three", inside),
        ("RUN four", inside),
    )
    assert _line(attribute(image, parse(LAYERS, "Dockerfile").recipe("runtime")), image, "/d/e") == 4


@pytest.mark.parametrize(
    ("copy", "mode", "line"),
    [
        ("COPY --from=tools /bin /bin", 0o755, 2),
        ("COPY --from=tools --chmod=0777 /bin /bin", 0o777, 4),
        ("COPY --from=tools --chmod=0777 / /", 0o777, 4),
    ],
)
def test_a_copy_that_sets_modes_is_what_set_them(copy: str, mode: int, line: int) -> None:
    text = f"FROM scratch AS tools\nADD bin /bin\nFROM scratch\n{copy}\n"
    tools = _image(("ADD bin /bin", [_directory("/bin", 0o755), _file("/bin/x", 0o755)]))
    image = _image((copy, [_directory("/bin", mode), _file("/bin/x", mode)]))
    attribution = attribute(image, parse(text, "Dockerfile").recipe(), {0: tools})
    assert [_line(attribution, image, path) for path in ("/bin", "/bin/x")] == [line, line]
    # What is in the file is still from where it was written.
    assert attribution.origin(0, 1).first.text == "ADD bin /bin"
