"""A project that is released to a real registry, and images that are there already, as if buildx had pushed them."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import hashlib
import io
import ipaddress
import json
import os
import subprocess
import tarfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.conftest import serving
from tests.vulnerabilities.conftest import archive

from hullmark._checks import Surroundings
from hullmark._images.platforms import host_platform
from hullmark._process import SystemCommands
from hullmark._release.build import read_back
from hullmark._release.definition import labels
from hullmark._release.undertaking import Asked, opened
from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS
from hullmark._vulnerabilities.feed import Directory
from hullmark._vulnerabilities.update import Outcome, Updating
from hullmark.model.progress import Silent
from hullmark.model.staging import Passage, StagedService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from hullmark._release.undertaking import Undertaking

NATIVE = str(host_platform())
FOREIGN = "linux/arm64" if NATIVE != "linux/arm64" else "linux/amd64"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
COMPOSE = """\
name: shop
services:
  api:
    image: shop-api
    build: ./image
    depends_on: {web: {condition: service_healthy}}
  web:
    image: shop-web
    build: ./image
"""
# Programs of this machine, and nothing to run for the other platform, so that no emulation is needed.
DOCKERFILE = f"""\
FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS tools
RUN mkdir -p /out/bin && cp /bin/sleep /bin/true /out/bin/ \\
    && for library in $(ldd /bin/sleep | grep -o '/[^ ]*'); do cp --parents "$library" /out/; done

FROM scratch AS base-{NATIVE.partition("/")[2]}
COPY --from=tools /out /

FROM scratch AS base-{FOREIGN.partition("/")[2]}

FROM base-${{TARGETARCH}}
ARG VERSION=dev
LABEL org.opencontainers.image.version="${{VERSION}}"
COPY marks.txt /marks.txt
HEALTHCHECK --interval=1s CMD ["/bin/true"]
USER 65534
CMD ["/bin/sleep", "600"]
"""
SETTINGS = f"""\
[release]
platforms = ["{NATIVE}", "{FOREIGN}"]
source = "https://example.com/acme/shop"
licenses = "Apache-2.0"
scan-fail-on = "never"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A project in a repository of git, and where it is released to."""

    root: Path
    registry: str
    cancelled: threading.Event

    @property
    def environ(self) -> dict[str, str]:
        """Of everything that is called for it."""
        return {**os.environ, "HULLMARK_REGISTRY": f"{self.registry}/acme", "HULLMARK_HADOLINT": "never"}

    def git(self, *arguments: str) -> str:
        """What git answers."""
        said = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgSign=false")
        ran = subprocess.run(
            ("git", *said, *arguments), cwd=self.root, check=True, capture_output=True, text=True
        )
        return ran.stdout.strip()

    def write(self, name: str, text: str) -> None:
        """Write a file of it, and commit that."""
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-qm", f"Write {name}", "--allow-empty")

    @contextmanager
    def release(self, version: str, **options: Any) -> Iterator[Undertaking]:
        """A release of it, without a builder."""
        asked = Asked(
            directory=self.root,
            version=version,
            surroundings=Surroundings(
                commands=SystemCommands(self.environ, self.cancelled),
                environ=self.environ,
                progress=Silent(),
                cancelled=self.cancelled,
            ),
        )
        with opened(asked, building=False, **options) as undertaking:
            yield undertaking

    def tags(self, release: Undertaking) -> dict[tuple[str, str], str | None]:
        """What every tag leads to that people see."""
        return {
            (service.repository, tag): release.registries.digest(service.repository, tag)
            for service in release.wanted.services
            for tag in release.registries.tags(service.repository)
            if not tag.startswith(("hullmark-", "sha256-")) and "-a" not in tag
        }


USER, PASSWORD = "ada", "engine#7"
# The password by bcrypt, which is what the registry reads; Python has none.
HTPASSWD = f"{USER}:$2b$05$abcdefghijklmnopqrstuudb6EGawbfuDSXZ9POmb78a3Wx0U/Kbu\n"


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A registry that speaks TLS alone and wants a password, which Docker's configuration has."""
    directory = tmp_path / "guarded"
    directory.mkdir()
    (directory / "htpasswd").write_text(HTPASSWD, encoding="utf-8")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a registry of the tests")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (directory / "tls.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    tls = {"certificate": str(directory / "tls.pem"), "key": str(directory / "tls.key")}
    auth = {"htpasswd": {"realm": "tests", "path": str(directory / "htpasswd")}}
    with serving(directory, http={"tls": tls}, auth=auth) as host:
        (tmp_path / "docker").mkdir()
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (tmp_path / "docker/config.json").write_text(
            json.dumps({"auths": {host: {"auth": pair}}}), encoding="utf-8"
        )
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        yield host


@pytest.fixture
def shop(tmp_path: Path, registry: str, cancelled: threading.Event) -> Shop:
    """The project, committed."""
    made = Shop(root=tmp_path / "shop", registry=registry, cancelled=cancelled)
    made.root.mkdir()
    made.git("init", "-q", "-b", "main")
    (made.root / "image").mkdir()
    for name, text in {
        "compose.yml": COMPOSE,
        "hullmark.toml": SETTINGS,
        "image/Dockerfile": DOCKERFILE,
        "image/marks.txt": "0 1 2 3\n",
    }.items():
        (made.root / name).write_text(text, encoding="utf-8")
    made.write("README.md", "A shop.\n")
    return made


