// Loads what asks for passkeys only where there is a button for one.

export function offerPasskeysIn(root) {
  if (root.querySelector("[data-passkey]")) import("./passkeys.js").then(({ offer }) => offer(root));
}
