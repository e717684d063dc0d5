"use strict";
// The page: what a visitor does becomes wishes for the painter, and its answers become pictures.

const SIZES = [256, 512, 768, 1024]; // pixels on the longest side
const [FIRST_SIZE, LIVE_SIZE, PREVIEW] = [512, 256, 256];
const PATIENCE = 300; // milliseconds; what takes longer is shown small first
const AT_REST = 34; // percent of the photograph that the wipe leaves to be seen

const $ = (id) => document.getElementById(id);
const styles = GALLERY.styles;
const painter = new Painter();
const camera = new Camera($("video"));
const wipe = new Wipe($("stage"), $("wipe"));
const state = {
  source: null, // the photograph
  weights: styles.map((_, number) => Number(number === 0)),
  size: FIRST_SIZE,
  turn: 0, // of the newest wish
  pace: null, // milliseconds for a pixel
};

// Painting ------------------------------------------------------------------------------------

/** Paint the photograph anew: small first where the full size takes long. */
async function repaint() {
  if (camera.on || !state.source || !painter.ready) return;
  const turn = ++state.turn;
  setBusy(true);
  try {
    const [width, height] = fit(state.source, state.size);
    const slow = !state.pace || state.pace * width * height > PATIENCE;
    if (slow && state.size > PREVIEW) {
      await paintAt(PREVIEW, turn);
      await new Promise((resolve) => setTimeout(resolve, PATIENCE)); // another wish may follow
    }
    const done = turn === state.turn && (await paintAt(state.size, turn));
    if (done) tellDone(done);
  } catch (error) {
    tell(error.message);
  }
  if (turn === state.turn) setBusy(false);
}

async function paintAt(size, turn) {
  const pixels = pixelsOf(state.source, size);
  const done = await painter.paint(pixels, state.weights);
  if (!done || turn !== state.turn) return null;
  state.pace = done.milliseconds / (pixels.width * pixels.height);
  showPainting(done.pixels);
  return done;
}

/** Show a painting; the first one is revealed by the wipe. */
function showPainting(pixels) {
  draw($("after"), pixels);
  if (!state.revealed) wipe.reveal(AT_REST);
  state.revealed = true;
}

function tellDone({ pixels, milliseconds }) {
  const how = painter.onGpu ? "on your graphics card" : "on your processor";
  const seconds = (milliseconds / 1000).toFixed(milliseconds < 950 ? 2 : 1);
  tell(`${pixels.width} × ${pixels.height} painted in ${seconds} s ${how}`);
}

function tell(words) {
  $("status").textContent = words;
}

function setBusy(busy) {
  $("stage").setAttribute("aria-busy", busy);
  $("save").setAttribute("aria-disabled", busy);
}

/** Take another photograph. */
function show(source) {
  state.source = source;
  showPhotograph();
  repaint();
}

function showPhotograph() {
  const pixels = pixelsOf(state.source, state.size);
  setRatio(pixels);
  draw($("before"), pixels);
}

function setRatio({ width, height }) {
  $("stage").style.setProperty("--ratio", width / height);
}

async function open(file) {
  try {
    const picture = await readPicture(file);
    stopCamera();
    show(picture);
  } catch (error) {
    tell(error.message);
  }
}

// Styles --------------------------------------------------------------------------------------

function fillStyles() {
  for (const [number, { title, thumbnail }] of styles.entries()) {
    const button = make("button", { type: "button" });
    const name = make("span", { className: "name", textContent: title, title });
    const share = make("span", { className: "share", hidden: true });
    button.append(picture(thumbnail), name, share);
    button.addEventListener("click", () => choose(number));
    $("styles").append(button);

    const slider = make("input", { type: "range", max: 100, step: 1 });
    slider.setAttribute("aria-label", title);
    slider.addEventListener("input", () => blend(number, slider.value / 100));
    const label = make("label");
    label.append(picture(thumbnail), make("span", { textContent: title }), slider);
    label.append(make("span", { className: "part" }));
    $("sliders").append(label);
  }
  showWeights();
}

function choose(number) {
  state.weights = styles.map((_, other) => Number(other === number));
  showWeights();
  repaint();
}

function blend(number, weight) {
  state.weights[number] = weight;
  if (!state.weights.some(Boolean)) state.weights[number] = 0.01; // the last one stays
  showWeights();
  repaint();
}

function showWeights() {
  const sum = state.weights.reduce((a, b) => a + b);
  const alone = state.weights.filter(Boolean).length === 1;
  state.weights.forEach((weight, number) => {
    const [button, label] = [$("styles").children[number], $("sliders").children[number]];
    const share = `${Math.round((100 * weight) / sum)}%`;
    button.setAttribute("aria-pressed", weight > 0);
    Object.assign(button.querySelector(".share"), { hidden: alone || !weight, textContent: share });
    label.querySelector("input").value = 100 * weight;
    label.querySelector(".part").textContent = share;
  });
}

