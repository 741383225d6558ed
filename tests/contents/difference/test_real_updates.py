"""What is said of an update is what a host that pulls it from a real registry transfers."""

from __future__ import annotations

import io
import json
import os
import random
import secrets
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contents.conftest import Docker

pytestmark = pytest.mark.docker

DOCKERFILE = """\
FROM scratch AS runtime
COPY lib /usr/lib
COPY app /srv/app
COPY etc /etc
FROM scratch
COPY --from=runtime / /
"""
_ACCEPTED = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


def _blobs(host: str, name: str, tag: str) -> dict[str, int]:
    """The layers of an image in the registry: the digest and the size of each blob."""
    answer = urllib3.request("GET", f"http://{host}/v2/{name}/manifests/{tag}", headers={"Accept": _ACCEPTED})
    assert answer.status == 200, answer.data
    return {layer["digest"]: layer["size"] for layer in answer.json()["layers"]}


def _pull(host: str, name: str, tag: str, there: set[str]) -> int:
    """Pulls what of the layers is not `there`; gives the bytes that came."""
    received = 0
    for digest in _blobs(host, name, tag).keys() - there:
        answer = urllib3.request("GET", f"http://{host}/v2/{name}/blobs/{digest}", decode_content=False)
        assert answer.status == 200
        received += len(answer.data)
    return received


def _report(*arguments: str) -> Any:
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"PATH": os.environ["PATH"], "HOME": "/", "HULLMARK_NO_CACHE": "1"}
    code = main(["-q", *arguments, "--format", "json"], stdout=stdout, stderr=stderr, environ=environ)
    assert code == 0, stderr.getvalue()
    return json.loads(stdout.getvalue())


@pytest.fixture
def pushed(registry: str, docker: Docker, tmp_path: Path) -> Iterator[str]:
    """A registry with two versions of `squash` and of `stage`, the same unsquashed; between them the app changed."""
    noise = random.Random(7)  # noqa: S311  # for what cannot be compressed
    for directory in ("lib", "app", "etc"):
        (tmp_path / directory).mkdir()
    for path, size in (
        ("lib/large", 300_000),
        ("lib/more", 90_000),
        ("app/main", 20_000),
        ("etc/conf", 5_000),
    ):
        (tmp_path / path).write_bytes(noise.randbytes(size))
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (tmp_path / ".dockerignore").write_text("registry\n", encoding="utf-8")
    made: list[str] = []
    try:
        for version in "12":
            for name, target in (("squash", ()), ("stage", ("--target", "runtime"))):
                image = f"{registry}/{name}:{version}"
                # What is built depends on nobody else's cache, and is nobody else's image.
                label = f"hullmark.test={secrets.token_hex(8)}"
                docker("image", "build", "--quiet", "--label", label, "--tag", image, *target, str(tmp_path))
                made.append(image)
                docker("image", "push", "--quiet", image)
            (tmp_path / "app/main").write_bytes(noise.randbytes(21_000))
            os.utime(tmp_path / "app/main", (9, 9))
        yield registry
    finally:
        if made:
            docker("image", "rm", "--force", *made)


def test_what_an_update_takes_is_what_a_host_transfers(pushed: str) -> None:
    squash, stage = f"registry:{pushed}/squash", f"registry:{pushed}/stage"
    everything = _pull(pushed, "squash", "2", set(_blobs(pushed, "squash", "1")))
    twin = _pull(pushed, "stage", "2", set(_blobs(pushed, "stage", "1")))
    assert everything == sum(_blobs(pushed, "squash", "2").values())
    assert 21_000 < twin < 23_000 < everything

    plain = _report("size", f"{stage}:2", "--previous", f"{stage}:1")["update"]
    assert (plain["bytes"], plain["compressed"], plain["estimated"]) == (twin, True, False)
    assert (len(plain["pulled"]), len(plain["kept"]), plain["layouts"]) == (1, 2, [])

    given = ("--stage-image", f"{stage}:2", "--previous", f"{squash}:1")
    exact = _report("size", f"{squash}:2", *given, "--previous-stage-image", f"{stage}:1")
    update = exact["update"]
    assert exact["attributed"] == 1.0
    assert (update["bytes"], update["compressed"], update["estimated"]) == (everything, True, False)
    unsquashed, split = update["layouts"]
    assert (unsquashed["plan"], unsquashed["bytes"], unsquashed["estimated"]) == ("unsquashed", twin, False)
    assert (unsquashed["pulled"], unsquashed["layers"]) == (1, 3)
    # A layer that nobody has made is as large as the others let expect.
    assert (split["plan"], split["pulled"], split["estimated"]) == ("per-instruction", 1, True)
    assert split["bytes"] == pytest.approx(twin, rel=0.05)

    guessed = _report("size", f"{squash}:2", *given)["update"]
    assert guessed["layouts"] == [unsquashed | {"estimated": True}, split]
    stages = ("--stage-image-a", f"{stage}:1", "--stage-image-b", f"{stage}:2")
    assert _report("diff", f"{squash}:1", f"{squash}:2", *stages)["update"] == update
