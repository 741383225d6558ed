"""What the history of an image says is understood in the words of every builder, and laid beside the Dockerfile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._contents.history import created, steps
from hullmark._dockerfile import parse
from hullmark.model.attribution import Told
from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import HistoryEntry, Image, ImageConfiguration, Layer
from hullmark.model.table import FileTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.contents.conftest import Build, Open


@pytest.mark.parametrize(
    ("created_by", "expected"),
    [
        # BuildKit
        ("RUN /bin/sh -c apt-get update     && true # buildkit", "RUN apt-get update && true"),
        ("RUN |1 VERSION=dev /bin/sh -c echo $VERSION # buildkit", "RUN echo $VERSION"),
        ("RUN |2 A=1 B=two words /bin/sh -c make all # buildkit", "RUN make all"),
        ("RUN |1 A= /bin/bash -o pipefail -c make # buildkit", "RUN make"),
        ("RUN |1 A=x y /bin/app --flag # buildkit", "RUN y /bin/app --flag"),
        ("RUN /bin/busybox --install -s /bin # buildkit", "RUN /bin/busybox --install -s /bin"),
        ("COPY --chmod=0755 bin/ /usr/local/bin/ # buildkit", "COPY --chmod=0755 bin/ /usr/local/bin/"),
        ("WORKDIR /app", "WORKDIR /app"),
        ('CMD ["node" "server.js"]', 'CMD ["node" "server.js"]'),
        # The engine's old builder, and buildah
        ("/bin/sh -c apt-get update && true", "RUN apt-get update && true"),
        ("|1 VERSION=dev /bin/sh -c echo $VERSION", "RUN echo $VERSION"),
        ("/bin/sh -c #(nop) COPY file:0a1b in /etc/x ", "COPY file:0a1b in /etc/x"),
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c #(nop)  ENV A=b", "ENV A=b"),
        ("/bin/bash -o pipefail -c set -e; x | y", "RUN set -e; x | y"),
        # kaniko
        ("RUN apk add curl", "RUN apk add curl"),
        ("COPY . /app", "COPY . /app"),
        # What nobody can read
        ("", ""),
        ("bazel build ...", "bazel build ..."),
        ("|9 A=1", "RUN"),
        ("|99999999999999999999 A=1 /bin/sh -c x", "|99999999999999999999 A=1 /bin/sh -c x"),
    ],
)
def test_the_words_of_a_builder_are_taken_off(created_by: str, expected: str) -> None:
    assert str(created(created_by)) == expected


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert " ".join(str(created(text)).split()) == str(created(text))


def _image(history: Sequence[HistoryEntry], layers: int) -> Image:
    return Image(
        reference="x:1",
        config_digest=Digest.parse(f"sha256:{'0' * 64}"),
        platform="linux/amd64",
        configuration=ImageConfiguration(),
        history=tuple(history),
        layers=tuple(
            Layer(diff_id=DiffId.parse(f"sha256:{index:064x}"), table=FileTable.of([]))
            for index in range(layers)
        ),
    )


def _entries(*texts: str) -> list[HistoryEntry]:
    """Entries of a history; an indented one made no layer."""
    return [HistoryEntry(created_by=text.strip(), empty=text.startswith(" ")) for text in texts]


DOCKERFILE = """\
FROM base:1 AS one
ARG V=1
RUN make \\
    # a word
    one
