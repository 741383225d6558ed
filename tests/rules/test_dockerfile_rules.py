"""Each rule about Dockerfiles on files of its own: what it catches, where, what it leaves alone, and how it is fixed.

Beside a case lies what its fixes make of it: `bad-x.fixed` for the safe ones and, where unsafe ones change more,
`bad-x.unsafe-fixed`. `HULLMARK_UPDATE_GOLDEN=1` writes what is seen into these files, for review in the diff.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import random
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hullmark.rules.dockerfile
from hullmark._dockerfile import fix_text, measure, parse
from hullmark._dockerfile.lint import lint
from hullmark.model.location import SourceSpan
from hullmark.model.rule import HEADINGS, Rule
from hullmark.model.size import parse_size
from hullmark.testing import planted

if TYPE_CHECKING:
    from hullmark.model.context import Context

CASES = Path(__file__).parent / "dockerfile"
UPDATE = "HULLMARK_UPDATE_GOLDEN"
EXPECT = re.compile(r"#\s*expect:\s*(?P<rule>[a-z-]+)(?:\s+@(?P<line>\d+)(?::(?P<column>\d+))?)?\s*$")


def _rules() -> dict[str, Rule[Any]]:
    package = hullmark.rules.dockerfile
    modules = [
        importlib.import_module(f"{package.__name__}.{each.name}")
        for each in pkgutil.iter_modules(package.__path__)
    ]
    return {
        value.id: value for module in modules for value in vars(module).values() if isinstance(value, Rule)
    }


RULES = _rules()
VOLUMES = re.compile(r"^# volumes: (.*)$", re.MULTILINE)
"""Where Compose mounts volumes in a case that says so."""
HOLDS = re.compile(r"^# context(?P<without> without \.dockerignore)?: (?P<files>.*)$", re.MULTILINE)
"""What is in the build context, each file with its size, and whether there is an ignore file."""
EXCLUDES = re.compile(r"^# \.dockerignore: (?P<lines>.*)$", re.MULTILINE)
DECLARES = re.compile(
    r"^# (?P<path>(?:[\w/]+/)?(?:package\.json|pyproject\.toml|requirements\.txt)): (?P<names>.*)$",
    re.MULTILINE,
)
"""A manifest in the build context, and the packages that it declares."""
PLANTED = re.compile(r"^# holds: (?P<path>\S+) (?P<format>[a-z0-9-]+)$", re.MULTILINE)
"""A file of the build context that has a secret of that format on its second line."""
FILES = sorted(CASES.glob("*/*.Dockerfile"))


def _expected(text: str, path: Path) -> list[tuple[str, int, int | None]]:
    """Rule, line and, where it is given, column of each `# expect:` comment.

    Without `@line` it stands before the instruction it concerns: the finding lies within the instruction.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = EXPECT.search(line)
        if match is None:
            assert "expect:" not in line, f"{path}:{number}: unreadable expectation"
            continue
        column = match["column"]
        found.append((match["rule"], int(match["line"] or -number), int(column) if column else None))
    return found


def _asked(text: str) -> dict[str, Any]:
    """What the project asks for in a case that says so."""
    return {
        "volumes": _volumes(text),
        "non_root": text.startswith("# non-root\n"),
        "context": _context(text) if any(each.search(text) for each in (HOLDS, DECLARES, PLANTED)) else None,
    }


