"""Statements: what a member owed on a day, bill by bill, as it was frozen then. Rows are only ever added."""

from collections.abc import Sequence

from domain.statement import StatementIssued
from projections.alerts import MONEY_ALERTS
from projections.projection import Change, Copy, Projected, Read

NAME = "statements"
VERSION = 1
EVENTS = (StatementIssued,)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE statements (
    statement_id uuid PRIMARY KEY,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    account_id uuid NOT NULL,
    day date NOT NULL,
    due_on date NOT NULL,
    total_cents bigint NOT NULL CHECK (total_cents > 0),
    minimum_cents bigint NOT NULL
);
CREATE INDEX statements_account_idx ON statements (account_id);
COMMENT ON TABLE statements IS 'Statements, with amounts frozen on the day of issue. Rows are only ever added.';
COMMENT ON COLUMN statements.statement_id IS 'The statement''s stream in the log.';
COMMENT ON COLUMN statements.position IS 'Position of its event in the log.';
COMMENT ON COLUMN statements.recorded_at IS 'When the ledger recorded it.';
COMMENT ON COLUMN statements.account_id IS 'The account of the member''s number, as an opaque id.';
COMMENT ON COLUMN statements.day IS 'Of which day it is.';
COMMENT ON COLUMN statements.due_on IS 'Until when the minimum is to be paid.';
COMMENT ON COLUMN statements.total_cents IS 'All that was owed, in cents.';
COMMENT ON COLUMN statements.minimum_cents IS 'What is to be paid by the day at least, in cents.';
CREATE TABLE statement_lines (
    statement_id uuid NOT NULL,
    number smallint NOT NULL,
    bill_id uuid NOT NULL,
    cents bigint NOT NULL CHECK (cents > 0),
    PRIMARY KEY (statement_id, number)
);
COMMENT ON TABLE statement_lines IS 'What was owed of each bill of a statement. Rows are only ever added.';
COMMENT ON COLUMN statement_lines.statement_id IS 'The statement.';
COMMENT ON COLUMN statement_lines.number IS 'The line''s place in it, from 1.';
COMMENT ON COLUMN statement_lines.bill_id IS 'The bill.';
COMMENT ON COLUMN statement_lines.cents IS 'What was owed of it, in cents.';
"""

VIEWS = (
    """
CREATE OR REPLACE VIEW public.statements AS
SELECT statement_id, position, recorded_at, account_id, day, due_on, (total_cents / 100.0)::numeric(20, 2) AS total,
       (minimum_cents / 100.0)::numeric(20, 2) AS minimum
FROM statements;
COMMENT ON VIEW public.statements IS 'Statements, with amounts frozen on the day of issue, in dollars.';
COMMENT ON COLUMN public.statements.statement_id IS 'The statement''s stream in the log.';
COMMENT ON COLUMN public.statements.position IS 'Position of its event in the log.';
COMMENT ON COLUMN public.statements.recorded_at IS 'When the ledger recorded it.';
COMMENT ON COLUMN public.statements.account_id IS 'The account of the member''s number, as an opaque id.';
COMMENT ON COLUMN public.statements.day IS 'Of which day it is.';
COMMENT ON COLUMN public.statements.due_on IS 'Until when the minimum is to be paid.';
COMMENT ON COLUMN public.statements.total IS 'All that was owed, in dollars.';
COMMENT ON COLUMN public.statements.minimum IS 'What is to be paid by the day at least, in dollars.';
CREATE OR REPLACE VIEW public.statement_lines AS
SELECT statement_id, number, bill_id, (cents / 100.0)::numeric(20, 2) AS amount FROM statement_lines;
COMMENT ON VIEW public.statement_lines IS 'What was owed of each bill of a statement, in dollars.';
COMMENT ON COLUMN public.statement_lines.statement_id IS 'The statement.';
COMMENT ON COLUMN public.statement_lines.number IS 'The line''s place in it, from 1.';
COMMENT ON COLUMN public.statement_lines.bill_id IS 'The bill.';
COMMENT ON COLUMN public.statement_lines.amount IS 'What was owed of it, in dollars.';
"""
    + MONEY_ALERTS
)


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    statements, lines = "", ""
    for position, recorded_at, stream, _, event, _ in events:
        assert isinstance(event, StatementIssued)
        frozen = f"{event.day}\t{event.due_on}\t{event.total_cents}\t{event.minimum_cents}"
        statements += f"{stream}\t{position}\t{recorded_at}\t{event.account}\t{frozen}\n"
        for number, line in enumerate(event.lines, 1):
            lines += f"{stream}\t{number}\t{line.bill}\t{line.cents}\n"
    copied = (("COPY statements FROM STDIN", statements), ("COPY statement_lines FROM STDIN", lines))
    return [Copy(sql, rows.encode()) for sql, rows in copied if rows]
