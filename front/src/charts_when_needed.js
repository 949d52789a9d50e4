// Load charts.js, which is larger than all the rest, only where there is a chart to draw.

const CHARTS = "[data-chart]";

export async function drawChartsIn(root) {
  const figures = [...(root.matches(CHARTS) ? [root] : []), ...root.querySelectorAll(CHARTS)];
  if (figures.length === 0) return;
  const { draw } = await import("./charts.js");
  for (const figure of figures) draw(figure);
}
