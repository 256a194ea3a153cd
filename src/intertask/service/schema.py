"""The tables of the store, and how those of an older version become those of this one.

Each step is applied in one transaction with the number it leads to: a kill leaves the old or the new. A
database of a newer version is refused. Steps are added and never changed.
"""

import time
from dataclasses import asdict

from intertask.errors import IntertaskError
from intertask.service.database import Reading, Row, Words, Writing, whole

# Everything that a person or an item has is found by its tenant first: no query goes without one.
_FIRST = (
    "CREATE TABLE tenants (tenant {integer} PRIMARY KEY, name {text} NOT NULL UNIQUE, "
    "seq {integer} NOT NULL DEFAULT 0, revision {integer} NOT NULL DEFAULT 0, "
    "created {integer} NOT NULL){plain}",
    "CREATE TABLE keys (key {text} PRIMARY KEY, tenant {integer} NOT NULL REFERENCES tenants, "
    "digest {text} NOT NULL, role {text} NOT NULL, label {text} NOT NULL, created {integer} NOT NULL, "
    "revoked {integer}){plain}",
    # In the order in which histories are read. `seq` rises by one for each event of a tenant, in the order of
    # the commits: who has seen one has seen all before it.
    "CREATE TABLE events (tenant {integer} NOT NULL, person {text} NOT NULL, time {integer} NOT NULL, "
    "seq {integer} NOT NULL, id {text} NOT NULL, item {text} NOT NULL, behaviour {text} NOT NULL, "
    "value {real}, session {text}, recommendation {text}, received {integer} NOT NULL, "
    "PRIMARY KEY (tenant, person, time, seq)){clustered}",
    "CREATE UNIQUE INDEX events_by_id ON events (tenant, id)",
    "CREATE UNIQUE INDEX events_by_seq ON events (tenant, seq)",
    "CREATE TABLE requests (tenant {integer} NOT NULL, key {text} NOT NULL, digest {text} NOT NULL, "
    "answer {text} NOT NULL, made {integer} NOT NULL, PRIMARY KEY (tenant, key)){clustered}",
    "CREATE INDEX requests_by_time ON requests (made)",
    "CREATE TABLE people (tenant {integer} NOT NULL, person {text} NOT NULL, properties {text} NOT NULL, "
    "updated {integer} NOT NULL, PRIMARY KEY (tenant, person)){clustered}",
    "CREATE TABLE items (tenant {integer} NOT NULL, item {text} NOT NULL, properties {text} NOT NULL, "
    "hidden {integer} NOT NULL, updated {integer} NOT NULL, PRIMARY KEY (tenant, item)){clustered}",
    "CREATE INDEX items_hidden ON items (tenant, item) WHERE hidden = 1",
    "CREATE TABLE jobs (job {text} PRIMARY KEY, tenant {integer} NOT NULL REFERENCES tenants, "
    "kind {text} NOT NULL, arguments {text} NOT NULL, state {text} NOT NULL, progress {text} NOT NULL, "
    "result {text}, created {integer} NOT NULL, updated {integer} NOT NULL, worker {text}, "
    "until {integer}){plain}",
    "CREATE INDEX jobs_waiting ON jobs (created) WHERE state IN ('waiting', 'running')",
    "CREATE TABLE models (tenant {integer} NOT NULL REFERENCES tenants, version {integer} NOT NULL, "
    "digest {text} NOT NULL, facts {text} NOT NULL, created {integer} NOT NULL, "
    "PRIMARY KEY (tenant, version), UNIQUE (tenant, digest)){plain}",
    "CREATE TABLE aliases (tenant {integer} NOT NULL REFERENCES tenants, alias {text} NOT NULL, "
    "version {integer} NOT NULL, before {integer}, updated {integer} NOT NULL, "
    "PRIMARY KEY (tenant, alias)){plain}",
    # What each process that answers has loaded: an alias is raised once all of them are ready.
    "CREATE TABLE workers (worker {text} PRIMARY KEY, seen {integer} NOT NULL, ready {text} NOT NULL, "
    "refused {text} NOT NULL){plain}",
    "CREATE TABLE audit (tenant {integer} NOT NULL REFERENCES tenants, at {integer} NOT NULL, "
    "key {text} NOT NULL, action {text} NOT NULL, subject {text} NOT NULL){plain}",
    "CREATE INDEX audit_by_time ON audit (tenant, at)",
)
_SECOND = ("CREATE TABLE secrets (name {text} PRIMARY KEY, value {text} NOT NULL){plain}",)
# The lists that were given. Their names begin with the time, so that the oldest of a tenant come first.
_THIRD = (
    "CREATE TABLE {beside}answers (tenant {integer} NOT NULL, recommendation {text} NOT NULL, person {text}, "
    "version {integer} NOT NULL, scenario {text}, experiment {text}, arm {text}, items {text} NOT NULL, "
    "scores {text} NOT NULL, propensities {text}, PRIMARY KEY (tenant, recommendation)){clustered}",
    "CREATE INDEX {beside}answers_by_person ON answers (tenant, person, recommendation)",
    "CREATE INDEX {beside}answers_by_experiment ON answers (tenant, experiment, recommendation) "
    "WHERE experiment IS NOT NULL",
    # Which events a list led to.
    "CREATE INDEX events_by_recommendation ON events (tenant, recommendation) "
    "WHERE recommendation IS NOT NULL",
)
# Processes bring what they know of items up to date by the revision; a deleted one leaves a trace for it.
_FOURTH = (
    "ALTER TABLE items ADD COLUMN revision {integer} NOT NULL DEFAULT 0",
    "ALTER TABLE items ADD COLUMN gone {integer} NOT NULL DEFAULT 0",
    "ALTER TABLE items ADD COLUMN created {integer} NOT NULL DEFAULT 0",
    "UPDATE items SET created = updated",
    "CREATE UNIQUE INDEX items_by_revision ON items (tenant, revision, item)",
    "CREATE INDEX items_shown ON items (tenant, created, item) WHERE hidden = 0 AND gone = 0",
    "DROP INDEX items_hidden",
    "CREATE TABLE rules (tenant {integer} NOT NULL REFERENCES tenants, name {text} NOT NULL, "
    "content {text} NOT NULL, PRIMARY KEY (tenant, name)){plain}",
)
_FIFTH = (
    # The number of the last event that a list knew: it can be asked for again as it was.
    "ALTER TABLE {beside}answers ADD COLUMN seq {integer}",
    "ALTER TABLE {beside}answers ADD COLUMN drawn {integer}",
    "CREATE INDEX {beside}answers_drawn ON answers (tenant, drawn, recommendation) WHERE drawn = 1",
    "CREATE TABLE experiments (tenant {integer} NOT NULL REFERENCES tenants, name {text} NOT NULL, "
    "content {text} NOT NULL, created {integer} NOT NULL, ended {integer}, "
    "PRIMARY KEY (tenant, name)){plain}",
    # Versions that every process keeps in memory beside those that aliases name.
    "CREATE TABLE pins (tenant {integer} NOT NULL REFERENCES tenants, owner {text} NOT NULL, "
    "version {integer} NOT NULL, PRIMARY KEY (tenant, owner, version)){plain}",
    "CREATE TABLE canaries (tenant {integer} PRIMARY KEY REFERENCES tenants, version {integer} NOT NULL, "
    "share {real} NOT NULL, until {integer} NOT NULL){plain}",
    "CREATE TABLE canary_counts (tenant {integer} NOT NULL REFERENCES tenants, version {integer} NOT NULL, "
    "requests {integer} NOT NULL, failures {integer} NOT NULL, empty {integer} NOT NULL, "
    "seconds {real} NOT NULL, PRIMARY KEY (tenant, version)){plain}",
)
_SIXTH = ("ALTER TABLE keys ADD COLUMN per_second {real}",)
_SEVENTH = (
    "CREATE TABLE webhooks (tenant {integer} NOT NULL REFERENCES tenants, name {text} NOT NULL, "
    "url {text} NOT NULL, secret {text} NOT NULL, PRIMARY KEY (tenant, name)){plain}",
    "CREATE TABLE deliveries (delivery {text} PRIMARY KEY, tenant {integer} NOT NULL REFERENCES tenants, "
    "name {text} NOT NULL, body {text} NOT NULL, tries {integer} NOT NULL, due {integer} NOT NULL){plain}",
    "CREATE INDEX deliveries_by_time ON deliveries (due)",
)
_EIGHTH = ("CREATE INDEX jobs_by_time ON jobs (tenant, created, job)",)
STEPS = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH, _SEVENTH, _EIGHTH)
VERSION = len(STEPS)


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1_000


