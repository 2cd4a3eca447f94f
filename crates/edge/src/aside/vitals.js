// Tells the edge how a visitor had this page: web vitals, once, when the page is left. It keeps nothing and sets no cookie.
(() => {
  "use strict";
  // A page that was opened behind another one was seen late, and says nothing of how fast it is.
  if (document.visibilityState === "hidden" || !navigator.sendBeacon) return;
  const path = location.pathname;
  const values = {};
  const navigation = performance.getEntriesByType("navigation")[0];
  const start = (navigation && navigation.activationStart) || 0;
  const since = (time) => Math.max(time - start, 0);
  const observers = [];
  const watch = (type, each, options) => {
    try {
      if (!PerformanceObserver.supportedEntryTypes.includes(type)) return false;
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(each));
      observer.observe({ type, buffered: true, ...options });
      observers.push([observer, each]);
      return true;
    } catch {
      return false;
    }
  };
  if (navigation && navigation.responseStart > 0) values.TTFB = since(navigation.responseStart);
  watch("paint", (entry) => {
    if (entry.name === "first-contentful-paint") values.FCP = since(entry.startTime);
  });
  watch("largest-contentful-paint", (entry) => {
    values.LCP = since(entry.startTime);
  });
  // Shifts that follow each other within a second are one, which lasts five at most; the largest one counts.
  let [sum, first, last] = [0, 0, 0];
  const shifts = watch("layout-shift", (entry) => {
    if (entry.hadRecentInput) return;
    const goesOn = sum > 0 && entry.startTime - last < 1000 && entry.startTime - first < 5000;
    if (!goesOn) [sum, first] = [0, entry.startTime];
    sum += entry.value;
    last = entry.startTime;
    values.CLS = Math.max(values.CLS || 0, sum);
  });
  if (shifts) values.CLS = 0;
  // The slowest answer to what a visitor does; of many the slowest one in fifty is left out.
  const slowest = new Map();
  const interaction = (entry) => {
    if (!entry.interactionId) return;
    slowest.set(entry.interactionId, Math.max(slowest.get(entry.interactionId) || 0, entry.duration));
    const durations = [...slowest.values()].sort((one, other) => other - one);
    const count = Math.max(performance.interactionCount || 0, slowest.size);
    values.INP = durations[Math.min(durations.length - 1, Math.floor(count / 50))];
    if (slowest.size > 200) slowest.delete([...slowest].sort((one, other) => one[1] - other[1])[0][0]);
  };
  watch("first-input", interaction);
  watch("event", interaction, { durationThreshold: 40 });
  let told = false;
  const tell = () => {
    if (told) return;
    told = true;
    for (const [observer, each] of observers) observer.takeRecords().forEach(each);
    const vitals = Object.entries(values).map(([name, value]) => ({ name, value: Math.round(value * 10000) / 10000 }));
    if (vitals.length > 0) navigator.sendBeacon("/.well-known/towpath/vitals", JSON.stringify({ path, vitals }));
  };
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") tell();
  });
  addEventListener("pagehide", tell);
})();
