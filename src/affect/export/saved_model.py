"""A trained model as a SavedModel, a folder, for TensorFlow Serving and TensorFlow itself."""

from pathlib import Path

import numpy as np

from affect.export.graph import INPUT, freeze
from affect.export.quiet import quiet
from affect.models.backend import keras
from affect.models.card import METADATA_KEY, ExportCard
from affect.models.predictors.predictor import ExportedPredictor, Outputs

# TensorFlow leaves this folder as it is.
CARD_FILE = Path("assets.extra") / f"{METADATA_KEY}.json"
SIGNATURE = "serving_default"


def write_saved_model(model: keras.Model, card: ExportCard, folder: Path, images: np.ndarray | None = None) -> None:  # noqa: ARG001, it has no int8
    """Write a model as a SavedModel: its signature serving_default takes `image` and returns each task."""
    import tensorflow as tf  # noqa: PLC0415, importing this module must not import it

    frozen, tasks = freeze(model), sorted(model.output)

    @tf.function(input_signature=[tf.TensorSpec(frozen.inputs[0].shape, tf.float32, name=INPUT)])
    def infer(image: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        return dict(zip(tasks, frozen(image), strict=True))

    # Nothing is left to train.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with quiet():
        tf.saved_model.save(tf.Module(), folder, signatures={SIGNATURE: infer}, options=options)
    _fix_order(folder / "saved_model.pb")
    # It holds a random number, and TensorFlow loads a model without it.
    (folder / "fingerprint.pb").unlink()
    (folder / CARD_FILE).parent.mkdir()
    (folder / CARD_FILE).write_text(card.model_dump_json(indent=2), encoding="utf-8")


def _fix_order(file: Path) -> None:
    """Order what TensorFlow orders at random, in place: the operations of functions, and maps."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel  # noqa: PLC0415, importing this must not import it

    saved = SavedModel.FromString(file.read_bytes())
    for graph in saved.meta_graphs:
        for function in graph.graph_def.library.function:
            function.node_def.sort(key=lambda node: node.name)
    file.write_bytes(saved.SerializeToString(deterministic=True))


class SavedModelPredictor(ExportedPredictor):
    """A SavedModel that was just written: such a folder can hold any operation, so strangers' are not opened."""

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf  # noqa: PLC0415, importing this module must not import it

        self.file = folder
        with quiet():
            self.loaded = tf.saved_model.load(folder)
        self.infer = self.loaded.signatures[SIGNATURE]
        self.exported = ExportCard.model_validate_json((folder / CARD_FILE).read_bytes())
        self.card = self.exported.model
        self.image_size = self.infer.structured_input_signature[1][INPUT].shape[1]

    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch."""
        import tensorflow as tf  # noqa: PLC0415

        outputs = self.infer(**{INPUT: tf.constant(batch, tf.float32)})
        return {task: values.numpy() for task, values in outputs.items()}
