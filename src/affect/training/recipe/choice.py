"""The recipe that params.yaml chooses."""

from collections.abc import Sequence

import keras
import numpy as np
import pandas as pd

from affect.plumbing.params import Augment, Train
from affect.training.input.augmentation import Alteration, Augmentation
from affect.training.input.batches import Treatment
from affect.training.input.examples import balanced_class_weights
from affect.training.input.mixing import Mixing
from affect.training.recipe.objective import Objective
from affect.training.recipe.optimizer import LogLearningRate, make_optimizer, warm_up_and_cosine


def choose_objective(train: Train, tasks: Sequence[str], votes: bool) -> Objective:
    """Return what the training minimises."""
    weights = train.loss_weights.model_dump()
    shares = votes or train.mixup > 0 or train.cutmix > 0 or train.label_smoothing > 0
    return Objective({task: weights[task] for task in tasks}, train.va_loss, shares, train.label_smoothing)


def choose_class_weights(index: pd.DataFrame, train: Train) -> np.ndarray | None:
    """Return the weight of each expression in the loss; None where all weigh the same."""
    return balanced_class_weights(index["expression"]) if train.class_weight == "balanced" else None


def choose_treatment(index: pd.DataFrame, train: Train, augment: Augment) -> Treatment:
    """Return what is done to the training images of an index."""
    return Treatment(
        train.seed,
        train.sampling,
        index["expression"].to_numpy(),
        choose_alteration(index, augment) if augment.online else None,
        Mixing(train.mixup, train.cutmix),
    )


def choose_val_treatment(train: Train) -> Treatment | None:
    """Return in what order images are validated on: any where a loss adds up, else one that mixes the expressions.

    A CCC of a batch says little where the batch is of one class, as in a dataset that lies sorted.
    """
    return None if train.va_loss == "mse" else Treatment(train.seed)


def choose_alteration(index: pd.DataFrame, augment: Augment) -> Alteration:
    """Return how the training images are altered anew in each epoch."""
    bounds = Augmentation(**augment.model_dump(exclude={"copies", "online", "seed"}))
    return Alteration(bounds, index["id"].array, index["copy"].to_numpy(), augment.seed)


def choose_optimizer(train: Train, steps: int) -> keras.optimizers.Adam:
    """Return the optimiser of a training of so many steps."""
    rate = train.learning_rate
    if train.schedule == "cosine":
        rate = warm_up_and_cosine(rate, steps, train.warm_up)
    return make_optimizer(rate, train.weight_decay, train.weight_averaging)


def choose_callbacks(train: Train) -> list[keras.callbacks.Callback]:
    """Return the callbacks of the recipe, in the order in which they act on the end of an epoch."""
    averaged = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if train.weight_averaging else []
    if train.schedule == "cosine":
        return [*averaged, LogLearningRate()]
    return [*averaged, keras.callbacks.ReduceLROnPlateau(factor=train.plateau_factor, patience=train.plateau_patience)]
