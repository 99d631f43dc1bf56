# The web. Context: the repository. Stages: dependencies -> develop (compose.yaml, live reload) | build -> run.
FROM node:20-slim AS dependencies
WORKDIR /app/web
ENV NEXT_TELEMETRY_DISABLED=1
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error

FROM dependencies AS develop
COPY web ./
# Next writes its build and types beside the sources.
RUN chown -R node:node /app/web
USER node
CMD ["node", "node_modules/next/dist/bin/next", "dev", "-p", "3000"]

FROM dependencies AS build
COPY web ./
RUN node node_modules/next/dist/bin/next build

FROM dependencies AS run
ENV NODE_ENV=production
COPY web/package.json web/next.config.ts ./
COPY web/src ./src
COPY --from=build --chown=node:node /app/web/.next ./.next
USER node
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD node -e "fetch('http://127.0.0.1:3000/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
CMD ["node", "node_modules/next/dist/bin/next", "start", "-p", "3000"]
