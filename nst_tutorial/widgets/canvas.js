/**
 * The browser's half of MaskCanvas: regions painted over a photograph.
 *
 * A Sheet holds what is painted and its past, once for all views of a model. A View is what one
 * student sees and does. Python shares `_labels` with the sheet; canvas.py says how it is written.
 */

const COLORS = [ // Okabe and Ito's, which color-blind people tell apart; and ink to write on each
  ["#0072b2", "white"], ["#e69f00", "black"], ["#009e73", "black"], ["#cc79a7", "black"],
  ["#f0e442", "black"], ["#d55e00", "black"], ["#56b4e9", "black"], ["#000000", "white"],
];
const INSIDES = COLORS.map(([color]) => asPixel(color, 0x80)); // half transparent
const EDGES = COLORS.map(([color]) => asPixel(color, 0xff));
const RUN = 16; // pixels at most
const REMEMBERED = 100; // states
const STEP = 1.25; // from one brush size to the next

const TEMPLATE = `
  <form class="nst-tools">
    <fieldset aria-label="Region to paint"></fieldset>
    <label class="nst-size">Brush <input name="size" type="range" aria-label="Brush size"></label>
    <div>
      <button type="button" name="fill" aria-pressed="false"
        title="Fill what is clicked, up to the paint around it (F)">Fill</button>
      <button type="button" name="undo" title="Undo (Ctrl+Z)">Undo</button>
      <button type="button" name="redo" title="Redo (Ctrl+Shift+Z)">Redo</button>
      <button type="button" name="clear" title="Remove all paint">Clear</button>
    </div>
  </form>
  <div class="nst-stage">
    <img alt="" draggable="false">
    <canvas tabindex="0" role="application"
      aria-label="Photograph to paint on: arrows move the brush, Space paints"></canvas>
    <div class="nst-brush"></div>
  </div>
  <div class="nst-status" role="status" aria-live="polite"></div>
  <div class="nst-hint">Drag to paint. By keyboard, on the photograph: arrows move, Space paints,
    [ and ] change the brush, numbers choose a region, E erases, F fills.</div>`;

const ON_THE_PHOTOGRAPH = {
  arrowleft: (view) => view.step(-1, 0),
  arrowright: (view) => view.step(1, 0),
  arrowup: (view) => view.step(0, -1),
  arrowdown: (view) => view.step(0, 1),
  " ": (view) => view.press(),
};
const ANYWHERE = {
  "[": (view) => view.resize(1 / STEP),
  "]": (view) => view.resize(STEP),
  e: (view) => view.choose(0),
  f: (view) => view.toggleFill(),
  "ctrl+z": (view) => view.sheet.travel(-1),
  "ctrl+shift+z": (view) => view.sheet.travel(1),
};
COLORS.forEach((_, i) => { ANYWHERE[i + 1] = (view) => view.choose(i + 1); });

export default () => {
  let sheet;
  return {
    initialize({ model }) { sheet = new Sheet(model); },
    render({ model, el }) { return new View(sheet, model, el).open(); },
  };
};

class Sheet {
  constructor(model) {
    [this.height, this.width] = model.get("_shape");
    this.model = model;
    this.labels = new Uint8Array(this.width * this.height);
    this.image = new ImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.views = new Set();
    this.past = [];
    this.now = -1;
    model.on("change:_labels", () => this.take());
    this.take();
  }

  /** Take over what is painted, whoever painted it, and remember it. */
  take() {
    const runs = this.model.get("_labels");
    if (runs !== this.past[this.now]) {
      this.past = [...this.past.slice(0, this.now + 1), runs].slice(-REMEMBERED);
      this.now = this.past.length - 1;
    }
    decode(runs, this.labels);
    this.color(0, 0, this.width, this.height);
    for (const view of this.views) view.tell();
  }

  send(runs = encode(this.labels)) {
    this.model.set("_labels", runs);
    this.model.save_changes();
  }

  canTravel(step) { return this.now + step in this.past; }

  /** Go back (-1) or forth again (1) in the past. */
  travel(step) {
    if (!this.canTravel(step)) return;
    this.now += step;
    this.send(this.past[this.now]);
  }

  clear() {
    this.labels.fill(0);
    this.send();
  }

