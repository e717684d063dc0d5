/**
 * The stage: a Session holds what all views of a model share, a View is what one visitor sees.
 */

const TEMPLATE = `
  <p class="nst-rest" hidden></p>
  <div class="nst-grid">
    <section class="nst-look" aria-label="Picture">
      <div class="nst-frame" role="group" tabindex="0"
        aria-label="Picture: arrows look back, + and - enlarge"></div>
      <div class="nst-film"></div>
    </section>
    <section class="nst-side" aria-label="Controls">
      <div class="nst-drive">
        <button type="button" name="play" class="nst-primary"></button>
        <button type="button" name="step" title="Take one step (S)">Step</button>
        <button type="button" name="reset" title="Back to the start">Reset</button>
        <button type="button" name="undo" title="Undo the last change (Z)">Undo</button>
        <button type="button" name="keep" title="Keep this picture to compare it (K)">Keep</button>
        <button type="button" name="full"></button>
        <button type="button" name="keys" title="Keys (?)" aria-label="Keys">?</button>
      </div>
      <div class="nst-progress"><span class="nst-line"></span>
        <progress aria-label="Steps" max="1" value="0"></progress></div>
      <p class="nst-note"></p><p class="nst-soft nst-alt"></p>
      <div class="nst-dials" data-group="main" role="group" aria-label="Weights"></div>
      <div class="nst-chips" role="group" aria-label="Presets"></div>
      <div class="nst-tabs">
        <div role="tablist" aria-label="More about this run">
          <button data-tab="curve">Curve</button><button data-tab="layers">Layers</button>
          <button data-tab="more">More</button><button data-tab="maths">Math</button>
          <button data-tab="challenge">Challenge</button><button data-tab="take">Take home</button>
        </div>
        <div data-panel="curve"></div>
        <div data-panel="layers"><p class="nst-soft">How much each layer counts in the style term,
          and its share of that term now.</p><p class="nst-soft nst-end">fine strokes</p>
          <div class="nst-dials" data-group="layers"></div>
          <p class="nst-soft nst-end">coarse strokes</p></div>
        <div data-panel="more"><div class="nst-dials" data-group="more"></div></div>
        <div data-panel="maths"></div>
        <div data-panel="challenge"></div>
        <div data-panel="take"></div>
      </div>
    </section>
    <section class="nst-rows" aria-label="Pictures to choose">
      <div class="nst-row"></div><div class="nst-row"></div><div class="nst-row"></div>
    </section>
  </div>
  <div class="nst-say" role="status" aria-live="polite"></div>
  <dialog class="nst-dialog nst-camera"></dialog>
  <dialog class="nst-dialog nst-keys" aria-label="Keys"><dl></dl>
    <div class="nst-buttons"><button type="button" name="close">Close</button></div></dialog>`;

const KEYS = { // key: [what it does, how], in the order of the list that "?" shows
  " ": ["Space", "play and pause", (view) => view.togglePlay()],
  s: ["S", "take one step", (view) => view.press("step")],
  k: ["K", "keep this picture", (view) => view.press("keep")],
  z: ["Z", "undo the last change", (view) => view.press("undo")],
  w: ["W", "wipe: before and after", (view) => view.scrubber.wipe.click()],
  f: ["F", "full screen", (view) => view.toggleFull()],
  escape: ["Escape", "back to the latest step", (view) => view.lookAtNow()],
  "?": ["?", "this list", (view) => view.find(".nst-keys").showModal()],
};
const ON_THE_PICTURE = {
  arrowleft: ["← →", "look back, step by step", (view) => view.scrubber.move(-1)],
  arrowright: [, , (view) => view.scrubber.move(1)],
  end: ["End", "back to the latest step", (view) => view.lookAtNow()],
  "+": ["+ − 0", "enlarge, shrink, whole picture", (view) => view.picture.magnify(1.5)],
  "=": [, , (view) => view.picture.magnify(1.5)],
  "-": [, , (view) => view.picture.magnify(1 / 1.5)],
  0: [, , (view) => view.picture.fit()],
};
const PHASES = {
  ready: "Ready", preparing: "Preparing", running: "Running", paused: "Paused", done: "Done",
  failed: "Stopped by an error",
};
const RESTARTED = "The kernel was restarted: run this cell again.";
const SILENT = "The kernel does not answer. If no cell is running, reload this page.";
const PATIENCE = 3000, ASK = 5; // milliseconds that an answer may take; how often it is asked for

export default () => {
  let session;
  return {
    initialize({ model }) { session = new Session(model); },
    render({ model, el }) { return new View(session, model, el).open(); },
  };
};

