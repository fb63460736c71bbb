"""When a person is written to: on working days between 07 and 17, by the county's calendar and Swedish time.

What comes at another hour waits for the next day's letter.
"""

from datetime import date, datetime, time, timedelta

from backend.core.calendar import Calendar, at_hour, local_date

FIRST, LAST = time(7), time(17)
# News within so long of a letter wait for the next one: twenty cases filed at once are two letters, not twenty.
GATHER = timedelta(hours=5)
# What is found late, after a stop, is found case by case: it is given a little while to come together.
TOGETHER = timedelta(seconds=30)


def is_open(now: datetime, calendar: Calendar) -> bool:
    """Whether anybody may be written to at this moment."""
    today = local_date(now)
    return calendar.is_working_day(today) and at_hour(today, FIRST) <= now <= at_hour(today, LAST)


def next_letter(now: datetime, hour: time, calendar: Calendar) -> datetime:
    """The day's letter that has not gone yet: today's, else that of the next working day. `hour` lies within 07–17."""
    today = local_date(now)
    if calendar.is_working_day(today) and now < at_hour(today, hour):
        return at_hour(today, hour)
    return at_hour(calendar.add_working_days(today, 1), hour)


def news(now: datetime, hour: time, calendar: Calendar, latest: datetime | None) -> datetime:
    """When news that a person wants at once reach them. `latest` is the latest letter they have got, or will get."""
    if not is_open(now, calendar):
        return next_letter(now, hour, calendar)
    if latest is None or latest <= now - GATHER:
        return now
    gathered = latest if latest > now else latest + GATHER
    return gathered if is_open(gathered, calendar) else next_letter(now, hour, calendar)


def reminder(now: datetime, hour: time, calendar: Calendar, planned_on: date) -> datetime:
    """When a reminder reaches them: in the letter of its day; found later than that, as soon as may be."""
    letter = next_letter(now, hour, calendar)
    late = local_date(letter) > max(planned_on, local_date(now)) and is_open(now, calendar)
    if not late:
        return letter
    whole = int(TOGETHER.total_seconds())
    # Rounded up, so that what is found within the same half minute is one letter.
    gathered = datetime.fromtimestamp((int(now.timestamp()) // whole + 2) * whole, now.tzinfo)
    return gathered if is_open(gathered, calendar) else letter
