"""All layers of an image at once, each read once and held against what the image says of it."""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

import msgspec

from hullmark._forked import Forked, processors
from hullmark._images.blob import CHANGED, read_blob
from hullmark._images.interface import Blob, DamagedStore, Refused, Stored, Unreadable, Walked
from hullmark._images.packed import packed_layers, unpacked_layers
from hullmark._images.sharing import shared_out
from hullmark.errors import DamagedImage, Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from typing import Any

    from hullmark._images.cache import Cache
    from hullmark._images.interface import Core, Request
    from hullmark.model.digest import DiffId

_TICK = 0.1


def read_layers(
    core: Core, diff_ids: Sequence[DiffId], request: Request, cache: Cache, cancelled: threading.Event
) -> tuple[tuple[Walked, ...], int]:
    """The layers of `core`, which are to have `diff_ids`, and how many of them the cache had.

    A layer that the cache knows is not read again, so of its blob nothing is checked. Raises `DamagedImage`, naming
    both sides, where bytes and image differ, and `Interrupted` soon after `cancelled` is set.
    """
    found: dict[int, Walked] = {}
    same: dict[tuple[object, ...], list[int]] = {}
    for row, (layer, diff_id) in enumerate(zip(core.layers, diff_ids, strict=True)):
        if isinstance(layer, Walked | Unreadable):
            found[row] = _readable(layer, diff_id, _name(core, row))
        else:
            digest = layer.digest if isinstance(layer, Blob) else None
            same.setdefault((diff_id, digest), []).append(row)
    cached = 0
    estimates: dict[DiffId, int] = {}
    scans: dict[DiffId, bytes] = {}
    for rows in list(same.values()):
        diff_id = diff_ids[rows[0]]
        if request.transfer and (size := cache.transfer(diff_id)) is not None:
            estimates[diff_id] = size
        if (
            request.scanner is not None
            and (scanned := cache.scanned(diff_id, request.scanner.name)) is not None
        ):
            scans[diff_id] = scanned
        kept = cache.get(diff_id, request)
        if (
            kept is not None
            and (not request.transfer or diff_id in estimates)
            and (request.scanner is None or diff_id in scans)
        ):
            cached += len(rows)
            for row in rows:
                found[row] = _known(core.layers[row], diff_id, *kept)
            del same[_group(core, diff_ids, rows[0])]
    work = _Work(core, diff_ids, request, cache, cancelled, frozenset(estimates), frozenset(scans))
    for rows, walked in work.run(list(same.values())):
        found.update(dict.fromkeys(rows, walked))
    layers = tuple(
        _checked(core, row, diff_id, found[row], estimates.get(diff_id), scans.get(diff_id))
        for row, diff_id in enumerate(diff_ids)
    )
    return layers, cached


def _checked(
    core: Core, row: int, diff_id: DiffId, walked: Walked, estimated: int | None, scanned: bytes | None
) -> Walked:
    """`walked`, which is to have `diff_id`, with what was `estimated` and `scanned` before."""
    if walked.diff_id != diff_id:
        damage = DamagedStore if isinstance(core.layers[row], Stored) else DamagedImage
        raise damage(_differs(_name(core, row), diff_id, walked.diff_id), hint=CHANGED)
    if estimated is not None:
        walked = replace(walked, estimated=estimated)
    return walked if scanned is None else replace(walked, scanned=scanned)


def _readable(found: Walked | Unreadable, diff_id: DiffId, name: str) -> Walked:
    """`found`, which is to have `diff_id`; raises `DamagedImage` where it is no layer.

    That it is not the layer that the image means is told first: whatever else is wrong comes from that.
    """
    if isinstance(found, Walked):
        return found
    if found.diff_id is None and not isinstance(found.error, Refused):
        raise DamagedImage(
            f"{found.error.message}; the configuration says that its diff ID is {diff_id}", hint=CHANGED
        )
    if found.diff_id is not None and found.diff_id != diff_id:
        raise DamagedImage(_differs(name, diff_id, found.diff_id), hint=CHANGED) from found.error
    raise found.error


def _differs(name: str, said: DiffId, computed: DiffId) -> str:
    return f"{name}: the configuration says that its diff ID is {said}, and its tar has {computed}"


def _group(core: Core, diff_ids: Sequence[DiffId], row: int) -> tuple[object, ...]:
    layer = core.layers[row]
    return diff_ids[row], layer.digest if isinstance(layer, Blob) else None


def _known(
    layer: Blob | Stored | Walked | Unreadable, diff_id: DiffId, table: object, captured: object
) -> Walked:
    digest, transfer = (layer.digest, layer.transfer) if isinstance(layer, Blob) else (None, None)
    return Walked(diff_id=diff_id, table=table, captured=captured, digest=digest, transfer=transfer)  # type: ignore[arg-type]


def _name(core: Core, row: int) -> str:
    layer = core.layers[row]
    place = f" ({layer.place})" if isinstance(layer, Blob) and layer.place else ""
    return f"{core.reference}: layer {row + 1} of {len(core.layers)}{place}"


