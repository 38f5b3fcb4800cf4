"""The sample's own files: one of every format, records, duplicates, and one that is broken."""

from __future__ import annotations

import csv
import io

from include.platform.sample import drawings, formats, pages, records


def own_files() -> dict[str, bytes]:
    """Return the files of the fictional Merrow Harbour Company as path to content.

    Among them are an exact and two near duplicates, an older state of a record, documents for the
    groups ``board`` and ``crew`` alone, an offer with an injected instruction, and a truncated PDF
    that ends in quarantine.
    """
    return {**_documents(), **_restricted(), **_duplicates(), **_records()}


def record_count() -> int:
    """Return how many records the record files hold."""
    return sum(map(len, (records.NOTICES, records.VESSELS, records.FEES, records.INCIDENTS)))


def _documents() -> dict[str, bytes]:
    storm = formats.pdf(pages.STORM)
    return {
        "handbook/berth-allocation.html": formats.html_page(pages.BERTHS),
        "handbook/tide-tables.md": formats.markdown(pages.TIDES, drawings.tide_curve()),
        "handbook/storm-procedure.pdf": storm,
        "handbook/pilotage.docx": formats.docx(pages.PILOTAGE, drawings.approach()),
        "handbook/safety-briefing.pptx": formats.pptx(pages.SAFETY),
        "handbook/lighthouse.rst": formats.rst(pages.LIGHTHOUSE),
        "handbook/radio-watch.txt": formats.plain(pages.RADIO),
        "finance/berth-fees.xlsx": formats.xlsx("Berth fees 2026", records.FEE_TABLE),
        "library/skerry-island.epub": formats.epub(pages.ISLAND),
        "mail/dredging.eml": formats.eml(
            "Dredging begins on 9 March", pages.DREDGING, ("work-plan.txt", pages.DREDGING_PLAN)
        ),
        "visitors/guide.zip": formats.archive(
            {
                "parking.md": b"# Parking\n\nVisitors park behind the net loft. The first hour is "
                b"free; motor homes pay at the harbour office.\n",
                "cafe.txt": b"The cafe in the old rope walk serves soup from noon until the last "
                b"ferry has left for Skerry Island.\n",
            }
        ),
        "suppliers/rope-offer.html": formats.html_page(pages.OFFER),
        "broken/storm-procedure-upload.pdf": storm[: len(storm) // 2],
    }


def _restricted() -> dict[str, bytes]:
    return {
        "board/minutes-2026-02.md": formats.markdown(pages.MINUTES),
        "board/minutes-2026-02.md.meta.json": formats.as_json(
            {
                "acl": ["board"],
                "updated_at": "2026-02-20T16:00:00Z",
                "meeting": 214,
                "classification": "confidential",
            }
        ),
        "crew/_meta.json": formats.as_json({"acl": ["crew"], "department": "operations"}),
        "crew/watch-handover.md": formats.markdown(pages.HANDOVER),
    }


def _duplicates() -> dict[str, bytes]:
    rules = formats.markdown(pages.RULES)
    hours = formats.markdown(pages.HOURS)
    return {
        "visitors/opening-hours.md": hours,
        "visitors/opening-hours-copy.md": hours,
        "visitors/harbour-rules.md": rules,
        "visitors/harbour-rules-draft.md": rules.replace(b"the chandlery", b"our chandlery"),
    }


def _records() -> dict[str, bytes]:
    fees = io.StringIO()
    writer = csv.writer(fees, lineterminator="\n")
    writer.writerows([records.FEES_HEADER, *records.FEES])
    return {
        "records/notices.jsonl": formats.json_lines(records.NOTICES),
        "records/vessels.json": formats.as_json(list(records.VESSELS)),
        "records/fees.csv": fees.getvalue().encode(),
        "records/incidents.parquet": formats.parquet(records.INCIDENTS),
    }
