"""What is pushed is there whole and is what it is called, or one clear error says why not."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._images.artifacts import CREATED, Kind, fetch, find, keep
from hullmark._images.manifests import OCI_INDEX, OCI_MANIFEST
from hullmark._images.push import Arrival, Content
from hullmark.errors import DamagedImage, Interrupted, Unavailable
from hullmark.testing import Fault, FaultyRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

RANDOM = random.Random(71)  # noqa: S311  # the same bytes in every run
LAYER = RANDOM.randbytes(1_500_000)
NOTE = Kind(artifact_type="application/vnd.example.note", media_type="text/plain")
UPLOADS = r"/blobs/uploads/\d"


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def sent(faulty: FaultyRegistry) -> list[str]:
    """What was asked for, without the greeting."""
    return [f"{seen.method} {seen.path.partition('?')[0]}" for seen in faulty.seen if seen.path != "/v2/"]


def changed(faulty: FaultyRegistry) -> list[str]:
    """The methods of requests that carry something."""
    return [seen.method for seen in faulty.seen if seen.method in {"PUT", "PATCH"}]


def held(faulty: FaultyRegistry, content: bytes) -> bool:
    return faulty.stored(f"/v2/app/blobs/{sha256(content)}") == content


@pytest.mark.parametrize("content", [LAYER, b"x", b""], ids=["large", "a byte", "nothing"])
def test_a_blob_goes_in_one_request_and_only_once(
    push_to: Any, faulty: FaultyRegistry, content: bytes
) -> None:
    with push_to(f"{faulty.host}/app:1") as push:
        assert push.blob(Content.of(content)) is Arrival.SENT
        assert push.blob(Content.of(content)) is Arrival.THERE
    assert held(faulty, content)
    path = f"/v2/app/blobs/{sha256(content)}"
    assert sent(faulty) == [
        f"HEAD {path}",
        "POST /v2/app/blobs/uploads/",
        "PUT /v2/app/blobs/uploads/0",
        f"HEAD {path}",
    ]


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_a_registry_that_is_out_of_breath_is_asked_again(
    push_to: Any, faulty: FaultyRegistry, method: str, status: int
) -> None:
    faulty.fault("/blobs/", Fault(status=status), times=3, method=method)
    with push_to(f"{faulty.host}/app:1") as push:
        assert push.blob(Content.of(LAYER)) is Arrival.SENT
    assert held(faulty, LAYER)


def test_a_broken_transfer_goes_on_in_pieces_from_where_it_broke(
    push_to: Any, faulty: FaultyRegistry
) -> None:
    faulty.fault(UPLOADS, Fault(take_only=700_000), times=1, method="PUT")
    with push_to(f"{faulty.host}/app:1") as push:
        push.piece = 300_000
        assert push.blob(Content.of(LAYER)) is Arrival.SENT
    assert held(faulty, LAYER)
    ranges = [seen.headers["content-range"] for seen in faulty.seen if seen.method == "PATCH"]
    assert ranges == ["700000-999999", "1000000-1299999", "1300000-1499999"]


def test_a_piece_that_breaks_is_taken_up_in_the_middle(push_to: Any, faulty: FaultyRegistry) -> None:
    faulty.fault(UPLOADS, Fault(take_only=0), times=1, method="PUT")
    faulty.fault(UPLOADS, Fault(take_only=100_000), times=3, method="PATCH")
    with push_to(f"{faulty.host}/app:1") as push:
        push.piece = 600_000
        push.blob(Content.of(LAYER))
    assert held(faulty, LAYER)
    assert [seen.headers["content-range"] for seen in faulty.seen if seen.method == "PATCH"][:4] == [
        "0-599999",
        "100000-699999",
        "200000-799999",
        "300000-899999",
    ]


def test_a_blob_that_is_too_large_for_one_request_goes_in_pieces(
    push_to: Any, faulty: FaultyRegistry
) -> None:
    faulty.uploads.largest = 1_000_000
    with push_to(f"{faulty.host}/app:1") as push:
        push.blob(Content.of(LAYER))
    assert held(faulty, LAYER)
    assert changed(faulty) == ["PUT", "PATCH", "PATCH", "PUT"]


def test_pieces_are_as_large_as_the_registry_wants_them(push_to: Any, faulty: FaultyRegistry) -> None:
    faulty.uploads.smallest = 800_000
    faulty.fault(UPLOADS, Fault(status=413), times=1, method="PUT")
    with push_to(f"{faulty.host}/app:1") as push:
        push.piece = 1000
        push.blob(Content.of(LAYER))
    assert [len(seen.body) for seen in faulty.seen if seen.method == "PATCH"] == [800_000, 700_000]


@pytest.mark.parametrize("status", [404, 416])
def test_an_upload_that_the_registry_has_forgotten_begins_anew(
    push_to: Any, faulty: FaultyRegistry, status: int
) -> None:
    faulty.fault(UPLOADS, Fault(status=413), times=1, method="PUT")
    faulty.fault(UPLOADS, Fault(status=status), times=1, method="PATCH")
    faulty.fault(UPLOADS, Fault(status=404), times=1, method="GET")
    with push_to(f"{faulty.host}/app:1") as push:
        push.blob(Content.of(LAYER))
    assert held(faulty, LAYER)


def test_bytes_that_change_on_the_way_are_sent_again(push_to: Any, faulty: FaultyRegistry) -> None:
    told = json.dumps({"errors": [{"code": "DIGEST_INVALID", "message": "not that"}]}).encode()
    faulty.fault(UPLOADS, Fault(status=400, body=told), times=1, method="PUT")
    with push_to(f"{faulty.host}/app:1") as push:
        push.blob(Content.of(LAYER))
    assert held(faulty, LAYER)


def test_patience_ends(push_to: Any, faulty: FaultyRegistry) -> None:
    faulty.fault(UPLOADS, Fault(take_only=0), method="PUT")
    with (
        push_to(f"{faulty.host}/app:1") as push,
        pytest.raises(Unavailable, match="could not be pushed in 5 a"),
    ):
        push.blob(Content.of(LAYER))


@pytest.mark.parametrize(
    ("digest", "size", "said"),
    [
        (sha256(b"other"), len(LAYER), "is made of bytes whose digest"),
        (sha256(LAYER), len(LAYER) + 1, "should have 1500001 bytes and has 1500000"),
        (sha256(LAYER), 1000, "has more than 1000 bytes"),
    ],
)
def test_bytes_that_are_not_what_they_are_called_are_not_pushed(
    push_to: Any, faulty: FaultyRegistry, digest: str, size: int, said: str
) -> None:
    whole = Content.of(LAYER)
    wrong = replace(whole, digest=type(whole.digest).parse(digest), size=size)
    with push_to(f"{faulty.host}/app:1") as push, pytest.raises(DamagedImage, match=said):
        push.blob(wrong)
    assert not any(faulty.stored(f"/v2/app/blobs/{each}") == LAYER for each in (digest, sha256(LAYER)))


def test_a_registry_that_holds_something_else_is_not_believed(push_to: Any, faulty: FaultyRegistry) -> None:
    other = (("Docker-Content-Digest", sha256(b"other")),)
    faulty.fault(UPLOADS, Fault(headers=other), method="PUT")
    with (
        push_to(f"{faulty.host}/app:1") as push,
        pytest.raises(DamagedImage, match="says that it holds sha256"),
    ):
        push.blob(Content.of(LAYER))


def test_who_asks_is_told_to_nobody_but_the_registry(
    push_to: Any, faulty: FaultyRegistry, log_in: Callable[..., None]
) -> None:
    basic = (("WWW-Authenticate", 'Basic realm="x"'),)
    faulty.fault("/v2/$", Fault(status=401, headers=basic))
    log_in(faulty.host)
    with FaultyRegistry() as storage:
        there = f"http://{storage.host}{storage_upload(storage)}"
        faulty.fault("uploads/$", Fault(status=202, headers=(("Location", there),)), method="POST")
        with push_to(f"{faulty.host}/app:1") as push:
            push.blob(Content.of(LAYER))
        assert storage.stored(f"/v2/app/blobs/{sha256(LAYER)}") == LAYER
        assert not any("authorization" in seen.headers for seen in storage.seen)
    assert all("authorization" in seen.headers for seen in faulty.seen[1:])


def storage_upload(storage: FaultyRegistry) -> str:
    """Where an upload that has been begun goes on."""
    reply = storage.uploads.answer("POST", "/v2/app/blobs/uploads/", {}, b"")
    assert reply is not None
    return reply[2]["Location"]


def test_a_token_that_runs_out_on_the_way_is_renewed(
    push_to: Any, faulty: FaultyRegistry, log_in: Callable[..., None]
) -> None:
    log_in(faulty.host)
    wanted = f'Bearer realm="http://{faulty.host}/token",scope="repository:app:pull,push"'
    faulty.fault("/token", Fault(status=200, body=b'{"token": "first"}'), times=1)
    faulty.fault("/token", Fault(status=200, body=b'{"token": "second"}'))
    refusal = Fault(status=401, headers=(("WWW-Authenticate", wanted),))
    faulty.fault("/v2/$", refusal, times=1)
    faulty.fault(UPLOADS, refusal, times=1, method="PATCH")
    faulty.fault(UPLOADS, Fault(status=413), times=1, method="PUT")
    with push_to(f"{faulty.host}/app:1") as push:
        push.piece = 1_000_000
        push.blob(Content.of(LAYER))
    assert held(faulty, LAYER)
    shown = [seen.headers.get("authorization") for seen in faulty.seen if seen.method == "PATCH"]
    assert shown == ["Bearer first", "Bearer second", "Bearer second"]
    assert all("repository%3Aapp%3Apull%2Cpush" in seen.path for seen in faulty.seen if "/token" in seen.path)


def test_whoever_may_not_push_is_told_so(
    push_to: Any, faulty: FaultyRegistry, log_in: Callable[..., None]
) -> None:
    log_in(faulty.host)
    basic = (("WWW-Authenticate", 'Basic realm="x"'),)
    faulty.fault("/v2/$", Fault(status=401, headers=basic))
    faulty.fault("/blobs/uploads/", Fault(status=403))
    with push_to(f"{faulty.host}/app:1") as push, pytest.raises(Unavailable, match="as `ada`") as caught:
        push.blob(Content.of(LAYER))
    assert caught.value.hint is not None
    assert "a user who may push it" in caught.value.hint


def test_a_manifest_whose_blobs_are_missing_is_refused(push_to: Any, faulty: FaultyRegistry) -> None:
    config = {"mediaType": "x", "digest": sha256(b"no"), "size": 2}
    with push_to(f"{faulty.host}/app:1") as push, pytest.raises(Unavailable, match="manifest blob unknown"):
        push.manifest(json.dumps({"config": config, "layers": []}).encode(), OCI_MANIFEST, "1")


@pytest.mark.parametrize("status", [301, 302])
def test_no_redirect_turns_a_push_into_something_else(
    push_to: Any, faulty: FaultyRegistry, status: int
) -> None:
    faulty.fault("uploads/$", Fault(status=status, headers=(("Location", "/v2/"),)), method="POST")
    with push_to(f"{faulty.host}/app:1") as push, pytest.raises(Unavailable, match="is to change something"):
        push.blob(Content.of(LAYER))


def test_a_redirect_that_keeps_the_request_as_it_is_is_followed(push_to: Any, faulty: FaultyRegistry) -> None:
    there = (("Location", "/v2/app/blobs/uploads/0?state=kept&digest=" + sha256(LAYER)),)
    faulty.fault(UPLOADS, Fault(status=307, headers=there), times=1, method="PUT")
    with push_to(f"{faulty.host}/app:1") as push:
        push.blob(Content.of(LAYER))
    assert held(faulty, LAYER)


def test_who_asks_to_stop_is_heard_in_the_middle_of_a_transfer(
    push_to: Any, pull: Any, faulty: FaultyRegistry
) -> None:
    whole = Content.of(LAYER)
    pull.cancelled = threading.Event()

    class Stopping:
        def __enter__(self) -> Any:
            def pieces() -> Any:
                yield LAYER[:1000]
                pull.cancelled.set()
                yield LAYER[1000:]

            return pieces()

        def __exit__(self, *_: object) -> None: ...

    with push_to(f"{faulty.host}/app:1") as push, pytest.raises(Interrupted):
        push.blob(replace(whole, open=Stopping))


def test_blobs_go_side_by_side(push_to: Any, faulty: FaultyRegistry) -> None:
    blobs = [RANDOM.randbytes(200_000) for _ in range(12)]
    with push_to(f"{faulty.host}/app:1") as push, ThreadPoolExecutor(4) as pool:
        arrived = pool.map(lambda blob: push.blob(Content.of(blob)), blobs)
        assert set(arrived) == {Arrival.SENT}
    assert all(held(faulty, blob) for blob in blobs)


@pytest.mark.parametrize("knows", [True, False], ids=["a list of the registry", "a list by a tag"])
def test_the_newest_document_beside_an_image_is_found(
    push_to: Any, faulty: FaultyRegistry, *, knows: bool
) -> None:
    faulty.uploads.knows_subjects = knows
    faulty.image("app", "1", layers=[b"layer"])
    other = Kind(artifact_type="application/vnd.example.other", media_type="text/plain")
    with push_to(f"{faulty.host}/app:1") as push:
        assert find(push.repository, NOTE, "1", 1000) is None
        for kind, text, moment in (
            (NOTE, b"old", "2026-01-01T00:00:00Z"),
            (NOTE, b"new", "2026-03-01T00:00:00Z"),
            (NOTE, b"between", "2026-02-01T00:00:00Z"),
            (other, b"of another kind", "2026-04-01T00:00:00Z"),
        ):
            keep(push, kind, text, beside="1", annotations={CREATED: moment})
        found = find(push.repository, NOTE, "1", 1000)
        assert found is not None
        assert found.content == b"new"
        assert fetch(push.repository, NOTE, found.digest, 1000) == found
        with pytest.raises(DamagedImage, match="more than 2 bytes"):
            fetch(push.repository, NOTE, found.digest, 2)
        with pytest.raises(Unavailable, match=r"is no application/vnd\.example\.note, but an image"):
            fetch(push.repository, NOTE, "1", 1000)


def test_a_list_that_somebody_else_writes_at_the_same_time_keeps_both(
    push_to: Any, faulty: FaultyRegistry
) -> None:
    faulty.uploads.knows_subjects = False
    image = faulty.image("app", "1", layers=[b"layer"])
    tag = image["digest"].replace(":", "-")
    # The first list that is written is lost, as if somebody else had written another one right behind it.
    with push_to(f"{faulty.host}/app:1") as push:
        keep(push, NOTE, b"one", beside="1")
        known = faulty.stored(f"/v2/app/manifests/{tag}")
        faulty.fault(f"manifests/{tag}", Fault(status=201), times=1, method="PUT")
        keep(push, NOTE, b"two", beside="1")
    after = json.loads(faulty.stored(f"/v2/app/manifests/{tag}"))["manifests"]
    assert after[:1] == json.loads(known)["manifests"]
    assert len(after) == 2


@pytest.mark.parametrize("content", [b"[]", b'{"manifests": [3]}', b"\xff", b'{"manifests": [' + b"[" * 5000])
def test_a_list_that_is_none_is_left_alone(push_to: Any, faulty: FaultyRegistry, content: bytes) -> None:
    faulty.uploads.knows_subjects = False
    image = faulty.image("app", "1", layers=[b"layer"])
    faulty.manifest("app", content, image["digest"].replace(":", "-"), media_type=OCI_INDEX)
    with push_to(f"{faulty.host}/app:1") as push:
        with pytest.raises(DamagedImage, match="cannot be read"):
            keep(push, NOTE, b"two", beside="1")
        with pytest.raises(DamagedImage, match="cannot be read"):
            find(push.repository, NOTE, "1", 1000)
