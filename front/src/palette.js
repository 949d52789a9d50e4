// The palette: pages by name at once, and whatever the desk finds for what is typed. It needs nothing but links.

const dialog = document.getElementById("palette");
const text = document.getElementById("palette-text");
const found = document.getElementById("palette-found");
let asked = 0;

const pages = () =>
  [...document.querySelectorAll(".places a")].map((link) => ({
    name: link.querySelector("span").textContent,
    address: link.getAttribute("href"),
  }));

function showPages(typed) {
  const wanted = typed.trim().toLowerCase();
  found.replaceChildren(
    ...pages()
      .filter(({ name }) => name.toLowerCase().includes(wanted))
      .map(({ name, address }) => {
        const link = document.createElement("a");
        link.href = address;
        link.textContent = name;
        return link;
      }),
  );
}

// The page /console/search gives its list alone where a script asks; the links in it are taken over.
async function showFound(typed) {
  const turn = ++asked;
  if (typed.trim().length < 2) return;
  const answer = await fetch(`/console/search?${new URLSearchParams({ q: typed })}`, { headers: { "HX-Request": "true" } });
  if (turn !== asked || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  found.append(...[...page.querySelectorAll("a[href]")].map((link) => document.adoptNode(link)));
}

function move(step) {
  const links = [...found.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  const next = at + step;
  if (next < 0) text.focus();
  else links[Math.min(next, links.length - 1)]?.focus();
}

export function openPalette() {
  if (!dialog || dialog.open) return;
  text.value = "";
  showPages("");
  dialog.showModal();
  text.focus();
}

export function preparePalette() {
  if (!dialog) return;
  let waits;
  text.addEventListener("input", () => {
    showPages(text.value);
    clearTimeout(waits);
    waits = setTimeout(() => showFound(text.value), 150);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && event.target === text) {
      event.preventDefault();
      found.querySelector("a")?.click();
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
