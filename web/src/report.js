// The report's only script: draws every chart of the page from its Vega-Lite specification, and switches languages.
import { compile } from "vega-lite";
import { expressionInterpreter } from "vega-interpreter";
import { parse, View } from "vega";

const FONT = '"Noto Sans", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic", system-ui, sans-serif';
const INK = "#333c47";
const words = { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, labelColor: INK, titleColor: INK };

const config = {
  font: FONT,
  background: null,
  axis: { ...words, gridColor: "#e3e8ee", domainColor: "#8895a3", tickColor: "#8895a3" },
  legend: { ...words, labelLimit: 320 },
  header: { labelColor: "#1b232c" },
  text: { font: FONT },
  view: { stroke: "#c9d2dc" },
};

// Long data sets stand in the page once, as columns; Vega wants rows. `k` keeps their order.
const datasets = {};
for (const [name, columns] of Object.entries(JSON.parse(document.getElementById("datasets").textContent))) {
  const fields = Object.keys(columns);
  datasets[name] = columns[fields[0]].map((_, k) => Object.fromEntries([["k", k], ...fields.map((f) => [f, columns[f][k]])]));
}

// Colour alone is not enough for "lost": whatever has that colour is hatched. Each drawing has a pattern of its own:
// one inside a hidden drawing would not be painted.
let patterns = 0;
function hatch(svg, colour) {
  const lost = [...svg.querySelectorAll(`path[fill="${colour}"]`)];
  if (!lost.length) return;
  const id = `hatch-${patterns++}`;
  const defs = document.createElementNS("http://www.w3.org/2000/svg", "defs");
  defs.innerHTML = `<pattern id="${id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="${colour}"/><rect width="2.4" height="6" fill="#fff"/></pattern>`;
  svg.prepend(defs);
  for (const path of lost) path.setAttribute("fill", `url(#${id})`);
}

function needed(spec) {
  const found = {};
  const names = JSON.stringify(spec).matchAll(/"data":\{"name":"(\w+)"\}/g);
  for (const [, name] of names) found[name] = datasets[name];
  return found;
}

async function draw(figure) {
  if (figure.dataset.drawn) return;
  figure.dataset.drawn = "yes";
  const spec = JSON.parse(figure.querySelector("script.spec").textContent);
  const target = figure.querySelector(".chart");
  const vega = compile({ ...spec, datasets: needed(spec), config }).spec;
  // the interpreter evaluates expressions without eval, so that the page's policy can forbid it
  const view = new View(parse(vega, null, { ast: true }), { renderer: "svg", expr: expressionInterpreter, container: target });
  await view.runAsync();
  const svg = target.querySelector("svg");
  const note = figure.querySelector(".note");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", figure.querySelector("figcaption").textContent + (note ? ". " + note.textContent : ""));
  svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
  svg.style.width = "100%";
  svg.style.maxWidth = `${1.1 * svg.getAttribute("width")}px`;
  svg.style.height = "auto";
  if (spec.usermeta?.hatch) hatch(svg, spec.usermeta.hatch);
}

async function drawShown() {
  const lang = document.documentElement.lang;
  for (const figure of document.querySelectorAll("main:not([hidden]) figure.vega")) {
    try {
      await draw(figure);
    } catch (error) {
      figure.querySelector(".chart").textContent = String(error);
      throw error;
    }
  }
  document.documentElement.dataset.ready = lang;
}

// Wide tables scroll: let the keyboard reach those that do.
function reachTables() {
  for (const part of document.querySelectorAll("main:not([hidden]) .scroll")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}

function choose(lang) {
  document.documentElement.lang = lang;
  for (const part of document.querySelectorAll("[data-lang]")) part.hidden = part.dataset.lang !== lang;
  for (const button of document.querySelectorAll("button[data-to]")) button.setAttribute("aria-pressed", String(button.dataset.to === lang));
  document.title = document.querySelector(`main[data-lang="${lang}"] h1`).textContent;
  reachTables();
  return drawShown();
}

const languages = [...document.querySelectorAll("button[data-to]")].map((button) => button.dataset.to);
for (const button of document.querySelectorAll("button[data-to]")) button.addEventListener("click", () => choose(button.dataset.to));
addEventListener("resize", reachTables);
// report.html?lang=ja opens in Japanese
const asked = new URLSearchParams(location.search).get("lang");
if (languages.includes(asked) && asked !== document.documentElement.lang) choose(asked);
else {
  reachTables();
  drawShown();
}
