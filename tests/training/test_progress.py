"""An epoch is one short line."""

from itertools import product

import pytest

from affect.training.progress import describe_epoch

NAMES = ("loss", "emotion_accuracy", "valence_ccc", "arousal_ccc")


def test_an_epoch_has_loss_accuracy_and_cccs_of_training_and_validation() -> None:
    values = (0.4153, 0.867, 0.893, 0.88, 0.3911, 0.905, 0.915, 0.902)
    logs = dict(zip((f"{side}{name}" for side, name in product(("", "val_"), NAMES)), values, strict=True))
    assert describe_epoch(2, 6, logs | {"learning_rate": 0.001}) == (
        "epoch 3/6 train|val: loss 0.415|0.391 accuracy 0.867|0.905 CCC valence 0.893|0.915 arousal 0.880|0.902"
    )


@pytest.mark.parametrize("loss", [12.345, 0.000123456, 123456.7, 1.5e-9])
def test_no_line_is_longer_than_a_terminal(loss: float) -> None:
    logs = {f"{side}{name}": -0.12345 for side, name in product(("", "val_"), NAMES)} | {"loss": loss, "val_loss": loss}
    assert len(describe_epoch(999, 1000, logs | {"emotion_accuracy": 0.5, "val_emotion_accuracy": 0.5})) <= 120


def test_what_a_dataset_does_not_annotate_is_left_out() -> None:
    logs = {"loss": 1.0, "val_loss": 2.0, "emotion_accuracy": 0.5, "val_emotion_accuracy": 0.25}
    assert describe_epoch(0, 1, logs) == "epoch 1/1 train|val: loss 1|2 accuracy 0.500|0.250"
