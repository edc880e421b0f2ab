// Selects, buttons, keys and pointers of the viewer.

const playing = { timer: 0 };

function syncControls() {
  const clip = clipNow();
  const layers = layersOf(clip);
  for (const side of ["left", "right"]) {
    choices(byId(side), layers, state[side]);
    byId(side).disabled = !layers.length;
  }
  byId("clip").value = state.clip;
  const slider = byId("frame");
  slider.max = Math.max(0, clip.shown.length - 1);
  slider.value = Math.max(0, clip.shown.indexOf(state.frame));
  slider.disabled = byId("play").disabled = clip.shown.length < 2;
  slider.setAttribute("aria-valuetext", `frame ${state.frame}`);
  byId("frame-text").textContent = clip.frames > 1 ? `frame ${state.frame} (0–${clip.frames - 1})` : "a still";
  byId("divider").value = Math.round(1000 * state.divider);
  byId("divider").hidden = state.mode !== "slider" || !clip.shown.length;
  byId("mode-slider").setAttribute("aria-pressed", state.mode === "slider");
  byId("mode-side").setAttribute("aria-pressed", state.mode === "side");
  byId("gain-label").hidden = ![state.left, state.right].some((layer) => layer.startsWith("diff:"));
  byId("metric").value = state.metric;
}

/** To another clip: what it lacks is replaced by the nearest thing that it has. */
function openClip(index, change = {}) {
  stop();
  const clip = data.clips[index];
  const keys = layersOf(clip).map(([key]) => key);
  const fallback = (layer, other) => (keys.includes(layer) ? layer : keys.includes(other) ? other : keys.at(-1) ?? layer);
  const next = { left: fallback(state.left, keys[0]), right: fallback(state.right, keys.at(-1)), ...change };
  const frame = clip.shown.length ? nearestShown(clip, next.frame ?? clip.shown[0]) : 0;
  byId("missing").hidden = true;
  show({ ...next, clip: index, frame, zoom: 1, at: [0.5, 0.5] });
}

function stop() {
  clearInterval(playing.timer);
  playing.timer = 0;
  byId("play").setAttribute("aria-pressed", "false");
  byId("play").textContent = "Play";
}

function togglePlay() {
  if (playing.timer) return stop();
  if (clipNow().shown.length < 2) return;
  byId("play").setAttribute("aria-pressed", "true");
  byId("play").textContent = "Pause";
  playing.timer = setInterval(() => {
    const { shown } = clipNow();
    show({ frame: shown[(shown.indexOf(state.frame) + 1) % shown.length] });
  }, 160);
}

function toggleDifference() {
  const method = Math.max(methodOf(state.right), methodOf(state.left));
  if (state.right.startsWith("diff:")) return show({ right: state.right.slice(5) });
  const wanted = `diff:${methodSource(Math.max(0, method))}`;
  if (layersOf(clipNow()).some(([key]) => key === wanted)) show({ right: wanted });
}

const KEYS = {
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  "[": () => openClip((state.clip + data.clips.length - 1) % data.clips.length),
  "]": () => openClip((state.clip + 1) % data.clips.length),
  ",": () => show({ divider: clamp(state.divider - 0.05, 0, 1) }),
  ".": () => show({ divider: clamp(state.divider + 0.05, 0, 1) }),
  "+": () => zoomBy(2),
  "=": () => zoomBy(2),
  "-": () => zoomBy(0.5),
  0: () => show({ zoom: 1, at: [0.5, 0.5] }),
  d: toggleDifference,
  s: () => show({ mode: state.mode === "slider" ? "side" : "slider" }),
  " ": togglePlay,
};
const PANS = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };

function onKey(event) {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || at.matches("select, input, .scroll")) return;
  if (at.matches("button, summary") && [" ", "Enter"].includes(event.key)) return;
  const layers = layersOf(clipNow());
  let action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (event.shiftKey && PANS[event.key]) action = () => panBy(...PANS[event.key]);
  if (/^[1-9]$/.test(event.key) && layers[event.key - 1]) action = () => show({ right: layers[event.key - 1][0] });
  if (!action) return;
  event.preventDefault();
  action();
}

