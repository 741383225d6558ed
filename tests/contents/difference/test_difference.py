"""Two images side by side: what is the same is not mentioned, and figures add up."""

from __future__ import annotations

import json
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._contents.attribution import attribute
from hullmark._contents.difference import contents, difference
from hullmark._contents.filesystem import overlay
from hullmark._contents.kept import contents_in, report_named
from hullmark._reporters.diff import text
from hullmark._reporters.interface import Style
from hullmark.errors import ConfigurationError
from hullmark.model.difference import Aspect
from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import HealthCheck, HistoryEntry, Image, ImageConfiguration, Layer
from hullmark.model.owner import Owner, OwnerKind, Ownership
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullmark.model.difference import Contents, Difference, Update

    Made = tuple[str, Sequence[Entry]]


def _file(path: str, size: int = 1, **others: Any) -> Entry:
    return Entry(path=path, kind=Kind.FILE, size=size, **{"mode": 0o644, **others})


def _image(
    *layers: Made, configuration: ImageConfiguration | None = None, digests: bytes | None = None
) -> Image:
    """An image of layers, each with the step that made it; layers of equal steps and entries are the same."""
    return Image(
        reference="x:1",
        config_digest=Digest.parse(f"sha256:{'0' * 64}"),
        platform="linux/amd64",
        configuration=configuration or ImageConfiguration(),
        history=tuple(HistoryEntry(created_by=text) for text, _ in layers),
        layers=tuple(
            Layer(
                diff_id=DiffId.parse(f"sha256:{hash((text, tuple(entries))) % 16**16:064x}"),
                table=FileTable.of(list(entries), digests),
            )
            for text, entries in layers
        ),
    )


def _contents(image: Image) -> Contents:
    """With owners by the first two letters of the name of a file: package and version."""
    files = overlay(image.layers)
    owners: dict[Owner, int] = {}
    rows = array("i")
    for path, kind in zip(files.paths, files.kinds, strict=True):
        if kind in {Kind.DIRECTORY, Kind.WHITEOUT, Kind.OPAQUE}:
            rows.append(-1)
            continue
        name = path.rpartition("/")[2]
        owner = Owner(kind=OwnerKind.PYTHON, name=name[0], version=name[1:2])
        rows.append(owners.setdefault(owner, len(owners)))
    ownership = Ownership(owners=tuple(owners), rows=rows, packages=(), notes=())
    return contents(image, files, ownership, attribute(image))


def _difference(before: Image, after: Image) -> Difference:
    return difference(_contents(before), _contents(after))


BASE: Made = ("ADD base", [_file("/b1", 100)])


def test_layers_are_told_by_their_diff_ids() -> None:
    found = _difference(
        _image(BASE, ("RUN old", [_file("/o1", 5)]), BASE),
        _image(BASE, ("RUN new", [_file("/n1", 7)])),
    )
    assert [layer.text for layer in found.layers.shared] == ["ADD base"]
    assert [layer.text for layer in found.layers.removed] == ["RUN old", "ADD base"]
    assert [(layer.text, layer.unpacked) for layer in found.layers.added] == [("RUN new", 7)]


def test_files_are_compared_by_everything_that_a_container_sees() -> None:
    def link(text: str) -> Entry:
        return Entry(path="/link", kind=Kind.SYMLINK, link=text)

    before = _image(
        BASE,
        (
            "RUN one",
            [
                *(_file("/gone", 3), _file("/size", 1), _file("/mode"), _file("/owner"), link("a")),
                *(_file("/same"), _file("/kind", 4), Entry(path="/same-link", kind=Kind.SYMLINK, link="b")),
            ],
        ),
    )
    after = _image(
        BASE,
        (
            "RUN two",
            [
                *(_file("/new", 2), _file("/size", 2), _file("/mode", mode=0o755), _file("/owner", uid=5)),
                *(link("b"), _file("/same"), Entry(path="/kind", kind=Kind.DIRECTORY)),
                Entry(path="/same-link", kind=Kind.SYMLINK, link="b", mode=0o777),
            ],
        ),
    )
    assert [
        (change.path, change.before, change.after, set(change.aspects))
        for change in _difference(before, after).files or ()
    ] == [
        ("/gone", 3, None, set()),
        ("/kind", 4, 0, {Aspect.KIND}),
        ("/link", 0, 0, {Aspect.TARGET}),
        ("/mode", 1, 1, {Aspect.MODE}),
        ("/new", None, 2, set()),
        ("/owner", 1, 1, {Aspect.OWNER}),
        ("/size", 1, 2, {Aspect.SIZE}),
    ]


