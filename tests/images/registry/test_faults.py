"""Whatever a registry does, the image comes whole or one clear error does, in bounded time."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._images.interface import Limits
from hullmark.errors import DamagedImage, Interrupted, Unavailable, UsageError
from hullmark.testing import Fault, FaultyRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

RANDOM = random.Random(7)  # noqa: S311  # the same bytes in every run
LAYER = RANDOM.randbytes(1_500_000)
SMALL = b"a small layer"


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture
def app(faulty: FaultyRegistry) -> str:
    """The name of an image with a large, a small and an empty layer."""
    faulty.image("team/app", "1", layers=[LAYER, SMALL, b""])
    return f"{faulty.host}/team/app:1"


def requests(faulty: FaultyRegistry, part: str) -> list[Any]:
    return [seen for seen in faulty.seen if part in seen.path]


def test_an_image_comes_whole(pull: Any, app: str) -> None:
    pulled = pull(app)
    assert pulled.layers == (LAYER, SMALL, b"")
    assert pulled.core.reference == app
    assert pulled.core.platform == "linux/amd64"
    assert [layer.digest.text for layer in pulled.core.layers] == [sha256(each) for each in pulled.layers]
    assert [layer.transfer for layer in pulled.core.layers] == [len(each) for each in pulled.layers]
    assert sha256(pulled.core.manifest)[:19] in pulled.core.how


def test_pieces_are_small(pull: Any, app: str) -> None:
    with pull.open(app) as core, core.layers[0].open() as pieces:
        assert max(len(piece) for piece in pieces) <= 256 * 1024


def test_a_layer_that_is_left_halfway_can_be_read_again(pull: Any, app: str) -> None:
    with pull.open(app) as core:
        with core.layers[0].open() as pieces:
            next(pieces)
        assert pull.read(core.layers[0]) == LAYER


def test_layers_are_pulled_in_parallel_over_connections_that_are_kept(
    pull: Any, faulty: FaultyRegistry
) -> None:
    layers = [RANDOM.randbytes(300_000) for _ in range(24)]
    faulty.image("app", "1", layers=layers)
    with pull.open(f"{faulty.host}/app:1") as core, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(pull.read, core.layers)) == layers
        # One of them greeted and fetched the manifest before.
        assert 1 <= len(faulty.connections) <= 4


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("path", ["/v2/$", "/manifests/", "/blobs/"])
def test_a_registry_that_is_out_of_breath_is_asked_again(
    pull: Any, faulty: FaultyRegistry, app: str, path: str, status: int
) -> None:
    faulty.fault(path, Fault(status=status), times=3)
    assert pull(app).layers == (LAYER, SMALL, b"")


@pytest.mark.parametrize(
    ("status", "said"), [(429, "has been asked too often"), (503, "answered 503"), (500, "answered 500")]
)
@pytest.mark.parametrize("path", ["/v2/$", "/manifests/", "/blobs/"])
def test_a_registry_that_stays_out_of_breath_is_left_alone_in_the_end(
    pull: Any, faulty: FaultyRegistry, app: str, path: str, status: int, said: str
) -> None:
    faulty.fault(path, Fault(status=status))
    with pytest.raises(Unavailable, match=said) as caught:
        pull(app)
    assert app in caught.value.message
    asked = [seen for seen in faulty.seen if seen.path == faulty.seen[-1].path]
    # Without TLS, and with.
    assert len(asked) == pull.patience.attempts


def test_a_registry_says_how_long_it_wants_to_be_left_alone(
    pull: Any, faulty: FaultyRegistry, app: str
) -> None:
    faulty.fault("/manifests/", Fault(status=429, headers=(("Retry-After", "1"),)), times=1)
    started = time.monotonic()
    pull(app)
    assert time.monotonic() - started >= 1


def test_nobody_waits_an_hour(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    faulty.fault("/manifests/", Fault(status=429, headers=(("Retry-After", "3600"),)))
    with pytest.raises(Unavailable, match="answered 429 and asks to be left alone for 3600 s") as caught:
        pull(app)
    assert "docker login" in str(caught.value.hint)
    assert len(requests(faulty, "/manifests/")) == 1


@pytest.mark.parametrize("broken", [Fault(stop_after=600_000), Fault(stop_after=600_000, reset=True)])
def test_a_transfer_that_breaks_goes_on_where_it_broke(
    pull: Any, faulty: FaultyRegistry, app: str, broken: Fault
) -> None:
    faulty.fault(sha256(LAYER), broken, times=2)
    assert pull(app).layers[0] == LAYER
    ranges = [seen.headers.get("range") for seen in requests(faulty, sha256(LAYER))]
    assert ranges[0] is None
    starts = [int(str(each or "bytes=0-").removeprefix("bytes=").removesuffix("-")) for each in ranges[1:]]
    assert len(starts) == 2
    if broken.reset:
        # A reset may take with it what was on the way.
        assert 0 <= starts[0] <= starts[1] <= 1_200_000
    else:
        assert starts == [600_000, 1_200_000]


def test_without_ranges_a_transfer_begins_anew_and_no_byte_comes_twice(
    pull: Any, faulty: FaultyRegistry, app: str
) -> None:
    faulty.fault(sha256(LAYER), Fault(stop_after=600_000, ignore_range=True), times=1)
    faulty.fault(sha256(LAYER), Fault(stop_after=900_000, ignore_range=True), times=1)
    faulty.fault(sha256(LAYER), Fault(stop_after=100_000, ignore_range=True), times=1)
    faulty.fault(sha256(LAYER), Fault(ignore_range=True))
    assert pull(app).layers[0] == LAYER


@pytest.mark.parametrize(
    "content_range", ["bytes 0-1499999/1500000", "bytes 600000-1499999/1500001", "600000", ""]
)
def test_another_part_than_was_asked_for_is_not_taken(
    pull: Any, faulty: FaultyRegistry, app: str, content_range: str
) -> None:
    faulty.fault(sha256(LAYER), Fault(stop_after=600_000), times=1)
    faulty.fault(sha256(LAYER), Fault(headers=(("Content-Range", content_range),)))
    with pytest.raises(Unavailable, match="were asked for, and the registry sends"):
        pull(app)


def test_a_transfer_that_gets_nowhere_is_given_up(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    faulty.fault(sha256(LAYER), Fault(stop_after=0))
    with pytest.raises(Unavailable, match=f"{sha256(LAYER)} could not be pulled in 5 attempts"):
        pull(app)
    assert len(requests(faulty, sha256(LAYER))) == 5


def test_a_transfer_that_breaks_for_ever_is_given_up(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    faulty.fault(sha256(LAYER), Fault(stop_after=1000))
    with pytest.raises(Unavailable, match=r"could not be pulled in 12 attempts"):
        pull(app)
    assert len(requests(faulty, sha256(LAYER))) == 12


def test_a_manifest_that_is_cut_off_is_fetched_again(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    faulty.fault("/manifests/", Fault(stop_after=20), times=2)
    assert pull(app).layers[1] == SMALL


def test_a_layer_of_another_size_is_damaged(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    faulty.fault(sha256(LAYER), Fault(body=LAYER[:-1]))
    with pytest.raises(DamagedImage, match="has 1499999 bytes in the registry, and 1500000 by its manifest"):
        pull(app)


def test_a_layer_that_never_ends_is_damaged(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    faulty.fault(sha256(LAYER), Fault(headers=(("Content-Length", ""),), pad=1 << 30))
    with pytest.raises(DamagedImage, match="goes on after the 1500000 bytes"):
        pull(app)


def test_a_manifest_that_is_not_what_the_registry_says_is_damaged(
    pull: Any, faulty: FaultyRegistry, app: str
) -> None:
    faulty.fault("/manifests/1$", Fault(flip=3))
    with pytest.raises(
        DamagedImage, match=r"the registry says sha256:\w{64}, and the \d+ bytes .* sha256:\w{64}"
    ):
        pull(app)


def test_a_manifest_that_is_not_what_was_asked_for_is_damaged(pull: Any, faulty: FaultyRegistry) -> None:
    digest = faulty.image("app", layers=[SMALL])["digest"]
    other = faulty.image("app", "other", layers=[LAYER])["digest"]
    assert pull(f"{faulty.host}/app@{digest}").layers == (SMALL,)
    body = faulty.stored(f"/v2/app/manifests/{other}")
    faulty.fault("/manifests/", Fault(body=body, headers=(("Docker-Content-Digest", other),)))
    with pytest.raises(DamagedImage) as caught:
        pull(f"{faulty.host}/app@{digest}")
    assert digest in caught.value.message
    assert other in caught.value.message


def test_a_manifest_that_is_not_what_its_index_says_is_damaged(pull: Any, faulty: FaultyRegistry) -> None:
    image = faulty.image("app", layers=[SMALL])
    faulty.index("app", "1", manifests=[image])
    faulty.fault(f"/manifests/{image['digest']}", Fault(flip=5, headers=(("Docker-Content-Digest", ""),)))
    with pytest.raises(DamagedImage, match="what leads to it says"):
        pull(f"{faulty.host}/app:1", "linux/amd64")


def test_a_manifest_of_another_size_than_its_index_says_is_damaged(pull: Any, faulty: FaultyRegistry) -> None:
    image = faulty.image("app", layers=[SMALL])
    faulty.index("app", "1", manifests=[{**image, "size": image["size"] - 1}])
    with pytest.raises(DamagedImage, match=f"should have {image['size'] - 1} bytes and has {image['size']}"):
        pull(f"{faulty.host}/app:1", "linux/amd64")


def test_a_registry_that_says_no_digest_is_believed_less_and_read_all_the_same(
    pull: Any, faulty: FaultyRegistry, app: str
) -> None:
    faulty.fault("/manifests/", Fault(headers=(("Docker-Content-Digest", ""),)), times=1)
    faulty.fault("/manifests/", Fault(headers=(("Docker-Content-Digest", f"sha512:{'0' * 128}"),)), times=1)
    assert pull(app).layers[1] == SMALL
    assert pull(app).layers[1] == SMALL


def test_a_configuration_that_is_not_what_the_manifest_says_is_damaged(
    pull: Any, faulty: FaultyRegistry
) -> None:
    faulty.image("app", "1", layers=[])
    faulty.fault("/blobs/", Fault(flip=1))
    with pytest.raises(DamagedImage, match="the configuration sha256"):
        pull(f"{faulty.host}/app:1")


@pytest.mark.parametrize("unsaid", [(), (("Content-Length", ""),)], ids=["said", "unsaid"])
def test_a_manifest_of_a_hundred_megabytes_is_refused_before_it_has_come(
    pull: Any, faulty: FaultyRegistry, app: str, unsaid: Any
) -> None:
    faulty.fault("/manifests/", Fault(pad=100_000_000, headers=unsaid))
    pull.limits = Limits(manifest=1 << 20)
    with pytest.raises(DamagedImage, match="has more than 1048576 bytes; refused"):
        pull(app)
    assert len(requests(faulty, "/manifests/")) == 1


def test_a_configuration_of_a_hundred_megabytes_is_not_even_asked_for(
    pull: Any, faulty: FaultyRegistry
) -> None:
    config = faulty.blob(b'{"rootfs": {}}')
    document = {"config": {"digest": str(config), "size": 100_000_000}, "layers": []}
    faulty.manifest("app", document, "1")
    with pytest.raises(DamagedImage, match="has more than"):
        pull(f"{faulty.host}/app:1")
    assert not requests(faulty, "/blobs/")


@pytest.mark.parametrize("path", ["/v2/$", "/manifests/", "/blobs/"])
def test_a_registry_that_sends_a_byte_now_and_then_is_not_waited_for(
    pull: Any, faulty: FaultyRegistry, app: str, path: str
) -> None:
    faulty.fault(path, Fault(every=0.02))
    pull.patience = replace(pull.patience, attempts=2, answer=0.3, piece=0.3)
    # The whole answer would come in the end.
    with pytest.raises(Unavailable, match=r"did not go on within 0\.3 s"):
        pull(app)


def test_a_layer_that_comes_by_the_byte_is_not_waited_for(
    pull: Any, faulty: FaultyRegistry, app: str
) -> None:
    pull.patience = replace(pull.patience, attempts=2, answer=20, piece=0.3)
    with pull.open(app) as core:
        faulty.fault(sha256(LAYER), Fault(every=0.001))
        with pytest.raises(Unavailable, match=r"did not go on within 0\.3 s"):
            pull.read(core.layers[0])


@pytest.mark.parametrize("path", ["/v2/$", "/manifests/", "/blobs/"])
def test_waiting_ends_when_the_user_asks_to_stop(
    pull: Any, faulty: FaultyRegistry, app: str, path: str, cancelled: threading.Event
) -> None:
    # The answer would take minutes.
    faulty.fault(path, Fault(every=1.0))
    timer = threading.Timer(0.3, cancelled.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        pull(app)
    assert time.monotonic() - started < 60
    timer.join()


def test_waiting_for_another_attempt_ends_when_the_user_asks_to_stop(
    pull: Any, faulty: FaultyRegistry, app: str, cancelled: threading.Event
) -> None:
    faulty.fault("/manifests/", Fault(status=503, headers=(("Retry-After", "30"),)))
    timer = threading.Timer(0.3, cancelled.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        pull(app)
    assert time.monotonic() - started < 25
    timer.join()


def test_a_transfer_ends_between_two_pieces_when_the_user_asks_to_stop(
    pull: Any, app: str, cancelled: threading.Event
) -> None:
    with pull.open(app) as core, core.layers[0].open() as pieces:
        next(pieces)
        cancelled.set()
        with pytest.raises(Interrupted):
            next(pieces)


def test_what_is_still_read_ends_with_the_image(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    failures: list[BaseException] = []

    def read(layer: Any) -> None:
        try:
            pull.read(layer)
        except Unavailable as error:
            failures.append(error)

    with pull.open(app) as core:
        faulty.fault(sha256(LAYER), Fault(every=0.05))
        thread = threading.Thread(target=read, args=(core.layers[0],))
        thread.start()
        while not requests(faulty, sha256(LAYER)):
            time.sleep(0.01)
    thread.join(timeout=5)
    assert "the image has been closed" in str(*failures)
    with pytest.raises(Unavailable, match="the image has been closed"):
        pull.read(core.layers[1])


def test_what_is_not_there_is_named(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    with pytest.raises(Unavailable) as caught:
        pull(app.replace(":1", ":2"))
    assert caught.value.message.endswith(f"{faulty.host} has no tag `2` in `team/app`")
    with pytest.raises(Unavailable) as caught:
        pull(f"{faulty.host}/team/other")
    assert caught.value.message.endswith(f"{faulty.host} has no repository `team/other`")
    with pytest.raises(Unavailable) as caught:
        pull(f"{faulty.host}/team/app@{sha256(b'')}")
    assert caught.value.message.endswith(f"has no {sha256(b'')} in `team/app`")


def test_a_blob_that_is_not_there_is_named(pull: Any, faulty: FaultyRegistry, app: str) -> None:
    faulty.fault(sha256(SMALL), Fault(status=404))
    with pytest.raises(Unavailable, match=f"the layer {sha256(SMALL)} is not in the registry"):
        pull(app)


def test_a_status_that_nobody_expects_is_told_with_what_the_registry_says(
    pull: Any, faulty: FaultyRegistry, app: str
) -> None:
    body = b'{"errors": [{"code": "TEAPOT", "message": "short\\u001b[31m and stout"}]}'
    faulty.fault("/manifests/", Fault(status=418, body=body))
    with pytest.raises(Unavailable) as caught:
        pull(app)
    assert caught.value.message.endswith("answered 418 (short [31m and stout)")


def test_what_answers_and_is_no_registry_is_said_to_be_none(
    pull: Any, faulty: FaultyRegistry, app: str
) -> None:
    faulty.fault("/v2/$", Fault(status=404))
    with pytest.raises(Unavailable, match=f"what answers at {faulty.host} is no registry"):
        pull(app)


def test_where_nobody_listens_is_said(pull: Any) -> None:
    with FaultyRegistry() as registry:
        host = registry.host
    with pytest.raises(Unavailable, match=f"{host} cannot be reached: connection refused"):
        pull(f"{host}/app:1")


@pytest.mark.parametrize("name", ["app:", "127.0.0.1:5000/App"])
def test_what_is_no_name_is_a_mistake_of_the_user(pull: Any, name: str) -> None:
    with pytest.raises(UsageError):
        pull(name)


def test_a_port_that_does_not_exist_is_no_address(pull: Any) -> None:
    with pytest.raises(Unavailable, match="is no address of a registry"):
        pull("127.0.0.1:99999/app")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_blobs_may_be_elsewhere(pull: Any, faulty: FaultyRegistry, app: str, status: int) -> None:
    with FaultyRegistry() as elsewhere:
        faulty.fault(sha256(LAYER), Fault(status=status, headers=(("Location", _blob(elsewhere, LAYER)),)))
        elsewhere.fault(sha256(LAYER), Fault(stop_after=700_000), times=1)
        assert pull(app).layers[0] == LAYER
        # Addresses that are good for a while only are asked for again.
        assert len(requests(faulty, sha256(LAYER))) == 2
        assert [seen.headers.get("range") for seen in elsewhere.seen] == [None, "bytes=700000-"]


def _blob(registry: FaultyRegistry, content: bytes) -> str:
    return f"http://{registry.host}/v2/any/blobs/{registry.blob(content)}?signature=hunter2"


def test_credentials_do_not_follow_to_another_host(
    pull: Any, faulty: FaultyRegistry, app: str, log_in: Callable[..., None]
) -> None:
    log_in(faulty.host)
    faulty.fault("/v2/$", Fault(status=401, headers=(("WWW-Authenticate", "Basic realm=x"),)))
    with FaultyRegistry() as elsewhere:
        here = (("Location", f"/v2/team/app/blobs/{sha256(SMALL)}"),)
        faulty.fault(sha256(LAYER), Fault(status=307, headers=(("Location", _blob(elsewhere, LAYER)),)))
        faulty.fault(sha256(b""), Fault(status=307, headers=here))
        with pull.open(app) as core:
            assert pull.read(core.layers[0]) == LAYER
            with pytest.raises(DamagedImage):
                pull.read(core.layers[2])
        assert all("authorization" in seen.headers for seen in faulty.seen[1:])
        assert elsewhere.seen
        assert not any("authorization" in seen.headers for seen in elsewhere.seen)


def test_a_host_that_keeps_blobs_is_named_when_it_refuses_and_its_signature_is_not(
    pull: Any, faulty: FaultyRegistry, app: str
) -> None:
    with FaultyRegistry() as elsewhere:
        faulty.fault(sha256(LAYER), Fault(status=307, headers=(("Location", _blob(elsewhere, LAYER)),)))
        elsewhere.fault("blobs", Fault(status=403))
        with pytest.raises(Unavailable, match=f"{elsewhere.host}, where .* keeps it, answered 403") as caught:
            pull(app)
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/v2/team/app/manifests/1", "redirects in circles"),
        ("file:///etc/passwd", "something that is no URL"),
        ("http://[", "something that is no URL"),
        ("ftp://r.example/", "something that is no URL"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_not_followed(
    pull: Any, faulty: FaultyRegistry, app: str, location: str, said: str
) -> None:
    faulty.fault("/manifests/", Fault(status=307, headers=(("Location", location),)))
    with pytest.raises(Unavailable, match=said):
        pull(app)
    assert len(requests(faulty, "/manifests/")) <= 6


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    ],
)
def test_a_layer_that_registries_do_not_distribute_is_fetched_elsewhere_only_when_asked(
    pull: Any, faulty: FaultyRegistry, media_type: str
) -> None:
    with FaultyRegistry() as elsewhere:
        urls = [
            "nonsense:",
            "http://r.example/not-trusted",
            f"http://{elsewhere.host}/none",
            _blob(elsewhere, LAYER),
        ]
        layer = {"mediaType": media_type, "digest": sha256(LAYER), "size": len(LAYER), "urls": urls}
        config = b'{"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["x"]}}'
        described = {"digest": str(faulty.blob(config)), "size": len(config)}
        faulty.manifest("app", {"config": described, "layers": [layer]}, "1")
        with pytest.raises(Unavailable, match="of a kind that registries do not distribute"):
            pull(f"{faulty.host}/app:1")
        assert not elsewhere.seen
        pull.options = {"foreign": True}
        elsewhere.fault("blobs", Fault(stop_after=500_000), times=1)
        assert pull(f"{faulty.host}/app:1").layers == (LAYER,)
        # Some registries have it all the same.
        faulty.blob(LAYER)
        pull.options = {}
        assert pull(f"{faulty.host}/app:1").layers == (LAYER,)


def test_what_is_no_image_is_said_to_be_none(pull: Any, faulty: FaultyRegistry) -> None:
    config = {"mediaType": "application/vnd.example.chart+json", "digest": str(faulty.blob(b"{}")), "size": 2}
    faulty.manifest("chart", {"config": config, "layers": []}, "1")
    with pytest.raises(DamagedImage, match=r"is no image: its configuration, of the type .*chart\+json"):
        pull(f"{faulty.host}/chart:1")


def test_one_image_for_another_platform_is_not_what_was_asked_for(pull: Any, faulty: FaultyRegistry) -> None:
    faulty.image("app", "1", layers=[SMALL], platform="linux/arm/v6")
    name = f"{faulty.host}/app:1"
    with pytest.raises(Unavailable, match="is not there for linux/amd64; it is one image, for linux/arm/v6"):
        pull(name, "linux/amd64")
    assert pull(name, "linux/arm/v7").core.platform == "linux/arm/v6"
    assert pull(name).core.platform == "linux/arm/v6"


def test_a_nested_index_leads_to_the_image_for_the_platform(pull: Any, faulty: FaultyRegistry) -> None:
    inner = faulty.index(
        "app",
        manifests=[
            faulty.image("app", layers=[LAYER], platform="linux/arm64"),
            faulty.image("app", layers=[SMALL], platform="linux/s390x"),
        ],
    )
    faulty.index("app", "1", manifests=[inner])
    name = f"{faulty.host}/app:1"
    assert pull(name, "linux/s390x").layers == (SMALL,)
    assert pull(name, "linux/arm64").core.platform == "linux/arm64"
    with pytest.raises(Unavailable, match="for linux/riscv64; there is linux/arm64, linux/s390x"):
        pull(name, "linux/riscv64")
