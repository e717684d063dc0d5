/**
 * The large picture: what is looked at, on its left half what it is compared with, and a
 * magnifying glass over both.
 *
 * Pictures have keys: "now", "photograph", "style", "target", "kept 2" (an index), "frame 40" (a
 * step of the film).
 */

/** What is looked at (right) and what it is compared with (left); all views of a model share it. */
class Look extends Told {
  constructor(session) {
    super();
    Object.assign(this, { session, model: session.model, film: session.film });
    Object.assign(this, { left: "photograph", right: "now", on: false, at: 0.5, now: null });
    this.bitmaps = new WeakMap(); // by their bytes; null while they are decoded
    this.drawing = Promise.resolve();
    this.kept = this.model.get("_kept");
    this.model.on("change:_picture", () => this.show());
    this.model.on("change:_kept", () => this.follow());
    this.model.on("change:_challenge", () => this.settle());
    this.film.hear(() => this.settle());
    this.show();
  }

  /** Show the picture now, and tell Python so: one after another, as the next waits for that. */
  show() {
    const bytes = this.model.get("_picture");
    if (bytes?.byteLength) this.drawing = this.drawing.then(() => this.draw(bytes));
  }

  async draw(bytes) {
    this.now = await decoded(bytes) ?? this.now;
    this.unseen = true;
    this.tell();
  }

  tell() {
    super.tell();
    if (this.unseen && this.listeners.size) this.session.send("saw");
    if (this.listeners.size) this.unseen = false;
  }

  set(changes) {
    Object.assign(this, changes);
    this.tell();
  }

  /** Kept pictures come and go: the same ones stay on both sides. */
  follow() {
    const before = this.kept, after = this.kept = this.model.get("_kept");
    const places = before.map((old) => after.findIndex((one) => one.label === old.label
      && one.words === old.words && one.picture.byteLength === old.picture.byteLength));
    const moved = (key, otherwise) => {
      const [kind, number] = key.split(" ");
      if (kind !== "kept") return key;
      return places[number] >= 0 ? `kept ${places[number]}` : otherwise;
    };
    this.set({ left: moved(this.left, "photograph"), right: moved(this.right, "now") });
  }

  /** Leave what is no longer there. */
  settle() {
    const there = (key, otherwise) => this.bytes(key)?.byteLength ? key : otherwise;
    this.set({ left: there(this.left, "photograph"), right: there(this.right, "now") });
  }

  /** The index of the frame that is looked at; -1 where none is. */
  get frame() {
    const [kind, step] = this.right.split(" ");
    return kind === "frame" ? this.film.find(Number(step)) : -1;
  }

  /** Which picture of the past is looked at, in words; "" is the picture now. */
  get pastInWords() {
    const { frame, kept } = this.past;
    if (kept !== undefined) return `Looking at kept picture ${kept + 1}`;
    return frame === undefined ? "" : `Looking back at step ${frame} of ${this.session.now.step}`;
  }

  /** Which picture of the past is looked at, as Python is told; {} is the picture now. */
  get past() {
    const [kind, number] = this.right.split(" ");
    if (kind === "kept") return { kept: Number(number) };
    return this.frame < 0 ? {} : { frame: this.film.frames[this.frame].step };
  }

  bytes(key) {
    const [kind, number] = key.split(" ");
    return {
      photograph: () => this.model.get("_photograph"),
      style: () => this.model.get("_style"),
      target: () => this.model.get("_challenge").target,
      kept: () => this.model.get("_kept")[number]?.picture,
      frame: () => this.film.frames[this.film.find(Number(number))]?.bytes,
    }[kind]?.();
  }

  /** The picture with a key; null while there is none. */
  bitmap(key) {
    if (key === "now") return this.now ?? this.bitmap("photograph"); // as long as none is painted
    const bytes = this.bytes(key);
    if (!bytes?.byteLength) return null;
    if (!this.bitmaps.has(bytes)) this.decode(bytes);
    return this.bitmaps.get(bytes);
  }

  async decode(bytes) {
    this.bitmaps.set(bytes, null);
    this.bitmaps.set(bytes, await decoded(bytes));
    this.tell();
  }

  /** What can be on a side: [key, words]. */
  choices(side) {
    const all = this.model.get("_kept"), { target } = this.model.get("_challenge");
    const kept = all.map(({ label }, i) => [`kept ${i}`, `${i + 1} · ${label}`]);
    const frame = this.film.frames[this.frame];
    const others = side === "left"
      ? ["photograph", "style", ...target?.byteLength ? ["target"] : []].map((key) => [key, key])
      : [["now", "now"], ...frame ? [[this.right, `step ${frame.step}`]] : []];
    return [...others, ...kept];
  }
}

const FRAME = `
  <div class="nst-sheet">
    <canvas role="img" width="4" height="3"></canvas>
    <div class="nst-clip"><canvas role="img" width="4" height="3"></canvas></div>
    <div class="nst-handle" role="slider" tabindex="0" aria-label="Wipe between both pictures"
      aria-valuemin="0" aria-valuemax="100"></div>
    <select name="left" aria-label="On the left"></select>
    <select name="right" aria-label="On the right"></select>
  </div>
  <div class="nst-back">
    <span></span>
    <button type="button" name="back"
      title="Take this step and its settings, and paint on; Undo takes that back">Go on from
      here</button>
    <button type="button" name="now" title="Back to the latest step (Escape)">Latest</button>
  </div>`;
const CLOSEST = 12; // times as large as the picture as a whole
const CRISP = 4; // from here on pixels are squares, so that one sees them
const ARROWS = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02 };

