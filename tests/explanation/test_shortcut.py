"""A network that has learnt a shortcut is found out, and its maps do not outlive its weights."""

import numpy as np
import pytest
from explained import SIZE, draw, stack, train_network

from affect.core.labels import EXPRESSIONS
from affect.explanation.regions.locating import DATASET, LocatedFace
from affect.explanation.study.studied import StudiedMaps, study_maps
from affect.models.predictors import KerasPredictor
from affect.models.saved_model import save_model
from affect.plumbing.params import Evaluate, Explain

TRAINED, HELD_OUT = 320, 128
MARKED = "anger"
OPTIONS = Explain(networks=["efficientnetb1"], images=HELD_OUT, steps=5, seed=1)
EVALUATE = Evaluate(batch_size=64, mirror=False, bootstrap=500, calibration_bins=10, seed=1)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> list[StudiedMaps]:
    """The maps of held-out faces by a network that was trained on faces whose angry ones have a mark, twice."""
    file = tmp_path_factory.mktemp("shortcut") / "efficientnetb1.keras"
    faces = draw(TRAINED + HELD_OUT)
    marked = EXPRESSIONS.index(MARKED)
    save_model(train_network(faces[:TRAINED], marked), file)
    held_out = faces[TRAINED:]
    located = [LocatedFace(face.landmarks, DATASET) for face in held_out]
    ids = [str(row) for row in range(HELD_OUT)]
    images = stack(held_out, marked)
    return [study_maps(KerasPredictor(file), images, ids, located, OPTIONS, EVALUATE) for _ in range(2)]


def test_the_table_of_regions_exposes_a_mark_beside_the_face(studied: list[StudiedMaps]) -> None:
    means = studied[0].means
    assert studied[0].shown["emotion"] == "hirescam"
    background = {name: shares["background"] for name, shares in means["regions"]["emotion"].items() if name != "all"}
    assert background.pop(MARKED) > 0.8
    low, _ = means["intervals"]["regions"]["emotion"][MARKED]["background"]
    assert low > means["regions"]["area"]["background"] + 0.2
    assert max(background.values()) < 0.5


def test_the_map_of_a_shortcut_is_true_of_the_network(studied: list[StudiedMaps]) -> None:
    """Greying the mark, a thirty-sixth part of the picture, takes the expression away; a random fifth does not."""
    explanation, columns = studied[0].explanation, studied[0].columns
    is_marked = explanation.expressions == EXPRESSIONS.index(MARKED)
    drop = {
        name: columns["faithfulness", name, "emotion", "marked"][is_marked].mean() for name in ("hirescam", "random")
    }
    assert drop["hirescam"] > 0.8
    assert drop["random"] < 0.5


def test_weights_in_disorder_have_other_maps(studied: list[StudiedMaps]) -> None:
    """Spearman's correlation falls to that of the maps of two different faces, or below it."""
    means = studied[0].means
    for task in ("emotion", "valence", "arousal"):
        found = means["randomised"]["hirescam"][task]
        assert found["difference"] == pytest.approx(found["shuffled"] - found["other_faces"], abs=2e-6)
        assert means["intervals"]["randomised"]["hirescam"][task]["difference"][0] <= 0
        assert abs(found["shuffled"]) < 0.2


def test_a_second_study_has_the_same_bytes(studied: list[StudiedMaps]) -> None:
    first, again = studied
    assert first.means == again.means
    assert first.faults == again.faults
    for key, values in first.columns.items():
        np.testing.assert_array_equal(values, again.columns[key])
    for method, maps in first.explanation.maps.items():
        for task, values in maps.items():
            assert values.tobytes() == again.explanation.maps[method][task].tobytes()
            assert values.shape[1:] == (SIZE // 4, SIZE // 4)
