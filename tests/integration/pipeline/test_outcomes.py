"""What becomes of every input, over real stages and a real database."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest

from include.errors import UnavailableError
from include.pipeline.local import run_locally

HARBOUR = "The harbour master keeps the tide tables of the northern quay."
LIGHT = "The lighthouse was rebuilt in 1911 after the great storm of the previous winter."
ROPE = "Ropes are made of hemp, and each of them is tested before it leaves the workshop."


def record(identity: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "text": text, **fields}


def vectors_written(deployment: Any) -> int:
    table = deployment.query("select table_name from corpus.embedding_model")[0]["table_name"]
    return int(deployment.query(f"select count(*) as n from corpus.{table}")[0]["n"])


def test_files_and_records_are_added_and_then_unchanged(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("guide.md", f"# Guide\n\n{HARBOUR}\n")
    deployment.write_records("rows.jsonl", [record("a", LIGHT), record("b", ROPE)])

    assert deployment.ingest() == {"added": 3}
    before = deployment.query(
        "select 'd', doc_id, xmin::text from corpus.document union all "
        "select 'c', chunk_id, xmin::text from corpus.chunk union all "
        "select 'p', doc_id, xmin::text from corpus.place order by 1, 2"
    )
    assert deployment.ingest() == {"unchanged": 3}
    after = deployment.query(
        "select 'd', doc_id, xmin::text from corpus.document union all "
        "select 'c', chunk_id, xmin::text from corpus.chunk union all "
        "select 'p', doc_id, xmin::text from corpus.place order by 1, 2"
    )
    assert before == after
    assert deployment.documents()["guide.md"]["title"] == "Guide"


def test_a_touched_file_is_unchanged(deployment: Any) -> None:
    deployment.add_source("docs")
    path = deployment.write("a.txt", HARBOUR)
    deployment.ingest()
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert deployment.ingest() == {"unchanged": 1}
    modified = deployment.documents()["a.txt"]["modified_at"]
    assert modified == datetime.fromtimestamp(1_700_000_000, UTC)


def test_fractions_of_a_second_read_the_same_every_time(deployment: Any) -> None:
    deployment.add_source("docs")
    for number in range(40):
        path = deployment.write(f"{number}.txt", f"{HARBOUR} Notice {number}.")
        moment = 1_763_949_123_000_000_000 + number * 33_333_357
        os.utime(path, ns=(moment, moment))
    deployment.ingest()
    written = "select doc_id, xmin::text from corpus.document order by 1"
    before = deployment.query(written)
    deployment.ingest(full=True)
    assert deployment.query(written) == before


def test_a_changed_file_is_changed_and_keeps_the_passages_it_still_has(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.md", f"# One\n\n{HARBOUR * 12}\n\n# Two\n\n{LIGHT * 12}\n")
    deployment.ingest()
    before = {
        row["chunk_id"]: row["text"]
        for row in deployment.query("select chunk_id, text from corpus.chunk")
    }
    deployment.write("a.md", f"# One\n\n{ROPE}\n\n{HARBOUR * 12}\n\n# Two\n\n{LIGHT * 12}\n")
    assert deployment.ingest() == {"changed": 1}
    after = {
        row["chunk_id"]: row["text"]
        for row in deployment.query("select chunk_id, text from corpus.chunk")
    }
    assert any("hemp" in text for text in after.values())
    assert before.keys() & after.keys()


def test_a_deleted_file_leaves_nothing_but_ids_and_numbers(deployment: Any) -> None:
    deployment.add_source("docs")
    path = deployment.write("a.txt", f"{HARBOUR} London and Paris were told.")
    deployment.write("b.txt", LIGHT)
    deployment.ingest()
    path.unlink()
    assert deployment.ingest() == {"unchanged": 1, "deleted": 1}
    row = deployment.query("select * from corpus.document where status = 'deleted'")[0]
    assert (row["text"], row["title"], row["metadata"], row["uri"]) == ("", "", {}, "")
    assert deployment.query("select from corpus.chunk where doc_id = %s", row["doc_id"]) == []
    names = [row["name"] for row in deployment.query("select name from corpus.entity")]
    assert "paris" not in [name.casefold() for name in names]

    path.write_text(f"{HARBOUR} London and Paris were told.")
    assert deployment.ingest() == {"unchanged": 1, "added": 1}


def test_a_re_export_under_another_name_embeds_nothing(deployment: Any) -> None:
    deployment.add_source("docs")
    first = deployment.write_records("2026-01.jsonl", [record("a", LIGHT), record("b", ROPE)])
    deployment.ingest()
    first.rename(deployment.root / "2026-02.jsonl")
    assert deployment.ingest() == {"access": 2}
    metrics = deployment.query(
        "select * from ops.stage_metric where run_id = %s and stage = 'embed'",
        deployment.last_run,
    )
    assert metrics == []
    assert deployment.documents().keys() == {"2026-02.jsonl#a", "2026-02.jsonl#b"}


def test_of_one_id_in_two_files_the_later_version_is_current(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records(
        "b.jsonl", [record("a", LIGHT, updated_at="2026-01-01"), record("x", ROPE)]
    )
    later = deployment.write_records("a.jsonl", [record("a", HARBOUR, updated_at="2026-02-01")])
    assert deployment.ingest() == {"added": 2, "superseded": 1}
    assert deployment.documents()["a.jsonl#a"]["text"] == HARBOUR
    assert deployment.ingest() == {"unchanged": 2, "superseded": 1}

    # When the later place disappears, the earlier version becomes current again.
    later.unlink()
    assert deployment.ingest() == {"changed": 1, "unchanged": 1}
    assert deployment.documents()["b.jsonl#a"]["text"] == LIGHT


def test_identical_repeats_of_a_key_are_superseded(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("a.jsonl", [record("a", LIGHT)] * 3)
    assert deployment.ingest() == {"added": 1, "superseded": 2}


def test_new_metadata_is_access_and_a_new_title_is_changed(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("a.jsonl", [record("a", LIGHT, title="Light", colour="red")])
    deployment.ingest()
    deployment.write_records("a.jsonl", [record("a", LIGHT, title="Light", colour="green")])
    assert deployment.ingest() == {"access": 1}
    assert deployment.documents()["a.jsonl#a"]["metadata"] == {"id": "a", "colour": "green"}
    deployment.write_records("a.jsonl", [record("a", LIGHT, title="Lights", colour="green")])
    assert deployment.ingest() == {"changed": 1}


def test_a_bad_line_costs_itself_alone(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write(
        "a.jsonl",
        f'{{"id": "a", "text": "{LIGHT}"}}\n{{"id": "b", "te\n{{"id": 3, "text": "x y"}}\n',
    )
    assert deployment.ingest() == {"added": 2, "quarantined": 1}
    assert deployment.quarantined() == {"b": "invalid_json"}
    assert deployment.ingest() == {"unchanged": 2, "quarantined": 1}


def test_a_record_that_turns_bad_stays_stale(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("a.jsonl", [record("a", LIGHT), record("b", ROPE)])
    deployment.ingest()
    deployment.write("a.jsonl", f'{{"id": "a", "text": \n{{"id": "b", "text": "{ROPE}"}}\n')
    assert deployment.ingest() == {"unchanged": 1, "quarantined": 1}
    documents = deployment.documents()
    assert documents["a.jsonl#a"]["stale"]
    assert documents["a.jsonl#a"]["text"] == LIGHT
    # Repaired as it was before, it is itself again.
    deployment.write_records("a.jsonl", [record("a", LIGHT), record("b", ROPE)])
    deployment.ingest()
    assert not deployment.documents()["a.jsonl#a"]["stale"]
    assert deployment.quarantined() == {}


def test_what_vanishes_beside_an_unreadable_line_is_kept(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("a.jsonl", [record("a", LIGHT), record("b", ROPE)])
    deployment.ingest()
    deployment.write("a.jsonl", f'{{"id": "b", "text": "{ROPE}"}}\n@@@\n')
    assert deployment.ingest() == {"unchanged": 1, "quarantined": 1}
    assert deployment.documents().keys() == {"a.jsonl#a", "a.jsonl#b"}
    deployment.write_records("a.jsonl", [record("b", ROPE)])
    assert deployment.ingest() == {"unchanged": 1, "deleted": 1}


def test_a_broken_new_version_leaves_the_old_one_current(deployment: Any) -> None:
    deployment.add_source("docs")
    path = deployment.write("a.html", f"<h1>Quay</h1><p>{HARBOUR}</p>")
    deployment.ingest()
    path.write_bytes(b"%PDF-1.7\ngarbage")
    assert deployment.ingest() == {"quarantined": 1}
    document = deployment.documents()["a.html"]
    assert document["stale"]
    assert HARBOUR in document["text"]
    assert deployment.ingest() == {"quarantined": 1}
    path.write_text(f"<h1>Quay</h1><p>{HARBOUR} {ROPE}</p>")
    assert deployment.ingest() == {"changed": 1}
    assert not deployment.documents()["a.html"]["stale"]


def test_quarantine_is_retried_on_request(deployment: Any) -> None:
    from include.store import quarantine
    from include.store.database import connect

    deployment.add_source("docs")
    deployment.write("a.pdf", b"%PDF-1.7\ngarbage")
    assert deployment.ingest() == {"quarantined": 1}
    with connect(deployment.dsn) as connection:
        assert quarantine.request_retry(connection, "docs", None) == 1
    deployment.ingest()
    assert deployment.query("select attempts, retry from ops.quarantine") == [
        {"attempts": 2, "retry": False}
    ]


def test_duplicates_collapse_and_come_back_when_their_canonical_leaves(deployment: Any) -> None:
    deployment.add_source("docs")
    text = f"{HARBOUR} {LIGHT} {ROPE} " * 3
    canonical = deployment.write("a.txt", text)
    deployment.write("b.txt", text)
    assert deployment.ingest() == {"added": 1, "duplicate": 1}
    rows = deployment.query("select uri, similarity from corpus.duplicate")
    assert [(row["uri"].rpartition("/")[2], row["similarity"]) for row in rows] == [("b.txt", 1.0)]
    assert deployment.ingest() == {"unchanged": 1, "duplicate": 1}
    canonical.unlink()
    assert deployment.ingest() == {"added": 1, "deleted": 1}
    assert deployment.documents().keys() == {"b.txt"}
    assert deployment.query("select from corpus.duplicate") == []


def test_an_earlier_copy_demotes_the_later_one(deployment: Any) -> None:
    deployment.add_source("docs")
    text = f"{HARBOUR} {LIGHT} {ROPE} " * 3
    deployment.write("b.txt", text)
    deployment.ingest()
    deployment.write("a.txt", text)
    assert deployment.ingest() == {"added": 1, "duplicate": 1}
    assert deployment.documents().keys() == {"a.txt"}
    assert len(deployment.query("select from corpus.chunk")) == 1


def test_a_partial_listing_retires_nothing(deployment: Any) -> None:
    deployment.add_source("docs")
    path = deployment.write("a.txt", HARBOUR)
    deployment.write("sub/b.txt", LIGHT)
    deployment.ingest()
    path.unlink()
    # A link to nowhere is an input that cannot be read; it does not hide others.
    (deployment.root / "c.txt").symlink_to("/etc/passwd")
    assert deployment.ingest() == {"unchanged": 1, "deleted": 1, "quarantined": 1}
    assert deployment.quarantined() == {"c.txt": "outside_root"}


def test_a_missing_root_fails_and_retires_nothing(deployment: Any) -> None:
    deployment.add_source("docs", "here")
    deployment.write("here/a.txt", HARBOUR)
    deployment.ingest()
    (deployment.root / "here").rename(deployment.root / "elsewhere")
    with pytest.raises(UnavailableError):
        deployment.ingest()
    assert len(deployment.documents()) == 1
    state = deployment.query("select state from ops.run where run_id = %s", deployment.last_run)
    assert state == [{"state": "failed"}]


def test_a_missing_root_does_not_keep_other_sources_back(deployment: Any) -> None:
    deployment.add_source("docs", "here")
    deployment.add_source("more", "there")
    deployment.write("here/a.txt", HARBOUR)
    deployment.ingest()
    (deployment.root / "here").rename(deployment.root / "elsewhere")
    deployment.write("there/b.txt", LIGHT)
    with pytest.raises(UnavailableError):
        deployment.ingest()
    assert deployment.documents().keys() == {"a.txt", "b.txt"}


def test_a_backfill_takes_its_interval_alone_and_retires_nothing(deployment: Any) -> None:
    deployment.add_source("docs")
    old = deployment.write("old.txt", HARBOUR)
    deployment.write("gone.txt", ROPE)
    deployment.ingest()
    (deployment.root / "gone.txt").unlink()
    old.write_text(f"{HARBOUR} Changed.")
    os.utime(old, (1_700_000_000, 1_700_000_000))
    deployment.write("new.txt", LIGHT)
    deployment.write_records(
        "rows.jsonl",
        [
            record("a", "One fine day.", updated_at="2023-11-14"),
            record("b", "Another day.", updated_at="2024-01-01"),
        ],
    )
    interval = (datetime(2023, 11, 1, tzinfo=UTC), datetime(2023, 12, 1, tzinfo=UTC))
    context = deployment.context(interval=interval)
    for _ in ("the run", "the same run, cleared"):
        counted = run_locally(context, lambda *_: None)
        assert {name: n for name, n in counted.items() if n} == {"added": 1, "changed": 1}
    assert deployment.documents().keys() == {"old.txt", "gone.txt", "rows.jsonl#a"}
    assert deployment.ingest() == {"added": 2, "unchanged": 2, "deleted": 1}


def test_an_attachment_is_a_document_that_leaves_with_its_mail(deployment: Any) -> None:
    from email.message import EmailMessage

    def mail(*attachments: str) -> bytes:
        message = EmailMessage()
        message["Subject"] = "Ropes"
        message["From"] = "quay@example.org"
        message.set_content(HARBOUR)
        for name in attachments:
            message.add_attachment(f"{ROPE} {name}".encode(), "text", "plain", filename=name)
        return bytes(message)

    deployment.add_source("docs")
    deployment.write("m.eml", mail("a.txt", "b.txt"))
    assert deployment.ingest() == {"added": 3}
    uris = [row["uri"] for row in deployment.query("select uri from corpus.document_current")]
    assert sorted(uri.rpartition("/m.eml")[2] for uri in uris) == ["", "!/a.txt", "!/b.txt"]
    deployment.write("m.eml", mail("a.txt"))
    assert deployment.ingest() == {"access": 2, "deleted": 1}
    uris = [row["uri"] for row in deployment.query("select uri from corpus.document_current")]
    assert sorted(uri.rpartition("/m.eml")[2] for uri in uris) == ["", "!/a.txt"]


def test_full_reads_everything_again_and_changes_nothing(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.txt", HARBOUR)
    deployment.write_records("a.jsonl", [record("a", LIGHT)])
    deployment.ingest()
    written = vectors_written(deployment)
    assert deployment.ingest(full=True) == {"unchanged": 2}
    assert vectors_written(deployment) == written


def test_an_older_bad_copy_does_not_block_a_newer_good_one(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("b.jsonl", [record("r", LIGHT, updated_at="2025-02-01")])
    deployment.ingest()
    deployment.write_records("a.jsonl", [record("r", "", updated_at="2024-01-01", acl=["hr"])])
    assert deployment.ingest() == {"unchanged": 1, "quarantined": 1}
    document = deployment.documents()["b.jsonl#r"]
    assert not document["stale"]
    assert document["acl"] == []
    deployment.write_records("b.jsonl", [record("r", ROPE, updated_at="2025-03-01")])
    assert deployment.ingest() == {"changed": 1, "quarantined": 1}
    assert deployment.documents()["b.jsonl#r"]["text"] == ROPE


def test_a_newer_bad_version_keeps_the_stored_one(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("a.jsonl", [record("r", LIGHT, updated_at="2025-02-01")])
    deployment.ingest()
    deployment.write_records("b.jsonl", [record("r", "", updated_at="2025-03-01")])
    deployment.ingest()
    deployment.write_records("a.jsonl", [record("r", ROPE, updated_at="2025-02-02")])
    deployment.ingest()
    document = deployment.documents()["a.jsonl#r"]
    assert document["text"] == LIGHT
    assert document["stale"]


def test_a_records_file_that_becomes_a_document_takes_its_records_along(deployment: Any) -> None:
    from dataclasses import replace

    from include.store import sources
    from include.store.database import connect

    deployment.add_source("docs")
    deployment.write_records("x.jsonl", [record("a", LIGHT), record("b", ROPE)])
    deployment.ingest()
    with connect(deployment.dsn) as connection:
        source = sources.load(connection, "docs")
        sources.change(connection, replace(source, format="documents"))
    assert deployment.ingest() == {"added": 1, "deleted": 2}
    assert deployment.documents().keys() == {"x.jsonl"}


def test_members_of_a_nested_archive_that_breaks_stay(deployment: Any) -> None:
    import io
    import zipfile

    def archive(**members: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            for name, data in members.items():
                file.writestr(name.replace("_", "."), data)
        return buffer.getvalue()

    deployment.add_source("docs")
    inner = archive(a_txt=HARBOUR.encode())
    deployment.write("o.zip", archive(i_zip=inner, b_txt=LIGHT.encode()))
    assert deployment.ingest() == {"added": 2}
    deployment.write("o.zip", archive(i_zip=inner[:40], b_txt=LIGHT.encode()))
    assert deployment.ingest() == {"access": 1, "quarantined": 1}
    stale = {
        row["uri"].rpartition("/")[2]: row["stale"]
        for row in deployment.query("select uri, stale from corpus.document_current")
    }
    assert stale == {"a.txt": True, "b.txt": False}


def test_names_and_times_beyond_every_limit_cost_themselves_alone(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("r.jsonl", [record("\u6f6e" * 1000, LIGHT), record("b", ROPE)])
    deployment.write("/".join(["d" * 200] * 5) + "/deep.txt", HARBOUR)
    far = deployment.write("far.txt", HARBOUR)
    os.utime(far, (9_500_000_000, 9_500_000_000))
    assert deployment.ingest() == {"added": 2, "quarantined": 2}
    assert set(deployment.quarantined().values()) == {"bad_id", "path_too_long"}


def test_a_moved_source_is_access(deployment: Any) -> None:
    from dataclasses import replace

    from include.sources import normalise_uri
    from include.store import sources
    from include.store.database import connect

    deployment.add_source("docs", "here")
    deployment.write("here/a.txt", HARBOUR)
    deployment.write_records("here/r.jsonl", [record("a", LIGHT)])
    deployment.ingest()
    (deployment.root / "here").rename(deployment.root / "there")
    with connect(deployment.dsn) as connection:
        uri = normalise_uri(str(deployment.root / "there"))
        sources.change(connection, replace(sources.load(connection, "docs"), uri=uri))
    assert deployment.ingest() == {"access": 2}
    uris = [row["uri"] for row in deployment.query("select uri from corpus.document_current")]
    assert all("/there/" in uri for uri in uris)
