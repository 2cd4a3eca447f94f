// The page: notes of whoever is signed in.

const get = (id) => document.getElementById(id);

async function ask(path, method = "GET", body) {
  const headers = body ? { "content-type": "application/json" } : {};
  const answer = await fetch(`/api/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const told = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(told.message);
  return told;
}

function note({ id, text }) {
  const item = document.createElement("li");
  const gone = document.createElement("button");
  gone.className = "plain";
  gone.textContent = "done";
  gone.onclick = attempt(async () => { await ask(`notes/${id}`, "DELETE"); item.remove(); });
  item.append(text, gone);
  return item;
}

const attempt = (does) => async (event) => {
  event?.preventDefault();
  get("problem").textContent = "";
  try { await does(event?.target); } catch (why) { get("problem").textContent = why.message; }
};

async function show() {
  const who = await ask("session");
  get("enter").hidden = Boolean(who);
  get("mine").hidden = !who;
  if (!who) return;
  get("who").textContent = who.email;
  get("notes").replaceChildren(...(await ask("notes")).map(note));
}

get("enter").onsubmit = attempt(async (form) => {
  await ask("session", "POST", { access_token: `visitor-${form.visitor.value}` });
  await show();
});
get("write").onsubmit = attempt(async (form) => {
  get("notes").prepend(note(await ask("notes", "POST", { text: form.text.value })));
  form.reset();
});
get("leave").onclick = attempt(async () => { await ask("session", "DELETE"); await show(); });

attempt(async () => {
  const began = performance.now();
  const front = await ask("front");
  const took = Math.round(performance.now() - began);
  get("greeting").textContent = front.greeting;
  get("environment").textContent = front.environment;
  get("awake").textContent = front.awake_ms < took ? `The function woke for you; the first answer took ${took} ms.` : `The function is awake; it answered in ${took} ms.`;
  await show();
})();
