"""Makes `croniter.tsv`: what another implementation says of expressions that both understand.

    pip install croniter && python3 croniter_table.py > croniter.tsv

Left out is where it goes ways of its own: a day of the month together with `5#3` counts for nothing there.

Each line: the expression, a moment, and the next five times after it, all in UTC. The moments and the larger part of the
expressions are chosen by a seeded generator, so that the same version of croniter makes the same table.
"""

import random
import sys
from datetime import datetime, timezone
from importlib.metadata import version

from croniter import croniter

BY_HAND = [
    "* * * * *", "*/5 * * * *", "*/7 * * * *", "5/15 * * * *", "0 * * * *", "30 4 * * *", "0 0 * * *", "59 23 31 12 *",
    "0 9-17 * * mon-fri", "0 9-17/2 * * 1-5", "15,45 8,20 * * *", "0 0 1 * *", "0 0 1,15 * *", "0 0 13 * 5", "0 0 1-7 * 1",
    "0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * SAT,SUN", "0 0 29 2 *", "0 0 31 * *", "0 0 30 2,4 *", "0 12 * jan-mar *",
    "0 22-3 * * *", "0 0 * nov-feb *", "0 0 * * fri-mon", "0 0 L * *", "30 6 L 2 *", "0 0 * * 5#2", "0 0 * * mon#1", "0 0 * * 0#5",
    "0 0 * * L5", "0 0 * * L0", "0 0 15W * *", "0 0 1W * *", "0 0 31W * *", "@hourly", "@daily", "@midnight", "@weekly",
    "@monthly", "@yearly", "@annually", "0 0 ? * 1", "0 0 1 * ?", "0 0 */2 * *", "0 0 * * */2", "0 0 */3 * 1", "0 0 1 */5 *",
    "0 0 L * 5",
]


def item(low, high, pick):
    kind = pick.randrange(6)
    first, second = sorted((pick.randint(low, high), pick.randint(low, high)))
    if kind == 0 or first == second:
        return str(first)
    if kind == 1:
        return f"{first}-{second}"
    if kind == 2:
        return f"{first}-{second}/{pick.randint(2, 5)}"
    if kind == 3:
        return f"*/{pick.randint(2, max(2, high // 3))}"
    if kind == 4 and second - first < (high - low) - 1:
        # Over the end of the scale.
        return f"{second}-{first}"
    return f"{first},{second}"


def made(pick):
    fields = [item(0, 59, pick), item(0, 23, pick), item(1, 31, pick), item(1, 12, pick), item(0, 6, pick)]
    # Mostly one of the two day fields only, as people write them.
    for place in pick.sample([1, 2, 3, 4], pick.randint(1, 3)):
        fields[place] = "*"
    return " ".join(fields)


def main():
    pick = random.Random(20261125)
    expressions = list(BY_HAND)
    while len(expressions) < 600:
        expressions.append(made(pick))
    print("# croniter", version("croniter"))
    for expression in expressions:
        start = datetime(pick.randint(2024, 2033), pick.randint(1, 12), pick.randint(1, 28), pick.randint(0, 23),
                         pick.randint(0, 59), pick.randint(0, 59), tzinfo=timezone.utc)
        try:
            times = croniter(expression, start)
            following = [times.get_next(datetime).strftime("%Y-%m-%dT%H:%M:%SZ") for _ in range(5)]
        except Exception as error:  # What it refuses is not in the shared dialect.
            print(f"left out {expression}: {error}", file=sys.stderr)
            continue
        print("\t".join([expression, start.strftime("%Y-%m-%dT%H:%M:%SZ"), *following]))


main()
