// The editor of terms marks a field as wrong once somebody has been in it. The server says what is wrong; this only
// shows it beside the field, and keeps the coin's code behind amounts.

const problemOf = (field) => document.getElementById(`${field.name}-wrong`);

function mark(form) {
  for (const field of form.elements) {
    const problem = field.name && problemOf(field);
    if (!problem) continue;
    const isSeen = form.classList.contains("is-checked") || field.dataset.touched || field.value !== "";
    problem.hidden = !(problem.textContent && isSeen);
    if (problem.hidden) field.removeAttribute("aria-invalid");
    else if (field.type !== "radio") field.setAttribute("aria-invalid", "true");
  }
}

function tellCoin(form) {
  const coin = form.elements.asset?.value;
  if (coin) for (const unit of form.querySelectorAll("[data-coin]")) unit.textContent = coin;
}

export function watchEditor() {
  const form = document.querySelector("form[data-editor]");
  if (!form) return;
  for (const kind of ["input", "change", "focusout"]) {
    form.addEventListener(kind, ({ target }) => {
      if (kind !== "focusout" || target.value !== "") target.dataset.touched = "yes";
      if (target.name === "asset") tellCoin(form);
    });
  }
  document.addEventListener("htmx:afterSettle", () => mark(form));
}
