"""A release, planned or under way, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written
from hullmark.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hullmark.model.release import Held, Plan, Problem
    from hullmark.model.staging import State

PLAN_SCHEMA: Literal["hullmark/release-plan/1"] = "hullmark/release-plan/1"
VERIFY_SCHEMA: Literal["hullmark/release-verify/1"] = "hullmark/release-verify/1"
REPORT_SCHEMA: Literal["hullmark/release-report/1"] = "hullmark/release-report/1"
NOTES_SCHEMA: Literal["hullmark/release-notes/1"] = "hullmark/release-notes/1"
PRUNE_SCHEMA: Literal["hullmark/release-prune/1"] = "hullmark/release-prune/1"
_SHORT = 12


def plan_text(plan: Plan, problems: Sequence[Problem] = ()) -> Iterator[str]:
    """The lines of a plan: its steps by phase, its rules, and what stands in its way."""
    yield f"release {plan.version} of {plan.project}, commit {plan.commit.revision[:_SHORT]}\n"
    yield f"  platforms  {', '.join(plan.platforms)}\n"
    yield f"  tags       {', '.join((plan.version.tag, *plan.moving))}\n"
    phase = ""
    for step in plan.steps:
        if step.phase == "prepare":
            continue
        if step.phase != phase:
            phase = step.phase
            yield f"\n{phase}\n"
        about = "".join(f" {each}" for each in (step.service, step.platform) if each)
        leads = f": {step.reference}" if step.reference else ""
        yield f"  {printable(step.what)}{about}{leads}\n"
    yield "\nrules\n"
    for rule in plan.rules:
        yield f"  {rule}\n"
    if problems:
        yield "\nwhat stands in the way\n"
        for each in problems:
            yield f"  {each.check}: {printable(each.text)}\n"
            if each.hint:
                yield f"    help: {printable(each.hint)}\n"


class ToolP1(msgspec.Struct):
    name: Literal["hullmark"]
    version: str


class ServiceP1(msgspec.Struct):
    name: str
    repository: str


class StepP1(msgspec.Struct):
    phase: str
    what: str
    service: str | None
    platform: str | None
    reference: str | None


class ProblemP1(msgspec.Struct):
    check: str
    text: str
    hint: str | None


class PlanP1(msgspec.Struct):
    schema: Literal["hullmark/release-plan/1"]
    tool: ToolP1
    project: str
    version: str
    pre_release: bool
    revision: str
    created: int
    platforms: list[str]
    tags: list[str]
    services: list[ServiceP1]
    steps: list[StepP1]
    rules: list[str]
    problems: list[ProblemP1]


def plan_json(plan: Plan, problems: Sequence[Problem] = ()) -> str:
    """The plan as a document of `docs/schemas/release-plan-1.schema.json`."""
    document = PlanP1(
        schema=PLAN_SCHEMA,
        tool=ToolP1(name="hullmark", version=__version__),
        project=plan.project,
        version=str(plan.version),
        pre_release=plan.version.pre,
        revision=plan.commit.revision,
        created=plan.commit.created,
        platforms=list(plan.platforms),
        tags=[plan.version.tag, *plan.moving],
        services=[ServiceP1(name=each.name, repository=each.repository) for each in plan.services],
        steps=[
            StepP1(
                phase=step.phase,
                what=step.what,
                service=step.service,
                platform=step.platform,
                reference=step.reference,
            )
            for step in plan.steps
        ],
        rules=list(plan.rules),
        problems=[ProblemP1(check=each.check, text=each.text, hint=each.hint) for each in problems],
    )
    return written(document)


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of what `plan_json` writes."""
    return schema_of(PlanP1, PLAN_SCHEMA)


def state_text(state: State) -> Iterator[str]:
    """The lines of a release: its images by their digests, how they fared, and what leads to them."""
    done = "released" if state.published else "not released"
    yield f"{done}: {state.project} {state.version}, commit {state.revision[:_SHORT]}\n"
    indexes = {each.service: each.digest for each in state.indexes}
    for service in state.services:
        where = f"@{indexes[service.name]}" if service.name in indexes else ""
        yield f"\n{service.name}  {service.repository}{where}\n"
        for platform in state.platforms:
            image = service.image(platform)
            yield f"  {platform}  {image.image if image is not None else 'not built'}\n"
    if state.gate:
        yield "\ngate\n"
    for passage in state.gate:
        how = "passed" if state.passed(passage.platform) else "stopped"
        unmade = f"; not made: {printable('; '.join(passage.unmade))}" if passage.unmade else ""
        yield f"  {passage.platform}  {how}: {', '.join(passage.checks)}{unmade}\n"
        for line in passage.findings:
            yield f"    {printable(line)}\n"
    if state.published:
        yield f"\ntags  {', '.join((state.tag, *state.moving))}\n"


class ImageR1(msgspec.Struct):
    platform: str
    digest: str
    staging: str


