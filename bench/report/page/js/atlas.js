// The worst frames first, by each metric, of all methods or of one.

const SPOT = 96; // pixels across of what a card shows

function drawAtlas() {
  const metric = Number(byId("worst-metric").value), method = Number(byId("worst-method").value);
  const found = data.worst[metric]?.[method + 1] ?? [];
  byId("atlas").replaceChildren(...found.map((bad, rank) => card(bad, rank, metric)));
  if (!found.length) byId("atlas").append(make("p", {}, "Nothing was scored."));
}

function card([clipIndex, frame, method, value], rank, metric) {
  const clip = data.clips[clipIndex];
  const canvas = make("canvas", { width: 2 * SPOT, height: SPOT, "aria-hidden": "true" });
  const key = document.querySelector(`.key.m${method}`)?.cloneNode(true) ?? "";
  const text = make("div", { class: "text" },
    make("b", {}, key, data.methods[method]), make("b", {}, figure(value === null ? null : number(value), metric)),
    make("span", {}, `${clipName(clip)}, frame ${frame}`), make("span", {}, `#${rank + 1}`));
  const button = make("button", { type: "button" }, canvas, text);
  if (!clip.shown.includes(frame)) {
    canvas.remove();
    text.append(make("span", {}, "no pictures of this frame"));
  } else {
    drawSpot(canvas, clip, frame, method);
  }
  button.addEventListener("click", () => {
    const right = GT in clip.pictures ? GT : state.right;
    openClip(clipIndex, { frame, left: methodSource(method), right, metric });
    byId("viewer").scrollIntoView();
    stage.focus({ preventScroll: true });
  });
  return button;
}

async function drawSpot(canvas, clip, frame, method) {
  const source = methodSource(method);
  if (!(source in clip.pictures)) return canvas.remove();
  const sr = await pixels(clip.pictures[source][frame]);
  const gt = GT in clip.pictures ? await pixels(clip.pictures[GT][frame]) : sr;
  const [x, y, side] = worstSpot(sr, gt, SPOT);
  const context = canvas.getContext("2d");
  [canvas.width, canvas.height] = [2 * side, side];
  context.putImageData(sr, -x, -y, x, y, side, side);
  context.putImageData(gt, side - x, -y, x, y, side, side);
}

function startAtlas() {
  choices(byId("worst-metric"), data.metrics.map((metric, index) => [String(index), metric.title]), "0");
  choices(byId("worst-method"), [["-1", "all"], ...data.methods.map((name, index) => [String(index), name])], "-1");
  for (const id of ["worst-metric", "worst-method"]) byId(id).addEventListener("change", drawAtlas);
  new IntersectionObserver((entries, self) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    self.disconnect();
    drawAtlas();
  }, { rootMargin: "600px" }).observe(byId("atlas"));
}
