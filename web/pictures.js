"use strict";
// Pictures: read from files, scaled, drawn, and saved.

const LEAST = 16; // pixels on each side that the network needs

/** Read a file as a picture, turned as its camera says. */
async function readPicture(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Error("Your browser cannot read that file as a picture; try a JPEG or a PNG.");
  }
  if (Math.min(picture.width, picture.height) < LEAST) {
    throw new Error(`That picture is too small; it needs ${LEAST} pixels on each side.`);
  }
  return picture;
}

/** Read the picture that the build put into the page. */
async function readSample(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  return picture;
}

/** A picture's or a film's width and height. */
function sizeOf(source) {
  return [
    source.videoWidth || source.naturalWidth || source.width,
    source.videoHeight || source.naturalHeight || source.height,
  ];
}

/** Width and height with the longest side no longer than asked for. */
function fit(source, longest) {
  const sides = sizeOf(source);
  const scale = Math.min(1, longest / Math.max(...sides));
  return sides.map((side) => Math.max(LEAST, Math.round(side * scale)));
}

/** Scale a picture down; return its pixels as ImageData. */
function pixelsOf(source, longest, mirrored = false) {
  const [width, height] = fit(source, longest);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  if (mirrored) context.setTransform(-1, 0, 0, 1, width, 0);
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Show pixels on a canvas, which takes their size. */
function draw(canvas, pixels) {
  if (canvas.width !== pixels.width) canvas.width = pixels.width;
  if (canvas.height !== pixels.height) canvas.height = pixels.height;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** Hand a canvas to the visitor as a PNG file. */
async function savePicture(canvas, name) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const link = Object.assign(document.createElement("a"), {
    href: URL.createObjectURL(blob),
    download: name,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
