"""What a prepared dataset holds, in numbers."""

import pandas as pd

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.data.duplicates import LARGE_GROUP


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
    } | {name: _moments(used[name]) for name in VALENCE_AROUSAL}


def doubts_about_duplicates(counts: dict[str, int], used: pd.DataFrame) -> list[str]:
    """Return a line for pictures on several sides, for those with several expressions, and for too large a group.

    counts: what `summarise` says of the duplicates of `used`, which has the columns id, group and expression too.
    """
    groups = used.groupby("group")
    doubts = []
    if leaking := counts["groups_across_splits"]:
        doubts.append(f"pictures that data.split_file has on several sides: {leaking}")
    if unclear := counts["groups_of_several_expressions"]:
        first = used["group"][groups["expression"].transform("nunique") > 1].iloc[0]
        names = _name_two(used[used["group"] == first].drop_duplicates("expression"))
        doubts.append(f"pictures whose copies have different expressions: {unclear}, such as {names}")
    if (largest := counts["largest_group"]) > LARGE_GROUP:
        names = _name_two(used[used["group"] == groups.size().idxmax()])
        doubts.append(
            f"{largest} images are taken for duplicates of each other, such as {names}; if they show different faces, "
            f"lower data.duplicate_distance"
        )
    return doubts


def _name_two(rows: pd.DataFrame) -> str:
    return " and ".join(rows["id"].head(2))


def _count_duplicates(used: pd.DataFrame) -> dict:
    groups = used.groupby("group").agg(
        images=("group", "size"), splits=("split", "nunique"), expressions=("expression", "nunique")
    )
    groups = groups[groups["images"] > 1]
    return {
        "groups": len(groups),
        "images": int(groups["images"].sum()),
        "largest_group": int(groups["images"].max()) if len(groups) else 0,
        "groups_of_several_expressions": int((groups["expressions"] > 1).sum()),
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
