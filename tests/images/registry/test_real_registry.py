"""Debian's registry, in each of its three ways of knowing who asks, with images that Docker and others have pushed."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._images.artifacts import CREATED, Kind, fetch, find, keep
from hullmark._images.push import Arrival, Content
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hullmark._process import Commands

try:
    from compression import zstd
except ImportError:
    from backports import zstd

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LEEWAY = 60
"""Seconds for which the registry takes a token that has run out."""
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def tar(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def push_image(registry: Any, repository: str, platform: str, *layers: tuple[str, bytes]) -> dict[str, Any]:
    """Pushes an OCI image of layers with the endings of their media types; its descriptor."""
    system, architecture = platform.split("/")
    named = {"os": system, "architecture": architecture}
    diff_ids = [sha256(_plain(layer)) for _, layer in layers]
    config = json.dumps({**named, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": registry.push_blob(repository, config),
            "size": len(config),
        },
        "layers": [
            {
                "mediaType": f"{LAYER_TYPE}{ending}",
                "digest": registry.push_blob(repository, layer),
                "size": len(layer),
            }
            for ending, layer in layers
        ],
    }
    content = json.dumps(manifest).encode()
    digest = registry.push_manifest(repository, sha256(content), OCI_MANIFEST, content)
    return {"mediaType": OCI_MANIFEST, "digest": digest, "size": len(content), "platform": named}


def push_index(registry: Any, repository: str, which: str, *manifests: dict[str, Any]) -> dict[str, Any]:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
    content = json.dumps(document).encode()
    digest = registry.push_manifest(repository, which or sha256(content), OCI_INDEX, content)
    return {"mediaType": OCI_INDEX, "digest": digest, "size": len(content)}


def _plain(layer: bytes) -> bytes:
    if layer.startswith(b"\x1f\x8b"):
        return gzip.decompress(layer)
    return zstd.decompress(layer) if layer.startswith(b"\x28\xb5\x2f\xfd") else layer


MODES = ["anonymous", "htpasswd", "token"]


@pytest.fixture(params=MODES)
def registry(request: pytest.FixtureRequest, log_in: Callable[..., None]) -> Any:
    """A registry of each kind, and whoever pulls is logged in where that is needed."""
    made = request.getfixturevalue(f"{request.param}_registry")
    if request.param != "anonymous":
        log_in(made.host, f"{made.user}:{made.password}")
    return made


def test_layers_of_every_compression_come_as_they_were_pushed(registry: Any, pull: Any, name: str) -> None:
    plain, zipped = tar(a=b"one" * 50_000), gzip.compress(tar(b=b"two" * 90_000))
    zstandard = zstd.compress(tar(c=b"three" * 70_000))
    image = push_image(
        registry, name, "linux/amd64", ("", plain), ("+gzip", zipped), ("+zstd", zstandard), ("", plain)
    )
    pulled = pull(f"{registry.host}/{name}@{image['digest']}")
    assert pulled.layers == (plain, zipped, zstandard, plain)
    assert sha256(pulled.core.manifest) == image["digest"]
    assert [layer.media_type for layer in pulled.core.layers][1:3] == [
        f"{LAYER_TYPE}+gzip",
        f"{LAYER_TYPE}+zstd",
    ]


def test_an_index_leads_to_each_of_its_platforms(registry: Any, pull: Any, name: str) -> None:
    amd = push_image(registry, name, "linux/amd64", ("", tar(amd=b"x")))
    arm = push_image(registry, name, "linux/arm64", ("", tar(arm=b"x")))
    attestation = push_image(registry, name, "unknown/unknown", ("", tar(proof=b"x")))
    attestation["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    inner = push_index(registry, name, "", arm)
    push_index(registry, name, "both", attestation, amd, inner)
    for platform, descriptor in (("linux/amd64", amd), ("linux/arm64", arm), ("linux/arm64/v8", arm)):
        core = pull(f"{registry.host}/{name}:both", platform).core
        assert sha256(core.manifest) == descriptor["digest"]
    with pytest.raises(Unavailable, match=r"for linux/s390x; there is linux/amd64, linux/arm64"):
        pull(f"{registry.host}/{name}:both", "linux/s390x")


def test_what_is_not_there_is_named(registry: Any, pull: Any, name: str) -> None:
    push_index(registry, name, "some", push_image(registry, name, "linux/amd64"))
    with pytest.raises(Unavailable, match=f"has no tag `other` in `{name}`"):
        pull(f"{registry.host}/{name}:other")
    with pytest.raises(Unavailable, match=f"has no .*`{name}-not`"):
        pull(f"{registry.host}/{name}-not:some")


def test_a_transfer_goes_on_when_the_registry_has_come_back(
    anonymous_registry: Any, pull: Any, name: str
) -> None:
    # More than fits between the two.
    layer = bytes(range(256)) * 100_000
    image = push_image(anonymous_registry, name, "linux/amd64", ("", layer))
    with (
        pull.open(f"{anonymous_registry.host}/{name}@{image['digest']}") as core,
        core.layers[0].open() as pieces,
    ):
        got = bytearray(next(pieces))
        anonymous_registry.restart()
        for piece in pieces:
            got += piece
    assert bytes(got) == layer
    lines = [line for line in anonymous_registry.log.read_text("utf-8").splitlines() if sha256(layer) in line]
    assert [line for line in lines if '" 206 ' in line]


def test_many_layers_come_at_once(registry: Any, pull: Any, name: str) -> None:
    layers = [bytes([number]) * 400_000 for number in range(16)]
    image = push_image(registry, name, "linux/amd64", *(("", layer) for layer in layers))
    with (
        pull.open(f"{registry.host}/{name}@{image['digest']}") as core,
        ThreadPoolExecutor(4) as pool,
    ):
        assert list(pool.map(pull.read, core.layers)) == layers


def test_a_layer_that_was_changed_in_the_registry_s_store_is_not_hidden(
    anonymous_registry: Any, pull: Any, name: str
) -> None:
    layer = b"x" * 1000
    image = push_image(anonymous_registry, name, "linux/amd64", ("", layer))
    anonymous_registry.stored(sha256(layer)).write_bytes(b"y" * 999)
    with pytest.raises(DamagedImage, match="has 999 bytes in the registry, and 1000 by its manifest"):
        pull(f"{anonymous_registry.host}/{name}@{image['digest']}")


@pytest.mark.parametrize("mode", ["htpasswd", "token"])
def test_nobody_is_told_to_log_in(
    mode: str, request: pytest.FixtureRequest, pull: Any, log_in: Callable[..., None], name: str
) -> None:
    registry = request.getfixturevalue(f"{mode}_registry")
    image = push_image(registry, name, "linux/amd64")
    reference = f"{registry.host}/{name}@{image['digest']}"
    with pytest.raises(Unavailable) as caught:
        pull(reference)
    assert "nobody is logged in there" in caught.value.message
    assert caught.value.hint == f"`docker login {registry.host}`"
    log_in(registry.host, f"{registry.user}:wrong")
    with pytest.raises(Unavailable) as caught:
        pull(reference)
    assert f"as `{registry.user}`" in caught.value.message
    assert caught.value.hint == f"`docker login {registry.host}` again, or as a user who may pull it"
    assert "wrong" not in caught.value.message


def test_an_identity_token_is_as_good_as_a_password(
    token_registry: Any, pull: Any, log_in: Callable[..., None], name: str
) -> None:
    image = push_image(token_registry, name, "linux/amd64", ("", tar(a=b"x")))
    reference = f"{token_registry.host}/{name}@{image['digest']}"
    log_in(token_registry.host, identitytoken=token_registry.identity)
    assert pull(reference).layers == (tar(a=b"x"),)
    log_in(token_registry.host, identitytoken="stolen")
    with pytest.raises(Unavailable, match="with the token of Docker's configuration"):
        pull(reference)


def test_a_token_that_runs_out_between_two_layers_is_asked_for_again(
    token_registry: Any,
    pull: Any,
    log_in: Callable[..., None],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layers = [tar(a=b"x"), tar(b=b"y")]
    monkeypatch.setattr(token_registry.issuer, "lifetime", 1 - LEEWAY)
    image = push_image(token_registry, name, "linux/amd64", *(("", layer) for layer in layers))
    log_in(token_registry.host, f"{token_registry.user}:{token_registry.password}")
    with pull.open(f"{token_registry.host}/{name}@{image['digest']}") as core:
        assert pull.read(core.layers[0]) == layers[0]
        time.sleep(1.5)
        assert pull.read(core.layers[1]) == layers[1]


@pytest.fixture
def built(commands: Commands, name: str, tmp_path: Path) -> Iterator[str]:
    """An image with two layers in the engine of this machine."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY one /\nCOPY two /\nENV A=b\n", encoding="utf-8")
    (tmp_path / "one").write_text("one", encoding="utf-8")
    (tmp_path / "two").write_text("two", encoding="utf-8")
    tag = f"{name}:built"
    commands.run(("docker", "build", "--quiet", "--tag", tag, str(tmp_path)), timeout=120).check()
    yield tag
    commands.run(("docker", "image", "rm", "--force", tag)).check()