class Session extends Told {
  constructor(model) {
    super();
    Object.assign(this, { model, setup: model.get("_setup") });
    Object.assign(this, { resting: "", doubts: "", answered: false });
    Object.assign(this, { film: new Film(), takers: new Map(), grams: new Map() });
    this.look = new Look(this);
    model.on("msg:custom", (message, buffers) => this.receive(message, buffers));
    model.on("comm_live_update", () => this.rest(RESTARTED));
    model.on("change:_now", () => this.rest(this.now.ended));
    this.rest(this.now.ended);
  }

  get now() { return this.model.get("_now"); }

  send(action, fields = {}, buffers = []) {
    if (!this.resting) this.model.send({ do: action, ...fields }, undefined, buffers);
  }

  /** Do something to the picture now, and look at it. */
  act(action, fields) {
    this.look.set({ right: "now" });
    this.send(action, fields);
  }

  /** Ask for the film; where it does not come, try another way to the kernel, at last say so. */
  askForFilm(times = 0) {
    clearTimeout(this.waiting);
    if (times === 1) useAnotherWay(this.model.widget_manager?.kernel);
    if (times === ASK) this.doubt(SILENT, false);
    if (this.resting || times === ASK) return;
    this.send("film");
    this.waiting = setTimeout(() => this.askForFilm(times + 1), PATIENCE);
  }

  doubt(sentence, answered) {
    clearTimeout(this.waiting);
    Object.assign(this, { doubts: sentence, answered });
    this.tell();
  }

  receive({ film, take }, buffers) {
    if (film?.asked) this.doubt("", true);
    if (film) this.film.take(film, buffers);
    if (take) this.takers.get(take.kind)?.(take, buffers[0]);
  }

  /** Ask for a file; the view that asked last gets it. */
  take(wish, receive) {
    this.takers.set(wish.kind, receive);
    this.send("take", wish);
  }

  /** Python computes the Gram matrices that a view looks at, if any does. */
  wantGram(view, layer) {
    const before = [...this.grams.values()].at(-1) ?? null;
    this.grams.delete(view);
    if (layer) this.grams.set(view, layer);
    const wanted = [...this.grams.values()].at(-1) ?? null;
    if (wanted !== before) this.send("gram", { layer: wanted });
  }

  control(name) { return this.setup.controls.find((one) => one.name === name); }

  /** What a control says now. */
  word(name) { return this.control(name)?.options[this.model.get("_at")[name]]; }

  /** Nothing can be done any more, for a reason; what is seen stays. */
  rest(sentence) {
    if (!sentence || this.resting) return;
    this.resting = sentence;
    this.tell();
  }
}

/** Keep Jupyter's own keys, single letters and arrows, from what has the focus in here. */
function suppressShortcuts(el) {
  const mark = ({ target }) => { target.dataset.lmSuppressShortcuts = "true"; };
  el.addEventListener("focusin", mark); // Notebook 7 asks the element itself first
  mark({ target: el });
}

class View {
  constructor(session, model, el) {
    Object.assign(this, { session, model, el, closers: [] });
    el.innerHTML = TEMPLATE;
    el.classList.add("nst-play");
    el.tabIndex = -1; // a click anywhere brings the keys here
    suppressShortcuts(el);
    this.picture = new Picture(this.find(".nst-frame"), session);
    this.scrubber = new Scrubber(this.find(".nst-film"), session);
    this.makeControls();
    this.makeTabs();
    this.makeRows();
    this.makeKeys();
  }

  find(selector) { return this.el.querySelector(selector); }

  makeControls() {
    this.buttons = Object.fromEntries(
      [...this.el.querySelectorAll(".nst-drive button")].map((one) => [one.name, one]),
    );
    const { play, full, keys, ...rest } = this.buttons;
    play.onclick = () => this.togglePlay();
    full.onclick = () => this.toggleFull();
    keys.onclick = () => this.find(".nst-keys").showModal();
    for (const name of Object.keys(rest)) rest[name].onclick = () => this.press(name);
    this.dials = new Dials(this.el, this.session);
    chips(this.find(".nst-chips"), this.session.setup.presets,
      (index) => this.session.act("preset", { index }));
  }

  makeTabs() {
    const panel = (name) => this.find(`[data-panel=${name}]`), { session } = this;
    this.curve = new Curve(panel("curve"), session);
    this.maths = new Maths(panel("maths"), session);
    this.challenge = new Challenge(panel("challenge"), session);
    this.takeHome = new TakeHome(panel("take"), this);
    this.tabs = new Tabs(this.find(".nst-tabs"), (name) => this.maths.ask(name === "maths"));
  }

