"""The tables of the statistics' sums, and the triggers that say which are stale.

Triggers note the hour of every recording that comes, changes or goes, so that no writer can
forget to; `day_figures.py` makes days of hours, as it knows the station's zone.
"""

from sqlite_utils.db import Database


def make(db: Database) -> None:
    """Make the tables and their triggers, and note everything that is there as stale.

    Within a trigger "insert or ignore" obeys the statement that set it off, so each step says
    itself what to do about an hour that is noted already.
    """
    db.execute(
        "create table day_figures (part text not null, day text not null, unit text not null,"
        " secrecy text not null, value text not null, recordings integer not null,"
        " late integer not null, seconds real not null, size integer not null,"
        " primary key (part, day, unit, secrecy, value)) strict, without rowid"
    )
    db.execute("create table stale_hours (hour text primary key) strict, without rowid")
    db.execute("create table stale_days (day text primary key) strict, without rowid")
    db.execute("create table day_figures_basis (id integer primary key, basis text) strict")
    new, old = (
        f" insert into stale_hours select h from (select substr({side}.recorded_start,"
        f" 1, 13) as h union select substr({side}.recorded_end, 1, 13)"
        f" union select substr({side}.sealed_at, 1, 13)) where h is not null"
        " on conflict do nothing;"
        for side in ("new", "old")
    )
    columns = (
        "state, device, officer, case_no, kind, duration_s, size, on_time, recorded_start,"
        " recorded_end, sealed_at, secrecy"
    )
    for event, steps, when in (
        ("insert", new, "new.state = 'sealed'"),
        (f"update of {columns}", old + new, "new.state = 'sealed'"),
        ("delete", old, "old.state = 'sealed'"),
    ):
        name = event.split(maxsplit=1)[0]
        db.execute(
            f"create trigger recordings_stale_{name} after {event} on recordings when {when}"
            f" begin{steps} end"
        )
    for of, changed, condition in (
        ("cases", ("cause", "secrecy"), "case_no = new.number"),
        ("officers", ("unit",), "officer = new.cert_no"),
    ):
        is_other = " or ".join(f"new.{column} is not old.{column}" for column in changed)
        db.execute(
            f"create trigger {of}_stale after update of {', '.join(changed)} on {of}"
            f" when {is_other} begin"
            " insert into stale_hours select substr(recorded_start, 1, 13)"
            f" from recordings where state = 'sealed' and {condition} on conflict do nothing;"
            " insert into stale_hours select substr(sealed_at, 1, 13)"
            f" from recordings where state = 'sealed' and {condition} and sealed_at is not null"
            " on conflict do nothing;"
            " end"
        )
    db.execute(
        "create trigger gap_explanations_stale after insert on gap_explanations begin"
        " insert into stale_hours values (substr(new.begins, 1, 13)) on conflict do nothing; end"
    )
    mark_all(db)


def make_periods(db: Database) -> None:
    """Make the tables of the sums of months and years, and note all that there are as stale."""
    db.execute(
        "create table period_figures (part text not null, length text not null,"
        " period text not null, unit text not null, secrecy text not null, value text not null,"
        " recordings integer not null, late integer not null, seconds real not null,"
        " size integer not null,"
        " primary key (part, length, period, unit, secrecy, value)) strict, without rowid"
    )
    db.execute(
        "create table stale_periods (length text not null, period text not null,"
        " primary key (length, period)) strict, without rowid"
    )
    for length, characters in (("month", 7), ("year", 4)):
        db.execute(
            f"insert into stale_periods select distinct '{length}', substr(day, 1, {characters})"
            " from day_figures"
        )


def mark_all(db: Database) -> None:
    """Note every hour as stale in which something began or was sealed."""
    db.execute(
        "insert or ignore into stale_hours select distinct substr(recorded_start, 1, 13)"
        " from recordings where state = 'sealed'"
    )
    db.execute(
        "insert or ignore into stale_hours select distinct substr(sealed_at, 1, 13)"
        " from recordings where state = 'sealed' and sealed_at is not null"
    )
