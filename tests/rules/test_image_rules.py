"""Each rule about built images on literals: what it catches, where, and what it leaves alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark.model.finding import Severity
from hullmark.model.image import HealthCheck, ImageConfiguration, Layer, ShippedImage
from hullmark.model.location import ImageConfig, SourceSpan
from hullmark.model.project import AnyUser, Budget, DropsTo, NonRoot, ServiceSettings
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
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    labels: tuple[str, ...] = (VERSION,)
    origin: SourceSpan | None = FROM

    @property
    def shipped(self) -> ShippedImage:
        image = synthetic_image("shop-web:dev", configuration=self.configuration, layers=self.layers)
        return ShippedImage(
            image=image, service="web", settings=self.settings, labels=self.labels, origin=self.origin
        )


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
    # over-budget
    Case(rule="over-budget", name="no-budget", layers=[{"/big": 10**12}]),
    Case(rule="over-budget", name="below", **_budget(600_000_000, 599_999_999)),
    Case(rule="over-budget", name="exactly", **_budget(600_000_000, 400_000_000, 200_000_000)),
    Case(
        rule="over-budget",
        name="just-above",
        seen=("600.0 MB unpacked, 1 B over",),
        places=("hullmark.toml:4:10",),
        **_budget(600_000_000, 600_000_001),
    ),
    Case(
        rule="over-budget",
        name="over-several-layers",
        seen=("650.5 MB unpacked, 50.5 MB over",),
        places=("hullmark.toml:4:10",),
        **_budget(600_000_000, 600_000_000, 50_500_000),
    ),
    Case(
        rule="over-budget",
        name="masked-bytes-count",
        seen=("20.0 MB unpacked, 10.0 MB over",),
        places=("hullmark.toml:4:10",),
        settings=ServiceSettings(budget=Budget(size=10_000_000, origin=BUDGET)),
        layers=[{"/same": 10_000_000}, {"/same": 10_000_000, "/empty": 0}],
    ),
    # env-file-in-layer
    Case(rule="env-file-in-layer", name="examples", layers=[{"/a/.env.example": 1, "/.env.sample": 1}]),
    Case(rule="env-file-in-layer", name="other-names", layers=[{"/env": 1, "/x.env": 1, "/.environment": 1}]),
    Case(
        rule="env-file-in-layer",
        name="however-it-goes-on",
        layers=[{f"/{name}": 1 for name in (".envrc", ".env-prod", ".env_local", ".env.bak", ".env~")}],
        seen=tuple(
            f"`/{name}` (1 bytes) in layer 0 of 1"
            for name in (".envrc", ".env-prod", ".env_local", ".env.bak", ".env~")
        ),
        places=tuple(
            f"shop-web:dev:/{name} (layer 0)"
            for name in (".envrc", ".env-prod", ".env_local", ".env.bak", ".env~")
        ),
    ),
    Case(rule="env-file-in-layer", name="in-a-directory-of-that-name", layers=[{"/.env/lib/python.py": 1}]),
    Case(rule="env-file-in-layer", name="templates", layers=[{"/.env.template": 1, "/.env.dist": 1}]),
    Case(
        rule="env-file-in-layer",
        name="plain",
        layers=[{"/bin/sh": 1}, {"/app/.env": 12}],
        seen=("`/app/.env` (12 bytes) in layer 1 of 2",),
        places=("shop-web:dev:/app/.env (layer 1)",),
    ),
    Case(
        rule="env-file-in-layer",
        name="of-a-stage",
        layers=[{"/.env.production": 3, "/.env.local": 4}],
        seen=("`/.env.production` (3 bytes) in layer 0 of 1", "`/.env.local` (4 bytes) in layer 0 of 1"),
        places=("shop-web:dev:/.env.production (layer 0)", "shop-web:dev:/.env.local (layer 0)"),
    ),
    Case(
        rule="env-file-in-layer",
        name="in-two-layers",
        layers=[{"/.env": 3}, {"/.env": 0}],
        seen=("`/.env` (3 bytes) in layer 0 of 2", "`/.env` (0 bytes) in layer 1 of 2"),
        places=("shop-web:dev:/.env (layer 0)", "shop-web:dev:/.env (layer 1)"),
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
        seen=("`A` holds an AWS access key", "`B` holds a GitHub token", "`C` holds a private key"),
        places=tuple(f"shop-web:dev config.Env.{name}" for name in "ABC"),
        **_environment(
            A="AKIA" + "ABCDEFGH12345678", B="ghp_" + "a1" * 18, C="-----BEGIN RSA " + "PRIVATE KEY-----\nabc"
        ),
    ),
    Case(
        rule="secret-in-env",
        name="urls",
        seen=("`A` holds a URL with a password", "`B` holds a URL with a password"),
        places=("shop-web:dev config.Env.A", "shop-web:dev config.Env.B"),
        **_environment(A="postgres://app:hunter2@db/app", B="redis://:hunter2@cache:6379"),
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
        assert finding.severity is Severity.ERROR
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
            for _, value in case.configuration.environment:
                assert value not in f"{finding.seen}{finding.remedy}{finding.expected}{finding.location}"


def _of(*entries: Entry) -> ShippedImage:
    image = synthetic_image("shop-web:dev", layers=[{}])
    layer = Layer(diff_id=image.layers[0].diff_id, table=FileTable.of(list(entries)))
    made = replace(image, layers=(layer,))
    return ShippedImage(image=made, service="web", settings=ServiceSettings(), labels=())


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
    shipped = _of(Entry(path="/app/.env", kind=kind))
    assert len(list(RULES["env-file-in-layer"].check(shipped))) == found


def test_an_environment_file_deleted_later_is_still_found() -> None:
    shipped = _of(Entry(path="/.env", kind=Kind.FILE, size=4), Entry(path="/.env", kind=Kind.WHITEOUT))
    assert len(list(RULES["env-file-in-layer"].check(shipped))) == 1


def test_the_remedy_for_a_budget_names_one_that_would_do() -> None:
    (case,) = (case for case in CASES if case.name == "over-several-layers")
    (finding,) = RULES["over-budget"].check(case.shipped)
    assert finding.remedy == 'take out 50.5 MB, or set `budget = "651 MB"` here'


def test_a_fingerprint_does_not_depend_on_the_tag_or_the_line() -> None:
    def fingerprints(reference: str, line: int) -> set[str]:
        configuration = ImageConfiguration(environment=(("DB_PASSWORD", "x1"),))
        shipped = ShippedImage(
            image=synthetic_image(reference, configuration=configuration, layers=[{"/.env": line}]),
            service="web",
            settings=ServiceSettings(user=NonRoot()),
            labels=(VERSION,),
            origin=SourceSpan(path="Dockerfile", line=line),
        )
        return {f.fingerprint for rule in RULES.values() for f in rule.check(shipped, service="web")}

    assert fingerprints("shop:1", 3) == fingerprints("shop:2", 30)
    assert len(fingerprints("shop:1", 3)) == 5


def test_equal_images_have_equal_digests_and_others_have_not() -> None:
    one = synthetic_image(layers=[{"/a": 1}])
    same = synthetic_image(layers=[{"/a": 1}])
    assert (one.config_digest, one.layers[0].diff_id) == (same.config_digest, same.layers[0].diff_id)
    assert one.config_digest != synthetic_image(layers=[{"/a": 2}]).config_digest
    assert one.layers[0].diff_id != synthetic_image(layers=[{"/b": 1}]).layers[0].diff_id
    assert ImageConfig(image=one.reference, key="User").anchor == "config:User"
