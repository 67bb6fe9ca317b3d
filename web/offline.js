// Goes back to the page that was asked for, and says so, once there is a network. Until
// then it shows the last call, if the browser keeps its summary.
"use strict";

addEventListener("online", () => {
  document.getElementById("line").textContent = "You’re back. One moment…";
  location.reload();
});

try {
  const { title, lines } = JSON.parse(localStorage.getItem("parley.lastCall"));
  const list = document.getElementById("last-call");
  const add = (tag, text) => list.appendChild(document.createElement(tag)).textContent = String(text);
  add("h2", "Your last call");
  add("p", title);
  lines.forEach((line) => add("p", line));
  list.hidden = false;
} catch {
  // None is kept, or the user has forbidden storage.
}
