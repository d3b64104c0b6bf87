"""Random sequences of what users, guests and accidents do, against a model of what each disk has to hold.

The ordinary run makes the same three walks each time, so that what it finds is in what has changed. COHORT_MODEL_MINUTES
says how long new ones are made instead, COHORT_MODEL_SEED repeats the walk of a failure; a walk has COHORT_MODEL_STEPS
steps (150).
"""

import os
import time

from walk import Walk

SEED = os.environ.get("COHORT_MODEL_SEED")
MINUTES = float(os.environ.get("COHORT_MODEL_MINUTES") or 0)
STEPS = int(os.environ.get("COHORT_MODEL_STEPS") or 150)


def walk(seed):
    made = Walk(seed)
    began = time.monotonic()
    refusals = made.run(STEPS)
    print(f"seed {seed}: {len(made.log)} steps in {time.monotonic() - began:.0f} s, {refusals} refusals, "
          f"{dict(sorted(made.counts.items()))}", flush=True)
    return len(made.log)


def seeds():
    if SEED:
        return [int(SEED)]
    return new_seeds() if MINUTES else [1, 2, 3]


def new_seeds():
    began = time.monotonic()
    seed = int(time.time())
    while time.monotonic() - began < MINUTES * 60:
        yield seed
        seed += 1


def test_whatever_happens_each_disk_holds_what_was_written_to_it():
    print(f"{sum(walk(seed) for seed in seeds())} steps")
