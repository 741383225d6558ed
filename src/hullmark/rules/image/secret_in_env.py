"""Secret in the image's environment.

What it checks
    The environment in the image's configuration: variables whose name says that they hold a secret
    (`*_PASSWORD`, `*_TOKEN`, `*_SECRET`, `*_API_KEY`, ...) and that have a value, values in the format of a
    well-known credential, and URLs with a password. Names that point at a file (`*_FILE`, `*_PATH`) are left
    alone, and so are values that only say that a feature is on or off.

Why it matters
    Everybody who can pull the image can read its environment, for ever, and every child process inherits it.

How to fix
    Hand the secret over when the container starts (`environment` or `secrets` in the Compose file), or as a
    build secret when only the build needs it:

        RUN --mount=type=secret,id=token ...
"""

from __future__ import annotations

from collections.abc import Iterator

from hullmark._secrets.variables import secret_in
from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImageConfig
from hullmark.model.rule import rule
from hullmark.rules._declared import pair


@rule(summary="secret in the image's environment", severity=Severity.ERROR, since="0.1")
def secret_in_env(shipped: ShippedImage) -> Iterator[Observation]:
    for name, value in shipped.image.configuration.environment:
        seen = secret_in(name, value)
        if seen:
            found = pair(shipped, "ENV", name)
            yield Observation(
                location=ImageConfig(image=shipped.image.reference, key=f"Env.{name}"),
                seen=seen,
                expected="no secrets in the image",
                remedy=f"hand `{name}` over when the container starts, or mount it as a build secret",
                key=name,
                origin=None if found is None else found[0].span,
            )
