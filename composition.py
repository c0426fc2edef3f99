"""The composition root: the one place where the rooms meet their edges."""

import gc
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import structlog

import projections.accumulators
import projections.care_due
import projections.claim_history
import projections.coverage
import projections.denials
import projections.directory
import projections.family
import projections.journal
import projections.login_activity
import projections.payers
import projections.payments
import projections.people
import projections.plans
import projections.plans_compared
import projections.premiums
import projections.remittances
import projections.security_alerts
import projections.settlement
import projections.statements
from adapters.claim_notice.translate import translate as translate_notice
from adapters.claim_notice.translate import translate_lines
from adapters.codes import Codes
from adapters.crypto.key_files import KeyFiles
from adapters.filters import Filters
from adapters.json_message import coverage, payment, plan, premium, provider, settlement, sign_in
from adapters.kafka.source import KafkaSource, create_topics
from adapters.postgres.bills import PostgresBills
from adapters.postgres.calendar import create_calendar
from adapters.postgres.database import Database
from adapters.postgres.embedded import embedded_dsn
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.freshness import create_freshness
from adapters.postgres.positions import PostgresPositions
from adapters.postgres.projection_store import PostgresProjectionStore
from adapters.settings import Settings
from adapters.x12.translate import translate as translate_x12
from application.commands import Request, execute
from application.ids import Ids
from application.intake import Intake
from application.mapper import Mapper
from application.ports import Format
from application.sign_ins import end_lockouts, lock_of
from application.unit_of_work import Heads, UnitOfWork
from consumers.loop import Consumer, Source
from consumers.messages import TOPICS, balanced
from domain.facts import StreamId
from domain.lockout import Lock, Policy
from domain.request import Answer
from projections.login_queries import RUN_OUT
from projections.projection import Projection
from projections.rebuild import Rebuild, Rebuilt
from projections.runner import BATCH_EVENTS, Runner

PROJECTIONS: tuple[Projection, ...] = (
    projections.claim_history,
    projections.care_due,
    projections.people,
    projections.payers,
    projections.remittances,
    projections.denials,
    projections.journal,
    projections.accumulators,
    projections.payments,
    projections.premiums,
    projections.login_activity,
    projections.security_alerts,
    projections.family,
    projections.plans,
    projections.plans_compared,
    projections.directory,
    projections.coverage,  # behind claim_history, at whose views its own look, like those that follow
    projections.settlement,
    projections.statements,  # behind those at whose views its own look, like settlement
)

TRANSLATIONS = {
    Format.X12_835: balanced(translate_x12),
    Format.JSON_CLAIM: balanced(translate_notice),
    Format.JSON_CLAIM_LINES: balanced(translate_lines),
    Format.JSON_PAYMENT: balanced(payment.translate),
    Format.JSON_PAYMENT_LINES: balanced(payment.translate_lines),
    Format.JSON_SETTLEMENT: balanced(settlement.translate),
    Format.JSON_SETTLEMENT_LINES: balanced(settlement.translate_lines),
    Format.JSON_PREMIUM: balanced(premium.translate),
    Format.JSON_PREMIUM_LINES: balanced(premium.translate_lines),
    Format.JSON_PROVIDER: balanced(provider.translate),
    Format.JSON_PROVIDER_LINES: balanced(provider.translate_lines),
    Format.JSON_COVERAGE: balanced(coverage.translate),
    Format.JSON_COVERAGE_LINES: balanced(coverage.translate_lines),
    Format.JSON_PLAN: balanced(plan.translate),
    Format.JSON_PLAN_LINES: balanced(plan.translate_lines),
    Format.JSON_SIGN_IN: balanced(sign_in.translate),
    Format.JSON_SIGN_IN_LINES: balanced(sign_in.translate_lines),
}


class NotInitialised(Exception):
    """The database holds no ledger yet."""


class OtherInstallation(Exception):
    """The key files belong to another ledger than the database."""


class UnknownProjection(Exception):
    """No projection has this name."""


class KafkaNotSet(Exception):
    """No broker is set."""


