"""Archives that an engine sends: waited for as long as it takes, and left as soon as somebody asks to stop."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from hullmark.errors import DamagedImage, Interrupted, Unavailable
from hullmark.testing import oci_files

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "docker.io/library/hullmark-test:1"


@pytest.fixture
def far(scripted: Any, small_image: Any, elsewhere: Any) -> Any:
    """An engine whose store cannot be read, with an image."""
    scripted.load(oci_files({NAME: small_image()}, compression=""))
    with elsewhere(scripted.address.removeprefix("unix://")) as host:
        yield scripted, {"DOCKER_HOST": host}


def test_an_archive_may_take_longer_than_any_other_answer(
    far: Any, open_whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted, environ = far
    monkeypatch.setattr("hullmark._engines.docker.ANSWER_WITHIN", 0.5)
    scripted.may_export.clear()
    timer = threading.Timer(1.5, scripted.may_export.set)
    timer.start()
    assert len(open_whole(f"docker:{NAME}", environ).layers) == 4
    timer.join()


def test_nobody_waits_for_an_engine_that_still_packs(
    far: Any, open_whole: Any, cancelled: threading.Event
) -> None:
    scripted, environ = far
    scripted.may_export.clear()
    timer = threading.Timer(0.5, cancelled.set)
    timer.start()
    # It goes on only after that.
    with pytest.raises(Interrupted):
        open_whole(f"docker:{NAME}", environ)
    timer.join()
    scripted.may_export.set()
    _gone("hullmark-engine")


def test_an_archive_that_nobody_wants_any_more_is_not_received(
    far: Any, open_whole: Any, cancelled: threading.Event
) -> None:
    scripted, environ = far
    scripted.files["more"] = bytes(200_000_000)

    def soon() -> None:
        time.sleep(0.3)
        cancelled.set()

    thread = threading.Thread(target=soon)
    thread.start()
    with pytest.raises(Interrupted):
        open_whole(f"docker:{NAME}", environ)
    thread.join()
    assert scripted.left.wait(10)
    _gone("hullmark-engine")


def test_an_archive_that_holds_nothing_is_told(far: Any, open_whole: Any) -> None:
    scripted, environ = far
    scripted.files.clear()
    with pytest.raises(Unavailable, match="holds no images"):
        open_whole(f"docker:{NAME}", environ)


@pytest.mark.parametrize("bytes_", [1, 530, 1_000_000])
def test_an_archive_that_ends_too_early_is_damage(far: Any, open_whole: Any, bytes_: int) -> None:
    scripted, environ = far
    scripted.sends = bytes_
    with pytest.raises(DamagedImage):
        open_whole(f"docker:{NAME}", environ)


def test_an_engine_that_refuses_is_heard(far: Any, open_whole: Any) -> None:
    scripted, environ = far
    scripted.refuses = "no space left on device"
    with pytest.raises(Unavailable) as caught:
        open_whole(f"docker:{NAME}", environ)
    assert caught.value.message == f"the engine could not hand over `{NAME}`: no space left on device"


@pytest.mark.parametrize("oldest", ["1.24", "1.44"])
def test_an_engine_is_asked_in_a_version_that_it_speaks(
    far: Any, open_whole: Callable[..., Any], oldest: str
) -> None:
    scripted, environ = far
    scripted.oldest = oldest
    assert open_whole(f"docker:{NAME}", environ).platform == "linux/amd64"


def _gone(name: str) -> None:
    deadline = time.monotonic() + 10
    while any(thread.name == name for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