@cache
def _context(text: str) -> Context:
    """The build context that a case describes, put on the disk and measured; large files take no space there."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        holds = HOLDS.search(text)
        for each in holds["files"].split(", ") if holds else ():
            name, size = each.split(" ", 1)
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.truncate(path, parse_size(size))
        for each in DECLARES.finditer(text):
            path = root / each["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_manifest(path.name, each["names"].split(", ")), encoding="utf-8")
        for each in PLANTED.finditer(text):
            path = root / each["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            secret = planted(each["format"], random.Random(text))  # noqa: S311  # nobody relies on it
            path.write_text(f"# shop\nvalue = {secret.text}\n", encoding="utf-8")
        ignored = EXCLUDES.search(text)
        if holds is None or not holds["without"]:
            lines = ignored["lines"].split(", ") if ignored else []
            (root / ".dockerignore").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        (root / "Dockerfile").write_text(text, encoding="utf-8")
        dockerfile = root / "Dockerfile"
        return measure(
            parse(text, "Dockerfile").recipe(), root, context=root, dockerfile=dockerfile, secrets=True
        )


def _manifest(name: str, packages: list[str]) -> str:
    if name == "package.json":
        return json.dumps(
            {"dependencies": dict.fromkeys(packages, "1"), "devDependencies": {"left-out": "1"}}
        )
    if name == "pyproject.toml":
        return f"[project]\nname = 'x'\ndependencies = {[f'{each}>=1' for each in packages]}\n"
    return "".join(f"{each}==1\n" for each in packages)


def _volumes(text: str) -> tuple[str, ...]:
    match = VOLUMES.search(text)
    return () if match is None else tuple(match[1].split())


def _check(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    rule = RULES[path.parent.name]
    dockerfile = parse(text, path.name)
    found = lint(dockerfile, rules=[rule], service="web", **_asked(text))
    seen = [(finding.rule, finding.location) for finding in found]
    for name, line, column in _expected(text, path):
        fits = [
            (id_, place)
            for id_, place in seen
            if id_ == name and isinstance(place, SourceSpan) and _is_there(dockerfile, place, line, column)
        ]
        assert fits, f"expected {name} at {line}:{column}, found {[str(place) for _, place in seen]}"
        seen.remove(fits[0])
    assert not seen, f"unexpected: {[(id_, str(place)) for id_, place in seen]}"


def _is_there(dockerfile: Any, place: SourceSpan, line: int, column: int | None) -> bool:
    if line > 0:
        return place.line == line and column in (None, place.column)
    following = min(each.span.line for each in dockerfile.instructions if each.span.line > -line)
    span = next(each.span for each in dockerfile.instructions if each.span.line == following)
    return span.line <= place.line <= span.end_line or place.line == -line + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_has_the_findings_it_expects(path: Path) -> None:
    _check(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_is_named_after_what_it_expects(path: Path) -> None:
    expected = _expected(path.read_text(encoding="utf-8"), path)
    assert {name for name, _, _ in expected} <= {path.parent.name}
    assert path.name.startswith("bad-" if expected else "good-")


def _fixed(path: Path, *, unsafe: bool) -> str:
    """The text of a case with the fixes of its rule made."""
    rule = RULES[path.parent.name]
    text, _ = fix_text(
        path.read_text(encoding="utf-8"),
        lambda text: lint(parse(text, path.name), rules=[rule], **_asked(text)),
        unsafe=unsafe,
    )
    return text


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_is_fixed_as_the_file_beside_it_says(path: Path) -> None:
    original = path.read_text(encoding="utf-8")
    safe, both = _fixed(path, unsafe=False), _fixed(path, unsafe=True)
    seen = {
        ".fixed": safe if safe != original else None,
        ".unsafe-fixed": both if both != safe else None,
    }
    files = {suffix: path.with_suffix(suffix) for suffix in seen}
    if os.environ.get(UPDATE):
        for suffix, text in seen.items():
            if text is None:
                files[suffix].unlink(missing_ok=True)
            else:
                files[suffix].write_text(text, encoding="utf-8")
    assert seen == {
        suffix: file.read_text(encoding="utf-8") if file.exists() else None for suffix, file in files.items()
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_fix_leaves_the_finding_that_it_was_made_for(path: Path) -> None:
    text = _fixed(path, unsafe=True)
    left = lint(parse(text, path.name), rules=[RULES[path.parent.name]], **_asked(text))
    assert not [finding for finding in left if finding.fix is not None and finding.fix.path == path.name]


def test_every_fixed_file_belongs_to_a_case() -> None:
    assert {path.with_suffix(".Dockerfile") for path in CASES.glob("*/*fixed")} <= set(FILES)


def test_the_fixed_files_are_not_being_rewritten() -> None:
    assert UPDATE not in os.environ, "expectations were rewritten, not checked"


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_has_cases_of_both_kinds(name: str) -> None:
    names = [path.name for path in FILES if path.parent.name == name]
    assert sum(each.startswith("good-") for each in names) >= 3
    assert sum(each.startswith("bad-") for each in names) >= 3


def test_every_directory_of_cases_belongs_to_a_rule() -> None:
    assert {path.name for path in CASES.iterdir()} == set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_page_has_a_title_and_the_sections_every_page_has(rule: Rule[Any]) -> None:
    title, blank, *rest = rule.page.splitlines()
    assert title.endswith(".")
    assert not blank
    assert tuple(line for line in rest if line and not line.startswith(" ")) == HEADINGS


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_the_examples_of_a_page_are_what_they_say(rule: Rule[Any]) -> None:
    example = rule.page.partition("How to fix")[2]
    bad, good = (_dockerfile(part) for part in example.split("Bad:")[1].split("Good:"))
    assert lint(parse(bad, "Dockerfile"), rules=[rule], **(_asked(bad) | {"non_root": True}))
    assert not lint(parse(good, "Dockerfile"), rules=[rule], **(_asked(good) | {"non_root": True}))


def _dockerfile(indented: str) -> str:
    text = "\n".join(line[8:] for line in indented.splitlines() if line.startswith(" " * 8))
    return text if "FROM" in text else f"FROM debian:12\n{text}"


SQUASHED = """\
FROM python:3.13-slim AS runtime
LABEL org.opencontainers.image.version=1.0
HEALTHCHECK --interval=5s \\
    CMD curl -f http://localhost/
