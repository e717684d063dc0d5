/**
 * Everything to set: sliders and menus, tabs, presets, challenges; and what can be taken home.
 */

const RELEASES = ["pointerup", "pointercancel"];
const RESTING = 600; // milliseconds after the last key, until a slider is let go

/** All sliders and menus of a view, on the trait `_at`: the index of each into its options. */
class Dials {
  constructor(el, session) {
    Object.assign(this, { session, model: session.model, dials: {}, pending: {} });
    Object.assign(this, { held: "", nudged: "", timer: 0, frame: 0 });
    for (const control of session.setup.controls) {
      const { row, input } = control.kind === "menu" ? this.menu(control) : this.slider(control);
      row.title = input.ariaDescription = control.help;
      el.querySelector(`[data-group=${control.group}]`).append(row);
      this.dials[control.name] = { control, row, input };
      if (control.group === "layers") row.append(barOf(control.name));
    }
  }

  slider({ name, label, options }) {
    const row = labeled(label, `<input type="range" min="0" max="${options.length - 1}">
      <span class="nst-value" aria-hidden="true"></span>`);
    const input = row.querySelector("input");
    input.oninput = () => {
      if (!this.held) this.nudge(name);
      this.change(name, Number(input.value));
    };
    input.onpointerdown = (event) => { if (!event.button) this.hold(name); };
    return { row, input };
  }

  menu({ name, label, options }) {
    const row = labeled(label, "<select></select>"), input = row.querySelector("select");
    input.append(...options.map((words, i) => new Option(words, i)));
    input.onchange = () => this.choose(name, Number(input.value));
    return { row, input };
  }

  /** Set a control by one choice. */
  choose(name, index) {
    this.begin();
    this.change(name, index);
  }

  /** What changes from here on is a move of its own, which is undone as one. */
  begin() {
    this.flush();
    this.model.set("_move", (this.model.get("_move") ?? 0) + 1);
  }

  /** Send a change at once; those that follow within a frame of the screen, together after it. */
  change(name, index) {
    this.show(name, index);
    this.pending[name] = index;
    if (!this.frame) this.flush();
    this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.flush(); });
    this.session.look.set({ right: "now" }); // where the change is seen
  }

  flush() {
    if (!Object.keys(this.pending).length) return;
    this.model.set("_at", { ...this.model.get("_at"), ...this.pending });
    this.pending = {};
    this.model.save_changes();
  }

  /** From now on Python may not move this slider, until it is let go wherever the pointer is. */
  hold(name) {
    this.held = name;
    this.begin();
    this.session.send("hold");
    for (const end of RELEASES) addEventListener(end, this, { capture: true });
  }

  /** A key holds a slider too, until none has come for a while. */
  nudge(name) {
    if (!this.timer || name !== this.nudged) this.begin();
    if (!this.timer) this.session.send("hold");
    this.nudged = name;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rest(), RESTING);
  }

  rest() {
    clearTimeout(this.timer);
    if (this.timer) this.session.send("release");
    this.timer = 0;
  }

  handleEvent() { this.release(); }

  release() {
    for (const end of RELEASES) removeEventListener(end, this, { capture: true });
    this.flush();
    if (this.held) this.session.send("release");
    this.held = "";
  }

  refresh() {
    const at = this.model.get("_at");
    for (const name of Object.keys(this.dials)) {
      if (name !== this.held && !(name in this.pending)) this.show(name, at[name]);
    }
  }

  show(name, index) {
    const { control, row, input } = this.dials[name], words = control.options[index] ?? "";
    input.value = index;
    if (control.kind === "menu") return;
    input.ariaValueText = words;
    row.querySelector(".nst-value").textContent = words;
  }
}

/** A control with its label in front. */
function labeled(label, control) {
  const row = document.createElement("div");
  const id = `nst-${Math.random().toString(36).slice(2)}`; // there may be several views on a page
  row.className = "nst-dial";
  row.innerHTML = `<label for="${id}"></label>${control}`;
  row.firstChild.textContent = label;
  row.children[1].id = id;
  return row;
}

/** Tabs, each with a panel; `turn` is told which panel is shown. */
class Tabs {
  constructor(el, turn) {
    Object.assign(this, { turn, list: el.querySelector("[role=tablist]") });
    this.tabs = [...this.list.children];
    this.panels = this.tabs.map((tab) => el.querySelector(`[data-panel="${tab.dataset.tab}"]`));
    this.tabs.forEach((tab, i) => {
      Object.assign(tab, { type: "button", role: "tab", onclick: () => this.open(tab) });
      Object.assign(this.panels[i], { role: "tabpanel", ariaLabel: tab.textContent, tabIndex: -1 });
    });
    roving(this.list, (tab) => this.open(tab));
  }

