"""How many layers are read at once."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from hullmark._images.cache import Cache
from hullmark._images.interface import Core, Request, Stored, Walked
from hullmark._images.reader import read_layers
from hullmark.model.digest import DiffId
from hullmark.model.table import FileTable

if TYPE_CHECKING:
    from collections.abc import Callable

DIFF_IDS = tuple(DiffId.parse(f"sha256:{number:064x}") for number in range(4))


def _core(meet: Callable[[], None]) -> Core:
    def layer(diff_id: DiffId) -> Stored:
        def walk(_request: Request) -> Walked:
            meet()
            return Walked(diff_id=diff_id, table=FileTable.of([]), captured={}, verified=False)

        return Stored(walk=walk)

    layers = tuple(layer(each) for each in DIFF_IDS)
    return Core(reference="it", how="", manifest=None, config=b"", layers=layers)


@pytest.mark.parametrize("request_", [Request(), Request(verify=False, contents=True)])
def test_layers_whose_bytes_are_read_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch, cancelled: threading.Event, request_: Request
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    barrier = threading.Barrier(2, timeout=30)

    def meet() -> None:
        barrier.wait()

    walked, _ = read_layers(_core(meet), DIFF_IDS, request_, Cache(None), cancelled)
    assert [each.diff_id for each in walked] == list(DIFF_IDS)


def test_of_layers_of_which_only_headers_are_read_no_more_than_two_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch, cancelled: threading.Event
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    places = threading.Semaphore(2)

    def meet() -> None:
        assert places.acquire(blocking=False)
        threading.Event().wait(0.05)
        places.release()

    walked, _ = read_layers(_core(meet), DIFF_IDS, Request(verify=False), Cache(None), cancelled)
    assert [each.diff_id for each in walked] == list(DIFF_IDS)
