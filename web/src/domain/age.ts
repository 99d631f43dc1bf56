/** An age for reading. Below two seconds it is "now": a counter that runs 0, 1, 0, 1 would only flicker. */
export function ageWord(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

/** The same as part of a sentence: "3 s ago". */
export function agoWord(ms: number): string {
  const word = ageWord(ms);
  return word === "now" ? "just now" : `${word} ago`;
}
