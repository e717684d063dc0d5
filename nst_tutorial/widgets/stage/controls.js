/**
 * Everything to set: sliders and menus, tabs, presets, challenges; and what can be taken home.
 */

const RELEASES = ["pointerup", "pointercancel"];
const RESTING = 600; // milliseconds after the last key, until a slider is let go

/** All sliders and menus of a view, on the trait `_at`: the index of each into its options. */
class Dials {
  constructor(el, session) {
    Object.assign(this, { session, model: session.model, dials: {}, pending: {}, held: "", timer: 0 });
    for (const control of session.setup.controls) {
      const { row, input } = control.kind === "menu" ? this.menu(control) : this.slider(control);
      row.title = input.ariaDescription = control.help;
      el.querySelector(`[data-group=${control.group}]`).append(row);
      this.dials[control.name] = { control, row, input };
      if (control.group === "layers") row.append(barOf(control.name));
    }
  }

  slider({ name, label, options }) {
    const row = labelled(label, `<input type="range" min="0" max="${options.length - 1}">
      <span class="nst-value" aria-hidden="true"></span>`);
    const input = row.querySelector("input");
    input.oninput = () => {
      if (!this.held) this.nudge();
      this.change(name, Number(input.value));
    };
    input.onpointerdown = (event) => { if (!event.button) this.hold(name); };
    return { row, input };
  }

  menu({ name, label, options }) {
    const row = labelled(label, "<select></select>"), input = row.querySelector("select");
    input.append(...options.map((words, i) => new Option(words, i)));
    input.onchange = () => this.change(name, Number(input.value));
    return { row, input };
  }

  /** Send a change, with all others of the same frame on the screen. */
  change(name, index) {
    this.show(name, index);
    this.session.look.set({ right: "now" }); // where the change is seen
    if (!Object.keys(this.pending).length) requestAnimationFrame(() => this.flush());
    this.pending[name] = index;
  }

  flush() {
    this.model.set("_at", { ...this.model.get("_at"), ...this.pending });
    this.pending = {};
    this.model.save_changes();
  }

  /** From now on Python may not move this slider, until it is let go wherever the pointer is. */
  hold(name) {
    this.held = name;
    this.session.send("hold");
    for (const end of RELEASES) addEventListener(end, this, { capture: true });
  }

  /** A key holds a slider too, until none has come for a while. */
  nudge() {
    if (!this.timer) this.session.send("hold");
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
function labelled(label, control) {
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

const CHALLENGE = `
  <div class="nst-offer"><p class="nst-soft">Find the settings that painted a hidden picture.</p>
    <div class="nst-list"></div></div>
  <div class="nst-play-on">
    <figure><canvas role="img" aria-label="The picture to find"></canvas></figure>
    <div>
      <b></b> <p class="nst-soft"></p>
      <p class="nst-distance"><span></span><small></small></p>
      <div class="nst-meter"><i></i><u></u></div>
      <p class="nst-found"></p>
      <button type="button" name="give-up">Give up</button>
    </div>
  </div>`;

/** A picture to find the settings of: the list, or the one that was chosen. */
class Challenge {
  constructor(el, session) {
    Object.assign(this, { el, session, model: session.model, worst: 0 });
    el.innerHTML = CHALLENGE;
    const list = el.querySelector(".nst-list");
    chips(list, session.setup.challenges, (index) => session.send("challenge", { index }));
    for (const chip of list.children) chip.append(document.createElement("small"));
    for (const chip of list.children) chip.lastChild.textContent = chip.title;
    [this.canvas, this.stop] = pick(el, "canvas", "[name=give-up]");
    this.stop.onclick = () => session.send("challenge", { index: null });
  }

  refresh() {
    const challenge = this.model.get("_challenge"), { name } = challenge;
    this.el.classList.toggle("nst-chosen-one", Boolean(name));
    if (name !== this.name) Object.assign(this, { name, worst: 0 });
    if (name) this.show(challenge);
  }

  show({ name, distance, best, found, target }) {
    const write = (selector, words) => { this.el.querySelector(selector).textContent = words; };
    const { help = "" } = this.session.setup.challenges.find((one) => one.name === name) ?? {};
    write(".nst-play-on b", name);
    write(".nst-play-on p", target?.byteLength ? help : "The hidden picture is being painted …");
    write(".nst-distance span", distance === null ? "" : `distance ${short(distance)}`);
    write(".nst-distance small", best === null ? "" : `best ${short(best)}`);
    write(".nst-found", found);
    this.stop.textContent = found ? "Choose another" : "Give up";
    this.measure(distance, best);
    this.paint();
  }

  /** The bar is full at the largest distance so far; a line shows the smallest. */
  measure(distance, best) {
    this.worst = Math.max(this.worst, distance ?? 0);
    const { style, firstElementChild } = this.el.querySelector(".nst-meter");
    style.setProperty("--distance", this.worst ? distance / this.worst : 0);
    style.setProperty("--best", this.worst && best !== null ? best / this.worst : 0);
    firstElementChild.hidden = distance === null;
  }

  paint() {
    this.canvas.hidden = !this.model.get("_challenge").target?.byteLength;
    paint(this.canvas, this.session.look.bitmap("target"));
  }
}

const TAKEN = [ // label, kind, format, help
  ["Picture (PNG)", "png", undefined, "What is shown, at its full size"],
  ["Film (WebP)", "film", "webp", "The whole run, in colors as they are"],
  ["Film (GIF)", "film", "gif", "The whole run, for programs that know no WebP"],
  ["Code", "code", undefined, "Lines of Python that paint what is shown"],
  ["My photograph", "upload", undefined, "The photograph that you uploaded"],
];

/** Files and code of what is shown. */
class TakeHome {
  constructor(el, session) {
    Object.assign(this, { session, model: session.model });
    el.innerHTML = `<div class="nst-buttons"></div><div class="nst-code" hidden>
      <textarea readonly spellcheck="false" aria-label="Code that paints what is shown"></textarea>
      <button type="button" name="copy">Copy</button></div>`;
    [this.row, this.code] = el.children;
    [this.text, this.copy] = this.code.children;
    this.row.append(...TAKEN.map(([label, kind, format, help]) =>
      button(label, label, ({ currentTarget }) => this.ask(currentTarget, kind, format), help)));
    this.copy.onclick = () => this.copyCode();
  }

  /** Ask for a file; until it is there, or Python says why not, the button is busy. */
  ask(pressed, kind, format) {
    pressed.ariaBusy = "true";
    const past = kind === "film" || kind === "upload" ? {} : this.session.look.past;
    const wish = { kind, ...format && { format }, ...past };
    this.session.take(wish, (taken, bytes) => this.receive(taken, bytes));
  }

  receive({ kind, name, mime, text }, bytes) {
    this.rest();
    if (kind !== "code") return save(name, new Blob([bytes], { type: mime }));
    this.text.value = text;
    this.code.hidden = false;
    this.copy.textContent = "Copy";
  }

  rest() { for (const one of this.row.children) one.ariaBusy = "false"; }

  async copyCode() {
    this.text.select();
    const copying = navigator.clipboard?.writeText(this.text.value); // in secure contexts only
    await (copying ?? Promise.reject()).catch(() => document.execCommand("copy"));
    this.copy.textContent = "Copied";
  }

  refresh() {
    const { content } = this.model.get("_chosen");
    this.row.lastChild.hidden = !this.model.get("_gallery").content?.[content]?.own;
  }
}

/** Have the browser save a file. */
function save(name, blob) {
  const link = Object.assign(document.createElement("a"), { download: name });
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then the browser has read it
}
