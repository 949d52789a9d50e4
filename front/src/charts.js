// Draw a figure's series:
//
//   <figure data-chart="line|step|bars" data-time-zone="UTC"
//           data-series='{"t": [1767225600], "v": ["12.5"], "label": "APR", "unit": "%"}'>
//
// t are instants in seconds, v decimal strings of the unit. The picture is for eyes only (aria-hidden): the page
// has the same figures in a table beside it. What the legend shows are the strings as they came, to the last digit.
// Colours are the custom properties --chart-line, --chart-fill, --chart-grid and --chart-text.

import uPlot from "uplot";

/* global CHARTS_CSS */
const STYLES = new URL(CHARTS_CSS, import.meta.url).href;
const DAY = 86400;
const PATHS = {
  line: () => uPlot.paths.linear(),
  step: () => uPlot.paths.stepped({ align: 1 }),
  bars: () => uPlot.paths.bars({ size: [0.7, 32] }),
};

const charts = new Map(); // figure -> how it is drawn anew
let styled;

export async function draw(figure) {
  if (charts.has(figure) || JSON.parse(figure.dataset.series).t.length === 0) return;
  charts.set(figure, () => {}); // not twice, should it be named again while the styles come
  await (styled ??= loadStyles());
  const frame = document.createElement("div");
  frame.className = "chart-plot";
  frame.setAttribute("aria-hidden", "true");
  figure.prepend(frame);
  let plot = plotIn(frame, figure);
  charts.set(figure, () => {
    plot.destroy();
    plot = plotIn(frame, figure);
  });
  new ResizeObserver(() => fit(plot, frame)).observe(frame);
}

function loadStyles() {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = STYLES;
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}

function plotIn(frame, figure) {
  const { t, v, label, unit } = JSON.parse(figure.dataset.series);
  const kind = figure.dataset.chart in PATHS ? figure.dataset.chart : "line";
  const language = document.documentElement.lang || "en";
  const colour = (name) => colourOf(frame, name);
  const instant = instants(language, figure.dataset.timeZone || "UTC", t);
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 8 });
  const axis = {
    stroke: colour("--chart-text"),
    font: `12px ${getComputedStyle(frame).fontFamily}`,
    grid: { stroke: colour("--chart-grid"), width: 1 },
    ticks: { stroke: colour("--chart-grid"), width: 1 },
  };
  const plot = new uPlot(
    {
      width: frame.clientWidth,
      height: heightOf(frame),
      scales: { x: { range: (_, low, high) => rangeOfTime(kind, t, low, high) }, y: { range: rangeOf(kind) } },
      cursor: { y: false, drag: { x: false, y: false } },
      legend: { markers: { show: false } },
      axes: [
        { ...axis, incrs: incrementsOf(t), space: 72, values: (_, splits) => splits.map(instant.short) },
        { ...axis, size: widthOf, values: (_, splits) => splits.map((split) => `${number.format(split)}${unit === "%" ? " %" : ""}`) },
      ],
      series: [
        { value: (_, at) => (at === null ? "" : instant.long(at)) },
        {
          label,
          stroke: colour("--chart-line"),
          fill: kind === "step" ? undefined : colour("--chart-fill"),
          width: 2,
          paths: PATHS[kind](),
          points: { show: t.length === 1 && kind !== "bars" },
          value: (_, __, ___, index) => (index === null ? "" : `${v[index]} ${unit}`),
        },
      ],
      hooks: { setCursor: [showLastWhenIdle] },
    },
    [t, v.map(Number)],
    frame,
  );
  showLastWhenIdle(plot);
  return plot;
}

// A canvas knows no custom properties: the browser works out what the colour is here and now.
function colourOf(frame, name) {
  frame.style.color = `var(${name}, currentcolor)`;
  const colour = getComputedStyle(frame).color;
  frame.style.color = "";
  return colour;
}

function instants(language, timeZone, t) {
  const isOfDays = t.length < 2 || t[t.length - 1] - t[0] >= 2 * DAY;
  const form = (options) => {
    const format = new Intl.DateTimeFormat(language, { timeZone, ...options });
    return (seconds) => format.format(new Date(seconds * 1000));
  };
  return {
    short: form(isOfDays ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" }),
    long: form(isOfDays ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" }),
  };
}

function incrementsOf(t) {
  const days = [1, 2, 7, 14, 28, 56, 91, 182, 364].map((count) => count * DAY);
  return t.length < 2 || t[t.length - 1] - t[0] >= 2 * DAY ? days : [600, 1800, 3600, 10800, 21600];
}

// Bars stand on their instants: half a step is left free at either end, so that the outer ones are whole.
function rangeOfTime(kind, t, low, high) {
  if (t.length < 2) return [low - DAY, high + DAY];
  const half = kind === "bars" ? (high - low) / (t.length - 1) / 2 : 0;
  return [low - half, high + half];
}

// Amounts begin at nothing, or a small difference would look large; a rate's history may begin where it is.
function rangeOf(kind) {
  if (kind === "bars") return (_, __, high) => [0, high > 0 ? high * 1.08 : 1];
  return (_, low, high) => {
    const room = (high - low || Math.abs(high) || 1) * 0.12;
    return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
  };
}

function widthOf(plot, values) {
  if (!values?.length) return 48;
  plot.ctx.font = plot.axes[1].font[0];
  const widest = Math.max(...values.map((value) => plot.ctx.measureText(value ?? "").width));
  return Math.ceil(widest / devicePixelRatio) + 20;
}

function showLastWhenIdle(plot) {
  if (plot.cursor.idx == null) plot.setLegend({ idx: plot.data[0].length - 1 }, false);
}

// The legend stands below and takes what room it needs.
function heightOf(frame) {
  return parseFloat(getComputedStyle(frame).minBlockSize);
}

function fit(plot, frame) {
  const [width, height] = [frame.clientWidth, heightOf(frame)];
  if (width > 0 && (plot.width !== width || plot.height !== height)) plot.setSize({ width, height });
}

function drawAllAnew() {
  for (const [figure, anew] of charts) {
    if (figure.isConnected) anew();
    else charts.delete(figure); // htmx has swapped it out
  }
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAllAnew);
new MutationObserver(drawAllAnew).observe(document.documentElement, { attributeFilter: ["class", "data-theme", "lang"] });
