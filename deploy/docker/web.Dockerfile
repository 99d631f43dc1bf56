# The web. Context: the repository. Stages: dependencies -> develop (compose.yaml, live reload) | build -> run.
FROM node:20-slim AS dependencies
ENV NEXT_TELEMETRY_DISABLED=1
RUN install --directory --owner=node --group=node /app/web
WORKDIR /app/web
USER node
COPY --chown=node:node web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error --cache=/tmp/npm && rm -rf /tmp/npm

FROM dependencies AS develop
COPY --chown=node:node web ./
CMD ["node", "node_modules/next/dist/bin/next", "dev", "-p", "3000"]

FROM develop AS build
RUN node node_modules/next/dist/bin/next build && rm -rf .next/cache && npm prune --omit=dev --no-audit --no-fund

FROM node:20-slim AS run
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1
WORKDIR /app/web
COPY --from=build /app/web/package.json /app/web/next.config.ts ./
COPY --from=build /app/web/node_modules ./node_modules
COPY --from=build --chown=node:node /app/web/.next ./.next
USER node
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD node -e "fetch('http://127.0.0.1:3000/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
CMD ["node", "node_modules/next/dist/bin/next", "start", "-p", "3000"]
