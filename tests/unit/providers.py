"""Good messages of topic providers, as plain values."""

from typing import Any

from tests.unit.notices import Message

NPI = "1234567893"
SILVER: Message = {
    "payer_id": "1078830634",
    "plan_id": "TGV-SILVER",
    "first_on": "2026-01-01",
    "until": "2026-06-30",
    "tier": "1",
}


def provider(*networks: Message, revision: int = 1, **otherwise: Any) -> Message:
    """The same provider, in one network unless told otherwise."""
    return {
        "schema": 1,
        "provider_id": NPI,
        "directory_revision": revision,
        "name": "Lakeside Clinic",
        "specialty": "207R00000X",
        "networks": list(networks or (SILVER,)),
    } | otherwise
