"""What a prepared dataset holds, in numbers."""

from pathlib import Path

import pandas as pd

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.data.splitting.duplicates import LARGE_GROUP
from affect.plumbing.errors import InputError

# Reasons that do not count towards data.max_dropped.
EXPECTED_REASONS = (
    *("expression_none", "expression_uncertain", "expression_no_face", "class_left_out"),
    *("not_in_split_file", "not_in_official_split"),
)


def find_faulty(dropped: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `dropped` whose reason is a fault of the dataset."""
    return dropped[~dropped["reason"].isin(EXPECTED_REASONS)]


def refuse_faulty_dataset(dropped: pd.DataFrame, found: int, max_dropped: float, listed: Path) -> None:
    """Raise InputError where more than the allowed share of the images is faulty. listed: the file that lists them."""
    faulty = find_faulty(dropped)
    if len(faulty) > max_dropped * found:
        first = faulty.iloc[0]
        raise InputError(
            f"{len(faulty)} of {found} images are faulty, more than data.max_dropped ({max_dropped:g}) allows; "
            f"the first is {first['id']} ({first['detail']}); all are listed in {listed}"
        )


def summarise(found: int, usable: int, used: pd.DataFrame, dropped: pd.DataFrame) -> dict:
    """Count what was found, used and dropped: found = used + not_sampled + dropped.total.

    `used` has the columns split, picture, person, expression, valence, arousal; `dropped` has reason. Valence and
    arousal get their share of annotated images, mean and (population) standard deviation.
    """
    reasons = dropped["reason"].value_counts().sort_index()
    return {
        "found": found,
        "used": len(used),
        "not_sampled": usable - len(used),
        "dropped": {"total": len(dropped)} | {str(reason): int(count) for reason, count in reasons.items()},
        "duplicates": _count_duplicates(used),
        "people": count_people(used),
        "splits": {str(name): _count_expressions(part) for name, part in used.groupby("split", sort=False)},
    } | {name: _moments(used[name]) for name in VALENCE_AROUSAL}


def doubts_about_groups(summary: dict, used: pd.DataFrame) -> list[str]:
    """Return a line for pictures and people on several sides, for pictures with several expressions, and for too many
    copies of one.

    summary: what `summarise` says of `used`, which has the columns id, picture and expression too.
    """
    groups, counts = used.groupby("picture"), summary["duplicates"]
    doubts = []
    if leaking := counts["groups_across_splits"]:
        doubts.append(f"pictures that the given split has on several sides: {leaking}")
    if leaking := summary["people"]["across_splits"]:
        doubts.append(
            f"people whom the given split has on several sides: {leaking} (data.official_split draws another)"
        )
    if unclear := counts["groups_of_several_expressions"]:
        first = used["picture"][groups["expression"].transform("nunique") > 1].iloc[0]
        names = _name_two(used[used["picture"] == first].drop_duplicates("expression"))
        doubts.append(f"pictures whose copies have different expressions: {unclear}, such as {names}")
    if (largest := counts["largest_group"]) > LARGE_GROUP:
        names = _name_two(used[used["picture"] == groups.size().idxmax()])
        doubts.append(
            f"{largest} images are taken for duplicates of each other, such as {names}; if they show different faces, "
            f"lower data.duplicate_distance"
        )
    return doubts


def _name_two(rows: pd.DataFrame) -> str:
    return " and ".join(rows["id"].head(2))


def _count_duplicates(used: pd.DataFrame) -> dict:
    groups = used.groupby("picture").agg(
        images=("picture", "size"), splits=("split", "nunique"), expressions=("expression", "nunique")
    )
    groups = groups[groups["images"] > 1]
    return {
        "groups": len(groups),
        "images": int(groups["images"].sum()),
        "largest_group": int(groups["images"].max()) if len(groups) else 0,
        "groups_of_several_expressions": int((groups["expressions"] > 1).sum()),
        "groups_across_splits": int((groups["splits"] > 1).sum()),
    }


def count_people(used: pd.DataFrame) -> dict[str, int]:
    """Count people, the images of which the person is known, the most of one person, and people on several sides.

    `used` has the columns person, empty where unknown, and split.
    """
    known = used[used["person"] != ""].groupby("person")
    return {
        "people": known.ngroups,
        "images": int(known.size().sum()),
        "largest": int(known.size().max()) if known.ngroups else 0,
        "across_splits": int((known["split"].nunique() > 1).sum()),
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