  open(tab) {
    this.tabs.forEach((one, i) => {
      one.ariaSelected = String(one === tab);
      one.tabIndex = one === tab ? 0 : -1;
      this.panels[i].hidden = one !== tab;
    });
    this.turn(tab.dataset.tab);
  }
}

/** Named settings as a row of chips. */
function chips(el, all, press) {
  el.replaceChildren(...all.map(({ name, help }, index) => {
    const chip = button(name, "", () => press(index), help);
    chip.textContent = name;
    return chip;
  }));
}

/** Press down the chips whose settings are those of the controls. */
function markChips(el, all, places) {
  all.forEach(({ at = {} }, i) => {
    const set = Object.entries(at);
    el.children[i].ariaPressed =
      String(set.length > 0 && set.every(([name, place]) => places[name] === place));
  });
}

const CHALLENGE = `
  <div class="nst-offer"><p class="nst-soft">Find the settings that painted a hidden picture.</p>
    <div class="nst-list"></div></div>
  <div class="nst-play-on">
    <figure><canvas role="img" aria-label="The picture to find"></canvas></figure>
    <div>
      <b></b> <p class="nst-soft"></p>
      <div class="nst-distance"><span></span> <small></small></div>
      <div class="nst-meter" role="meter" aria-label="How close" aria-valuemin="0"
        aria-valuemax="100"><i></i><u></u><s></s></div>
      <p class="nst-soft nst-goal"></p>
    </div>
    <div class="nst-outcome">
      <p class="nst-found"></p>
      <div class="nst-buttons">
        <button type="button" name="apply" class="nst-primary">Use these weights</button>
        <button type="button" name="give-up">Give up</button>
      </div>
    </div>
  </div>`;

/** A picture to find the settings of: the list, or the one that was chosen. */
class Challenge {
  constructor(el, session) {
    Object.assign(this, { el, session, model: session.model });
    el.innerHTML = CHALLENGE;
    const list = el.querySelector(".nst-list");
    chips(list, session.setup.challenges, (index) => session.send("challenge", { index }));
    for (const chip of list.children) chip.append(document.createElement("small"));
    for (const chip of list.children) chip.lastChild.textContent = chip.title;
    [this.canvas, this.meter] = pick(el, "canvas", ".nst-meter");
    [this.apply, this.stop] = pick(el, "[name=apply]", "[name=give-up]");
    this.apply.onclick = () => session.act("apply");
    this.stop.onclick = () => this.giveUp();
  }

  /** First see the answer, then leave. */
  giveUp() {
    const { found, answer } = this.model.get("_challenge");
    if (found || answer) this.session.send("challenge", { index: null });
    else this.session.send("reveal");
  }

  refresh() {
    const challenge = this.model.get("_challenge"), { name } = challenge;
    this.el.classList.toggle("nst-chosen-one", Boolean(name));
    if (name) this.show(challenge);
  }

  show({ name, start, goal, distance, best, found, answer, target }) {
    const write = (selector, words) => { this.el.querySelector(selector).textContent = words; };
    const { help = "" } = this.session.setup.challenges.find((one) => one.name === name) ?? {};
    write(".nst-play-on b", name);
    write(".nst-play-on p", target?.byteLength ? help : "The hidden picture is being painted …");
    write(".nst-distance span", distance === null ? "" : `distance ${short(distance)}`);
    write(".nst-distance small", best === null ? "" : `best ${short(best)}`);
    write(".nst-goal", goal ? `Closer is better: under ${short(goal)} wins.` : "");
    write(".nst-found", found || answer && `My weights: ${answer}. Press Reset first, then use `
      + "them and press Play.");
    this.apply.hidden = !answer;
    this.stop.textContent = found || answer ? "Choose another" : "Give up";
    this.measure({ start, goal, distance, best });
    this.paint();
  }

  /** The bar is empty where the picture starts and full where it is the hidden one. */
  measure({ start, goal, distance, best }) {
    const close = (one) => start && one !== null ? clamp(1 - one / start, 0, 1) : 0;
    const marks = { close: distance, best, goal };
    for (const [name, one] of Object.entries(marks)) {
      this.meter.style.setProperty(`--${name}`, close(one));
    }
    this.meter.hidden = !goal;
    this.meter.ariaValueNow = Math.round(100 * close(distance));
    this.meter.children[1].hidden = best === null;
  }

  paint() {
    this.canvas.hidden = !this.model.get("_challenge").target?.byteLength;
    paint(this.canvas, this.session.look.bitmap("target"));
  }
}

const TAKEN = [ // label, kind, format, help
  ["Picture (PNG)", "png", undefined, "What is shown, at its full size"],
  ["Film (WebP)", "film", "webp", "The whole run, in full color"],
  ["Film (GIF)", "film", "gif", "The whole run, for programs that cannot show WebP"],
  ["Code", "code", undefined, "Lines of Python that paint what is shown"],
  ["My photograph, so that the code finds it", "upload", undefined,
    "The photograph that you uploaded: put it beside your notebook"],
];
const COPIED = 2000; // milliseconds that a button says so

