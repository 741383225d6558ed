"""The one note of a merge request on GitLab: written once, then brought up to date."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hullmark._images.transport import Body, Origin, Patience, Transport, Trust
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

TOKEN = "HULLMARK_GITLAB_TOKEN"  # noqa: S105  # a name
"""The variable with a token of the project, of the scope `api`: that of a job may write no notes."""
_REQUEST = ("CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID")
_LARGEST = 16 << 20
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hub:
    transport: Transport
    base: str
    token: str

    def ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        url = f"{self.base}{path}"
        content = None if body is None else Body.of(json.dumps(body).encode(), "application/json")
        headers = {"PRIVATE-TOKEN": self.token}
        with self.transport.send(method, url, headers, body=content) as answer:
            text = answer.read(_LARGEST)
            if answer.status not in {200, 201}:
                raise Unavailable(f"{Origin.of(url).name} answered {answer.status} to {method} {path}")
        try:
            return json.loads(text or b"")
        except ValueError as error:
            raise Unavailable(f"{Origin.of(url).name} answered {method} {path} with no JSON") from error


def post(text: str, marker: str, environ: Mapping[str, str], cancelled: threading.Event) -> str:
    """Writes `text`, which begins with `marker`, into the note of the merge request that does so too; what was done.

    Where there is no token, or no merge request, that is said and nothing is written.
    """
    if absent := [name for name in (*_REQUEST, TOKEN) if not environ.get(name)]:
        return f"no note is written: {', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not set"
    api, project, request = (environ[name] for name in _REQUEST)
    with Transport(
        environ=environ, trust=Trust.of(environ), patience=Patience(), cancelled=cancelled
    ) as transport:
        transport.secrets.add(environ[TOKEN])
        hub = _Hub(transport=transport, base=api.rstrip("/"), token=environ[TOKEN])
        own = hub.ask("GET", "/user")["id"]
        notes = f"/projects/{project}/merge_requests/{request}/notes"
        page, found = 1, None
        while found is None:
            listed = hub.ask("GET", f"{notes}?per_page={_PAGE}&page={page}")
            # Anybody can begin a note so; only what the same token wrote is replaced.
            found = next(
                (
                    each["id"]
                    for each in listed
                    if each["author"]["id"] == own and each["body"].startswith(marker)
                ),
                None,
            )
            if len(listed) < _PAGE:
                break
            page += 1
        if found is None:
            hub.ask("POST", notes, {"body": text})
            return f"merge request {request} has a note"
        hub.ask("PUT", f"{notes}/{found}", {"body": text})
        return f"the note of merge request {request} is up to date"
