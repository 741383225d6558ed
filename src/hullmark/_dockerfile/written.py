"""A Dockerfile that is written in the Compose file, as linters read it: with the places it has there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullmark._dockerfile.parser import parse
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from hullmark.model.dockerfile import Dockerfile
    from hullmark.model.finding import Finding
    from hullmark.model.project import Inline, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDockerfile:
    """A Dockerfile in the Compose file."""

    dockerfile: Dockerfile
    text: str
    """The same for a linter that reads files; line after line of it stands below `start`."""
    start: tuple[int, int] | None
    """Line and column of its first character in the Compose file; `None` where its lines cannot be told apart there."""
    key: SourceSpan
    """Where the Compose file says that there is one."""

    def shifted(self, finding: Finding) -> Finding:
        """What another linter finds in `text`, with the place that it has for `dockerfile`."""
        place = finding.location
        assert isinstance(place, SourceSpan)
        line, column = self.start or (1, 1)
        return replace(
            finding,
            location=SourceSpan(
                path=self.dockerfile.path, line=place.line + line - 1, column=place.column + column - 1
            ),
        )

    def placed(self, finding: Finding) -> Finding:
        """What is found in `dockerfile`, with a place in the Compose file, where nothing can fix it."""
        finding = replace(finding, fix=None)
        place = finding.location
        if self.start is not None or not isinstance(place, SourceSpan):
            return finding
        return replace(
            finding, location=self.key, seen=f"line {place.line} of its Dockerfile: {finding.seen}"
        )


def written_of(service: Service) -> WrittenDockerfile | None:
    """The Dockerfile of `service` that is written in the Compose file, if there is one.

    Raises `ConfigurationError` as `parse` does.
    """
    build = service.build
    if build is None or build.inline is None:
        return None
    inline, args = build.inline, dict(build.args)
    if not inline.exact and not inline.lines:
        shown = f"{inline.span.path} (Dockerfile of {service.name})"
        dockerfile = parse(inline.text, shown, args=args)
        return WrittenDockerfile(dockerfile=dockerfile, text=inline.text, start=None, key=inline.span)
    start = (inline.span.line, inline.span.column)
    text = inline.text if inline.exact else _unfolded(inline)
    dockerfile = parse(text, inline.span.path, args=args, start=start)
    return WrittenDockerfile(dockerfile=dockerfile, text=text, start=start, key=inline.span)


def _unfolded(inline: Inline) -> str:
    """The text with each of its lines as far down as it begins in the file.

    What stands between is a comment, which ends neither an instruction nor the comments above one.
    """
    found: list[str] = []
    for number, line in zip(inline.lines, inline.text.split("\n"), strict=False):
        found += ["#"] * (number - inline.lines[0] - len(found))
        found.append(line)
    return "\n".join(found) + "\n"
