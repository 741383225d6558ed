"""What is shown of a stack to people who may not know its secrets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hullmark.model.drill import Exempt, Failed, Passed, Undrilled

if TYPE_CHECKING:
    from hullmark.model.drill import DrillRun
    from hullmark.model.outcome import Check
    from hullmark.model.progress import Progress
    from hullmark.model.stack import StackRun
    from hullmark.model.stack_copy import StackCopy

SHORTEST = 4
"""Characters of the shortest value that is looked for elsewhere: a shorter one is a part of everything."""
_SECRET_NAME = re.compile(
    r"PASS|PWD|SECRET|TOKEN|CREDENTIAL|PRIVATE|SALT|(?:^|_)(?:KEY|DSN|AUTH)(?:$|_)|API_?KEY", re.IGNORECASE
)
_ADDRESS = re.compile(r"://[^/@\s:]*:(?P<password>[^/@\s]+)@")
_NAMED_BY_USERS = frozenset({"services", "networks", "volumes", "secrets", "configs"})
"""What holds names that may be anything; elsewhere one that starts with `x-` is an extension."""
_HIDDEN_MAPPINGS = frozenset({"environment", "driver_opts", "options", "args"})
"""What holds values that may be secret in a Compose file, whatever they are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrecy:
    """Takes secrets out of text and values."""

    words: tuple[str, ...]
    """The values that must be nowhere; longer ones first, as one may be a part of another."""

    @classmethod
    def of(cls, copy: StackCopy) -> Secrecy:
        """For all that `copy` gives its services under a name that sounds secret, and for passwords in addresses.

        But not for what the names of the project, its services and its images tell anyway.
        """
        services: dict[str, Any] = json.loads(copy.configuration).get("services") or {}
        found: set[str] = set()
        for service in services.values():
            for name, value in (service.get("environment") or {}).items():
                text = "" if value is None else str(value)
                found |= {each["password"] for each in _ADDRESS.finditer(text)}
                if _SECRET_NAME.search(name):
                    found.add(text)
        told = " ".join([copy.name, *services, *(str(each.get("image")) for each in services.values())])
        words = {word for word in found if len(word) >= SHORTEST and word not in told}
        return cls(words=tuple(sorted(words, key=lambda word: (-len(word), word))))

    def text(self, text: str) -> str:
        """`text` with a marker in place of each secret."""
        for word in self.words:
            text = text.replace(word, marker(word))
        return text

    def value(self, value: Any) -> Any:
        """The same for every text in a value of JSON, keys included."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(item) for item in value]
            case dict():
                return {self.text(str(key)): self.value(item) for key, item in value.items()}
            case _:
                return value

    def run(self, run: StackRun) -> StackRun:
        """`run` without secrets in what services wrote and answered."""
        text = self.text
        return replace(
            run,
            services=tuple(
                replace(
                    each,
                    log=tuple(map(text, each.log)),
                    health_output=text(each.health_output),
                    refusal=text(each.refusal),
                )
                for each in run.services
            ),
            probes=tuple(
                replace(
                    each,
                    seen=text(each.seen),
                    steps=tuple(replace(step, seen=text(step.seen)) for step in each.steps),
                )
                for each in run.probes
            ),
            links=tuple(replace(each, seen=text(each.seen)) for each in run.links),
            untried=tuple(replace(each, reason=text(each.reason)) for each in run.untried),
            unprobed=tuple(replace(each, reason=text(each.reason)) for each in run.unprobed),
            logs=tuple(replace(each, lines=tuple(map(text, each.lines))) for each in run.logs),
            drills=tuple(map(self.drill, run.drills)),
        )

    def drill(self, run: DrillRun) -> DrillRun:
        """`run` without secrets in what is said of it."""
        text = self.text
        match run.result:
            case Passed(seen=seen, missed=missed) as result:
                return replace(run, result=replace(result, seen=text(seen), missed=tuple(map(text, missed))))
            case Failed(seen=seen, remedy=remedy, key=key) as result:
                return replace(
                    run, result=replace(result, seen=text(seen), remedy=text(remedy), key=text(key))
                )
            case Exempt(reason=reason):
                return replace(run, result=Exempt(reason=text(reason)))
            case Undrilled(error=error):
                return replace(run, result=Undrilled(error=text(error)))

    def configuration(self, copy: StackCopy) -> Any:
        """The Compose configuration of `copy` without any value of an environment, and what else may be secret.

        Extensions (`x-...`) are left out: they hold what the file likes, and have been merged into what they are for.
        """
        return self.value(_concealed(json.loads(copy.configuration)))

    def inspection(self, attributes: Any) -> Any:
        """What the engine says of a container without any value of its environment."""
        shown = json.loads(json.dumps(attributes))
        configuration = shown.get("Config") or {}
        configuration["Env"] = [_concealed_variable(each) for each in configuration.get("Env") or ()]
        return self.value(shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discreet:
    """Tells a `Progress` everything but secrets."""

    progress: Progress
    secrecy: Secrecy

    def begin(self, check: Check, service: str | None, text: str) -> None:
        """See `Progress.begin`."""
        self.progress.begin(check, service, self.secrecy.text(text))

    def end(self, check: Check, service: str | None, text: str, *, good: bool) -> None:
        """See `Progress.end`."""
        self.progress.end(check, service, self.secrecy.text(text), good=good)

    def close(self) -> None:
        """See `Progress.close`."""
        self.progress.close()


def marker(value: object) -> str:
    """What stands in the place of a secret, so that one that is empty can be told."""
    size = len(str(value))
    return f"<hidden, {size} character{'' if size == 1 else 's'}>"


def _concealed_variable(text: str) -> str:
    name, equals, value = text.partition("=")
    return f"{name}={marker(value)}" if equals else name


def _concealed(value: Any, key: str = "") -> Any:
    match value:
        case dict() if key in _HIDDEN_MAPPINGS:
            return {name: item if item is None else marker(item) for name, item in value.items()}
        case dict():
            return {
                name: marker(item) if name == "content" and isinstance(item, str) else _concealed(item, name)
                for name, item in value.items()
                if key in _NAMED_BY_USERS or not name.startswith("x-")
            }
        case list() if key in _HIDDEN_MAPPINGS:
            return [_concealed_variable(str(item)) for item in value]
        case list():
            return [_concealed(item) for item in value]
        case _:
            return value
