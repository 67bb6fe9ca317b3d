// Runs before the page is painted: it wears the theme that was chosen, and a
// sign-in link says at once that it signs in, however long the program takes to
// come. The token itself is the program's. And it keeps what the program would
// need many calls for.
"use strict";

try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
} catch {
  // The user has forbidden storage: the device's theme it is.
}

if (location.pathname === "/sign-in" && location.hash.startsWith("#token=")) {
  document.documentElement.dataset.signInLink = "";
}

// The bar of the window wears the page's colour, whichever theme that is.
const wearTheme = () => {
  const bar = document.querySelector('meta[name="theme-color"]');
  if (bar) bar.content = getComputedStyle(document.documentElement).backgroundColor;
};
addEventListener("load", wearTheme);
try {
  window.matchMedia?.("(prefers-color-scheme: dark)").addEventListener("change", wearTheme);
} catch {
  // Some extension forbids it: the bar's colour is the one of the start.
}
new MutationObserver(wearTheme).observe(document.documentElement, { attributeFilter: ["data-theme"] });

// A program that doesn't come is told in words: go-app shows the browser's error.
new MutationObserver((_, observer) => {
  const label = document.getElementById("app-wasm-loader-label");
  if (!label) return;
  observer.disconnect();
  new MutationObserver(() => {
    const isWrong = label.textContent && !/^(Loading|We can't)/.test(label.textContent);
    if (isWrong) label.textContent = "We can't load Parley. Check your connection, then reload the page.";
  }).observe(label, { childList: true, characterData: true, subtree: true });
}).observe(document, { childList: true, subtree: true });

// Writes what has changed in the rows of a table: "place, 1 if its cells may be other
// ones, and then which value, value, which value, value…". Values count as data-live
// names them.
window.parleyWriteRows = (selector, rows) => {
  const list = document.querySelector(selector)?.children;
  if (!list) return false;
  for (const line of rows.split("\x1e")) {
    const [place, isDrawn, ...values] = line.split("\x1f");
    const row = list[place];
    if (!row) continue;
    if (isDrawn || !row.parleyValues) {
      row.parleyValues = [row, ...row.querySelectorAll("[data-live]")].flatMap(e => e.dataset.live?.split(" ").map(name => [e, name]) ?? []);
    }
    for (let i = 0; i < values.length; i += 2) {
      const [e, name] = row.parleyValues[values[i]] ?? [];
      if (name === "text") (e.firstChild ?? e.appendChild(new Text())).data = values[i + 1];
      else e?.setAttribute(name, values[i + 1]);
    }
  }
  return true;
};

// Tells which rows of a list are in the window, by their mean height, and margin more at
// each end: the first one, times 65536, and the one after the last. It is -1 without rows.
window.parleyRowsInSight = (selector, margin) => {
  const list = document.querySelector(selector);
  const { top, height } = list?.getBoundingClientRect() ?? { height: 0 };
  if (!height) return -1;
  const place = y => Math.max(0, Math.min(65535, Math.floor((y - top) * list.children.length / height)));
  return Math.max(0, place(0) - margin) * 65536 + Math.min(65535, place(innerHeight) + 1 + margin);
};

// Go's runtime can put off the timeout that it asked the browser for, although a ticker that
// somebody waits for is due before it: a page that nothing happens on isn't drawn then until
// the pointer moves. So it looks at its timers once more soon after it has last run.
const lookAfter = 100; // ms; as late as that, and as good as unseen
addEventListener("DOMContentLoaded", () => {
  const runtime = window.Go?.prototype, resume = runtime?._resume;
  if (!resume) return;
  let runs = 0, looking = false;
  const look = (go, seen) => {
    looking = true;
    setTimeout(() => {
      looking = false;
      if (go.exited) return;
      if (runs > seen) look(go, runs);
      resume.call(go);
    }, lookAfter);
  };
  runtime._resume = function () {
    runs++;
    if (!looking) look(this, runs);
    resume.call(this);
  };
});
