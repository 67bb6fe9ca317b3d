// Runs before the page is painted: it wears the theme that was chosen, and a
// sign-in link says at once that it signs in, however long the program takes to
// come. The token itself is the program's.
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
