// Chips beside an amount fill it in, where there is a script; without one they are buttons that the server answers.
//   data-amount="12.5"  this amount
//   data-part="50"      that part of the balance: the server is asked, for it knows balance, step and maximum

async function amountOf(chip) {
  if (chip.dataset.amount !== undefined) return chip.dataset.amount;
  const asked = new URLSearchParams(new FormData(chip.form));
  asked.delete("key");
  asked.set("part", chip.dataset.part);
  const answer = await fetch(`${chip.formAction.split("?")[0]}?${asked}`, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.getElementById("amount")?.value ?? "";
}

export function fillAmountsIn(root) {
  for (const chip of root.querySelectorAll("button[data-amount], button[data-part]")) {
    chip.addEventListener("click", async (event) => {
      event.preventDefault();
      const input = chip.form.elements.amount;
      input.value = await amountOf(chip);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.focus();
    });
  }
}
