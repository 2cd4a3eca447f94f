// How harsh a text is, from 0 to 1. It is scored here, in the browser, and sent to nobody.
// The same words as in the stand-in for Perspective; a release brings the scorer that Pyodide runs.

const HARSH = ["idiot", "stupid", "shut up", "hate you", "pathetic", "loser"];

function score(text) {
  const lower = text.toLowerCase();
  return HARSH.some((word) => lower.includes(word)) ? 0.92 : 0.04;
}
