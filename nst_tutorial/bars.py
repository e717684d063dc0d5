"""The progress bar of commands that take steps."""

import contextlib


@contextlib.contextmanager
def bar(name):
    """Show progress while it lasts; yield a callback for a transfer's or a training's steps."""
    from tqdm import tqdm

    # With a delay, however short, nothing is drawn before the first step: a mistake is one line.
    with tqdm(unit="step", desc=name, delay=1e-6) as drawn:

        def show(step):
            size = f"{step.size} px, " if hasattr(step, "size") else ""
            drawn.total, drawn.n = step.steps, step.step
            drawn.set_postfix_str(f"{size}loss {step.total:.3g}", refresh=False)
            drawn.update(0)

        yield show