  makeRows() {
    const [content, style, kept] = this.el.querySelectorAll(".nst-row"), { session } = this;
    this.rows = {
      content: new Row(content, "content", session), style: new Row(style, "style", session),
    };
    this.kept = new Kept(kept, session);
    this.camera = new Camera(this.find(".nst-camera"), this);
    for (const row of Object.values(this.rows)) row.camera.onclick = () => this.camera.open(row);
  }

  makeKeys() {
    const dialog = this.find(".nst-keys");
    dialog.querySelector("button").onclick = () => dialog.close();
    const listed = [...Object.values(KEYS), ...Object.values(ON_THE_PICTURE)];
    dialog.firstChild.innerHTML = listed.filter(([name]) => name)
      .map(([name, words]) => `<dt>${name}</dt><dd>${words}</dd>`).join("");
  }

  // Life -----------------------------------------------------------------------------------------

  /** Show everything; return what takes it down again. */
  open() {
    this.listen();
    this.tabs.open(this.tabs.tabs[0]);
    for (const refresh of Object.values(this.watched())) refresh();
    this.session.look.tell();
    this.refreshFull();
    this.showState();
    this.session.askForFilm();
    return () => this.close();
  }

  /** What is seen of each trait. */
  watched() {
    return {
      _now: () => this.refreshNow(),
      _at: () => this.refreshAt(),
      _gallery: () => { this.rows.content.refresh(); this.rows.style.refresh(); },
      _chosen: () => { this.rows.content.mark(); this.rows.style.mark(); this.takeHome.refresh(); },
      _photograph: () => this.refreshLook(),
      _style: () => this.refreshLook(),
      _curve: () => this.curve.refresh(),
      _marks: () => { this.curve.refresh(); this.scrubber.refresh(); },
      _bars: () => refreshBars(this.el, this.model.get("_bars")),
      _kept: () => this.kept.refresh(),
      _gram: () => this.maths.refresh(),
      _challenge: () => this.challenge.refresh(),
    };
  }

  listen() {
    const { el, session } = this;
    for (const [trait, refresh] of Object.entries(this.watched())) {
      this.model.on(`change:${trait}`, refresh);
      this.closers.push(() => this.model.off(`change:${trait}`, refresh));
    }
    this.closers.push(session.look.hear(() => this.refreshLook()));
    this.closers.push(session.hear(() => this.showState()));
    el.onfullscreenchange = () => this.refreshFull();
    el.onkeydown = (event) => this.onKeyDown(event);
    el.onkeyup = (event) => event.stopPropagation();
    el.onpaste = (event) => this.onPaste(event);
    el.ondragover = (event) => this.onDragOver(event);
    el.ondragleave = (event) => { if (!el.contains(event.relatedTarget)) this.markDrop(null); };
    el.ondrop = (event) => this.onDrop(event);
  }

  close() {
    for (const close of this.closers) close();
    clearTimeout(this.session.waiting);
    this.maths.ask(false);
    this.dials.release();
    this.dials.rest();
    this.camera.stop();
    this.curve.observer.disconnect();
    for (const { strip } of [...Object.values(this.rows), this.kept]) strip.observer.disconnect();
    for (const { addresses } of [...Object.values(this.rows), this.kept]) addresses.clear();
  }

  // What the visitor does ------------------------------------------------------------------------

  get running() { return this.session.now.live; }

  lookAtNow() { this.session.look.set({ right: "now" }); }

  togglePlay() {
    if (this.running) return this.session.send("pause");
    const { pastInWords } = this.session.look;
    this.session.act("play");
    if (pastInWords) this.announce("Back at the latest step");
  }

  press(action) {
    if (this.buttons[action].ariaDisabled === "true") return;
    if (action === "keep") this.session.send(action, this.session.look.past);
    else this.session.act(action);
  }

  get full() { return this.el.getRootNode().fullscreenElement === this.el; }

  toggleFull() {
    if (this.full) document.exitFullscreen();
    else this.el.requestFullscreen?.().catch(() => {}); // some pages do not allow it
  }

  onKeyDown(event) {
    event.stopPropagation();
    const key = event.key.toLowerCase(), { target } = event;
    if (this.session.resting || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.defaultPrevented || needs(target, key)) return;
    const keys = target === this.picture.el ? { ...KEYS, ...ON_THE_PICTURE } : KEYS;
    if (!keys[key]) return;
    event.preventDefault();
    if (!event.repeat || key.startsWith("arrow")) keys[key][2](this);
  }

  onPaste(event) {
    const files = [...event.clipboardData.files];
    if (files.length) this.take(files, event);
  }

