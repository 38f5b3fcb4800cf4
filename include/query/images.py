"""The images of documents: previews, seen by whoever sees their document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from include.query.connections import Connection
from include.query.retrieve import Groups, as_caller

MOST_SHOWN = 6
"""Images of one answer."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a document, without its bytes.

    Attributes:
        ordinal: position among the document's images, from 0.
        start_char: code points of the document's text that stand before it.
        alt: what the document says it shows; empty where it says nothing.
        width: in pixels.
    """

    doc_id: UUID
    ordinal: int
    start_char: int
    alt: str
    caption: str
    width: int
    height: int

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form; the URL is relative to the service's base address."""
        return {
            "url": f"v1/documents/{self.doc_id}/images/{self.ordinal}",
            "alt": self.alt,
            "caption": self.caption,
            "start_char": self.start_char,
            "width": self.width,
            "height": self.height,
        }


@dataclass(frozen=True, slots=True)
class CitedImage:
    """An image of a passage that an answer cites.

    Attributes:
        marker: of the citation.
    """

    image: Image
    marker: int
    chunk_id: UUID

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form."""
        return {
            **self.image.as_json(),
            "marker": self.marker,
            "doc_id": str(self.image.doc_id),
            "chunk_id": str(self.chunk_id),
        }


@dataclass(frozen=True, slots=True)
class ImageContent:
    """The bytes of an image; ``digest`` is their SHA-256 (hex)."""

    media_type: str
    digest: str
    content: bytes


async def fetch_document_images(
    connection: Connection, groups: Groups, doc_id: UUID
) -> Sequence[Image]:
    """Return the images of a document in the order of its text; none where it is hidden."""
    async with as_caller(connection, groups):
        cursor = connection.cursor(row_factory=class_row(Image))
        await cursor.execute(
            "select doc_id, ordinal, start_char, alt, caption, width, height "
            "from corpus.image_current where doc_id = %s order by ordinal",
            (doc_id,),
        )
        return await cursor.fetchall()


async def fetch_passage_images(
    connection: Connection, groups: Groups, chunk_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[Image]]:
    """Return the images of those of the passages that are visible, in the order of the text."""
    async with as_caller(connection, groups):
        cursor = await connection.execute(
            "select chunk_id, doc_id, ordinal, start_char, alt, caption, width, height "
            "from corpus.chunk_image where chunk_id = any(%s::uuid[]) order by chunk_id, ordinal",
            (list(chunk_ids),),
        )
        found: dict[UUID, list[Image]] = {}
        for chunk_id, *values in await cursor.fetchall():
            found.setdefault(chunk_id, []).append(Image(*values))
        return found


async def fetch_image(
    connection: Connection, groups: Groups, doc_id: UUID, ordinal: int
) -> ImageContent | None:
    """Return an image; None where there is none that the caller may see."""
    async with as_caller(connection, groups):
        cursor = connection.cursor(row_factory=class_row(ImageContent))
        await cursor.execute(
            "select media_type, digest, content from corpus.image_current "
            "where doc_id = %s and ordinal = %s",
            (doc_id, ordinal),
        )
        return await cursor.fetchone()


def cited_images(
    cited: Iterable[tuple[int, UUID]], found: Mapping[UUID, Sequence[Image]]
) -> tuple[CitedImage, ...]:
    """Return the images of cited passages, each once, in the order of the citations.

    Args:
        cited: marker and passage of each verified citation.
        found: images by passage.
    """
    shown: dict[tuple[UUID, int], CitedImage] = {}
    for marker, chunk_id in cited:
        for image in found.get(chunk_id, ()):
            known = (image.doc_id, image.ordinal)
            shown.setdefault(known, CitedImage(image, marker, chunk_id))
    return tuple(shown.values())[:MOST_SHOWN]
