// Tells the server once in which time zone the viewer is, unless they have chosen one.
export function tellZone() {
  if (!document.documentElement.hasAttribute("data-zone-unknown") || sessionStorage.getItem("zone")) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  sessionStorage.setItem("zone", zone);
  fetch("/look", { method: "POST", body: new URLSearchParams({ zone, next: "/icon.svg" }), redirect: "manual" });
}
