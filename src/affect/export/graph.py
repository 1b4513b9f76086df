"""A trained model as a TensorFlow graph: what the formats are written from."""

from typing import TYPE_CHECKING

from affect.models.backend import ON_TENSORFLOW, keras
from affect.models.saved_model import image_size
from affect.plumbing.errors import InputError

if TYPE_CHECKING:
    import tensorflow as tf
    from tensorflow.types.experimental import ConcreteFunction

INPUT = "image"


def require_tensorflow() -> None:
    """Raise InputError where Keras runs on another backend, whatever a model was trained on."""
    if not ON_TENSORFLOW:
        raise InputError("models are exported by TensorFlow; unset KERAS_BACKEND")


def freeze(model: keras.Model) -> "ConcreteFunction":
    """Return inference with the weights, and what preprocesses the images, as constants.

    It takes `image`, (count, size, size, 3) float32 RGB 0-255, and returns the model's outputs by task.
    """
    import tensorflow as tf  # noqa: PLC0415, importing this module must not import it
    from tensorflow.python.framework.convert_to_constants import (  # noqa: PLC0415
        convert_variables_to_constants_v2,
    )

    size = image_size(model)

    def infer(image: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        outputs = model(image, training=False)
        return {task: tf.identity(values, name=task) for task, values in outputs.items()}

    images = tf.TensorSpec((None, size, size, 3), tf.float32, name=INPUT)
    return convert_variables_to_constants_v2(tf.function(infer).get_concrete_function(images))
