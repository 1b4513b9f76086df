"""The optimiser and its schedule."""

import keras

from affect.models.kernels import adam

# Neither moves a direction: a decay would only pull them to zero.
UNDECAYED = ("bias", "gamma", "beta")


def make_optimizer(
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    weight_decay: float = 0.0,
    averaging: float = 0.0,
) -> keras.optimizers.Adam:
    """Return Adam; with a weight decay, AdamW (Loshchilov and Hutter 2019).

    weight_decay: share of the learning rate by which weights shrink a step; biases and norms are exempt.
    averaging: momentum of an exponential moving average of the weights, 0 for none.
    """
    ema = {"use_ema": True, "ema_momentum": averaging} if averaging else {}
    optimizer = adam(learning_rate, weight_decay=weight_decay or None, **ema)
    if weight_decay:
        optimizer.exclude_from_weight_decay(var_names=list(UNDECAYED))
    return optimizer


def warm_up_and_cosine(
    learning_rate: float, steps: int, warm_up: float
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a rate that rises from 0 over the share `warm_up` of the steps and then falls to 0 as a cosine."""
    # At least one step falls, of however few.
    rising = min(round(warm_up * steps), steps - 1)
    if not rising:
        return keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(0.0, steps - rising, warmup_target=learning_rate, warmup_steps=rising)


class LogLearningRate(keras.callbacks.Callback):
    """Log the learning rate of a schedule at the end of each epoch, as ReduceLROnPlateau does."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes it
        """Add it to the logs."""
        if logs is not None:
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
