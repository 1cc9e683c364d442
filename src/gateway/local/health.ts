import type { ErrorRecipient } from "../http/error-response.ts";
import { sendJson } from "../http/json-response.ts";
import type { HealthReport } from "../services.ts";

/** `/healthz`: the process answers. Says nothing of what it depends on, so that a restart is not the cure for a database. */
export function serveAlive(exchange: ErrorRecipient): void {
  sendJson(exchange, 200, { status: "ok" });
}

/** `/readyz`: 200 when new exchanges would be served, 503 with the failing checks otherwise. */
export function serveReady(exchange: ErrorRecipient, health: HealthReport): void {
  const failures = health.failures();
  sendJson(exchange, failures.length === 0 ? 200 : 503, {
    status: failures.length === 0 ? "ready" : "not_ready",
    failures,
  });
}

/** `/health` and `/api/claude/health`: the same in words, with version, mode and uptime. */
export function serveHealth(exchange: ErrorRecipient, health: HealthReport): void {
  const failures = health.failures();
  sendJson(exchange, failures.length === 0 ? 200 : 503, {
    status: failures.length === 0 ? "healthy" : "unhealthy",
    ...health.describe(),
    failures,
  });
}
