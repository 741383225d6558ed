"""Images of Podman, asked through the interface that it shares with Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import docker
import pytest

from hullmark.errors import Unavailable
from hullmark.testing import archive_of, docker_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def loaded_image(podman: str, odd_image: Any, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The name of an image that Podman has, and the archive it came from."""
    name = f"hullmark-test-{tmp_path.name.replace('_', '-').lower()}:1"
    archive = tmp_path / "image.tar"
    archive.write_bytes(archive_of(docker_files({name: odd_image(name)}, legacy=True)))
    client = docker.DockerClient(base_url=podman, version="1.40")
    try:
        client.images.load(archive.read_bytes())
        yield name, archive
        client.images.remove(name, force=True)
    finally:
        client.close()


@pytest.mark.docker
def test_what_podman_has_is_the_same_as_the_archive(
    podman: str, loaded_image: tuple[str, Path], open_whole: Any, same: Callable[..., None]
) -> None:
    name, archive = loaded_image
    found = open_whole(f"podman:{name}", {"CONTAINER_HOST": podman})
    same(found, open_whole(f"docker-archive:{archive}"))
    assert found.how == "streamed by the engine, because the store of Podman is its own"


@pytest.mark.docker
def test_the_socket_of_the_user_is_found(
    podman: str, loaded_image: tuple[str, Path], open_whole: Any, tmp_path: Path
) -> None:
    name, _ = loaded_image
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman" / "podman.sock").symlink_to(podman.removeprefix("unix://"))
    assert open_whole(f"podman:{name}", {"XDG_RUNTIME_DIR": str(tmp_path)}).layers


@pytest.mark.docker
def test_an_image_that_podman_has_not_is_told(podman: str, open_whole: Any) -> None:
    with pytest.raises(Unavailable, match="the engine has no image `hullmark-test-none:1`"):
        open_whole("podman:hullmark-test-none:1", {"CONTAINER_HOST": podman})


def test_a_podman_that_does_not_run_is_told_with_how_it_is_started(open_whole: Any, tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/none.sock"
    with pytest.raises(Unavailable) as caught:
        open_whole("podman:it", {"CONTAINER_HOST": host})
    assert caught.value.message == f"no Podman answers at {host}: no such file or directory"
    assert "podman system service" in (caught.value.hint or "")


def test_a_podman_that_one_may_not_use_does_not_ask_for_the_group_of_docker(
    open_whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_host: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("hullmark._engines.docker._knock", refuse)
    with pytest.raises(Unavailable, match="permission denied") as caught:
        open_whole("podman:it", {"CONTAINER_HOST": "unix:///none.sock"})
    assert "usermod" not in (caught.value.hint or "")
