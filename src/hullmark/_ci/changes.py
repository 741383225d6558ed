"""What changed between two revisions, or between one and the work tree, as git tells it.

A base that is not there for a good reason (the first push, a force push) means that everything counts as changed. A
base that is not there because the history was cut off is fetched, and where that cannot be, the error says how to get
it: to take a part of the history for all of it would miss changes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._ci.meanwhile import Meanwhile
from hullmark.errors import Unavailable, UsageError, nearest
from hullmark.model.affected import Change, ChangeKind, Changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._ci.repository import Repository

_ZEROS = re.compile(r"0{40}|0{64}")
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_STEPS = (50, 500, 5000)
"""By how many commits a history that was cut off is lengthened before all of it is fetched."""
_FETCH_HINT = "fetch the whole history: `fetch-depth: 0` for actions/checkout, or `git fetch --unshallow`"
_FETCH_SECONDS = 600.0
_LINK, _SUBMODULE = "120000", "160000"
_LISTED = 6
"""References that are listed where none is like the one that was asked for, the latest first."""
_KINDS = {
    "A": ChangeKind.ADDED,
    "C": ChangeKind.ADDED,
    "D": ChangeKind.DELETED,
    "R": ChangeKind.RENAMED,
    "T": ChangeKind.TYPE,
}
_FIRST = "no commit to compare with was given"


def changes(repository: Repository, base: str, head: str | None = None) -> Changes:
    """What differs between the point where `base` and `head` part and `head`.

    Without `head` the work tree is compared, with all that is not committed and all that is new and not ignored.
    Raises `UsageError` for a revision that there is not, and `Unavailable` when the history is cut off before the
    point where they part and the rest cannot be fetched.
    """
    tip = _commit(repository, head) if head is not None else None
    if head is not None and tip is None:
        raise _unknown(repository, head)
    if not base.strip() or _ZEROS.fullmatch(base):
        return Changes(base=None, head=tip, everything=_FIRST)
    start = tip or repository.head
    if start is None:
        return Changes(base=None, head=tip, everything="the repository has no commit yet")
    found = (start if base == "HEAD" and tip is None else _commit(repository, base)) or _fetched(
        repository, base
    )
    if found is None:
        if _OBJECT_ID.fullmatch(base):
            reason = f"the commit {base[:12]} is gone, as after a force push"
            return Changes(base=None, head=tip, everything=reason)
        raise _unknown(repository, base)
    fork = found if found == start else _fork(repository, found, start)
    if fork is None:
        reason = f"`{base}` and what is compared with it have no history in common"
        return Changes(base=None, head=tip, everything=reason)
    return Changes(base=fork, head=tip, changes=tuple(_between(repository, fork, tip)))


def _commit(repository: Repository, revision: str) -> str | None:
    """The id of the commit that `revision` names; `None` when there is none."""
    done = repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return done.stdout.strip() if done.returncode == 0 else None


def _unknown(repository: Repository, revision: str) -> UsageError:
    listed = repository.ask("for-each-ref", "--sort=-creatordate", "--format=%(refname:short)").split("\n")
    references = [each for each in listed if each]
    # A branch that is only known of a remote is mostly meant by its own name.
    names = {each.partition("/")[2] or each: each for each in reversed(references)}
    names |= {each: each for each in ("HEAD", *references)}
    meant = nearest(revision, names)
    cut = " in this part of the history" if repository.shallow else ""
    hint = f"did you mean `{names[meant]}`?" if meant else None
    if hint is None and repository.shallow:
        hint = _FETCH_HINT
    return UsageError(f"git knows no revision `{revision}`{cut}", hint=hint or _those_it_knows(references))


def _those_it_knows(references: list[str]) -> str:
    if not references:
        return "the repository has no branch and no tag yet"
    more = f", and {len(references) - _LISTED} more" if len(references) > _LISTED else ""
    return f"it knows {', '.join(f'`{each}`' for each in references[:_LISTED])}{more}"


def _fetched(repository: Repository, base: str) -> str | None:
    """The commit `base`, fetched into a history that was cut off."""
    if not repository.shallow:
        return None
    remote, name = _remote(repository, base)
    if remote is None:
        raise Unavailable(
            f"`{base}` is not in this clone, whose history is cut off, and there is no remote to fetch it from",
            hint=_FETCH_HINT,
        )
    done = repository.run(
        *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--end-of-options", remote, name),
        timeout=_FETCH_SECONDS,
    )
    if done.returncode == 0:
        return _commit(repository, "FETCH_HEAD")
    if re.search(r"not our ref|couldn't find remote ref|unadvertised object", done.stderr):
        # Asked and answered: the remote has not got it either.
        return None
    raise _cut_off(base, done.stderr)


def _remote(repository: Repository, revision: str) -> tuple[str | None, str]:
    """The remote to ask for `revision`, and what it is called there."""
    remotes = repository.ask("remote").split()
    for remote in remotes:
        if revision.startswith(f"{remote}/"):
            return remote, revision.removeprefix(f"{remote}/")
    return ("origin" if "origin" in remotes else remotes[0] if remotes else None), revision


def _cut_off(base: str, said: str) -> Unavailable:
    reason = said.strip().splitlines()[-1] if said.strip() else "it does not answer"
    return Unavailable(
        f"the history of this clone is cut off before `{base}`, and the rest cannot be fetched: {reason}",
        hint=_FETCH_HINT,
    )


def _fork(repository: Repository, base: str, head: str) -> str | None:
    """Where the two histories part; `None` when they have nothing in common.

    A history that was cut off is lengthened until that is known.
    """
    done = repository.run("merge-base", base, head)
    if done.returncode == 0:
        return done.stdout.split()[0]
    if not repository.shallow:
        return None
    remote, _ = _remote(repository, base)
    if remote is None:
        raise _cut_off(base, "there is no remote")
    for step in (*(f"--deepen={number}" for number in _STEPS), "--unshallow"):
        fetched = repository.run(
            *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", step, remote, base, head),
            timeout=_FETCH_SECONDS,
        )
        if fetched.returncode != 0:
            # A server may not hand out single commits; what it hands out by itself is tried then.
            fetched = repository.run("fetch", "--quiet", "--no-tags", step, remote, timeout=_FETCH_SECONDS)
        if fetched.returncode != 0:
            raise _cut_off(base, fetched.stderr)
        done = repository.run("merge-base", base, head)
        if done.returncode == 0:
            return done.stdout.split()[0]
        if repository.ask("rev-parse", "--is-shallow-repository").strip() == "false":
            break
    return None


def _between(repository: Repository, base: str, head: str | None) -> list[Change]:
    compare = ("diff", "--raw", "-z", "-M", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
    if head is not None:
        found = list(_read(repository.records(*compare, base, head, "--")))
    else:
        asking = ("ls-files", "-z", "--others", "--exclude-standard")
        with Meanwhile(lambda: repository.records(*asking)) as untracked:
            found = list(_read(repository.records(*compare, base, "--")))
            known = {each.path for each in found}
            # What git keeps no track of any more is still there, and told of as deleted.
            found += [
                Change(path=path.rstrip("/"), kind=ChangeKind.UNTRACKED, tree=path.endswith("/"))
                for path in untracked.result()
                if path.rstrip("/") not in known
            ]
    return sorted(found, key=lambda change: (change.path, change.old or ""))


def _read(records: list[str]) -> Iterator[Change]:
    """The changes in what `git diff --raw -z` prints."""
    pending = iter(records)
    for record in pending:
        before, after, old_id, new_id, status = record.removeprefix(":").split(" ")
        path = next(pending)
        change = Change(path=path, kind=_KINDS.get(status[0], ChangeKind.MODIFIED))
        if status[0] in "RC":
            change = replace(change, path=next(pending), old=path if status[0] == "R" else None)
        elif status[0] == "M" and before != after and old_id == new_id:
            change = replace(change, kind=ChangeKind.MODE)
        yield replace(change, tree=bool({before, after} & {_LINK, _SUBMODULE}))