  /** Paint all pixels within a radius of the line between two points. */
  stroke(from, to, radius, region) {
    const [left, right] = span(from.x, to.x, radius, this.width);
    const [top, bottom] = span(from.y, to.y, radius, this.height);
    const { labels, width } = this;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        if (distance(x + 0.5, y + 0.5, from, to) <= radius) labels[y * width + x] = region;
      }
    }
    this.color(left, top, right, bottom);
  }

  /** Paint the pixel at a point, and all that are connected with it and painted like it. */
  fill(point, region) {
    const { labels, width } = this;
    const start = Math.floor(point.y) * width + Math.floor(point.x);
    const old = labels[start], stack = [];
    const visit = (at) => {
      if (labels[at] === old) { labels[at] = region; stack.push(at); }
    };
    if (old !== region) visit(start);
    while (stack.length) {
      const at = stack.pop(), x = at % width;
      if (x > 0) visit(at - 1);
      if (x < width - 1) visit(at + 1);
      visit(at - width);
      visit(at + width);
    }
    this.send();
  }

  /** Color a part of the image, and its neighbors, where an edge may be new. */
  color(left, top, right, bottom) {
    [left, right] = span(left, right, 1, this.width);
    [top, bottom] = span(top, bottom, 1, this.height);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) this.pixels[y * this.width + x] = this.pixel(x, y);
    }
    for (const view of this.views) view.draw(left, top, right - left, bottom - top);
  }

  pixel(x, y) {
    const { labels, width } = this;
    const at = y * width + x, label = labels[at];
    const other = (near) => (labels[near] ?? label) !== label;
    const edge = (x > 0 && other(at - 1)) || (x < width - 1 && other(at + 1))
      || other(at - width) || other(at + width);
    return label && (edge ? EDGES : INSIDES)[label - 1];
  }

  /** Say how much of the photograph each region has. */
  shares(names) {
    const counts = new Array(names.length + 1).fill(0);
    for (const label of this.labels) counts[label]++;
    const [rest, ...painted] = counts.map((count) => percent(count / this.labels.length));
    return [...names.map((name, i) => `${name} ${painted[i]}`), `unpainted ${rest}`].join(", ");
  }
}

/** Keep Jupyter's own keys, single letters and arrows, from what has the focus in here. */
function suppressShortcuts(el) {
  const mark = ({ target }) => { target.dataset.lmSuppressShortcuts = "true"; };
  el.addEventListener("focusin", mark); // Notebook 7 asks the element itself first
  mark({ target: el });
}

class View {
  constructor(sheet, model, el) {
    Object.assign(this, { sheet, model, el, names: model.get("_regions"), down: false });
    el.innerHTML = TEMPLATE;
    el.classList.add("nst-canvas");
    suppressShortcuts(el);
    [this.form, this.stage, this.photo, this.canvas, this.brush, this.status] = [
      "form", ".nst-stage", "img", "canvas", ".nst-brush", ".nst-status",
    ].map((selector) => el.querySelector(selector));
    this.tools = this.form.elements;
    this.point = { x: sheet.width / 2, y: sheet.height / 2 };
  }

  /** Show everything; return what takes it down again. */
  open() {
    this.fillForm();
    this.setStage();
    this.listen();
    this.sheet.views.add(this);
    this.draw(0, 0, this.sheet.width, this.sheet.height);
    this.place();
    this.tell();
    return () => {
      this.sheet.views.delete(this);
      URL.revokeObjectURL(this.photo.src);
    };
  }

  fillForm() {
    const chips = this.names.map((name, i) => chip(i + 1, name, i + 1, ...COLORS[i]));
    this.el.querySelector("fieldset").append(...chips, chip(0, "Eraser", "E", "", ""));
    this.choose(1);
    const longest = Math.max(this.sheet.width, this.sheet.height);
    Object.assign(this.tools.size, { min: 2, max: Math.max(longest / 3, 4), value: longest / 20 });
  }

  setStage() {
    const { width, height } = this.sheet;
    const zoom = Math.max(1, 480 / Math.max(width, height)); // no hand paints on a thumbnail
    Object.assign(this.canvas, { width, height });
    Object.assign(this.stage.style, { width: `${zoom * width}px`, aspectRatio: width / height });
    const jpeg = new Blob([this.model.get("_photograph")], { type: "image/jpeg" });
    this.photo.src = URL.createObjectURL(jpeg);
  }

  listen() {
    const { canvas, tools, el, sheet } = this;
    tools.size.oninput = () => this.place();
    tools.fill.onclick = () => this.toggleFill();
    tools.undo.onclick = () => sheet.travel(-1);
    tools.redo.onclick = () => sheet.travel(1);
    tools.clear.onclick = () => sheet.clear();
    canvas.onpointerdown = (event) => this.onPointerDown(event);
    canvas.onpointermove = (event) => this.onPointerMove(event);
    canvas.onpointerup = canvas.onpointercancel = canvas.onblur = () => this.release();
    el.onkeydown = (event) => this.onKeyDown(event);
    el.onkeyup = (event) => this.onKeyUp(event);
    this.form.onsubmit = (event) => event.preventDefault();
    this.model.on("comm_live_update", () => this.rest());
  }

  // What the student does ------------------------------------------------------------------------

  get region() { return Number(this.tools.region.value); }
  get radius() { return this.tools.size.value / 2; }
  get filling() { return this.tools.fill.ariaPressed === "true"; }

  choose(region) { if (region <= this.names.length) this.tools.region.value = region; }

  resize(factor) {
    const size = this.tools.size.value * factor;
    this.tools.size.value = factor > 1 ? Math.ceil(size) : Math.floor(size);
    this.place();
  }

