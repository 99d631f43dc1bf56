import { loadOf, selfSupply, type Balance, type Node } from "./energy";
import { figure, fixed } from "./quantity";

function power(watts: number): string {
  const { number, unit } = figure(Math.abs(watts), "W");
  return `${number} ${unit}`;
}

/** What a part of the site is doing, in one word. */
export function doing(node: Node, watts: number | null | undefined): string {
  if (watts === null || watts === undefined) return "No value";
  const still = Math.abs(watts) < 1;
  switch (node) {
    case "grid":
      return still ? "Balanced" : watts > 0 ? "Importing" : "Exporting";
    case "pv":
      return still ? "Not producing" : "Producing";
    case "battery":
      return still ? "Idle" : watts > 0 ? "Discharging" : "Charging";
    case "load":
      return "Consuming";
  }
}

/** The whole diagram as a sentence, for those who hear it. */
export function flowSentence(balance: Balance): string {
  const parts: string[] = [];
  const say = (name: string, node: Node, watts: number | null | undefined) => {
    if (watts === undefined) return;
    parts.push(watts === null ? `${name}: no value` : `${name}: ${doing(node, watts).toLowerCase()} ${power(watts)}`);
  };
  say("PV", "pv", balance.pv);
  say("Battery", "battery", balance.battery);
  say("Grid", "grid", balance.grid);
  say("Building", "load", loadOf(balance));
  return `${parts.join(". ")}.`;
}

export function selfSupplyWords(balance: Balance): string | null {
  const share = selfSupply(balance);
  return share === null ? null : `${fixed(share * 100, 0)} % self-supplied`;
}
