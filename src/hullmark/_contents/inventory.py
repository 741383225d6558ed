"""Everything in an image that has a name and a version, with what brought it and what it is called elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._contents.distribution import find_distribution
from hullmark._contents.packages.found import find_embedded
from hullmark._contents.purl import purl_of
from hullmark.model.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.anatomy import Anatomy
    from hullmark.model.attribution import Origin
    from hullmark.model.owner import Owner, Package


def inventory(anatomy: Anatomy) -> Inventory:
    """The software in the image, which was read with the captures of `hullmark._anatomy.wanted`."""
    files, ownership = anatomy.files, anatomy.ownership
    distribution = find_distribution(files)
    origins = _Origins(anatomy)
    embedded, unrecognised = find_embedded(files, ownership)
    packages = [
        replace(package, origin=origins.of(package), purl=purl_of(package, distribution))
        for package in dict.fromkeys((*ownership.packages, *embedded))
    ]
    return Inventory(
        packages=tuple(sorted(packages, key=lambda each: (each.owner.sort_key, each.location))),
        distribution=distribution,
        unrecognised=tuple(sorted(set(unrecognised), key=lambda each: (each.path, each.reason))),
        notes=ownership.notes,
    )


class _Origins:
    """What wrote each package: of its own files in the layer that brought it, what wrote most."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._files = anatomy.files
        self._attribution = anatomy.attribution
        self._layers = {layer.diff_id: at for at, layer in enumerate(anatomy.files.layers)}
        self._writers = _writers(anatomy)

    def of(self, package: Package) -> Origin | None:
        """The origin of one package; `None` where its layer is not known."""
        if package.layer is None or package.layer not in self._layers:
            return None
        at = self._layers[package.layer]
        if package.part_of is None:
            writer = self._writers.get((package.owner, at))
            if writer is not None:
                return self._attribution.origins[writer]
        # Of an archive in another one, the outer one is the file.
        number = self._files.visible.get(package.location.partition("!/")[0])
        if number is not None and self._files.layer_of(number) == at:
            return self._attribution.origin(*self._files.place(number))
        return self._attribution.steps[at]


def _writers(anatomy: Anatomy) -> Mapping[tuple[Owner, int], int]:
    """By owner and position of a layer: the origin of most of what the owner has there.

    Only of layers that several steps have written, as those of a squash are: what wrote another is known without.
    """
    files, ownership, attribution = anatomy.files, anatomy.ownership, anatomy.attribution
    counts: dict[tuple[int, int], Counter[int]] = {}
    for at, origins in enumerate(attribution.rows):
        if len(origins) == 0 or min(origins) == max(origins):
            continue
        start = files.starts[at]
        for row, origin in enumerate(origins):
            owner = ownership.rows[start + row]
            if owner >= 0:
                counts.setdefault((owner, at), Counter())[origin] += 1
    return {
        (ownership.owners[owner], at): max(sorted(found), key=found.__getitem__)
        for (owner, at), found in counts.items()
    }
