// What the console loads besides what every page loads: the palette, and single keys.

import { openPalette, preparePalette } from "./palette.js";
import { listenForKeys } from "./keys.js";
import { watchEditor } from "./editor.js";

preparePalette();
listenForKeys(openPalette);
watchEditor();

// On a phone the pages stand in a line that scrolls: the one that is shown is brought into sight.
document.querySelector(".places [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
