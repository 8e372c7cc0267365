"""Holds the statistics' sums of each day against the recordings they are made of.

They are working state, so the custody log has no word of them; but somebody who changed one would
change what is reported of the office (Art. 28). Days that are noted as stale are passed over: they
are added up anew before anybody relies on them.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.inspection.findings import Finding, FindingKind, Row
from recorder_sync.language import T
from recorder_sync.rules.figures import day_of
from recorder_sync.timestamps import moment

# One statement sees one moment of the catalogue, whoever is writing.
_DIFFERENT = """
with kept as (
    select day, sum(recordings) as n, sum(late) as l, sum(size) as s
    from stored.day_figures where part = 'kind' group by day
), counted as (
    select local_day(recorded_start) as day, count(*) as n, sum(on_time = 0) as l, sum(size) as s
    from stored.recordings where state = 'sealed' group by 1
), stale as (
    select day from stored.stale_days
    union select local_day(hour || ':00:00.000Z') from stored.stale_hours
    union select local_day(hour || ':59:59.999Z') from stored.stale_hours
)
select c.day, k.n, k.l, k.s, c.n, c.l, c.s from counted c left join kept k on k.day = c.day
where (k.n, k.l, k.s) is not (c.n, c.l, c.s)
and c.day not in (select day from stale where day is not null)
union all
select k.day, k.n, k.l, k.s, null, null, null from kept k
where k.day not in (select day from counted where day is not null)
and k.day not in (select day from stale where day is not null)
"""


def compare_day_figures(db: Database) -> Iterator[Finding]:
    """Yield the days whose sums are not those of the recordings; `stored` is the catalogue.

    Raises sqlite3.DatabaseError.
    """
    basis = db.execute("select basis from stored.day_figures_basis").fetchone()
    if basis is None:
        return
    try:
        zone = ZoneInfo(str(basis[0]).rsplit("/", 2)[0])
    except (ValueError, OSError, KeyError):
        return  # of another basis all is added up anew

    def local_day(text: object) -> str | None:
        try:
            return str(day_of(moment(str(text)), zone))
        except (ValueError, OverflowError):
            return None

    db.conn.create_function("local_day", 1, local_day, deterministic=True)
    for day, *sums in db.execute(_DIFFERENT):
        kept, counted = (_shown(sums[:3]), _shown(sums[3:]))
        at = Row("day_figures", str(day), None, kept, counted)
        text = T(
            "{day} has figures {kept} (recordings, late, bytes), its recordings give {counted}",
            day=day,
            kept=kept or "—",
            counted=counted or "—",
        )
        path = f"{FILE_NAME}/day_figures/{day}"
        yield Finding(FindingKind.CATALOGUE_DIFFERS, path, text, None, at)


_PERIODS = """
with kept as (
    select part, length, period, unit, secrecy, value, recordings, late, size
    from {schema}.period_figures
), counted as (
    select part, 'month' as length, substr(day, 1, 7) as period, unit, secrecy, value,
    sum(recordings), sum(late), sum(size) from {schema}.day_figures group by 1, 3, 4, 5, 6
    union all
    select part, 'year', substr(day, 1, 4), unit, secrecy, value,
    sum(recordings), sum(late), sum(size) from {schema}.day_figures group by 1, 3, 4, 5, 6
)
select distinct length, period from (
    select * from (select * from kept except select * from counted)
    union all
    select * from (select * from counted except select * from kept)
) where (length, period) not in (select length, period from {schema}.stale_periods)
"""


def compare_period_figures(db: Database, schema: str = "stored") -> Iterator[Finding]:
    """Yield the months and years whose sums are not those of their days, but for stale ones.

    Raises sqlite3.DatabaseError.
    """
    for _, period in db.execute(_PERIODS.format(schema=schema)):
        path = f"{FILE_NAME}/period_figures/{period}"
        text = T("the figures of {period} are not the sum of those of its days", period=period)
        at = Row("period_figures", str(period))
        yield Finding(FindingKind.CATALOGUE_DIFFERS, path, text, None, at)


def _shown(sums: list[object]) -> str | None:
    return None if sums[0] is None else ", ".join(str(one) for one in sums)
