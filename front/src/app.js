// What runs on every page. Nothing here moves money: every form works without it.
import htmx from "htmx.org";
import { keepCounting } from "./countdown.js";
import { fillAmounts } from "./amounts.js";
import { tellZone } from "./zone.js";

Object.assign(htmx.config, {
  allowEval: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0, // no page with money on it is kept in the browser
  refreshOnHistoryMiss: true,
});

function look(root) {
  if (root.querySelector("[data-chart]")) import("./charts.js").then(({ drawAll }) => drawAll(root));
  if (root.querySelector("[data-passkey]")) import("./passkeys.js").then(({ offer }) => offer(root));
  fillAmounts(root);
}

document.body.addEventListener("htmx:afterSwap", (event) => look(event.target));
// A refusal is an answer, too: its piece of the page is shown.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400 && event.detail.xhr.status < 500) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
look(document);
keepCounting();
tellZone();
document.getElementById("refusal")?.focus();
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.copied;
  });
}
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/service-worker.js");
