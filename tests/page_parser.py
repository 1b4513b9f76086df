"""What stands on a page of the report."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Collects the figures by their path, the images, what the page refers to and the text outside of figures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.figures: list[tuple[str, str]] = []
        self.images: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.path: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.path = attributes.get("data-number") if tag == "span" else None
        self.ids += [attributes["id"] or ""] if "id" in attributes else []
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "img":
            self.images.append(attributes["src"] or "")

    def handle_data(self, data: str) -> None:
        if self.path:
            self.figures.append((self.path, data))
            self.path = None
