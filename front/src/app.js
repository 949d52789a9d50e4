// What every page loads. No page needs it to move money; htmx makes the pages smooth.

import htmx from "htmx.org";
import { drawChartsIn } from "./charts_when_needed.js";

htmx.config.includeIndicatorStyles = false; // they would be an inline style
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0; // pages with money on them are kept in no storage
htmx.config.refreshOnHistoryMiss = true; // so "back" asks for the whole page

htmx.onLoad(drawChartsIn); // for the page, and for all that htmx swaps in
