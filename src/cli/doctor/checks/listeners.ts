import { createServer } from "node:net";

import type { Config } from "../../../config/schema.ts";
import { localUrlOf } from "../../base-url.ts";
import type { WeirProbe } from "../../probe-weir.ts";
import type { Check } from "../examination.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";

export const listenerCheck: Check = {
  id: "listener",
  title: "Gateway port",
  run: (examination) =>
    examination.withConfig(async (config) => {
      const { host, port } = config.listen;
      if (port === 0) return ok("the system chooses one at each start");
      const probe = await examination.weir(config);
      const url = localUrlOf(config);
      if (probe.state === "ready") return ok(`Weir runs at ${url} and is ready`);
      if (probe.state === "not_ready") return notReady(url, probe);
      if (probe.state === "not_weir") {
        return fail(
          `another program answers at ${url}`,
          "Stop that program, or choose another port: listen.port, WEIR_PORT or --port.",
        );
      }
      const problem = await tryListen(host, port);
      if (problem !== "EADDRINUSE") return judgeListen({ host, port, problem, setting: "listen" });
      // Something is there and is no HTTP server, or one whose certificate this machine does not trust.
      return config.listen.tls === undefined
        ? fail(
            `port ${port} is in use by a program that does not answer: ${probe.reason}`,
            "Stop that program, or choose another port.",
          )
        : warn(
            `port ${port} is in use, perhaps by Weir: ${probe.reason}`,
            "Set NODE_EXTRA_CA_CERTS to the file of your authority, so that this check can ask it.",
          );
    }),
};

export const adminListenerCheck: Check = {
  id: "admin_listener",
  title: "Admin port",
  run: (examination) =>
    examination.withConfig(async (config) => {
      const { host, port } = config.admin_listen;
      if (port === 0) return ok("the system chooses one at each start");
      const problem = await tryListen(host, port);
      const isRunning = await isWeirRunning(examination.weir(config), config);
      if (problem === "EADDRINUSE" && isRunning) return ok(`port ${port}, in use while Weir runs`);
      return judgeListen({ host, port, problem, setting: "admin_listen" });
    }),
};

async function isWeirRunning(probe: Promise<WeirProbe>, config: Config): Promise<boolean> {
  if (config.listen.port === 0) return false;
  const { state } = await probe;
  return state === "ready" || state === "not_ready";
}

function notReady(url: string, { failures }: Extract<WeirProbe, { state: "not_ready" }>): Finding {
  const reasons = failures.map(({ check, reason }) => `${check}: ${reason}`).join("; ");
  return fail(`Weir runs at ${url} and is not ready (${reasons})`, "See its log for the cause.");
}

/** Null when the address can be listened on, else the system's code for why not. Listens for a moment. */
async function tryListen(host: string, port: number): Promise<string | null> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** Puts the outcome of listening into words. */
export function judgeListen(of: { host: string; port: number; problem: string | null; setting: string }): Finding {
  const { host, port, problem, setting } = of;
  switch (problem) {
    case null:
      return ok(`${host}:${port} is free`);
    case "EADDRINUSE":
      return fail(
        `port ${port} is in use by another program`,
        `Stop that program, or set ${setting}.port to another port.`,
      );
    case "EACCES":
      return fail(`this user may not listen on port ${port}`, `Set ${setting}.port to one above 1023.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return fail(
        `${host} is no address of this machine`,
        `Set ${setting}.host to one of its addresses, or to 127.0.0.1.`,
      );
    default:
      return fail(
        `${host}:${port} cannot be listened on (${problem})`,
        `Set ${setting}.host and ${setting}.port to others.`,
      );
  }
}