FROM one
ENV A=b
RUN make two
COPY a b /c/
RUN make two
CMD ["x"]
"""


def _told(history: Sequence[HistoryEntry], layers: int, text: str = DOCKERFILE) -> list[tuple[str, int]]:
    """Who made each layer, and the line."""
    found, _ = steps(_image(history, layers), parse(text, "Dockerfile").recipe().final)
    return [(step.origin.told.value, step.origin.span.line if step.origin.span else 0) for step in found]


def test_layers_are_matched_from_the_base_image_up() -> None:
    history = _entries(
        *(
            "/bin/sh -c #(nop) ADD file:1 in / ",
            ' CMD ["bash"]',
            " ARG V=2",
            "RUN |1 V=2 /bin/sh -c make one # buildkit",
        ),
        *(" ENV A=b", "RUN |1 V=2 /bin/sh -c make two # buildkit", "COPY a b /c/ # buildkit"),
        *("RUN |1 V=2 /bin/sh -c make two # buildkit", ' CMD ["x"]'),
    )
    assert _told(history, 5) == [
        ("base", 1),
        ("instruction", 3),
        ("instruction", 8),
        ("instruction", 9),
        ("instruction", 10),
    ]


def test_layers_are_matched_where_only_steps_with_layers_are_listed() -> None:
    history = _entries("RUN make one", "RUN make two", "COPY a b /c/", "RUN make two")
    assert [line for _, line in _told(history, 4)] == [3, 8, 9, 10]


def test_a_base_image_without_history_lies_below() -> None:
    history = _entries("RUN make one", "RUN make two", "COPY a b /c/", "RUN make two")
    assert _told(history, 6)[:3] == [("base", 1), ("base", 1), ("instruction", 3)]


def test_a_history_of_more_steps_than_layers_is_not_believed() -> None:
    history = _entries("RUN make one", "RUN make two", "COPY a b /c/", "RUN make two")
    found, notes = steps(_image(history, 2), parse(DOCKERFILE, "Dockerfile").recipe().final)
    assert [step.origin.text for step in found] == ["layer 1", "layer 2"]
    assert "2 layers, and its history lists 4 steps" in notes[0]


def test_without_history_a_layer_is_all_that_is_known() -> None:
    found, notes = steps(_image([], 2), None)
    assert [(step.origin.told, step.origin.text) for step in found] == [
        (Told.LAYER, "layer 1"),
        (Told.LAYER, "layer 2"),
    ]
    assert notes == ("x:1 has no history",)


def test_a_dockerfile_of_another_image_is_not_believed() -> None:
    found, notes = steps(
        _image(_entries("RUN cargo build"), 1), parse("FROM x\nRUN npm ci\n", "Dockerfile").recipe().final
    )
    assert [(step.origin.told, step.origin.text) for step in found] == [(Told.HISTORY, "RUN cargo build")]
    assert notes == ("nothing in the history of x:1 fits the stage `0`",)


def test_an_image_that_adds_nothing_is_its_base() -> None:
    assert _told(_entries("ADD file:1 in /", "RUN x", " ENV A=b"), 2, "FROM x\nENV A=b\n") == [
        ("base", 1),
        ("base", 1),
    ]


def test_steps_that_the_dockerfile_no_longer_has_are_named_by_the_history() -> None:
    told = _told(_entries("RUN one", "RUN gone", "RUN three"), 3, "FROM x\nRUN one\nRUN three\n")
    assert told == [("instruction", 2), ("history", 0), ("instruction", 3)]


WRITTEN = """\
FROM debian:bookworm-slim
ARG WHO="you and me"
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN echo "$WHO" > /one
RUN <<EOF
echo two > /two
echo 2 >> /two
EOF
RUN --network=none ["/bin/sh", "-c", "echo three > /three"]
RUN cat > /four <<END && echo 5 > /five
four
END
COPY <<six /
6
six
WORKDIR /seven
COPY --from=debian:bookworm-slim /etc/hostname .
RUN cat <<A <<B > /eight
a
A
b
B
"""


@pytest.mark.docker
def test_each_layer_that_the_engine_built_is_its_instructions(build: Build, opened: Open) -> None:
    image = opened(build(WRITTEN, "--build-arg", "WHO=A=1 /bin/sh -c x"))
    found, notes = steps(image, parse(WRITTEN, "Dockerfile").recipe().final)
    assert notes == ()
    assert [(step.origin.told.value, step.origin.span.line if step.origin.span else 0) for step in found] == [
        ("base", 1),
        *(("instruction", line) for line in (4, 5, 9, 10, 13, 16, 17, 18)),
    ]


@pytest.mark.docker
def test_each_layer_of_the_old_builder_is_its_instructions(build: Build, opened: Open) -> None:
    text = "FROM debian:bookworm-slim\nARG V=1\nENV X=$V\nRUN echo $V > /one\nRUN echo 2 > /two\nCMD true\n"
    image = opened(build(text, DOCKER_BUILDKIT="0"))
    found, notes = steps(image, parse(text, "Dockerfile").recipe().final)
    assert notes == ()
    assert [step.origin.span.line if step.origin.span else 0 for step in found] == [1, 4, 5]
