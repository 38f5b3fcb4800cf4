"""The daily digest, as Markdown and as a page that needs nothing but itself."""

from include.digest.render import as_html, as_json, as_markdown, index_html

__all__ = ["as_html", "as_json", "as_markdown", "index_html"]
