// The drawing: six pounds, each higher than the one before, five locks between them, and the boats.

const POUND = 146;
const LOCK = 64;
const LOCKS = 5;
const LEFT = 2;
const LOWEST = 372;
const STEP = 44;
const DEPTH = 30;
const FILLING = 3500;
const HULLS = ["#b8322a", "#1f5a8a", "#12402f", "#7a3b69", "#c07a17", "#2b6f6a"];

const left = (pound) => LEFT + pound * (POUND + LOCK);
const level = (pound) => LOWEST - pound * STEP;
const middle = (lock) => left(lock) - LOCK / 2;
const between = (from, to, share) => from + (to - from) * share;
const eased = (share) => share * share * (3 - 2 * share);

function draw(parent, name, attributes = {}, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

export class Flight {
  #canal = { now: 0, cruise: 6000, locks: [], boats: [] };
  #ahead = 0;
  #waters = [];
  #gates = [];
  #boats = new Map();
  #layer;

  constructor(svg) {
    this.#scenery(svg);
    this.#layer = draw(svg, "g");
    for (let lock = 1; lock <= LOCKS; lock += 1) this.#walls(svg, lock);
    requestAnimationFrame(() => this.#frame());
  }

  show(canal) {
    this.#canal = canal;
    // The clocks of the service and of this browser need not agree.
    this.#ahead = Date.now() - canal.now;
    const here = new Set(canal.boats.map((boat) => boat.number));
    for (const [number, boat] of this.#boats) {
      if (!here.has(number)) {
        boat.group.remove();
        this.#boats.delete(number);
      }
    }
    for (const boat of canal.boats) {
      if (!this.#boats.has(boat.number)) this.#boats.set(boat.number, { group: this.#boat(boat) });
    }
  }

  #scenery(svg) {
    const made = draw(svg, "defs");
    for (const [id, from, to] of [["sky", "sky-high", "sky-low"], ["water", "water-top", "water-low"]]) {
      const gradient = draw(made, "linearGradient", { id, x1: 0, y1: 0, x2: 0, y2: 1 });
      draw(gradient, "stop", { offset: "0", class: from });
      draw(gradient, "stop", { offset: "1", class: to });
    }
    draw(svg, "rect", { width: 1200, height: 460, fill: "url(#sky)" });
    draw(svg, "circle", { class: "sun", cx: 240, cy: 110, r: 46 });
    draw(svg, "path", { class: "hill-far", d: "M0 300 C 180 210 330 260 520 200 S 900 60 1200 90 V460 H0Z" });
    draw(svg, "path", { class: "hill", d: "M0 340 C 220 280 420 300 620 230 S 980 110 1200 120 V460 H0Z" });
    // The bank behind the water, one step a pound.
    let ground = `M0 ${level(0) - 9}`;
    for (let pound = 0; pound <= LOCKS; pound += 1) {
      const x = pound === LOCKS ? 1200 : left(pound) + POUND + LOCK;
      ground += ` H${x}` + (pound < LOCKS ? ` V${level(pound + 1) - 9}` : "");
    }
    draw(svg, "path", { class: "bank", d: `${ground} V460 H0Z` });
    draw(svg, "path", { class: "grass", d: ground });
    for (const deep of [62, 92, 128]) {
      draw(svg, "path", { class: "layer", d: `M0 ${LOWEST + deep} C 300 ${LOWEST + deep - 40} 700 ${LOWEST + deep - 150} 1200 ${LOWEST + deep - 230}` });
    }
    for (let pound = 0; pound <= LOCKS; pound += 1) {
      const from = pound === 0 ? 0 : left(pound);
      const to = pound === LOCKS ? 1200 : left(pound) + POUND;
      const y = level(pound);
      draw(svg, "rect", { class: "water", x: from, y, width: to - from, height: DEPTH });
      draw(svg, "path", { class: "shine", d: `M${from + 8} ${y + 5} h${(to - from) * 0.35} m14 5 h${(to - from) * 0.3}` });
    }
    for (let lock = 1; lock <= LOCKS; lock += 1) {
      const x = left(lock) - LOCK;
      draw(svg, "rect", { class: "stone-dark", x, y: level(lock) - 8, width: LOCK, height: STEP + DEPTH + 14 });
      this.#waters.push(draw(svg, "rect", { class: "water", x, y: level(lock - 1), width: LOCK, height: DEPTH }));
    }
  }

  // What stands in front of the boats: the near wall of a lock, its gates, its number.
  #walls(svg, lock) {
    const x = left(lock) - LOCK;
    const bottom = level(lock - 1) + DEPTH;
    draw(svg, "rect", { class: "stone", x: x - 5, y: level(lock - 1) + 16, width: LOCK + 10, height: bottom - level(lock - 1) });
    const low = draw(svg, "g");
    draw(low, "rect", { class: "gate", x: x - 3, y: level(lock) - 8, width: 6, height: STEP + DEPTH });
    draw(low, "rect", { class: "beam", x: x - 24, y: level(lock) - 12, width: 27, height: 5, rx: 2 });
    const high = draw(svg, "g");
    draw(high, "rect", { class: "gate", x: x + LOCK - 3, y: level(lock) - 8, width: 6, height: DEPTH });
    draw(high, "rect", { class: "beam", x: x + LOCK - 3, y: level(lock) - 12, width: 27, height: 5, rx: 2 });
    this.#gates.push({ low, high });
    draw(svg, "rect", { class: "sign", x: x + LOCK / 2 - 13, y: bottom - 4, width: 26, height: 24, rx: 5 });
    draw(svg, "text", { class: "sign-text", x: x + LOCK / 2, y: bottom + 13 }, lock);
  }

  #boat(boat) {
    const long = boat.length * 2.7;
    const half = long / 2;
    const group = draw(this.#layer, "g");
    const body = draw(group, "g", boat.way === "up" ? {} : { transform: "scale(-1 1)" });
    const hull = HULLS[boat.number % HULLS.length];
    draw(body, "path", { class: "keel", d: `M${-half} -6 H${half + 5} L${half - 2} 5 H${-half + 3}Z` });
    draw(body, "rect", { x: -half + 5, y: -18, width: long - 14, height: 12, rx: 2, fill: hull });
    draw(body, "rect", { class: "cabin-line", x: -half + 4, y: -19, width: long - 12, height: 2.5, rx: 1 });
    for (let x = -half + 11; x < half - 13; x += 9) draw(body, "circle", { class: "window", cx: x, cy: -12, r: 2.4 });
    draw(body, "rect", { class: "keel", x: -half + 8, y: -25, width: 3, height: 7 });
    draw(group, "text", { class: "name", y: -29 }, boat.name);
    return group;
  }

  #frame() {
    const now = Date.now() - this.#ahead;
    const surfaces = this.#canal.locks.map((lock) => this.#surface(lock, now));
    surfaces.forEach((y, at) => {
      this.#waters[at].setAttribute("y", y);
      this.#waters[at].setAttribute("height", level(at) + DEPTH - y);
      // A gate may open where the water is level on both of its sides.
      this.#gates[at].low.style.opacity = Math.abs(y - level(at)) < 1 ? 0.35 : 1;
      this.#gates[at].high.style.opacity = Math.abs(y - level(at + 1)) < 1 ? 0.35 : 1;
    });
    const queues = new Map();
    const orders = new Map();
    for (const boat of [...this.#canal.boats].sort((one, other) => one.since - other.since)) {
      const drawn = this.#boats.get(boat.number);
      const key = `${boat.way} ${boat.pound}`;
      const place = queues.get(key) ?? 0;
      if (boat.stage !== "locking") queues.set(key, place + boat.length * 2.7 + 8);
      // Names of boats that lie close to each other stand at two heights.
      const order = orders.get(key) ?? 0;
      orders.set(key, order + 1);
      drawn.group.lastChild.setAttribute("y", order % 2 ? -44 : -29);
      const aim = this.#aim(boat, place, now, surfaces);
      // It glides to where it is to be, so that a place that gets free in a queue is taken slowly.
      drawn.x = drawn.x === undefined ? aim.x : between(drawn.x, aim.x, 0.12);
      drawn.group.setAttribute("transform", `translate(${drawn.x.toFixed(1)} ${aim.y.toFixed(1)})`);
    }
    requestAnimationFrame(() => this.#frame());
  }

  // Where the water of a lock stands: at rest, or on its way while a boat lies in it.
  #surface(lock, now) {
    const boat = this.#canal.boats.find((boat) => boat.number === lock.boat);
    const low = level(lock.number - 1);
    const high = level(lock.number);
    if (!boat) return lock.full ? high : low;
    const share = eased(Math.min(1, Math.max(0, (now - boat.since) / FILLING)));
    return boat.way === "up" ? between(low, high, share) : between(high, low, share);
  }

  #aim(boat, place, now, surfaces) {
    const side = boat.way === "up" ? 1 : -1;
    // Boats going down keep to the far side.
    const lane = side === 1 ? 5 : 2;
    if (boat.stage === "locking") return { x: middle(boat.lock), y: surfaces[boat.lock - 1] + lane };
    const begins = boat.pound === (side === 1 ? 0 : LOCKS);
    const from = begins ? (side === 1 ? -60 : 1260) : middle(side === 1 ? boat.pound : boat.pound + 1);
    const gate = side === 1 ? left(boat.pound) + POUND : left(boat.pound);
    const stop = boat.lock ? gate - side * (12 + place + boat.length * 1.35) : side === 1 ? 1270 : -70;
    const share = boat.stage === "waiting" ? 1 : Math.min(1, Math.max(0, (now - boat.since) / this.#canal.cruise));
    return { x: between(from, stop, share), y: level(boat.pound) + lane };
  }
}
