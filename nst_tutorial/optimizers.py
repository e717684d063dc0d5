"""Optimizers: which one moves the picture, and by how much at each step."""

from nst_tutorial.backend import keras, ops


class NadamKeras2(keras.optimizers.Adam):
    r"""Nadam as Keras 2 had it: Adam that looks one step ahead (Dozat, 2015).

    $u_t = \beta_1 (1 - \frac{1}{2} 0.96^{0.004 t})$, with the product $U_t = u_1 \dots u_t$, and

    $x \leftarrow x - \frac{\eta}{\sqrt{\hat v} + \epsilon} \left( \frac{u_{t+1}\, m}{1 - U_{t+1}}
    + \frac{(1 - u_t)\, g}{1 - U_t} \right)$

    where m, v are Adam's running means of the gradient g and of its square.

    Differs: Keras 3's Nadam has $0.96^t$. There $u_t$ reaches β₁ within a hundred steps; here it
    still is 0.72 β₁ after 3500, so that the gradient of the moment counts for more.
    Taught in: 07_full_transfer.
    """

    def build(self, variables):
        super().build(variables)
        self._product = self.add_variable((), initializer="ones", name="product")

    def update_step(self, gradient, variable, learning_rate):
        """Move one variable. The picture is the only one there is."""
        t = ops.cast(self.iterations + 1, "float32")
        now, ahead = self._momentum(t), self._momentum(t + 1)
        m, v = self._momentums[0], self._velocities[0]
        self.assign(self._product, self._product * now)
        self.assign(m, self.beta_1 * m + (1 - self.beta_1) * gradient)
        self.assign(v, self.beta_2 * v + (1 - self.beta_2) * ops.square(gradient))
        step = ahead * m / (1 - self._product * ahead) + (1 - now) * gradient / (1 - self._product)
        size = ops.sqrt(v / (1 - self.beta_2**t)) + self.epsilon
        self.assign_sub(variable, learning_rate * step / size)

    def _momentum(self, t):
        return self.beta_1 * (1 - 0.5 * 0.96 ** (0.004 * t))


KINDS = {
    "adam": keras.optimizers.Adam,
    "nadam": keras.optimizers.Nadam,
    "nadam_keras2": NadamKeras2,
}


def make_optimizer(name, beta_1=0.9, epsilon=1e-7):
    """Make a Keras optimizer, with nothing remembered yet; each step has its own learning rate."""
    if name == "sgd":
        return keras.optimizers.SGD()
    kind = KINDS.get(name, keras.optimizers.Adam)  # L-BFGS never steps with it
    return kind(beta_1=beta_1, epsilon=epsilon)


def apply(optimizer, variable, memory, gradient):
    """Apply a gradient, as a function without side effects.

    Args:
        optimizer: a Keras optimizer, built on one variable. Its own state is of no account.
        variable: tensor, the variable's value.
        memory: list of tensors, its `variables`' values.
        gradient: tensor.

    Returns:
        the new variable, and the new memory.
    """
    if keras.backend.backend() == "jax":
        [moved], memory = optimizer.stateless_apply(memory, [gradient], [variable])
        return moved, memory
    state = [*optimizer._trainable_variables, *optimizer.variables]
    for place, value in zip(state, (variable, *memory), strict=True):
        place.assign(value)
    optimizer.apply([gradient])
    moved, *memory = map(ops.copy, state)  # the values, not the places
    return moved, memory


def rate_at(config, number, steps, first):
    """Look the learning rate of a step up.

    Args:
        config: a `TransferConfig`. With `decay` None the rate falls to a tenth over all steps;
            else to `decay` times itself in each 100.
        number: steps taken before this one.
        steps: in all.
        first: the rate of the first step.
    """
    if config.decay is None:
        return first * 0.1 ** (number / steps)
    return first * config.decay ** (number / 100)
