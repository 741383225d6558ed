"""One image in every medium there is: wherever it is read, it is the same, and so is what is said of it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
import subprocess
import tarfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._anatomy import dissect, shipped, wanted
from hullmark._images.cache import Cache
from hullmark._images.reference import open_image
from hullmark.model.image import ShippedImage
from hullmark.model.project import NonRoot, ServiceSettings
from hullmark.model.table import Entry, Kind
from hullmark.rules import rules_for
from hullmark.testing import archive_of, compress, docker_files, layer_tar, planted, write_files

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tests.images.engine.conftest import Daemon

    from hullmark._engines import Engine
    from hullmark.model.finding import Finding
    from hullmark.model.image import Image
    from hullmark.testing import ImageFiles

ROOT = Path(__file__).resolve().parents[3]
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
OCI = "application/vnd.oci.image"
COLUMNS = ("paths", "kinds", "sizes", "modes", "uids", "gids", "mtimes", "links", "xattrs")


@dataclass(frozen=True, kw_only=True)
class Medium:
    """A way to an image."""

    reference: str
    environ: Mapping[str, str]
    trusted: bool = False
    """Whether its bytes need not be read."""
    how: str = ""
    """How the report says that it was read."""


def _careless(image: ImageFiles) -> ImageFiles:
    """`image` with what the rules about images look for."""
    files = {
        "/app/.env": b"PASSWORD=hunter2hunter2\n",
        "/root/.ssh/id_rsa": planted("private-key", random.Random(7)).text.encode(),  # noqa: S311  # nobody's
        "/usr/local/bin/mine": b"#!/bin/sh\n",
        "/var/open": b"",
    }
    modes = {"/usr/local/bin/mine": 0o4755, "/var/open": 0o666}
    layer = layer_tar(
        [
            Entry(path=path, kind=Kind.FILE, size=len(content), mode=modes.get(path, 0o600))
            for path, content in files.items()
        ],
        files,
    )
    settings = {
        "Env": ["API_TOKEN=s3cr3t-s3cr3t-s3cr3t"],
        "Labels": {"org.opencontainers.image.version": "?"},
    }
    return replace(image, layers=(*image.layers, layer), settings=settings)


@contextmanager
def _loaded(image: ImageFiles) -> Iterator[str]:
    """The name by which the engine of this machine has `image`."""
    name = f"hullmark-test-{secrets.token_hex(6)}:1"
    archive = archive_of(docker_files({name: image}, legacy=True))
    subprocess.run(("docker", "load", "-q"), input=archive, check=True, capture_output=True)
    try:
        yield name
    finally:
        _docker("image", "rm", "--force", name)


@contextmanager
def _built() -> Iterator[str]:
    """The name of an image of the reference stack."""
    version = f"0.0.0-test.x{secrets.token_hex(4)}"
    environ = {**os.environ, "VERSION": version}
    if CA_BUNDLE.is_file():
        environ.setdefault("SSL_CERT_FILE", str(CA_BUNDLE))
    try:
        subprocess.run(
            ("docker", "compose", "build", "-q", "rag"),
            cwd=ROOT / "examples" / "tale",
            env=environ,
            check=True,
            capture_output=True,
        )
        yield f"tale-rag:{version}"
    finally:
        label = f"label=org.opencontainers.image.version={version}"
        if found := _docker("image", "ls", "--quiet", "--no-trunc", "--filter", label).split():
            _docker("image", "rm", "--force", *set(found))


def _docker(*arguments: str) -> str:
    done = subprocess.run(("docker", *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def _pushed(name: str, host: str) -> Iterator[str]:
    """What `name` is called once it is in the registry at `host`."""
    there = f"{host}/{name}"
    _docker("image", "tag", name, there)
    try:
        _docker("push", "-q", there)
        yield there
    finally:
        _docker("image", "rm", there)


def _layout(saved: Path, compression: str) -> dict[str, bytes]:
    """The files of an OCI layout with the image in `saved`, whose layers are compressed so."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def add(content: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        files[f"blobs/sha256/{digest}"] = content
        return {"mediaType": f"{OCI}.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    with tarfile.open(saved) as archive:

        def read(path: str) -> bytes:
            member = archive.extractfile(path)
            assert member is not None
            return member.read()

        (said,) = json.loads(read("manifest.json"))
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": add(read(said["Config"]), "config.v1+json"),
            "layers": [
                add(compress(read(path), compression), f"layer.v1.tar+{compression}")
                for path in said["Layers"]
            ],
        }
    described = add(json.dumps(manifest).encode(), "manifest.v1+json")
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [described]}).encode()
    return files


