"""The rules that all tools check, as (id, column, kind of rule, arguments). It imports nothing of ours."""

NUMBERS = [f"n{i}" for i in range(6)]
WHOLES = [f"i{i}" for i in range(4)]
CODES = [f"s{i}" for i in range(3)]
CLASSES = [f"c{i}" for i in range(3)]
TIMES = ["t0", "t1"]
FLAGS = ["b0", "b1"]
COLUMNS = [*NUMBERS, *WHOLES, *CODES, *CLASSES, *TIMES, *FLAGS]
SENTINELS = [-1.0, 999.0]
ALLOWED = [f"class-{i:02d}" for i in range(40)]
LEVELS = list(range(0, 1000))
PATTERN = r"^[A-Z]{2}-\d{6}$"
FIRST, LAST = "2026-01-01T00:00:00", "2026-12-31T00:00:00"

Rule = tuple[str, str, str, tuple[object, ...]]


def rules() -> list[Rule]:
    """60 of them, three a column on average.

    >>> len(rules()), len(COLUMNS)
    (60, 20)
    """
    made: list[Rule] = [(f"{name}.required", name, "required", ()) for name in COLUMNS]
    made += [(f"{name}.range", name, "range", (0, 990)) for name in (*NUMBERS, *WHOLES)]
    made += [(f"{name}.range", name, "between_times", (FIRST, LAST)) for name in TIMES]
    made += [(f"{name}.sentinel", name, "none_of", tuple(SENTINELS)) for name in NUMBERS]
    made += [(f"{name}.sentinel", name, "none_of", tuple(int(value) for value in SENTINELS)) for name in WHOLES]
    made += [(f"{name}.length", name, "length", (9, 9)) for name in CODES]
    made += [(f"{name}.pattern", name, "pattern", (PATTERN,)) for name in CODES]
    made += [(f"{name}.length", name, "length", (8, 8)) for name in CLASSES]
    made += [(f"{name}.enum", name, "enum", tuple(ALLOWED)) for name in CLASSES]
    made += [(f"{name}.enum", name, "enum", tuple(LEVELS)) for name in WHOLES[:2]]
    made += [(f"{name}.unique", name, "unique", ()) for name in (WHOLES[3], CODES[0], CODES[1], NUMBERS[5])]
    return made
