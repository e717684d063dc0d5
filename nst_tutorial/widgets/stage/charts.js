/**
 * The charts: what each term adds to the total, what each layer adds to the style, and the Gram
 * matrices of one layer.
 */

const TERMS = { // Okabe and Ito's colors; a dash for those who see none
  total: { column: 1, color: "currentColor", dash: "" },
  content: { column: 2, color: "color-mix(in srgb, #0072b2 80%, var(--ink))", dash: "7 3" },
  style: { column: 3, color: "#d55e00", dash: "2 3" },
  tv: { column: 4, color: "#009e73", dash: "8 3 2 3" },
};
const TOTAL = {
  help: "What the steps make smaller: the weighted sum of the other three.",
  formula: "L = α·L_content + β·L_style + γ·TV",
};
const RAISED = { "-": "⁻", ..."⁰¹²³⁴⁵⁶⁷⁸⁹" }; // indexed by digits
const DECADES = 6; // at most: what is less than a millionth of the largest says nothing

/** The curve of each term on a logarithmic scale, and a legend that explains each. */
class Curve {
  constructor(el, session) {
    Object.assign(this, { session, model: session.model });
    el.innerHTML = `<svg class="nst-curve" role="img"></svg>
      <div class="nst-bars" role="group" aria-label="What each layer has of the style term"></div>
      <div class="nst-legend"></div><p class="nst-explain" hidden></p>`;
    [this.svg, this.bars, this.legend, this.explain] = el.children;
    this.bars.append(...session.setup.layers.map((layer) => barOf(layer, layer)));
    this.legend.append(...Object.keys(TERMS).map((term) => this.entry(term)));
    this.observer = new ResizeObserver(() => this.refresh());
    this.observer.observe(el);
  }

  entry(term) {
    const { color, dash } = TERMS[term];
    const one = button(term, `<svg viewBox="0 0 26 6" aria-hidden="true"><path d="M0 3H26"
      style="stroke: ${color}" stroke-dasharray="${dash}"/></svg><b>${term}</b><i></i>`, null);
    one.ariaDescription = `${this.about(term).help} ${this.about(term).formula}`;
    one.dataset.term = term;
    one.onpointerenter = one.onfocus = () => this.tellOf(term);
    one.onpointerleave = one.onblur = () => { this.explain.hidden = true; };
    return one;
  }

  about(term) { return this.session.control(`${term}_weight`) ?? TOTAL; }

  tellOf(term) {
    const { help, formula } = this.about(term);
    this.explain.innerHTML = `<b>${term}</b> <span></span><br><code>${subscripts(formula)}</code>`;
    this.explain.children[1].textContent = help;
    this.explain.hidden = false;
  }

  refresh() {
    const rows = rowsOf(this.model.get("_curve"));
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width) return; // in a tab that is not shown
    const em = parseFloat(getComputedStyle(this.svg).fontSize);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.innerHTML = drawn(new Axes(rows, width, height, em), rows, this.model.get("_marks"));
    const said = Object.keys(TERMS).map((term) => this.say(term, rows.at(-1)));
    this.svg.ariaLabel = rows.length ? `By step: ${said.join(", ")}` : "No steps yet";
  }

  /** Write a term's latest value into the legend; return it in words. */
  say(term, row) {
    const value = row?.[TERMS[term].column], off = this.session.word(`${term}_weight`) === "0";
    const words = row ? short(value) + (value === 0 && off ? " (off)" : "") : "";
    const one = this.legend.querySelector(`[data-term=${term}]`);
    one.lastChild.textContent = words || "–";
    one.ariaLabel = `${term}: ${words || "no steps yet"}`;
    return `${term} ${words}`;
  }
}

/** Where on a chart a step and a value are, and which ticks its axes have. */
class Axes {
  constructor(rows, width, height, em) {
    const values = rows.flatMap((row) => row.slice(1)).filter((value) => value > 0);
    this.high = Math.ceil(Math.log10(values.length ? Math.max(...values) : 1) + 1e-9);
    const low = Math.floor(Math.log10(values.length ? Math.min(...values) : 0.01));
    this.low = clamp(low, this.high - DECADES, this.high - 1);
    [this.first, this.last] = [rows[0]?.[0] ?? 0, Math.max(rows.at(-1)?.[0] ?? 1, 1)];
    Object.assign(this, { left: 2.4 * em, right: width - em, top: em, bottom: height - 1.7 * em });
    Object.assign(this, { width, height, em });
  }

  x(step) {
    const share = (step - this.first) / Math.max(this.last - this.first, 1);
    return (this.left + share * (this.right - this.left)).toFixed(1);
  }

