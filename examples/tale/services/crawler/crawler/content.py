"""Turns the bytes of a page into its text and its links."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import httpx
import trafilatura
from lxml.html import HtmlElement


@dataclass(frozen=True)
class Page:
    """What is kept of a page, and where it leads."""

    url: str
    title: str
    text: str
    links: tuple[httpx.URL, ...] = ()

    @property
    def content_hash(self) -> str:
        """Changes when title or text change."""
        return hashlib.sha256(f"{self.title}\0{self.text}".encode()).hexdigest()


def read_page(url: httpx.URL, body: bytes) -> Page | None:
    """Read main text, title and links of an HTML page; nothing if the bytes are no HTML."""
    tree = trafilatura.load_html(body)
    if tree is None:
        return None
    title = " ".join((tree.findtext(".//title") or "").split())
    links = tuple(_links(tree, url))
    text = trafilatura.extract(tree, include_comments=False, favor_recall=True) or trafilatura.html2txt(body)
    return Page(str(url), title or str(url), text, links)


def _links(tree: HtmlElement, url: httpx.URL) -> Iterable[httpx.URL]:
    base = url
    for href in tree.xpath("//base/@href")[:1]:
        base = _joined(url, href) or url
    for anchor in tree.xpath("//a[@href]"):
        if "nofollow" in anchor.get("rel", "").lower().split():
            continue
        target = _joined(base, anchor.get("href"))
        if target is not None:
            yield target


def _joined(base: httpx.URL, href: str) -> httpx.URL | None:
    try:
        target = base.join(href.strip()).copy_with(fragment=None)
    except httpx.InvalidURL:
        return None
    return target if target.scheme in {"http", "https"} and target.host else None
