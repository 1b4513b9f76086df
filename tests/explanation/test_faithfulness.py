"""Deletion and insertion tell a map of what a network reads from one of chance."""

from dataclasses import replace

import numpy as np
import pytest

from affect.explanation import Explanation
from affect.explanation.faithfulness.baselines import RANDOM, RANDOM_ATTENTION, centre_maps, random_maps
from affect.explanation.faithfulness.curves import GREY, area, delete, insert, rank_pixels, trace
from affect.explanation.faithfulness.judging import gain, list_orders, measure, trace_methods
from affect.explanation.faithfulness.marked import grey_fifths
from affect.explanation.faithfulness.randomised import correlate
from affect.explanation.study.columns import find_faults
from affect.explanation.study.means import Tree

COUNT, SIZE, GRID = 6, 40, 8
# The network reads the brightness of these pixels alone; the map's place for them.
READ = (slice(5, 10), slice(30, 35))
PLACE = (1, 6)
IMAGES = np.random.default_rng(1).integers(150, 256, (COUNT, SIZE, SIZE, 3), np.uint8)
IDS = [f"p{row}" for row in range(COUNT)]


def predict(images: np.ndarray) -> dict[str, np.ndarray]:
    """A network that is the surer of "happy" the brighter a few pixels are; below grey it isn't at all."""
    brightness = images[:, *READ].astype(float).mean(axis=(1, 2, 3))
    happy = np.clip((brightness - GREY) / (255 - GREY), 0, 1)
    emotion = np.full((len(images), 8), 0.0)
    emotion[:, 1], emotion[:, 0] = happy, 1 - happy
    return {"emotion": emotion, "valence": -happy[:, None]}


def explain(value: float) -> Explanation:
    """Maps that have a value where the network reads, and 0 elsewhere: for the expression, and against valence."""
    maps = np.zeros((COUNT, GRID, GRID), np.float32)
    maps[:, *PLACE] = value
    return Explanation(predict(IMAGES), np.ones(COUNT, int), {"hirescam": {"emotion": maps, "valence": -maps}})


def test_the_marked_pixels_alone_are_hidden_or_seen() -> None:
    importance = np.random.default_rng(2).random((COUNT, SIZE, SIZE))
    ranks = rank_pixels(importance)
    assert sorted(ranks[0].ravel()) == list(range(SIZE**2))
    first = importance >= np.sort(importance.reshape(COUNT, -1))[:, -400, None, None]
    for altered, as_before in ((delete(IMAGES, ranks, 0.25), ~first), (insert(IMAGES, ranks, 0.25), first)):
        np.testing.assert_array_equal(altered[as_before], IMAGES[as_before])
    assert (delete(IMAGES, ranks, 0.25)[first] == GREY).all()
    assert (delete(IMAGES, ranks, 1) == GREY).all()
    np.testing.assert_array_equal(insert(IMAGES, ranks, 1), IMAGES)
    # A blurred picture keeps its mean, and hardly anything of its detail.
    blurred = insert(IMAGES, ranks, 0).astype(float)
    assert abs(blurred.mean() - IMAGES.mean()) < 2
    assert blurred.std() < IMAGES.std() / 5


def test_the_area_of_a_curve_is_its_mean_height() -> None:
    curves = np.array([[1, 1, 1], [0, 0.5, 1], [1, 0, 0]])
    np.testing.assert_allclose(area(curves), [1, 0.5, 0.25])


def test_a_map_of_what_is_read_beats_chance_and_its_opposite_is_beaten() -> None:
    for sign in (1, -1):
        scores = measure(trace_methods(predict, explain(sign), IMAGES, IDS, 10, 4, seed=3))
        for task in ("emotion", "valence"):
            # A blurred picture is bright, too: what is shown last makes no difference to it.
            for name in ("deletion", "marked", *(["insertion"] if sign > 0 else [])):
                assert (sign * gain(scores, "hirescam", "random", task, name)).mean() > 0.01
            whole = predict(IMAGES)["emotion"][:, 1]
            # Grey pixels give nothing: of the curve's eleven points the first alone is above 0, or the last alone is 0.
            area = whole / 20 if sign > 0 else whole * 19 / 20
            np.testing.assert_allclose(scores["hirescam", task, "deletion"], area, atol=1e-6)
            np.testing.assert_allclose(scores["hirescam", task, "marked"], whole if sign > 0 else 0, atol=1e-6)


def test_the_fifths_of_a_single_face_say_the_same() -> None:
    whole = predict(IMAGES)["emotion"][:, 1]
    for sign in (1, -1):
        greyed = grey_fifths(predict, explain(sign), "hirescam", IMAGES, IDS, seed=3)
        assert set(greyed) == {("hirescam", "emotion"), ("hirescam", "valence")}
        for tested in greyed.values():
            np.testing.assert_allclose(tested.whole, whole)
            np.testing.assert_allclose(tested.marked, 0 if sign > 0 else whole)
            assert (tested.random < whole).all()
            # A random fifth that hides all that is read is as good.
            assert tested.beaten.tolist() == ((tested.draws > 0).sum(axis=0) * (sign > 0)).tolist()


