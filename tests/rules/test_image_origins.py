"""What a rule about images says to change fits the instruction that it points at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hullmark._anatomy import dissect, shipped
from hullmark._dockerfile import parse
from hullmark.model.attribution import Origin, Told
from hullmark.model.image import HistoryEntry, ImageConfiguration, ShippedImage
from hullmark.model.location import SourceSpan
from hullmark.model.project import ServiceSettings
from hullmark.rules import rules_for
from hullmark.rules._layers import keep_out, where
from hullmark.testing import synthetic_image

RULES = {rule.id: rule for rule in rules_for(ShippedImage)}
CREATED = "org.opencontainers.image.created"
PLACE = SourceSpan(path="Dockerfile", line=3)


def _origin(text: str, told: Told = Told.INSTRUCTION, source: Origin | None = None) -> Origin:
    return Origin(told=told, text=text, keyword=text.split(" ", 1)[0], span=PLACE, source=source)


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        (_origin("COPY . /app"), "add `.env` to the `.dockerignore` of the build context, or"),
        (_origin("ADD --chown=1 a.tar /app"), "add `.env` to the `.dockerignore`"),
        (_origin("RUN make"), "mount it with `RUN --mount=type=secret`, or delete `.env` in the same RUN"),
        (_origin("COPY --from=x /a /a", source=_origin("RUN make")), "mount it with `RUN --mount"),
        (
            _origin("COPY --chown=1 --from=x /a /a"),
            "copy from the other stage what is needed, and not `.env`",
        ),
        (_origin("COPY --from=x / /", Told.COPY), "copy from the other stage"),
        (_origin("COPY <<EOF /app/.env A=1"), "take `.env` out of the Dockerfile"),
        (_origin("ADD https://example.com/.env /app/"), "take `.env` out of that ADD"),
        (
            replace(_origin("FROM base:1", Told.BASE), base="base:1"),
            "build upon another base image: `base:1` brings `.env`",
        ),
        (Origin(told=Told.LAYER, text="layer 3"), "keep `.env` out of the image, in the step that writes it"),
        (None, "keep `.env` out of the image"),
    ],
)
def test_the_remedy_fits_what_wrote_the_file(written: Origin | None, remedy: str) -> None:
    assert keep_out("/app/.env", written).startswith(remedy)


def test_a_layer_is_told_with_what_wrote_and_what_hides_the_file() -> None:
    wrote, hides = _origin("COPY . /app"), Origin(told=Told.HISTORY, text="RUN rm " + "x" * 80, keyword="RUN")
    assert where(0, 3, wrote, None) == "in layer 1 of 3, written by `COPY . /app` (Dockerfile:3)"
    assert where(1, 3, Origin(told=Told.LAYER, text="layer 2"), hides) == (
        f"in layer 2 of 3, hidden by `RUN rm {'x' * 50}...`"
    )


@pytest.mark.parametrize(
    ("dockerfile", "value", "place", "seen", "remedy"),
    [
        (f'FROM scratch\nLABEL a="b" {CREATED}="now"\n', "now", "Dockerfile:2", "is `now`", "write `LABEL"),
        (
            f"FROM scratch AS one\nLABEL {CREATED}=now\nFROM one\nUSER 1\n",
            "now",
            "Dockerfile:2",
            "is `now`",
            "write `LABEL",
        ),
        (
            f'FROM scratch\nARG WHEN\nARG ZONE=Z\nLABEL {CREATED}="${{WHEN}}T$ZONE"\n',
            "TZ",
            "Dockerfile:4",
            "is `TZ`, made of `WHEN`, `ZONE`",
            "hand `WHEN`, `ZONE` over so that this is a date and time",
        ),
        (
            f"FROM scratch\nLABEL {CREATED}=2027-06-30T12:00:00Z\n",
            "now",
            "web:dev config.Labels",
            "is `now`, set when it was built",
            "give it a date and time",
        ),
        (
            "FROM base:1 AS one\nFROM one\n",
            "now",
            "Dockerfile:1",
            "is `now`, from the base image",
            "declare `LABEL",
        ),
        ("FROM scratch\nUSER 1\n", "now", "web:dev config.Labels", "is `now`", "declare `LABEL"),
    ],
)
def test_a_label_is_shown_where_it_gets_its_value(
    dockerfile: str, value: str, place: str, seen: str, remedy: str
) -> None:
    made = _shipped(dockerfile, value)
    [found] = RULES["malformed-label"].check(made, service="web")
    assert str(found.location).removesuffix(":1") == place
    assert seen in found.seen
    assert found.remedy.startswith(remedy)


def test_a_label_of_the_compose_file_is_changed_there() -> None:
    made = replace(_shipped("FROM scratch\n", "now"), build_labels=frozenset({CREATED}))
    [found] = RULES["malformed-label"].check(made, service="web")
    assert str(found.location) == "service web"
    assert found.seen.endswith("is `now`, set by the Compose file")


def _shipped(dockerfile: str, value: str) -> ShippedImage:
    image = synthetic_image("web:dev", configuration=ImageConfiguration(labels=((CREATED, value),)))
    image = replace(image, history=(HistoryEntry(created_by="LABEL", empty=True),))
    return shipped(
        dissect(image),
        service="web",
        settings=ServiceSettings(),
        recipe=parse(dockerfile, "Dockerfile").recipe(),
    )
