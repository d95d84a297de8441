// Sets the theme before the first paint; a classic script, so that nothing flashes.
"use strict";
(() => {
  const saved = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  document.documentElement.dataset.theme = saved === "light" ? "light" : "dark";
})();
