"""Fixes: made together or one after the other, and files that keep everything but the defect."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._cli import main
from hullmark._dockerfile import fix_project, fix_text, parse
from hullmark._dockerfile.fix import MOST_ROUNDS, apply_edits
from hullmark._dockerfile.lint import lint
from hullmark.errors import ConfigurationError
from hullmark.model.finding import Finding, Severity
from hullmark.model.fix import Applicability, Edit, Fix, insertion, insertion_after, lines_after, replacement
from hullmark.model.location import SourceSpan
from hullmark.model.project import Build, Ignore, Project, Service, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TODAY = dt.date(2026, 6, 1)
PIP = "FROM python:3.13\nRUN pip install a\n"
FIXED = "FROM python:3.13\nRUN pip install --no-cache-dir a\n"


def _span(line: int, column: int, end_column: int, end_line: int | None = None) -> SourceSpan:
    return SourceSpan(path="D", line=line, column=column, end_line=end_line or line, end_column=end_column)


def _finding(fix: Fix | None, rule: str = "some-rule") -> Finding:
    return Finding(
        rule=rule,
        summary="",
        severity=Severity.NOTE,
        service=None,
        location=SourceSpan(path="D"),
        seen="",
        expected="",
        remedy="",
        fingerprint="",
        fix=fix,
    )


# --- edits ---------------------------------------------------------------------------------------------------------


def test_edits_are_made_where_they_say_whatever_their_order() -> None:
    text = "one two\nthree\n"
    edits = [
        insertion("D", 2, 1, "<"),
        replacement(_span(1, 5, 8), "2"),
        insertion_after(_span(2, 1, 6), ">"),
        replacement(_span(1, 1, 4), ""),
    ]
    assert apply_edits(text, edits) == apply_edits(text, reversed(edits)) == " 2\n<three>\n"


def test_an_edit_may_reach_over_lines() -> None:
    assert apply_edits("a\nb\nc\n", [replacement(_span(1, 2, 1, 3), "-")]) == "a-c\n"


def test_an_edit_ends_its_lines_as_the_file_does() -> None:
    edit = lines_after(_span(1, 1, 2), ["b", "c"])
    assert apply_edits("a\r\nd\r\n", [edit]) == "a\r\nb\r\nc\r\nd\r\n"
    assert apply_edits("a\nd\n", [edit]) == "a\nb\nc\nd\n"
    assert apply_edits("a", [edit]) == "a\nb\nc"


@given(
    st.lists(st.sampled_from(["", "a", "bc", "\u00e9\U0001f600", "\t x"]), min_size=1).map("\n".join),
    st.data(),
)
def test_replacing_a_part_by_itself_changes_nothing(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    line = data.draw(st.integers(1, len(lines)))
    column = data.draw(st.integers(1, len(lines[line - 1]) + 1))
    end = data.draw(st.integers(column, len(lines[line - 1]) + 1))
    edit = replacement(_span(line, column, end), lines[line - 1][column - 1 : end - 1])
    assert apply_edits(text, [edit]) == text


# --- rounds --------------------------------------------------------------------------------------------------------


def _words(text: str, fixes: dict[str, Fix]) -> tuple[Finding, ...]:
    """A finding for each of the words in `text` that `fixes` knows."""
    return tuple(_finding(fix, word) for word, fix in fixes.items() if word in text)


def test_of_two_fixes_that_touch_the_first_is_made_and_the_other_when_it_still_applies() -> None:
    fixes = {
        "bad": Fix(message="", edits=(replacement(_span(1, 1, 4), "new"),)),
        "worse": Fix(message="", edits=(insertion("D", 1, 4, "!"), replacement(_span(1, 5, 10), ""))),
    }
    text, made = fix_text("bad worse", lambda text: _words(text, fixes))
    assert text == "new! "
    assert [each.rule for each in made] == ["bad", "worse"]


def test_the_same_fix_for_two_services_is_made_once() -> None:
    fix = Fix(message="", edits=(insertion("D", 1, 1, "x"),))
    text, made = fix_text("a", lambda text: () if "x" in text else (_finding(fix), _finding(fix)))
    assert text == "xa"
    assert len(made) == 1


def test_an_unsafe_fix_is_made_only_when_it_is_asked_for() -> None:
    fix = Fix(message="", edits=(replacement(_span(1, 1, 2), "b"),), applicability=Applicability.UNSAFE)
    assert fix_text("a", lambda text: _words(text, {"a": fix})) == ("a", ())
    assert fix_text("a", lambda text: _words(text, {"a": fix}), unsafe=True)[0] == "b"


def test_a_fix_that_is_safe_for_one_service_and_not_for_another_waits_until_it_is_asked_for() -> None:
    edits = (insertion("D", 1, 1, "x"),)
    fixes = [Fix(message="", edits=edits, applicability=each) for each in Applicability]

    def see(text: str) -> tuple[Finding, ...]:
        return () if "x" in text else tuple(map(_finding, fixes))

    assert fix_text("a", see) == ("a", ())
    assert fix_text("a", see, unsafe=True)[0] == "xa"


def test_a_fix_that_never_satisfies_its_rule_ends_after_some_rounds() -> None:
    fix = Fix(message="", edits=(insertion("D", 1, 1, "x"),))
    text, made = fix_text("", lambda _: (_finding(fix),))
    assert text == "x" * MOST_ROUNDS
    assert len(made) == MOST_ROUNDS


def test_a_fix_after_which_the_file_cannot_be_read_is_not_made_and_stops_no_other() -> None:
    def see(text: str) -> Iterable[Finding]:
        parse(text, "D")
        yield _finding(Fix(message="", edits=(insertion("D", 1, 1, "NO SUCH INSTRUCTION\n"),)), "breaks")
        if "USER" not in text:
            yield _finding(Fix(message="", edits=(lines_after(_span(1, 1, 7), ["USER app"]),)), "works")

    text, made = fix_text("FROM a\nRUN b\n", lambda text: tuple(see(text)))
    assert text == "FROM a\nUSER app\nRUN b\n"
    assert [each.rule for each in made] == ["works"]


def test_everything_that_a_squash_loses_comes_back_in_one_go() -> None:
    lost = """\
