// Looks each minute, and shows on the button how many boats wait.

import { canal } from "./canal.js";

async function look() {
  try {
    const { waiting } = await canal();
    await chrome.action.setBadgeBackgroundColor({ color: waiting > 3 ? "#b8322a" : "#12402f" });
    await chrome.action.setBadgeText({ text: String(waiting) });
  } catch {
    await chrome.action.setBadgeText({ text: "" });
  }
}

chrome.runtime.onInstalled.addListener(look);
chrome.runtime.onStartup.addListener(look);
chrome.alarms.create("look", { periodInMinutes: 1 });
chrome.alarms.onAlarm.addListener(look);
chrome.storage.onChanged.addListener(look);
