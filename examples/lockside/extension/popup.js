// Says how it is at the locks now, and keeps where the canal is.

import { address, canal } from "./canal.js";

const told = document.getElementById("told");
const form = document.querySelector("form");

async function tell() {
  try {
    const { boats, waiting } = await canal();
    told.textContent = `${boats.length} on the water, ${waiting} of them waiting`;
  } catch (error) {
    told.textContent = `No answer: ${error.message}`;
  }
}

form.site.value = await address();
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  await chrome.storage.local.set({ site: new URL(form.site.value).origin });
  await tell();
});
await tell();