  toggleFill() {
    this.tools.fill.ariaPressed = String(!this.filling);
    this.stage.classList.toggle("nst-filling", this.filling);
  }

  press() {
    if (this.filling) return this.sheet.fill(this.point, this.region);
    this.down = true;
    this.move(this.point);
  }

  move(point) {
    if (this.down) this.sheet.stroke(this.point, point, this.radius, this.region);
    this.point = point;
    this.place();
  }

  release() {
    if (this.down) this.sheet.send();
    this.down = false;
  }

  step(across, down) {
    const far = Math.max(1, this.radius / 2);
    const x = clamp(this.point.x + far * across, 0, this.sheet.width - 1);
    const y = clamp(this.point.y + far * down, 0, this.sheet.height - 1);
    this.move({ x, y });
  }

  onKeyDown(event) {
    event.stopPropagation();
    const command = event.metaKey || (event.ctrlKey && !event.altKey); // AltGr is Ctrl+Alt
    const held = command ? `ctrl+${event.shiftKey ? "shift+" : ""}` : "";
    const onPhotograph = event.target === this.canvas;
    this.stage.classList.toggle("nst-by-key", onPhotograph);
    const keys = onPhotograph ? { ...ANYWHERE, ...ON_THE_PHOTOGRAPH } : ANYWHERE;
    const action = keys[held + event.key.toLowerCase()];
    if (action) event.preventDefault();
    if (!event.repeat || event.key !== " ") action?.(this);
  }

  onKeyUp(event) {
    event.stopPropagation();
    this.stage.classList.toggle("nst-by-key", event.target === this.canvas); // Tab led here
    if (event.key === " ") this.release();
  }

  onPointerDown(event) {
    if (event.button || !event.isPrimary) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.onPointerMove(event);
    this.press();
  }

  onPointerMove(event) {
    if (!event.isPrimary) return;
    this.stage.classList.remove("nst-by-key");
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) this.move(this.pointOf(one));
  }

  pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width * this.sheet.width,
      y: (event.clientY - box.top) / box.height * this.sheet.height,
    };
  }

  // What the student sees ------------------------------------------------------------------------

  draw(...part) { this.canvas.getContext("2d").putImageData(this.sheet.image, 0, 0, ...part); }

  place() {
    this.brush.style.left = `${100 * this.point.x / this.sheet.width}%`;
    this.brush.style.top = `${100 * this.point.y / this.sheet.height}%`;
    this.brush.style.width = `${200 * this.radius / this.sheet.width}%`;
  }

  tell() {
    this.status.textContent = this.sheet.shares(this.names);
    this.tools.undo.ariaDisabled = String(!this.sheet.canTravel(-1));
    this.tools.redo.ariaDisabled = String(!this.sheet.canTravel(1));
  }

  /** The kernel is gone: the picture stays as it is. */
  rest() {
    this.down = false;
    this.form.inert = this.stage.inert = true;
    this.status.textContent = "The kernel was restarted; run this cell again to paint.";
  }
}

/** A radio button that shows its color and the key that chooses it. */
function chip(value, name, key, background, color) {
  const label = document.createElement("label");
  label.title = `${name} (${key})`;
  label.innerHTML = `<input type="radio" name="region" value="${value}">
    <span><b aria-hidden="true">${key}</b></span>`;
  Object.assign(label.querySelector("b").style, { background, color });
  label.querySelector("span").append(name);
  return label;
}

function encode(labels) {
  const runs = [];
  for (let from = 0, to; from < labels.length; from = to) {
    for (to = from + 1; to < from + RUN && labels[to] === labels[from];) to++;
    runs.push(RUN * labels[from] + to - from - 1);
  }
  return new DataView(Uint8Array.from(runs).buffer);
}

function decode(runs, labels) {
  let at = 0;
  for (const run of new Uint8Array(runs.buffer, runs.byteOffset, runs.byteLength)) {
    labels.fill(Math.floor(run / RUN), at, at += run % RUN + 1);
  }
}

/** The first pixel that a brush between two places can reach, and the one after the last. */
function span(a, b, radius, most) {
  const [first, last] = [Math.floor(Math.min(a, b) - radius), Math.ceil(Math.max(a, b) + radius)];
  return [clamp(first, 0, most), clamp(last, 0, most)];
}

function distance(x, y, from, to) {
  const across = to.x - from.x, down = to.y - from.y;
  const along = ((x - from.x) * across + (y - from.y) * down) / (across ** 2 + down ** 2 || 1);
  const t = clamp(along, 0, 1);
  return Math.hypot(x - from.x - t * across, y - from.y - t * down);
}

function clamp(value, least, most) { return Math.min(Math.max(value, least), most); }

function percent(share) {
  const number = share > 0 && share < 0.005 ? "<1" : Math.round(100 * share);
  return `${number}%`;
}

/** A color as one number, its bytes in the order that ImageData has. */
function asPixel(color, opacity) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return (opacity << 24 | blue << 16 | green << 8 | red) >>> 0;
}
