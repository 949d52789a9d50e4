// Chips beside an amount fill it in, where there is a script; without one they are buttons that the server answers.
export function fillAmountsIn(root) {
  for (const chip of root.querySelectorAll("button[data-part]")) {
    if (chip.dataset.ready) continue;
    chip.dataset.ready = "yes";
    chip.addEventListener("click", async (event) => {
      event.preventDefault();
      const form = chip.form;
      const asked = new URLSearchParams(new FormData(form));
      asked.set("part", chip.dataset.part);
      asked.delete("key");
      const answer = await fetch(`${chip.formAction}?${asked}`, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const input = form.elements.amount;
      input.value = page.getElementById(input.id)?.value ?? input.value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.focus();
    });
  }
}
