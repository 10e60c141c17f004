# One image, three programs: the API (default), the worker and the emulator. Pinned by major: rebuild for patches.
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:26-slim
ENV NODE_ENV=production NODE_OPTIONS=--enable-source-maps API_HOST=0.0.0.0 API_PORT=3000 STATE_DIR=/var/lib/csp-onboarding
WORKDIR /app
# The only folder that is written to; everything else may be mounted read-only.
RUN install -d -o node -g node -m 0700 /var/lib/csp-onboarding
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/docs/errors.md ./docs/errors.md
USER node
VOLUME /var/lib/csp-onboarding
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.API_PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/api/main.js"]
