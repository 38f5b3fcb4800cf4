"""What one document may cost."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a worker process and of each document in it.

    Attributes:
        memory_mb: private memory of the process, MiB.
        seconds: wall-clock time of one call, or of one item of a stream.
        output_mb: text (or JSON) that one call or one item may yield, MiB.
        files_mb: bytes of files inside the document (attachments, archive members), MiB.
    """

    memory_mb: int = 1024
    seconds: float = 60.0
    output_mb: int = 64
    files_mb: int = 256

    @classmethod
    def from_settings(cls) -> Limits:
        """Return the limits that this deployment is configured with."""
        from include.settings import settings  # the worker must start without pydantic

        configured = settings()
        return cls(
            memory_mb=configured.parser_memory_mb,
            seconds=configured.parser_seconds,
            output_mb=configured.parser_output_mb,
            files_mb=configured.max_file_mb,
        )
