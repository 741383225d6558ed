r"""A package that the service declares is taken out again.

What it checks
    Commands that make an image smaller, where what they leave gets into the image: in a stage that it is made of, and
    in one that `node_modules` or the Python packages are copied from. Recognised are `rm` of a directory in
    `node_modules` or `site-packages`; `find` in one of these, or in a virtual environment, by the names of directories
    that `rm` then removes; `npm uninstall` and its like in pnpm and yarn; and `pip uninstall`. What they take out is
    held against the `dependencies` of `package.json` and `pyproject.toml`, and `requirements.txt`, as far as COPY takes
    these out of the build context. Names of directories that differ from that of their package (`PIL` of `pillow`) are
    not known. `npm prune` is fine: it takes out what is not declared, or for development only.

Why it matters
    The build succeeds. The service fails when it first comes to the package, which may be days later. `find` is meant
    for the tests and docs of packages, and takes a package of that name as well.

How to fix
    Leave it in, or take it out of the manifest if nothing needs it. Let `find` look below the packages only
    (`-mindepth 2`).

    Bad:

        # package.json: docs, express
        COPY package.json ./
        RUN npm install && find node_modules -type d -name docs -prune -exec rm -rf {} +

    Good:

        # package.json: docs, express
        COPY package.json ./
        RUN npm install && find node_modules -mindepth 2 -type d -name docs -prune -exec rm -rf {} +
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.deployment import Deployment
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._lent import lent, reaches
from hullmark.rules._pruned import pruned

if TYPE_CHECKING:
    from hullmark.rules._pruned import Pruned


@rule(summary="declared package is taken out again", severity=Severity.WARNING, since="0.1")
def pruned_dependency(deployment: Deployment) -> Iterator[Observation]:
    manifests = () if deployment.context is None else deployment.context.manifests
    if not manifests:
        return
    recipe = deployment.recipe
    shipped = {part.stage.index for part in recipe.shipped}
    for stage in recipe.stages:
        copied = None if stage.index in shipped else lent(recipe, stage)
        for instruction in stage.instructions:
            if instruction.keyword != "RUN" or copied == ():
                continue
            for found in pruned(stage, instruction):
                if copied is not None and not reaches(found.place, copied):
                    continue
                for manifest in manifests:
                    taken = [
                        name for name in manifest.names if found.kind == manifest.kind and found.takes(name)
                    ]
                    if taken:
                        yield _observation(found, taken, manifest.path)


def _observation(found: Pruned, taken: list[str], manifest: str) -> Observation:
    names = ", ".join(f"`{name}`" for name in taken)
    return Observation(
        location=found.command.span,
        seen=f"`{found.command.program}` takes out {names}",
        expected=f"what `{manifest}` declares",
        remedy=f"leave {names} in, or take it out of `{manifest}` if nothing needs it",
        key=f"{manifest}: {' '.join(taken)}",
    )
