"""From images to a table of predictions."""

from collections.abc import Iterable

import keras
import numpy as np
import pandas as pd
from keras import tree

from affect.core.labels import VALENCE_AROUSAL
from affect.core.predictions import DECIMALS, PREDICTED, PROBABILITIES


def predict(model: keras.Model, batches: Iterable[np.ndarray]) -> pd.DataFrame:
    """Predict batches of (count, size, size, 3) images, RGB 0-255.

    Returns a row an image with the columns of PREDICTED: expression 0-7, probabilities in [0, 1], valence and
    arousal in [-1, 1], NaN where the model did not learn them. Everything is rounded to six decimals.
    """
    outputs = [model.predict_on_batch(batch) for batch in batches]
    output = tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)
    table = pd.DataFrame(output["emotion"].astype(np.float64).round(DECIMALS), columns=PROBABILITIES)
    for task in VALENCE_AROUSAL:
        values = output[task][:, 0].astype(np.float64).round(DECIMALS) if task in output else np.nan
        table[f"predicted_{task}"] = values
    table["predicted_expression"] = table[PROBABILITIES].to_numpy().argmax(axis=1)
    return table[PREDICTED]
