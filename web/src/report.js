// The report's only script: draws every chart of the page from its Vega-Lite specification, and switches languages.
import { compile } from "vega-lite";
import { expressionInterpreter } from "vega-interpreter";
import { parse, View } from "vega";

const FONT = '"Noto Sans", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic", system-ui, sans-serif';

const config = {
  font: FONT,
  background: null,
  axis: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, gridColor: "#e3e8ee", domainColor: "#8895a3", tickColor: "#8895a3", labelColor: "#333c47", titleColor: "#333c47" },
  legend: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 500, labelColor: "#333c47", titleColor: "#333c47" },
  view: { stroke: "#c9d2dc" },
};

const coast = JSON.parse(document.getElementById("coast").textContent);

// Colour alone is not enough for "lost": its bars are hatched.
const LOST = "#D55E00";
function hatch(svg) {
  const lost = [...svg.querySelectorAll(`.mark-rect path[fill="${LOST}"]`)];
  if (!lost.length) return;
  const defs = document.createElementNS("http://www.w3.org/2000/svg", "defs");
  defs.innerHTML = `<pattern id="lost" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="${LOST}"/><rect width="2.4" height="6" fill="#fff"/></pattern>`;
  svg.prepend(defs);
  for (const path of lost) path.setAttribute("fill", "url(#lost)");
}

async function draw(figure) {
  if (figure.dataset.drawn) return;
  figure.dataset.drawn = "yes";
  const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const target = figure.querySelector(".chart");
  const vega = compile({ ...spec, datasets: { coast }, config: { ...config, ...spec.config } }).spec;
  // the interpreter evaluates expressions without eval, so that the page's policy can forbid it
  const view = new View(parse(vega, null, { ast: true }), { renderer: "svg", expr: expressionInterpreter, container: target, hover: true });
  await view.runAsync();
  const svg = target.querySelector("svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", figure.querySelector("figcaption").textContent);
  svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
  svg.style.width = "100%";
  svg.style.height = "auto";
  hatch(svg);
}

async function drawShown() {
  for (const figure of document.querySelectorAll("main:not([hidden]) figure.vega")) {
    try {
      await draw(figure);
    } catch (error) {
      figure.querySelector(".chart").textContent = String(error);
      throw error;
    }
  }
  document.documentElement.dataset.ready = document.documentElement.lang;
}

function choose(lang) {
  document.documentElement.lang = lang;
  for (const part of document.querySelectorAll("[data-lang]")) part.hidden = part.dataset.lang !== lang;
  for (const button of document.querySelectorAll("button[data-to]")) button.setAttribute("aria-pressed", String(button.dataset.to === lang));
  document.title = document.querySelector(`main[data-lang="${lang}"] h1`).textContent;
  return drawShown();
}

for (const button of document.querySelectorAll("button[data-to]")) button.addEventListener("click", () => choose(button.dataset.to));
drawShown();