@pytest.mark.docker
@pytest.mark.parametrize("mode", MODES)
def test_what_docker_pushed_is_what_docker_has(
    mode: str, request: pytest.FixtureRequest, pull: Any, commands: Commands, built: str, tmp_path: Path
) -> None:
    registry = request.getfixturevalue(f"{mode}_registry")
    reference = f"{registry.host}/{built}"
    docker = ("docker", "--config", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    if mode != "anonymous":
        login = (*docker, "login", "--username", registry.user, "--password-stdin", registry.host)
        commands.run(login, stdin=registry.password, timeout=60).check()
    commands.run((*docker, "tag", built, reference)).check()
    try:
        commands.run((*docker, "push", "--quiet", reference), timeout=120).check()
        inspected = json.loads(commands.run(("docker", "image", "inspect", reference)).check().stdout)[0]
    finally:
        commands.run(("docker", "image", "rm", "--force", reference)).check()
    # With what `docker login` has left, in a directory of its own.
    pulled = pull(reference)
    assert sha256(pulled.core.config) == inspected["Id"]
    assert (
        f"{registry.host}/{built.partition(':')[0]}@{sha256(pulled.core.manifest)}"
        in inspected["RepoDigests"]
    )
    assert [sha256(_plain(layer)) for layer in pulled.layers] == inspected["RootFS"]["Layers"]
    assert pulled.core.platform == f"{inspected['Os']}/{inspected['Architecture']}"


def test_what_was_pushed_is_pulled_as_it_was(registry: Any, push_to: Any, pull: Any, name: str) -> None:
    large, small = random.Random(name).randbytes(900_000), tar(a=b"x")  # noqa: S311  # a layer of its own
    reference = f"{registry.host}/{name}:1"
    with push_to(reference) as push:
        assert push.blob(Content.of(large)) is Arrival.SENT
        assert push.blob(Content.of(large)) is Arrival.THERE
        push.blob(Content.of(small))
        config = Content.of(
            json.dumps(
                {
                    "os": "linux",
                    "architecture": "amd64",
                    "rootfs": {"type": "layers", "diff_ids": [sha256(large), sha256(small)]},
                }
            ).encode()
        )
        push.blob(config)
        described = [
            {"mediaType": kind, "digest": str(each.digest), "size": each.size}
            for kind, each in (
                ("application/vnd.oci.image.config.v1+json", config),
                (LAYER_TYPE, Content.of(large)),
                (LAYER_TYPE, Content.of(small)),
            )
        ]
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": described[0],
            "layers": described[1:],
        }
        pushed = push.manifest(json.dumps(manifest).encode(), OCI_MANIFEST, "1", "latest")
    assert pull(reference).layers == (large, small)
    assert sha256(pull(f"{registry.host}/{name}:latest").core.manifest) == str(pushed.digest)


