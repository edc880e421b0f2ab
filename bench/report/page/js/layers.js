// Layers of a clip: LR enlarged, each method, GT, differences.

/** [[key, title], ...] of everything that this clip has pictures of. */
function layersOf(clip) {
  const has = (source) => source in clip.pictures;
  const methods = data.methods.map((name, index) => [methodSource(index), name]).filter(([source]) => has(source));
  return [
    ...(has("lr") ? [[LR_CUBIC, `LR ×${clip.scale} (bicubic)`], [LR_NEAREST, `LR ×${clip.scale} (pixels)`]] : []),
    ...methods,
    ...(has(GT) ? [[GT, "truth (GT)"]] : []),
    ...(has(GT) ? methods.map(([source, name]) => [`diff:${source}`, `|${name} − truth|`]) : []),
  ];
}

const methodOf = (layer) => data.methods.findIndex((name) => layer === `sr:${name}` || layer === `diff:sr:${name}`);

/** The pixels of a layer at a frame. */
async function layerPixels(clip, frame, layer, gain) {
  const picture = (source) => pixels(clip.pictures[source][frame]);
  if (layer === LR_NEAREST || layer === LR_CUBIC) return enlarged(await picture("lr"), clip, layer === LR_CUBIC);
  if (layer.startsWith("diff:")) {
    return differenceOf(...(await Promise.all([picture(layer.slice(5)), picture(GT)])), gain);
  }
  return picture(layer);
}

/** A layer's name with the score of the chosen metric, for its label. */
function layerLabel(clipIndex, layer) {
  const clip = data.clips[clipIndex];
  const title = (layersOf(clip).find(([key]) => key === layer) ?? [layer, layer])[1];
  const method = methodOf(layer);
  if (method < 0 || !data.metrics.length) return title;
  const value = scoreAt(clipIndex, state.metric, method, state.frame);
  return layer.startsWith("diff:") ? `${title} ×${state.gain}` : `${title}  ${figure(value, state.metric)}`;
}
