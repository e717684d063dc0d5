"use strict";
// The painter: a worker that runs the network, so that the page never waits.
//
// Everything the worker needs comes in scripts (`data/*.js`), because a page that is opened from a
// disk may load scripts but fetch nothing.

const TRIAL = 10_000; // milliseconds that a graphics card has for its first, small picture
const PACKED = {}; // {name: base64 of gzip}, which the scripts of data/ fill

class Painter {
  /** Load runtime and network; `GALLERY.runtimes` says which there are. */
  async start() {
    this.choices ??= await runtimesHere();
    this.runtime = this.choices.shift();
    await Promise.all([loadScript("data/network.js"), loadScript(`data/${this.runtime}.js`)]);
    const source = new Blob([PACKED.worker], { type: "text/javascript" });
    this.worker = new Worker(URL.createObjectURL(source));
    const { [`${this.runtime}_code`]: code, [`${this.runtime}_wasm`]: wasm, network } = PACKED;
    try {
      const { margin, stride, waves, ripple } = GALLERY;
      await this.#ask({ code, wasm, network, gpu: this.onGpu, margin, stride, waves, ripple });
      if (this.onGpu) await this.#tryOut();
    } catch (error) {
      await this.#startAnother(error);
    }
  }

  /** Whether the graphics card paints. */
  get onGpu() {
    return this.runtime !== "wasm";
  }

  /**
   * Paint ImageData with a list of weights, one for each style.
   *
   * Only the newest wish waits while another picture is painted; of one that was overtaken comes
   * null, of others {pixels, milliseconds}.
   */
  paint(pixels, weights) {
    this.waiting?.resolve(null);
    return new Promise((resolve, reject) => {
      this.waiting = { pixels, weights, resolve, reject };
      this.#next();
    });
  }

  async #next() {
    if (this.busy || !this.waiting) return;
    const { pixels, weights, resolve, reject } = this.waiting;
    [this.busy, this.waiting] = [true, null];
    try {
      resolve(await this.#paintOrStartAnother({ pixels, weights }));
    } catch (error) {
      reject(error);
    } finally {
      this.busy = false;
      this.#next();
    }
  }

  async #paintOrStartAnother(wish) {
    try {
      return await this.#ask(wish);
    } catch (error) {
      await this.#startAnother(error);
      return this.#ask(wish);
    }
  }

  /** Paint something small: a graphics card may fail, or be slower than the processor. */
  async #tryOut() {
    const trial = { pixels: new ImageData(64, 64), weights: GALLERY.styles.map(() => 1) };
    const late = new Promise((_, reject) => {
      setTimeout(reject, TRIAL, new Error("the graphics card takes too long"));
    });
    await Promise.race([this.#ask(trial), late]);
  }

  /** Go on with the processor where the graphics card has failed. */
  async #startAnother(error) {
    this.worker.terminate();
    if (!this.choices.length) throw error;
    console.warn(`${this.runtime}: ${error.message}`);
    await this.start();
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      const fail = (event) => reject(new Error(event.message || "the painter stopped"));
      this.worker.onmessage = ({ data }) =>
        data.error ? reject(new Error(data.error)) : resolve(data);
      this.worker.onerror = fail;
      this.worker.postMessage(message);
    });
  }
}

/** The runtimes that this browser can use, the fastest first. */
async function runtimesHere() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!adapter || adapter.info?.isFallbackAdapter) return ["wasm"];
  return ["Suspending" in WebAssembly ? "jspi" : "webgpu", "wasm"];
}

/** Load a script once. */
function loadScript(src) {
  loadScript.seen ??= {};
  return (loadScript.seen[src] ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src, onload: resolve });
    script.onerror = () => reject(new Error(`${src} could not be loaded; reload the page.`));
    document.head.append(script);
  }));
}