def test_contents_are_compared_where_they_were_read() -> None:
    one, two = b"1" * 16, b"2" * 16
    entries = [_file("/a", 3)]
    before, after = _image(("RUN one", entries), digests=one), _image(("RUN two", entries), digests=two)
    [change] = _difference(before, after).files or ()
    assert change.aspects == {Aspect.CONTENT}
    unread = _image(("RUN two", entries))
    assert _difference(before, unread).files == ()


def test_every_setting_of_the_configuration_is_compared() -> None:
    before = ImageConfiguration(
        user="root",
        environment=(("A", "1"), ("B", "2")),
        labels=(("version", "1"),),
        health_check=HealthCheck(test=("CMD", "true"), interval=10),
        entrypoint=("run it",),
        command=("x",),
        ports=("80/tcp",),
        volumes=("/data",),
        working_directory="/app",
        stop_signal="SIGINT",
    )
    after = ImageConfiguration(
        user="app",
        environment=(("A", "2"),),
        labels=(("version", "1"), ("new", "")),
        health_check=HealthCheck(test=("CMD", "true"), interval=30),
        command=("x", "y"),
        ports=("80/tcp", "81/tcp"),
        working_directory="/srv",
    )
    found = _difference(_image(BASE, configuration=before), _image(BASE, configuration=after))
    assert [(change.name, change.before, change.after) for change in found.settings or ()] == [
        ("Cmd", "'x'", "'x' 'y'"),
        ("Entrypoint", "'run it'", None),
        ("Env.A", "1", "2"),
        ("Env.B", "2", None),
        ("ExposedPorts.81/tcp", None, "exposed"),
        ("Healthcheck.Interval", "10", "30"),
        ("Labels.new", None, ""),
        ("StopSignal", "SIGINT", None),
        ("User", "root", "app"),
        ("Volumes./data", "declared", None),
        ("WorkingDir", "/app", "/srv"),
    ]


def test_a_report_shows_both_values_of_a_setting_and_the_ends_of_paths_however_long_they_are() -> None:
    long = (
        "uvicorn",
        "--app-dir",
        "/srv/application/source",
        "--host",
        "10.0.0.1",
        "--proxy-headers",
        "main:app",
    )
    path = f"/usr/lib/{'x' * 80}/site-packages/module.py"
    before = _image(
        BASE, configuration=ImageConfiguration(command=("sh", *long[1:]), user="a", entrypoint=long)
    )
    after = _image(
        BASE,
        ("RUN more", [_file(path, 9)]),
        configuration=ImageConfiguration(command=long[:-2], user="b", entrypoint=(*long[:-1], "main:new")),
    )
    lines = "".join(text(_difference(before, after), Style(), top=9)).splitlines()
    assert max(map(len, lines[1:])) <= Style().width
    settings = lines[lines.index("configuration") + 1 :][:5]
    assert settings[0].startswith("  Cmd: 'sh' '--app-dir' ")
    assert settings[1].startswith("    -> 'uvicorn' '--app-dir' ")
    assert settings[2].startswith("  Entrypoint: ...")
    assert settings[2].endswith("'main:app'")
    assert settings[3].startswith("    -> ...")
    assert settings[3].endswith("'main:new'")
    assert settings[4] == "  User: a -> b"
    assert "+9 B  /usr/lib/x" in lines[-1]
    assert lines[-1].endswith("x/site-packages/module.py added")


def test_values_of_secrets_are_not_shown_and_that_they_changed_is() -> None:
    def configuration(password: str, *argument: str) -> ImageConfiguration:
        return ImageConfiguration(
            environment=(("DB_PASSWORD", password), ("MODE", "a")), command=("run", *argument)
        )

    one, two = "hunter2-of-the-test", "orange3-of-the-test"
    before = configuration(one, f"postgres://app:{one}@db/x")
    after = configuration(two, f"postgres://app:{two}@db/x")
    found = _difference(_image(BASE, configuration=before), _image(BASE, configuration=after))
    assert [change.name for change in found.settings or ()] == ["Cmd", "Env.DB_PASSWORD"]
    for change in found.settings or ():
        assert change.before != change.after
        assert one not in str(change.before)
        assert two not in str(change.after)
    short = _difference(
        _image(BASE, configuration=configuration("one")), _image(BASE, configuration=configuration("two"))
    )
    assert [(each.before, each.after) for each in short.settings or ()] == [("...", "... (another value)")]


