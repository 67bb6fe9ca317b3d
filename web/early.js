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

// Writes what has changed in the rows of a table: "place, 1 if its cells may be other
// ones, and then which value, value, which value, value…". Values count as data-live
// names them.
window.parleyWriteRows = (body, rows) => {
  for (const row of rows.split("\x1e")) {
    const [place, isDrawn, ...values] = row.split("\x1f");
    const tr = body.rows[place];
    if (!tr) continue;
    if (isDrawn || !tr.parleyValues) {
      tr.parleyValues = [tr, ...tr.querySelectorAll("[data-live]")].flatMap(e => e.dataset.live.split(" ").map(name => [e, name]));
    }
    for (let i = 0; i < values.length; i += 2) {
      const [e, name] = tr.parleyValues[values[i]] ?? [];
      if (name === "text") (e.firstChild ?? e.appendChild(new Text())).data = values[i + 1];
      else e?.setAttribute(name, values[i + 1]);
    }
  }
};
