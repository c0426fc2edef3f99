"""`payer.remittances`: X12 835 remittance advice. A remittance is taken as understood only if its sums hold."""

from collections.abc import Iterator

from application.ports import Buffer, NotUnderstood, Translate, Understood
from domain.money import dollars
from domain.remittance import Imbalance, imbalances

TOPIC = "payer.remittances"

NAMED_MAX = 20
"""Failed sums that are named one by one"""


def balanced(translate: Translate) -> Translate:
    """A translation whose remittances all balance; the others become something to park, each failed sum named."""

    def checked(data: Buffer) -> Iterator[Understood | NotUnderstood]:
        for part in translate(data):
            failed = list(imbalances(part.remittance)) if isinstance(part, Understood) else None
            yield _unbalanced(part, failed) if failed and isinstance(part, Understood) else part

    return checked


def _unbalanced(part: Understood, failed: list[Imbalance]) -> NotUnderstood:
    named = "; ".join(
        f"{f.where}: {f.reason}, {dollars(f.expected_cents)} expected, {dollars(f.stated_cents)} stated"
        for f in failed[:NAMED_MAX]
    )
    return NotUnderstood(
        reason=failed[0].reason,
        where=f"{part.where} {failed[0].where}",
        detail=named if len(failed) <= NAMED_MAX else f"{named}; and {len(failed) - NAMED_MAX} more",
        claims=len(part.remittance.claims),
        raw=part.raw(),
        identity=part.identity,
    )
