// Pixels of the embedded pictures, and what is computed from them: enlargements and differences.

const KEPT = 80; // decoded pictures held in memory
const decoded = new Map();

/** The pixels of an embedded picture, as a promise of ImageData. */
function pixels(picture) {
  if (!decoded.has(picture)) decoded.set(picture, decode(pictureTexts[picture]));
  const found = decoded.get(picture);
  decoded.delete(picture); // to the end: the one not used for longest is first
  decoded.set(picture, found);
  if (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return found;
}

async function decode(text) {
  const image = new Image();
  image.src = `data:image/webp;base64,${text}`;
  await image.decode();
  const canvas = make("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** LR enlarged to the window, pixel by pixel or by cubic interpolation (a = -0.5, as MATLAB's imresize enlarges). */
function enlarged(lr, clip, cubic) {
  const [x, y, width, height] = clip.box;
  const across = taps(width, x, clip.lrBox[0], lr.width, clip.scale, cubic);
  const down = taps(height, y, clip.lrBox[1], lr.height, clip.scale, cubic);
  const rows = new Float32Array(lr.height * width * 3);
  for (let v = 0; v < lr.height; v++) {
    for (let i = 0; i < width; i++) {
      for (const [u, weight] of across[i]) {
        for (let c = 0; c < 3; c++) rows[(v * width + i) * 3 + c] += weight * lr.data[(v * lr.width + u) * 4 + c];
      }
    }
  }
  const out = new ImageData(width, height);
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (const [v, weight] of down[j]) sum += weight * rows[(v * width + i) * 3 + c];
        out.data[(j * width + i) * 4 + c] = Math.floor(sum + 0.5);
      }
      out.data[(j * width + i) * 4 + 3] = 255;
    }
  }
  return out;
}

/** For each pixel of a line: which LR pixels it is made of, and their weights. Borders are mirrored. */
function taps(length, start, lrStart, lrLength, scale, cubic) {
  return Array.from({ length }, (_, i) => {
    const centre = (start + i + 0.5) / scale - 0.5 - lrStart;
    if (!cubic) return [[clamp(Math.round(centre), 0, lrLength - 1), 1]];
    const first = Math.floor(centre) - 1;
    return [0, 1, 2, 3].map((k) => [mirrored(first + k, lrLength), kernel(Math.abs(centre - first - k))]);
  });
}

const mirrored = (i, length) => clamp(i < 0 ? -1 - i : i >= length ? 2 * length - 1 - i : i, 0, length - 1);

function kernel(t) {
  if (t <= 1) return 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
  return t < 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0;
}

/** |a - b| x gain in each channel, on black. */
function differenceOf(a, b, gain) {
  const out = new ImageData(a.width, a.height);
  for (let i = 0; i < a.data.length; i++) {
    out.data[i] = i % 4 === 3 ? 255 : gain * Math.abs(a.data[i] - b.data[i]);
  }
  return out;
}
