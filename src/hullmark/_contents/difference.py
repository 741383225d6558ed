"""Two images side by side: sizes, configuration, layers, files and owners, and why one is larger."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Literal

from hullmark._contents.pulled import layer_sizes
from hullmark._contents.update import update
from hullmark._secrets.redaction import is_shown, shown
from hullmark._secrets.text import redacted
from hullmark._secrets.variables import hidden_in
from hullmark.model.difference import (
    Aspect,
    Contents,
    Difference,
    FileChange,
    Holding,
    LayerDifference,
    OwnerChange,
    SettingChange,
    Total,
)
from hullmark.model.owner import OwnerKind  # noqa: TC001  # msgspec reads the annotation
from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hullmark.model.attribution import Attribution
    from hullmark.model.difference import LayerSize
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.image import Image, ImageConfiguration
    from hullmark.model.owner import Ownership

_NOTED = ("io.hullmark.", "com.docker.compose.", "com.docker.buildx.")
"""How the labels begin that hullmark, Compose and buildx give an image of their own."""


def contents(
    image: Image,
    files: FileSystem,
    ownership: Ownership | None = None,
    attribution: Attribution | None = None,
) -> Contents:
    """The image as one side of a comparison; `files` is its final file system."""
    return Contents(
        reference=image.reference,
        unpacked=files.unpacked,
        visible=files.visible_bytes,
        transfer=image.transfer,
        configuration=image.configuration,
        layers=layer_sizes(image, None if attribution is None else attribution.steps),
        files=files,
        ownership=ownership,
        attribution=attribution,
        holdings=None if ownership is None else _holdings(files, ownership, attribution),
    )


def difference(before: Contents, after: Contents) -> Difference:
    """What changed from `before` to `after`."""
    return Difference(
        before=before.reference,
        after=after.reference,
        totals=(
            Total(name="transfer", before=before.transfer, after=after.transfer),
            Total(name="unpacked", before=before.unpacked, after=after.unpacked),
            Total(name="visible", before=before.visible, after=after.visible),
            Total(name="masked", before=_masked(before), after=_masked(after)),
        ),
        settings=_settings(before, after),
        layers=_layers(before.layers, after.layers),
        update=update(before, after),
        files=None
        if before.files is None or after.files is None
        else tuple(_files(before.files, after.files)),
        owners=None
        if before.holdings is None or after.holdings is None
        else _owners(before.holdings, after.holdings),
        unconfigured=tuple(_unconfigured(before, after)),
    )


def _unconfigured(before: Contents, after: Contents) -> Iterator[Literal["left", "right"]]:
    if _shown(before) is None:
        yield "left"
    if _shown(after) is None:
        yield "right"


def _masked(side: Contents) -> int | None:
    return None if side.visible is None else side.unpacked - side.visible


def _holdings(
    files: FileSystem, ownership: Ownership, attribution: Attribution | None
) -> tuple[Holding, ...]:
    ways = ownership.ways()
    origins = None if attribution is None else list(chain.from_iterable(attribution.rows))
    sizes: dict[tuple[int, int], list[int]] = {}
    for inode in {files.inode(number) for number in files.visible.values()}:
        if files.kinds[inode] != Kind.FILE:
            continue
        key = (ownership.rows[inode], -1 if origins is None else origins[inode])
        held = sizes.setdefault(key, [0, 0])
        held[0] += files.sizes[inode]
        held[1] += 1
    found = []
    for (row, number), (size, count) in sizes.items():
        owner = ownership.owners[row]
        text = "" if attribution is None else attribution.origins[number].chain[-1].text
        if attribution is not None and attribution.origins[number].base:
            text = attribution.origins[number].text
        found.append(
            Holding(
                kind=owner.kind,
                name=owner.name,
                version=owner.version,
                text=text,
                bytes=size,
                files=count,
                why=ways.get(owner, ()),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.bytes, each.kind, each.name, each.version, each.text)))


def _settings(before: Contents, after: Contents) -> tuple[SettingChange, ...] | None:
    if before.configuration is not None and after.configuration is not None:
        return tuple(_changed(_flat(before.configuration), _flat(after.configuration)))
    one, two = _shown(before), _shown(after)
    if one is None or two is None:
        return None
    return tuple(
        SettingChange(name=name, before=one.get(name), after=two.get(name))
        for name in sorted({*one, *two})
        if one.get(name) != two.get(name)
    )


def _shown(side: Contents) -> Mapping[str, str] | None:
    """The settings without secrets, which are all that a side has that was kept."""
    if side.configuration is not None:
        return dict(settings_of(side.configuration))
    if side.settings is None:
        return None
    # What was left out of a secret must not be left out of what is left. What an earlier version kept may hold labels
    # of tools.
    return {
        name: value if is_shown(value) else _told(name, value) or ""
        for name, value in side.settings
        if not noted(name.removeprefix("Labels."))
    }


def settings_of(configuration: ImageConfiguration) -> tuple[tuple[str, str], ...]:
    """Every setting that is set, by a name that tells it from all others, and without secrets; sorted."""
    told = ((name, _told(name, value)) for name, value in _flat(configuration).items())
    return tuple(sorted((name, value) for name, value in told if value is not None))


def noted(label: str) -> bool:
    """Whether a label is what a tool that built the image has noted in it."""
    return label.startswith(_NOTED)


def _changed(one: Mapping[str, str], two: Mapping[str, str]) -> Iterator[SettingChange]:
    for name in sorted({*one, *two}):
        if one.get(name) != two.get(name):
            old, new = _told(name, one.get(name)), _told(name, two.get(name))
            yield SettingChange(name=name, before=old, after=f"{new} (another value)" if new == old else new)


def _told(name: str, value: str | None) -> str | None:
    """`value` without the secrets in it: what is compared ends up in reports that people show around."""
    if value is None:
        return None
    kind, _, key = name.partition(".")
    secret = hidden_in(key, value) if kind in {"Env", "Labels"} else None
    return redacted(value) if secret is None else shown(secret)


def _flat(configuration: ImageConfiguration) -> dict[str, str]:
    """Every setting that is set, by a name that tells it from all others."""
    single = {
        "User": configuration.user,
        "WorkingDir": configuration.working_directory,
        "StopSignal": configuration.stop_signal,
    }
    lists = {"Entrypoint": configuration.entrypoint, "Cmd": configuration.command}
    found = {name: value for name, value in single.items() if value}
    found |= {name: " ".join(map(repr, words)) for name, words in lists.items() if words}
    found |= {f"Env.{name}": value for name, value in configuration.environment}
    # What the tools note is another text with every change and on every machine, and nobody's setting.
    labels = ((name, value) for name, value in configuration.labels if not noted(name))
    found |= {f"Labels.{name}": value for name, value in labels}
    found |= {f"ExposedPorts.{port}": "exposed" for port in configuration.ports}
    found |= {f"Volumes.{path}": "declared" for path in configuration.volumes}
    check = configuration.health_check
    if check is not None:
        found["Healthcheck.Test"] = " ".join(map(repr, check.test))
        times = {
            "Interval": check.interval,
            "Timeout": check.timeout,
            "StartPeriod": check.start_period,
            "Retries": check.retries,
        }
        found |= {f"Healthcheck.{name}": f"{value:g}" for name, value in times.items() if value}
    return found


def _layers(before: Sequence[LayerSize], after: Sequence[LayerSize]) -> LayerDifference:
    # A layer can be there twice; each is shared with one of the other side.
    left = Counter(layer.diff_id for layer in before)
    shared, added = [], []
    for layer in after:
        if left[layer.diff_id]:
            left[layer.diff_id] -= 1
            shared.append(layer)
        else:
            added.append(layer)
    removed = []
    for layer in reversed(before):
        if left[layer.diff_id]:
            left[layer.diff_id] -= 1
            removed.append(layer)
    return LayerDifference(shared=tuple(shared), removed=tuple(reversed(removed)), added=tuple(added))


def _files(before: FileSystem, after: FileSystem) -> Iterator[FileChange]:
    same = _same_layers(before, after)
    for path in sorted({*before.visible, *after.visible}):
        one, two = before.visible.get(path), after.visible.get(path)
        if one is None or two is None:
            yield FileChange(
                path=path,
                before=None if one is None else before.sizes[before.inode(one)],
                after=None if two is None else after.sizes[after.inode(two)],
            )
            continue
        one, two = before.inode(one), after.inode(two)
        if one == two and one < same:
            continue
        aspects = frozenset(_aspects(before, one, after, two))
        if aspects:
            yield FileChange(path=path, before=before.sizes[one], after=after.sizes[two], aspects=aspects)


def _same_layers(before: FileSystem, after: FileSystem) -> int:
    """How many entries lie in layers at the bottom that both have: those have the same numbers."""
    count = 0
    for one, two in zip(before.layers, after.layers, strict=False):
        if one.diff_id != two.diff_id or len(one.table) != len(two.table):
            break
        count += len(one.table)
    return count


def _aspects(before: FileSystem, one: int, after: FileSystem, two: int) -> Iterator[Aspect]:
    if before.kinds[one] != after.kinds[two]:
        yield Aspect.KIND
        return
    (layer, row), (other_layer, other_row) = before.place(one), after.place(two)
    table, other = before.layers[layer].table, after.layers[other_layer].table
    kind = table.kinds[row]
    if kind == Kind.SYMLINK:
        if table.links.get(row) != other.links.get(other_row):
            yield Aspect.TARGET
    elif table.modes[row] != other.modes[other_row]:
        yield Aspect.MODE
    if (table.uids[row], table.gids[row]) != (other.uids[other_row], other.gids[other_row]):
        yield Aspect.OWNER
    if kind == Kind.FILE:
        mine, its = table.digest(row), other.digest(other_row)
        if table.sizes[row] != other.sizes[other_row]:
            yield Aspect.SIZE
        elif mine is not None and its is not None and mine != its:
            yield Aspect.CONTENT


class _Held:
    """What one owner has on both sides."""

    def __init__(self) -> None:
        self.versions: tuple[set[str], set[str]] = (set(), set())
        self.bytes = [0, 0]
        self.moved: Counter[str] = Counter()
        self.texts: set[str] = set()
        """The instructions of the later side."""
        self.untold = False
        """Whether the earlier side does not tell them."""
        self.ways: tuple[set[tuple[str, ...]], set[tuple[str, ...]]] = (set(), set())

    @property
    def why(self) -> tuple[str, ...]:
        """Why it is there, or else why it was: the shortest way of the later side."""
        return min(self.ways[1] or self.ways[0], key=lambda way: (len(way), way), default=())


def _owners(before: Sequence[Holding], after: Sequence[Holding]) -> tuple[OwnerChange, ...]:
    held: dict[tuple[OwnerKind, str], _Held] = defaultdict(_Held)
    for side, holdings in enumerate((before, after)):
        for holding in holdings:
            owner = held[holding.kind, holding.name]
            owner.versions[side].add(holding.version)
            owner.bytes[side] += holding.bytes
            if holding.why:
                owner.ways[side].add(holding.why)
            if side:
                owner.texts.add(holding.text)
            else:
                owner.untold |= not holding.text
            owner.moved[holding.text] += holding.bytes if side else -holding.bytes
    found = []
    for (kind, name), owner in held.items():
        old, new = (tuple(sorted(versions)) for versions in owner.versions)
        if old == new and owner.bytes[0] == owner.bytes[1]:
            continue
        sign = 1 if owner.bytes[1] < owner.bytes[0] else -1
        text = min((sign * moved, text) for text, moved in owner.moved.items())[1]
        if owner.untold:
            # What a saved report tells of an owner is one sum: only where all came one way is it known which.
            text = next(iter(owner.texts)) if len(owner.texts) == 1 else ""
        found.append(
            OwnerChange(
                kind=kind,
                name=name,
                before=old,
                after=new,
                bytes_before=owner.bytes[0],
                bytes_after=owner.bytes[1],
                text=text,
                why=owner.why,
            )
        )
    return tuple(sorted(found, key=lambda each: (-abs(each.delta), each.kind, each.name)))
