// Keeps countdowns running. In a sandbox the desk's clock is not the browser's: the page says what time it is there.
function say(seconds, language) {
  const parts = [];
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  let left = Math.max(0, Math.floor(seconds));
  for (const [unit, length] of units) {
    const count = Math.floor(left / length);
    left -= count * length;
    if ((count > 0 || (unit === "second" && parts.length === 0)) && parts.length < 2) {
      parts.push(new Intl.NumberFormat(`${language}-u-nu-latn`, { style: "unit", unit, unitDisplay: "short" }).format(count));
    }
  }
  return parts.join(" ");
}

export function keepCounting() {
  const html = document.documentElement;
  const opened = Date.now();
  const deskNow = () => Date.parse(html.dataset.now) + (html.hasAttribute("data-sandbox") ? 0 : Date.now() - opened);
  const tick = () => {
    for (const time of document.querySelectorAll("[data-countdown]")) {
      time.textContent = say((Date.parse(time.dateTime) - deskNow()) / 1000, html.lang);
    }
  };
  tick();
  setInterval(tick, 1000);
}
