"""Each rule about built images on literals: what it catches, where, and what it leaves alone."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._anatomy import dissect, shipped, wanted
from hullmark._contents.credentials import CredentialCapture
from hullmark.model.dependency import Certainty, Missing, Problem
from hullmark.model.difference import Difference, LayerDifference, OwnerChange, Total, Update
from hullmark.model.digest import DiffId
from hullmark.model.finding import Severity
from hullmark.model.image import HealthCheck, ImageConfiguration, Layer, ShippedImage
from hullmark.model.location import ImageConfig, SourceSpan
from hullmark.model.owner import OwnerKind
from hullmark.model.project import AnyUser, Budget, DropsTo, NonRoot, ServiceSettings, UserOverride
from hullmark.model.rule import HEADINGS
from hullmark.model.table import Entry, FileTable, Kind
from hullmark.rules import rules_for
from hullmark.testing import synthetic_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hullmark.model.rule import Rule

RULES = {rule.id: rule for rule in rules_for(ShippedImage)}
FROM = SourceSpan(path="Dockerfile", line=9)
BUDGET = SourceSpan(path="hullmark.toml", line=4, column=10)
VERSION = "org.opencontainers.image.version"


@dataclass(frozen=True, kw_only=True)
class Case:
    """An image with settings, and what the rule sees in it; nothing, where it is good."""

    rule: str
    name: str
    seen: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    configuration: ImageConfiguration = field(default_factory=ImageConfiguration)
    layers: Sequence[Mapping[str, int]] = ()
    entries: Sequence[Sequence[Entry]] = ()
    """Layers on top of `layers`, where more than sizes matters."""
    files: Sequence[Mapping[str, bytes]] = ()
    """Layers on top of these, where contents matter."""
    transfer: int | None = None
    """Bytes of the blob of each layer."""
    missing: tuple[Missing, ...] = ()
    growth: Difference | None = None
    update: Update | None = None
    severity: Severity = Severity.ERROR
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    labels: tuple[str, ...] = (VERSION,)
    change: Difference | None = None
    origin: SourceSpan | None = FROM
    override: UserOverride | None = None

    @property
    def shipped(self) -> ShippedImage:
        image = synthetic_image("shop-web:dev", configuration=self.configuration, layers=self.layers)
        layers = [
            *image.layers,
            *(_layer(each, {}) for each in self.entries),
            *(
                _layer(
                    [Entry(path=path, kind=Kind.FILE, size=len(data)) for path, data in each.items()], each
                )
                for each in self.files
            ),
        ]
        made = replace(image, layers=tuple(replace(layer, transfer=self.transfer) for layer in layers))
        seen = shipped(
            dissect(made),
            service="web",
            settings=self.settings,
            labels=self.labels,
            origin=self.origin,
            override=self.override,
        )
        # What is missing is found in files that are larger than a case should be.
        return replace(
            seen,
            missing=self.missing,
            growth=self.growth,
            update=self.update,
            change=self.change,
            growth_budget=self.settings.growth_budget,
        )


def _layer(entries: Sequence[Entry], contents: Mapping[str, bytes]) -> Layer:
    """A layer of these entries, of whose contents is kept what is kept of an image that is read."""
    capture = wanted().capture
    assert capture is not None
    kept = {
        path: data
        for path, content in contents.items()
        if capture.wants(path, len(content), 0o700)
        and (data := capture.take(path, memoryview(content))) is not None
    }
    table = FileTable.of(list(entries))
    name = hashlib.sha256(repr([list(entries), contents]).encode()).hexdigest()
    return Layer(diff_id=DiffId.parse(f"sha256:{name}"), table=table, captured=kept)


def _file(path: str, mode: int, size: int = 4, uid: int = 0) -> Entry:
    return Entry(path=path, kind=Kind.FILE, size=size, mode=mode, uid=uid)


def _directory(path: str, mode: int) -> Entry:
    return Entry(path=path, kind=Kind.DIRECTORY, mode=mode)


def _pem(kind: str = "", body: str | None = None) -> bytes:
    # Put together, so that nobody who looks for keys finds one here.
    word = "PRIVATE" + " KEY"
    text = base64.encodebytes(_key(kind)).decode() if body is None else body
    return f"-----BEGIN {kind}{word}-----\n{text.strip()}\n-----END {kind}{word}-----\n".encode()


def _key(kind: str) -> bytes:
    """Nobody's key, with the structure of one."""

    def item(tag: int, content: bytes) -> bytes:
        return bytes((tag, len(content))) + content

    algorithm, numbers = item(0x30, item(0x06, b"\x2a\x03\x04")), bytes(range(1, 81))
    match kind:
        case "OPENSSH ":
            return b"openssh-key-v1\0\0\0\0\4none" + numbers
        case "ENCRYPTED ":
            return item(0x30, algorithm + item(0x04, numbers))
        case "RSA ":
            return item(0x30, item(0x02, b"\0") + item(0x02, numbers))
        case _:
            return item(0x30, item(0x02, b"\0") + algorithm + item(0x04, numbers))


def _typed(**labels: str) -> dict[str, Any]:
    named = tuple((f"org.opencontainers.image.{name}", value) for name, value in labels.items())
    return {"configuration": ImageConfiguration(labels=named)}


def _missing(problem: Problem, kind: str, name: str, certainty: Certainty, **more: Any) -> Missing:
    return Missing(problem=problem, kind=kind, path="/opt/x/file", name=name, certainty=certainty, **more)


def _promise(**sizes: int) -> ServiceSettings:
    budgets = {f"{name}_budget": Budget(size=size, origin=BUDGET) for name, size in sizes.items()}
    return ServiceSettings(**budgets)  # type: ignore[arg-type]  # only budgets


def _update(size: int, *, compressed: bool = True) -> Update:
    return Update(previous="web:1.0", bytes=size, compressed=compressed, pulled=("a",), kept=("b",))


GROWTH = Difference(
    before="web:1.0",
    after="web:1.1",
    totals=tuple(Total(name=name, before=10**6, after=9 * 10**6) for name in ("visible", "unpacked")),
    settings=None,
    layers=LayerDifference(shared=(), removed=(), added=()),
    update=_update(1),
    files=None,
    owners=(
        OwnerChange(
            kind=OwnerKind.PYTHON,
            name="torch",
            before=(),
            after=("2.5",),
            bytes_before=0,
            bytes_after=8 * 10**6,
        ),
    ),
)


