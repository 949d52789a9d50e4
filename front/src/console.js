// What the console loads besides what every page loads: the palette, and single keys.

import { openPalette, preparePalette } from "./palette.js";
import { listenForKeys } from "./keys.js";
import { watchEditor } from "./editor.js";

preparePalette();
listenForKeys(openPalette);
watchEditor();
