import next from "@next/eslint-plugin-next";
import boundaries from "eslint-plugin-boundaries";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const features = ["account", "audit", "control", "entry", "frame", "history", "overview", "people", "settings", "site"];
const composition = { to: { file: { categories: "composition" } } };
const to = (...types) => ({ to: { element: { types: { anyOf: types } } } });

export default tseslint.config(
  { ignores: [".next/", "node_modules/", "next-env.d.ts", "**/*.gen.ts"] },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "max-lines": ["error", { max: 250 }],
      "no-console": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "@next/next": next, "react-hooks": hooks, boundaries },
    settings: {
      "import/resolver": { typescript: { alwaysTryTypes: true, project: `${import.meta.dirname}/tsconfig.json` } },
      "boundaries/include": ["src/**/*.{ts,tsx}"],
      "boundaries/files": [
        { category: "composition", pattern: "src/composition*.{ts,tsx}" },
        { category: "entry", pattern: "src/{proxy,instrumentation}.ts" },
      ],
      "boundaries/elements": [
        { type: "app", pattern: "src/app", partialMatch: false },
        ...features.map((name) => ({ type: `feature-${name}`, pattern: `src/presentation/${name}`, partialMatch: false })),
        { type: "presentation", pattern: "src/presentation", partialMatch: false },
        { type: "application", pattern: "src/application", partialMatch: false },
        { type: "infrastructure", pattern: "src/infrastructure", partialMatch: false },
        { type: "domain", pattern: "src/domain", partialMatch: false },
      ],
    },
    rules: {
      ...next.configs.recommended.rules,
      ...next.configs["core-web-vitals"].rules,
      ...hooks.configs["recommended-latest"].rules,
      "boundaries/no-unknown-files": "error",
      "boundaries/dependencies": [
        "error",
        {
          default: "disallow",
          policies: [
            { from: { element: { type: "domain" } }, allow: to("domain") },
            { from: { element: { type: "application" } }, allow: to("application", "domain") },
            { from: { element: { type: "infrastructure" } }, allow: to("infrastructure", "application", "domain") },
            { from: { element: { type: "presentation" } }, allow: to("presentation", "application", "domain") },
            // A feature shares what is in presentation/, never another feature.
            ...features.map((name) => ({
              from: { element: { type: `feature-${name}` } },
              allow: to(`feature-${name}`, "presentation", "application", "domain"),
            })),
            { from: { element: { type: "app" } }, allow: to("app", "presentation", ...features.map((name) => `feature-${name}`)) },
            { from: { element: { type: "app" } }, allow: composition },
            { from: { file: { categories: "entry" } }, allow: composition },
            { from: { file: { categories: "composition" } }, allow: to("infrastructure", "presentation", "application", "domain") },
          ],
        },
      ],
    },
  },
  { files: ["**/*.{js,mjs}"], extends: [tseslint.configs.disableTypeChecked] },
);
