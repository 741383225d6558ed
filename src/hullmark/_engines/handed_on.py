"""What images that the engine has hand on to whatever is built upon them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.dockerfile import HandedOn

if TYPE_CHECKING:
    from hullmark._process import Commands

_SECONDS = 20.0


@dataclass(kw_only=True)
class LocalImages:
    """The images of an engine; each is asked for once, and none once it does not answer."""

    commands: Commands = field(repr=False)
    _known: dict[str, HandedOn | None] = field(default_factory=dict)
    _answers: bool = True

    def handed_on(self, reference: str) -> HandedOn | None:
        """What the image hands on; `None` where it is not here, or there is no engine to ask."""
        if reference not in self._known:
            self._known[reference] = self._ask(reference) if self._answers else None
        return self._known[reference]

    def _ask(self, reference: str) -> HandedOn | None:
        argv = ("docker", "image", "inspect", "--format", "{{json .Config}}", "--", reference)
        try:
            done = self.commands.run(argv, timeout=_SECONDS)
            configured: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        except Interrupted:
            raise
        except (HullmarkError, ValueError):
            self._answers = False
            return None
        if done.returncode != 0 or not isinstance(configured, dict):
            return None
        return HandedOn(
            environment=tuple(
                (name, value)
                for name, _, value in (each.partition("=") for each in configured.get("Env") or ())
            ),
            triggers=tuple(str(each) for each in configured.get("OnBuild") or ()),
            health_check=((configured.get("Healthcheck") or {}).get("Test") or ["NONE"])[0] != "NONE",
        )
