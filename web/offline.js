// Goes back to the page that was asked for, and says so, once there is a network.
"use strict";

addEventListener("online", () => {
  document.getElementById("line").textContent = "You’re back. One moment…";
  location.reload();
});