FROM scratch
COPY --link --from=runtime / /
USER app
"""


def _only(text: str, name: str, target: str | None = None) -> Any:
    (finding,) = lint(parse(text, "Dockerfile"), rules=[RULES[name]], target=target, service="web")
    return finding


def test_a_health_check_lost_by_a_squash_names_both_lines() -> None:
    finding = _only(SQUASHED, "missing-healthcheck")
    assert str(finding.location) == "Dockerfile:6:1"
    assert finding.seen == "declared in stage runtime at line 3, lost by the squash"
    assert finding.remedy == (
        "declare it again after line 6: `HEALTHCHECK --interval=5s CMD curl -f http://localhost/`"
    )


def test_a_label_lost_by_a_squash_names_both_lines() -> None:
    finding = _only(SQUASHED, "missing-version-label")
    assert str(finding.location) == "Dockerfile:6:1"
    assert finding.seen == "set in stage runtime at line 2, lost by the squash"
    # The line below which the fix adds it: what it needs may be declared behind the squash.
    assert finding.remedy.startswith("after line 7 add `ARG VERSION=1.0` and ")


def test_a_squash_of_a_squash_still_finds_where_it_was_declared() -> None:
    text = SQUASHED.replace("FROM scratch", "FROM scratch AS flat") + "FROM scratch\nCOPY --from=flat / /\n"
    finding = _only(text, "missing-healthcheck")
    assert str(finding.location) == "Dockerfile:9:1"
    assert "at line 3" in finding.seen


def test_a_disabled_health_check_is_called_by_its_name() -> None:
    assert _only("FROM a\nHEALTHCHECK none\n", "missing-healthcheck").seen == "HEALTHCHECK NONE"


def test_the_target_decides_what_is_looked_at() -> None:
    assert not lint(parse(SQUASHED, "Dockerfile"), rules=[RULES["missing-healthcheck"]], target="RUNTIME")


def test_a_finding_quotes_the_command_and_points_at_its_verb() -> None:
    finding = _only("FROM a\nRUN true \\\n # note\n && apt-get -y install 'a' b\n", "apt-recommends")
    assert str(finding.location) == "Dockerfile:4:16"
    assert finding.seen == "`apt-get -y install a b`"
    assert finding.remedy == "write `apt-get install --no-install-recommends ...`"


def test_a_fingerprint_survives_moving_and_tells_stages_apart() -> None:
    text = "FROM a AS x\nRUN pip install y\nFROM b AS z\nCOPY --from=x /a /a\nRUN pip install y\n"
    first = [finding.fingerprint for finding in lint(parse(text, "D"), rules=[RULES["pip-cache-kept"]])]
    moved = [
        finding.fingerprint for finding in lint(parse(f"\n\n{text}", "D"), rules=[RULES["pip-cache-kept"]])
    ]
    assert first == moved
    assert len(set(first)) == 2


def test_a_stage_that_the_target_does_not_need_is_not_looked_at() -> None:
    text = "FROM a AS x\nRUN pip install y\nFROM b AS z\n"
    assert not lint(parse(text, "D"), rules=[RULES["pip-cache-kept"]])
    assert lint(parse(text, "D"), rules=[RULES["pip-cache-kept"]], target="x")


def test_images_that_the_project_builds_itself_need_no_digest() -> None:
    text = "FROM ours:latest AS a\nFROM lib AS b\nCOPY --from=a / /\nFROM theirs:1\nCOPY --from=b / /\n"
    found = lint(
        parse(text, "D"),
        rules=[RULES["unpinned-base-image"]],
        own=frozenset({"docker.io/library/ours", "lib"}),
    )
    assert [finding.seen for finding in found] == ["`theirs:1` can become another image"]


IGNORED = "FROM a\n{above}RUN true \\\n{inside}  && pip install y\n"


@pytest.mark.parametrize("where", ["above", "inside"])
def test_a_comment_with_a_reason_accepts_a_finding(where: str) -> None:
    comments = {"above": "", "inside": ""} | {
        where: "# hullmark: ignore=apt-recommends,pip-cache-kept it is small\n"
    }
    assert not lint(parse(IGNORED.format(**comments), "D"), rules=[RULES["pip-cache-kept"]])


@pytest.mark.parametrize(
    "comment",
    [
        "# hullmark: ignore=pip-cache-kept",
        "# hullmark: ignore=apt-recommends small",
        "# ignore=pip-cache-kept x",
    ],
)
def test_a_comment_without_a_reason_or_about_another_rule_accepts_nothing(comment: str) -> None:
    text = IGNORED.format(above=f"{comment}\n", inside="")
    assert lint(parse(text, "D"), rules=[RULES["pip-cache-kept"]])


def test_a_comment_apart_from_the_instruction_accepts_nothing() -> None:
    text = IGNORED.format(above="# hullmark: ignore=pip-cache-kept it is small\n\n", inside="")
    assert lint(parse(text, "D"), rules=[RULES["pip-cache-kept"]])


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_fixes_of_all_rules_together_settle_and_keep_how_lines_end(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    def see(text: str) -> Any:
        return lint(parse(text, path.name), **_asked(text))

    plain, made = fix_text(text, see, unsafe=True)
    assert not [finding for finding in see(plain) if finding.fix and finding.fix.path == path.name]
    returned, _ = fix_text(text.replace("\n", "\r\n"), see, unsafe=True)
    assert returned == plain.replace("\n", "\r\n")
    assert len(made) < 20


COMPOSED = """\
FROM debian:bookworm-slim AS up
ARG APPV=1
ENV APPV=$APPV DB_PASSWORD=hunter2 APP_MODE=x
LABEL org.opencontainers.image.version=$APPV
EXPOSE 80 $APPV
HEALTHCHECK --timeout=3s CMD true
FROM scratch
COPY --from=up / /
"""


def test_no_value_that_a_build_passes_in_becomes_part_of_the_file() -> None:
    def see(text: str) -> Any:
        return lint(parse(text, "Dockerfile", args={"APPV": "2"}), service="web")

    text, _ = fix_text(COMPOSED, see)
    added = text.removeprefix(COMPOSED)
    assert added.count("ARG APPV=1\n") == 1
    assert "LABEL org.opencontainers.image.version=$APPV" in added
    assert "EXPOSE 80 $APPV" in added
    assert "2" not in added


def test_nothing_that_is_said_of_a_lost_secret_holds_it() -> None:
    found = lint(parse(COMPOSED, "Dockerfile"), rules=[RULES["squash-loses-env"]], service="web")
    assert [finding.fix is None for finding in found] == [False, True]
    assert "hunter2" not in str(found)


def test_a_lost_health_check_is_shown_as_its_fix_writes_it() -> None:
    text = COMPOSED.replace("--timeout=3s", "--timeout=30s  ")
    finding = _only(text, "missing-healthcheck")
    assert "`HEALTHCHECK --timeout=30s CMD true`" in finding.remedy


def test_a_missing_directory_is_made_for_the_user_that_the_file_names() -> None:
    text = "FROM debian:12 AS a\nRUN true\nFROM scratch\nCOPY --from=a / /\nUSER app:staff\nVOLUME /data\n"
    assert "`install -d -o app -g staff /data`" in _only(text, "mount-point-missing").remedy


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_declares_the_kinds_of_fixes_that_it_offers(name: str) -> None:
    offered = {
        finding.fix.applicability
        for path in FILES
        if path.parent.name == name
        for text in [path.read_text(encoding="utf-8")]
        for finding in lint(
            parse(text, path.name),
            rules=[RULES[name]],
            digests={"python:3.13-slim": f"sha256:{'0' * 64}"},
            **_asked(text),
        )
        if finding.fix is not None
    }
    assert offered <= RULES[name].fixes
    # Where it depends on the file whether they are safe, the cases need not have both.
    assert bool(offered) == bool(RULES[name].fixes)


@pytest.mark.parametrize("value", ["", "stable"])
def test_a_required_argument_may_come_from_the_build_arguments(value: str) -> None:
    text = "ARG Q\nFROM debian:${Q:?no}\nARG Q\nENV A=${Q:?no} B=${Q?no}\n"
    found = lint(parse(text, "D", args={"Q": value}), rules=[RULES["required-argument-missing"]])
    assert [finding.seen for finding in found] == (
        [] if value else ["`${Q:?no}`, and Q is empty: the build stops here"] * 2
    )