@dataclass
class Ledger:
    """An opened ledger; everything is made when it is first asked for."""

    settings: Settings
    database: Database
    keys: KeyFiles
    accounts: bool = True
    """False only where claims are measured by themselves"""

    @cached_property
    def log(self) -> PostgresEventLog:
        return PostgresEventLog(self.database)

    @cached_property
    def ids(self) -> Ids:
        return Ids(self.keys.secret)

    @cached_property
    def mapper(self) -> Mapper:
        return Mapper(self.keys)

    @cached_property
    def lockout(self) -> Policy:
        return Policy(self.settings.lockout_failures, self.settings.lockout_minutes)

    @cached_property
    def bills(self) -> PostgresBills:
        return PostgresBills(self.database, self.ids)

    @cached_property
    def intake(self) -> Intake:
        limit = self.settings.max_message_mb * 1024 * 1024
        known = (self.log, self.mapper, self.keys, self.ids, TRANSLATIONS, self.bills)
        return Intake(*known, limit, accounts=self.accounts, lockout=self.lockout)

    @cached_property
    def heads(self) -> Heads:
        """Of portals' accounts, for what clients ask for."""
        return Heads()

    def work(self) -> UnitOfWork:
        return UnitOfWork(self.log, self.mapper)

    def execute(self, asked: Request) -> Answer | StrEnum:
        """What a client asks for, once for its key: application/commands.py."""
        return execute(self.log, self.mapper, self.keys, self.ids, asked, self.heads)

    def lock_of(self, portal_id: str, user_name: str, device_id: str, at: datetime) -> Lock | None:
        """What an attempt to sign in meets at a moment: application/sign_ins.py."""
        return lock_of(self.work(), self.heads, self.ids, portal_id, user_name, device_id, at)

    def end_lockouts(self, now: datetime) -> int:
        """Record of all lockouts whose time is over that they ended; how many had. Raises DependencyDown."""
        with self.database.session() as cursor:
            over = [StreamId(row["login_id"]) for row in cursor.execute(RUN_OUT, {"now": now})]
        return end_lockouts(self.log, self.mapper, over, now)

    @cached_property
    def projection_store(self) -> PostgresProjectionStore:
        return PostgresProjectionStore(self.database)

    @cached_property
    def runner(self) -> Runner:
        self.projection_store.prepare(PROJECTIONS)
        return Runner(self.projection_store, self.mapper, PROJECTIONS)

    @cached_property
    def codes(self) -> Codes:
        return Codes(self.database)

    @cached_property
    def filters(self) -> Filters:
        return Filters(self.database)

    def rebuild(
        self, name: str, progress: Callable[[int, int], None] = lambda _built, _live: None, limit: int = BATCH_EVENTS
    ) -> Rebuilt:
        """Build a projection's next generation, on a connection of its own, and put it in the live one's place.

        Raises UnknownProjection, BeingRebuilt, DependencyDown.
        """
        projection = next((each for each in PROJECTIONS if name == each.NAME), None)
        if projection is None:
            raise UnknownProjection(name)
        with closing(PostgresProjectionStore(self.database)) as store:
            store.prepare(PROJECTIONS)
            return Rebuild(store, self.mapper, projection, progress, limit).run()

    def source(self) -> KafkaSource:
        if self.settings.kafka is None:
            raise KafkaNotSet
        return KafkaSource(self.settings.kafka, list(TOPICS), self.settings.group)

    def consumer(
        self,
        source: Source,
        report: Callable[[dict[str, Any]], None] = lambda _: None,
        formats: Mapping[str, Format] = TOPICS,
    ) -> Consumer:
        positions, log = PostgresPositions(self.database), structlog.get_logger()
        return Consumer(source, self.intake, positions, formats, log, report)

    @property
    def fingerprint(self) -> str:
        return self.ids.digest(b"installation")

    def close(self) -> None:
        self.projection_store.close()
        self.database.close()


def open_ledger(settings: Settings) -> Ledger:
    """An initialised ledger. Raises NotInitialised, OtherInstallation, KeysNotFound, DependencyDown."""
    database = _database(settings)
    with database.session() as cursor:
        cursor.execute("SELECT to_regclass('installation') IS NOT NULL AS there")
        row = cursor.fetchone()
        if row is None or not row["there"]:
            raise NotInitialised
        recorded = cursor.execute("SELECT fingerprint FROM installation").fetchone()
    ledger = Ledger(settings, database, KeyFiles(settings.keys_folder))
    if recorded is None or recorded["fingerprint"] != ledger.fingerprint:
        raise OtherInstallation
    return ledger


def initialise(settings: Settings) -> Ledger:
    """Make tables, keys and inbound topics where they are not there; an existing ledger stays as it is.

    Raises OtherInstallation, KeysNotFound, DependencyDown.
    """
    database = _database(settings)
    with database.session() as cursor:
        there = cursor.execute("SELECT to_regclass('installation') IS NOT NULL AS there").fetchone()
    if there is None or not there["there"]:
        KeyFiles.create(settings.keys_folder)
    ledger = Ledger(settings, database, KeyFiles(settings.keys_folder))
    ledger.log.create_table()
    ledger.codes.create_tables()
    ledger.filters.renew_shipped()
    create_calendar(database, settings.zone)
    ledger.projection_store.prepare(PROJECTIONS)
    create_freshness(database)
    with database.session() as cursor:
        cursor.execute(
            "INSERT INTO installation (fingerprint) VALUES (%s) ON CONFLICT DO NOTHING", [ledger.fingerprint]
        )
        recorded = cursor.execute("SELECT fingerprint FROM installation").fetchone()
    if recorded is None or recorded["fingerprint"] != ledger.fingerprint:
        raise OtherInstallation
    if settings.kafka is not None:
        create_topics(settings.kafka, list(TOPICS))
    return ledger


def settle_memory() -> None:
    """For a process that runs batches until it is stopped.

    A batch makes some hundred thousand objects that live until it is committed; with the default thresholds the
    collector walks them again and again and finds nothing: a fifth of a consumer's time. What is there for good is left
    out of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _database(settings: Settings) -> Database:
    return Database(settings.dsn or embedded_dsn(settings.data / "postgres"))
