// The spectrum of a small picture: log power over the frequencies, drawn with axes in cycles a pixel.

/** Power of the luma under a Hann window: {width, height, values}, frequency 0 in the middle (index side >> 1). */
function powerOf(image) {
  const { width, height } = image, count = width * height;
  const hann = (i, side) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / side);
  const weights = Float64Array.from({ length: count }, (_, i) => hann(i % width, width) * hann(Math.floor(i / width), height));
  const luma = Float64Array.from({ length: count }, (_, i) => 0.299 * image.data[4 * i] + 0.587 * image.data[4 * i + 1] + 0.114 * image.data[4 * i + 2]);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = luma.reduce((sum, value, i) => sum + weights[i] * value, 0) / total;
  const real = luma.map((value, i) => (value - mean) * weights[i]), imaginary = new Float64Array(count);
  transform(real, imaginary, width, height, 1, width);
  transform(real, imaginary, height, width, width, 1);
  const rounding = weights.reduce((sum, weight) => sum + weight * weight, 0) / 12; // what 8 bits have anyway
  const values = new Float64Array(count);
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const from = ((v + height - (height >> 1)) % height) * width + ((u + width - (width >> 1)) % width);
      values[v * width + u] = 10 * Math.log10((real[from] ** 2 + imaginary[from] ** 2) / rounding + 1);
    }
  }
  return { width, height, values };
}

/** The discrete Fourier transform of each of `lines` lines of `length` values, in place: a few pixels need no fast one. */
function transform(real, imaginary, length, lines, step, lineStep) {
  const cosine = Float64Array.from({ length }, (_, i) => Math.cos((2 * Math.PI * i) / length));
  const sine = Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * i) / length));
  const [a, b] = [new Float64Array(length), new Float64Array(length)];
  for (let line = 0; line < lines; line++) {
    for (let k = 0; k < length; k++) {
      a[k] = b[k] = 0;
      for (let i = 0; i < length; i++) {
        const at = line * lineStep + i * step, turn = (k * i) % length;
        a[k] += real[at] * cosine[turn] + imaginary[at] * sine[turn];
        b[k] += imaginary[at] * cosine[turn] - real[at] * sine[turn];
      }
    }
    for (let k = 0; k < length; k++) [real[line * lineStep + k * step], imaginary[line * lineStep + k * step]] = [a[k], b[k]];
  }
}

/** A figure of a spectrum: from rounding noise (black) to `most` decibels (white); lines at k/scale, where lattices are. */
function spectrumFigure(power, most, scale, label) {
  const { width, height, values } = power;
  const canvas = make("canvas", { width, height, role: "img", "aria-label": label });
  const shown = new ImageData(width, height);
  values.forEach((value, i) => shown.data.set([0, 1, 2].map(() => (255 * value) / most).concat(255), 4 * i));
  canvas.getContext("2d").putImageData(shown, 0, 0);
  const half = scale >> 1, marks = Array.from({ length: 2 * half + 1 }, (_, i) => i - half);
  const lines = draw("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
  const place = (k, side) => clamp(0.5 + k / scale + 0.5 / side, 0, 1); // the middle of the frequency's pixel
  for (const k of marks.filter((each) => each)) {
    const [x, y] = [place(k, width), place(k, height)];
    lines.append(draw("line", { x1: x, x2: x, y1: 0, y2: 1 }), draw("line", { x1: 0, x2: 1, y1: y, y2: y }));
  }
  const named = marks.filter((k) => scale <= 4 || k % (scale >> 1) === 0);
  const ticks = (side, pixels) =>
    make("div", { class: `ticks ${side}`, "aria-hidden": "true" },
      ...named.map((k) => make("span", { style: `--at:${place(k, pixels)}` }, k ? `${k < 0 ? "−" : ""}${fraction(Math.abs(k), scale)}` : "0")));
  return make("div", { class: "spectrum" }, ticks("left", height), make("div", { class: "plot" }, canvas, lines), ticks("below", width));
}

/** k/scale in its lowest terms. */
function fraction(k, scale) {
  const divisor = (a, b) => (b ? divisor(b, a % b) : a);
  const common = divisor(k, scale);
  return `${k / common}/${scale / common}`;
}