def till(version: str) -> dict[str, bytes]:
    """The files by which an image has a Python package in that version."""
    path = f"usr/lib/python3/dist-packages/till-{version}.dist-info/METADATA"
    return {path: f"Metadata-Version: 2.1\nName: till\nVersion: {version}\n".encode()}


def stored(directory: Path, records: Iterable[dict[str, Any]]) -> Path:
    """A cache in which those vulnerabilities of Python packages are known."""
    feed, cache = directory / "feed", directory / "cache"
    (feed / "PyPI").mkdir(parents=True)
    (feed / "PyPI/all.zip").write_bytes(archive(list(records)))
    updating = Updating(
        directory=cache / "vulnerabilities", feed=Directory(path=feed), cancelled=threading.Event()
    )
    (done,) = updating.update([ECOSYSTEMS["PyPI"]], whole=True)
    assert done.outcome is Outcome.NEW, done.error
    return cache


def push_image(
    release: Undertaking,
    repository: str,
    platform: str,
    mark: str,
    files: Mapping[str, bytes] | None = None,
    others: Mapping[str, str] | None = None,
) -> str:
    """Has the registry hold an image of one layer, different from others by `mark`, with `files`; its digest.

    `others` are labels in the place of those that a release gives it.
    """
    registries = release.registries
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in {"mark.txt": mark.encode(), **(files or {})}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    tar = written.getvalue()
    layer = gzip.compress(tar, mtime=0)
    system, architecture = platform.split("/")[:2]
    settings = release.project.settings.release
    service = next(each for each in release.wanted.services if each.repository == repository)
    said = labels(
        release.version, release.wanted.commit, service, source=settings.source, licenses=settings.licenses
    )
    config = json.dumps(
        {
            "os": system,
            "architecture": architecture,
            "config": {
                "Labels": {"mark": mark, **said, **(others or {})},
                "User": "65534",
                "Healthcheck": {"Test": ["CMD", "/bin/true"]},
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
        }
    ).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": str(registries.blob(repository, config)),
            "size": len(config),
        },
        "layers": [
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": str(registries.blob(repository, layer)),
                "size": len(layer),
            }
        ],
    }
    return registries.put(repository, json.dumps(document).encode(), MANIFEST)


def attested(release: Undertaking, repository: str, platform: str, image: str) -> str:
    """An index of the image and of what is attested of it, as builders outside of an engine push them; its digest."""
    registries = release.registries
    found = registries.fetch(repository, image)
    assert found is not None
    statement = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "subject": [image]}).encode()
    empty = b"{}"
    described = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": str(registries.blob(repository, empty)),
            "size": len(empty),
        },
        "layers": [
            {
                "mediaType": "application/vnd.in-toto+json",
                "digest": str(registries.blob(repository, statement)),
                "size": len(statement),
            }
        ],
    }
    attestation = json.dumps(described).encode()
    system, architecture = platform.split("/")[:2]
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {
                "mediaType": MANIFEST,
                "digest": image,
                "size": len(found.content),
                "platform": {"os": system, "architecture": architecture},
            },
            {
                "mediaType": MANIFEST,
                "digest": registries.put(repository, attestation, MANIFEST),
                "size": len(attestation),
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {
                    "vnd.docker.reference.digest": image,
                    "vnd.docker.reference.type": "attestation-manifest",
                },
            },
        ],
    }
    return registries.put(repository, json.dumps(index).encode(), INDEX)


def stage(
    release: Undertaking,
    mark: str,
    *,
    passed: bool = True,
    attest: bool = False,
    files: Callable[[str, str], Mapping[str, bytes]] = lambda _service, _platform: {},
    others: Mapping[str, str] | None = None,
) -> None:
    """Pushes an image for every service and platform, as if buildx had, and lets them pass the gate or not.

    `files` says what each of them has, and `others` which labels are not those of the release. With `attest` each comes in an index with what is attested of it.
    """
    from hullmark._release.publish import note_tags  # after the project has been made

    note_tags(release)
    services = []
    for planned in release.wanted.services:
        images = []
        for platform in sorted(release.wanted.platforms):
            pushed = push_image(
                release,
                planned.repository,
                platform,
                f"{mark} {planned.name} {platform}",
                files=files(planned.name, platform),
                others=others,
            )
            if attest:
                pushed = attested(release, planned.repository, platform, pushed)
            images.append(read_back(release.registries, planned, release.version, platform, pushed))
        services.append(StagedService(name=planned.name, repository=planned.repository, images=tuple(images)))
    state = replace(release.state, services=tuple(services))
    release.save(
        replace(
            state,
            gate=tuple(
                Passage(
                    platform=platform,
                    exit_code=0 if passed else 1,
                    checks=("validate",),
                    images=tuple(sorted(str(each.pinned(platform)) for each in services)),
                )
                for platform in state.platforms
            ),
        )
    )
