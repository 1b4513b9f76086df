"""From images to a table of predictions, one way for whatever file a network is in."""

from affect.models.predictors.keras_file import KerasPredictor
from affect.models.predictors.opening import open_predictor, predict_records
from affect.models.predictors.predictor import Predictor

__all__ = ["KerasPredictor", "Predictor", "open_predictor", "predict_records"]
