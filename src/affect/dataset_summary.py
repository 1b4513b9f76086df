"""What a prepared dataset holds, in numbers."""

import pandas as pd

from affect.expressions import EXPRESSIONS

AFFECT = ("valence", "arousal")


def summarise(found: int, usable: int, used: pd.DataFrame, dropped: pd.DataFrame) -> dict:
    """Count what was found, used and dropped: found = used + not_sampled + dropped.total.

    `used` has the columns split, group, expression, valence, arousal; `dropped` has reason. Valence and arousal
    get their share of annotated images, mean and (population) standard deviation.
    """
    reasons = dropped["reason"].value_counts().sort_index()
    return {
        "found": found,
        "used": len(used),
        "not_sampled": usable - len(used),
        "dropped": {"total": len(dropped)} | {str(reason): int(count) for reason, count in reasons.items()},
        "duplicates": _count_duplicates(used),
        "splits": {str(name): _count_expressions(part) for name, part in used.groupby("split", sort=False)},
    } | {name: _moments(used[name]) for name in AFFECT}


def _count_duplicates(used: pd.DataFrame) -> dict:
    groups = used.groupby("group").agg(images=("group", "size"), splits=("split", "nunique"))
    groups = groups[groups["images"] > 1]
    return {
        "groups": len(groups),
        "images": int(groups["images"].sum()),
        "groups_across_splits": int((groups["splits"] > 1).sum()),
    }


def _count_expressions(part: pd.DataFrame) -> dict:
    counts = part["expression"].value_counts()
    return {"images": len(part)} | {name: int(counts.get(number, 0)) for number, name in enumerate(EXPRESSIONS)}


def _moments(values: pd.Series) -> dict:
    annotated = values.dropna()
    summary = {"annotated_share": round(len(annotated) / len(values), 6)}
    if len(annotated):
        summary |= {"mean": round(annotated.mean(), 6), "std": round(annotated.std(ddof=0), 6)}
    return summary
