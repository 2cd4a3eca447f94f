// The dashboard: asks every two seconds, and shows addresses as text, never as links: some of them bite.

const $ = (id) => document.getElementById(id);

async function ask(path, body) {
  const answer = await fetch(path, body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message ?? `status ${answer.status}`);
  return said;
}

function cell(row, text, name) {
  const one = row.insertCell();
  one.textContent = text;
  if (name) one.className = name;
  return one;
}

function row(page) {
  const row = document.createElement("tr");
  cell(row, page.url, "url");
  cell(row, page.verdict, page.verdict);
  cell(row, page.score.toFixed(2), "number");
  cell(row, page.reasons.join(", "));
  cell(row, page.by);
  cell(row, page.reports, "number");
  const review = cell(row, "");
  for (const verdict of ["phishing", "harmless"]) {
    const button = document.createElement("button");
    button.textContent = verdict;
    button.onclick = () => act(() => ask("/internal/reviews", { url: page.url, verdict }));
    review.append(button);
  }
  return row;
}

async function show() {
  const [numbers, pages] = await Promise.all([ask("/v1/summary"), ask("/v1/verdicts")]);
  $("summary").replaceChildren(...Object.entries(numbers).map(([name, number]) => {
    const one = document.createElement("div");
    one.className = name;
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, value.textContent] = [name, number];
    one.append(term, value);
    return one;
  }));
  $("verdicts").replaceChildren(...pages.map(row));
}

async function act(what) {
  try {
    await what();
    await show();
  } catch (error) {
    $("said").textContent = `That did not work: ${error.message}`;
  }
}

$("try").onsubmit = (event) => {
  event.preventDefault();
  act(async () => {
    const said = await ask("/v1/score", { url: $("url").value });
    $("said").textContent = `${said.verdict} (${said.score.toFixed(2)})`;
  });
};

act(async () => {});
setInterval(() => document.hidden || act(async () => {}), 2000);
