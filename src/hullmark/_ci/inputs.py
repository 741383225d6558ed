"""What the images of a project are built from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._dockerfile import load, parse
from hullmark._dockerfile.inputs import build_inputs
from hullmark._dockerfile.service import inline_of
from hullmark.errors import ConfigurationError, UsageError
from hullmark.model.inputs import MAIN, Because, Selection
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hullmark.model.dockerfile import Dockerfile, HandedOn, Recipe
    from hullmark.model.inputs import BuildInputs
    from hullmark.model.project import Inline, Project, Service


def inputs_of(
    project: Project,
    names: Iterable[str] | None = None,
    handed_on: Callable[[str], HandedOn | None] = lambda _: None,
) -> dict[str, BuildInputs]:
    """What the image of each of the services called `names` is built from, of all when none are given.

    `handed_on` says what images of others hand on, where that is known. A service whose context is elsewhere is not among them. Raises `ConfigurationError` with everything that is wrong
    in the Dockerfiles.
    """
    wanted = None if names is None else set(names)
    found: dict[str, BuildInputs] = {}
    problems: list[str] = []
    reading = _Reading(project=project, handed_on=handed_on)
    for service in project.built:
        if wanted is not None and service.name not in wanted:
            continue
        try:
            read = reading.inputs(service)
        except ConfigurationError as error:
            told = (_told(problem, service) for problem in error.problems)
            problems += [problem for problem in told if problem not in problems]
        except UsageError as error:
            problems.append(f"{service.span}: service `{service.name}`: {error.message}")
        else:
            if read is not None:
                found[service.name] = read
    if problems:
        raise ConfigurationError(problems)
    return found


@dataclass(kw_only=True)
class _Reading:
    """Reads each Dockerfile once."""

    project: Project
    handed_on: Callable[[str], HandedOn | None]
    _raw: dict[str, Any] = field(default_factory=dict)
    _parsed: dict[tuple[str, str], Dockerfile] = field(default_factory=dict)

    def inputs(self, service: Service) -> BuildInputs | None:
        """What the service's image is built from; `None` where its context is elsewhere."""
        recipe = self._recipe(service)
        build, declared = service.build, self._declared(service)
        if recipe is None or build is None:
            return None
        inline = bool((declared.get("build") or {}).get("dockerfile_inline"))
        found = build_inputs(
            recipe,
            self.project.root,
            context=Path(build.context),
            dockerfile=None if inline else Path(build.dockerfile),
            because=Because(text=f"the Dockerfile of `{service.name}`", span=service.span),
            args=dict(build.args),
            target=build.target,
            platform=_platform(declared),
            contexts=_contexts(declared["build"]),
            images=_images(self.project, service, self._raw),
            handed_on=self.handed_on,
        )
        if build.inline is not None and not build.inline.exact:
            found = _placed(found, build.inline)
        triggers = tuple(self._triggered(found))
        return replace(found, selections=found.selections + triggers) if triggers else found

    def _triggered(self, inputs: BuildInputs) -> Iterator[Selection]:
        """What images of other services take from the context of whoever is built upon them: ONBUILD.

        Which of it is not worked out; all of the context counts.
        """
        by_name = {service.name: service for service in self.project.built}
        for name, because in inputs.services:
            recipe = self._recipe(by_name[name]) if name in by_name else None
            if recipe is None:
                continue
            for instruction in recipe.final.history:
                if instruction.trigger is not None:
                    text = f"ONBUILD at {instruction.span.path}:{instruction.span.line}, through {because}"
                    reason = Because(text=text, span=instruction.span)
                    yield Selection(context=MAIN, pattern=".", parts=(), because=reason)

    def _declared(self, service: Service) -> dict[str, Any]:
        if not self._raw:
            self._raw.update(json.loads(self.project.resolved).get("services") or {})
        declared: dict[str, Any] = self._raw[service.name]
        return declared

    def _recipe(self, service: Service) -> Recipe | None:
        build = service.build
        if build is None or not Path(build.context).is_absolute():
            return None
        inline = build.inline
        args = dict(build.args)
        key = (f"\0{service.name}" if inline else build.dockerfile, json.dumps(sorted(args.items())))
        if key not in self._parsed:
            self._parsed[key] = (
                (inline_of(service) or parse(inline.text, inline.span.path, args=args))
                if inline
                else load(Path(build.dockerfile), self.project.root, args=args)
            )
        return self._parsed[key].recipe(build.target)


def _told(problem: str, service: Service) -> str:
    """The problem with a Dockerfile; of one that is not there, also who asks for it."""
    build = service.build
    if build is None or build.inline is not None or Path(build.dockerfile).is_file():
        return problem
    return f"{service.span}: service `{service.name}`: {problem}"


def _placed(inputs: BuildInputs, inline: Inline) -> BuildInputs:
    """The inputs with each reason where `inline` has it in the Compose file, or at the key where that is not known."""

    def line(number: int) -> int:
        return inline.lines[number - 1] if 0 < number <= len(inline.lines) else inline.span.line

    def placed(because: Because) -> Because:
        at = re.compile(rf"(?<= at {re.escape(inline.span.path)}:)\d+")
        text = at.sub(lambda found: str(line(int(found[0]))), because.text)
        if because.span is None or because.span.path != inline.span.path or text == because.text:
            return replace(because, text=text)
        if not inline.lines:
            return replace(because, text=text, span=inline.span)
        return replace(
            because, text=text, span=SourceSpan(path=inline.span.path, line=line(because.span.line))
        )

    return replace(
        inputs,
        selections=tuple(replace(each, because=placed(each.because)) for each in inputs.selections),
        services=tuple((name, placed(because)) for name, because in inputs.services),
        unfollowed=tuple(replace(each, because=placed(each.because)) for each in inputs.unfollowed),
    )


def _platform(raw: Mapping[str, Any]) -> str | None:
    platforms = (raw.get("build") or {}).get("platforms") or ()
    return raw.get("platform") or (",".join(platforms) or None)


def _contexts(declared: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(where) for name, where in (declared.get("additional_contexts") or {}).items()}


def _images(project: Project, service: Service, declared: Mapping[str, Any]) -> dict[str, str]:
    """The names by which a Dockerfile may mean the image of another service; `declared` is what Compose says of all."""
    others = [other for other in project.built if other.name != service.name]
    found = {other.image: other.name for other in others}
    for other in others:
        for tag in ((declared.get(other.name) or {}).get("build") or {}).get("tags") or ():
            found.setdefault(str(tag), other.name)
    return found