class ReleasedR1(msgspec.Struct):
    name: str
    repository: str
    digest: str | None
    images: list[ImageR1]


class PassageR1(msgspec.Struct):
    platform: str
    passed: bool
    checks: list[str]
    unmade: list[str]
    findings: list[str]


class ReleaseR1(msgspec.Struct):
    schema: Literal["hullmark/release-report/1"]
    tool: ToolP1
    project: str
    version: str
    revision: str
    published: bool
    tags: list[str]
    services: list[ReleasedR1]
    gate: list[PassageR1]
    triggered: list[str]


def state_json(state: State) -> str:
    """The release as a document of `docs/schemas/release-report-1.schema.json`."""
    indexes = {each.service: each.digest for each in state.indexes}
    document = ReleaseR1(
        schema=REPORT_SCHEMA,
        tool=ToolP1(name="hullmark", version=__version__),
        project=state.project,
        version=state.version,
        revision=state.revision,
        published=state.published,
        tags=[state.tag, *state.moving],
        services=[
            ReleasedR1(
                name=service.name,
                repository=service.repository,
                digest=indexes.get(service.name),
                images=[
                    ImageR1(platform=each.platform, digest=each.image, staging=each.reference)
                    for each in service.images
                ],
            )
            for service in state.services
        ],
        gate=[
            PassageR1(
                platform=each.platform,
                passed=state.passed(each.platform),
                checks=list(each.checks),
                unmade=list(each.unmade),
                findings=list(each.findings),
            )
            for each in state.gate
        ],
        triggered=list(state.triggered),
    )
    return written(document)


def report_schema() -> dict[str, Any]:
    """The JSON Schema of what `state_json` writes."""
    return schema_of(ReleaseR1, REPORT_SCHEMA)


def held_text(version: str, held: Sequence[Held]) -> Iterator[str]:
    """The lines of what a registry has of a release."""
    for each in held:
        where = f"@{each.digest}" if each.digest else ""
        yield f"{each.service}  {each.repository}{where}\n"
        if each.platforms:
            yield f"  {', '.join(each.platforms)}\n"
        for problem in each.problems:
            yield f"  problem: {printable(problem)}\n"
        for line in each.unmade:
            yield f"  not made by the gate: {printable(line)}\n"
    wrong = sum(bool(each.problems) for each in held)
    yield f"\n{version} is {'as it was published' if not wrong else 'not as it should be'}\n"


class HeldV1(msgspec.Struct):
    name: str
    repository: str
    digest: str | None
    platforms: list[str]
    problems: list[str]
    unmade: list[str]


class VerifiedV1(msgspec.Struct):
    schema: Literal["hullmark/release-verify/1"]
    tool: ToolP1
    version: str
    services: list[HeldV1]


def held_json(version: str, held: Sequence[Held]) -> str:
    """What a registry has of a release as a document of `docs/schemas/release-verify-1.schema.json`."""
    document = VerifiedV1(
        schema=VERIFY_SCHEMA,
        tool=ToolP1(name="hullmark", version=__version__),
        version=version,
        services=[
            HeldV1(
                name=each.service,
                repository=each.repository,
                digest=each.digest,
                platforms=list(each.platforms),
                problems=list(each.problems),
                unmade=list(each.unmade),
            )
            for each in held
        ],
    )
    return written(document)


def verify_schema() -> dict[str, Any]:
    """The JSON Schema of what `held_json` writes."""
    return schema_of(VerifiedV1, VERIFY_SCHEMA)


class NotesN1(msgspec.Struct):
    schema: Literal["hullmark/release-notes/1"]
    tool: ToolP1
    version: str
    notes: str


def notes_json(version: str, notes: str) -> str:
    """The notes, which are Markdown, as a document of `docs/schemas/release-notes-1.schema.json`."""
    tool = ToolP1(name="hullmark", version=__version__)
    return written(NotesN1(schema=NOTES_SCHEMA, tool=tool, version=version, notes=notes))


def notes_schema() -> dict[str, Any]:
    """The JSON Schema of what `notes_json` writes."""
    return schema_of(NotesN1, NOTES_SCHEMA)


class PrunedP1(msgspec.Struct):
    schema: Literal["hullmark/release-prune/1"]
    tool: ToolP1
    version: str
    gone: list[str]
    left: list[str]


def pruned_json(version: str, gone: Sequence[str], left: Sequence[str]) -> str:
    """What was taken away and what had to stay as a document of `docs/schemas/release-prune-1.schema.json`."""
    tool = ToolP1(name="hullmark", version=__version__)
    return written(
        PrunedP1(schema=PRUNE_SCHEMA, tool=tool, version=version, gone=list(gone), left=list(left))
    )


def prune_schema() -> dict[str, Any]:
    """The JSON Schema of what `pruned_json` writes."""
    return schema_of(PrunedP1, PRUNE_SCHEMA)
