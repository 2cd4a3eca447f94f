// The dashboard: begins with everything there is, and changes it by what is told.

const get = (id) => document.getElementById(id);
const SPAN = 5_000;
const SPANS = 60;
const SHOWN = 14;
const MOST_TOLD = 14;
const HEIGHT = 3.25;

const scores = new Map();
const zones = new Map();
let spans = [];
let bot = null;
let admin = false;

function element(name, kind, ...children) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}

// ---- Scores ----

function color(member) {
  return `hsl(${(Number(member) * 67) % 360} 55% 48%)`;
}

function row(member) {
  const face = element("span", "face", member.name.slice(0, 1));
  face.style.background = color(member.member);
  const item = element(
    "li", "",
    element("span", "rank"), face,
    element("div", "member", element("b", "", member.name), element("small", "title"), element("div", "bar", element("i"))),
    element("span", "points"),
  );
  get("scores").append(item);
  return item;
}

function drawScores() {
  const order = [...scores.values()].sort((one, other) => other.points - one.points || one.name.localeCompare(other.name));
  const most = Math.max(1, order[0]?.points ?? 1);
  order.forEach((member, place) => {
    if (place >= SHOWN) return member.row?.remove(), delete member.row;
    member.row ??= row(member);
    const part = (kind) => member.row.querySelector(kind);
    member.row.style.transform = `translateY(${place * HEIGHT}rem)`;
    part(".rank").textContent = place + 1;
    part(".title").textContent = member.title ?? "";
    part(".points").textContent = member.points.toLocaleString("en");
    part(".bar i").style.width = `${(100 * member.points) / most}%`;
  });
  get("scores").style.height = `${Math.min(order.length, SHOWN) * HEIGHT}rem`;
  get("nobody").hidden = order.length > 0;
}

function scored(told) {
  const member = scores.get(told.member) ?? { member: told.member, name: told.name };
  // What is told may be older than what we began with.
  if ((member.events ?? 0) >= told.events) return;
  Object.assign(member, { points: told.total, events: told.events });
  scores.set(told.member, member);
  drawScores();
  member.row?.classList.remove("hit");
  void member.row?.offsetWidth;
  member.row?.classList.add("hit");
  tell(told, true);
  beat(Date.now());
}

// ---- What happens ----

const DID = { message: "wrote in", reaction: "reacted in", voice: "talked in" };

function tell(told, isNew) {
  const where = zones.get(told.zone)?.title ?? told.zone;
  const gain = element("span", "gain", `+${told.points}`);
  if (told.multiplier > 1) gain.classList.add("more-than-usual");
  add([element("span", "what", element("b", "", told.name), ` ${DID[told.kind] ?? told.kind} `, where), gain], isNew);
}

function add(parts, isNew) {
  const feed = get("feed");
  const item = element("li", isNew ? "new" : "", ...parts);
  if (isNew) feed.prepend(item);
  else feed.append(item);
  while (feed.children.length > MOST_TOLD) feed.lastChild.remove();
}

function earned(told) {
  const member = scores.get(told.member);
  add([element("span", "what", element("b", "", told.name), ` is now: ${told.title}`), element("span", "gain more-than-usual", "★")], true);
  if (member) member.title = told.title;
  drawScores();
}

// ---- How many ----

function beat(at) {
  const last = spans.at(-1);
  const from = Math.floor(at / SPAN) * SPAN;
  if (last?.from === from) last.events += 1;
  else spans.push({ from, events: 1 });
  drawPulse();
}

function drawPulse() {
  const now = Math.floor(Date.now() / SPAN) * SPAN;
  spans = spans.filter((span) => span.from > now - SPANS * SPAN);
  const most = Math.max(4, ...spans.map((span) => span.events));
  const bars = spans.map((span) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const height = (52 * span.events) / most;
    const at = { x: 300 - ((now - span.from) / SPAN + 1) * 5, y: 56 - height, width: 3.6, height, rx: 1.2 };
    Object.entries(at).forEach(([name, value]) => bar.setAttribute(name, value));
    return bar;
  });
  get("pulse").replaceChildren(...bars);
  const minute = spans.filter((span) => span.from > Date.now() - 60_000);
  get("rate").textContent = minute.reduce((sum, span) => sum + span.events, 0);
}

function drawBot() {
  const connected = bot?.connected_at && new Date(bot.heard_until) > Date.now();
  get("bot").textContent = connected ? "connected" : "away";
  get("bot").className = `value ${connected ? "well" : "away"}`;
  const since = connected ? Math.max(0, Math.round((Date.now() - new Date(bot.connected_at)) / 1000)) : 0;
  const time = since < 90 ? `${since} s` : since < 5400 ? `${Math.round(since / 60)} min` : `${Math.round(since / 3600)} h`;
  get("bot-more").textContent = connected ? `one connection, for ${time}` : "the gateway keeps what it misses";
}

