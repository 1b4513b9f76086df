"""Maps of all three outputs against the loop of Keras's tutorial on Grad-CAM, and against predictions alone."""

import numpy as np
import tensorflow as tf

from affect.core.labels import TASKS
from affect.explanation import Explainer
from affect.models.backend import keras
from affect.models.multitask import Heads, build_model
from measuring import Result, compare, timed

FACES, SIZE, TURNS = 16, 96, 3


def compare_maps(backbone: str) -> list[Result]:
    """Compare HiResCAM and Grad-CAM of a batch of faces, three outputs each."""
    model = build_model(backbone, SIZE, None, 50, Heads(512, 256, 128), TASKS).full
    images = np.random.default_rng(1).integers(0, 256, (FACES, SIZE, SIZE, 3)).astype(np.float32)
    explainer = Explainer(model)
    both = keras.Model(model.input, [model.get_layer(explainer.layer).output, model.output])

    def explain_by_tutorial() -> None:
        """As keras.io/examples/vision/grad_cam has it: a tape for each face and output, run eagerly."""
        for image in images:
            for task in TASKS:
                with tf.GradientTape() as tape:
                    maps, outputs = both(image[None])
                    score = tf.reduce_max(outputs[task])
                tf.reduce_mean(tape.gradient(score, maps), axis=(0, 1, 2))

    ours = {"maps of all at once": timed(lambda: explainer.explain(images))}
    baselines = {
        "Keras's tutorial on Grad-CAM": timed(explain_by_tutorial),
        "no maps: Keras's predict_on_batch": timed(lambda: model.predict_on_batch(images)),
    }
    for work in (*ours.values(), *baselines.values()):
        work()
    return compare(f"maps of {FACES} faces, {SIZE} px, {backbone}", ours, baselines, TURNS)
