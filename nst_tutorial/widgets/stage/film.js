/**
 * The browser's half of Playground, in six files that Python joins into one module. This one: the
 * frames of the run, and the slider under the picture that looks through them.
 */

const ICONS = {
  play: "M7 4.5v15L20 12z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  exit: "M8 4h2v6H4V8h4zM14 4h2v4h4v2h-6zM4 14h6v6H8v-4H4zM14 14h6v2h-4v4h-2z",
  camera: "M3 7h4l2-3h6l2 3h4v13H3zm9 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  upload: "M11 16V8l-3.5 3.5L6 10l6-6 6 6-1.5 1.5L13 8v8zM4 17h2v2h12v-2h2v4H4z",
  remove: "M5 7 7 5l5 5 5-5 2 2-5 5 5 5-2 2-5-5-5 5-2-2 5-5z",
};

/** Something that all views of a model share; each is told when it has changed. */
class Told {
  constructor() { this.listeners = new Set(); }

  hear(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell() { for (const listener of this.listeners) listener(); }
}

/** The frames of the run, oldest first: {step, words, bytes}. */
class Film extends Told {
  constructor() {
    super();
    this.frames = [];
  }

  /** Keep the first frames and append others. */
  take({ from, frames }, buffers) {
    const more = frames.map((frame, i) => ({ ...frame, bytes: buffers[i] }));
    this.frames = [...this.frames.slice(0, from), ...more];
    this.tell();
  }

  /** The frame nearest to a step, as frames are thinned out; -1 where the film ends before it. */
  find(step) {
    const far = this.frames.map((frame) => Math.abs(frame.step - step));
    return step <= this.frames.at(-1)?.step ? far.indexOf(Math.min(...far)) : -1;
  }

  /** Where a step lies on the way from the first frame, 0, to the picture now, 1. */
  place(step) {
    const next = this.frames.findIndex((frame) => frame.step >= step);
    if (next < 1) return next === 0 ? 0 : 1;
    const before = this.frames[next - 1].step, gap = this.frames[next].step - before;
    return (next - 1 + (step - before) / gap) / this.frames.length;
  }
}

const FILM = `
  <button type="button" name="wipe" aria-pressed="false"
    title="Compare before and after with a line that you drag (W)">Wipe</button>
  <span class="nst-soft" aria-hidden="true">look back</span>
  <div class="nst-track">
    <div class="nst-marks" role="group" aria-label="Dots: a setting changed here"></div>
    <input type="range" min="0" aria-label="look back at the run"
      title="Look back at earlier steps; a dot says that a setting changed there">
  </div>
  <span class="nst-when" aria-hidden="true"></span>`;

/** The slider: as many places as there are frames, and one more at its end, which is now. */
class Scrubber {
  constructor(el, session) {
    Object.assign(this, { film: session.film, look: session.look, model: session.model });
    el.innerHTML = FILM;
    [this.range, this.marks, this.when, this.wipe] =
      pick(el, "input", ".nst-marks", ".nst-when", "button");
    this.range.oninput = () => this.go(Number(this.range.value));
    this.wipe.onclick = () => this.look.set({ on: !this.look.on });
    roving(this.marks);
  }

  /** Look at a frame; after the last one comes the picture now. */
  go(index) {
    const frame = this.film.frames[Math.max(index, 0)];
    this.look.set({ right: frame ? `frame ${frame.step}` : "now" });
  }

  move(step) { this.go(Number(this.range.value) + step); }

  refresh() {
    const { range, film, look } = this, frame = film.frames[look.frame];
    range.max = film.frames.length;
    range.value = frame ? look.frame : film.frames.length;
    range.disabled = !film.frames.length;
    range.ariaValueText = frame?.words ?? "now";
    this.when.textContent = frame ? `step ${frame.step}` : "now";
    this.wipe.ariaPressed = String(look.on);
    this.refreshMarks();
  }

  refreshMarks() {
    const marks = this.model.get("_marks"), places = marks.map(({ step }) => this.film.place(step));
    const signature = JSON.stringify([marks, places]);
    if (signature === this.signature) return; // what has the focus stays as it is
    this.signature = signature;
    this.marks.replaceChildren(...marks.map((mark, i) => this.mark(mark, places[i])));
    this.marks.firstChild?.setAttribute("tabindex", 0);
  }

  mark({ step, words }, place) {
    const said = `changed at step ${step}: ${words}`;
    const one = button(said, "", () => this.go(Math.max(this.film.find(step), 0)));
    Object.assign(one, { tabIndex: -1, className: place < 0.5 ? "nst-mark" : "nst-mark nst-late" });
    one.dataset.words = said;
    one.style.setProperty("--place", place);
    return one;
  }
}

// What several files need ----------------------------------------------------------------------

/** The first element for each selector. */
function pick(el, ...selectors) { return selectors.map((selector) => el.querySelector(selector)); }

function icon(name) {
  return `<svg class="nst-icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d="${ICONS[name]}"/></svg>`;
}

/** A button with a name; what it shows is HTML of our own, such as an icon. */
function button(name, shown, press, title = "") {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", innerHTML: shown, ariaLabel: name, title, onclick: press });
  return made;
}

/** Of many buttons in a row Tab reaches one; arrows lead from it to the others. */
function roving(row, arrive = () => {}) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Home: -1e3, End: 1e3 };
  row.addEventListener("keydown", (event) => {
    const all = [...row.querySelectorAll("[tabindex]")], at = all.indexOf(event.target);
    if (at < 0 || !(event.key in steps)) return;
    event.preventDefault();
    const next = all[clamp(at + steps[event.key], 0, all.length - 1)];
    for (const one of all) one.tabIndex = one === next ? 0 : -1;
    next.focus();
    arrive(next);
  });
}

/** Decode a picture; null where the bytes are none. */
function decoded(bytes) { return createImageBitmap(new Blob([bytes])).catch(() => null); }

/** Paint a decoded picture: at once, so that nothing flickers; what is no news is not painted. */
function paint(canvas, bitmap) {
  if (!bitmap || bitmap === canvas.bitmap) return;
  Object.assign(canvas, { bitmap, width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
}

function clamp(value, least, most) { return Math.min(Math.max(value, least), most); }
