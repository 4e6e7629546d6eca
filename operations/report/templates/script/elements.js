const data = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const body = (section) => document.querySelector(`#${section} > div`);
const SYMBOLS = { ok: "✓", warning: "!", failed: "✗", unknown: "?", skipped: "–", changed: "●", unreachable: "○" };
const narrow = matchMedia("(max-width: 44rem)");

// What a host said only ever becomes text, never markup.
const filled = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
};
const make = (kind, attributes, ...children) => filled(document.createElement(kind), attributes, children);
const draw = (kind, attributes, ...children) =>
    filled(document.createElementNS("http://www.w3.org/2000/svg", kind), attributes, children);
const button = (text, action, attributes = {}) => {
    const element = make("button", { type: "button", ...attributes }, text);
    element.addEventListener("click", action);
    return element;
};
const mark = (word) => make("span", { class: `mark ${word}`, "aria-hidden": "true" }, SYMBOLS[word]);
const told = (word) => [mark(word), " ", word];
