import type { NextConfig } from "next";

/** Everything about the environment is read at run time (src/infrastructure/server/environment.ts), nothing here. */
const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  turbopack: { root: import.meta.dirname },
  // Pages hold no data of their own (it comes from the API), so a visited route may be shown again at once.
  experimental: { staleTimes: { dynamic: 300, static: 300 } },
};

export default config;
