"""A vision transformer and a hybrid in Keras's own layers: a `.keras` file of them needs no code of this repository.

Tokens stay on their map, (count, rows, columns, width), so that pooling and explanations find places in the output.
"""

import keras
from keras import KerasTensor, layers

PATCH = 16
# The layer whose bias is the vision transformer's position embedding, (rows, columns, width).
POSITION_EMBEDDING = "position_embedding"

_HEAD_WIDTH = 64
_MLP_RATIO = 4
_EPSILON = 1e-6


def scale_to_unit_range(rgb: KerasTensor) -> KerasTensor:
    """From 0-255 to [-1, 1]."""
    return layers.Rescaling(1 / 127.5, -1.0, name="scale")(rgb)


def vision_transformer(inputs: KerasTensor, weights: str | None = None) -> keras.Model:
    """Build ViT-Ti/16 (Dosovitskiy et al. 2021; Touvron et al. 2021) without a class token: its output is a map.

    inputs: (size, size, 3) in [-1, 1], the size a multiple of `PATCH`. Returns (size / 16, size / 16, 192).
    """
    _require_no_weights(weights)
    width = 192
    # Keras's default divides by the outputs of overlapping patches too, and would begin with a sixth of this.
    patches = layers.Conv2D(width, PATCH, PATCH, kernel_initializer="lecun_normal", name="patches")(inputs)
    tokens = _add_positions(patches)
    for number in range(1, 13):
        tokens = _transformer_block(tokens, f"block{number}")
    return keras.Model(keras.utils.get_source_inputs(inputs), _normalise(tokens, "norm"), name="vit")


def hybrid(inputs: KerasTensor, weights: str | None = None) -> keras.Model:
    """Build a convolutional stem with a transformer on its last map, as CoAtNet (Dai et al. 2021) in small.

    inputs: (size, size, 3) in [-1, 1]. Returns (size / 16, size / 16, 256), rounded up. Convolutions see where they are
    by their padding, so that weights fit images of any size.
    """
    _require_no_weights(weights)
    maps = _convolve(inputs, 32, 3, 2, "stem")
    for number, width in enumerate((64, 128), start=1):
        maps = _residual_block(_convolve(maps, width, 3, 2, f"stage{number}_down"), f"stage{number}")
    tokens = layers.Conv2D(256, 3, 2, padding="same", name="tokens")(maps)
    places = layers.DepthwiseConv2D(3, padding="same", name="places")(tokens)
    tokens = layers.Add(name="places_add")([tokens, places])
    for number in range(1, 6):
        tokens = _transformer_block(tokens, f"block{number}")
    return keras.Model(keras.utils.get_source_inputs(inputs), _normalise(tokens, "norm"), name="hybrid")


def _require_no_weights(weights: str | None) -> None:
    if weights is not None:
        raise ValueError("these networks have no weights that Keras could download")


def _add_positions(patches: KerasTensor) -> KerasTensor:
    """Add a learned (rows, columns, width) embedding: a bias for each position, beside a scale for each channel.

    No layer of Keras adds a weight of its own to a map, but EinsumDense has a bias of any axes.
    """
    return layers.EinsumDense(
        "bhwc,c->bhwc",
        output_shape=patches.shape[1:],
        bias_axes="hwc",
        kernel_initializer="ones",
        bias_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        name=POSITION_EMBEDDING,
    )(patches)


def _transformer_block(tokens: KerasTensor, name: str) -> KerasTensor:
    """Attend to all tokens of the map, then transform each alone; the norms come first (pre-norm)."""
    width = tokens.shape[-1]
    normal = _normalise(tokens, f"{name}_norm1")
    attention = layers.MultiHeadAttention(
        width // _HEAD_WIDTH,
        _HEAD_WIDTH,
        attention_axes=(1, 2),
        # Keras's default takes these kernels for those of a convolution, and would begin with a sixth of this.
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=width**-0.5),
        name=f"{name}_attention",
    )
    tokens = layers.Add(name=f"{name}_attention_add")([tokens, attention(normal, normal)])
    hidden = layers.Dense(_MLP_RATIO * width, "gelu", name=f"{name}_mlp_in")(_normalise(tokens, f"{name}_norm2"))
    return layers.Add(name=f"{name}_add")([tokens, layers.Dense(width, name=f"{name}_mlp_out")(hidden)])


def _normalise(tokens: KerasTensor, name: str) -> KerasTensor:
    return layers.LayerNormalization(epsilon=_EPSILON, name=name)(tokens)


def _residual_block(maps: KerasTensor, name: str) -> KerasTensor:
    width = maps.shape[-1]
    hidden = _convolve(maps, width, 3, 1, f"{name}_expand")
    hidden = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_project")(hidden)
    hidden = layers.BatchNormalization(name=f"{name}_project_bn")(hidden)
    return layers.Activation("relu", name=f"{name}_out")(layers.Add(name=f"{name}_add")([maps, hidden]))


def _convolve(maps: KerasTensor, width: int, kernel: int, stride: int, name: str) -> KerasTensor:
    maps = layers.Conv2D(width, kernel, stride, padding="same", use_bias=False, name=name)(maps)
    return layers.Activation("relu", name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_bn")(maps))
