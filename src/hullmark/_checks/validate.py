"""Reads the image of a service, and holds it to what the project promises of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._anatomy import shipped
from hullmark._checks.findings import apply
from hullmark._checks.sharing import explained
from hullmark._contents.boxes import boxes
from hullmark._contents.difference import settings_of
from hullmark._contents.update import largest_transfer
from hullmark._smoke import observe_privileges
from hullmark.errors import HullmarkError, Interrupted, UsageError
from hullmark.model.location import ImagePath
from hullmark.model.outcome import Broken, Check, Ran, Skipped
from hullmark.model.project import DropsTo
from hullmark.model.report import ImageSummary, LayerSummary
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from hullmark._anatomy import Reading
    from hullmark._checks.run import Run
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.difference import Contents
    from hullmark.model.finding import Finding
    from hullmark.model.image import Image, ShippedImage
    from hullmark.model.outcome import Outcome
    from hullmark.model.project import Service, ServiceSettings


def validate(run: Run, service: Service) -> Outcome:
    """What the rules find in the image of `service`, and in its processes where it is to drop its privileges."""
    if reason := run.failed_builds().get(service.name):
        return Skipped(reason=reason)
    surroundings = run.surroundings
    progress = surroundings.progress
    progress.begin(Check.VALIDATE, service.name, "reading the image")
    reading, anatomy = run.reading, run.anatomy(service)
    settings = run.project.settings.service(service.name)
    if _may_be_exceeded(anatomy.image, settings):
        progress.begin(Check.VALIDATE, service.name, "compressing the layers to measure what is pulled")
        anatomy = reading.measured(anatomy, run.medium.named(service.image), run.medium.platform)
    before, unknown = _previous(run, service, reading, anatomy.image.platform)
    image = shipped(
        anatomy,
        service=service.name,
        settings=settings,
        labels=run.project.settings.labels,
        origin=run.final_stage(service),
        recipe=run.recipe(service),
        build_labels=() if service.build is None else service.build.labels,
        override=service.user,
        previous=before,
        baseline=_baseline(run, service.name),
        growth_budget=settings.growth_budget or run.project.settings.baseline.growth,
    )
    if image.change is not None:
        run.changes[service.name] = replace(image.change, files=None)
    run.images[service.name] = _summary(image, anatomy)
    findings = tuple(_traced(finding, anatomy) for finding in apply(image, service.name))
    unknown += _unmeasured(image)
    if isinstance(settings.user, DropsTo):
        progress.begin(Check.VALIDATE, service.name, "seeing whom it runs as")
        try:
            seen = observe_privileges(run.project, service.name, surroundings.engine, surroundings.commands)
        except Interrupted:
            raise
        except HullmarkError as error:
            return Broken(error="; ".join((*unknown, explained(error))), findings=findings)
        findings += apply(seen, service.name)
    if unknown:
        return Broken(error="; ".join(unknown), findings=findings)
    return Ran(findings=findings, note=_not_compared(run, image))


def _baseline(run: Run, service: str) -> Contents | None:
    """The image that this one is compared with, called so that people know which one is meant."""
    known = None if run.baseline is None else run.baseline.image(service)
    if run.baseline is None or known is None:
        return None
    return replace(known.contents, reference=f"in {run.baseline.name}")


def _not_compared(run: Run, image: ShippedImage) -> str:
    """Why a budget for growth was not looked at, where there is one."""
    if image.growth_budget is None or image.change is not None:
        return ""
    if run.baseline is None:
        return "`budget-growth` was not looked at: there is no baseline; see `--baseline`"
    return f"`budget-growth` was not looked at: {run.baseline.name} has no image of {image.service}"


def _traced(finding: Finding, anatomy: Anatomy) -> Finding:
    """The finding with the instruction that wrote the file it is about, where the rule named no other."""
    if finding.origin is not None or not isinstance(finding.location, ImagePath):
        return finding
    return replace(finding, origin=anatomy.instruction(finding.location.path, finding.location.layer))


def _previous(
    run: Run, service: Service, reading: Reading, platform: str
) -> tuple[Contents | None, tuple[str, ...]]:
    """The image that hosts have, where the project says which one that is; and why it cannot be had."""
    settings = run.project.settings
    own = settings.service(service.name)
    name = own.previous or settings.previous
    if name is None:
        if own.update_budget is None:
            return None, ()
        return None, (
            "what an update pulls is not known: `update-budget` needs `previous`, which is not set",
        )
    try:
        return reading.previous(name, service.name, run.project.root, platform=platform), ()
    except Interrupted:
        raise
    except UsageError as error:
        # A service that the last release did not have cannot have grown; its update is not known all the same.
        return None, () if own.update_budget is None else (f"the previous image: {error.message}",)
    except HullmarkError as error:
        return None, (f"the previous image, `{name}`: {error.message}",)


def _may_be_exceeded(image: Image, settings: ServiceSettings) -> bool:
    """Whether a budget of what is pulled can be exceeded by layers that nobody has compressed yet."""
    budgets = [each.size for each in (settings.transfer_budget, settings.update_budget) if each is not None]
    return bool(budgets) and image.transfer is None and largest_transfer(image.layers) > min(budgets)


def _unmeasured(image: ShippedImage) -> tuple[str, ...]:
    """The budgets of what is pulled that may be exceeded or not: a layer has not been compressed to measure it.

    Where even what is not compressed is within the budget, there is nothing to ask.
    """
    found = []
    settings, update = image.settings, image.update
    why = "the engine keeps its layers without compression, and uncompressed they may be up to"
    if settings.transfer_budget is not None and image.image.transfer is None:
        most = largest_transfer(image.image.layers)
        if most > settings.transfer_budget.size:
            found.append(f"`transfer-budget`: {why} {format_size(most)}")
    if settings.update_budget is not None and update is not None and not update.compressed:
        most = largest_transfer(layer for layer in image.image.layers if str(layer.diff_id) in update.pulled)
        if most > settings.update_budget.size:
            found.append(f"`update-budget`: {why} {format_size(most)}")
    return tuple(found)


def _summary(shipped: ShippedImage, anatomy: Anatomy) -> ImageSummary:
    image, files = anatomy.image, anatomy.files
    return ImageSummary(
        service=shipped.service,
        reference=shipped.image.reference,
        digest=None if image.digest is None else str(image.digest),
        config_digest=str(image.config_digest),
        platform=image.platform,
        transfer=image.transfer,
        estimated=image.estimated,
        unpacked=files.unpacked,
        visible=files.visible_bytes,
        budget=shipped.settings.budget.size if shipped.settings.budget else None,
        layers=tuple(
            LayerSummary(
                diff_id=str(layer.diff_id),
                digest=None if layer.digest is None else str(layer.digest),
                instruction=str(step),
                unpacked=layer.unpacked,
                masked=hidden,
            )
            for layer, step, hidden in zip(
                image.layers, anatomy.attribution.steps, anatomy.masked, strict=True
            )
        ),
        owners=tuple(each for each in anatomy.owners if each.files),
        settings=settings_of(image.configuration),
        boxes=boxes(files, anatomy.ownership, anatomy.attribution),
        # Which files changed would make the report as large as the image.
        growth=None if shipped.growth is None else replace(shipped.growth, files=None),
    )
