"""Thirty nights of three guests, with a crash each week, a new disk, and rules for what is kept: each night that is kept
can be had back.

COHORT_MODEL_BOOTS=all boots the machines of every night that is kept, and not only of the first, the middle and the
last.
"""

import datetime
import os

from harness import Lab
from month import Month

NIGHTS, NEW_DISK = 30, 13
CRASHES = {6: 0, 13: 1, 20: 2, 27: 0}  # which guest in which night
RULES = ("--keep-daily", "7", "--keep-weekly", "4", "--keep-monthly", "2")
BOOTS_ALL = os.environ.get("COHORT_MODEL_BOOTS") == "all"


def kept_by_rules(month):
    """Told apart from the program: the newest of each of the last 7 days, 4 weeks and 2 months that have any."""
    nights = sorted(month.nights.values(), key=lambda night: night.day)
    kept = set()
    for count, period in ((7, lambda date: date), (4, monday_of), (2, lambda date: (date.year, date.month))):
        newest = {period(night.date): night.day for night in nights}
        kept |= set(sorted(newest.values())[-count:])
    return sorted(kept)


def monday_of(date):
    return date - datetime.timedelta(days=date.weekday())


def one_night(month, day):
    crashed = month.guests[CRASHES[day]] if day in CRASHES else None
    if crashed:
        month.crash(crashed)
    report = month.night(day)
    kinds = {disk["kind"] for disk in report["disks"]}
    new = [disk for disk in report["disks"] if disk["target"] == "vdc"]
    if day == 1:
        assert kinds == {"whole"}
    else:
        whole = [disk for disk in report["disks"] if disk["kind"] == "whole"]
        assert whole == (new if day == NEW_DISK + 1 else []), "a night breaks no chain"
    if crashed:
        if day == NEW_DISK:
            month.add_disk(crashed)
        crashed.start()
        month.wait_ready()


def test_each_night_that_is_kept_can_be_had_back():
    with Lab() as lab:
        month = Month(lab)
        for day in range(1, NIGHTS + 1):
            month.write_something()
            one_night(month, day)
            if day % 7 == 0 or day == NIGHTS:
                kept = month.prune(*RULES)
                gone = {name for name, night in month.nights.items() if night.day not in kept}
                assert kept == kept_by_rules(month), (kept, day)
                for name in gone:
                    del month.nights[name]
        for guest in month.guests:
            guest.destroy()
        booted = kept if BOOTS_ALL else {kept[0], kept[len(kept) // 2], kept[-1]}
        for day in kept:
            month.restore(day, boots=day in booted)
        print(f"kept and restored: {kept}; booted: {sorted(booted)}")