def _read(medium: Medium, cancelled: threading.Event, *, contents: bool) -> Image:
    request = wanted(contents=contents)
    return open_image(
        medium.reference,
        request=request if medium.trusted else replace(request, verify=True),
        environ=medium.environ,
        cancelled=cancelled,
        cache=Cache(None),
    )


def _findings(image: Image) -> list[Finding]:
    """Everything that the rules about images say of it."""
    target = shipped(
        # What is said of an image does not depend on what it is called.
        dissect(replace(image, reference="it")),
        service="it",
        settings=ServiceSettings(user=NonRoot()),
        labels=("org.opencontainers.image.version",),
    )
    return [found for rule in rules_for(ShippedImage) for found in rule.check(target, service="it")]


@pytest.mark.docker
@pytest.mark.parametrize("which", ["odd", pytest.param("rag", marks=pytest.mark.stack)])
def test_an_image_is_the_same_wherever_it_is_read_and_so_are_its_findings(
    engine: Engine,
    containerd: Daemon | None,
    podman: str,
    odd_image: Callable[[str], ImageFiles],
    elsewhere: Callable[[str], AbstractContextManager[str]],
    cancelled: threading.Event,
    registry: str,
    tmp_path: Path,
    which: str,
) -> None:
    with ExitStack() as stack:
        name = stack.enter_context(_loaded(_careless(odd_image("a"))) if which == "odd" else _built())
        saved = tmp_path / "saved.tar"
        _docker("save", "-o", str(saved), name)
        zipped = write_files(tmp_path / "zipped", _layout(saved, "gzip"))
        packed = tmp_path / "packed.tar"
        packed.write_bytes(archive_of(_layout(saved, "zstd")))
        far = stack.enter_context(elsewhere(engine.host.removeprefix("unix://")))
        if engine.host != podman:
            socket = podman.removeprefix("unix://")
            with saved.open("rb") as archive:
                loading = ("docker", "-H", f"unix://{socket}", "load", "-q")
                subprocess.run(loading, stdin=archive, check=True, capture_output=True)
        here = dict(os.environ)
        media = {
            "docker": Medium(reference=f"docker:{name}", environ=here),
            "docker, trusted": Medium(reference=f"docker:{name}", environ=here, trusted=True),
            "docker, streamed": Medium(
                reference=f"docker:{name}", environ={**here, "DOCKER_HOST": far}, how="streamed by the engine"
            ),
            "oci-dir, gzip": Medium(reference=f"oci-dir:{zipped}", environ={}),
            "oci-archive, zstd": Medium(reference=f"oci-archive:{packed}", environ={}),
            "registry": Medium(
                reference=f"registry:{stack.enter_context(_pushed(name, registry))}", environ={}, how=registry
            ),
            "podman": Medium(
                reference=f"podman:{name}",
                environ={**here, "CONTAINER_HOST": podman},
                how="streamed by the engine",
            ),
        }
        if containerd is not None:
            with saved.open("rb") as archive:
                subprocess.run(
                    ("docker", "load", "-q"),
                    stdin=archive,
                    env=containerd.environ,
                    check=True,
                    capture_output=True,
                )
            media["docker, containerd"] = Medium(
                reference=f"docker:{name}", environ=containerd.environ, how="content store of containerd"
            )
        expected = _read(Medium(reference=f"docker-archive:{saved}", environ={}), cancelled, contents=True)
        findings = _findings(expected)
        for title, medium in media.items():
            found = _read(medium, cancelled, contents=not medium.trusted)
            assert medium.how in found.how, title
            _assert_same(found, expected, title, digests=not medium.trusted)
            assert _findings(found) == findings, title
    if which == "odd":
        assert {
            "credential-file-in-layer",
            "env-file-in-layer",
            "malformed-label",
            "missing-image-healthcheck",
            "root-user",
            "secret-in-env",
            "setuid-file",
            "world-writable-path",
        } <= {each.rule for each in findings}


def _assert_same(found: Image, expected: Image, title: str, *, digests: bool) -> None:
    assert found.config_digest == expected.config_digest, title
    assert found.configuration == expected.configuration, title
    assert found.history == expected.history, title
    assert [layer.diff_id for layer in found.layers] == [layer.diff_id for layer in expected.layers], title
    for number, (layer, other) in enumerate(zip(found.layers, expected.layers, strict=True)):
        for column in (*COLUMNS, "digests") if digests else COLUMNS:
            assert getattr(layer.table, column) == getattr(other.table, column), (title, number, column)
        assert dict(layer.captured) == dict(other.captured), (title, number)
