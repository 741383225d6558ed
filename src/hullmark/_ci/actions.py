"""The actions that workflows use, each by the one commit that is meant: a tag can be moved, a commit cannot."""

from __future__ import annotations

PINS = {
    "actions/cache": ("0057852bfaa89a56745cba8c7296529d2fc39830", "v4.3.0"),
    "actions/checkout": ("34e114876b0b11c390a56381ad16ebd13914f8d5", "v4.3.1"),
    "actions/download-artifact": ("d3f86a106a0bac45b974a628896c90dbdf5c8093", "v4.3.0"),
    "actions/setup-python": ("a26af69be951a213d495a4c3e4e4022e16d87065", "v5.6.0"),
    "actions/upload-artifact": ("ea165f8d65b6e75b540449e92b4886f43607fa02", "v4.6.2"),
    "github/codeql-action/upload-sarif": ("192325c86100d080feab897ff886c34abd4c83a3", "v3.30.3"),
    "sigstore/cosign-installer": ("d58896d6a1865668819e1d91763c7751a165e159", "v3.9.2"),
}
"""The commit of each, and the version that it was published as."""


def pinned(action: str) -> str:
    """What stands behind `uses:`, with the version as a comment for whoever reads it and for what updates it."""
    commit, version = PINS[action]
    return f"{action}@{commit} # {version}"
