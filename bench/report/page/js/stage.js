// The pictures: a slider over two layers, or all layers side by side. Zoom and place are shared by all of them.

const stage = byId("stage");
let panes = []; // {layer, pane, canvas}
let drawing = 0;

/** Pixels of the screen for one of the window, when it fits; whole steps, so that every pixel is equally large. */
function fitted(clip, width) {
  const most = Math.max(220, 0.74 * window.innerHeight);
  const raw = Math.min(width / clip.box[2], most / clip.box[3]);
  const ratio = window.devicePixelRatio || 1;
  return raw * ratio >= 1 ? Math.floor(raw * ratio) / ratio : raw;
}

function buildStage() {
  const clip = clipNow();
  stage.replaceChildren();
  panes = [];
  if (!clip.shown.length) {
    const reasons = [...new Set(Object.values(clip.absent))];
    stage.append(make("p", { class: "notice" }, `No pictures of ${clipName(clip)}: ${reasons.join("; ") || "there was no room in the budget"}.`));
    return;
  }
  if (state.mode === "slider") buildSlider(clip);
  else buildTiles(clip);
  place();
  paint();
}

function newPane(layer, width, height) {
  const canvas = make("canvas", { role: "img", "aria-label": layerLabel(state.clip, layer) });
  const pane = make("div", { class: "pane", style: `width:${width}px;height:${height}px` }, canvas);
  panes.push({ layer, pane, canvas });
  return pane;
}

function buildSlider(clip) {
  const base = fitted(clip, stage.clientWidth);
  const [width, height] = [clip.box[2] * base, clip.box[3] * base];
  const back = newPane(state.right, width, height);
  const front = newPane(state.left, width, height);
  front.classList.add("layer");
  back.append(front, make("div", { class: "cut" }), make("div", { class: "chip a" }), make("div", { class: "chip b" }));
  stage.append(back);
  stage.dataset.base = base;
}

function buildTiles(clip) {
  const layers = layersOf(clip).filter(([key]) => !key.startsWith("diff:") || key === state.right);
  const most = stage.clientWidth - 12;
  const columns = clamp(Math.floor(most / 300), most < 500 ? 2 : 1, layers.length);
  const base = fitted(clip, (most - 6 * (columns - 1)) / columns);
  const [width, height] = [clip.box[2] * base, clip.box[3] * base];
  const grid = make("div", { class: "tiles", style: `grid-template-columns:repeat(${columns}, ${width}px)` });
  for (const [layer] of layers) {
    const pane = newPane(layer, width, height);
    pane.append(make("div", { class: "cross", hidden: "" }));
    grid.append(make("div", { class: "tile" }, pane, make("span")));
  }
  stage.append(grid);
  stage.dataset.base = base;
}

/** Put every canvas where zoom and place want it: the same for all of them. */
function place() {
  const clip = clipNow();
  const scale = Number(stage.dataset.base) * state.zoom;
  for (const { pane, canvas } of panes) {
    const [width, height] = [pane.clientWidth, pane.clientHeight];
    const left = clamp(width / 2 - state.at[0] * clip.box[2] * scale, width - clip.box[2] * scale, 0);
    const top = clamp(height / 2 - state.at[1] * clip.box[3] * scale, height - clip.box[3] * scale, 0);
    canvas.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
    pane.classList.toggle("crisp", scale >= 1);
  }
  stage.classList.toggle("zoomed", state.zoom > 1);
  byId("zoom-text").textContent = state.zoom === 1 ? "fit" : `×${+(scale).toFixed(2)}`;
  placeDivider();
}

function placeDivider() {
  if (state.mode !== "slider" || panes.length < 2) return;
  const share = `${100 * state.divider}%`;
  panes[1].pane.style.clipPath = `inset(0 calc(100% - ${share}) 0 0)`;
  panes[0].pane.querySelector(".cut").style.left = share;
}

/** Draw the pixels; a later call overtakes an earlier one that is still decoding. */
async function paint() {
  const mine = ++drawing;
  delete stage.dataset.drawn;
  const clip = clipNow();
  label();
  await Promise.all(
    panes.map(async ({ layer, canvas }) => {
      const image = await layerPixels(clip, state.frame, layer, state.gain);
      if (mine !== drawing) return;
      if (canvas.width !== image.width || canvas.height !== image.height) {
        canvas.width = image.width;
        canvas.height = image.height;
      }
      canvas.getContext("2d").putImageData(image, 0, 0);
    }),
  );
  if (mine === drawing) stage.dataset.drawn = `${clip.clip}/${state.frame}`;
}

function label() {
  for (const { layer, pane, canvas } of panes) {
    const text = layerLabel(state.clip, layer);
    canvas.setAttribute("aria-label", `${text}, ${clipName(clipNow())}, frame ${state.frame}`);
    if (state.mode === "side") pane.nextElementSibling.textContent = text;
  }
  if (state.mode === "slider" && panes.length) {
    stage.querySelector(".chip.a").textContent = layerLabel(state.clip, state.left);
    stage.querySelector(".chip.b").textContent = layerLabel(state.clip, state.right);
  }
}

/** Zoom by a factor; the point of the window at `about` stays where it is. `whole`: to whole pixels of the screen. */
function zoomBy(factor, about = state.at, whole = true) {
  const base = Number(stage.dataset.base), scale = base * state.zoom * factor;
  const zoom = clamp((whole && scale > 1.3 ? Math.round(scale) : scale) / base, 1, 32);
  const kept = state.zoom / zoom;
  const at = state.at.map((centre, axis) => about[axis] + (centre - about[axis]) * kept);
  show({ zoom, at: inside(at, zoom) });
}

const inside = (at, zoom) => at.map((centre) => clamp(centre, 0.5 / zoom, 1 - 0.5 / zoom));
const panBy = (dx, dy) => show({ at: inside([state.at[0] + dx / state.zoom, state.at[1] + dy / state.zoom], state.zoom) });

listen((changed) => {
  const has = (...keys) => keys.some((key) => changed.has(key));
  if (has("clip", "mode") || (has("left", "right") && (state.mode === "slider" || String(state.right).startsWith("diff:")))) return buildStage();
  if (!panes.length) return;
  if (has("zoom", "at")) place();
  if (has("divider")) placeDivider();
  if (has("frame", "gain")) paint();
  if (has("metric")) label();
});

let width = 0;
new ResizeObserver(() => {
  if (stage.clientWidth !== width) {
    width = stage.clientWidth;
    buildStage();
  }
}).observe(stage);
