// Start: show the first clip.

if (data.clips.length) {
  startControls();
  startAtlas();
  const clip = clipNow();
  const keys = layersOf(clip).map(([key]) => key);
  state.left = keys[0] ?? LR_CUBIC;
  state.right = keys.findLast((key) => key.startsWith("sr:")) ?? keys.at(-1) ?? GT;
  state.frame = clip.shown[0] ?? 0;
  syncControls();
  buildStage();
  drawCurve();
  drawSlices();
} else {
  byId("viewer-card").hidden = true;
}
