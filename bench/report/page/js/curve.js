// Scores over the frames of the clip: a click goes to the frame. Up is better, but where nearer to GT's own value is.

const DIRECTION = {
  higher: "Higher is better",
  lower: "Lower is better, the axis is turned",
  nearer: "Nearer to GT's own value is better",
  none: "Neither more nor less is better",
};
const CURVE = { height: 190, left: 52, right: 12, top: 10, bottom: 26 };

function drawCurve() {
  const box = byId("curve");
  box.replaceChildren();
  drawScores();
  const clip = clipNow(), metric = data.metrics[state.metric];
  const series = metric ? Object.entries(data.scores[state.clip][state.metric]) : [];
  const still = clip.frames < 2;
  byId("curve-text").textContent = !series.length
    ? "This clip has no scores by this metric."
    : still
      ? "A still: one frame, no curve."
      : `${DIRECTION[metric.better]}. Filled dots have pictures. Click to open a frame.`;
  if (!series.length || still) return;
  const finite = series.flatMap(([, [, values]]) => values.map(number)).filter((v) => v !== null && Number.isFinite(v));
  if (!finite.length) return;
  const [least, greatest] = extent(finite);
  const pad = (greatest - least) * 0.08 || Math.abs(finite[0]) * 0.02 || 0.1;
  const [low, high] = [least - pad, greatest + pad];
  const size = { width: Math.max(260, box.clientWidth), ...CURVE };
  const across = (frame) => size.left + (frame / (clip.frames - 1)) * (size.width - size.left - size.right);
  const down = (value) => {
    const share = clamp((value - low) / (high - low), 0, 1);
    return size.top + (metric.better === "lower" ? share : 1 - share) * (size.height - size.top - size.bottom);
  };
  const svg = draw("svg", { viewBox: `0 0 ${size.width} ${size.height}`, role: "img", "aria-label": curveText(clip, metric, series) });
  grid(svg, size, low, high, metric, down, clip, across);
  svg.append(draw("line", { class: "now", x1: across(state.frame), x2: across(state.frame), y1: size.top, y2: size.height - size.bottom }));
  for (const [method, cell] of series) svg.append(line(Number(method), cell, clip, across, down));
  svg.addEventListener("pointerdown", (event) => {
    const bounds = svg.getBoundingClientRect();
    const x = ((event.clientX - bounds.left) / bounds.width) * size.width;
    goTo(Math.round(((x - size.left) / (size.width - size.left - size.right)) * (clip.frames - 1)));
  });
  box.append(svg);
}

function line(method, [frames, values], clip, across, down) {
  const points = frames.map((frame, i) => [frame, number(values[i])]).filter(([, value]) => value !== null);
  const path = points.map(([frame, value], i) => `${i ? "L" : "M"}${across(frame).toFixed(1)} ${down(value).toFixed(1)}`).join("");
  const group = draw("g", { class: `m${method}` }, draw("path", { d: path }));
  for (const [frame, value] of points) {
    const has = clip.shown.includes(frame);
    if (points.length > 60 && !has) continue;
    const text = `${data.methods[method]}, frame ${frame}: ${figure(value, state.metric)}`;
    const dot = { class: has ? "has" : "", cx: across(frame), cy: down(value), r: frame === state.frame ? 5 : 3.2 };
    group.append(draw("circle", dot, draw("title", {}, text)));
  }
  return group;
}

function grid(svg, size, low, high, metric, down, clip, across) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const gap = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(gap) + 1e-9));
  for (let tick = Math.ceil(low / gap) * gap; tick <= high; tick += gap) {
    svg.append(draw("line", { class: "grid", x1: size.left, x2: size.width - size.right, y1: down(tick), y2: down(tick) }));
    svg.append(draw("text", { x: size.left - 8, y: down(tick) + 4, "text-anchor": "end" }, tick.toFixed(digits)));
  }
  const every = Math.max(1, Math.ceil(clip.frames / 10));
  for (let frame = 0; frame < clip.frames; frame += every) {
    svg.append(draw("text", { x: across(frame), y: size.height - 8, "text-anchor": "middle" }, String(frame)));
  }
}

function curveText(clip, metric, series) {
  const said = series.map(([method, [, values]]) => {
    const known = values.map(number).filter((value) => value !== null);
    return `${data.methods[method]} from ${extent(known).map((value) => figure(value, state.metric)).join(" to ")}`;
  });
  return `${metric.title} of the ${clip.frames} frames of ${clipName(clip)}: ${said.join("; ")}.`;
}

/** The scores of this frame: the methods and metrics that this clip has. */
function drawScores() {
  const cells = data.scores[state.clip];
  const metrics = data.metrics.map((_, index) => index).filter((index) => Object.keys(cells[index]).length);
  const methods = data.methods.map((_, index) => index).filter((index) => metrics.some((metric) => index in cells[metric]));
  const body = methods.map((method) => {
    const key = document.querySelector(`.key.m${method}`)?.cloneNode(true) ?? "";
    const figures = metrics.map((metric) => figure(scoreAt(state.clip, metric, method, state.frame), metric));
    return make("tr", {}, make("th", { scope: "row" }, key, data.methods[method]), ...figures.map((text) => make("td", { class: "figure" }, text)));
  });
  const heads = ["method", ...metrics.map((metric) => data.metrics[metric].title)].map((text) => make("th", { scope: "col" }, text));
  byId("scores").replaceChildren(make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...body));
}

listen((changed) => {
  if (["clip", "frame", "metric"].some((key) => changed.has(key))) drawCurve();
});
new ResizeObserver(() => drawCurve()).observe(byId("curve").parentElement);
