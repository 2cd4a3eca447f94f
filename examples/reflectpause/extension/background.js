// Counts a pause where its owner has opted in: the site and the choice, and nothing about who it was or what was written.

const COUNTED_AT = "https://analytics.reflectpause.example/pauses";

chrome.runtime.onMessage.addListener(({ site, choice }) => {
  chrome.storage.local.get("analytics").then(({ analytics }) => {
    if (analytics !== true) return;
    const body = JSON.stringify({ site, choice });
    // A pause that is not counted is no reason to disturb anybody.
    fetch(COUNTED_AT, { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => {});
  });
});
