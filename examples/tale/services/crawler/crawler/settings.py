"""What the environment decides. The database is named by libpq's own variables (PGHOST, PGUSER, ...)."""

import os
from dataclasses import dataclass, field


def _flag(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"}


def _number(name: str, default: float) -> float:
    return float(os.environ.get(name) or default)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Read once, at start; a value that makes no sense stops the service there."""

    allow_private: bool = field(default_factory=lambda: _flag("CRAWLER_ALLOW_PRIVATE"))
    user_agent: str = field(default_factory=lambda: os.environ.get("CRAWLER_USER_AGENT") or "tale-crawler")
    page_seconds: float = field(default_factory=lambda: _number("CRAWLER_PAGE_SECONDS", 15))
    crawl_seconds: float = field(default_factory=lambda: _number("CRAWLER_CRAWL_SECONDS", 300))
    max_bytes: int = field(default_factory=lambda: int(_number("CRAWLER_MAX_BYTES", 5_000_000)))
    max_crawls: int = field(default_factory=lambda: int(_number("CRAWLER_MAX_CRAWLS", 4)))
