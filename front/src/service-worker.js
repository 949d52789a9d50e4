// The service worker keeps the built files, the icon and the page that says there is no connection. It never keeps a
// page: what it shows without a connection is only that there is none.
// The server writes in front of this which files there are: self.STADDLE = { version, files }.
const { version, files } = self.STADDLE;
const CACHE = `staddle-${version}`;
const OFFLINE = "/offline";
const KEPT = new Set([...files, "/icon.svg"]);

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...KEPT]);
  // Without cookies it is nobody's page.
  await cache.put(OFFLINE, await fetch(OFFLINE, { credentials: "omit" }));
  await self.skipWaiting();
}

async function forgetOlder() {
  for (const name of await caches.keys()) {
    if (name.startsWith("staddle-") && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

async function keptOr(request, path) {
  return (await caches.match(path)) ?? fetch(request);
}

async function pageOrOffline(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOlder()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (KEPT.has(address.pathname)) event.respondWith(keptOr(request, address.pathname));
  else if (request.mode === "navigate") event.respondWith(pageOrOffline(request));
});
