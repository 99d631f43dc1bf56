import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** The fixed energy colours are read from the style sheet itself and looked at as people with each colour vision do. */
const css = readFileSync(new URL("../src/app/globals.css", import.meta.url), "utf8");
const NAMES = ["grid-import", "grid-export", "pv", "battery", "load", "hvac"] as const;

type Vector = readonly [number, number, number];
type Matrix = readonly [Vector, Vector, Vector];

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear light. */
const VISION: Readonly<Record<string, Matrix>> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

function times(matrix: Matrix, [x, y, z]: Vector): Vector {
  const row = (index: 0 | 1 | 2) => matrix[index][0] * x + matrix[index][1] * y + matrix[index][2] * z;
  return [row(0), row(1), row(2)];
}

function colour(name: string, theme: "light" | "dark"): Vector {
  const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css);
  const hex = found?.[theme === "light" ? 1 : 2];
  if (!hex) throw new Error(`globals.css: --${name} is not light-dark(#rrggbb, #rrggbb)`);
  const part = (at: number) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function oklab(light: Vector): Vector {
  const cones = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]], light);
  const root = cones.map((value) => Math.cbrt(Math.max(0, value))) as unknown as Vector;
  return times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]], root);
}

function distance(a: Vector, b: Vector): number {
  return 100 * Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function luminance([r, g, b]: Vector): number {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe.each(["light", "dark"] as const)("energy colours in the %s theme", (theme) => {
  it.each(Object.keys(VISION))("stay apart with %s vision", (vision) => {
    const matrix = VISION[vision];
    if (!matrix) throw new Error(vision);
    const seen = NAMES.map((name) => oklab(times(matrix, colour(name, theme))));
    const nearest = Math.min(...seen.flatMap((a, i) => seen.slice(i + 1).map((b) => distance(a, b))));
    expect(nearest).toBeGreaterThan(9);
  });

  it("stand out from the surface, at 3 to 1 as graphics need", () => {
    const surface = luminance(colour("surface", theme));
    for (const name of NAMES) {
      const own = luminance(colour(name, theme));
      expect((Math.max(own, surface) + 0.05) / (Math.min(own, surface) + 0.05), name).toBeGreaterThanOrEqual(3);
    }
  });
});
