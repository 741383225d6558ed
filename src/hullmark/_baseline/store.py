"""Where baselines are: in a file, in a file of another revision, in a registry, or in images that are there anyway."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hullmark._anatomy import Reading, dissect
from hullmark._baseline.lines import LARGEST, is_baseline, read, write
from hullmark._baseline.reports import of_report
from hullmark._contents.difference import contents as side
from hullmark._contents.inventory import inventory
from hullmark._files import write_whole
from hullmark._images.reference import SCHEMES
from hullmark.errors import ConfigurationError, UsageError
from hullmark.model.baseline import Baseline, KnownImage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hullmark._process import Commands

SERVICE = "{service}"
"""Stands for the name of a service in the reference of an image."""
_REGISTRY = "registry:"
GITHUB = "github:"
"""Stands before the branch whose runs on GitHub keep a baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Finds and keeps the baselines of one project."""

    root: Path
    """The directory of the project, which paths are relative to."""
    file: str
    """What the file is called that the project keeps in git."""
    services: Sequence[str]
    commands: Commands
    environ: Mapping[str, str] = field(repr=False)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def load(self, name: str) -> Baseline:
        """The baseline called `name`: an image or artifact with its scheme, a file, a revision of git, or `github:BRANCH`.

        Where one was looked for and there is none yet, it is an empty one that is the `first`. Raises
        `ConfigurationError` for a file that is none, `UsageError` for a name of nothing, and `Unavailable`.
        """
        _whole(name)
        if name.partition(":")[0] in SCHEMES:
            return self._of_images(name)
        if name.startswith(GITHUB):
            return self._of_runs(name.removeprefix(GITHUB))
        path = self.root / name
        if path.is_file():
            try:
                with path.open("rb") as file:
                    content = file.read(LARGEST + 1)
            except OSError as error:
                raise ConfigurationError([f"{name}: cannot be read: {error.strerror}"]) from error
            return parse(content, name)
        return self._of_revision(name)

    def _of_runs(self, branch: str) -> Baseline:
        """What the newest run of `branch` on GitHub has left."""
        from hullmark._baseline.github import fetched  # noqa: PLC0415  # only where GitHub is asked

        found = fetched(branch, self.root, self.commands, self.environ)
        if found is None:
            return Baseline(name=f"runs of {branch} on GitHub", first=True)
        content, commit = found
        return parse(content, f"{branch} at {commit[:10]}, of its run on GitHub")

    def _of_revision(self, name: str) -> Baseline:
        """What the file of the project holds at a revision of git."""
        from hullmark._ci.repository import find_repository  # noqa: PLC0415  # only where git is asked

        try:
            repository = find_repository(self.root, self.commands)
        except UsageError as error:
            raise UsageError(
                f"no baseline: `{name}` is no file, and {error.message}", hint=error.hint
            ) from error
        done = repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        commit = done.stdout.strip()
        if done.returncode != 0 or not commit:
            raise UsageError(
                f"no baseline: `{name}` is neither a file nor a revision of git",
                hint="the history is cut off here; fetch the revision first, or all of it with `git fetch --unshallow`"
                if repository.shallow
                else "`hullmark baseline save` writes a file; images have their scheme: `registry:`, `docker:`",
            )
        path = f"{repository.below(self.root)}{self.file}"
        shown = f"{self.file} at {name} ({commit[:10]})"
        listed = repository.records("ls-tree", "-z", "--full-tree", commit, "--", path)
        if not listed:
            return Baseline(name=shown, first=True)
        return parse(
            repository.ask("cat-file", "blob", f"{commit}:{path}").encode("utf-8", "surrogateescape"), shown
        )

    def _of_images(self, name: str) -> Baseline:
        services = self.services if SERVICE in name else ("",)
        if SERVICE not in name and not name.startswith(_REGISTRY) and len(self.services) > 1:
            raise self._one_of_several(name)
        found = [self._of_image(name.replace(SERVICE, service), service) for service in services]
        return _joined([each for each in found if each is not None], name)

    def _one_of_several(self, name: str) -> UsageError:
        return UsageError(
            f"no baseline: `{name}` is one image, and the project has {len(self.services)} services",
            hint=f"put `{SERVICE}` where the name of the service belongs",
        )

    def _of_image(self, reference: str, service: str) -> Baseline | None:
        """What is kept beside an image, or by its name; the image itself where nothing is; `None` without either."""
        if reference.startswith(_REGISTRY):
            from hullmark._baseline.registry import fetched  # noqa: PLC0415  # only where a registry is asked

            there, content = fetched(
                reference.removeprefix(_REGISTRY), self.commands, self.environ, self.cancelled
            )
            if content is not None:
                return parse(content, reference)
            if not there:
                return None
            if not service and len(self.services) > 1:
                raise self._one_of_several(reference)
        reading = Reading(self.commands, self.environ, self.cancelled)
        anatomy = dissect(reading.image(reference))
        known = KnownImage(
            service=service or self.services[0],
            contents=side(anatomy.image, anatomy.files, anatomy.ownership, anatomy.attribution),
            platform=anatomy.image.platform,
            inventory=inventory(anatomy),
        )
        return Baseline(name=reference, images=(known,))

    def save(self, baseline: Baseline, name: str) -> tuple[str, ...]:
        """Keeps a baseline in a file, or in a registry beside the image called `name`; where it is now."""
        _whole(name)
        if not name.startswith(_REGISTRY):
            if name.partition(":")[0] in SCHEMES:
                raise UsageError(f"`{name}` keeps no baselines", hint="a file does, and `registry:REFERENCE`")
            write_whole(self.root / name, write(baseline), what="the baseline")
            return (name,)
        from hullmark._baseline.registry import kept  # noqa: PLC0415  # as above

        parts = {name: baseline}
        if SERVICE in name:
            parts = {
                name.replace(SERVICE, service): of_service(baseline, service) for service in self.services
            }
        return tuple(
            kept(reference.removeprefix(_REGISTRY), write(part), self.commands, self.environ, self.cancelled)
            for reference, part in parts.items()
        )


def _whole(name: str) -> None:
    """Raises `UsageError` for a scheme with nothing behind it."""
    scheme, colon, rest = name.partition(":")
    if colon and not rest.strip() and scheme in {*SCHEMES, GITHUB.rstrip(":")}:
        raise UsageError(
            f"no baseline: `{name}` names nothing behind its scheme",
            hint=f"a reference belongs there, as in `{_REGISTRY}HOST/shop/{SERVICE}:main`; "
            f"for runs on GitHub a branch, as in `{GITHUB}main`",
        )


def parse(content: bytes, name: str) -> Baseline:
    """The baseline in `content`, as `hullmark baseline save` writes it or as a JSON report; raises as `load` does."""
    return read(content, name) if is_baseline(content) else of_report(content, name)


def of_service(baseline: Baseline, service: str) -> Baseline:
    """What `baseline` knows of one service, and of the project as a whole."""
    return replace(
        baseline,
        images=tuple(each for each in baseline.images if each.service == service),
        listed=tuple(each for each in baseline.listed if each[0] == service),
        findings=tuple(each for each in baseline.findings if each.service in {service, None}),
        vulnerabilities=tuple(each for each in baseline.vulnerabilities if each.service == service),
        looked=frozenset((check, of) for check, of in baseline.looked if of in {service, None}),
    )


def _joined(parts: Iterable[Baseline], name: str) -> Baseline:
    parts = tuple(parts)
    if not parts:
        return Baseline(name=name, first=True)
    return Baseline(
        name=name,
        images=tuple(sorted((each for part in parts for each in part.images), key=lambda each: each.service)),
        listed=tuple(sorted((each for part in parts for each in part.listed), key=lambda each: each[0])),
        findings=tuple(dict.fromkeys(each for part in parts for each in part.findings)),
        vulnerabilities=tuple(dict.fromkeys(each for part in parts for each in part.vulnerabilities)),
        looked=frozenset(each for part in parts for each in part.looked),
    )
