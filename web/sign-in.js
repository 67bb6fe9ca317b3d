// Runs before the page is painted: a sign-in link says at once that it signs
// in, however long the program takes to come. The token itself is the program's.
"use strict";

if (location.pathname === "/sign-in" && location.hash.startsWith("#token=")) {
  document.documentElement.dataset.signInLink = "";
}
