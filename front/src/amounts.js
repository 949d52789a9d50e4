// Chips beside an amount fill it in, where there is a script; without one they are buttons that the server answers.
export function fillAmounts(root) {
  for (const chip of root.querySelectorAll("button[data-amount]")) {
    if (chip.dataset.ready) continue;
    chip.dataset.ready = "yes";
    chip.addEventListener("click", (event) => {
      event.preventDefault();
      const input = chip.form.elements[chip.dataset.into ?? "amount"];
      input.value = chip.dataset.amount;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.focus();
    });
  }
}
