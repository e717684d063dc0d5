"use strict";
// The wipe: a line across the picture, photograph on its left and painting on its right.

const STEPS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10,
  Home: -100, End: 100 };

class Wipe {
  constructor(stage, handle) {
    [this.stage, this.handle] = [stage, handle];
    this.set(100);
    handle.addEventListener("keydown", (event) => this.#key(event));
    stage.addEventListener("pointerdown", (event) => this.#press(event));
    stage.addEventListener("pointermove", (event) => {
      if (stage.hasPointerCapture(event.pointerId)) this.#follow(event);
    });
  }

  /** Put the line at a percentage of the width. */
  set(percent) {
    this.value = Math.min(100, Math.max(0, percent));
    this.stage.style.setProperty("--wipe", `${this.value}%`);
    const shown = Math.round(this.value);
    this.handle.setAttribute("aria-valuenow", shown);
    this.handle.setAttribute("aria-valuetext", `${shown}% photograph, ${100 - shown}% painting`);
    const [before, after] = this.stage.querySelectorAll(".tag");
    before.classList.toggle("away", this.value < 20);
    after.classList.toggle("away", this.value > 80);
  }

  /** Draw the line back, unless the visitor wants no motion or has touched it. */
  async reveal(percent) {
    const turn = (this.turn = {});
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const [from, begin] = [this.value, performance.now()];
    for (let t = still ? 1 : 0; t < 1; ) {
      const now = await new Promise(requestAnimationFrame);
      if (this.turn !== turn) return;
      t = Math.min(1, Math.max(0, (now - begin) / 900));
      this.set(from + (percent - from) * (1 - (1 - t) ** 3));
    }
    this.set(percent);
  }

  #press(event) {
    if (event.button) return;
    this.turn = null;
    this.stage.setPointerCapture(event.pointerId);
    this.handle.focus({ preventScroll: true, focusVisible: false });
    this.#follow(event);
    event.preventDefault();
  }

  #follow(event) {
    const { left, width } = this.stage.getBoundingClientRect();
    this.set((100 * (event.clientX - left)) / width);
  }

  #key(event) {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    this.turn = null;
    this.set(this.value + step);
  }
}