def test_a_blob_goes_in_pieces_to_a_registry_that_breaks_off(
    htpasswd_registry: Any, push_to: Any, log_in: Callable[..., None], name: str
) -> None:
    registry, content = htpasswd_registry, random.Random(name).randbytes(5_000_000)  # noqa: S311  # as above
    log_in(registry.host, f"{registry.user}:{registry.password}")
    whole, opened = Content.of(content), 0

    @contextmanager
    def once_broken() -> Iterator[Iterator[bytes]]:
        nonlocal opened
        opened += 1

        def pieces() -> Iterator[bytes]:
            yield content[:2_000_000]
            if opened == 1:
                raise ConnectionResetError
            yield content[2_000_000:]

        yield pieces()

    with push_to(f"{registry.host}/{name}:1") as push:
        push.piece = 1_000_000
        assert push.blob(replace(whole, open=once_broken)) is Arrival.SENT
    assert opened == 2
    assert registry.stored(str(whole.digest)).read_bytes() == content


def test_documents_are_kept_beside_an_image(registry: Any, push_to: Any, name: str) -> None:
    image = push_image(registry, name, "linux/amd64", ("", tar(a=b"x")))
    push_index(registry, name, "1", image)
    kind = Kind(artifact_type="application/vnd.example.note", media_type="text/plain")
    with push_to(f"{registry.host}/{name}:1") as push:
        for text in (b"first", b"second"):
            keep(push, kind, text, beside="1", annotations={CREATED: f"2026-01-01T00:00:0{len(text)}Z"})
        keep(push, kind, b"by a tag", tags=("note",))
        found = find(push.repository, kind, "1", 1000)
        assert found is not None
        assert found.content == b"second"
        assert fetch(push.repository, kind, "note", 1000).content == b"by a tag"
        assert find(push.repository, kind, Digest.parse(image["digest"]), 1000) is None


def test_whoever_may_only_pull_cannot_push(
    htpasswd_registry: Any, push_to: Any, log_in: Callable[..., None], name: str
) -> None:
    log_in(htpasswd_registry.host, f"{htpasswd_registry.user}:wrong")
    with (
        push_to(f"{htpasswd_registry.host}/{name}:1") as push,
        pytest.raises(Unavailable, match="wants to know"),
    ):
        push.blob(Content.of(b"x"))
