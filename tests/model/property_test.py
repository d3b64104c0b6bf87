"""Random sequences of what users, guests and accidents do, against a model of what each disk has to hold.

COHORT_MODEL_SEED repeats the walk of a failure, COHORT_MODEL_MINUTES says how long new ones are made (1.5); a walk has
COHORT_MODEL_STEPS steps (150).
"""

import os
import time

from walk import Walk

SEED = os.environ.get("COHORT_MODEL_SEED")
MINUTES = float(os.environ.get("COHORT_MODEL_MINUTES") or 1.5)
STEPS = int(os.environ.get("COHORT_MODEL_STEPS") or 150)


def walk(seed):
    made = Walk(seed)
    began = time.monotonic()
    refusals = made.run(STEPS)
    print(f"seed {seed}: {len(made.log)} steps in {time.monotonic() - began:.0f} s, {refusals} refusals, "
          f"{dict(sorted(made.counts.items()))}", flush=True)
    return len(made.log)


def test_whatever_happens_each_disk_holds_what_was_written_to_it():
    if SEED:
        walk(int(SEED))
        return
    began, seed, steps = time.monotonic(), int(time.time()), 0
    while time.monotonic() - began < MINUTES * 60:
        steps += walk(seed)
        seed += 1
    print(f"{steps} steps")
