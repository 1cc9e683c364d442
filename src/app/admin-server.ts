import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Component } from "../core/component.ts";
import type { MetricsPage } from "../telemetry/metrics/process-metrics.ts";
import type { ProcessHealth } from "./health.ts";
import type { RoutingPages } from "./routing-pages.ts";

/** What operators are told of the process. */
type OperatorsHealth = Pick<ProcessHealth, "failures" | "describeInFull">;

export interface AdminParts {
  readonly metrics: MetricsPage;
  readonly health: OperatorsHealth;
  readonly routing: RoutingPages;
}

/** The operators' port: metrics, health, routing. It says nothing secret and changes nothing. */
export class AdminServer implements Component {
  readonly name = "admin";
  readonly #address: { readonly host: string; readonly port: number };
  readonly #metrics: MetricsPage;
  readonly #health: OperatorsHealth;
  readonly #routing: RoutingPages;
  readonly #server: Server;

  constructor(address: { host: string; port: number }, parts: AdminParts) {
    this.#address = address;
    this.#metrics = parts.metrics;
    this.#health = parts.health;
    this.#routing = parts.routing;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  get address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the admin port is not open");
    return address;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#address.port, this.#address.host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    switch (path) {
      case "/metrics":
        response.writeHead(200, { "content-type": this.#metrics.contentType }).end(await this.#metrics.render());
        return;
      case "/healthz":
        json(response, 200, { status: "ok" });
        return;
      case "/readyz": {
        const failures = this.#health.failures();
        json(response, failures.length === 0 ? 200 : 503, { failures });
        return;
      }
      case "/status":
        json(response, 200, { ...this.#health.describeInFull(), failures: this.#health.failures() });
        return;
      case "/v1/routing":
        json(response, 200, this.#routing.describe());
        return;
      case "/v1/routing/explain": {
        const { status, document } = this.#routing.explain(new URLSearchParams(query));
        json(response, status, document);
        return;
      }
      default:
        json(response, 404, {
          error:
            "Weir's admin port serves /metrics, /healthz, /readyz, /status, /v1/routing and /v1/routing/explain?model=….",
        });
    }
  }
}

function json(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(document)}\n`);
}
