"""What `hullmark smoke --reap` says of the runs that it does not remove."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hullmark._cli import reaping
from hullmark._smoke import Remains
from hullmark._smoke.owner import this_process
from hullmark._smoke.reap import Reaped
from hullmark.errors import UsageError

OWNER = this_process()
RUNS = (
    Remains(run="shop-1", owner=OWNER, kept=True, gone=True),
    Remains(run="shop-2", owner=OWNER, kept=False, gone=False),
)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session that keeps what is written, on an engine where nothing can be removed of `RUNS`."""
    engine = SimpleNamespace(client=SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(reaping, "reach", lambda *_: engine)
    monkeypatch.setattr(reaping, "remains", lambda _: RUNS)
    monkeypatch.setattr(reaping, "clear", lambda *_: Reaped(others=RUNS))
    written: list[str] = []
    return SimpleNamespace(environ={}, cancelled=None, write=written.extend, written=written)


def test_runs_that_are_left_alone_are_called_kept_with_the_reason(session: Any) -> None:
    assert reaping.reap_runs(session, None) == 0
    assert session.written == [
        "kept shop-1: `--keep` asked for it; `hullmark smoke --reap shop-1` removes it\n",
        f"kept shop-2: process {OWNER.pid} on {OWNER.host} is, for all that can be told, still running\n",
        "nothing to remove\n",
    ]


def test_a_run_that_there_is_not_is_answered_with_those_there_are(session: Any) -> None:
    with pytest.raises(UsageError, match="`shop-3`; did you mean `shop-") as caught:
        reaping.reap_runs(session, "shop-3")
    assert str(caught.value.hint).startswith("runs of which there is something: shop-1, shop-2; ")
    assert "docker compose ls --all" in str(caught.value.hint)
