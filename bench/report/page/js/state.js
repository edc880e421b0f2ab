// State of the page: one object, changed by `show`, which tells the listeners.

const data = JSON.parse(byId("data").textContent);
const pictureTexts = byId("pictures").textContent.split("\n");

const LR_NEAREST = "lr:nearest", LR_CUBIC = "lr:cubic", GT = "gt";
const methodSource = (method) => `sr:${data.methods[method]}`;

const state = {
  clip: Math.max(0, data.clips.findIndex((clip) => clip.shown.length)),
  frame: 0,
  left: LR_CUBIC,
  right: GT,
  mode: "slider", // or "side"
  divider: 0.5,
  zoom: 1, // 1: the window fits
  at: [0.5, 0.5], // centre of the view, as a share of the window
  gain: 4,
  metric: 0,
};

const listeners = [];
const listen = (listener) => listeners.push(listener);

/** Change the state and tell everybody what changed. */
function show(change) {
  const changed = new Set(Object.keys(change).filter((key) => String(change[key]) !== String(state[key])));
  if (!changed.size) return;
  Object.assign(state, change);
  for (const listener of listeners) listener(changed);
}

const clipNow = () => data.clips[state.clip];
const severalSets = new Set(data.clips.map((each) => each.data)).size > 1;
const clipName = (clip) => (severalSets ? `${clip.data} / ${clip.clip}` : clip.clip);

/** The frame with pictures that is nearest to an index. */
function nearestShown(clip, index) {
  return clip.shown.reduce((best, each) => (Math.abs(each - index) < Math.abs(best - index) ? each : best), clip.shown[0] ?? 0);
}

/** Go to a frame; where it has no pictures, to the nearest that has. */
function goTo(index) {
  const clip = clipNow();
  const wanted = clamp(index, 0, clip.frames - 1);
  const found = clip.shown.length ? nearestShown(clip, wanted) : wanted;
  byId("missing").hidden = found === wanted;
  byId("missing").textContent = `Frame ${wanted} has no pictures in this page; the nearest that has is shown.`;
  show({ frame: found });
}

/** One step forward or back among the frames with pictures. */
function step(direction) {
  const { shown } = clipNow();
  const next = shown.indexOf(state.frame) + direction;
  if (next >= 0 && next < shown.length) goTo(shown[next]);
}

/** The score of a method at a frame: a number, or null where there is none. */
function scoreAt(clip, metric, method, frame) {
  const cell = data.scores[clip][metric][method];
  const place = cell ? cell[0].indexOf(frame) : -1;
  return place < 0 ? null : number(cell[1][place]);
}

const number = (value) => (value === "inf" ? Infinity : value === "-inf" ? -Infinity : value);

function figure(value, metric) {
  if (value === null) return "–";
  const { digits, unit } = data.metrics[metric];
  const text = Number.isFinite(value) ? value.toFixed(digits).replace(/^-(0(\.0*)?)$/, "$1") : value > 0 ? "∞" : "-∞";
  return text + (unit ? ` ${unit}` : "");
}
