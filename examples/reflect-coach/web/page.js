// The page: it asks edge, and hears over a WebSocket what happens.
const at = (id) => document.getElementById(id);

async function ask(path, body) {
  const headers = { "content-type": "application/json", "idempotency-key": crypto.randomUUID() };
  const answer = await fetch(path, body ? { method: "POST", headers, body: JSON.stringify(body) } : {});
  const text = await answer.text();
  return { good: answer.ok, said: text ? JSON.parse(text) : {} };
}

async function reflections() {
  const { good, said } = await ask("/api/reflections");
  if (!good) return;
  at("reflections").replaceChildren(...said.map((one) => {
    const line = document.createElement("li");
    const by = document.createElement("small");
    by.textContent = `${one.by_coach ? "the coach" : "a rule"}, ${new Date(one.at * 1000).toLocaleString()}`;
    line.append(one.advice, by);
    return line;
  }));
}

function hear() {
  const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/ws`);
  socket.onmessage = ({ data }) => {
    const { kind, body } = JSON.parse(data);
    if (kind === "import") at("progress").value = parseInt(body.progress);
    if (kind === "digest") at("said").value = `In the bucket: ${body.object}`;
    if (kind !== "import") reflections();
  };
  socket.onclose = () => setTimeout(hear, 1000);
}

async function begin() {
  const { good, said } = await ask("/auth/me");
  at("entrance").hidden = good;
  at("inside").hidden = !good;
  if (!good) return;
  at("name").textContent = said.name;
  hear();
  reflections();
}

at("entrance").onsubmit = async (event) => {
  event.preventDefault();
  const { good, said } = await ask("/auth/login", Object.fromEntries(new FormData(event.target)));
  at("entrance").querySelector("output").value = good ? "" : said.error;
  if (good) begin();
};
at("diary").onsubmit = async (event) => {
  event.preventDefault();
  const entry = Object.fromEntries(new FormData(event.target));
  await ask("/api/diary", { ...entry, minutes: Number(entry.minutes) });
  event.target.elements.text.value = "";
};
at("import").onclick = () => ask("/api/imports", { source: "sample", lines: 5000 });
at("digest").onclick = () => ask("/api/digests", {});
at("leave").onclick = async () => { await ask("/auth/logout", {}); location.reload(); };
begin();
