import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Generator
from pathlib import Path

import pytest

from include.errors import BadInput, ConfigurationError
from include.sandbox import Limits, Sandbox

ROOT = Path(__file__).resolve().parents[3]
TARGETS = Path(__file__).parent / "targets"
LIMITS = Limits(memory_mb=200, seconds=20, output_mb=4, files_mb=4)


@pytest.fixture(scope="module")
def shared() -> Generator[Sandbox]:
    with Sandbox(LIMITS, [TARGETS]) as box:
        yield box


@pytest.fixture
def quick() -> Generator[Sandbox]:
    with Sandbox(Limits(memory_mb=200, seconds=1, output_mb=4), [TARGETS]) as box:
        box.call("hostile:echo")  # what follows is not slowed by a start
        yield box


def test_a_call_returns_what_the_function_returns(shared: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("grün\n")
    with path.open("rb") as file:
        file.read()  # the worker reads from the start all the same
        reply = shared.call("hostile:echo", {"ä": [1, 2.5, None, "\ud800"]}, file)
    assert reply.value == {"payload": {"ä": [1, 2.5, None, "?"]}, "content": "grün\n"}


def test_text_and_files_travel_beside_the_value(shared: Sandbox) -> None:
    reply = shared.call("hostile:parts", 3)
    assert (reply.value, reply.text, reply.blobs) == ({"n": 3}, "text", (b"\0\xff", b""))


def test_the_worker_is_refused_everything_but_reading_what_it_was_given(
    shared: Sandbox, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("password")
    with secret.open("rb") as file:
        allowed = shared.call("hostile:attempts", {"secret": str(secret)}, file).value
    assert allowed == []
    assert secret.read_text() == "password"


def test_the_worker_knows_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIDEMARK_LLM_API_KEY", "secret")
    with Sandbox(LIMITS, [TARGETS]) as box:
        assert "secret" not in box.call("hostile:environment").value.values()


def test_the_worker_starts_light_and_may_use_threads(shared: Sandbox) -> None:
    heavy = {"pydantic", "torch", "numpy", "pyarrow", "airflow", "trafilatura", "lxml"}
    with Sandbox(LIMITS, [TARGETS]) as box:
        assert not heavy & set(box.call("hostile:modules").value)
    assert shared.call("hostile:threads").value == [1]


@pytest.mark.parametrize(
    ("target", "payload", "reason"),
    [
        ("hoard", None, "parser_memory"),
        ("abort", None, "parser_crashed"),
        ("fault", None, "parser_crashed"),
        ("leave", None, "parser_crashed"),
        ("flood", 5, "output_too_large"),
        ("flood_files", 5, "output_too_large"),
        ("nonsense", None, "parser_crashed"),
        ("refuse", None, "no_text"),
        ("fail", None, "corrupt"),
    ],
)
def test_what_a_document_does_costs_that_document_alone(
    shared: Sandbox, target: str, payload: object, reason: str
) -> None:
    with pytest.raises(BadInput) as caught:
        shared.call(f"hostile:{target}", payload)
    assert caught.value.reason == reason
    assert "secret" not in caught.value.detail
    assert shared.call("hostile:echo", 1).value["payload"] == 1


def test_output_within_the_limit_passes(shared: Sandbox) -> None:
    assert len(shared.call("hostile:flood", 4).text) == 4 << 20


def test_a_hang_costs_one_document(quick: Sandbox) -> None:
    worker = quick.call("hostile:pid").value
    with pytest.raises(BadInput) as caught:
        quick.call("hostile:hang")
    assert caught.value.reason == "parser_timeout"
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert quick.call("hostile:echo", 2).value["payload"] == 2


def test_no_document_pays_for_what_an_earlier_one_left_behind(shared: Sandbox) -> None:
    assert [shared.call("hostile:crash_unless_fresh", n).value for n in range(3)] == [0, 1, 2]


def test_a_worker_killed_while_idle_is_replaced(shared: Sandbox) -> None:
    worker = shared.call("hostile:pid").value
    os.kill(worker, 9)
    assert shared.call("hostile:pid").value != worker


def test_a_missing_package_is_no_fault_of_the_document(shared: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="a_package_that_nobody_has"):
        shared.call("hostile:need_package")
    with pytest.raises(ConfigurationError):
        shared.call("hostile:no_such_function")


def test_closing_ends_the_worker() -> None:
    with Sandbox(LIMITS, [TARGETS]) as box:
        worker = box.call("hostile:pid").value
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_killed_parent_leaves_no_worker() -> None:
    script = (
        "import sys; from pathlib import Path; from include.sandbox import Limits, Sandbox\n"
        "box = Sandbox(Limits(), [Path(sys.argv[1])])\n"
        "print(box.call('hostile:pid').value, flush=True)\n"
        "box.call('hostile:hang')\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(TARGETS)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_running(worker)
        parent.kill()
    deadline = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(worker)


def is_running(pid: int) -> bool:
    """Tell whether a process exists and is no zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_stream_yields_its_items_in_order(shared: Sandbox) -> None:
    assert [item["number"] for item in shared.iterate("hostile:count", 1000)] == list(range(1000))
    assert list(shared.iterate("hostile:count", 0)) == []


def test_a_stream_that_is_given_up_does_not_disturb_the_next(shared: Sandbox) -> None:
    first = shared.iterate("hostile:count", 100_000)
    assert next(first) == {"number": 0}
    assert [item["number"] for item in shared.iterate("hostile:count", 3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="used again"):
        next(first)
    assert shared.call("hostile:echo", 5).value["payload"] == 5


@pytest.mark.parametrize(
    ("ending", "reason"),
    [("refuse", "broken_line"), ("abort", "parser_crashed"), ("hang", "parser_timeout")],
)
def test_a_stream_that_fails_keeps_what_it_gave(quick: Sandbox, ending: str, reason: str) -> None:
    items = []
    with pytest.raises(BadInput) as caught:
        items.extend(quick.iterate("hostile:count_then", ending))
    assert caught.value.reason == reason
    assert quick.call("hostile:echo", 3).value["payload"] == 3


def test_a_stream_is_read_in_bounded_memory(shared: Sandbox) -> None:
    tracemalloc.start()
    try:
        total = sum(len(item) for item in shared.iterate("hostile:memory_of_stream", 100))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == 100 << 20
    assert peak < 16 << 20
