/**
 * Photographs and styles to choose from, pictures of one's own by file, drop, paste and camera, and
 * the pictures that were kept.
 */

const AS_IT_IS = 3e6; // bytes: a file up to this size travels unchanged
const SAMPLE = 1e6; // bytes of a file that no browser can read, for Python to say what it is
const NEXT = 28; // pixels beside the chosen picture, where the next one looks in
const LARGEST = 7.9e6; // bytes: a larger message closes the connection

/** Addresses of pictures for <img>, all given back together. */
class Addresses {
  constructor() { this.all = []; }

  of(bytes) {
    this.all.push(URL.createObjectURL(new Blob([bytes])));
    return this.all.at(-1);
  }

  clear() { for (const address of this.all.splice(0)) URL.revokeObjectURL(address); }
}

const ROW = `
  <div class="nst-row-head"><b></b>
    <span>
      <button type="button" name="upload">${icon("upload")}<span>Upload</span></button>
      <button type="button" name="camera">${icon("camera")}</button>
    </span>
    <input type="file" accept="image/*" hidden>
  </div>
  <div class="nst-thumbs" role="group"></div>`;

/** The pictures of one role, "content" or "style". */
class Row {
  constructor(el, role, session) {
    Object.assign(this, { el, role, session, model: session.model, addresses: new Addresses() });
    const name = role === "style" ? "style" : "photograph";
    el.innerHTML = ROW;
    el.dataset.role = role;
    el.querySelector("b").textContent = role === "style" ? "Style" : "Photograph";
    [this.file, this.thumbs, this.upload, this.camera] =
      pick(el, "input", ".nst-thumbs", "[name=upload]", "[name=camera]");
    this.thumbs.ariaLabel = `${name} to use`;
    this.upload.title = `Use a picture of yours as the ${name}; you can also drop or paste one`;
    this.camera.ariaLabel = this.camera.title = `Take a ${name} with the camera`;
    this.camera.hidden = !navigator.mediaDevices?.getUserMedia; // there in secure contexts only
    this.upload.onclick = () => this.file.click();
    this.file.onchange = () => this.send([...this.file.files]);
    roving(this.thumbs);
    this.strip = new Strip(this.thumbs);
  }

  /** Send a file to Python, shrunk first where it is large. */
  async send([file]) {
    this.file.value = ""; // the same file may come once more
    if (!file) return;
    const words = this.upload.querySelector("span");
    words.textContent = file.size > AS_IT_IS ? "Shrinking …" : "Sending …";
    this.upload.disabled = true;
    const [name, blob] = await packed(file, this.session.now.upload_side || 1024);
    this.session.send("upload", { role: this.role, name }, [await blob.arrayBuffer()]);
    words.textContent = "Upload";
    this.upload.disabled = false;
  }

  refresh() {
    const pictures = this.model.get("_gallery")[this.role] ?? [];
    const had = this.thumbs.contains(this.el.getRootNode().activeElement);
    this.addresses.clear();
    this.thumbs.replaceChildren(...pictures.map((picture, index) => thumbnail({
      address: this.addresses.of(picture.thumb), name: picture.words || picture.name,
      press: () => this.session.act("choose", { role: this.role, index }),
      remove: picture.own && (() => this.session.send("remove", { role: this.role, index })),
    })));
    this.mark();
    if (had) this.thumbs.querySelector("[tabindex='0']")?.focus();
  }

  /** Show which picture is chosen. */
  mark() {
    const all = [...this.thumbs.querySelectorAll("[tabindex]")];
    const chosen = all[this.model.get("_chosen")[this.role]];
    for (const one of all) {
      one.ariaPressed = String(one === chosen);
      one.tabIndex = one === (chosen ?? all[0]) ? 0 : -1;
    }
    this.strip.show(chosen?.parentElement);
  }
}

/** Pictures that were kept: a click looks at one, with Shift it compares with one. */
class Kept {
  constructor(el, session) {
    Object.assign(this, { el, session, model: session.model, addresses: new Addresses() });
    el.innerHTML = `<div class="nst-row-head"><b>Kept</b></div>
      <div class="nst-thumbs" role="group" aria-label="Kept pictures"></div>`;
    this.thumbs = el.lastElementChild;
    roving(this.thumbs);
    this.strip = new Strip(this.thumbs);
  }

  refresh() {
    this.addresses.clear();
    const all = this.model.get("_kept").map((kept, i) => this.one(kept, i));
    this.thumbs.replaceChildren(...all);
    if (!all.length) this.thumbs.textContent = "Pictures that you keep wait here, to compare.";
    this.mark();
    this.strip.show(all.at(-1));
  }

  one({ label, words, picture }, index) {
    const { look } = this.session, key = `kept ${index}`;
    return thumbnail({
      address: this.addresses.of(picture), name: `${index + 1} · ${label}`,
      title: `${label}: ${words}\nClick: look at it. Shift+click: compare with it.`,
      press: ({ shiftKey }) =>
        look.set(shiftKey ? { left: key, on: true } : { right: look.right === key ? "now" : key }),
      remove: () => this.session.send("forget", { kept: index }),
    });
  }