def test_why_it_grew_names_owners_and_instructions_and_adds_up() -> None:
    before = _image(BASE, ("RUN install", [_file("/n1", 1000), _file("/g1", 50), _file("/s1", 500)]))
    after = _image(
        BASE,
        ("RUN install", [_file("/n2", 9000), _file("/s1", 100)]),
        ("COPY models", [_file("/m1", 5000), _file("/x1", 30), _file("/y1", 20), _file("/n3", 1)]),
    )
    found = _difference(before, after)
    assert found.why == (
        "Its visible size grew by 12.6 kB: n 1 -> 2, 3 (python) +8.0 kB through `RUN install`, m 1 (python) +5.0 kB through "
        "`COPY models`, x 1 (python) +30 B through `COPY models`, 3 others -430 B."
    )
    assert found.owners is not None
    assert {owner.name: owner.delta for owner in found.owners} == {
        "n": 8001,
        "m": 5000,
        "s": -400,
        "g": -50,
        "x": 30,
        "y": 20,
    }
    assert [owner.name for owner in found.owners if owner.upgraded] == ["n"]
    [gone] = [owner for owner in found.owners if owner.name == "g"]
    assert (gone.text, gone.after) == ("RUN install", ())
    back = _difference(after, before)
    assert back.why.startswith(
        "Its visible size shrank by 12.6 kB: n 2, 3 -> 1 (python) -8.0 kB through `RUN install`, "
    )


def test_what_a_saved_report_tells_is_compared() -> None:
    image = _image(BASE, ("RUN two", [_file("/n2", 9000)]))
    entry = {
        "reference": "x:0",
        "digest": None,
        "platform": "linux/amd64",
        "size": {"transfer": None, "unpacked": 300, "visible": 150, "masked": 150},
        "layers": [
            {
                "diff_id": str(image.layers[0].diff_id),
                "digest": None,
                "unpacked": 100,
                "instruction": "ADD base",
            }
        ],
        "owners": [
            {"kind": "python", "name": "b", "version": "1", "bytes": 100, "files": 1},
            {"kind": "python", "name": "n", "version": "1", "bytes": 50, "files": 1},
        ],
    }
    found = difference(_kept(entry), _contents(image))
    assert found.why == (
        "Its visible size grew by 8.9 kB (+8.8 kB unpacked): n 1 -> 2 (python) +8.9 kB through `RUN two`."
    )
    assert found.files is None
    assert found.settings is None
    note = "\nconfiguration: not known on the {} side\n"
    assert note.format("left") in "".join(text(found, Style(), top=9))
    back = difference(_contents(image), _kept(entry))
    assert note.format("right") in "".join(text(back, Style(), top=9))
    kept = "".join(text(difference(_kept(entry), _kept(entry)), Style(), top=9))
    assert "\nconfiguration: not known on either side\n" in kept
    assert "configuration" not in "".join(text(_difference(image, image), Style(), top=9))
    assert [layer.text for layer in found.layers.shared] == ["ADD base"]
    without = _kept({**entry, "owners": []})
    assert difference(without, _contents(image)).owners is None
    assert difference(without, _contents(image)).why == (
        "Its unpacked size grew by 8.8 kB; whose bytes these are is not known on both sides."
    )


@pytest.mark.parametrize("entry", [None, {}, {"reference": "x", "size": {}}, {"reference": 1}])
def test_what_is_no_entry_of_a_report_is_refused(entry: object) -> None:
    with pytest.raises(ConfigurationError, match=r"report\.json: not a report"):
        _kept(entry)


def _kept(entry: object) -> Contents:
    report = {"schema": "hullmark/report/1", "images": {"x": entry}}
    return contents_in(json.dumps(report).encode(), "report.json", "x")


_FILES = st.lists(
    st.builds(
        _file,
        st.sampled_from(["/a1", "/a2", "/b1", "/c/d1", "/c/e1"]),
        st.integers(0, 3000),
        mode=st.sampled_from([0o644, 0o755]),
        uid=st.integers(0, 1),
    )
    | st.builds(Entry, path=st.sampled_from(["/a1", "/c"]), kind=st.just(Kind.WHITEOUT)),
    max_size=5,
)
_IMAGES = st.lists(st.tuples(st.sampled_from(["RUN one", "RUN two"]), _FILES), max_size=4).map(
    lambda layers: _image(*layers)
)