FROM debian:12@sha256:0000000000000000000000000000000000000000000000000000000000000000 AS runtime
ARG PORT=80
ENV A=1
ENV B=${A}2
LABEL a=b org.opencontainers.image.version=1
WORKDIR /srv
EXPOSE $PORT
RUN mkdir data
VOLUME /srv/data
STOPSIGNAL SIGINT
USER app
HEALTHCHECK --timeout=1s CMD ["true"]
ENTRYPOINT ["/e.sh"]
CMD ["serve"]
FROM scratch
COPY --from=runtime / /
"""

    def see(text: str) -> tuple[Finding, ...]:
        return lint(parse(text, "D"))

    assert {each.rule for each in see(lost)} == {
        *("missing-healthcheck", "missing-version-label", "squash-loses-cmd", "squash-loses-entrypoint"),
        *("squash-loses-env", "squash-loses-expose", "squash-loses-label", "squash-loses-stopsignal"),
        *("squash-loses-user", "squash-loses-volume", "squash-loses-workdir"),
    }
    text, made = fix_text(lost, see)
    assert see(text) == ()
    assert len(made) == 11
    assert text.startswith(lost)
    assert text == fix_text(text, see)[0]


# --- files ---------------------------------------------------------------------------------------------------------


def _project(root: Path, *services: Service, ignores: tuple[Ignore, ...] = ()) -> Project:
    return Project(name="p", root=root, services=services, settings=Settings(ignores=ignores), resolved="{}")


def _service(dockerfile: Path, name: str = "web", **build: str) -> Service:
    return Service(
        name=name,
        image=name,
        build=Build(context=str(dockerfile.parent), dockerfile=str(dockerfile), **build),  # type: ignore[arg-type]
        span=SourceSpan(path="compose.yml"),
    )


def _fix(project: Project, *, unsafe: bool = False) -> list[tuple[str, int]]:
    """Fixes the Dockerfiles that may be written; the path and the number of fixes of each."""
    repairs = fix_project(project, project.services, unsafe=unsafe, today=TODAY)
    for repair in repairs:
        if repair.inside:
            repair.write()
    return [(repair.shown, sum(each.rule == "pip-cache-kept" for each in repair.fixed)) for repair in repairs]


def _only_pip(text: str) -> str:
    """`text` with nothing to fix but pip."""
    end = "ARG VERSION=dev\nLABEL org.opencontainers.image.version=$VERSION\nHEALTHCHECK --timeout=1s CMD true\n"
    return text + end


def test_a_file_keeps_its_line_ends_its_mark_and_the_way_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    before = "\ufeff" + _only_pip(PIP).replace("\n", "\r\n").removesuffix("\r\n")
    path.write_bytes(before.encode("utf-8"))
    _fix(_project(tmp_path, _service(path)))
    assert path.read_bytes().decode("utf-8") == before.replace("install a", "install --no-cache-dir a")


def test_lines_are_added_to_a_file_with_carriage_returns_as_it_ends_its_own(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"FROM a\r\nHEALTHCHECK --timeout=1s CMD true\r\n")
    _fix(_project(tmp_path, _service(path)))
    assert path.read_bytes() == (
        b"FROM a\r\nHEALTHCHECK --timeout=1s CMD true\r\n"
        b'ARG VERSION=dev\r\nLABEL org.opencontainers.image.version="${VERSION}"\r\n'
    )


def test_a_mark_in_front_of_the_first_instruction_moves_nothing() -> None:
    found = parse("\ufeffFROM b AS c\nRUN d\n", "D")
    assert [found.excerpt(each.span) for each in found.instructions] == ["FROM b AS c", "RUN d"]
    assert [(each.span.line, each.span.column) for each in found.instructions] == [(1, 1), (2, 1)]
    edit = replacement(SourceSpan(path="D", line=1, column=1, end_line=1, end_column=5), "from")
    assert apply_edits(found.text, [edit]) == "\ufefffrom b AS c\nRUN d\n"


def test_an_excerpt_is_what_stands_in_the_file() -> None:
    run = "RUN a \\\n  # why\n  && b"
    for text in (f"FROM x\n  {run}\nUSER y\n", f"FROM x\n  {run}\nUSER y\n".replace("\n", "\r\n")):
        found = parse(text, "D")
        assert [found.excerpt(each.span) for each in found.instructions] == ["FROM x", run, "USER y"]


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(_only_pip(PIP), encoding="utf-8")
    path.chmod(0o754)
    _fix(_project(tmp_path, _service(path)))
    assert path.stat().st_mode & 0o7777 == 0o754
    assert "--no-cache-dir" in path.read_text(encoding="utf-8")
    assert os.listdir(tmp_path) == ["Dockerfile"]  # noqa: PTH208  # with what is hidden


def test_a_linked_file_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    real = tmp_path / "docker/web.Dockerfile"
    real.write_text(_only_pip(PIP), encoding="utf-8")
    link = tmp_path / "Dockerfile"
    link.symlink_to("docker/web.Dockerfile")
    assert _fix(_project(tmp_path, _service(link))) == [("docker/web.Dockerfile", 1)]
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == _only_pip(FIXED)


@pytest.mark.parametrize("linked", [False, True])
def test_a_file_outside_of_the_project_is_never_written(tmp_path: Path, linked: bool) -> None:  # noqa: FBT001
    root = tmp_path / "project"
    root.mkdir()
    outside = tmp_path / "Dockerfile"
    outside.write_text(_only_pip(PIP), encoding="utf-8")
    used = outside
    if linked:
        used = root / "Dockerfile"
        used.symlink_to(outside)
    assert [count for _, count in _fix(_project(root, _service(used)))] == [1]
    assert outside.read_text(encoding="utf-8") == _only_pip(PIP)


def test_a_file_that_several_services_share_is_fixed_once_for_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(
        _only_pip("FROM python:3.13 AS a\nRUN pip install a\n")
        + _only_pip("FROM python:3.13 AS b\nRUN pip install b\n"),
        encoding="utf-8",
    )
    services = [_service(path, name, target=target) for name, target in (("x", "a"), ("y", "b"), ("z", "b"))]
    assert _fix(_project(tmp_path, *services)) == [("Dockerfile", 2)]
    assert path.read_text(encoding="utf-8").count("--no-cache-dir") == 2


def test_what_no_target_needs_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(
        _only_pip("FROM python:3.13 AS a\nRUN true\n")
        + _only_pip("FROM python:3.13 AS b\nRUN pip install b\n"),
        encoding="utf-8",
    )
    assert _fix(_project(tmp_path, _service(path, target="a"))) == []


def test_what_the_configuration_or_a_comment_accepts_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(
        _only_pip("FROM python:3.13\n# hullmark: ignore=pip-cache-kept it is small\nRUN pip install a\n"),
        encoding="utf-8",
    )
    assert _fix(_project(tmp_path, _service(path))) == []
    path.write_text(_only_pip(PIP), encoding="utf-8")
    ignore = Ignore(
        rule="pip-cache-kept", service="web", reason="x", expires=TODAY, origin=SourceSpan(path="h")
    )
    assert _fix(_project(tmp_path, _service(path), ignores=(ignore,))) == []
    assert _fix(_project(tmp_path, _service(path, "other"), ignores=(ignore,))) == [("Dockerfile", 1)]


def test_nothing_is_fixed_when_one_of_the_files_cannot_be_read(tmp_path: Path) -> None:
    good, broken, gone = (tmp_path / name for name in ("good", "broken", "gone"))
    good.write_text(_only_pip(PIP), encoding="utf-8")
    broken.write_text("FRM a\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        _fix(_project(tmp_path, *(_service(path, path.name) for path in (good, broken, gone))))
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["broken", "gone"]
    assert good.read_text(encoding="utf-8") == _only_pip(PIP)


def test_a_diff_can_be_applied_and_makes_the_fix(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    for text in (_only_pip(PIP), _only_pip(PIP).removesuffix("\n"), _only_pip(PIP).replace("\n", "\r\n")):
        path.write_bytes(text.encode())
        (repair,) = fix_project(
            _project(tmp_path, _service(path)), [_service(path)], unsafe=False, today=TODAY
        )
        subprocess.run(
            ["git", "apply", "-p0", "--whitespace=nowarn"],
            cwd=tmp_path,
            input="".join(repair.diff()).encode(),
            check=True,
        )
        assert path.read_bytes().decode() == repair.after != text


# --- the command ---------------------------------------------------------------------------------------------------


def _hullmark(directory: Path, *arguments: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    kept = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG")
    environ = {"HULLMARK_HADOLINT": "never"} | {name: os.environ[name] for name in kept if name in os.environ}
    code = main(["-C", str(directory), *arguments], stdout=stdout, stderr=stderr, environ=environ)
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A project of two services that share a Dockerfile with a safe and an unsafe fix, and one that lies outside."""
    root = tmp_path / "stack"
    root.mkdir()
    (root / ".git").mkdir()
    (root / "Dockerfile").write_text(
        _only_pip("FROM python:3.13\nRUN pip install a\nRUN apt-get install -y b\n"), encoding="utf-8"
    )
    (tmp_path / "other.Dockerfile").write_text(_only_pip(PIP), encoding="utf-8")
    (root / "compose.yml").write_text(
        "services:\n"
        "  one: {build: ., mem_limit: 9m}\n"
        "  two: {build: ., mem_limit: 9m}\n"
        "  out: {build: {context: .., dockerfile: other.Dockerfile}, mem_limit: 9m}\n",
        encoding="utf-8",
    )
    return root


