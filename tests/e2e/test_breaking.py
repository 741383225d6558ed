"""The reference stack, broken one thing at a time: exactly the right finding appears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Outcome, Tale

    from hullmark._engines import Engine

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

CHECKS = ("lint", "build", "validate", "smoke")
VERSION_LABEL = ' \\\n      org.opencontainers.image.version="${VERSION}"'


def _finding(outcome: Outcome, rule: str) -> dict[str, Any]:
    (found,) = [finding for finding in outcome.report["findings"] if finding["rule"] == rule]
    assert isinstance(found, dict)
    return found


def test_the_whole_stack_passes(tale: Tale) -> None:
    outcome = tale.run("check")
    # What a scanner knows of the day's packages, where one is installed, is not up to the stack.
    assert [rule for rule, _ in outcome.findings if rule != "vulnerable-package"] == []
    assert outcome.exit_code == 0
    assert outcome.report["verdict"]["status"] == "clean"
    services = outcome.report["project"]["services"]
    assert services == ["crawler", "db", "platform", "proxy", "rag"]
    by_check = {
        check: {
            each["service"]: each["status"] for each in outcome.report["outcomes"] if each["check"] == check
        }
        for check in CHECKS
    }
    assert by_check["build"] == by_check["validate"] == dict.fromkeys(services, "ran")
    assert by_check["lint"] == by_check["smoke"] == dict.fromkeys([*services, "site"], "ran")
    smoke = outcome.report["smoke"]
    assert all(probe["passed"] for probe in smoke["probes"])
    assert {link["to"] for link in smoke["links"] if link["passed"]} == {
        "http://platform:3000/api/health",
        "http://rag:8001/health",
        "http://crawler:8002/health",
        "tcp://db:5432",
    }
    (flow,) = [probe["steps"] for probe in smoke["probes"] if probe["service"] == "proxy" and probe["steps"]]
    assert len(flow) == 4
    assert all(step["passed"] for step in flow)
    for image in outcome.report["images"].values():
        assert 0 < image["size"]["unpacked"] < image["budget"]


def _drop_label(tale: Tale) -> None:
    """The squash drops the label that the runtime stage declares."""
    name = "services/rag/Dockerfile"
    tale.edit(name, VERSION_LABEL, "")
    tale.edit(
        name,
        "FROM python AS runtime\n",
        'FROM python AS runtime\nARG VERSION=dev\nLABEL org.opencontainers.image.version="${VERSION}"\n',
    )


def _drop_health_check(tale: Tale) -> None:
    text = (tale.root / "services/rag/Dockerfile").read_text(encoding="utf-8")
    start = text.index("HEALTHCHECK")
    end = text.index("\n", text.index("CMD", start)) + 1
    tale.edit("services/rag/Dockerfile", text[start:end], "")


def _copy_env_file(tale: Tale) -> None:
    (tale.root / "services/rag/.env").write_text("TOKEN=not-so-secret\n", encoding="utf-8")
    (tale.root / ".dockerignore").write_text("*\n!services\n", encoding="utf-8")
    tale.edit(
        "services/rag/Dockerfile",
        "COPY services/rag/rag/ /app/rag/\n",
        "COPY services/rag/rag/ /app/rag/\nCOPY services/rag/.env /app/.env\n",
    )


def _run_as_root(tale: Tale) -> None:
    text = (tale.root / "services/platform/Dockerfile").read_text(encoding="utf-8")
    (user,) = [line for line in text.splitlines(keepends=True) if line.startswith("USER ")]
    tale.edit("services/platform/Dockerfile", user, "")


def _cut_budget(tale: Tale) -> None:
    tale.edit("hullmark.toml", 'budget = "600 MB"', 'budget = "60 MB"')


@pytest.mark.parametrize(
    ("break_it", "service", "expected"),
    [
        (_drop_label, "rag", {"missing-version-label": "lint", "missing-image-label": "validate"}),
        (_drop_health_check, "rag", {"missing-healthcheck": "lint", "missing-image-healthcheck": "validate"}),
        (_copy_env_file, "rag", {"credential-file-copied": "lint", "visible-secret": "secrets"}),
        (_run_as_root, "platform", {"root-in-final-stage": "lint", "root-user": "validate"}),
        (_cut_budget, "rag", {"over-budget": "validate"}),
    ],
    ids=lambda value: getattr(value, "__name__", "").removeprefix("_") or None,
)
def test_what_is_broken_in_an_image_is_found(
    tale: Tale, break_it: Callable[[Tale], None], service: str, expected: dict[str, str]
) -> None:
    break_it(tale)
    outcome = tale.run("check", service, "--skip", "smoke", "--skip", "scan")
    assert outcome.exit_code == 1
    assert sorted(outcome.findings) == sorted((rule, service) for rule in expected)
    for rule in expected:
        assert _finding(outcome, rule)["remedy"]


def test_a_file_in_an_image_is_traced_through_the_squash_to_the_copy_that_brought_it(tale: Tale) -> None:
    _copy_env_file(tale)
    outcome = tale.run("check", "rag", "--skip", "smoke", "--skip", "scan")
    place = _finding(outcome, "visible-secret")["origin"]
    line = (tale.root / place["path"]).read_text(encoding="utf-8").splitlines()[place["line"] - 1]
    assert line == "COPY services/rag/.env /app/.env"


def test_a_lost_label_is_said_to_be_lost_by_the_squash(tale: Tale) -> None:
    _drop_label(tale)
    outcome = tale.run("lint", "rag")
    assert "lost by the squash" in _finding(outcome, "missing-version-label")["seen"]


def test_a_breach_of_the_budget_points_at_the_budget(tale: Tale) -> None:
    _cut_budget(tale)
    tale.run("build", "rag")
    found = _finding(tale.run("validate", "rag"), "over-budget")
    line = (
        (tale.root / "hullmark.toml").read_text(encoding="utf-8").splitlines()[found["location"]["line"] - 1]
    )
    assert found["location"]["path"] == "hullmark.toml"
    assert line == 'budget = "60 MB"'


def test_a_link_to_a_dead_port_is_found(tale: Tale) -> None:
    tale.edit(
        "hullmark.toml", 'to = "http://rag:8001/health"', 'to = "http://rag:8999/health"\ntimeout = "3 s"'
    )
    outcome = tale.run("smoke")
    assert outcome.exit_code == 1
    assert outcome.findings == [("failed-link", "platform")]
    found = _finding(outcome, "failed-link")
    assert "refused" in found["seen"].lower()
    assert found["location"]["path"] == "hullmark.toml"


def test_a_health_check_that_never_passes_is_found(tale: Tale) -> None:
    text = (tale.root / "compose.test.yml").read_text(encoding="utf-8")
    (tale.root / "compose.test.yml").write_text(
        text.replace(
            "  rag:\n    <<: *often\n",
            "  rag:\n    healthcheck: {test: [CMD, 'false'], interval: 1s, start_period: 0s}\n",
        ),
        encoding="utf-8",
    )
    outcome = tale.run("smoke")
    assert outcome.exit_code == 1
    assert outcome.findings == [("unhealthy-service", "rag")]
    blocked = {
        each["service"]: each["reason"] for each in outcome.report["outcomes"] if each["status"] == "broken"
    }
    assert blocked["platform"] == "its probes and links were not tried: `rag` did not come up"
    assert outcome.report["smoke"]["services"]["rag"]["state"] == "unhealthy"


def test_a_build_that_fails_names_the_instruction_and_what_it_said(tale: Tale) -> None:
    tale.edit(
        "services/rag/Dockerfile",
        "COPY services/rag/rag/ /app/rag/\n",
        "COPY services/rag/rag/ /app/rag/\nRUN echo the reason is here && exit 7\n",
    )
    outcome = tale.run("check", "rag", "--skip", "scan")
    assert outcome.exit_code == 1
    assert outcome.findings == [("failed-build", "rag")]
    found = _finding(outcome, "failed-build")
    lines = (tale.root / "services/rag/Dockerfile").read_text(encoding="utf-8").splitlines()
    assert lines[found["location"]["line"] - 1].startswith("RUN echo the reason")
    assert "the reason is here" in found["seen"]
    assert "exit code: 7" in found["seen"]
    skipped = {each["check"] for each in outcome.report["outcomes"] if each["status"] == "skipped"}
    assert skipped == {"validate", "smoke", "secrets"}


def test_the_images_of_a_run_are_the_ones_of_its_version(tale: Tale, engine: Engine) -> None:
    outcome = tale.run("check", "proxy", "--skip", "smoke", "--skip", "scan")
    image = outcome.report["images"]["proxy"]
    assert image["reference"] == f"tale-proxy:{tale.version}"
    inspected = engine.client.images.get(image["reference"])
    assert inspected.id == image["config_digest"]
    assert [layer["diff_id"] for layer in image["layers"]] == inspected.attrs["RootFS"]["Layers"]
    assert sum(layer["unpacked"] for layer in image["layers"]) == image["size"]["unpacked"]
