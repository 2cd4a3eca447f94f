// Settings: off until somebody turns them on, and gone when somebody wants that.

const box = document.getElementById("analytics");

chrome.storage.local.get("analytics").then(({ analytics }) => { box.checked = analytics === true; });
box.onchange = () => chrome.storage.local.set({ analytics: box.checked });

document.getElementById("forget").onclick = async () => {
  await chrome.storage.local.clear();
  box.checked = false;
  document.getElementById("said").textContent = "Everything is forgotten";
};
