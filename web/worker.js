"use strict";
// Runs in a worker: unpacks the runtime and the network, then paints one picture after another.

let ort, session, margin, stride, waves, ripple;
let field; // the ripple for pictures of one size: {key, values}

onmessage = async ({ data }) => {
  try {
    if (data.code) await start(data);
    else await paint(data);
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};

async function start({ code, wasm, network, gpu, ...settings }) {
  const [script, binary, model] = await Promise.all([code, wasm, network].map(unpack));
  ort = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  ort.env.wasm.wasmBinary = binary;
  ort.env.wasm.numThreads = 1; // more would need headers that a plain server does not send
  session = await ort.InferenceSession.create(model, {
    executionProviders: [gpu ? "webgpu" : "wasm"],
  });
  ({ margin, stride, waves, ripple } = settings);
  postMessage({});
}

/** Undo base64 and gzip. */
function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function paint({ pixels, weights }) {
  const begin = performance.now();
  const { width, height } = pixels;
  const [columns, rows] = [continued(width), continued(height)];
  const feeds = {
    picture: new ort.Tensor("float32", spread(pixels, columns, rows), [
      1, rows.length, columns.length, 3,
    ]),
    weights: new ort.Tensor("float32", normalized(weights), [1, weights.length]),
  };
  const { painted } = await session.run(feeds);
  const result = collect(await painted.getData(), width, height, columns.length, rows.length);
  painted.dispose();
  const milliseconds = performance.now() - begin;
  postMessage({ pixels: result, milliseconds }, [result.data.buffer]);
}

/**
 * Number the pixels of a side that is continued by its mirror image: by a margin, then to a multiple
 * of the stride, half at each end. Python's `apply` does the same.
 */
function continued(side) {
  const wide = side + 2 * margin;
  const missing = (stride - (wide % stride)) % stride;
  const first = -Math.floor(missing / 2);
  return Int32Array.from({ length: wide + missing }, (_, at) =>
    reflected(reflected(first + at, wide) - margin, side),
  );
}

function reflected(place, side) {
  place = Math.abs(place);
  return place < side ? place : 2 * (side - 1) - place;
}

/** RGBA in bytes to RGB in floats, rippled, at the given columns and rows. */
function spread({ data, width, height }, columns, rows) {
  const floats = new Float32Array(rows.length * columns.length * 3);
  const added = rippleOf(width, height);
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      const place = row * width + column;
      for (let channel = 0; channel < 3; channel++) {
        floats[to++] = Math.min(Math.max(data[4 * place + channel] + added[place], 0), 255);
      }
    }
  }
  return floats;
}

/** Faint waves that tell the places of an even sky apart, as Python's `ripple` makes them. */
function rippleOf(width, height) {
  const key = `${width}x${height}`;
  if (field?.key !== key) field = { key, values: makeRipple(width, height) };
  return field.values;
}

/** sin(a + b) is sin(a) cos(b) + cos(a) sin(b): a sine for each row and column is enough. */
function makeRipple(width, height) {
  const values = new Float32Array(width * height), strength = ripple * Math.sqrt(2 / waves.length);
  for (const [right, down, phase] of waves) {
    const sines = Float64Array.from({ length: width }, (_, x) => strength * Math.sin(right * x));
    const cosines = Float64Array.from({ length: width }, (_, x) => strength * Math.cos(right * x));
    for (let y = 0, at = 0; y < height; y++) {
      const [sine, cosine] = [Math.sin(down * y + phase), Math.cos(down * y + phase)];
      for (let x = 0; x < width; x++) values[at++] += sines[x] * cosine + cosines[x] * sine;
    }
  }
  return values;
}

/** RGB in floats, wide and high, to RGBA in bytes, without what was added at the borders. */
function collect(floats, width, height, wide, high) {
  const pixels = new ImageData(width, height);
  const [left, top] = [Math.floor((wide - width) / 2), Math.floor((high - height) / 2)];
  let to = 0;
  for (let row = top; row < top + height; row++) {
    let from = 3 * (row * wide + left);
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < 3; channel++) pixels.data[to++] = floats[from++];
      pixels.data[to++] = 255;
    }
  }
  return pixels;
}

function normalized(weights) {
  const sum = weights.reduce((a, b) => a + b);
  return Float32Array.from(weights, (weight) => weight / sum);
}