// ---- Zones ----

function zoneCard(zone) {
  const slider = element("input");
  Object.assign(slider, { type: "range", min: 0, max: 5, step: 0.5, ariaLabel: `Multiplier of ${zone.title}` });
  const card = element("div", "zone", element("p", "", element("b", "", zone.title), element("output")), slider, element("small"));
  slider.oninput = () => (card.querySelector("output").textContent = `× ${slider.value}`);
  slider.onchange = () => change(zone.name, Number(slider.value));
  get("zones").append(card);
  return card;
}

function drawZones() {
  for (const zone of zones.values()) {
    zone.card ??= zoneCard(zone);
    const slider = zone.card.querySelector("input");
    slider.value = zone.multiplier;
    slider.disabled = !admin;
    zone.card.querySelector("output").textContent = `× ${zone.multiplier}`;
    const note = zone.card.querySelector("small");
    note.className = zone.after_ms == null ? "" : "seen";
    const by = zone.changed_by ? `${zone.changed_by} changed it` : "as it was at the beginning";
    note.textContent = zone.after_ms == null ? by : `${by}; the bot knew after ${milliseconds(zone.after_ms)}`;
  }
}

const milliseconds = (time) => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;

async function change(name, multiplier) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`/api/zones/${name}`, { method: "PUT", headers, body: JSON.stringify({ multiplier }) });
  if (answer.ok) return;
  const { message } = await answer.json().catch(() => ({ message: "the API does not answer" }));
  get("may").textContent = message;
  drawZones();
}

function zoned(told) {
  const zone = zones.get(told.name) ?? {};
  if (told.gone) {
    zone.card?.remove();
    return zones.delete(told.name);
  }
  if (zone.version >= told.version) return;
  zones.set(told.name, Object.assign(zone, told, { after_ms: null }));
  drawZones();
  zone.card.classList.add("fresh");
  setTimeout(() => zone.card.classList.remove("fresh"), 1500);
}

function seen(told) {
  const zone = zones.get(told.zone);
  if (zone?.version !== told.version) return;
  zone.after_ms = told.after_ms;
  get("delay").textContent = milliseconds(told.after_ms);
  get("delay-more").textContent = `until the bot counted ${zone.title} anew`;
  drawZones();
}

// ---- From the beginning ----

async function begin() {
  const [club, who] = await Promise.all(["/api/club", "/auth/me"].map(async (path) => (await fetch(path)).json()));
  if (!club.scores) throw new Error(club.message);
  for (const member of club.scores) scores.set(member.member, Object.assign(scores.get(member.member) ?? {}, member));
  for (const zone of club.zones) zones.set(zone.name, Object.assign(zones.get(zone.name) ?? {}, zone));
  admin = Boolean(who?.admin);
  const leave = element("button", "", "sign out");
  leave.onclick = async () => (await fetch("/auth/logout", { method: "POST" })) && location.reload();
  const enter = element("a", "", "Sign in with Discord");
  enter.href = "/auth/login";
  get("who").replaceChildren(...(who ? [`${who.name} · `, leave] : [enter]));
  get("may").textContent = admin ? "What a zone is worth, from the next event on." : who ? "Only admins change these." : "Admins sign in to change these.";
  const now = Math.floor(Date.now() / SPAN) * SPAN;
  spans = Object.entries(club.pulse).map(([ago, events]) => ({ from: now - ago * SPAN, events })).sort((one, other) => one.from - other.from);
  bot = club.bot;
  const latest = club.zones.filter((zone) => zone.after_ms != null).sort((one, other) => other.changed_at.localeCompare(one.changed_at))[0];
  drawZones();
  if (latest) seen({ zone: latest.name, version: latest.version, after_ms: latest.after_ms });
  drawScores();
  drawPulse();
  drawBot();
  get("feed").replaceChildren();
  club.feed.forEach((told) => tell(told, false));
}

function line(text, isLive) {
  get("line").textContent = text;
  get("line").classList.toggle("live", isLive);
}

async function again() {
  try {
    await begin();
    line("live", true);
  } catch {
    line("the API is away", false);
    setTimeout(again, 1_000);
  }
}

const stream = new EventSource("/api/live");
stream.onopen = again;
stream.onerror = () => {
  line("connecting", false);
  // A stream that was refused for good is not tried again by the browser.
  if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 2_000);
};
const on = (event, does) => stream.addEventListener(event, ({ data }) => does(JSON.parse(data)));
on("scores", scored);
on("earned", earned);
on("zones", zoned);
on("seen", seen);
on("bot", (told) => { bot = told; drawBot(); });
on("again", again);
setInterval(() => { drawPulse(); drawBot(); }, 1_000);
