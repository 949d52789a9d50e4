// Single keys of the console. Whoever does not want them turns them off, on this browser, in the list that "?" shows.

const KEPT = "console-keys";
const isOn = () => localStorage.getItem(KEPT) !== "off";
const isTyping = (element) => element.closest("input, textarea, select, [contenteditable], dialog[open]") !== null;
let isGoing = false;

const rows = () => [...document.querySelectorAll(".rows tbody tr")];

function moveRow(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((row) => row.classList.contains("chosen-row"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  all[at]?.classList.remove("chosen-row");
  next.classList.add("chosen-row");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a")?.focus();
}

function goTo(key) {
  document.querySelector(`.places a[data-goes="${CSS.escape(key)}"]`)?.click();
}

const KEYS = {
  "/": () => (document.querySelector("[data-filters] input, [data-filters] select") ?? document.getElementById("find"))?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
  j: () => moveRow(1),
  k: () => moveRow(-1),
  n: () => document.querySelector("[data-next-page]")?.click(),
  g: () => {
    isGoing = true;
    setTimeout(() => (isGoing = false), 1500);
  },
};

function listPlaces() {
  const list = document.getElementById("keys-list");
  for (const link of document.querySelectorAll(".places a[data-goes]")) {
    const term = document.createElement("dt");
    for (const key of ["g", link.dataset.goes]) {
      const sign = document.createElement("kbd");
      sign.textContent = key;
      term.append(sign, " ");
    }
    const meaning = document.createElement("dd");
    meaning.textContent = link.querySelector("span").textContent;
    list.append(term, meaning);
  }
}

export function listenForKeys(openPalette) {
  const dialog = document.getElementById("keys");
  if (!dialog) return;
  listPlaces();
  const box = document.getElementById("keys-on");
  box.checked = isOn();
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
  for (const button of document.querySelectorAll("[data-shows-keys]")) {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    if (!isOn() || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const act = isGoing ? () => goTo(event.key) : KEYS[event.key];
    isGoing = false;
    if (!act) return;
    event.preventDefault();
    act();
  });
}
