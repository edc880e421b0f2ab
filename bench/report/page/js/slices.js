// One row of the clip, frame under frame: what flickers or drags becomes a jagged or slanted edge.

let slicesOf = -1;

async function drawSlices() {
  if (slicesOf === state.clip) return;
  slicesOf = state.clip;
  const clip = clipNow(), box = byId("slices");
  byId("slices-box").hidden = !clip.slice;
  drawOverview(clip);
  if (!clip.slice) return;
  const mine = state.clip, rows = clip.slice.frames;
  const tall = clamp(Math.round(96 / rows), 1, 14);
  byId("slices-text").textContent = `Row ${clip.slice.row} of ${clip.size[1]}, where the methods differ most; ${rows} of ${clip.frames} frames, time runs down.`;
  const named = [["lr", `LR ×${clip.scale} (pixels)`], ...data.methods.map((name, index) => [methodSource(index), name]), [GT, "truth (GT)"]];
  const lines = await Promise.all(
    named.filter(([source]) => source in clip.slice.pictures).map(async ([source, name]) => {
      const image = await pixels(clip.slice.pictures[source]);
      const scale = source === "lr" ? clip.scale : 1;
      const skip = source === "lr" ? clip.box[0] / scale - clip.lrBox[0] : 0;
      const canvas = make("canvas", { width: clip.box[2] / scale, height: rows, role: "img", "aria-label": `x–t slice of ${name}`, style: `height:${rows * tall}px` });
      canvas.getContext("2d").putImageData(image, -skip, 0);
      return make("div", { class: "slice" }, make("span", {}, name), canvas);
    }),
  );
  if (mine === state.clip) box.replaceChildren(...lines);
}

/** Where the shown window lies in the whole frame. */
async function drawOverview(clip) {
  byId("overview-box").hidden = clip.overview === null;
  if (clip.overview === null) return;
  const image = await pixels(clip.overview), canvas = byId("overview");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d"), share = image.width / clip.size[0];
  context.putImageData(image, 0, 0);
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.strokeRect(...clip.box.map((side) => side * share));
}

listen((changed) => changed.has("clip") && drawSlices());
