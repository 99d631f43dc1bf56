# syntax: plain Dockerfile; stages: dependencies -> build -> run.
FROM node:20-slim AS dependencies
WORKDIR /app/web
ENV NEXT_TELEMETRY_DISABLED=1
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund

# `docker compose up` runs this stage with the sources mounted: hot reload.
FROM dependencies AS develop
COPY web ./
CMD ["npm", "run", "dev"]

FROM dependencies AS build
COPY web ./
RUN npm run build

FROM build AS run
ENV NODE_ENV=production
USER node
CMD ["npm", "run", "start"]
