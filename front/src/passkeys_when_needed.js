// Loads what asks for passkeys only where there is a button for one.

export function offerPasskeysIn(root) {
  const buttons = [...root.querySelectorAll("[data-passkey]")];
  if (buttons.length > 0) import("./passkeys.js").then(({ offer }) => buttons.forEach(offer));
}