def test_random_maps_belong_to_their_image_and_not_to_its_place() -> None:
    maps = random_maps((GRID, GRID), IDS, seed=4)
    np.testing.assert_array_equal(random_maps((GRID, GRID), IDS[::-1], seed=4), maps[::-1])
    assert not np.array_equal(random_maps((GRID, GRID), IDS, seed=5), maps)
    assert not np.array_equal(random_maps((GRID, GRID), IDS, seed=4, draw=1), maps)


def test_the_middle_is_marked_from_within() -> None:
    (found,) = centre_maps((5, 5), 1)
    assert found.argmax() == 12
    assert found[0, 0] == found.min()


def test_curves_of_a_batch_are_those_of_each_image_alone() -> None:
    explanation, ranks = explain(1), rank_pixels(np.random.default_rng(6).random((COUNT, SIZE, SIZE)))
    together = trace(predict, explanation, IMAGES, ranks, 5)
    alone = trace(predict, explanation.select(slice(2, 3)), IMAGES[2:3], ranks[2:3], 5)
    for kind, by_task in together.items():
        for task, curves in by_task.items():
            np.testing.assert_array_equal(curves[2:3], alone[kind][task])


def test_likeness_is_of_ranks_and_undefined_where_a_map_is_flat() -> None:
    maps = np.random.default_rng(7).random((3, GRID, GRID))
    np.testing.assert_allclose(correlate(maps, np.exp(5 * maps)), 1)
    np.testing.assert_allclose(correlate(maps, -maps), -1)
    assert np.isnan(correlate(maps, np.ones_like(maps))).all()


def test_attention_is_compared_with_random_places_as_coarse_as_it() -> None:
    explanation = explain(1)
    fine = random_maps((GRID, GRID), IDS, seed=3)
    coarse = random_maps((2, 2), IDS, seed=3)
    maps = explanation.maps | {"attention": dict.fromkeys(explanation.tasks, coarse)}
    with_attention = replace(explanation, maps=maps)
    orders = {method: maps for method, _, maps in list_orders(with_attention, IDS, 3)}
    np.testing.assert_array_equal(orders[RANDOM], fine)
    np.testing.assert_array_equal(orders[RANDOM_ATTENTION], coarse)
    # An attention that is random beats it by nothing.
    scores = measure(trace_methods(predict, with_attention, IMAGES, IDS, 10, 4, seed=3))
    assert (gain(scores, "attention", RANDOM, "emotion", "deletion") == 0).all()
    assert (gain(scores, "hirescam", RANDOM, "emotion", "deletion") > 0).all()
    as_fine = replace(explanation, maps=explanation.maps | {"attention": dict.fromkeys(explanation.tasks, fine)})
    assert RANDOM_ATTENTION not in {method for method, *_ in list_orders(as_fine, IDS, 3)}


def test_of_a_named_expression_the_logarithm_of_its_probability_is_tested() -> None:
    """What is near 0 already can fall by next to nothing, and yet to a tenth of it."""
    explanation = explain(1)
    (unlikely := np.full((COUNT, 8), 0.01))[:, 0] = 0.93
    named = replace(explanation, outputs=explanation.outputs | {"emotion": unlikely}, is_named=True)
    less = named.score({"emotion": unlikely / 10, "valence": explanation.outputs["valence"]})
    np.testing.assert_allclose(named.score(named.outputs)["emotion"] - less["emotion"], np.log(10))
    np.testing.assert_array_equal(less["valence"], explanation.score(explanation.outputs)["valence"])
    assert named.select(slice(0, 2)).is_named
    assert np.isfinite(named.score({**named.outputs, "emotion": np.zeros((COUNT, 8))})["emotion"]).all()


def tree(deletion: tuple, insertion: tuple | None, difference: tuple) -> Tree:
    gains = {"deletion": list(deletion)} | ({"insertion": list(insertion)} if insertion else {})
    randomised = {"hirescam": {"emotion": {"difference": list(difference)}}}
    return {"intervals": {"gain": {"random": {"hirescam": {"emotion": gains}}}, "randomised": randomised}}


@pytest.mark.parametrize(
    ("found", "faults"),
    [
        (tree((0.1, 0.2), (0.1, 0.2), (-0.1, 0.1)), []),
        (tree((0.0, 0.2), (0.1, 0.2), (-0.1, 0.1)), ["deletion no better than chance"]),
        (tree((0.1, 0.2), (-0.1, 0.2), (-0.3, -0.1)), ["insertion no better than chance"]),
        # A curve whose interval is not defined proves nothing.
        (tree((0.1, 0.2), None, (-0.1, 0.1)), ["insertion no better than chance"]),
        (tree((0.1, 0.2), (0.1, 0.2), (0.05, 0.11)), ["weights in disorder may leave it"]),
        # Of few images nothing is known.
        (tree((0.1, 0.2), (0.1, 0.2), (-0.4, 0.3)), ["weights in disorder may leave it"]),
    ],
)
def test_maps_are_shown_where_both_curves_and_the_weights_speak_for_them(found: Tree, faults: list[str]) -> None:
    assert find_faults(found, "hirescam", "emotion") == faults
