// Draws the canal as the service tells it: once by fetch, and then by server-sent events.

import { Flight } from "./flight.js";

const byId = (id) => document.getElementById(id);
const flight = new Flight(byId("flight"));
const doing = {
  cruising: (boat) => (boat.lock ? `on the way to lock ${boat.lock}` : "through, and off"),
  waiting: (boat) => `waits at lock ${boat.lock}`,
  locking: (boat) => `in lock ${boat.lock}`,
};

function tell(state, text) {
  byId("line").className = `line ${state}`;
  byId("line").textContent = text;
}

function show(canal) {
  flight.show(canal);
  byId("boats").textContent = canal.boats.length;
  byId("waiting").textContent = canal.waiting;
  byId("passages").textContent = canal.passages;
  byId("nobody").hidden = canal.boats.length > 0;
  byId("list").replaceChildren(...canal.boats.map(row));
  tell("live", `live, from the instance on port ${canal.by}`);
}

function row(boat) {
  const item = document.createElement("li");
  const texts = [boat.way === "up" ? "↗" : "↘", `${boat.name}, ${boat.length} m`, doing[boat.stage](boat)];
  item.append(...texts.map((text) => Object.assign(document.createElement("span"), { textContent: text })));
  return item;
}

function listen() {
  const events = new EventSource("/api/stream");
  events.addEventListener("canal", (event) => show(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    tell("lost", "the line is lost, calling again");
    // The browser calls again by itself after a cut, but not after an answer that is no stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  });
}

for (const range of document.querySelectorAll('input[type="range"]')) {
  const unit = range.name === "length" ? " m" : "";
  range.addEventListener("input", () => {
    range.nextElementSibling.value = range.value + unit;
  });
}

byId("hail").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(event.target, event.submitter));
  try {
    const answer = await fetch("/api/hail", { method: "POST", body: fields });
    const text = (await answer.text()).trim();
    byId("hailed").textContent = answer.ok ? `Here comes the ${text}.` : `Not now: ${text}.`;
  } catch {
    byId("hailed").textContent = "The canal does not answer.";
  }
});

byId("toll").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answerTo = byId("answer");
  event.submitter.disabled = true;
  const begin = performance.now();
  try {
    const answer = await fetch(`/toll?${new URLSearchParams(new FormData(event.target))}`);
    const took = Math.round(performance.now() - begin);
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const price = Object.assign(document.createElement("b"), { textContent: (await answer.json()).text });
    answerTo.replaceChildren(price, ` answered within ${took} ms`);
  } catch (error) {
    answerTo.textContent = `No answer: ${error.message}`;
  } finally {
    event.submitter.disabled = false;
  }
});

try {
  const answer = await fetch("/api/canal");
  if (answer.ok) show(await answer.json());
} catch {
  tell("lost", "the canal does not answer");
}
listen();
