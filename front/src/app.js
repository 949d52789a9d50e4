// What every page loads. No page needs it to move money; htmx makes the pages smooth.

import htmx from "htmx.org";
import { fillAmountsIn } from "./amounts.js";
import { drawChartsIn } from "./charts_when_needed.js";
import { offerPasskeysIn } from "./passkeys_when_needed.js";
import { keepCounting } from "./countdown.js";
import { copyWhenAsked } from "./copy.js";
import { tellZone } from "./zone.js";

htmx.config.includeIndicatorStyles = false; // they would be an inline style
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0; // pages with money on them are kept in no storage
htmx.config.refreshOnHistoryMiss = true; // so "back" asks for the whole page

htmx.onLoad(drawChartsIn); // for the page, and for all that htmx swaps in
htmx.onLoad(fillAmountsIn);
htmx.onLoad(offerPasskeysIn);

// A refusal is an answer, too: its piece of the page is shown.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status >= 400 && detail.xhr.status < 500) Object.assign(detail, { shouldSwap: true, isError: false });
});

keepCounting();
copyWhenAsked();
tellZone();
document.getElementById("refusal")?.focus();

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/service-worker.js");
