"""`scripts/schemas`: the published schema of the message, made from its model."""

from pathlib import Path

import msgspec

from adapters.claim_notice.model import VERSION, ClaimNotice

FILE = Path(__file__).parents[2] / "docs" / "schemas" / f"claim-notice-{VERSION}.json"


def schema() -> bytes:
    """JSON Schema, draft 2020-12. docs/messages.md says what it can't."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Notice of a claim"}
    made |= msgspec.json.schema(ClaimNotice)
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(schema())
