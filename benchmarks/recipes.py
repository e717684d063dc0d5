"""Other people's ways to take a step, written here from their published definitions.

Each takes a full Keras VGG19 without its classifier, and pictures `(1, H, W, 3)`, RGB, 0..255, and
returns a function that takes one step. Sources: "Neural style transfer", keras.io/examples (2020,
as of Keras 3); "Neural style transfer", tensorflow.org/tutorials. The original notebook's way needs
none of its own: it is this package's with one size, float32 and Keras' Nadam(10).
"""

import keras
import tensorflow as tf

STYLE_LAYERS = [f"block{block}_conv1" for block in range(1, 6)]
CONTENT_LAYER = "block5_conv2"


def keras_io(vgg19, content, style):
    """All three pictures go through the network at every step; SGD with a falling rate."""
    outputs = {layer.name: layer.output for layer in vgg19.layers}
    network = keras.Model(vgg19.inputs, outputs)
    height, width = content.shape[1:3]
    prepared = [keras.applications.vgg19.preprocess_input(one.copy()) for one in (content, style)]
    base, reference = map(tf.constant, prepared)
    picture = tf.Variable(prepared[0])
    rate = keras.optimizers.schedules.ExponentialDecay(100.0, decay_steps=100, decay_rate=0.96)
    optimizer = keras.optimizers.SGD(rate)

    def gram(features):
        flat = tf.reshape(tf.transpose(features, (2, 0, 1)), (features.shape[2], -1))
        return tf.matmul(flat, tf.transpose(flat))

    def loss_of(picture):
        features = network(tf.concat([base, reference, picture], axis=0))
        deep = features[CONTENT_LAYER]
        loss = 2.5e-8 * tf.reduce_sum(tf.square(deep[2] - deep[0]))
        for layer in STYLE_LAYERS:
            S, C = gram(features[layer][1]), gram(features[layer][2])
            distance = tf.reduce_sum(tf.square(S - C)) / (4.0 * 3**2 * (height * width) ** 2)
            loss += 1e-6 / len(STYLE_LAYERS) * distance
        a = tf.square(picture[:, :-1, :-1] - picture[:, 1:, :-1])
        b = tf.square(picture[:, :-1, :-1] - picture[:, :-1, 1:])
        return loss + 1e-6 * tf.reduce_sum(tf.pow(a + b, 1.25))

    @tf.function
    def loss_and_gradient(picture):
        with tf.GradientTape() as tape:
            loss = loss_of(picture)
        return loss, tape.gradient(loss, picture)

    def step():
        loss, gradient = loss_and_gradient(picture)
        optimizer.apply_gradients([(gradient, picture)])
        return float(loss)

    return step


def tensorflow_tutorial(vgg19, content, style):
    """Targets once, one picture through the network, the whole step one graph; Adam(0.02)."""
    wanted = [CONTENT_LAYER, *STYLE_LAYERS]
    network = keras.Model(vgg19.inputs, [vgg19.get_layer(layer).output for layer in wanted])
    picture = tf.Variable(content / 255)
    optimizer = keras.optimizers.Adam(0.02, beta_1=0.99, epsilon=1e-1)

    def look(picture):
        deep, *features = network(keras.applications.vgg19.preprocess_input(picture * 255.0))
        return deep, [
            tf.linalg.einsum("bijc,bijd->bcd", F, F)
            / tf.cast(tf.reduce_prod(tf.shape(F)[1:3]), F.dtype)
            for F in features
        ]

    (deep_target, _), (_, style_targets) = (
        look(tf.constant(content / 255)), look(tf.constant(style / 255)),
    )  # fmt: skip

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            deep, grams = look(picture)
            distances = [
                tf.reduce_mean((G - A) ** 2) for G, A in zip(grams, style_targets, strict=True)
            ]
            loss = 1e-2 / len(STYLE_LAYERS) * tf.add_n(distances)
            loss += 1e4 * tf.reduce_mean((deep - deep_target) ** 2)
            loss += 30 * tf.reduce_sum(tf.image.total_variation(picture))
        gradient = tape.gradient(loss, picture)
        optimizer.apply_gradients([(gradient, picture)])
        picture.assign(tf.clip_by_value(picture, 0.0, 1.0))
        return loss

    return lambda: float(step())
