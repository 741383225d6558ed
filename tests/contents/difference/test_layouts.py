"""What an update of a squashed image takes, beside what the layers of its stage, or other ones, would take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._anatomy import dissect, side_of
from hullmark._contents.update import update
from hullmark._dockerfile import parse
from hullmark.errors import Unavailable
from hullmark.model.difference import Plan
from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import HistoryEntry, Image, ImageConfiguration, Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullmark.model.difference import Layout, Update

Made = tuple[str, list[Entry]]

DOCKERFILE = """\
FROM base:1 AS runtime
RUN install
RUN configure
COPY app /app
FROM scratch
COPY --from=runtime / /
"""


def _file(path: str, size: int, mtime: int = 7) -> Entry:
    return Entry(path=path, kind=Kind.FILE, size=size, mode=0o644, mtime=mtime)


def _image(name: str, layers: Sequence[Made], *, transfers: Sequence[int] = ()) -> Image:
    """An image of layers, each with what its history says; equal layers have equal diff IDs."""
    made = []
    for index, (text, entries) in enumerate(layers):
        number = f"{hash((text, tuple(entries))) & (2**64 - 1):064x}"
        layer = Layer(diff_id=DiffId.parse(f"sha256:{number}"), table=FileTable.of(entries))
        if transfers:
            layer = replace(layer, digest=Digest.parse(f"sha256:{number}"), transfer=transfers[index])
        made.append(layer)
    return Image(
        reference=name,
        config_digest=Digest.parse(f"sha256:{'0' * 64}"),
        platform="linux/amd64",
        configuration=ImageConfiguration(),
        history=tuple(HistoryEntry(created_by=text) for text, _ in layers),
        layers=tuple(made),
    )


def _squash(stage: Image, *, transfer: int | None = None) -> Image:
    """The image that is a copy of all that is in `stage`."""
    files = {entry.path: entry for layer in stage.layers for entry in layer.table}
    transfers = [] if transfer is None else [transfer]
    return _image(
        f"{stage.reference}-squashed", [("COPY / / # buildkit", list(files.values()))], transfers=transfers
    )


def _stage(version: int = 1, *, configured: int = 1, app: int = 1, transfers: Sequence[int] = ()) -> Image:
    """The stage `runtime`; what is made anew has new times."""
    return _image(
        f"runtime:{version}",
        [
            ("ADD base in /", [_file("/bin/sh", 500), _file("/etc/os", 20)]),
            ("RUN install", [_file("/usr/lib/a", 4000), _file("/usr/lib/b", 100)]),
            ("RUN configure", [_file("/etc/a.conf", 30, mtime=configured)]),
            ("COPY app /app", [_file("/app/main.py", 200 + app, mtime=app)]),
        ],
        transfers=transfers,
    )


def _update(before: Image, after: Image, *, old: Image | None = None, new: Image | None = None) -> Update:
    """What is pulled for `after`; `old` and `new` are the stages that the two are squashes of."""
    recipe = parse(DOCKERFILE, "Dockerfile").recipe()
    sides = [side_of(dissect(before, squashed=old)), side_of(dissect(after, recipe, squashed=new))]
    return update(*sides)


def _layouts(found: Update) -> dict[Plan, Layout]:
    return {layout.plan: layout for layout in found.layouts}


def test_a_squash_takes_everything_and_its_stage_what_was_made_anew() -> None:
    old, new = _stage(1), _stage(2, app=5)
    found = _update(_squash(old), _squash(new), new=new)
    assert (found.bytes, len(found.pulled), found.kept, found.squashed) == (4855, 1, (), True)
    assert found.previous == "runtime:1-squashed"
    layouts = _layouts(found)
    assert (layouts[Plan.UNSQUASHED].bytes, layouts[Plan.UNSQUASHED].pulled) == (205, 1)
    assert (layouts[Plan.UNSQUASHED].layers, layouts[Plan.UNSQUASHED].estimated) == (4, True)
    exact = _layouts(_update(_squash(old), _squash(new), old=old, new=new))[Plan.UNSQUASHED]
    assert (exact.bytes, exact.pulled, exact.layers, exact.estimated) == (205, 1, 4, False)


def test_what_lies_on_top_of_a_change_is_made_anew_unless_each_instruction_has_a_layer_of_its_own() -> None:
    old = _stage(1)
    # The package changed; `RUN configure` runs again upon it, with the same outcome but for the time.
    layers = [list(layer.table) for layer in old.layers]
    layers[1][0] = _file("/usr/lib/a", 4001, mtime=9)
    texts = [entry.created_by for entry in old.history]
    new = _image("runtime:2", list(zip(texts, layers, strict=True)))
    layouts = _layouts(_update(_squash(old), _squash(new), new=new))
    assert (layouts[Plan.UNSQUASHED].bytes, layouts[Plan.UNSQUASHED].pulled) == (4131, 2)
    assert (layouts[Plan.PER_INSTRUCTION].bytes, layouts[Plan.PER_INSTRUCTION].pulled) == (4101, 1)


def test_what_is_gone_was_written_by_what_wrote_the_files_beside_it() -> None:
    new = _stage(2)
    layers = [list(layer.table) for layer in new.layers]
    texts = [entry.created_by for entry in new.history]
    layers[3].append(_file("/app/deep/er/gone.py", 9))
    old = _image("runtime:1", list(zip(texts, layers, strict=True)))
    layouts = _layouts(_update(_squash(old), _squash(new), new=new))
    assert (layouts[Plan.UNSQUASHED].bytes, layouts[Plan.UNSQUASHED].pulled) == (201, 1)


def test_sizes_are_those_of_blobs_where_they_are_known_and_in_proportion_where_not() -> None:
    old, new = _stage(1), _stage(2, app=5, transfers=(300, 2000, 20, 77))
    before, after = _squash(old, transfer=2400), _squash(new, transfer=2427)
    found = _update(before, after, old=_stage(1, transfers=(300, 2000, 20, 70)), new=new)
    assert (found.bytes, found.compressed, found.estimated) == (2427, True, False)
    layouts = _layouts(found)
    assert (layouts[Plan.UNSQUASHED].bytes, layouts[Plan.UNSQUASHED].estimated) == (77, False)
    unknown = _layouts(_update(before, after, new=_stage(2, app=5)))
    # Half of what it is unpacked, as all of the image.
    assert unknown[Plan.UNSQUASHED].bytes == round(205 * 2427 / 4855)
    assert unknown[Plan.PER_INSTRUCTION].bytes == unknown[Plan.UNSQUASHED].bytes


def test_without_the_stage_files_go_together_by_their_owners() -> None:
    old, new = _stage(1), _stage(2, app=5)
    found = _update(_squash(old), _squash(new))
    layouts = _layouts(found)
    assert set(layouts) == {Plan.PER_OWNER}
    assert (layouts[Plan.PER_OWNER].bytes, layouts[Plan.PER_OWNER].pulled) == (205, 1)
    assert layouts[Plan.PER_OWNER].estimated


def test_an_image_that_is_no_squash_has_one_layout() -> None:
    old, new = _stage(1), _stage(2, app=5)
    found = update(side_of(dissect(old)), side_of(dissect(new)))
    assert (found.bytes, found.squashed, found.layouts) == (205, False, ())
    same = _update(_squash(old), _squash(old), new=old)
    assert (same.bytes, same.squashed, same.layouts) == (0, False, ())


@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=6), data=st.data())
def test_what_is_concluded_from_the_files_is_what_the_stages_show(sizes: list[int], data: Any) -> None:
    """Each RUN writes a file of its own, and may hide those of others; what follows a change is made anew."""
    first = data.draw(st.integers(0, len(sizes) - 1))
    hides = data.draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes)))

    def stage(name: str, changed: int) -> Image:
        layers = []
        for number, size in enumerate(sizes):
            time = 9 if number >= changed else 7
            entries = [_file(f"/{number}/own", size, time)]
            if hides[number]:
                entries.append(_file("/shared", size, time))
            layers.append((f"RUN {number}", entries))
        return _image(name, layers)

    old, new = stage("old", len(sizes)), stage("new", first)
    exact = _layouts(_update(_squash(old), _squash(new), old=old, new=new))[Plan.UNSQUASHED]
    guess = _layouts(_update(_squash(old), _squash(new), new=new))[Plan.UNSQUASHED]
    assert (guess.bytes, guess.pulled, guess.layers) == (exact.bytes, exact.pulled, exact.layers)
    assert exact.bytes == sum(
        size * (1 + hide) for size, hide in list(zip(sizes, hides, strict=True))[first:]
    )


def test_an_image_that_is_not_the_stage_is_refused_and_what_is_not_in_it_is_counted() -> None:
    stage = _stage(1)
    with pytest.raises(Unavailable, match=r"is no squash: none of its layers is a copy of a whole stage"):
        dissect(stage, squashed=_stage(2))
    other = _image("other:1", [("ADD base in /", [_file("/bin/sh", 500), _file("/etc/os", 20)])])
    message = r"other:1 is not the stage that .*: of its 6 files \(4\.9 kB\) 2 \(520 B\) are there"
    with pytest.raises(Unavailable, match=message):
        dissect(_squash(stage), squashed=other)
    found = dissect(_squash(_stage(1, app=30)), squashed=stage)
    (note,) = [note for note in found.notes if "of the squash" in note]
    assert note.startswith("1 file with 230 B of the squash is not in runtime:1 as they are here")
    assert found.attributed == pytest.approx(1 - 230 / 4880)


def test_an_image_of_one_layer_without_a_history_is_a_squash_of_the_stage_that_is_given() -> None:
    squashed = replace(_squash(_stage()), history=())
    found = dissect(squashed, squashed=_stage())
    assert found.attributed == 1.0
    assert found.shares[0].origin.text == "RUN install"
