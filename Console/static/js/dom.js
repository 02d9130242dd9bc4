// Builds elements. Text is only ever text: nothing here takes markup, and the page's policy forbids it.

const SVG = "http://www.w3.org/2000/svg";

export const h = (tag, attributes, ...children) => filled(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

// What somebody else has named: it may be long, and run from right to left.
export const name = (text) => h("bdi", {}, text);

export function put(element, ...children) {
  element.replaceChildren(...present(children));
  return element;
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else if (key === "vars") for (const [one, set] of Object.entries(value)) element.style.setProperty(one, set);
    else if (key === "value" && "value" in element) element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

const present = (children) => children.flat(9).filter((child) => child !== undefined && child !== null && child !== false);