const TAKE_HOME = `
  <div class="nst-buttons"></div>
  <p class="nst-size"><span></span> <button type="button" name="larger"></button></p>
  <p class="nst-soft nst-saved"></p>
  <div class="nst-code" hidden>
    <div class="nst-buttons"><button type="button" name="copy">Copy</button>
      <button type="button" name="save" title="Save the code as a file">Save (.py)</button>
      <span class="nst-soft"></span></div>
    <textarea readonly spellcheck="false" aria-label="Code that paints what is shown"></textarea>
  </div>`;

/** Files and code of what is shown. */
class TakeHome {
  constructor(el, view) {
    const { session } = view;
    Object.assign(this, { view, session, model: session.model, copied: 0 });
    el.innerHTML = TAKE_HOME;
    [this.row, this.size, this.saved, this.code] = el.children;
    [this.text, this.copy, this.about] = pick(this.code, "textarea", "button", ".nst-soft");
    this.row.append(...TAKEN.map(([label, kind, format, help]) =>
      button(label, label, ({ currentTarget }) => this.ask(currentTarget, kind, format), help)));
    this.larger = this.size.lastElementChild;
    this.larger.onclick = () => view.dials.choose("size", this.largest);
    this.copy.onclick = () => this.copyCode();
    this.copy.nextElementSibling.onclick = () =>
      this.save("painted.py", this.text.value, "text/x-python");
  }

  /** Ask for a file; until it is there, or Python says why not, the button is busy. */
  ask(pressed, kind, format) {
    pressed.ariaBusy = "true";
    const past = kind === "film" || kind === "upload" ? {} : this.session.look.past;
    this.take({ kind, ...format && { format }, ...past });
  }

  take(wish) { this.session.take(wish, (taken, bytes) => this.receive(taken, bytes)); }

  receive({ kind, name, mime, text, words = "" }, bytes) {
    this.rest();
    if (kind !== "code") return this.save(name, bytes, mime);
    this.text.value = text;
    this.about.textContent = this.about.title = words;
    this.code.hidden = false;
    this.restCopy();
  }

  save(name, content, mime) {
    save(name, new Blob([content], { type: mime }));
    this.saved.textContent = `Saved as ${name}, where your browser puts downloads.`;
    this.view.announce(this.saved.textContent);
  }

  rest() { for (const one of this.row.children) one.ariaBusy = "false"; }

  restCopy() {
    clearTimeout(this.copied);
    this.copy.textContent = "Copy";
  }

  /** What is shown, as far as code is concerned: while it is painted, the same for all steps. */
  get shown() {
    const { look, now } = this.session, { phase, alt } = now;
    if (look.right !== "now") return look.right;
    const step = ["running", "preparing"].includes(phase) ? "painting" : alt;
    return JSON.stringify([step, this.model.get("_at"), this.model.get("_chosen")]);
  }

  /** The code goes with what is shown; while that is painted, it says which step is meant. */
  follow() {
    const { shown } = this;
    if (shown === this.followed) return;
    this.followed = shown;
    this.saved.textContent = "";
    if (!this.code.hidden) this.take({ kind: "code", ...this.session.look.past });
  }

  async copyCode() {
    this.text.select();
    const copying = navigator.clipboard?.writeText(this.text.value); // in secure contexts only
    await (copying ?? Promise.reject()).catch(() => document.execCommand("copy"));
    this.copy.textContent = "Copied";
    clearTimeout(this.copied);
    this.copied = setTimeout(() => this.restCopy(), COPIED);
  }

  /** The last position of the size control. */
  get largest() { return this.session.control("size").options.length - 1; }

  refresh() {
    const { content } = this.model.get("_chosen");
    this.row.lastChild.hidden = !this.model.get("_gallery").content?.[content]?.own;
    this.refreshSize();
    this.follow();
  }

  /** Say how large the picture is that would be saved, and whether it can be larger. */
  refreshSize() {
    const { look } = this.session, kept = look.right.startsWith("kept");
    const picture = kept ? look.bitmap(look.right) : look.now; // frames are sent in small
    this.size.hidden = !picture;
    if (picture) this.size.firstElementChild.textContent =
      `Picture: ${picture.width} × ${picture.height} px.`;
    this.larger.hidden = kept || this.model.get("_at").size >= this.largest;
    this.larger.textContent =
      `Paint it larger: size ${this.session.control("size").options[this.largest]} (starts again)`;
  }
}

/** Have the browser save a file. */
function save(name, blob) {
  const link = Object.assign(document.createElement("a"), { download: name });
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then the browser has read it
}
