// Draws the charts of a page: <figure data-chart="line|step|bars" data-series='{"t":[seconds],"v":["decimals"]}'>.
// A table beside each chart says the same for those who cannot see it.
import uPlot from "uplot";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function paths(kind) {
  if (kind === "bars") return uPlot.paths.bars({ size: [0.7, 40] });
  return kind === "step" ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
}

// A bar stands around its instant: half of the first and of the last one is beyond the first and the last instant.
function wholeBars(chart, first, last) {
  const half = chart.data[0].length > 1 ? (last - first) / (chart.data[0].length - 1) / 2 : 43200;
  return [first - half, last + half];
}

function draw(figure) {
  const series = JSON.parse(figure.dataset.series);
  const isSmall = figure.hasAttribute("data-small");
  const language = document.documentElement.lang;
  const numbers = new Intl.NumberFormat(`${language}-u-nu-latn`, { maximumFractionDigits: 8 });
  const days = new Intl.DateTimeFormat(`${language}-u-nu-latn`, { day: "numeric", month: "short", timeZone: series.zone ?? "UTC" });
  const axis = { stroke: colour("--chart-text"), grid: { stroke: colour("--chart-grid"), width: 1 }, ticks: { show: false } };
  const options = {
    width: figure.clientWidth,
    height: isSmall ? 56 : 220,
    cursor: { show: !isSmall, drag: { x: false, y: false } },
    legend: { show: !isSmall },
    scales: { ...(figure.dataset.chart === "bars" ? { x: { range: wholeBars } } : {}), y: { range: (_, low, high) => (low === high ? [0, high * 1.5 || 1] : [Math.min(0, low), high * 1.1]) } },
    axes: isSmall
      ? [{ show: false }, { show: false }]
      : [
          { ...axis, values: (_, ticks) => ticks.map((tick) => days.format(tick * 1000)) },
          { ...axis, size: 72, values: (_, ticks) => ticks.map((tick) => numbers.format(tick)) },
        ],
    series: [
      { label: series.when, value: (_, at) => (at == null ? "" : days.format(at * 1000)) },
      {
        label: series.label,
        stroke: colour("--chart-line"),
        fill: colour("--chart-fill"),
        width: 2,
        paths: paths(figure.dataset.chart),
        points: { show: figure.dataset.chart !== "bars" && series.t.length < 40 && !isSmall },
        // What is shown is the decimal as it was sent, not what became of it on the way to a pixel.
        value: (_, at, __, index) => (at == null ? "" : `${series.v[index ?? 0]} ${series.unit ?? ""}`),
      },
    ],
  };
  figure.drawn?.destroy();
  figure.querySelector(".uplot")?.remove();
  figure.drawn = new uPlot(options, [series.t, series.v.map(Number)], figure);
  figure.drawn.root.setAttribute("aria-hidden", "true");
}

function addStyle() {
  const address = document.documentElement.dataset.chartsCss;
  if (!address || document.querySelector(`link[href="${address}"]`)) return Promise.resolve();
  return new Promise((done) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address, onload: done, onerror: done });
    document.head.append(link);
  });
}

export async function drawAll(root) {
  await addStyle();
  const figures = [...root.querySelectorAll("[data-chart]")];
  for (const figure of figures) {
    draw(figure);
    let width = figure.clientWidth;
    new ResizeObserver(() => {
      if (figure.clientWidth === width) return;
      width = figure.clientWidth;
      draw(figure);
    }).observe(figure);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures.forEach(draw));
}
