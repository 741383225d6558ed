"""Layers on top of each other: each trap of the layer specification, and a plain model of all of them."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.calls import calls

from hullmark._contents.filesystem import overlay
from hullmark.model.digest import DiffId
from hullmark.model.image import Layer
from hullmark.model.table import Entry, FileTable, Kind

if TYPE_CHECKING:
    from hullmark.model.filesystem import FileSystem


def _file(path: str, size: int = 1) -> Entry:
    return Entry(path=path, kind=Kind.FILE, size=size)


def _directory(path: str) -> Entry:
    return Entry(path=path, kind=Kind.DIRECTORY)


def _gone(path: str) -> Entry:
    return Entry(path=path, kind=Kind.WHITEOUT)


def _opaque(path: str) -> Entry:
    return Entry(path=path, kind=Kind.OPAQUE)


def _symlink(path: str, text: str) -> Entry:
    return Entry(path=path, kind=Kind.SYMLINK, link=text)


def _hard(path: str, other: str) -> Entry:
    return Entry(path=path, kind=Kind.HARDLINK, link=other)


def _over(*layers: list[Entry], **captured: bytes) -> FileSystem:
    return overlay(
        [
            Layer(
                diff_id=DiffId.parse(f"sha256:{number:064x}"), table=FileTable.of(entries), captured=captured
            )
            for number, entries in enumerate(layers)
        ]
    )


def _shown(system: FileSystem) -> dict[str, tuple[int, int] | None]:
    """What is seen, as layer and row."""
    return {
        **{path: system.place(number) for path, number in system.visible.items()},
        **dict.fromkeys(system.implied),
    }


def _masked(system: FileSystem) -> list[tuple[str, tuple[int, int]]]:
    return [(system.path(each.number), system.place(each.by)) for each in system.masked()]


@pytest.mark.parametrize("whiteout_first", [True, False])
def test_a_whiteout_acts_on_lower_layers_whatever_its_place_in_the_archive(*, whiteout_first: bool) -> None:
    upper = [_gone("/a"), _file("/a", 5)] if whiteout_first else [_file("/a", 5), _gone("/a")]
    system = _over([_file("/a", 3)], upper)
    assert system.size("/a") == 5
    assert (system.unpacked, system.visible_bytes, system.masked_bytes) == (8, 5, 3)


def test_a_whiteout_of_a_directory_takes_all_below_it_and_nothing_that_only_starts_alike() -> None:
    lower = [
        _directory("/d"),
        _file("/d/a"),
        _directory("/d/e"),
        _file("/d/e/b"),
        _file("/d-e"),
        _file("/dd"),
    ]
    system = _over(lower, [_gone("/d")])
    assert sorted(system.visible) == ["/d-e", "/dd"]
    assert _masked(system) == [("/d/a", (1, 0)), ("/d/e/b", (1, 0))]


def test_a_whiteout_and_a_new_directory_in_one_layer_leave_what_the_layer_holds() -> None:
    system = _over([_directory("/d"), _file("/d/a")], [_directory("/d"), _file("/d/b"), _gone("/d")])
    assert _shown(system) == {"/d": (1, 0), "/d/b": (1, 1)}


@pytest.mark.parametrize("opaque_at", [0, 1, 2])
def test_an_opaque_directory_hides_lower_descendants_and_keeps_its_own(opaque_at: int) -> None:
    upper = [_directory("/d"), _file("/d/new")]
    upper.insert(opaque_at, _opaque("/d"))
    system = _over([_directory("/d"), _file("/d/a"), _directory("/d/e"), _file("/d/e/b")], upper)
    assert sorted(system.visible) == ["/d", "/d/new"]


def test_an_opaque_root_hides_every_lower_layer() -> None:
    system = _over(
        [_directory("/"), _directory("/d"), _file("/d/a"), _file("/b")], [_opaque("/"), _file("/c")]
    )
    assert _shown(system) == {"/": (0, 0), "/c": (1, 1)}
    assert system.visible_bytes == 1


def test_a_file_in_place_of_a_directory_hides_what_was_below() -> None:
    system = _over([_directory("/d"), _file("/d/a", 7)], [_file("/d", 2)])
    assert _shown(system) == {"/d": (1, 0)}
    assert _masked(system) == [("/d/a", (1, 0))]


def test_a_directory_in_place_of_a_file_hides_the_file_and_not_what_an_older_layer_held() -> None:
    system = _over([_directory("/d"), _file("/d/a")], [_file("/d")], [_directory("/d"), _file("/d/b")])
    assert sorted(system.visible) == ["/d", "/d/b"]


def test_directories_merge_and_the_newest_describes_them() -> None:
    system = _over([_directory("/d"), _file("/d/a")], [_directory("/d"), _file("/d/b")])
    assert _shown(system) == {"/d": (1, 0), "/d/a": (0, 1), "/d/b": (1, 1)}


def test_the_later_of_two_entries_of_one_archive_counts() -> None:
    system = _over([_file("/a", 3), _file("/a", 4)])
    assert _shown(system) == {"/a": (0, 1)}
    assert (system.visible_bytes, system.masked_bytes) == (4, 3)


def test_a_directory_that_no_entry_describes_is_there_and_replaces_a_file_of_a_lower_layer() -> None:
    system = _over([_file("/a", 3)], [_file("/a/b/c")])
    assert _shown(system) == {"/a": None, "/a/b": None, "/a/b/c": (1, 0)}
    assert system.kind("/a") is Kind.DIRECTORY
    assert _masked(system) == [("/a", (1, 0))]


def test_a_file_in_place_of_a_directory_that_no_entry_describes_hides_what_is_below() -> None:
    system = _over([_file("/a/b/c", 3)], [_file("/a")], [_file("/x/y"), _file("/x")])
    assert _shown(system) == {"/a": (1, 0), "/x": (2, 1)}


def test_files_below_a_link_of_a_lower_layer_replace_the_link_as_the_kernel_shows_them() -> None:
    system = _over(
        [_directory("/usr/lib"), _symlink("/lib", "usr/lib"), _file("/usr/lib/a")], [_file("/lib/b")]
    )
    assert system.kind("/lib") is Kind.DIRECTORY
    assert system.resolve("/lib/a") is None
    assert system.resolve("/lib/b") == "/lib/b"


def test_files_below_a_link_of_the_same_layer_are_where_the_link_leads() -> None:
    system = _over([_symlink("/lib", "usr/lib"), _file("/lib/b", 4), _directory("/lib/d"), _file("/lib/d/e")])
    assert sorted(system.visible) == ["/lib", "/usr/lib/b", "/usr/lib/d", "/usr/lib/d/e"]
    assert system.path(1) == "/usr/lib/b"
    assert sorted(system.listing("/usr/lib")) == ["/usr/lib/b", "/usr/lib/d"]
    hidden = _over([_symlink("/lib", "usr/lib"), _file("/lib/b", 4)], [_gone("/usr")])
    assert sorted(hidden.visible) == ["/lib"]


def test_a_link_that_leads_round_is_replaced_by_the_directory_that_lies_below_it() -> None:
    system = _over([_symlink("/a", "b"), _symlink("/b", "a"), _file("/a/c")])
    assert system.visible_bytes == 1


def test_a_hard_link_counts_once_and_keeps_the_bytes_when_the_first_name_goes() -> None:
    lower = [_file("/a", 10), _hard("/b", "/a"), _hard("/c", "/b")]
    assert _over(lower).visible_bytes == 10
    kept = _over(lower, [_gone("/a")])
    assert (kept.visible_bytes, kept.size("/b"), list(kept.masked())) == (10, 10, [])
    lost = _over(lower, [_gone("/a")], [_file("/b", 2), _gone("/c")])
    assert (lost.visible_bytes, lost.masked_bytes) == (2, 10)
    assert _masked(lost) == [("/a", (2, 1))]


def test_a_hard_link_names_a_file_of_a_lower_layer_also_one_that_its_layer_removes() -> None:
    below = [_directory("/d"), _file("/d/a", 10)]
    assert _over(below, [_hard("/b", "/d/a")]).size("/b") == 10
    for removed in ("/d/a", "/d"):
        renamed = _over(below, [_hard("/b", "/d/a"), _gone(removed)])
        assert (renamed.size("/b"), renamed.visible_bytes, renamed.masked_bytes) == (10, 10, 0)


def test_a_hard_link_to_nothing_to_itself_or_to_a_directory_has_no_bytes() -> None:
    system = _over([_hard("/a", "/none"), _hard("/b", "/b"), _directory("/d"), _hard("/e", "/d")])
    assert system.visible_bytes == system.unpacked == 0
    assert system.kind("/a") is Kind.HARDLINK


def test_a_hard_link_that_stands_before_its_file_is_found() -> None:
    assert _over([_hard("/b", "/a"), _file("/a", 4)]).size("/b") == 4


def test_a_hard_link_to_a_symbolic_link_is_one() -> None:
    system = _over([_file("/f", 3), _symlink("/s", "f"), _hard("/t", "/s")])
    assert system.kind("/t") is Kind.SYMLINK
    assert system.resolve("/t") == "/f"


def test_the_root_stays_a_directory() -> None:
    system = _over([_file("/", 5), _file("/a", 1)])
    assert _shown(system) == {"/a": (0, 1)}
    assert system.masked_bytes == 5


def test_what_was_captured_is_found_through_names_and_not_once_it_is_replaced() -> None:
    name = {"/a": b"kept"}
    lower = Layer(
        diff_id=DiffId.parse("sha256:" + "0" * 64),
        table=FileTable.of([_file("/a", 4), _hard("/b", "/a")]),
        captured=name,
    )
    upper = Layer(diff_id=DiffId.parse("sha256:" + "1" * 64), table=FileTable.of([_symlink("/a", "b")]))
    assert overlay([lower]).captured("/b") == b"kept"
    replaced = overlay([lower, upper])
    assert replaced.captured("/a") is None
    assert replaced.captured("/b") == b"kept"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/lib/x", "/usr/lib/x"),
        ("/usr/lib/x", "/usr/lib/x"),
        ("/lib/../lib/./x", "/usr/lib/x"),
        ("/up", "/usr/lib/x"),
        ("/chain/x", "/usr/lib/x"),
        ("/out", "/usr/lib/x"),
        ("/lib", "/usr/lib"),
        ("/", "/"),
        ("/..", "/"),
        ("/loop", None),
        ("/self/x", None),
        ("/usr/lib/x/y", None),
        ("/nothing", None),
        ("/dangling", None),
        ("/long", None),
    ],
)
def test_paths_resolve_as_in_a_process(path: str, expected: str | None) -> None:
    system = _over(
        [
            _file("/usr/lib/x"),
            _symlink("/lib", "usr/lib"),
            _symlink("/up", "usr/../usr/lib/x"),
            _symlink("/chain", "/lib"),
            _symlink("/out", "../../../usr/lib/x"),
            _symlink("/loop", "loop2"),
            _symlink("/loop2", "/loop"),
            _symlink("/self", "self/self"),
            _symlink("/dangling", "none"),
            _symlink("/long", "a" * 5000),
        ]
    )
    assert system.resolve(path) == expected


def test_a_link_can_be_asked_for_itself() -> None:
    system = _over([_file("/usr/lib/x"), _symlink("/usr/lib/y", "x"), _symlink("/lib", "usr/lib")])
    assert system.resolve("/lib/y", last=False) == "/usr/lib/y"
    assert system.resolve("/lib/y") == "/usr/lib/x"
    assert system.link("/lib") == "usr/lib"


@dataclass
class _Node:
    """One name in the plain model."""

    place: tuple[int, int] | None
    kind: Kind
    text: str = ""
    inside: dict[str, _Node] = field(default_factory=dict)


class _Model:
    """A file system as nested dictionaries, one entry after the other."""

    def __init__(self) -> None:
        self.root = _Node(None, Kind.DIRECTORY)

    def apply(self, layer: int, entries: list[Entry]) -> None:
        for entry in entries:
            parts = entry.path.strip("/").split("/")
            if entry.kind is Kind.WHITEOUT:
                inside = self._walk(parts[:-1])
                inside.pop(parts[-1], None)
            elif entry.kind is Kind.OPAQUE:
                self._walk(parts).clear()
        for row, entry in enumerate(entries):
            parts = entry.path.strip("/").split("/")
            if entry.kind is Kind.OPAQUE:
                self._down(parts, layer)
                continue
            inside = self._down(parts[:-1], layer).inside
            if entry.kind is Kind.WHITEOUT:
                continue
            new = _Node((layer, row), entry.kind, entry.link)
            old = inside.get(parts[-1])
            if old is not None and old.kind is new.kind is Kind.DIRECTORY:
                new.inside = old.inside
            inside[parts[-1]] = new

    def _walk(self, parts: list[str]) -> dict[str, _Node]:
        node = self.root
        for part in parts:
            node = node.inside.get(part) or _Node(None, Kind.FILE)
        return node.inside

    def _down(self, parts: list[str], layer: int, hops: int = 0) -> _Node:
        """The directory to extract into, made where it is missing."""
        node = self.root
        for at, part in enumerate(parts):
            there = node.inside.get(part)
            if (
                there is not None
                and there.kind is Kind.SYMLINK
                and (there.place or (-1,))[0] == layer
                and hops < 5
            ):
                target = there.text.strip("/").split("/")
                return self._down([*target, *parts[at + 1 :]], layer, hops + 1)
            if there is None or there.kind is not Kind.DIRECTORY:
                there = node.inside[part] = _Node(None, Kind.DIRECTORY)
            node = there
        return node

    def shown(self) -> dict[str, tuple[int, int] | None]:
        found = dict[str, tuple[int, int] | None]()

        def visit(node: _Node, path: str) -> None:
            for name, child in node.inside.items():
                found[f"{path}/{name}"] = child.place
                visit(child, f"{path}/{name}")

        visit(self.root, "")
        return found


_PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
# What links lead to is never a link itself: loops have a test of their own.
_ENTRIES = st.one_of(
    _PATHS.map(_file),
    _PATHS.map(_directory),
    _PATHS.map(_gone),
    _PATHS.map(_opaque),
    st.tuples(_PATHS, st.sampled_from(["/z", "/z/y"])).map(lambda pair: _symlink(*pair)),
)
_LAYERS = st.lists(st.lists(_ENTRIES, max_size=8), min_size=1, max_size=4)


@given(_LAYERS)
def test_the_fast_way_shows_what_the_plain_model_shows(layers: list[list[Entry]]) -> None:
    model = _Model()
    for number, entries in enumerate(layers):
        model.apply(number, entries)
    system = _over(*layers)
    assert _shown(system) == model.shown()


_LINKED = st.one_of(_ENTRIES, st.tuples(_PATHS, _PATHS).map(lambda pair: _hard(*pair)))


@given(st.lists(st.lists(_LINKED, max_size=8), min_size=1, max_size=4))
def test_every_byte_is_visible_or_masked_and_every_path_stands_on_directories(
    layers: list[list[Entry]],
) -> None:
    system = _over(*layers)
    assert system.visible_bytes + sum(each.size for each in system.masked()) == system.unpacked
    reachable = {system.inode(number) for number in system.visible.values()}
    assert system.visible_bytes == sum(system.sizes[number] for number in reachable)
    assert {each.number for each in system.masked()}.isdisjoint(reachable)
    for path, number in system.visible.items():
        assert system.hidden_by[number] == -1
        assert system.path(number) == path
        assert system.resolve(path, last=False) == path
        parent = path[: path.rfind("/")]
        assert system.kind(parent or "/") is Kind.DIRECTORY
        assert path in set(system.listing(parent or "/"))


@given(_LAYERS)
def test_listings_together_show_everything_once(layers: list[list[Entry]]) -> None:
    system = _over(*layers)
    found, todo = list[str](), ["/"]
    while todo:
        here = list(system.listing(todo.pop()))
        found += here
        todo += [path for path in here if system.kind(path) is Kind.DIRECTORY]
    assert sorted(found) == sorted([*system.visible, *system.implied])


def _many(layers_: int) -> list[list[Entry]]:
    layers = []
    for layer in range(layers_):
        entries = [_gone(f"/usr/lib/x{layer - 1}/d3")] if layer else []
        for at in range(500):
            directory = f"/usr/lib/x{layer}/d{at % 37}/e{at}"
            entries.append(_directory(directory))
            entries += [_file(f"{directory}/module-{name}.py", name) for name in range(19)]
        layers.append(entries)
    return layers


def _layers(count: int) -> list[Layer]:
    return [
        Layer(diff_id=DiffId.parse(f"sha256:{number:064x}"), table=FileTable.of(entries))
        for number, entries in enumerate(_many(count))
    ]


def test_overlaying_grows_with_the_entries_and_no_faster() -> None:
    few, many = _layers(3), _layers(12)
    entries = sum(len(layer.table) for layer in few)
    once = calls(lambda: overlay(few), most=4 * entries)
    # Four times as many entries.
    calls(lambda: overlay(many), most=round(4.3 * once))


def test_a_hundred_and_twenty_thousand_entries_take_little_memory() -> None:
    layers = _layers(12)
    tracemalloc.start()
    system = overlay(layers)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(system.visible) > 110_000
    assert held < 40_000_000


def test_a_path_a_million_directories_deep_costs_nothing_for_each_of_them() -> None:
    deep = "/a" * 500_000
    layer = [_file(f"{deep}/{name}") for name in range(20)]
    calls(lambda: _over(layer), most=250_000)
    assert _over(layer).visible_bytes == 20