  y(value) {
    const share = (Math.log10(value) - this.low) / (this.high - this.low);
    return (this.bottom - share * (this.bottom - this.top)).toFixed(1);
  }

  powers() {
    const room = (this.bottom - this.top) / (1.5 * this.em);
    return every(this.low, this.high, Math.ceil((this.high - this.low) / room));
  }

  /** Whole steps in ones, twos and fives. */
  steps() {
    const most = (this.right - this.left) / (4 * this.em);
    const raw = Math.max((this.last - this.first) / most, 1);
    const power = 10 ** Math.floor(Math.log10(raw));
    const gap = [1, 2, 5, 10].map((digit) => digit * power).find((one) => one >= raw);
    return every(Math.ceil(this.first / gap) * gap, this.last, gap);
  }
}

function drawn(axes, rows, marks) {
  const { left, right, top, bottom, em } = axes;
  const across = axes.powers().map((power) => `<path class="nst-grid-line"
    d="M${left} ${axes.y(10 ** power)}H${right}"/><text x="${left - em / 2}" text-anchor="end"
    y="${Number(axes.y(10 ** power)) + em / 3}">${tenTo(power)}</text>`);
  const along = axes.steps().map((step) => `<text x="${axes.x(step)}" y="${bottom + 1.3 * em}"
    text-anchor="middle">${step}</text>`);
  along.push(`<text x="${left - 0.6 * em}" y="${bottom + 1.3 * em}"
    text-anchor="end">step</text>`);
  const hairs = marks.filter(({ step }) => step >= axes.first && step <= axes.last)
    .map(({ step }) => `<path class="nst-hair" d="M${axes.x(step)} ${top}V${bottom}">
      <title>A setting changed here, at step ${step}</title></path>`);
  const lines = Object.entries(TERMS).reverse().map(([term, { column, color, dash }]) =>
    `<path class="nst-term" data-term="${term}" d="${line(rows, column, axes)}"
      style="stroke: ${color}" stroke-dasharray="${dash}"/>`);
  return [...across, ...along, ...hairs, ...rows.length ? lines : []].join("");
}

/** The path of a term, with gaps where it is 0: a logarithm has no place for that. */
function line(rows, column, axes) {
  let pen = "M";
  return rows.map((row) => {
    const seen = row[column] >= 10 ** axes.low;
    const part = seen ? `${pen}${axes.x(row[0])} ${axes.y(row[column])}` : "";
    pen = seen ? "L" : "M";
    return part;
  }).join("");
}

/** Rows of numbers from bytes: the step, then the terms. */
function rowsOf(bytes) {
  const columns = 1 + Object.keys(TERMS).length;
  const count = Math.floor((bytes?.byteLength ?? 0) / (4 * columns));
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: columns }, (_, i) => bytes.getFloat32(4 * (columns * row + i), true)));
}

function every(from, to, gap) {
  return Array.from({ length: Math.floor((to - from) / gap + 1e-9) + 1 }, (_, i) => from + i * gap);
}

function tenTo(power) { return `10${String(power).replace(/./g, (one) => RAISED[one])}`; }

/** A number in three digits, as a person writes it. */
function short(value) {
  if (value === 0 || (value >= 0.01 && value < 99950)) return String(Number(value.toPrecision(3)));
  const power = Math.floor(Math.log10(value));
  return `${(value / 10 ** power).toFixed(1)}·${tenTo(power)}`;
}

/** A formula of plain text in HTML: L_style gets its subscript. */
function subscripts(formula) { return formula.replace(/_(\w+)/g, "<sub>$1</sub>"); }

/** A bar for a style layer: what it has of the style term. */
function barOf(layer, label = "") {
  const bar = document.createElement("div");
  bar.className = "nst-bar";
  bar.dataset.layer = layer;
  bar.innerHTML = `<b>${label}</b><span></span><i></i>`;
  return bar;
}

/** Draw all bars below an element. */
function refreshBars(el, shares) {
  const sum = Object.values(shares).reduce((all, one) => all + one, 0) || 1;
  for (const bar of el.querySelectorAll(".nst-bar")) {
    const share = (shares[bar.dataset.layer] ?? 0) / sum;
    bar.style.setProperty("--share", share);
    bar.children[1].textContent = bar.dataset.layer in shares ? `${Math.round(100 * share)}%` : "";
  }
}