@given(_IMAGES)
def test_an_image_does_not_differ_from_itself(image: Image) -> None:
    found = _difference(image, image)
    assert found.empty
    assert (found.files, found.owners, found.settings) == ((), (), ())
    assert found.why == "Its visible files take as much space as before."


@given(_IMAGES, _IMAGES)
def test_the_way_back_undoes_the_difference(one: Image, two: Image) -> None:
    there, back = _difference(one, two), _difference(two, one)
    assert [(total.name, total.before) for total in there.totals] == [
        (total.name, total.after) for total in back.totals
    ]
    assert {(change.path, change.before, change.after, change.aspects) for change in there.files or ()} == {
        (change.path, change.after, change.before, change.aspects) for change in back.files or ()
    }
    assert {(owner.name, owner.delta, owner.before, owner.after) for owner in there.owners or ()} == {
        (owner.name, -owner.delta, owner.after, owner.before) for owner in back.owners or ()
    }
    assert there.empty == back.empty
    visible = there.total("visible").delta
    assert sum(owner.delta for owner in there.owners or ()) == visible
    assert sum(change.delta for change in there.files or ()) == visible  # there are no hard links among them


def _update(before: Image, after: Image) -> Update:
    """What a host that has `before` must pull for `after`."""
    return _difference(before, after).update


def _blob(image: Image, *blobs: tuple[str, int] | None) -> Image:
    """The image with the blobs of its layers: the first digit of the digest, and bytes."""
    return replace(
        image,
        layers=tuple(
            layer
            if blob is None
            else replace(layer, digest=Digest.parse(f"sha256:{blob[0] * 64}"), transfer=blob[1])
            for layer, blob in zip(image.layers, blobs, strict=True)
        ),
    )


def test_an_update_pulls_the_blobs_that_are_not_there() -> None:
    new: Made = ("RUN new", [_file("/n1", 7000)])
    before, after = _image(BASE), _image(BASE, new, new)
    found = _update(_blob(before, ("a", 40)), _blob(after, ("a", 40), ("b", 3000), ("b", 3000)))
    assert (found.bytes, found.compressed, len(found.kept), len(found.pulled)) == (3000, True, 1, 1)
    again = _update(_blob(before, ("a", 40)), _blob(after, ("c", 41), ("b", 3000), ("b", 3000)))
    assert again.bytes == 3041  # compressed anew, the base is another blob
    unknown = _update(before, _blob(after, ("a", 40), None, None))
    assert (unknown.bytes, unknown.compressed) == (7000, False)


def test_an_update_of_a_squashed_image_pulls_everything() -> None:
    old, new = _image(("COPY / /", [_file("/all", 1000)])), _image(("COPY / /", [_file("/all", 1010)]))
    assert _update(old, new).bytes == 1010
    assert _update(new, new).bytes == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.json", ("report.json", None)),
        ("kept/1.4.json:web", ("kept/1.4.json", "web")),
        ("a.json:b.json:web", ("a.json:b.json", "web")),
        ("report.json:", ("report.json", "")),
        ("docker:web:1.4", None),
        ("web", None),
    ],
)
def test_a_kept_report_is_named_by_its_file_and_where_there_are_several_the_service(
    name: str, expected: tuple[str, str | None] | None
) -> None:
    assert report_named(name) == expected


def test_what_hullmark_notes_in_a_label_is_no_setting() -> None:
    one, two = (
        ImageConfiguration(labels=(("io.hullmark.inputs", value), ("a", value))) for value in ("1", "2")
    )
    found = difference(_contents(_image(configuration=one)), _contents(_image(configuration=two)))
    assert [each.name for each in found.settings or ()] == ["Labels.a"]


@pytest.mark.parametrize(("second", "text"), [("COPY b", ""), ("COPY a", "COPY a")])
def test_through_what_an_owner_grew_is_only_said_where_that_is_known(second: str, text: str) -> None:
    before = _contents(_image(("COPY a", [_file("ab1", 900)]), (second, [_file("ab2", 10)])))
    after = _contents(_image(("COPY a", [_file("ab1", 900)]), (second, [_file("ab2", 20)])))
    # A saved report tells how much an owner has, and not through what.
    assert before.holdings is not None
    (first, *others) = before.holdings
    summed = replace(first, text="", bytes=first.bytes + sum(each.bytes for each in others))
    found = difference(replace(before, holdings=(summed,)), after)
    assert [(each.delta, each.text) for each in found.owners or ()] == [(10, text)]