def migrate(connection: Writing, steps: tuple[tuple[str, ...], ...] = STEPS) -> int:
    """Bring the tables to this version; the version that they had before, 0 for an empty database.

    Raises:
        IntertaskError: They are of a newer version.
    """
    words = connection.words
    with connection.transaction():
        if words.clustered == "":  # two workers of PostgreSQL may start at once
            connection.rows("SELECT pg_advisory_xact_lock(7240911)")
        connection.run(
            _spelled("CREATE TABLE IF NOT EXISTS schema (version {integer} NOT NULL){plain}", words)
        )
        before = version(connection.rows("SELECT version FROM schema"), len(steps))
        for step in steps[before:]:
            for sql in step:
                connection.run(_spelled(sql, words))
        if before < len(steps):
            connection.run("DELETE FROM schema")
            connection.run("INSERT INTO schema VALUES (?)", (len(steps),))
    return before


def check(connection: Reading) -> None:
    """Refuse to read tables of another version.

    Raises:
        IntertaskError: As it says.
    """
    found = version(connection.rows("SELECT version FROM schema"), VERSION)
    if found != VERSION:
        raise IntertaskError(
            "database", f"tables of version {VERSION}", f"version {found}", "start `intertask serve` again"
        )


def version(rows: list[Row], newest: int) -> int:
    """The version that the table says.

    Raises:
        IntertaskError: It is newer than this program.
    """
    found = whole(rows[0][0]) if rows else 0
    if found > newest:
        raise IntertaskError(
            "database", f"tables of version {newest} or older", f"version {found}", "upgrade intertask"
        )
    return found


def _spelled(sql: str, words: Words) -> str:
    return sql.format(**asdict(words))
