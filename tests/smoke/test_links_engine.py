"""Links on a real engine: from images with a client, with none, and with nothing else of the stack that has one."""

from __future__ import annotations

import io
import tarfile
from pathlib import PurePosixPath
from typing import Any

import pytest

from hullmark._smoke.links import attempts, neighbours
from hullmark._smoke.links.neighbours import authorities
from hullmark.model.location import SourceSpan

pytestmark = pytest.mark.docker

WEB = """
    image: BOX
    command: [busybox, httpd, -f, -p, "8080", -h, /www]
    healthcheck: {test: [CMD, wget, -qO-, "http://127.0.0.1:8080/"], interval: 1s, retries: 20}
"""
BARE = """
    image: BARE
    command: [/sleep, "600"]
    depends_on: {web: {condition: service_healthy}}
"""
STACK = f"services:\n  web:{WEB}  bare:{BARE}"


def _links(bench: Any) -> tuple[Any, ...]:
    return (
        bench.link("http://web:8080/", "bare"),
        bench.link("http://web:8080/nothing", "bare", timeout=5.0),
        bench.link("tcp://web:8080", "bare"),
        bench.link("tcp://web:9", "bare", timeout=5.0),
        bench.link("http://web.invalid:8080/", "bare", timeout=5.0),
        bench.link("https://web:8080/", "bare", tls="insecure", timeout=5.0),
    )


def _met(run: Any) -> list[tuple[bool, bool | None, bool | None, bool | None, int | None]]:
    return [(each.passed, each.resolved, each.connected, each.secured, each.status) for each in run.links]


def test_an_image_without_anything_is_tried_from_inside_of_its_network(bench: Any) -> None:
    run = bench.smoke(STACK, links=_links(bench))
    assert run.ready
    assert run.untried == ()
    by = " (by hullmark, in the network of `bare`)"
    assert {each.by for each in run.links} == {"hullmark, in the network of `bare`"}
    address = run.links[0].address
    assert [each.seen.removesuffix(by) for each in run.links][:5] == [
        "status 200",
        "status 404",
        "connected",
        f"resolves to {address}, connection refused",
        "`web.invalid` does not resolve",
    ]
    assert run.links[5].seen.startswith(("TLS: ", "connected, no answer in HTTP"))
    assert _met(run)[:5] == [
        (True, True, True, None, 200),
        (False, True, True, None, 404),
        (True, True, True, None, None),
        (False, True, False, None, None),
        (False, False, None, None, None),
    ]


def _pem(name: str) -> str:
    return f"# {name}\n-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n"


def _put(container: Any, path: str, text: str) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for directory in list(PurePosixPath(path).parents)[-2::-1]:
            entry = tarfile.TarInfo(str(directory).lstrip("/"))
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))
    assert container.put_archive("/", packed.getvalue())


def test_the_authorities_are_those_that_the_container_trusts(bench: Any) -> None:
    containers = bench.engine.client.containers
    usual = containers.create(bench.images.bare, ["/sleep", "1"])
    own = containers.create(bench.images.bare, ["/sleep", "1"], environment=["SSL_CERT_FILE=/own.pem"])
    try:
        assert authorities(usual) is None
        _put(usual, "/etc/ssl/certs/ca-certificates.crt", f"Zertifikate für {_pem('A')}{_pem('B')}")
        found = authorities(usual)
        assert found is not None
        assert found.splitlines()[1::3] == ["A", "B"]
        assert own.attrs["Config"]["Env"]
        _put(own, "/own.pem", _pem("C"))
        _put(own, "/etc/ssl/cert.pem", _pem("A"))
        found = authorities(own)
        assert found is not None
        assert found.splitlines()[1::3] == ["C"]
    finally:
        for container in (usual, own):
            container.remove(force=True)


def test_without_authorities_no_certificate_is_taken_for_a_good_one(bench: Any) -> None:
    run = bench.smoke(STACK, links=(bench.link("https://web:8080/", "bare", timeout=5.0),))
    (link,) = run.links
    assert (link.passed, link.connected, link.secured) == (False, True, False)
    assert link.seen.startswith("TLS: the image holds no certificates of authorities")


def test_where_its_network_cannot_be_entered_a_container_of_another_image_is_put_beside_it(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "from_this_process", lambda *_: None)
    run = bench.smoke(STACK, links=_links(bench))
    assert run.ready
    assert run.untried == ()
    assert {each.by for each in run.links} == {"busybox of `web`, in the network of `bare`"}
    address = run.links[0].address
    by = " (by busybox of `web`, in the network of `bare`)"
    assert [each.seen.removesuffix(by) for each in run.links][:5] == [
        "status 200",
        "status 404",
        "connected",
        f"resolves to {address}, connection refused",
        "`web.invalid` does not resolve",
    ]
    assert _met(run)[:5] == [
        (True, True, True, None, 200),
        (False, True, True, None, 404),
        (True, True, True, None, None),
        (False, True, False, None, None),
        (False, False, None, None, None),
    ]


def test_a_container_that_lends_its_client_is_none_of_the_service_and_may_do_nothing_else(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    removed = neighbours.remove

    def looked_at(companion: Any) -> None:
        companion.reload()
        seen.append(companion.attrs)
        removed(companion)

    monkeypatch.setattr(attempts, "from_this_process", lambda *_: None)
    monkeypatch.setattr(neighbours, "remove", looked_at)
    run = bench.smoke(STACK, links=(bench.link("tcp://web:8080", "bare"),))
    assert [each.passed for each in run.links] == [True]
    host, labels = seen[-1]["HostConfig"], seen[-1]["Config"]["Labels"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert labels["io.hullmark.run"] == run.name
    assert labels["com.docker.compose.service"] == ""
    assert {each.service for each in run.services} == {"bare", "web"}
    assert bench.service(run, "web").restarts == 0


def test_where_nobody_has_a_client_the_link_is_untried_and_not_failed(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "from_this_process", lambda *_: None)
    run = bench.smoke(
        'services:\n  bare:\n    image: BARE\n    command: [/sleep, "600"]\n',
        links=(bench.link("tcp://bare:1", "bare", timeout=5.0),),
    )
    assert run.ready
    assert run.links == ()
    (untried,) = run.untried
    assert untried.reason.startswith(
        "neither the image of `bare` nor one that runs beside it holds a program"
    )


def test_a_service_in_the_network_of_another_calls_from_there(bench: Any) -> None:
    compose = f'services:\n  web:{WEB}  bare:\n    image: BARE\n    command: [/sleep, "600"]\n    network_mode: "service:web"\n'
    run = bench.smoke(compose, links=(bench.link("http://localhost:8080/", "bare"),))
    assert [(each.passed, each.address) for each in run.links] == [(True, "127.0.0.1")]
    assert run.links[0].by.startswith("hullmark")


def test_links_are_derived_from_who_waits_for_whom_and_from_addresses(bench: Any) -> None:
    compose = f"""
services:
  web:{WEB}    expose: ["8080"]
  bare:{BARE}    environment:
      API: http://web:8080/v1
      OTHER: web:9
      ELSEWHERE: https://example.org
"""
    run = bench.smoke(compose)
    assert [(each.link.to, each.link.derived, each.passed) for each in run.links] == [
        ("tcp://web:8080", "`depends_on`", True),
        ("tcp://web:9", "the environment variable `OTHER`", False),
    ]
    assert "1 of 2 derived links held" in run.tally
    assert all(isinstance(each.link.origin, SourceSpan) for each in run.links)
    assert bench.smoke(compose, smoke_derive_links=False).links == ()