def test_the_command_fixes_what_is_safe_and_reports_what_remains(stack: Path) -> None:
    code, stdout, stderr = _hullmark(stack, "lint", "one", "two", "--fix", "--fail-on", "warning")
    assert code == 1
    assert stdout.splitlines()[0] == "Dockerfile:2:9: fixed pip-cache-kept: add --no-cache-dir"
    assert stdout.count("fixed pip-cache-kept") == 1
    assert "warning pip-cache-kept" not in stdout
    assert stdout.count("warning apt-recommends") == 2
    assert "2 fixable with `hullmark lint --fix --unsafe-fixes`" in stdout
    assert "lies outside" not in stderr
    code, stdout, _ = _hullmark(
        stack, "lint", "one", "two", "--fix", "--unsafe-fixes", "--fail-on", "warning"
    )
    assert code == 0
    assert "fixed apt-recommends: add --no-install-recommends" in stdout
    text = (stack / "Dockerfile").read_text(encoding="utf-8")
    assert text.splitlines()[1:3] == [
        "RUN pip install --no-cache-dir a",
        "RUN apt-get install --no-install-recommends -y b",
    ]


def test_the_command_leaves_a_file_outside_of_the_project_alone_and_says_so(stack: Path) -> None:
    _, stdout, stderr = _hullmark(stack, "lint", "out", "--fix")
    assert "other.Dockerfile: lies outside of the project and is left as it is, without 1 fix\n" in stderr
    assert "warning pip-cache-kept" in stdout
    assert (stack.parent / "other.Dockerfile").read_text(encoding="utf-8") == _only_pip(PIP)


