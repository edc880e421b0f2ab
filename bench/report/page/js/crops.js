// Crops side by side: a clip, a frame, a place; native selects, so that the keyboard works.

{
  const data = JSON.parse(byId("data").textContent);
  const [clip, frame, place] = ["clip", "frame", "place"].map(byId);

  const show = () => {
    const found = data.clips[clip.value];
    const [, , pictures] = found.crops.find(([f, p]) => f === +frame.value && p === +place.value);
    const [x, y, width, height] = found.boxes[place.value];
    const where = `${found.name}, frame ${frame.value}, place ${+place.value + 1}`;
    byId("where").textContent = `${where}: ${width}×${height} pixels at (${x}, ${y}) of ${found.size[0]}×${found.size[1]}, at 4x`;
    byId("crops").replaceChildren(...data.sources.map((source) => {
      const text = make("figcaption", {}, source);
      if (!(source in pictures)) return make("figure", {}, make("p", { class: "caption" }, "no frames at hand"), text);
      const src = `data:image/webp;base64,${pictures[source]}`;
      return make("figure", {}, make("img", { src, alt: `${source}: ${where}`, width: 4 * width, height: 4 * height }), text);
    }));
  };

  /** The frames of a clip and the places of a frame; what was chosen before stays chosen where it is there. */
  const offer = () => {
    const found = data.clips[clip.value];
    const frames = [...new Set(found.crops.map(([f]) => f))];
    choices(frame, frames.map((f) => [String(f), `${f}`]), frame.value);
    const places = found.crops.filter(([f]) => f === +frame.value).map(([, p]) => p);
    choices(place, places.map((p) => [String(p), `${p + 1}`]), place.value);
    show();
  };

  choices(clip, data.clips.map((each, index) => [String(index), each.name]), "0");
  for (const select of [clip, frame, place]) select.addEventListener("change", offer);
  offer();
}