/** The picture as one view shows it. */
class Picture {
  constructor(el, session) {
    Object.assign(this, { el, session, look: session.look, pointers: new Map() });
    el.innerHTML = FRAME;
    [this.sheet, this.handle, this.back] = pick(el, ".nst-sheet", ".nst-handle", ".nst-back");
    [this.right, this.left] = el.querySelectorAll("canvas");
    const [left, right] = el.querySelectorAll("select");
    this.menus = { left, right };
    this.fit();
    this.listen();
  }

  listen() {
    const { el, look, menus } = this;
    el.onpointerdown = (event) => this.onPointerDown(event);
    el.onpointermove = (event) => this.onPointerMove(event);
    el.onpointerup = el.onpointercancel = (event) => this.pointers.delete(event.pointerId);
    el.ondblclick = () => this.fit();
    el.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.handle.onkeydown = (event) => this.onHandleKey(event);
    menus.left.onchange = () => look.set({ left: menus.left.value });
    menus.right.onchange = () => look.set({ right: menus.right.value });
    const [back, now] = this.back.querySelectorAll("button");
    back.onclick = () => this.goBack();
    now.onclick = () => look.set({ right: "now" });
  }

  goBack() {
    this.session.send("back", this.look.past);
    this.look.set({ right: "now" });
  }

  // Drag, pinch and turn the wheel ---------------------------------------------------------------

  onPointerDown(event) {
    if (event.button || event.target.closest("select, .nst-back")) return;
    this.el.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.point(event));
    const wiping = event.target === this.handle || (this.look.on && this.zoom === 1);
    this.drag = wiping ? ({ x }) => this.wipe(x) : (to, from) => this.move(to, from);
  }

  onPointerMove(event) {
    const from = this.pointers.get(event.pointerId);
    if (!from) return;
    const to = this.point(event);
    this.pointers.set(event.pointerId, to);
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId);
    if (other) this.pinch(from, to, other[1]);
    else this.drag(to, from);
  }

  onWheel(event) {
    const nothing = this.zoom === 1 && event.deltaY > 0; // then the page may scroll
    if (nothing || !(event.ctrlKey || this.el.matches(":focus-within"))) return;
    event.preventDefault();
    this.magnify(Math.exp(-event.deltaY / (event.ctrlKey ? 200 : 500)), this.point(event));
  }

  onHandleKey(event) {
    const at = { ...ARROWS, Home: -1, End: 1 }[event.key];
    if (!at) return;
    event.preventDefault();
    this.wipe(this.look.at + at);
  }

  wipe(at) { this.look.set({ at: clamp(at, 0, 1) }); }

  /** Where an event is on the sheet: 0 … 1 from its left and from its top. */
  point(event) {
    const box = this.sheet.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height,
    };
  }

  pinch(from, to, other) {
    const far = (one) => Math.hypot(one.x - other.x, one.y - other.y);
    this.magnify(far(to) / (far(from) || 1), { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 });
  }

  /** Enlarge both pictures; what is at a point stays there. */
  magnify(factor, { x, y } = { x: 0.5, y: 0.5 }) {
    const zoom = clamp(this.zoom * factor, 1, CLOSEST), ratio = zoom / this.zoom;
    this.place(zoom, x - (x - this.x) * ratio, y - (y - this.y) * ratio);
  }

  move(to, from) { this.place(this.zoom, this.x + to.x - from.x, this.y + to.y - from.y); }

  fit() { this.place(1, 0, 0); }

  place(zoom, x, y) {
    Object.assign(this, { zoom, x: clamp(x, 1 - zoom, 0), y: clamp(y, 1 - zoom, 0) });
    const { style } = this.sheet;
    style.setProperty("--move", `translate(${100 * this.x}%, ${100 * this.y}%) scale(${zoom})`);
    this.el.classList.toggle("nst-zoomed", zoom > 1);
    this.el.classList.toggle("nst-crisp", zoom >= CRISP);
  }

  // What is seen ---------------------------------------------------------------------------------

  refresh() {
    const { look, el, sheet } = this;
    paint(this.right, look.bitmap(look.right));
    if (look.on) paint(this.left, look.bitmap(look.left));
    this.left.classList.toggle("nst-cover", look.left === "style");
    sheet.style.setProperty("--at", `${100 * look.at}%`);
    sheet.style.setProperty("--aspect", this.right.width / this.right.height);
    el.classList.toggle("nst-wiping", look.on);
    el.classList.toggle("nst-past", look.right !== "now");
    this.refreshWords();
  }

  refreshWords() {
    const { look } = this, [left, right] = ["left", "right"].map((side) => this.offer(side));
    const percent = Math.round(100 * look.at), frame = look.film.frames[look.frame];
    this.left.ariaLabel = left;
    this.right.ariaLabel = look.right === "now" ? this.session.now.alt : right;
    this.handle.ariaValueNow = percent;
    this.handle.ariaValueText = `${percent}% ${left}, ${100 - percent}% ${right}`;
    const said = this.back.firstElementChild;
    said.textContent = said.title = frame ? frame.words
      : this.session.model.get("_kept")[look.past.kept]?.words ?? "";
  }

  /** Fill a menu with the pictures of its side; return the words of the chosen one. */
  offer(side) {
    const menu = this.menus[side], choices = this.look.choices(side);
    const signature = JSON.stringify(choices);
    if (menu.signature !== signature) {
      menu.replaceChildren(...choices.map(([key, words]) => new Option(words, key)));
      menu.signature = signature;
    }
    menu.value = this.look[side];
    return menu.selectedOptions[0]?.text ?? "";
  }
}