  onDragOver(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    this.markDrop(this.rowOf(event.target));
  }

  onDrop(event) {
    this.markDrop(null);
    const files = [...event.dataTransfer.files];
    if (files.length) this.take(files, event);
  }

  /** Take a dropped or pasted file: on the row of styles it is a style, elsewhere a photograph. */
  take(files, event) {
    event.preventDefault();
    event.stopPropagation();
    if (!this.session.resting) this.rowOf(event.target).send(files);
  }

  rowOf(target) { return this.rows[target.closest("[data-role]")?.dataset.role ?? "content"]; }

  markDrop(row) {
    for (const one of Object.values(this.rows)) one.el.classList.toggle("nst-drop", one === row);
  }

  // What the visitor sees ------------------------------------------------------------------------

  refreshNow() {
    const { phase, note, alt, step, planned, sum, can_undo: canUndo } = this.session.now;
    this.buttons.undo.ariaDisabled = String(!canUndo);
    this.refreshLine();
    this.showProgress(phase === "preparing" ? null : step, planned);
    this.find(".nst-note").textContent = note;
    this.find(".nst-alt").textContent = alt;
    this.maths.sum.textContent = sum;
    this.picture.refreshWords();
    this.takeHome.refresh();
    this.announcePhase(phase, note);
  }

  /** Say what is seen: how the run stands, or that this is an earlier picture. */
  refreshLine() {
    const { play } = this.buttons, { look, now } = this.session, past = look.pastInWords;
    const [name, word] = this.running ? ["pause", "Pause"]
      : ["play", past ? "Play from the end" : "Play"];
    if (play.dataset.shows !== word) {
      play.dataset.shows = word;
      play.innerHTML = `${icon(name)}<span>${word}</span>`;
    }
    this.find(".nst-line").textContent = past || now.status;
  }

  refreshAt() {
    const at = this.model.get("_at");
    this.dials.refresh();
    this.curve.refresh();
    this.takeHome.refresh();
    markChips(this.find(".nst-chips"), this.session.setup.presets, at);
  }

  refreshFull() {
    const { full } = this.buttons;
    full.innerHTML = icon(this.full ? "exit" : "full");
    full.ariaLabel = this.full ? "Leave full screen" : "Full screen";
    full.title = this.full ? "Leave full screen (Esc or F)" : "Full screen (F)";
  }

  /** How many steps are done; null where nobody knows how long it takes. */
  showProgress(step, planned) {
    const bar = this.find("progress");
    bar.max = planned || 1;
    if (step === null) bar.removeAttribute("value");
    else bar.value = step;
  }

  /** Steps are not announced, only what is new: another phase, another note. */
  announcePhase(phase, note) {
    const news = [phase !== this.phase && PHASES[phase], note !== this.note && note];
    if (note !== this.note) this.takeHome.rest();
    Object.assign(this, { phase, note });
    if (news.some(Boolean)) this.announce(news.filter(Boolean).join(". "));
  }

  announce(words) { this.find(".nst-say").textContent = words; }

  /** Say something where Python gives advice. */
  advise(words) {
    this.find(".nst-note").textContent = words;
    this.announce(words);
  }

  refreshLook() {
    this.picture.refresh();
    this.scrubber.refresh();
    this.kept.mark();
    this.challenge.paint();
    this.refreshLine();
    this.takeHome.refresh();
    const { now } = this.session.look;
    if (now) this.el.style.setProperty("--wide", clamp(now.width / now.height, 1.2, 1.8));
  }

  /** Say that the panel rests for ever, or that the kernel does not answer. */
  showState() {
    const { resting, doubts, answered } = this.session, words = this.find(".nst-rest");
    this.el.ariaBusy = String(!answered && !resting);
    Object.assign(words, { hidden: !(resting || doubts), textContent: resting || doubts });
    if (!words.hidden) this.announce(words.textContent);
    if (resting) this.rest();
  }

  /** Everything stays as it is seen. */
  rest() {
    this.dials.held = "";
    this.camera.stop();
    for (const dialog of this.el.querySelectorAll("dialog")) dialog.close();
    this.find(".nst-grid").inert = true;
  }
}

/** JupyterLab 4.6 may close the subshell that hears a reloaded page: use the main one. */
function useAnotherWay(kernel) {
  if (kernel?.commsOverSubshells === "perCommTarget") kernel.commsOverSubshells = "disabled";
}

/** Whether what has the focus needs a key itself. */
function needs(target, key) {
  if (target.closest("dialog") || target.matches("textarea, select")) return true;
  return target.matches("button") && key === " ";
}
