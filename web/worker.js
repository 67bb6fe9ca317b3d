// Parley's service worker. It keeps the shell, which is the same for everyone,
// so that the page opens at once and without a network. It keeps nothing else:
// no answer of the interface, nothing personal, no other page.
"use strict";

const version = "{{.Version}}";
const cacheName = "parley-" + version;
const shell = {{.ResourcesToCache}};
const offlinePage = "/web/offline.html";

// What only admins load. It is kept once one of them does: callers never pay for it.
const adminShell = ["/admin", "/admin/app.js", "/web/admin.wasm", "/web/admin.css"];

// A page that doesn't come within this time comes from the shell.
const navigationTimeout = 3000; // ms

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (passes(request)) {
    return; // without respondWith: the browser does it, streams included
  }
  if (request.mode === "navigate") {
    event.respondWith(navigate(request));
    return;
  }
  const path = new URL(request.url).pathname;
  if (shell.includes(path)) {
    event.respondWith(fromShell(request));
  } else if (adminShell.includes(path)) {
    event.respondWith(fromShell(request));
    event.waitUntil(keepAdminShell());
  }
});

async function install() {
  await keep(shell);
  await self.skipWaiting();
}

// keep takes all of these files of one version or nothing: while servers are
// being replaced, some may still answer with another.
async function keep(paths) {
  const answers = await Promise.all(paths.map(async (path) => {
    const answer = await fetch(path, { cache: "no-cache", credentials: "same-origin" });
    if (!answer.ok || !(answer.headers.get("ETag") || "").includes(version)) {
      throw new Error("not of this version: " + path);
    }
    return [path, await plain(answer)];
  }));
  const cache = await caches.open(cacheName);
  await Promise.all(answers.map(([path, answer]) => cache.put(path, answer)));
}

// keepAdminShell runs once at a time. What can't be kept now is tried again with
// the next admin page.
let keeping;

async function keepAdminShell() {
  const cache = await caches.open(cacheName);
  if (keeping || await cache.match("/web/admin.wasm")) {
    return;
  }
  keeping = keep(adminShell).catch(() => {}).finally(() => { keeping = undefined; });
  await keeping;
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name)));
  await self.clients.claim();
}

// plain drops the mark of a redirect: a navigation may not be answered with it.
async function plain(answer) {
  if (!answer.redirected) {
    return answer;
  }
  return new Response(await answer.blob(), { status: answer.status, headers: answer.headers });
}

function passes(request) {
  const url = new URL(request.url);
  return request.method !== "GET"
    || url.origin !== self.location.origin
    || url.pathname.startsWith("/api/")
    || url.pathname === "/healthz" || url.pathname === "/readyz" || url.pathname === "/metrics"
    || request.headers.has("range")
    || (request.headers.get("accept") || "").includes("text/event-stream");
}

async function navigate(request) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), navigationTimeout);
  try {
    return await fetch(request, { signal: abort.signal });
  } catch (error) {
    const cache = await caches.open(cacheName);
    const isAdmins = /^\/admin(\/|$)/.test(new URL(request.url).pathname);
    return (isAdmins && await cache.match("/admin")) || (await cache.match("/")) || (await cache.match(offlinePage)) || Response.error();
  } finally {
    clearTimeout(timer);
  }
}

async function fromShell(request) {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(new URL(request.url).pathname);
  return kept || fetch(request);
}
