"""What is set off once a release is published: each at least once.

What has succeeded is noted and not set off again. What was done, and whose answer was lost on the way, is done again:
a webhook tells its receiver that it is the same by the header `DELIVERY`, and a release on GitHub is looked for first.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from hullmark._images.transport import Body, Origin, Patience, Transient, Transport, Trust
from hullmark._release import state as states
from hullmark._release.plan import told
from hullmark.errors import HullmarkError, Interrupted, Unavailable
from hullmark.model.release import CommandTrigger, Problem, WebhookTrigger, WorkflowTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._release.undertaking import Undertaking
    from hullmark.model.release import ReleaseSettings, Trigger
    from hullmark.model.staging import State

SIGNATURE = "X-Hullmark-Signature-256"
"""The header with the HMAC of the body, by SHA-256 and the key that both sides know: `sha256=` and its digits."""
DELIVERY = "X-Hullmark-Delivery"
"""The header by which a receiver tells that it has been told before: the same for every attempt."""
API = "GITHUB_API_URL"
"""The variable that says where the interface of GitHub is."""
_PUBLIC_API = "https://api.github.com"
_TOKEN = "GITHUB_TOKEN"  # noqa: S105  # a name
_LARGEST = 1 << 20
_OK, _REDIRECTS = 200, 300
_JSON = "application/json"


def unready(settings: ReleaseSettings, environ: Mapping[str, str]) -> Iterator[Problem]:
    """What would keep triggers from succeeding, as far as it is known before."""
    for trigger in settings.triggers:
        name = trigger.secret if isinstance(trigger, WebhookTrigger) else None
        name = trigger.token if isinstance(trigger, WorkflowTrigger) else name
        if name and not environ.get(name):
            yield Problem(
                check="triggers", text=f"{trigger.origin}: the environment variable {name} is not set"
            )
    if settings.github_release and not environ.get(_TOKEN):
        yield Problem(
            check="triggers", text=f"`github-release`: the environment variable {_TOKEN} is not set"
        )


def follow_up(
    undertaking: Undertaking, notes: Callable[[], str], tell: Callable[[str], None]
) -> tuple[str, ...]:
    """Sets off what has not been set off yet; what failed, and why. One that fails keeps no other from being tried."""
    settings = undertaking.project.settings.release
    failed: list[str] = []
    jobs: list[tuple[str, Callable[[], None]]] = [
        (name, lambda name=name, trigger=trigger: _set_off(undertaking, name, trigger))  # type: ignore[misc]  # its own
        for name, trigger in _named(settings)
    ]
    if settings.github_release:
        repository = settings.github_release
        jobs.append((_announced(repository), lambda: _release(undertaking, repository, notes())))
    for name, job in jobs:
        if name in undertaking.state.triggered:
            continue
        try:
            job()
        except Interrupted:
            raise
        except HullmarkError as error:
            failed.append(f"{name}: {error.message}")
            continue
        tell(f"{name}: done")
        undertaking.save(replace(undertaking.state, triggered=(*undertaking.state.triggered, name)))
        try:
            states.publish(undertaking.registries, undertaking.state)
        except Interrupted:
            raise
        except HullmarkError as error:
            failed.append(f"{name}: done, which could not be noted in the registry: {error.message}")
    return tuple(failed)


def waiting(settings: ReleaseSettings, state: State) -> tuple[str, ...]:
    """What is to follow the release and has not been set off with success."""
    names = [name for name, _ in _named(settings)]
    if settings.github_release:
        names.append(_announced(settings.github_release))
    return tuple(each for each in names if each not in state.triggered)


def _named(settings: ReleaseSettings) -> Iterator[tuple[str, Trigger]]:
    """Each trigger with a name of its own; those that read the same are numbered."""
    seen: Counter[str] = Counter()
    for trigger in settings.triggers:
        text = told(trigger)
        seen[text] += 1
        yield (text if seen[text] == 1 else f"{text} ({seen[text]})"), trigger


def _announced(repository: str) -> str:
    return f"release on GitHub in {repository}"


def payload(state: State) -> dict[str, Any]:
    """What is told of a release."""
    indexes = {each.service: each.digest for each in state.indexes}
    return {
        "event": "release",
        "project": state.project,
        "version": state.version,
        "revision": state.revision,
        "tags": [state.tag, *state.moving],
        "services": [
            {
                "name": service.name,
                "repository": service.repository,
                "digest": indexes[service.name],
                "images": {each.platform: each.image for each in service.images},
            }
            for service in state.services
        ],
    }


def delivery(state: State, name: str) -> str:
    """The key of one trigger of one release, for receivers that want to be told once."""
    return hashlib.sha256(f"{state.project}\0{state.version}\0{state.revision}\0{name}".encode()).hexdigest()[
        :32
    ]


def signature(key: str, body: bytes) -> str:
    """What the header `SIGNATURE` says of `body`."""
    return f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"


def _set_off(undertaking: Undertaking, name: str, trigger: Trigger) -> None:
    environ, state = undertaking.surroundings.environ, undertaking.state
    match trigger:
        case CommandTrigger(command=command, timeout=timeout):
            undertaking.surroundings.commands.run(
                command,
                cwd=undertaking.project.root,
                stdin=json.dumps(payload(state), indent=2),
                env={
                    "HULLMARK_RELEASE": state.version,
                    "HULLMARK_REVISION": state.revision,
                    "HULLMARK_TAGS": ",".join(payload(state)["tags"]),
                    "HULLMARK_DELIVERY": delivery(state, name),
                },
                timeout=timeout,
            ).check()
        case WebhookTrigger(url=url, secret=secret):
            body = json.dumps(payload(state)).encode()
            headers = {DELIVERY: delivery(state, name)}
            if secret is not None:
                headers[SIGNATURE] = signature(_variable(environ, secret), body)
            with _calling(undertaking, trigger.timeout) as call:
                # Of an address that is a secret, the part behind the host is what must not be told.
                call.hide(url)
                call.expect("POST", url, headers, body)
        case WorkflowTrigger(workflow=workflow, ref=ref, token=token):
            owner, repository, file = workflow.split("/")
            url = f"{_api(environ)}/repos/{owner}/{repository}/actions/workflows/{quote(file)}/dispatches"
            body = json.dumps({"ref": ref, "inputs": {"version": state.version}}).encode()
            with _calling(undertaking, trigger.timeout) as call:
                call.expect("POST", url, _github(_variable(environ, token)), body)


def _release(undertaking: Undertaking, repository: str, notes: str) -> None:
    """Creates the release on GitHub, unless it is there."""
    environ, commit = undertaking.surroundings.environ, undertaking.wanted.commit
    version = undertaking.version
    tag = next((each for each in commit.tags if each in {f"v{version}", str(version)}), f"v{version}")
    base, headers = f"{_api(environ)}/repos/{repository}/releases", _github(_variable(environ, _TOKEN))
    with _calling(undertaking, 60.0) as call:
        if call.status("GET", f"{base}/tags/{quote(tag)}", headers) == _OK:
            return
        body = {
            "tag_name": tag,
            "target_commitish": undertaking.state.revision,
            "name": str(version),
            "body": notes,
            "prerelease": version.pre,
        }
        call.expect("POST", base, headers, json.dumps(body).encode())


def _api(environ: Mapping[str, str]) -> str:
    return (environ.get(API) or _PUBLIC_API).rstrip("/")


def _github(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}


def _variable(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise Unavailable(f"the environment variable {name} is not set")
    return value


@contextlib.contextmanager
def _calling(undertaking: Undertaking, seconds: float) -> Iterator[_Call]:
    around = undertaking.surroundings
    with Transport(
        environ=around.environ,
        trust=Trust(),
        patience=replace(
            undertaking.patience or Patience(), answer=seconds, piece=seconds, connect=min(seconds, 10.0)
        ),
        cancelled=around.cancelled,
        relief="ask less often",
    ) as transport:
        yield _Call(transport)


@dataclass(frozen=True, slots=True)
class _Call:
    """Requests that are repeated until they are answered for good."""

    transport: Transport

    def hide(self, url: str) -> None:
        """Keeps what stands behind the host of `url` out of every message."""
        parts = urlsplit(url)
        hidden = (parts.path.strip("/"), parts.query, parts.password or "")
        self.transport.secrets.update(each for each in hidden if each)

    def expect(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raises `Unavailable` unless the answer is one of success."""
        status = self.status(method, url, headers, body)
        if not _OK <= status < _REDIRECTS:
            raise Unavailable(f"{Origin.of(url).name} answered {status}")

    def status(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> int:
        """The status of the answer; raises `Unavailable` where none comes."""
        with contextlib.suppress(KeyError):
            self.transport.secrets.add(headers["Authorization"].partition(" ")[2])
        failures = 0
        while True:
            try:
                content = None if body is None else Body.of(body, _JSON)
                with self.transport.send(method, url, headers, body=content) as answer:
                    answer.read(_LARGEST)
                    return answer.status
            except Transient as error:
                failures += 1
                if failures >= self.transport.patience.attempts:
                    raise Unavailable(error.message, hint=error.hint) from error
                self.transport.pause(failures, error.after)
