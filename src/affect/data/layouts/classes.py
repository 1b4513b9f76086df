"""The names of the eight expressions in other datasets."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from affect.core.labels import EXPRESSIONS
from affect.plumbing.errors import InputError

SYNONYMS = {
    "neutral": ("neutrality",),
    "happy": ("happiness",),
    "sad": ("sadness",),
    "surprise": ("surprised",),
    "fear": ("afraid", "fearful"),
    "disgust": ("disgusted",),
    "anger": ("angry",),
    "contempt": ("contemptuous",),
}
KNOWN = {name: number for number, (own, others) in enumerate(SYNONYMS.items()) for name in (own, *others)}
# The expression of a class that the user leaves out.
LEFT_OUT = -1
MAX_SHOWN = 10


def read_map(entries: Iterable[str] | None) -> dict[str, int]:
    """Return data.classes, entries such as 1:surprise or bored:null, as the expression of each class.

    Raises InputError for an entry that is none.
    """
    classes: dict[str, int] = {}
    for entry in entries or ():
        name, colon, expression = entry.rpartition(":")
        name, expression = name.strip().casefold(), expression.strip().casefold()
        if not colon or not name or expression not in {*KNOWN, "null"}:
            raise InputError(
                f"data.classes: {entry!r} should be NAME:EXPRESSION, such as 1:surprise, with one of "
                f"{', '.join(EXPRESSIONS)}, or null to leave a class out"
            )
        if name in classes:
            raise InputError(f"data.classes: {name!r} is there twice")
        classes[name] = LEFT_OUT if expression == "null" else KNOWN[expression]
    return classes


def number_classes(names: Iterable[str], entries: Iterable[str] | None, raw: Path) -> Mapping[str, int]:
    """Return the expression, 0-7 or LEFT_OUT, of each class name as the dataset writes it.

    names: the class of every picture. entries: data.classes. Numbers mean nothing unless data.classes says what.
    Raises InputError that names the unknown classes.
    """
    counts = Counter(names)
    known = KNOWN | read_map(entries)
    numbers = {name: known.get(name.strip().casefold()) for name in counts}
    unknown = [name for name, number in numbers.items() if number is None]
    if unknown:
        unknown.sort(key=lambda name: (-counts[name], name))
        shown = ", ".join(f"{name!r} ({counts[name]} images)" for name in unknown[:MAX_SHOWN])
        more = f" and {len(unknown) - MAX_SHOWN} more" if len(unknown) > MAX_SHOWN else ""
        digits = [name for name in unknown if name.strip().lstrip("-").isdecimal()]
        why = "; what a number stands for differs between datasets" if digits else ""
        raise InputError(
            f"data.raw: {raw} has classes that are none of {', '.join(EXPRESSIONS)}, nor in data.classes: {shown}{more}"
            f"{why}. Say what each is, such as -S 'data.classes=[{unknown[0].strip()}:happy]', and null to leave it "
            f"out; `python src/look.py {raw}` says which layouts fit"
        )
    return {name: number for name, number in numbers.items() if number is not None}