def _grown(before: int, after: int) -> Difference:
    """`GROWTH` by another size."""
    (owner,) = GROWTH.owners or ()
    return replace(
        GROWTH,
        totals=tuple(replace(total, before=before, after=after) for total in GROWTH.totals),
        owners=(replace(owner, bytes_after=after - before),),
    )


STATUS = b"Package: tools\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"


def _user(name: str) -> dict[str, Any]:
    return {"configuration": ImageConfiguration(user=name), "settings": ServiceSettings(user=NonRoot())}


def _environment(**variables: str) -> dict[str, Any]:
    return {"configuration": ImageConfiguration(environment=tuple(variables.items()))}


def _labels(**labels: str) -> dict[str, Any]:
    renamed = {VERSION if name == "version" else name: value for name, value in labels.items()}
    return {"configuration": ImageConfiguration(labels=tuple(renamed.items()))}


def _health(*test: str) -> dict[str, Any]:
    return {"configuration": ImageConfiguration(health_check=HealthCheck(test=test))}


def _budget(size: int, *layers: int) -> dict[str, Any]:
    return {
        "settings": ServiceSettings(budget=Budget(size=size, origin=BUDGET)),
        "layers": [{f"/file{n}": each} for n, each in enumerate(layers)],
    }


AT_FROM = ("Dockerfile:9:1",)
CASES = (
    # missing-image-label
    Case(rule="missing-image-label", name="labelled", **_labels(version="1.0")),
    Case(rule="missing-image-label", name="others-besides", **_labels(version="1.0", maintainer="a")),
    Case(rule="missing-image-label", name="none-required", labels=()),
    Case(rule="missing-image-label", name="none", seen=(f"no label `{VERSION}`",), places=AT_FROM),
    Case(
        rule="missing-image-label",
        name="empty",
        seen=(f"`{VERSION}` is empty",),
        places=AT_FROM,
        **_labels(version=""),
    ),
    Case(
        rule="missing-image-label",
        name="two-of-three",
        labels=("a", VERSION, "c"),
        seen=("no label `a`", "no label `c`"),
        places=AT_FROM * 2,
        **_labels(version="1.0", b="x"),
    ),
    Case(
        rule="missing-image-label",
        name="without-a-dockerfile",
        origin=None,
        seen=(f"no label `{VERSION}`",),
        places=("shop-web:dev config.Labels",),
    ),
    # missing-image-healthcheck
    Case(rule="missing-image-healthcheck", name="command", **_health("CMD", "true")),
    Case(
        rule="missing-image-healthcheck", name="shell", **_health("CMD-SHELL", "curl -f http://x || exit 1")
    ),
    Case(rule="missing-image-healthcheck", name="called-none", **_health("CMD", "NONE")),
    Case(rule="missing-image-healthcheck", name="none", seen=("no health check",), places=AT_FROM),
    Case(
        rule="missing-image-healthcheck",
        name="disabled",
        seen=("HEALTHCHECK NONE",),
        places=AT_FROM,
        **_health("NONE"),
    ),
    Case(
        rule="missing-image-healthcheck",
        name="empty-without-a-dockerfile",
        origin=None,
        seen=("HEALTHCHECK NONE",),
        places=("shop-web:dev config.Healthcheck",),
        **_health(),
    ),
    # root-user
    Case(rule="root-user", name="named", **_user("app")),
    Case(rule="root-user", name="number-and-group", **_user("1000:0")),
    Case(rule="root-user", name="named-like-root", **_user("rootless:root")),
    Case(rule="root-user", name="any", settings=ServiceSettings(user=AnyUser())),
    Case(rule="root-user", name="drops", settings=ServiceSettings(user=DropsTo(name="app"))),
    Case(rule="root-user", name="none", seen=("no user, which is root",), places=AT_FROM, **_user("")),
    Case(rule="root-user", name="root", seen=("user `root`",), places=AT_FROM, **_user("root")),
    Case(rule="root-user", name="zero-group", seen=("user `0:1000`",), places=AT_FROM, **_user("0:1000")),
    Case(rule="root-user", name="zeros", seen=("user `00`",), places=AT_FROM, **_user("00")),
    Case(rule="root-user", name="only-group", seen=("user `:app`",), places=AT_FROM, **_user(":app")),
    Case(
        rule="root-user",
        name="without-a-dockerfile",
        origin=None,
        seen=("user `root:root`",),
        places=("shop-web:dev config.User",),
        **_user("root:root"),
    ),
    Case(
        rule="root-user",
        name="another-name-for-root",
        files=[{"/etc/passwd": b"root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n"}],
        seen=("user `toor`, which has the number 0 in `/etc/passwd`",),
        places=AT_FROM,
        **_user("toor"),
    ),
    Case(
        rule="root-user",
        name="a-name-of-its-own",
        files=[{"/etc/passwd": b"root:x:0:0::/root:/bin/sh\napp:x:999:0::/app:/bin/sh\n"}],
        **_user("app"),
    ),
    Case(
        rule="root-user",
        name="made-root-by-the-compose-file",
        override=UserOverride(user="0:0", span=SourceSpan(path="compose.yml", line=5, column=5)),
        seen=("user `0:0`, set by the Compose file",),
        places=("compose.yml:5:5",),
        **_user("app"),
    ),
    Case(
        rule="root-user",
        name="made-somebody-else-by-the-compose-file",
        override=UserOverride(user="1000", span=SourceSpan(path="compose.yml", line=5, column=5)),
        **_user("root"),
    ),
    # over-budget
    Case(rule="over-budget", name="no-budget", layers=[{"/big": 10**12}]),
    Case(rule="over-budget", name="below", **_budget(600_000_000, 599_999_999)),
    Case(rule="over-budget", name="exactly", **_budget(600_000_000, 400_000_000, 200_000_000)),
    Case(
        rule="over-budget",
        name="just-above",
        seen=("600.0 MB unpacked, 1 B over; most of it: / (directory) 600.0 MB, through `layer 1` 600.0 MB",),
        places=("hullmark.toml:4:10",),
        **_budget(600_000_000, 600_000_001),
    ),
    Case(
        rule="over-budget",
        name="over-several-layers",
        seen=(
            "650.5 MB unpacked, 50.5 MB over; most of it: / (directory) 650.5 MB, through `layer 1` 600.0 MB, `layer 2` 50.5 MB",
        ),
        places=("hullmark.toml:4:10",),
        **_budget(600_000_000, 600_000_000, 50_500_000),
    ),
    Case(
        rule="over-budget",
        name="masked-bytes-count",
        seen=(
            "20.0 MB unpacked, 10.0 MB over; most of it: / (directory) 10.0 MB, through `layer 2` 10.0 MB",
        ),
        places=("hullmark.toml:4:10",),
        settings=ServiceSettings(budget=Budget(size=10_000_000, origin=BUDGET)),
        layers=[{"/same": 10_000_000}, {"/same": 10_000_000, "/empty": 0}],
    ),
    # env-file-in-layer
    Case(rule="env-file-in-layer", name="examples", layers=[{"/a/.env.example": 1, "/.env.sample": 1}]),
    Case(
        rule="env-file-in-layer",
        name="other-names",
        layers=[{"/env": 1, "/x.sample.env": 1, "/.environment": 1}],
    ),
    Case(
        rule="env-file-in-layer",
        name="however-it-goes-on",
        layers=[
            {f"/{name}": 1 for name in (".envrc", ".env-prod", ".env_local", ".env.bak", ".env~", "prod.env")}
        ],
        seen=tuple(
            f"`/{name}` (1 bytes) in layer 1 of 1"
            for name in (".envrc", ".env-prod", ".env_local", ".env.bak", ".env~", "prod.env")
        ),
        places=tuple(
            f"shop-web:dev:/{name} (layer 1)"
            for name in (".envrc", ".env-prod", ".env_local", ".env.bak", ".env~", "prod.env")
        ),
    ),
    Case(rule="env-file-in-layer", name="in-a-directory-of-that-name", layers=[{"/.env/lib/python.py": 1}]),
    Case(rule="env-file-in-layer", name="templates", layers=[{"/.env.template": 1, "/.env.dist": 1}]),
    Case(
        rule="env-file-in-layer",
        name="plain",
        layers=[{"/bin/sh": 1}, {"/app/.env": 12}],
        seen=("`/app/.env` (12 bytes) in layer 2 of 2",),
        places=("shop-web:dev:/app/.env (layer 2)",),
    ),
    Case(
        rule="env-file-in-layer",
        name="of-a-stage",
        layers=[{"/.env.production": 3, "/.env.local": 4}],
        seen=("`/.env.production` (3 bytes) in layer 1 of 1", "`/.env.local` (4 bytes) in layer 1 of 1"),
        places=("shop-web:dev:/.env.production (layer 1)", "shop-web:dev:/.env.local (layer 1)"),
    ),
    Case(
        rule="env-file-in-layer",
        name="in-two-layers",
        layers=[{"/.env": 3}, {"/.env": 0}],
        seen=("`/.env` (3 bytes) in layer 1 of 2, hidden by layer 2", "`/.env` (0 bytes) in layer 2 of 2"),
        places=("shop-web:dev:/.env (layer 1)", "shop-web:dev:/.env (layer 2)"),
    ),
    # secret-in-env
    Case(
        rule="secret-in-env", name="usual", **_environment(PATH="/usr/bin:/bin", LANG="C.UTF-8", PWD="/app")
    ),
    Case(
        rule="secret-in-env",
        name="file-names",
        **_environment(DB_PASSWORD_FILE="/run/secrets/db", A_TOKEN="/x"),
    ),
    Case(
        rule="secret-in-env", name="switches", **_environment(USE_AUTH="true", API_TOKEN="", X_SECRET="off")
    ),
    Case(
        rule="secret-in-env",
        name="key-of-a-signer",
        **_environment(GPG_KEY="7169605F62C751356D054A26A821E680E5FA6305"),
    ),
    Case(
        rule="secret-in-env",
        name="words-inside",
        **_environment(TOKENIZERS_PARALLELISM="x", PASSWORDLESS="y"),
    ),
    Case(rule="secret-in-env", name="url-without-password", **_environment(DB="postgres://app@db:5432/app")),
    Case(
        rule="secret-in-env",
        name="named",
        seen=("`DB_PASSWORD` has a value of 7 characters", "`apiKey_token` has a value of 3 characters"),
        places=("shop-web:dev config.Env.DB_PASSWORD", "shop-web:dev config.Env.apiKey_token"),
        **_environment(DB_PASSWORD="hunter2", apiKey_token="abc"),
    ),
    Case(
        rule="secret-in-env",
        name="formats",
        seen=("`A` holds an AWS access key", "`B` holds a GitLab token", "`C` holds a private key"),
        places=tuple(f"shop-web:dev config.Env.{name}" for name in "ABC"),
        **_environment(
            A="AKIA" + "Q4ZT7MWKXJ2RVBNC", B="glpat-" + "k3Vx9Qm2RtZ8sWd4Lp7N", C=_pem("RSA ").decode()
        ),
    ),
    Case(
        rule="secret-in-env",
        name="urls",
        seen=("`A` holds a URL with a password", "`B` holds a URL with a password"),
        places=("shop-web:dev config.Env.A", "shop-web:dev config.Env.B"),
        **_environment(A="postgres://app:hunter2@db/app", B="redis://:hunter2@cache:6379"),
    ),
    # malformed-label
    Case(
        rule="malformed-label",
        name="versions",
        **_typed(version="1.4.0-rc.1+build.5"),
    ),
    Case(rule="malformed-label", name="described-by-git", **_typed(version="v1.4.0-12-g0a1b2c3")),
    Case(rule="malformed-label", name="as-python-has-it", **_typed(version="2024.11.post1")),
    Case(rule="malformed-label", name="no-release", **_typed(version="dev")),
    Case(
        rule="malformed-label",
        name="others",
        labels=(),
        **_typed(
            created="2026-11-24T10:00:00.5+01:00",
            licenses="(MIT OR Apache-2.0) AND LicenseRef-Ours",
            url="https://example.com",
            source="git+ssh://git@example.com/shop",
            title="any text",
            revision="abc",
        ),
    ),
    Case(
        rule="malformed-label",
        name="of-somebody-else",
        configuration=ImageConfiguration(labels=(("version", "${X}"), ("com.example.url", "x"))),
    ),
    Case(rule="malformed-label", name="required-and-empty", **_typed(version="")),
    Case(
        rule="malformed-label",
        name="required-version",
        seen=(f"`{VERSION}` is `${{VERSION}}`",),
        places=AT_FROM,
        **_typed(version="${VERSION}"),
    ),
    Case(
        rule="malformed-label",
        name="leading-zero-and-underscore",
        severity=Severity.WARNING,
        labels=(),
        seen=(f"`{VERSION}` is `1.2.3_4`",),
        places=AT_FROM,
        **_typed(version="1.2.3_4"),
    ),
    Case(
        rule="malformed-label",
        name="dates",
        severity=Severity.WARNING,
        origin=None,
        seen=("`org.opencontainers.image.created` is `2026-13-24T10:00:00Z`",),
        places=("shop-web:dev config.Labels",),
        **_typed(created="2026-13-24T10:00:00Z"),
    ),
    Case(
        rule="malformed-label",
        name="each-type",
        severity=Severity.WARNING,
        seen=(
            "`org.opencontainers.image.created` is `yesterday`",
            "`org.opencontainers.image.licenses` is `Apache 2`",
            "`org.opencontainers.image.url` is `example.com`",
            "`org.opencontainers.image.source` is empty",
            "`org.opencontainers.image.documentation` is `https://`",
        ),
        places=AT_FROM * 5,
        **_typed(
            created="yesterday", licenses="Apache 2", url="example.com", source="", documentation="https://"
        ),
    ),
    # credential-file-in-layer
    Case(
        rule="credential-file-in-layer",
        name="certificates",
        files=[{"/etc/ssl/a.pem": b"-----BEGIN CERTIFICATE-----\n" + b"MIIE" * 40, "/b.key": b"public"}],
    ),
    Case(
        rule="credential-file-in-layer",
        name="headers-alone",
        files=[{"/app/look.pem": _pem(body="..."), "/root/.ssh/known_hosts": b"host ssh-ed25519 AAAA" * 9}],
    ),
    Case(
        rule="credential-file-in-layer",
        name="values-from-elsewhere",
        files=[
            {
                "/root/.npmrc": b"//registry.example.com/:_authToken=${NPM_TOKEN}\nregistry=https://example.com/",
                "/root/.pypirc": b"[pypi]\nusername = __token__\n",
                "/etc/pip.conf": b"[global]\nindex-url = https://example.com/simple\n",
                "/root/.docker/config.json": b'{"auths": {"example.com": {}}, "credsStore": "pass"}',
                "/root/.aws/credentials": b"[default]\nregion = x\n",
                "/app/config.json": b'{"auth": "c2VjcmV0OnNlY3JldA=="}',
            }
        ],
    ),
    Case(
        rule="credential-file-in-layer",
        name="keys",
        files=[
            {
                "/root/.ssh/work": _pem("OPENSSH "),
                "/etc/ssh/ssh_host_rsa_key": _pem("RSA "),
                "/app/tls.key": _pem(),
                "/app/locked.pem": _pem("ENCRYPTED "),
                "/app/service-account.json": b'{"private_key": "'
                + _pem().replace(b"\n", b"\\n")
                + b'", "type": "service_account"}',
                "/app/id.der": b"0\x82\x04\xbd\x02\x01\x00\x30\x0d\x06\x09" + b"x" * 90,
                "/app/a.p12": b"0\x82" + bytes.fromhex("060b2a864886f70d010c0a0102") + b"y" * 40,
            }
        ],
        seen=tuple(
            f"`{path}` holds {what}, in layer 1 of 1"
            for path, what in (
                ("/root/.ssh/work", "a private key"),
                ("/etc/ssh/ssh_host_rsa_key", "a private key"),
                ("/app/tls.key", "a private key"),
                ("/app/locked.pem", "an encrypted private key"),
                ("/app/service-account.json", "a private key"),
                ("/app/id.der", "a private key"),
                ("/app/a.p12", "a private key with its certificate"),
            )
        ),
        places=tuple(
            f"shop-web:dev:{path} (layer 1)"
            for path in (
                "/root/.ssh/work",
                "/etc/ssh/ssh_host_rsa_key",
                "/app/tls.key",
                "/app/locked.pem",
                "/app/service-account.json",
                "/app/id.der",
                "/app/a.p12",
            )
        ),
    ),
    Case(
        rule="credential-file-in-layer",
        name="settings-of-clients",
        files=[
            {
                "/root/.npmrc": b"//registry.example.com/:_authToken=npm_hunter2hunter2\n",
                "/root/.pypirc": b"[pypi]\nusername = __token__\npassword = hunter2\n",
                "/etc/pip.conf": b"[global]\nindex-url = https://me:hunter2@example.com/simple\n",
                "/root/.netrc": b"machine example.com login me password hunter2\n",
                "/root/.git-credentials": b"https://me:hunter2@example.com\n",
                "/root/.docker/config.json": b'{"auths": {"example.com": {"auth": "bWU6aHVudGVyMg=="}}}',
                "/root/.aws/credentials": b"[default]\naws_secret_access_key = hunter2hunter2\n",
                "/root/.pgpass": b"db:5432:shop:me:hunter2\n",
                "/root/.kube/config": b"users:\n- user:\n    token: hunter2\n",
            }
        ],
        seen=tuple(
            f"`{path}` holds credentials for {what}, in layer 1 of 1"
            for path, what in (
                ("/root/.npmrc", "npm"),
                ("/root/.pypirc", "PyPI"),
                ("/etc/pip.conf", "a package index"),
                ("/root/.netrc", "a server"),
                ("/root/.git-credentials", "a Git server"),
                ("/root/.docker/config.json", "a container registry"),
                ("/root/.aws/credentials", "AWS"),
                ("/root/.pgpass", "PostgreSQL"),
                ("/root/.kube/config", "Kubernetes"),
            )
        ),
        places=tuple(
            f"shop-web:dev:{path} (layer 1)"
            for path in (
                "/root/.npmrc",
                "/root/.pypirc",
                "/etc/pip.conf",
                "/root/.netrc",
                "/root/.git-credentials",
                "/root/.docker/config.json",
                "/root/.aws/credentials",
                "/root/.pgpass",
                "/root/.kube/config",
            )
        ),
    ),
    Case(
        rule="credential-file-in-layer",
        name="replaced-later",
        files=[{"/app/id_rsa": _pem("RSA ")}, {"/app/id_rsa": b"none"}],
        seen=("`/app/id_rsa` holds a private key, in layer 1 of 2, hidden by layer 2",),
        places=("shop-web:dev:/app/id_rsa (layer 1)",),
    ),
    Case(
        rule="credential-file-in-layer",
        name="test-key-of-a-package",
        severity=Severity.NOTE,
        files=[
            {
                "/app/node_modules/tls/package.json": b'{"name": "tls", "version": "1.0.0"}',
                "/app/node_modules/tls/test/a.key": _pem(),
            }
        ],
        seen=("`/app/node_modules/tls/test/a.key` holds a private key, in layer 1 of 1, part of tls 1.0.0",),
        places=("shop-web:dev:/app/node_modules/tls/test/a.key (layer 1)",),
    ),
    Case(
        rule="credential-file-in-layer",
        name="of-the-application-itself",
        files=[{"/app/package.json": b'{"name": "shop", "version": "1.0.0"}', "/app/a.key": _pem()}],
        seen=("`/app/a.key` holds a private key, in layer 1 of 1",),
        places=("shop-web:dev:/app/a.key (layer 1)",),
    ),
    # setuid-file
    Case(
        rule="setuid-file", name="ordinary", entries=[[_file("/app/x", 0o755), _directory("/app/y", 0o2775)]]
    ),
    Case(
        rule="setuid-file",
        name="of-the-distribution",
        files=[{"/var/lib/dpkg/status": STATUS, "/var/lib/dpkg/info/tools.list": b"/bin/su\n"}],
        entries=[[_file("/bin/su", 0o4755)]],
    ),
    Case(
        rule="setuid-file",
        name="deleted",
        entries=[[_file("/bin/su", 0o4755)], [Entry(path="/bin/su", kind=Kind.WHITEOUT)]],
    ),
    Case(
        rule="setuid-file",
        name="user",
        severity=Severity.WARNING,
        entries=[[_file("/app/x", 0o4755)]],
        seen=("`/app/x` (mode 4755) runs as user 0",),
        places=("shop-web:dev:/app/x (layer 1)",),
    ),
    Case(
        rule="setuid-file",
        name="group",
        severity=Severity.WARNING,
        entries=[[_file("/app/x", 0o2755, uid=5)]],
        seen=("`/app/x` (mode 2755) runs as group 0",),
        places=("shop-web:dev:/app/x (layer 1)",),
    ),
    Case(
        rule="setuid-file",
        name="of-a-package-of-python",
        severity=Severity.WARNING,
        entries=[[_file("/opt/b", 0o755)], [_file("/opt/b", 0o6755, uid=7)]],
        seen=("`/opt/b` (mode 6755) runs as user 7",),
        places=("shop-web:dev:/opt/b (layer 2)",),
    ),
    # world-writable-path
    Case(
        rule="world-writable-path",
        name="shared-by-custom",
        entries=[[_directory("/tmp", 0o777), _directory("/spool", 0o1777), _file("/dev/null", 0o666)]],
    ),
    Case(
        rule="world-writable-path",
        name="group",
        entries=[[_directory("/app", 0o775), _file("/app/x", 0o664)]],
    ),
    Case(rule="world-writable-path", name="lock", entries=[[_file("/opt/venv/.lock", 0o666, size=0)]]),
    Case(
        rule="world-writable-path",
        name="link",
        entries=[[Entry(path="/app/x", kind=Kind.SYMLINK, mode=0o777, link="/bin")]],
    ),
    Case(
        rule="world-writable-path",
        name="lock-that-holds-something",
        severity=Severity.WARNING,
        entries=[[_file("/opt/venv/.lock", 0o666)]],
        seen=("`/opt/venv/.lock` (mode 0666)",),
        places=("shop-web:dev:/opt/venv/.lock (layer 1)",),
    ),
    Case(
        rule="world-writable-path",
        name="all-of-a-directory",
        severity=Severity.WARNING,
        entries=[
            [
                _directory("/app", 0o777),
                _directory("/app/a", 0o777),
                _file("/app/a/x", 0o777),
                _directory("/app/b", 0o755),
                _file("/app/b/y", 0o666),
                _directory("/apple", 0o777),
            ]
        ],
        seen=("`/app` (mode 0777), and 3 paths below it", "`/apple` (mode 0777)"),
        places=("shop-web:dev:/app (layer 1)", "shop-web:dev:/apple (layer 1)"),
    ),
    Case(
        rule="world-writable-path",
        name="files",
        severity=Severity.WARNING,
        entries=[[_file("/etc/a", 0o666), _file("/etc/b", 0o622), _file("/usr/c", 0o602)]],
        seen=("`/etc/a` (mode 0666), and 1 path in the same directory", "`/usr/c` (mode 0602)"),
        places=("shop-web:dev:/etc/a (layer 1)", "shop-web:dev:/usr/c (layer 1)"),
    ),
    # compiler-left
    Case(rule="compiler-left", name="outside-of-the-path", entries=[[_file("/opt/llvm/bin/clang", 0o755)]]),
    Case(
        rule="compiler-left",
        name="called-alike",
        entries=[
            [
                _file("/usr/bin/gccx", 0o755),
                _file("/usr/bin/cargo.txt", 0o755),
                _directory("/usr/bin/go", 0o755),
            ]
        ],
    ),
    Case(rule="compiler-left", name="not-executable", entries=[[_file("/usr/bin/make", 0o644)]]),
    Case(
        rule="compiler-left",
        name="of-a-package",
        severity=Severity.WARNING,
        files=[
            {
                "/var/lib/dpkg/status": STATUS,
                "/var/lib/dpkg/info/tools.list": b"/usr/bin/gcc-12\n/usr/bin/g++-12\n",
            }
        ],
        entries=[
            [
                _file("/usr/bin/gcc-12", 0o755),
                Entry(path="/usr/bin/gcc", kind=Kind.SYMLINK, link="gcc-12"),
                _file("/usr/bin/g++-12", 0o755),
            ]
        ],
        seen=("`/usr/bin/g++-12`, `/usr/bin/gcc`, `/usr/bin/gcc-12` of tools 1 (8 B)",),
        places=("shop-web:dev:/usr/bin/g++-12",),
    ),
    Case(
        rule="compiler-left",
        name="of-nobody",
        severity=Severity.WARNING,
        entries=[[_file("/usr/local/bin/rustc", 0o755), _file("/usr/local/bin/cargo", 0o755)]],
        seen=("`/usr/local/bin/cargo`", "`/usr/local/bin/rustc`"),
        places=("shop-web:dev:/usr/local/bin/cargo", "shop-web:dev:/usr/local/bin/rustc"),
    ),
    Case(
        rule="compiler-left",
        name="in-the-path",
        severity=Severity.WARNING,
        entries=[[_file("/usr/local/go/bin/go", 0o755)]],
        seen=("`/usr/local/go/bin/go`",),
        places=("shop-web:dev:/usr/local/go/bin/go",),
        **_environment(PATH="/usr/local/go/bin:/usr/bin"),
    ),
    # package-manager-left
    Case(
        rule="package-manager-left",
        name="of-the-distribution",
        entries=[[_file("/usr/bin/apt-get", 0o755), _file("/sbin/apk", 0o755)]],
    ),
    Case(
        rule="package-manager-left", name="outside-of-the-path", entries=[[_file("/opt/venv/bin/pip", 0o755)]]
    ),
    Case(rule="package-manager-left", name="called-alike", entries=[[_file("/usr/bin/pipe", 0o755)]]),
    Case(
        rule="package-manager-left",
        name="npm",
        severity=Severity.NOTE,
        files=[
            {
                "/usr/local/lib/node_modules/npm/package.json": b'{"name": "npm", "version": "10.9.0"}',
            }
        ],
        entries=[
            [
                _file("/usr/local/lib/node_modules/npm/bin/npm-cli.js", 0o755),
                Entry(
                    path="/usr/local/bin/npm",
                    kind=Kind.SYMLINK,
                    link="../lib/node_modules/npm/bin/npm-cli.js",
                ),
            ]
        ],
        seen=("`/usr/local/bin/npm` of npm 10.9.0 (40 B)",),
        places=("shop-web:dev:/usr/local/bin/npm",),
    ),
    Case(
        rule="package-manager-left",
        name="several",
        severity=Severity.NOTE,
        entries=[[_file("/usr/bin/pip3.11", 0o755), _file("/usr/bin/uv", 0o755)]],
        seen=("`/usr/bin/pip3.11`", "`/usr/bin/uv`"),
        places=("shop-web:dev:/usr/bin/pip3.11", "shop-web:dev:/usr/bin/uv"),
    ),
    Case(
        rule="package-manager-left",
        name="in-an-environment",
        severity=Severity.NOTE,
        entries=[[_file("/opt/venv/bin/pip", 0o755)]],
        seen=("`/opt/venv/bin/pip`",),
        places=("shop-web:dev:/opt/venv/bin/pip",),
        **_environment(PATH="/opt/venv/bin:/usr/bin"),
    ),
    # missing-python-package
    Case(rule="missing-python-package", name="nothing"),
    Case(
        rule="missing-python-package",
        name="of-node",
        missing=(_missing(Problem.NOT_INSTALLED, "npm", "left-pad", Certainty.CERTAIN),),
    ),
    Case(
        rule="missing-python-package",
        name="library",
        missing=(_missing(Problem.LIBRARY_MISSING, "elf", "libpq.so.5", Certainty.LIKELY),),
    ),
    Case(
        rule="missing-python-package",
        name="not-installed",
        missing=(
            _missing(Problem.NOT_INSTALLED, "python", "idna", Certainty.CERTAIN, by="httpx", expected=">=3"),
        ),
        seen=("no `idna`, required by `httpx`",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    Case(
        rule="missing-python-package",
        name="incomplete",
        missing=(_missing(Problem.INCOMPLETE, "python", "idna", Certainty.CERTAIN, expected="/opt/x/idna"),),
        seen=("`idna` lacks /opt/x/idna",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    Case(
        rule="missing-python-package",
        name="wrong-version",
        severity=Severity.WARNING,
        missing=(
            _missing(Problem.WRONG_VERSION, "python", "idna", Certainty.LIKELY, expected=">=3", seen="2.1"),
        ),
        seen=("`idna` 2.1, required by `/opt/x/file`",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    # missing-node-package
    Case(rule="missing-node-package", name="nothing"),
    Case(
        rule="missing-node-package",
        name="of-python",
        missing=(_missing(Problem.NOT_INSTALLED, "python", "idna", Certainty.CERTAIN),),
    ),
    Case(
        rule="missing-node-package",
        name="library",
        missing=(_missing(Problem.LIBRARY_MISSING, "elf", "libpq.so.5", Certainty.LIKELY),),
    ),
    Case(
        rule="missing-node-package",
        name="not-installed",
        missing=(_missing(Problem.NOT_INSTALLED, "npm", "pg", Certainty.CERTAIN, by="shop", expected="^8"),),
        seen=("no `pg`, required by `shop`",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    Case(
        rule="missing-node-package",
        name="unresolved",
        missing=(
            _missing(Problem.UNRESOLVED, "npm", "pg", Certainty.CERTAIN, by="shop", expected="lib/index.js"),
        ),
        seen=("`pg` lacks the file that it is entered by, lib/index.js, required by `shop`",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    Case(
        rule="missing-node-package",
        name="perhaps",
        severity=Severity.NOTE,
        missing=(_missing(Problem.NOT_INSTALLED, "npm", "pg", Certainty.POSSIBLE),),
        seen=("no `pg`, required by `/opt/x/file`",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    # missing-library
    Case(rule="missing-library", name="nothing"),
    Case(
        rule="missing-library",
        name="of-python",
        missing=(_missing(Problem.NOT_INSTALLED, "python", "idna", Certainty.CERTAIN),),
    ),
    Case(
        rule="missing-library",
        name="of-node",
        missing=(_missing(Problem.NOT_INSTALLED, "npm", "pg", Certainty.CERTAIN),),
    ),
    Case(
        rule="missing-library",
        name="certain",
        missing=(
            _missing(Problem.LIBRARY_MISSING, "elf", "libpq.so.5", Certainty.CERTAIN),
            _missing(Problem.LIBRARY_MISSING, "elf", "libpq.so.5", Certainty.LIKELY),
        ),
        seen=("`/opt/x/file`, and 1 more needs `libpq.so.5`, which is not found",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    Case(
        rule="missing-library",
        name="likely",
        severity=Severity.WARNING,
        missing=(_missing(Problem.LIBRARY_MISSING, "elf", "libpq.so.5", Certainty.LIKELY),),
        seen=("`/opt/x/file` needs `libpq.so.5`, which is not found",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    Case(
        rule="missing-library",
        name="loader",
        missing=(_missing(Problem.LOADER_MISSING, "elf", "/lib/ld-musl-x86_64.so.1", Certainty.CERTAIN),),
        seen=("`/opt/x/file` needs `/lib/ld-musl-x86_64.so.1`, which is not found",),
        places=("shop-web:dev:/opt/x/file",),
    ),
    # over-budget, by what has grown
    Case(
        rule="over-budget",
        name="since-the-previous-one",
        layers=[{"/a": 2}],
        settings=ServiceSettings(budget=Budget(size=1, origin=BUDGET)),
        growth=GROWTH,
        seen=(
            "2 B unpacked, 1 B over; since web:1.0: Its visible size grew by 8.0 MB: torch 2.5 (python) +8.0 MB",
        ),
        places=("hullmark.toml:4:10",),
    ),
    # over-growth-budget
    Case(rule="over-growth-budget", name="no-budget", change=GROWTH),
    Case(rule="over-growth-budget", name="no-baseline", settings=_promise(growth=1)),
    Case(rule="over-growth-budget", name="within", change=GROWTH, settings=_promise(growth=8 * 10**6)),
    Case(rule="over-growth-budget", name="smaller", change=_grown(10, 9), settings=_promise(growth=0)),
    Case(
        rule="over-growth-budget",
        name="by-one",
        change=_grown(10, 12),
        settings=_promise(growth=1),
        seen=(
            "2 B more unpacked than web:1.0, 1 B over: Its visible size grew by 2 B: torch 2.5 (python) +2 B",
        ),
        places=("hullmark.toml:4:10",),
    ),
    Case(
        rule="over-growth-budget",
        name="by-much",
        change=GROWTH,
        settings=_promise(growth=10**6),
        seen=(
            "8.0 MB more unpacked than web:1.0, 7.0 MB over: Its visible size grew by 8.0 MB: torch 2.5 (python) +8.0 MB",
        ),
        places=("hullmark.toml:4:10",),
    ),
    Case(
        rule="over-growth-budget",
        name="none-at-all",
        change=_grown(0, 1),
        settings=_promise(growth=0),
        seen=(
            "1 B more unpacked than web:1.0, 1 B over: Its visible size grew by 1 B: torch 2.5 (python) +1 B",
        ),
        places=("hullmark.toml:4:10",),
    ),
    # over-transfer-budget
    Case(rule="over-transfer-budget", name="no-budget", layers=[{"/a": 1}], transfer=10**12),
    Case(
        rule="over-transfer-budget",
        name="within",
        layers=[{"/a": 1}],
        transfer=10,
        settings=_promise(transfer=10),
    ),
    Case(rule="over-transfer-budget", name="unknown", layers=[{"/a": 99}], settings=_promise(transfer=10)),
    Case(
        rule="over-transfer-budget",
        name="one-layer",
        layers=[{"/a": 10**6}],
        transfer=11 * 10**5,
        settings=_promise(transfer=10**6),
        seen=("1.1 MB to pull, 100.0 kB over; most of it: / (directory) 1.0 MB, through `layer 1` 1.0 MB",),
        places=("hullmark.toml:4:10",),
    ),
    Case(
        rule="over-transfer-budget",
        name="two-layers",
        layers=[{"/a": 0}, {"/b": 0}],
        transfer=600_000,
        settings=_promise(transfer=10**6),
        seen=("1.2 MB to pull, 200.0 kB over",),
        places=("hullmark.toml:4:10",),
    ),
    Case(
        rule="over-transfer-budget",
        name="since-the-previous-one",
        layers=[{"/a": 0}],
        transfer=1001,
        settings=_promise(transfer=1000),
        growth=GROWTH,
        seen=(
            "1.0 kB to pull, 1 B over; since web:1.0: Its visible size grew by 8.0 MB: torch 2.5 (python) +8.0 MB",
        ),
        places=("hullmark.toml:4:10",),
    ),
    # over-update-budget
    Case(rule="over-update-budget", name="no-budget", update=_update(10**12)),
    Case(rule="over-update-budget", name="within", update=_update(10), settings=_promise(update=10)),
    Case(rule="over-update-budget", name="no-previous", settings=_promise(update=10)),
    Case(
        rule="over-update-budget",
        name="uncompressed",
        update=_update(99, compressed=False),
        settings=_promise(update=10),
    ),
    Case(
        rule="over-update-budget",
        name="by-one",
        layers=[{"/a": 0}, {"/b": 0}],
        update=_update(11),
        settings=_promise(update=10),
        seen=("11 B to pull in 1 of 2 layers, 1 B over",),
        places=("hullmark.toml:4:10",),
    ),
    Case(
        rule="over-update-budget",
        name="by-much",
        layers=[{"/a": 0}],
        update=_update(2 * 10**6),
        settings=_promise(update=10**6),
        seen=("2.0 MB to pull in 1 of 1 layers, 1.0 MB over",),
        places=("hullmark.toml:4:10",),
    ),
    Case(
        rule="over-update-budget",
        name="since-the-previous-one",
        layers=[{"/a": 0}],
        update=_update(2 * 10**6),
        growth=GROWTH,
        settings=_promise(update=10**6),
        seen=(
            "2.0 MB to pull in 1 of 1 layers, 1.0 MB over; since web:1.0: Its visible size grew by 8.0 MB: torch 2.5 (python) +8.0 MB",
        ),
        places=("hullmark.toml:4:10",),
    ),
)


def _name(case: Case) -> str:
    return f"{case.rule}/{'bad' if case.seen else 'good'}-{case.name}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_a_case_has_the_findings_it_expects(case: Case) -> None:
    findings = list(RULES[case.rule].check(case.shipped, service="web"))
    assert tuple(finding.seen for finding in findings) == case.seen
    assert tuple(str(finding.location) for finding in findings) == case.places


@pytest.mark.parametrize("case", [case for case in CASES if case.seen], ids=_name)
def test_a_finding_says_what_is_expected_and_what_to_type(case: Case) -> None:
    for finding in RULES[case.rule].check(case.shipped, service="web"):
        assert finding.severity is case.severity
        assert finding.expected
        assert "`" in finding.remedy
        assert finding.service == "web"


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_has_cases_of_both_kinds(name: str) -> None:
    cases = [case for case in CASES if case.rule == name]
    assert sum(bool(case.seen) for case in cases) >= 3
    assert sum(not case.seen for case in cases) >= 3


def test_names_of_cases_are_used_once() -> None:
    names = [_name(case) for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_page_has_a_title_and_the_sections_every_page_has(rule: Rule[Any]) -> None:
    title, blank, *rest = rule.page.splitlines()
    assert title.endswith(".")
    assert not blank
    assert tuple(line for line in rest if line and not line.startswith(" ")) == HEADINGS


def test_no_secret_is_ever_quoted() -> None:
    for case in CASES:
        for finding in RULES[case.rule].check(case.shipped, service="web"):
            told = f"{finding.seen}{finding.remedy}{finding.expected}{finding.location}"
            for _, value in case.configuration.environment:
                assert value not in told or case.rule != "secret-in-env"
            assert "hunter2" not in told
            assert "MIIE" not in told


def test_no_secret_is_ever_kept() -> None:
    kept = [
        data
        for case in CASES
        for layer in case.shipped.image.layers
        for path, data in layer.captured.items()
        if not path.endswith(("/package.json", "/status", ".list"))
    ]
    assert len(kept) > 15
    assert not [data for data in kept if b"hunter2" in data or b"MIIE" in data]


def test_each_file_is_kept_by_who_wants_it_and_by_nobody_else() -> None:
    script = b"#!/bin/sh\nexec node /app/server.js\n" * 9
    files = {
        "/usr/bin/start": script,
        "/app/a.pem": b"-----BEGIN CERTIFICATE-----\n",
        "/etc/ld.so.conf": b"/opt/lib\n",
    }
    layer = _layer([], files)
    assert dict(layer.captured) == {"/etc/ld.so.conf": b"/opt/lib\n"}


def _of(*entries: Entry) -> ShippedImage:
    return Case(rule="", name="", entries=[entries], labels=()).shipped


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Kind.FILE, 1),
        (Kind.HARDLINK, 1),
        (Kind.WHITEOUT, 0),
        (Kind.DIRECTORY, 0),
        (Kind.SYMLINK, 0),
        (Kind.OPAQUE, 0),
    ],
)
def test_only_an_entry_with_content_is_an_environment_file(kind: Kind, found: int) -> None:
    link = "/sh" if kind in {Kind.SYMLINK, Kind.HARDLINK} else ""
    seen = _of(_file("/sh", 0o644), Entry(path="/app/.env", kind=kind, link=link))
    assert len(list(RULES["env-file-in-layer"].check(seen))) == found


def test_an_environment_file_deleted_later_is_still_found() -> None:
    seen = _of(Entry(path="/.env", kind=Kind.FILE, size=4), Entry(path="/.env", kind=Kind.WHITEOUT))
    assert len(list(RULES["env-file-in-layer"].check(seen))) == 1


def test_the_remedy_for_a_budget_names_one_that_would_do() -> None:
    (case,) = (case for case in CASES if case.name == "over-several-layers")
    (finding,) = RULES["over-budget"].check(case.shipped)
    assert finding.remedy == 'take out 50.5 MB, or set `budget = "651 MB"` here'


def test_a_fingerprint_does_not_depend_on_the_tag_or_the_line() -> None:
    def fingerprints(reference: str, line: int) -> set[str]:
        configuration = ImageConfiguration(environment=(("DB_PASSWORD", "x1"),))
        image = synthetic_image(reference, configuration=configuration, layers=[{"/.env": line}])
        made = shipped(
            dissect(image),
            service="web",
            settings=ServiceSettings(user=NonRoot()),
            labels=(VERSION,),
            origin=SourceSpan(path="Dockerfile", line=line),
        )
        return {f.fingerprint for rule in RULES.values() for f in rule.check(made, service="web")}

    assert fingerprints("shop:1", 3) == fingerprints("shop:2", 30)
    assert len(fingerprints("shop:1", 3)) == 5


def test_equal_images_have_equal_digests_and_others_have_not() -> None:
    one = synthetic_image(layers=[{"/a": 1}])
    same = synthetic_image(layers=[{"/a": 1}])
    assert (one.config_digest, one.layers[0].diff_id) == (same.config_digest, same.layers[0].diff_id)
    assert one.config_digest != synthetic_image(layers=[{"/a": 2}]).config_digest
    assert one.layers[0].diff_id != synthetic_image(layers=[{"/b": 1}]).layers[0].diff_id
    assert ImageConfig(image=one.reference, key="User").anchor == "config:User"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/a.pem", b"-----BEGIN PRIVATE" + b" KEY-----" + b"\\n" * 31 + b"\0"),
        ("/a.pem", (b"-----BEGIN PRIVATE" + b" KEY-----\n") * 30_000),
        ("/.pypirc", b"\n" * (1 << 20)),
        ("/.aws/credentials", b" " * (1 << 20)),
        ("/.my.cnf", b"password" * (1 << 17)),
        ("/.pgpass", b"a:" * (1 << 19)),
        ("/.netrc", b"password " * (1 << 16)),
        ("/.npmrc", b"_authToken=" * (1 << 16)),
        ("/.git-credentials", b"://:" * (1 << 18)),
        ("/kubeconfig", b"\n\t" * (1 << 19)),
        ("/a.key", b"(" * (1 << 20)),
        ("/.env", b"TOKEN=kw8Rtz" + b" " * (1 << 19)),
        ("/prod.env", b'A="' * (1 << 18)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_file_is_looked_through_to_its_end(path: str, content: bytes) -> None:
    # They are so large that what goes back and forth in them, for each byte through all others, would take hours.
    found = CredentialCapture().take(path, memoryview(content))
    assert (found is not None) == (path in {"/.npmrc", "/.netrc", "/.env"})
