// The worst frames first, by each metric, of all methods or of one: each with its worst place, enlarged.

const ENLARGED = 4; // screen pixels for a pixel of a crop, where there is room

function drawAtlas() {
  const metric = Number(byId("worst-metric").value), method = Number(byId("worst-method").value);
  const found = data.worst[metric]?.[method + 1] ?? [];
  byId("worst-place").textContent = data.metrics[metric] ? `Each place lies ${data.metrics[metric].place}.` : "";
  byId("atlas").replaceChildren(...found.map((bad, rank) => card(bad, rank, metric)));
  if (!found.length) byId("atlas").append(make("p", {}, data.metrics[metric] ? "No frame is ranked by this metric." : "Nothing was scored."));
}

function card([clipIndex, frame, method, value, placeIndex], rank, metric) {
  const clip = data.clips[clipIndex], place = data.places[placeIndex];
  const key = document.querySelector(`.key.m${method}`)?.cloneNode(true) ?? "";
  const where = place ? `${place.box[2]}×${place.box[3]} pixels at ${place.box[0]}, ${place.box[1]}` : "no pictures of this place";
  const button = make("button", { type: "button", class: "text" },
    make("b", {}, key, data.methods[method]), make("b", {}, figure(value === null ? null : number(value), metric)),
    make("span", {}, `${clipName(clip)}, frame ${frame}`), make("span", {}, `#${rank + 1}`), make("span", {}, where));
  button.addEventListener("click", () => {
    const right = GT in clip.pictures ? GT : state.right;
    openClip(clipIndex, { frame, left: methodSource(method), right, metric });
    byId("viewer").scrollIntoView();
    stage.focus({ preventScroll: true });
  });
  const element = make("article", {}, button);
  if (place) drawPlace(element, place, clip, data.methods[method], frame);
  return element;
}

/** Two columns, SR and GT: the crop, its spectrum, and its middle row over time. */
async function drawPlace(element, place, clip, method, frame) {
  const names = [method, "truth (GT)"].slice(0, place.crops.length);
  const [crops, slices] = await Promise.all([place.crops, place.slices].map((some) => Promise.all(some.map(pixels))));
  const powers = crops.map(powerOf);
  const most = Math.max(1, ...powers.flatMap(({ values }) => [...values]));
  const wide = `max-width:${ENLARGED * place.box[2]}px`;
  const titled = (title, cells) => [make("p", { class: "caption" }, title), ...cells];
  const at = `${place.box[2]} by ${place.box[3]} pixels at ${place.box[0]}, ${place.box[1]} of ${clipName(clip)}`;
  const views = make("div", { class: `views of-${names.length}` },
    ...crops.map((image, i) => make("figure", {}, make("figcaption", {}, names[i]), canvasOf(image, wide, `${names[i]}, frame ${frame}: ${at}, enlarged`))),
    ...titled("Spectrum, cycles a pixel", powers.map((power, i) => spectrumFigure(power, most, clip.scale, spectrumText(power, clip.scale, names[i])))));
  if (slices.length) {
    const last = place.first + slices[0].height - 1, tall = clamp(Math.round(96 / slices[0].height), 1, 14);
    const style = `${wide};height:${slices[0].height * tall}px`;
    views.append(...titled(`Its middle row, frames ${place.first} to ${last} downwards (x–t slice)`,
      slices.map((image, i) => canvasOf(image, style, `x–t slice of ${names[i]}: row ${place.box[1] + (place.box[3] >> 1)}, frames ${place.first} to ${last}`))));
  }
  element.append(views);
}

function canvasOf(image, style, label) {
  const canvas = make("canvas", { width: image.width, height: image.height, style, role: "img", "aria-label": label });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** A spectrum in words: the power on the lines k/scale of both axes, above what lies between them. */
function spectrumText({ width, height, values }, scale, name) {
  const levels = { on: [], off: [] };
  const isLine = (i, side) => [...Array(scale).keys()].some((k) => k && Math.abs(((i - (side >> 1) + side) % side) - (k * side) / scale) < 1);
  values.forEach((value, i) => {
    const [u, v] = [i % width, Math.floor(i / width)];
    levels[isLine(u, width) || isLine(v, height) ? "on" : "off"].push(value);
  });
  const mean = (some) => some.reduce((sum, value) => sum + value, 0) / Math.max(1, some.length);
  const said = levels.on.length ? `; on the lines k/${scale} ${mean(levels.on).toFixed(0)} dB above rounding noise, elsewhere ${mean(levels.off).toFixed(0)} dB` : "";
  return `Spectrum of ${name}, logarithm of power${said}`;
}

function startAtlas() {
  choices(byId("worst-metric"), data.metrics.map((metric, index) => [String(index), metric.title]).filter(([index]) => data.metrics[index].better !== "none"), "0");
  choices(byId("worst-method"), [["-1", "all"], ...data.methods.map((name, index) => [String(index), name])], "-1");
  for (const id of ["worst-metric", "worst-method"]) byId(id).addEventListener("change", drawAtlas);
  new IntersectionObserver((entries, self) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    self.disconnect();
    drawAtlas();
  }, { rootMargin: "600px" }).observe(byId("atlas"));
}
