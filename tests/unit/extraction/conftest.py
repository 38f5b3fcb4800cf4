"""One worker for all tests of the parsers, as in production."""

from collections.abc import Callable, Generator

import pytest

from include.errors import BadInput
from include.extraction import Extractor, Limits
from include.models import Extracted

Read = Callable[[bytes, str], Extracted]


@pytest.fixture(scope="session")
def read() -> Generator[Read]:
    """Reads bytes under a file name."""
    with Extractor(Limits(memory_mb=512, seconds=60)) as extractor:
        yield extractor.extract_bytes


@pytest.fixture
def refusal(read: Read) -> Callable[[bytes, str], BadInput]:
    """Reads what must be refused and returns why."""

    def refused(data: bytes, name: str) -> BadInput:
        with pytest.raises(BadInput) as caught:
            read(data, name)
        return caught.value

    return refused
