"""Each rule about Compose on projects of its own, resolved by Compose itself: what it catches, where, and what not."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hullmark.rules.compose
from hullmark._compose import compositions, resolve
from hullmark._settings import load_settings
from hullmark.model.dockerfile import HandedOn
from hullmark.model.location import SourceSpan
from hullmark.model.rule import HEADINGS, Rule

if TYPE_CHECKING:
    from hullmark._process import Commands

CASES = Path(__file__).parent / "compose"
EXPECT = re.compile(r"# expect: (error|warning|note)$")


def _rules() -> dict[str, Rule[Any]]:
    package = hullmark.rules.compose
    modules = [
        importlib.import_module(f"{package.__name__}.{each.name}")
        for each in pkgutil.iter_modules(package.__path__)
    ]
    return {
        value.id: value for module in modules for value in vars(module).values() if isinstance(value, Rule)
    }


RULES = _rules()
PROJECTS = sorted(path.parent for path in CASES.glob("*/*/compose.yml"))


@pytest.mark.parametrize("root", PROJECTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_it_finds_what_the_file_says_and_nothing_else(root: Path, commands: Commands) -> None:
    rule = RULES[root.parent.name]
    project = resolve(root, load_settings(root, {}), commands)
    seen = set()
    for composition in compositions(project, commands):
        for finding in rule.check(composition, service=composition.service):
            assert isinstance(finding.location, SourceSpan)
            assert finding.location.path == "compose.yml"
            seen.add((finding.location.line, str(finding.severity)))
    lines = (root / "compose.yml").read_text(encoding="utf-8").splitlines()
    assert seen == {
        (number, expected[1]) for number, line in enumerate(lines, 1) if (expected := EXPECT.search(line))
    }


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_has_a_page_and_cases_for_good_and_for_bad(rule: Rule[Any]) -> None:
    assert all(f"\n{heading}\n" in rule.page for heading in HEADINGS)
    kinds = {path.name.partition("-")[0] for path in (CASES / rule.id).iterdir()}
    assert kinds == {"good", "bad"}


def test_no_value_of_a_secret_is_shown(commands: Commands) -> None:
    root = CASES / "inline-secret" / "bad"
    for composition in compositions(resolve(root, load_settings(root, {}), commands), commands):
        for finding in RULES["inline-secret"].check(composition, service=composition.service):
            assert not re.search(r"hunter2|Zr8kQ0x1|a\$", f"{finding.seen}{finding.remedy}")


@pytest.mark.parametrize(
    ("image", "seen", "known"),
    [
        (None, [], False),
        (HandedOn(), ["waits until `queue` is healthy, whose image `rabbitmq:4` has no health check"], True),
        (HandedOn(health_check=True), [], True),
    ],
)
def test_the_health_check_of_an_image_of_others_is_looked_for_where_it_is_here(
    image: HandedOn | None, seen: list[str], *, known: bool, commands: Commands
) -> None:
    root = CASES / "unchecked-dependency" / "good"
    project = resolve(root, load_settings(root, {}), commands)
    found = next(each for each in compositions(project, commands, lambda _: image) if each.service == "web")
    told = RULES["unchecked-dependency"].check(found, service="web")
    assert [each.seen for each in told] == seen
    assert [(each.service, each.known) for each in found.awaited] == [("db", True), ("queue", known)]
