// Asks the canal that the person has named.

export const usual = "https://lockside.example.org";

export async function address() {
  const { site } = await chrome.storage.local.get({ site: usual });
  return site;
}

export async function canal() {
  const answer = await fetch(new URL("/api/canal", await address()), { signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`the canal answers ${answer.status}`);
  return answer.json();
}