/** Where a pointer is in the window that the panes show, as shares of the pane. */
function pointed(event) {
  const pane = event.target.closest?.(".pane") ?? panes[0]?.pane;
  if (!pane) return null;
  const box = (pane.parentElement.closest(".pane") ?? pane).getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width, 0, 1), clamp((event.clientY - box.top) / box.height, 0, 1), box];
}

const inWindow = ([x, y]) => [state.at[0] + (x - 0.5) / state.zoom, state.at[1] + (y - 0.5) / state.zoom];

function watchPointers() {
  const down = new Map(); // pointer -> last event
  let spread = 0, onCut = false;
  stage.addEventListener("pointerdown", (event) => {
    const point = pointed(event);
    if (!point || event.button) return;
    down.set(event.pointerId, event);
    stage.setPointerCapture(event.pointerId);
    spread = 0;
    onCut = state.mode === "slider" && (state.zoom === 1 || Math.abs(point[0] - state.divider) * point[2].width < 28);
    if (onCut) show({ divider: point[0] });
  });
  stage.addEventListener("pointermove", (event) => {
    const last = down.get(event.pointerId);
    if (!last) return cross(event);
    down.set(event.pointerId, event);
    const pane = panes[0]?.pane.getBoundingClientRect();
    if (!pane) return;
    if (down.size === 2) {
      const [a, b] = [...down.values()];
      const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (spread) zoomBy(now / spread, state.at, false);
      spread = now;
    } else if (onCut) {
      show({ divider: clamp((event.clientX - pane.left) / pane.width, 0, 1) });
    } else if (state.zoom > 1) {
      panBy(-(event.clientX - last.clientX) / pane.width, -(event.clientY - last.clientY) / pane.height);
    }
  });
  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => down.delete(event.pointerId));
  stage.addEventListener("dblclick", (event) => {
    const point = pointed(event);
    if (point) state.zoom > 1 ? show({ zoom: 1, at: [0.5, 0.5] }) : zoomBy(4, inWindow(point));
  });
  stage.addEventListener("wheel", (event) => {
    const point = pointed(event);
    if (!point || !(event.ctrlKey || event.metaKey)) return; // a plain wheel scrolls the page
    event.preventDefault();
    zoomBy(2 ** clamp(-event.deltaY / 120, -1, 1), inWindow(point), false);
  }, { passive: false });
}

/** Side by side, the point under the pointer is marked in every picture. */
function cross(event) {
  if (state.mode !== "side") return;
  const point = event.target.closest?.(".pane") && pointed(event);
  for (const mark of stage.querySelectorAll(".cross")) {
    mark.hidden = !point;
    if (point) Object.assign(mark.style, { left: `${100 * point[0]}%`, top: `${100 * point[1]}%` });
  }
}

function startControls() {
  choices(byId("clip"), data.clips.map((clip, index) => [String(index), clipName(clip)]), String(state.clip));
  choices(byId("metric"), data.metrics.map((metric, index) => [String(index), metric.title]), "0");
  byId("clip").addEventListener("change", (event) => openClip(Number(event.target.value)));
  for (const side of ["left", "right"]) byId(side).addEventListener("change", (event) => show({ [side]: event.target.value }));
  byId("metric").addEventListener("change", (event) => show({ metric: Number(event.target.value) }));
  byId("gain").addEventListener("change", (event) => show({ gain: Number(event.target.value) }));
  byId("frame").addEventListener("input", (event) => goTo(clipNow().shown[Number(event.target.value)]));
  byId("divider").addEventListener("input", (event) => show({ divider: event.target.value / 1000 }));
  byId("mode-slider").addEventListener("click", () => show({ mode: "slider" }));
  byId("mode-side").addEventListener("click", () => show({ mode: "side" }));
  byId("zoom-in").addEventListener("click", () => zoomBy(2));
  byId("zoom-out").addEventListener("click", () => zoomBy(0.5));
  byId("zoom-fit").addEventListener("click", () => show({ zoom: 1, at: [0.5, 0.5] }));
  byId("play").addEventListener("click", togglePlay);
  byId("viewer-card").addEventListener("keydown", onKey);
  watchPointers();
  listen(syncControls);
}
