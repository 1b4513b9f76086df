"""The page, and what its browser may do with it."""

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from affect.core.labels import EXPRESSION_COLOURS
from affect.inference.overlays.page import FACE_COLOURS

_LOCAL = "No picture is stored or leaves this machine."
_SHARED = "No picture is stored. Whoever has the address of this page, with its token, sees the camera's picture."


@dataclass(frozen=True)
class Page:
    """The page's bytes, and its Content-Security-Policy."""

    content: bytes
    policy: str


def render_page(is_local: bool) -> Page:
    """Return the page. is_local: whether only this machine can open it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    text = environment.get_template("page.html").render(
        promise=_LOCAL if is_local else _SHARED, colours=list(EXPRESSION_COLOURS.items()), face_colours=FACE_COLOURS
    )
    # Nothing but the page's own script and style, and pictures and values from where it came.
    allowed = {kind: _digest(text, kind) for kind in ("script", "style")}
    policy = "; ".join(
        (
            "default-src 'none'",
            *(f"{kind}-src '{digest}'" for kind, digest in allowed.items()),
            *(
                "img-src 'self' data:",
                "connect-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            ),
        )
    )
    return Page(text.encode(), policy)


def _digest(text: str, kind: str) -> str:
    """Return the digest of the page's only element of a kind, as a Content-Security-Policy names it."""
    (content,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
