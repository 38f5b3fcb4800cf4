"""The records of the sample's own documents: notices, vessels, berth fees and incidents."""

from __future__ import annotations

from typing import Any

_BUOY = (
    "The light of buoy 5 on the western side of the channel is out. Vessels keep to the middle of "
    "the channel after dark and pass the buoy at a distance of at least fifty metres. Pilots and "
    "masters with an exemption report to the watch room before they pass it in either direction. "
    "The tender replaces the lamp at the next neap tide, weather permitting, and moors beside the "
    "buoy for about an hour with a ball and two diamonds hoisted. Please pass her slowly and on "
    "the eastern side. Until then the watch room repeats this notice on channel 12."
)

NOTICES: tuple[dict[str, Any], ...] = (
    {
        "id": "N-101", "title": "Buoy 5 unlit", "text": _BUOY,
        "updated_at": "2026-02-03T08:00:00Z", "area": "channel", "severity": "high",
    },
    {   # an older state of the record above: superseded
        "id": "N-101", "title": "Buoy 5 dim", "text": "The light of buoy 5 is dim and is watched.",
        "updated_at": "2026-02-01T08:00:00Z", "area": "channel", "severity": "low",
    },
    {   # the same notice sent out again with a word changed: a near duplicate
        "id": "N-102", "title": "Buoy 5 unlit", "text": _BUOY.replace("repeats", "reads"),
        "updated_at": "2026-02-04T08:00:00Z", "area": "channel", "severity": "high",
    },
    {
        "id": "N-103", "title": "Crane 2 out of service",
        "text": "Crane 2 at berth 4 is being inspected by Brandt Lifting until Friday. Containers "
        "are handled by the mobile crane at berth 2.",
        "updated_at": "2026-02-05T06:30:00Z", "area": "cargo quay", "severity": "medium",
    },
    {
        "id": "N-104", "title": "Seal pups on the east beach",
        "text": "Grey seals have come ashore with their pups. Keep dogs on the lead and stay fifty "
        "metres away; the rangers of the Merrow Wildlife Trust watch over them.",
        "updated_at": "2026-02-06T10:15:00Z", "area": "beach", "severity": "low",
    },
    {
        "id": "N-105", "title": "Lock closed at night",
        "text": "The lock gates stay closed between 23:00 and 05:00 in the second week of March "
        "while Vane Dredging clears the sill.",
        "updated_at": "2026-02-09T12:00:00Z", "area": "lock", "severity": "medium",
    },
    {   # for the crew alone
        "id": "N-106", "title": "Customs exercise",
        "text": "An unannounced search of a ferry is rehearsed on Thursday. Crew members do not "
        "tell passengers about it beforehand.",
        "updated_at": "2026-02-10T09:00:00Z", "area": "ferry terminal", "severity": "low",
        "acl": ["crew"],
    },
    {
        "id": "N-107", "title": "Avis aux pêcheurs",
        "text": "La pêche au filet est interdite dans le chenal pendant les travaux de dragage. "
        "Les casiers doivent être retirés avant la marée haute du neuf mars.",
        "updated_at": "2026-02-11T09:00:00Z", "area": "channel", "severity": "medium",
    },
    {
        "id": "N-108", "title": "Hinweis an Segler",
        "text": "Der Nordhafen ist wegen der Regatta am Samstag bis zum Abend gesperrt. Gastboote "
        "finden freie Plätze am Steg hinter dem Fischmarkt.",
        "updated_at": "2026-02-12T09:00:00Z", "area": "north basin", "severity": "low",
    },
)  # fmt: skip

# Records without a text: found by their fields.
VESSELS: tuple[dict[str, Any], ...] = (
    {"id": "V-1", "name": "Gannet", "kind": "pilot cutter", "length_m": 16.4, "built": 2011},
    {"id": "V-2", "name": "Petrel", "kind": "ferry", "length_m": 48.0, "built": 1998},
    {"id": "V-3", "name": "Mudlark", "kind": "dredger", "length_m": 71.5, "built": 2004},
    {"id": "V-4", "name": "Brannoc Star", "kind": "lifeboat", "length_m": 17.0, "built": 2019},
)

FEES_HEADER = ("id", "title", "text", "updated_at", "berth", "fee_per_metre")
FEES: tuple[tuple[str, ...], ...] = (
    ("F-1", "Fee of berths 1 to 4", "Deep-water berths cost 4.20 per metre and day; the crane is "
     "charged by the hour.", "2026-01-01T00:00:00Z", "1-4", "4.20"),
    ("F-2", "Fee of berths 5 to 8", "Drying berths cost 1.90 per metre and day, and half of it for "
     "fishing boats registered at Merrow.", "2026-01-01T00:00:00Z", "5-8", "1.90"),
    ("F-3", "Fee of the north basin", "Pleasure craft pay 2.60 per metre and night from April to "
     "September and nothing in winter.", "2026-01-01T00:00:00Z", "north basin", "2.60"),
)  # fmt: skip

INCIDENTS: tuple[dict[str, Any], ...] = (
    {
        "id": "I-2025-17", "title": "Parted mooring line at berth 2",
        "text": "During the gale of 4 December a stern line of the coaster Ada Rowan parted. "
        "Nobody was hurt; the line was eleven years old. Lines are now replaced after six years.",
        "updated_at": "2025-12-05T14:00:00Z", "severity": "high", "injured": 0,
    },
    {
        "id": "I-2025-18", "title": "Diesel spill at the fish market",
        "text": "About forty litres of diesel ran into the basin while the trawler Selkie was "
        "being refuelled. The boom was laid within nine minutes and the oil was skimmed off.",
        "updated_at": "2025-12-19T08:30:00Z", "severity": "medium", "injured": 0,
    },
    {
        "id": "I-2026-01", "title": "Fall on the pilot ladder",
        "text": "Pilot Jonas Reyes slipped on an icy ladder and bruised a rib. Ladders are cleared "
        "of ice and sprinkled with sand before every boarding in winter.",
        "updated_at": "2026-01-11T07:45:00Z", "severity": "medium", "injured": 1,
    },
)  # fmt: skip

FEE_TABLE: tuple[tuple[str | float, ...], ...] = (
    ("Berth", "Depth at low tide (m)", "Fee per metre and day", "Remark"),
    ("1 to 4", 9.0, 4.2, "crane charged by the hour"),
    ("5 to 8", 0.0, 1.9, "dries out at spring tides"),
    ("North basin", 2.4, 2.6, "pleasure craft, free in winter"),
)