class _Work:
    """The reading of the layers that nobody has read yet."""

    def __init__(
        self,
        core: Core,
        diff_ids: Sequence[DiffId],
        request: Request,
        cache: Cache,
        cancelled: threading.Event,
        measured: frozenset[DiffId],
        scanned: frozenset[DiffId],
    ) -> None:
        self._measured = measured
        """Layers of which it is known how large their blobs become."""
        self._scanned = scanned
        """Layers of which it is known what the scanner kept."""
        self._core = core
        self._diff_ids = diff_ids
        self._request = request
        self._cache = cache
        self._cancelled = cancelled
        self._failed = threading.Event()
        self._lock = threading.Lock()
        self._left = 0
        """Bytes that no thread has begun with."""

    def run(self, groups: list[list[int]]) -> list[tuple[list[int], Walked]]:
        """What each of `groups`, rows that are the same layer, is; the largest layers are read first."""
        if not groups:
            return []
        groups = sorted(groups, key=lambda rows: -self._size(rows[0]))
        self._left = sum(self._size(rows[0]) for rows in groups)
        ours, *others = self._shares(groups)
        with contextlib.ExitStack() as stack:
            # Before there is another thread.
            copies = [stack.enter_context(Forked(partial(self._packed, share))) for share in others]
            threads = self._threads(ours) if not others else 1
            with ThreadPoolExecutor(threads + len(others), thread_name_prefix="hullmark-read") as pool:
                received = [
                    pool.submit(self._received, share, copy)
                    for share, copy in zip(others, copies, strict=True)
                ]
                read = [pool.submit(self._read, rows[0]) for rows in ours]
                futures: list[Future[Any]] = [*received, *read]
                try:
                    self._wait(futures)
                finally:
                    self._failed.set()
                    for copy in copies:
                        copy.end()
                    for future in futures:
                        future.cancel()
        found = [(rows, future.result()) for rows, future in zip(ours, read, strict=True)]
        for share, answer in zip(others, received, strict=True):
            found += zip(share, answer.result(), strict=True)
        return found

    def _whole(self) -> bool:
        """Whether every byte of a layer is wanted."""
        request = self._request
        return request.verify or request.contents or request.transfer or request.scanner is not None

    def _shares(self, groups: list[list[int]]) -> list[list[list[int]]]:
        """What each of several processes reads of `groups`, the first of which is this one.

        Of headers tables are made in Python, so threads do not help; whatever else is read goes on in threads.
        """
        if self._whole():
            return [groups]
        shares = shared_out([self._headers(rows[0]) for rows in groups], processors())
        return [[groups[place] for place in share] for share in shares]

    def _headers(self, row: int) -> int:
        layer = self._core.layers[row]
        return layer.headers if isinstance(layer, Stored) else 0

    def _packed(self, share: list[list[int]]) -> bytes:
        """The layers of `share`, read in a copy of this process."""
        return packed_layers([self._walk(rows[0], self._request, alone=False) for rows in share])

    def _received(self, share: list[list[int]], copy: Forked) -> list[Walked]:
        """The layers of `share` from a copy of this process; read here where there are none to be had.

        So whatever is wrong with a layer is told as if there had been no copy.
        """
        answer = copy.answer()
        made = None
        if answer is not None:
            with contextlib.suppress(ValueError, TypeError, msgspec.MsgspecError):
                made = list(zip(share, unpacked_layers(answer), strict=True))
        if made is not None:
            return [
                self._kept(
                    rows[0],
                    self._request,
                    Walked(diff_id=self._diff_ids[rows[0]], table=table, captured=captured, verified=False),
                )
                for rows, (table, captured) in made
            ]
        return [self._read(rows[0]) for rows in share]

    def _threads(self, groups: list[list[int]]) -> int:
        """How many layers are read at once."""
        if not self._whole() and all(isinstance(self._core.layers[rows[0]], Stored) for rows in groups):
            # Of headers alone tables are made in Python, of which one thread runs at a time: one unpacks while the
            # other does that, and more of them only wait.
            return min(2, len(groups))
        return min(os.cpu_count() or 1, len(groups))

    def _wait(self, futures: list[Future[Walked]]) -> None:
        pending = set(futures)
        while pending:
            if self._cancelled.is_set():
                raise Interrupted
            done, pending = wait(pending, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()

    def _size(self, row: int) -> int:
        layer = self._core.layers[row]
        return (layer.transfer or 0) if isinstance(layer, Blob) else 0

    def _stopped(self) -> bool:
        return self._cancelled.is_set() or self._failed.is_set()

    def _read(self, row: int) -> Walked:
        if self._stopped():
            raise Interrupted
        with self._lock:
            # What is left for the other threads is less than this one: they can take a part of it.
            alone = self._size(row) * 2 > self._left
            self._left -= self._size(row)
        diff_id = self._diff_ids[row]
        request = self._request
        if request.transfer and diff_id in self._measured:
            request = replace(request, transfer=False)
        if diff_id in self._scanned:
            request = replace(request, scanner=None)
        return self._kept(row, request, self._walk(row, request, alone=alone))

    def _kept(self, row: int, request: Request, walked: Walked) -> Walked:
        """`walked`, which the cache now has, too."""
        diff_id = self._diff_ids[row]
        if walked.diff_id == diff_id:
            self._cache.put(diff_id, request, walked)
            if walked.estimated is not None:
                self._cache.put_transfer(diff_id, walked.estimated)
            if walked.scanned is not None and request.scanner is not None:
                self._cache.put_scanned(diff_id, request.scanner.name, walked.scanned)
        return walked

    def _walk(self, row: int, request: Request, *, alone: bool) -> Walked:
        layer = self._core.layers[row]
        match layer:
            case Walked() | Unreadable():
                return _readable(layer, self._diff_ids[row], _name(self._core, row))
            case Stored():
                return layer.walk(request)
            case Blob():
                name = _name(self._core, row)
                found = read_blob(layer, request, name, stopped=self._stopped, pipeline=alone)
                return _readable(found, self._diff_ids[row], name)
            case _:
                assert_never(layer)