/** The Gram matrices of one layer: of the picture, of the style, and their difference. */
class Maths {
  constructor(el, session) {
    Object.assign(this, { el, session, model: session.model });
    el.innerHTML = MATHS;
    [this.menu, this.maps, this.words, this.sum] = pick(el, "select", ".nst-maps", "p", ".nst-sum");
    this.menu.append(...session.setup.layers.map((layer) => new Option(layer)));
    this.menu.onchange = () => this.ask();
    this.maps.append(...Object.keys(SCALES).map((which) => this.map(which)));
  }

  map(which) {
    const figure = document.createElement("figure");
    figure.innerHTML = `<figcaption>${which}</figcaption>
      <canvas role="img" width="1" height="1"></canvas>
      <div class="nst-scale"><i></i><span></span><span></span></div>`;
    figure.querySelector("i").style.background = `linear-gradient(90deg, ${SCALES[which].stops})`;
    figure.children[1].onpointermove = (event) => this.read(event);
    figure.children[1].onpointerleave = () => this.refreshWords();
    return figure;
  }

  /** Say what is beneath the pointer, in all three matrices. */
  read({ target, offsetX, offsetY }) {
    const gram = this.model.get("_gram"), { n } = gram;
    const at = (offset, length) => clamp(Math.floor(n * offset / length), 0, n - 1);
    const row = at(offsetY, target.clientHeight), column = at(offsetX, target.clientWidth);
    const [picture, style, difference] = Object.entries(SCALES).map(([which, { value }]) =>
      value(gram[which].getUint8(n * row + column) / 255, gram));
    this.words.textContent = `Channels ${row} and ${column}: picture ${short(picture)}, `
      + `style ${short(style)}, difference ${signed(difference)}`;
  }

  /** Ask for the matrices of the chosen layer; in a tab that is not shown for none. */
  ask(shown = true) { this.session.wantGram(this, shown ? this.menu.value : null); }

  refresh() {
    const gram = this.model.get("_gram");
    if (!this.maps.querySelector(":hover")) this.refreshWords();
    this.maps.hidden = !gram.n;
    if (gram.n) for (const figure of this.maps.children) this.paint(figure, gram);
  }

  refreshWords() {
    const { n, words } = this.model.get("_gram");
    this.words.textContent = n ? words : "They appear here while a picture is painted.";
  }

  paint(figure, gram) {
    const [{ textContent: which }, canvas, scale] = figure.children;
    const [least, most] = SCALES[which].ends(gram);
    [scale.children[1].textContent, scale.children[2].textContent] = [least, most];
    const image = new ImageData(gram.n, gram.n), bytes = gram[which];
    const pixels = new Uint32Array(image.data.buffer);
    const colors = which === "difference" ? BLUE_TO_RED : BLUE_TO_YELLOW;
    for (let i = 0; i < pixels.length; i++) pixels[i] = colors[bytes.getUint8(i)];
    Object.assign(canvas, { width: gram.n, height: gram.n });
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.ariaLabel = `${gram.layer}, Gram matrix: ${which}`;
  }
}

/** 256 colors from five, each as one number with its bytes in the order of ImageData. */
function ramp(stops) {
  const parts = stops.map((stop) => [5, 3, 1].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, value) => {
    const place = value / 256 * 4, from = Math.floor(place), share = place - from;
    const mixed = parts[from].map((one, i) => Math.round(one + share * (parts[from + 1][i] - one)));
    return mixed.reduce((all, one) => all << 8 | one, 0xff) >>> 0;
  });
}

const VIRIDIS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];
const DIVERGING = ["#2166ac", "#92c5de", "#f7f7f7", "#f4a582", "#b2182b"];
const BLUE_TO_YELLOW = ramp(VIRIDIS), BLUE_TO_RED = ramp(DIVERGING);
const STRENGTH = { // of two channels at once
  stops: VIRIDIS, value: (share, { top }) => share * top,
  ends: ({ top }) => ["0", `≥ ${short(top)}`],
};
const SCALES = { // of each map: its colors, the value at a share of them, and the words at its ends
  picture: STRENGTH,
  style: STRENGTH,
  difference: {
    stops: DIVERGING, value: (share, { apart }) => (2 * share - 1) * apart,
    ends: ({ apart }) => [`≤ ${signed(-apart)}`, `≥ ${signed(apart)}`],
  },
};
const MATHS = `
  <div class="nst-layer"><span><b><i>G</i> = <i>F</i><sup>T</sup><i>F</i></b> says how strongly two
    channels of a layer answer at the same place.</span>
    <select aria-label="Layer"></select></div>
  <div class="nst-maps"></div>
  <p class="nst-soft"></p>
  <p class="nst-soft nst-sum"></p>`;

/** A number in three digits with its sign. */
function signed(value) { return `${value < 0 ? "−" : "+"}${short(Math.abs(value))}`; }
