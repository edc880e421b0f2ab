// Small helpers for the document.

const byId = (id) => document.getElementById(id);

/** An HTML element with attributes, classes and children: make("p", {class: "caption"}, "text"). */
function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Options of a select: [[value, text], ...]. */
function choices(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

/** The least and the greatest of any number of values; no function takes more than some 120,000 arguments. */
const extent = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