def test_the_command_shows_a_diff_and_writes_nothing(stack: Path) -> None:
    before = (stack / "Dockerfile").read_text(encoding="utf-8")
    code, stdout, stderr = _hullmark(stack, "lint", "--fix", "--diff")
    assert code == 1
    assert stdout.startswith("--- Dockerfile\n+++ Dockerfile\n@@ -1,5 +1,5 @@\n")
    assert [line for line in stdout.splitlines()[2:] if line[0] in "+-"] == [
        "-RUN pip install a",
        "+RUN pip install --no-cache-dir a",
    ]
    assert stderr.endswith("would make 1 fix in 1 file\n")
    assert (stack / "Dockerfile").read_text(encoding="utf-8") == before
    assert _hullmark(stack, "lint", "--diff", "--unsafe-fixes")[1].count("\n+RUN") == 2


def test_a_diff_of_nothing_is_empty_and_clean(stack: Path) -> None:
    (stack / "Dockerfile").write_text(_only_pip("FROM a\n"), encoding="utf-8")
    code, stdout, stderr = _hullmark(stack, "lint", "one", "--diff")
    assert (code, stdout) == (0, "")
    assert stderr == "would make 0 fixes in 0 files\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--unsafe-fixes"], "--unsafe-fixes without --fix or --diff"),
        (["--diff", "--format", "json"], "--diff with --format or --report"),
        (["--diff", "--report", "json=x.json"], "--diff with --format or --report"),
    ],
)
def test_options_that_do_not_go_together_are_refused(stack: Path, arguments: list[str], said: str) -> None:
    code, stdout, stderr = _hullmark(stack, "lint", *arguments)
    assert (code, stdout) == (2, "")
    assert said in stderr


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_a_file_that_cannot_be_read_ends_the_command_and_nothing_is_written(stack: Path, option: str) -> None:
    (stack.parent / "other.Dockerfile").write_text("FROM\n", encoding="utf-8")
    before = (stack / "Dockerfile").read_text(encoding="utf-8")
    code, stdout, stderr = _hullmark(stack, "lint", option)
    assert (code, stdout) == (2, "")
    assert "FROM without an argument" in stderr
    assert (stack / "Dockerfile").read_text(encoding="utf-8") == before


def test_an_edit_knows_where_it_begins_and_ends() -> None:
    edit = Edit(span=SourceSpan(path="D", line=3, column=4), text="")
    assert (edit.start, edit.end) == ((3, 4), (3, 4))