function make(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function picture(src) {
  return make("img", { src, alt: "", decoding: "async", draggable: false });
}

// Sizes ---------------------------------------------------------------------------------------

function fillSizes() {
  for (const size of SIZES) {
    const label = make("label", { textContent: size });
    const input = make("input", { type: "radio", name: "size", value: size });
    input.addEventListener("change", () => setSize(size));
    label.append(input);
    $("sizes").append(label);
  }
  setSize(FIRST_SIZE);
}

function setSize(size) {
  state.size = size;
  $("sizes").querySelector(`[value="${size}"]`).checked = true;
  if (camera.on || !state.source) return;
  showPhotograph();
  repaint();
}

// Camera --------------------------------------------------------------------------------------

async function startCamera() {
  if (camera.asking) return;
  try {
    tell("Waiting for the camera…");
    await camera.open();
  } catch (error) {
    return tell(error.message);
  }
  state.turn++; // whatever is being painted comes too late
  state.sizeOfPhotograph = state.size;
  setSize(LIVE_SIZE);
  showCamera();
  tell("Live from the camera");
  if (painter.ready) paintFrames();
}

async function paintFrames() {
  const [rate, stream] = [new Rate(), camera.stream];
  try {
    while (await paintFrame(stream)) {
      const shown = rate.tick();
      if (shown) $("rate").textContent = `${shown.toFixed(1)} frames a second`;
      await new Promise(requestAnimationFrame);
    }
  } catch (error) {
    stopCamera();
    tell(error.message);
  }
}

/** Paint what the camera sees now; return whether it goes on. */
async function paintFrame(stream) {
  if (camera.stream !== stream) return false;
  const frame = pixelsOf(camera.video, state.size, camera.mirrored);
  const done = await painter.paint(frame, state.weights);
  if (camera.stream !== stream || !done) return false;
  setRatio(frame);
  draw($("before"), frame);
  showPainting(done.pixels);
  return true;
}

function stopCamera() {
  if (!camera.on) return;
  camera.close();
  showCamera();
  setSize(state.sizeOfPhotograph);
}

/** Keep the frame of this moment as the photograph. */
async function keepFrame() {
  const source = make("canvas");
  draw(source, pixelsOf(camera.video, Math.max(...SIZES), camera.mirrored));
  state.source = source;
  stopCamera();
}

function showCamera() {
  $("camera").setAttribute("aria-pressed", camera.on);
  $("camera").querySelector("span").textContent = camera.on ? "Stop" : "Camera";
  $("choose").querySelector("span").textContent = camera.on ? "Take this picture" : "Choose a photo";
  $("rate").hidden = !camera.on;
  $("rate").textContent = "";
  setBusy(false);
}

// Ways in -------------------------------------------------------------------------------------

function listen() {
  $("choose").addEventListener("click", () => (camera.on ? keepFrame() : $("file").click()));
  $("file").addEventListener("change", ({ target }) => {
    if (target.files[0]) open(target.files[0]);
    target.value = ""; // the same file may be chosen again
  });
  $("camera").addEventListener("click", () => (camera.on ? stopCamera() : startCamera()));
  $("save").addEventListener("click", save);
  document.addEventListener("paste", ({ clipboardData }) => take(clipboardData));
  let inside = 0; // dragenter and dragleave come for each element that is crossed
  const dropping = (change) => ($("drop").hidden = !(inside = Math.max(0, inside + change)));
  document.addEventListener("dragenter", () => dropping(1));
  document.addEventListener("dragleave", () => dropping(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    dropping(-inside);
    take(event.dataTransfer);
  });
}

function take({ files }) {
  const file = [...files].find(({ type }) => type.startsWith("image/")) ?? files[0];
  if (file) open(file);
}

function save() {
  if ($("save").getAttribute("aria-disabled") === "true") return;
  const names = styles.filter((_, number) => state.weights[number]).map(({ name }) => name);
  savePicture($("after"), `painted-${names.join("+")}.png`);
}

// What the build has put beside the page ------------------------------------------------------

function fillAbout() {
  $("weights").textContent = GALLERY.weights.toLocaleString("en");
  $("runtime").textContent = GALLERY.runtime;
  for (const link of GALLERY.lessons ? document.querySelectorAll("[data-lesson]") : []) {
    Object.assign(link, { href: `handout/${link.dataset.lesson}.html`, hidden: false });
  }
}

async function begin() {
  fillAbout();
  fillStyles();
  fillSizes();
  listen();
  const sample = await readSample(GALLERY.sample);
  state.source ??= sample;
  showPhotograph();
  try {
    await painter.start();
    painter.ready = true;
    if (camera.on) paintFrames();
    else await repaint();
  } catch (error) {
    tell(`The painter cannot start here: ${error.message}`);
    setBusy(false);
  }
}

begin();
