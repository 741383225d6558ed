"""What the safe fix of `squash-loses-env` declares again has the values that it had before the squash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from hullmark._dockerfile import fix_text, parse
from hullmark._dockerfile.lint import lint
from hullmark._dockerfile.scope import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.dockerfile import Dockerfile, Stage
    from hullmark.model.finding import Finding

NAMES = ("A", "B")
names = st.sampled_from(NAMES)
values = st.one_of(
    st.sampled_from(["1", "2", '"x y"']),
    st.builds("${}".format, names),
    st.builds("${}".format, names),
    st.builds('"{}${{{}}}"'.format, st.sampled_from(["", "v", "of "]), names),
    st.builds("${{{}:-{}}}".format, names, st.sampled_from(["d", "$B"])),
)
arguments = st.one_of(st.builds("ARG {}".format, names), st.builds("ARG {}={}".format, names, values))
variables = st.builds(
    lambda pairs: "ENV " + " ".join(f"{name}={value}" for name, value in pairs.items()),
    st.dictionaries(names, values, min_size=1, max_size=2),
)
lines = st.lists(st.one_of(arguments, variables), max_size=5)


def _found(text: str) -> tuple[Finding, ...]:
    return tuple(each for each in lint(parse(text, "D")) if each.rule == "squash-loses-env")


def _environment(dockerfile: Dockerfile, stage: Stage, given_: Mapping[str, str]) -> dict[str, str | None]:
    scope = opened(stage, dockerfile, given_)
    for instruction in stage.instructions:
        scope.follow(instruction)
    return scope.environment


@given(
    before=st.lists(st.builds("ARG {}={}".format, names, st.sampled_from(["g", "h"])), max_size=2),
    base=st.just([]) | lines,
    runtime=lines,
    last=st.just([]) | st.lists(st.one_of(arguments, variables), max_size=2),
)
@example(before=[], base=[], runtime=["ARG A=1", "ENV B=$A", "ARG A=2"], last=[])
@example(before=[], base=["ENV A=1"], runtime=["ENV A=2 B=$A"], last=[])
@example(before=[], base=["ENV A=1"], runtime=["ENV B=$A"], last=["ENV A=2"])
@example(before=["ARG A=g"], base=["ARG A"], runtime=["ENV B=$A"], last=["ARG A=1"])
@example(before=[], base=["ENV A=1", "ARG B=$A"], runtime=["ENV A=2", "ENV C=$B"], last=[])
def test_the_safe_fix_sets_each_variable_to_what_it_was(
    before: list[str], base: list[str], runtime: list[str], last: list[str]
) -> None:
    written = [*before, "FROM scratch AS base", *base, "FROM base AS runtime", *runtime]
    text = "\n".join([*written, "FROM scratch", "COPY --from=runtime / /", *last, ""])
    fixed, _ = fix_text(text, _found)
    old, new = parse(text, "D"), parse(fixed, "D")
    for given_ in ({}, {"A": "from outside"}, {"B": "from outside", "A": "from there"}):
        expected = {**_environment(old, old.stages[1], given_), **_environment(old, old.stages[2], given_)}
        made = _environment(new, new.stages[2], given_)
        assert {name: expected[name] for name in made if expected[name] is not None} == {
            name: value for name, value in made.items() if expected[name] is not None
        }, fixed
