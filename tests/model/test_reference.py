"""Names of images are understood as Docker understands them, and written so that they are understood again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark.model.digest import Digest
from hullmark.model.reference import Pinned, Tagged, parse_reference

if TYPE_CHECKING:
    from hullmark.model.reference import Reference

DIGEST = f"sha256:{'ab' * 32}"

COMPONENT = st.from_regex(r"[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}", fullmatch=True)
REPOSITORY = st.lists(COMPONENT, min_size=1, max_size=4).map("/".join)
HOST = st.one_of(
    st.just("localhost"),
    st.from_regex(r"[a-z0-9]{1,5}(?:-[a-z0-9]{1,3})?\.[A-Za-z]{2,5}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9]{1,8}:[1-9][0-9]{0,4}", fullmatch=True),
    st.just("[::1]:5000"),
    st.just("127.0.0.1:5000"),
)
TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda digits: f"sha256:{digits}")


@st.composite
def names(draw: st.DrawFn) -> str:
    host = draw(st.none() | HOST)
    tag = draw(st.none() | TAG)
    digest = draw(st.none() | DIGESTS)
    repository = draw(REPOSITORY)
    if host is None and "/" in repository:
        # With a dot, what stands first would be a host.
        owner, _, rest = repository.partition("/")
        repository = f"{owner.replace('.', '-')}/{rest}"
    name = repository if host is None else f"{host}/{repository}"
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


@given(text=names())
def test_parsing_and_writing_are_inverse(text: str) -> None:
    parsed = parse_reference(text)
    assert parse_reference(str(parsed)) == parsed
    assert str(parse_reference(str(parsed))) == str(parsed)


@given(text=st.text(max_size=40) | st.from_regex(r"[a-z./:@_-]{0,30}", fullmatch=True))
def test_any_text_is_a_name_or_refused_in_words(text: str) -> None:
    try:
        parsed = parse_reference(text)
    except ValueError as error:
        assert "`" in str(error)  # noqa: PT017  # both ways out are right
    else:
        assert parse_reference(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debian", Tagged(registry="docker.io", repository="library/debian", tag="latest")),
        ("debian:bookworm", Tagged(registry="docker.io", repository="library/debian", tag="bookworm")),
        ("grafana/loki", Tagged(registry="docker.io", repository="grafana/loki", tag="latest")),
        ("docker.io/debian", Tagged(registry="docker.io", repository="library/debian", tag="latest")),
        ("index.docker.io/debian", Tagged(registry="docker.io", repository="library/debian", tag="latest")),
        ("localhost/app", Tagged(registry="localhost", repository="app", tag="latest")),
        ("localhost:5000/app:1", Tagged(registry="localhost:5000", repository="app", tag="1")),
        ("r.example/a/b/c:v1.2_3-4", Tagged(registry="r.example", repository="a/b/c", tag="v1.2_3-4")),
        ("[::1]:5000/app", Tagged(registry="[::1]:5000", repository="app", tag="latest")),
        ("UPPER/app", Tagged(registry="UPPER", repository="app", tag="latest")),
        # Without a dot or a port it is an owner on Docker Hub, and after the colon stands a tag.
        ("registry/app", Tagged(registry="docker.io", repository="registry/app", tag="latest")),
        ("localhost:5000", Tagged(registry="docker.io", repository="library/localhost", tag="5000")),
        (
            f"debian@{DIGEST}",
            Pinned(registry="docker.io", repository="library/debian", digest=Digest.parse(DIGEST)),
        ),
        (
            f"r.example/app:1@{DIGEST}",
            Pinned(registry="r.example", repository="app", digest=Digest.parse(DIGEST), tag="1"),
        ),
    ],
)
def test_a_name_is_completed_as_docker_completes_it(text: str, expected: Reference) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no repository"),
        ("Debian", "(`debian`?)"),
        ("r.example/App", "(`app`?)"),
        ("debian:", "a tag is missing behind the colon"),
        ("debian:-1", "`-1` is no tag"),
        (f"debian:{'a' * 129}", "is no tag"),
        ("a//b", "is no repository"),
        ("a/b/", "is no repository"),
        ("a___b", "is no repository"),
        ("a..b", "is no repository"),
        ("-app", "is no repository"),
        ("bad_host.example/app", "is no host of a registry"),
        ("0.0_0/0", "`0.0_0` is no host of a registry"),
        (f"r.example/{'a/' * 127}ab", "at most 255 characters"),
        ("debian@sha256:abc", "is not a digest"),
        (f"debian@sha512:{'0' * 128}", "is not a digest"),
        ("f" * 64, "is the ID of an image"),
        ("https://r.example/app", "`https:` is no host of a registry"),
        (" debian", "is no repository"),
        ("debian\n", "is no repository"),
        ("débian", "is no repository"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the text is looked at below
        parse_reference(text)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 800


def test_a_long_name_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="at most 255 characters"):
        parse_reference("a-" * 1_000_000)