  /** Show which of them are on the left, A, and on the right, B. */
  mark() {
    const { look } = this.session;
    this.thumbs.querySelectorAll("[tabindex]").forEach((one, i) => {
      const left = look.on && look.left === `kept ${i}`, right = look.right === `kept ${i}`;
      one.ariaPressed = String(left || right);
      one.dataset.side = (left ? "A" : "") + (right ? "B" : "");
      one.tabIndex = i ? -1 : 0;
    });
  }
}

/** A small picture to click, with a cross where it can be removed. */
function thumbnail({ address, name, title = name, press, remove }) {
  const made = document.createElement("span");
  made.className = "nst-pic";
  made.append(button(name, `<img alt="" draggable="false" src="${address}">`, press, title));
  made.firstChild.tabIndex = -1;
  made.querySelector("img").onerror = ({ target }) => { target.hidden = true; };
  if (remove) made.append(button(`Remove ${name}`, icon("remove"), remove, "Remove"));
  return made;
}

/** A row of pictures that scrolls sideways: its ends fade where there is more. */
class Strip {
  constructor(row) {
    Object.assign(this, { row, observer: new ResizeObserver(() => this.settle()) });
    row.onscroll = () => this.fade();
    row.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
  }

  /** Keep one of its pictures in sight, also when pictures or the row get another size. */
  show(one) {
    this.shown = one;
    this.observer.disconnect();
    for (const each of [this.row, ...this.row.children]) this.observer.observe(each);
    this.settle();
  }

  settle() {
    const { row, shown } = this;
    if (shown?.isConnected) {
      const left = shown.offsetLeft - row.offsetLeft, right = left + shown.offsetWidth;
      const least = right - row.clientWidth + NEXT; // a piece of the next one is seen as well
      row.scrollLeft = clamp(row.scrollLeft, Math.min(least, left - NEXT), left - NEXT);
    }
    this.fade();
  }

  get room() { return this.row.scrollWidth - this.row.clientWidth; }

  fade() {
    this.row.classList.toggle("nst-before", this.row.scrollLeft > 1);
    this.row.classList.toggle("nst-after", this.row.scrollLeft < this.room - 1);
  }

  /** A wheel that turns up and down moves the row, as long as there is more of it. */
  onWheel(event) {
    const { row, room } = this, { deltaX, deltaY, deltaMode, ctrlKey } = event;
    const to = clamp(row.scrollLeft + deltaY * [1, 20, 200][deltaMode], 0, room);
    const atItsEnd = Math.abs(to - row.scrollLeft) < 1; // then the page may scroll
    if (atItsEnd || ctrlKey || Math.abs(deltaX) > Math.abs(deltaY)) return;
    event.preventDefault();
    row.scrollLeft = to;
  }
}

// Shrinking ------------------------------------------------------------------------------------

/** A file as it travels: [name, blob]. Large pictures are shrunk; what is none is cut off. */
async function packed(file, side) {
  if (file.size <= AS_IT_IS) return [file.name, file];
  const upright = { imageOrientation: "from-image" };
  const bitmap = await createImageBitmap(file, upright).catch(() => null);
  if (!bitmap) return [file.name, file.slice(0, SAMPLE)];
  return [`${file.name.replace(/\.\w+$/, "")}.png`, await shrunk(bitmap, side)];
}

/** A PNG of at most so many pixels on the longest side; fewer, where it would be too large. */
async function shrunk(bitmap, side) {
  const canvas = resized(bitmap, side);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return blob.size <= LARGEST ? blob : shrunk(canvas, 0.8 * Math.max(canvas.width, canvas.height));
}

/** Halve a picture until it is nearly small enough, so that no detail turns into a pattern. */
function resized(picture, side) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const next = resizedOnce(picture, Math.max(scale, 0.5));
  return scale < 0.5 ? resized(next, side) : next;
}

function resizedOnce(picture, scale) {
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  canvas.width = Math.max(1, Math.round(scale * picture.width));
  canvas.height = Math.max(1, Math.round(scale * picture.height));
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// The camera -----------------------------------------------------------------------------------

/** A dialog with what the camera sees. */
class Camera {
  constructor(el, view) {
    Object.assign(this, { el, view });
    el.innerHTML = `<video autoplay playsinline muted></video><div class="nst-buttons">
      <button type="button" name="shutter" class="nst-primary">Take the picture</button>
      <button type="button" name="cancel">Cancel</button></div>`;
    [this.video, this.shutter] = pick(el, "video", "[name=shutter]");
    el.ariaLabel = "Camera";
    el.onclose = () => this.stop();
    el.querySelector("[name=cancel]").onclick = () => el.close();
  }

  /** Let the camera look; a row gets the picture. */
  async open(row) {
    const wanted = { video: { facingMode: row.role === "style" ? "environment" : "user" } };
    const stream = await navigator.mediaDevices.getUserMedia(wanted).catch(() => null);
    if (!stream) return this.view.advise("No camera can be used here.");
    this.el.showModal();
    this.stream = this.video.srcObject = stream;
    this.shutter.onclick = () => this.take(row);
  }

  async take(row) {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return; // it has not opened its eye yet
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    this.el.close();
    const blob = await shrunk(canvas, this.view.session.now.upload_side || 1024);
    await row.send([new File([blob], "camera.png", { type: "image/png" })]);
  }

  stop() { for (const track of this.stream?.getTracks() ?? []) track.stop(); }
}
