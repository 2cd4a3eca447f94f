// Holds back what is harsh until its writer has seen it once more. Enter and buttons go through one door.

const HELD = 0.8;
let passing = false;

/** What somebody is writing: in a field, or in a part of the page that can be edited. */
function written(target) {
  const field = target.closest?.("textarea, input[type=text], [contenteditable=''], [contenteditable=true]");
  return field && { field, text: field.value ?? field.innerText };
}

/** The text that a button is about to send: that of its form, or of whatever was written in last. */
let last = null;
addEventListener("input", (event) => { last = written(event.target) ? event.target : last; }, true);

function aboutToSend(event) {
  if (event.type === "keydown") return event.key === "Enter" && !event.shiftKey && written(event.target);
  const button = event.target.closest?.("button, [role=button], input[type=submit]");
  return button && last?.isConnected && /send|post|comment|reply|submit/i.test(button.textContent + button.ariaLabel)
    && written(last);
}

function ask(choose) {
  const dialog = document.createElement("dialog");
  const words = document.createElement("p");
  words.textContent = "This may come across as harsh. Send it like this?";
  dialog.append(words);
  for (const [choice, label] of [["changed", "Write it another way"], ["dropped", "Do not send it"], ["kept", "Send it"]]) {
    const button = document.createElement("button");
    button.textContent = label;
    button.onclick = () => { dialog.remove(); choose(choice); };
    dialog.append(button);
  }
  document.body.append(dialog);
  dialog.showModal();
}

function hold(event) {
  if (passing) return;
  const found = aboutToSend(event);
  if (!found || score(found.text) < HELD) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { target, type } = event;
  ask((choice) => {
    chrome.runtime.sendMessage({ site: location.hostname.split(".").slice(-2).join("."), choice });
    found.field.focus();
    if (choice === "dropped") {
      if ("value" in found.field) found.field.value = ""; else found.field.textContent = "";
    }
    if (choice !== "kept") return;
    passing = true;
    if (type === "click") target.click(); else target.dispatchEvent(new KeyboardEvent(type, event));
    passing = false;
  });
}

addEventListener("keydown", hold, true);
addEventListener("click", hold, true);
