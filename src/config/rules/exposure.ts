import type { Finding } from "../finding.ts";
import { isLoopbackHost, isWorldWide } from "../ip-address.ts";
import { refusal, type Rule, warning, weakStart } from "./rule.ts";

/** An open door: a public bind must be protected by TLS, or by a proxy that terminates it. */
export const publicBindIsProtected: Rule = ({ config: { listen }, profile }) => {
  if (isLoopbackHost(listen.host) || listen.tls !== undefined || listen.trusted_proxies.length > 0) return [];
  return [
    weakStart(profile, {
      code: "public_bind_without_tls",
      path: ["listen", "host"],
      message: `${listen.host} is reachable from other machines, but there is neither TLS nor a trusted proxy before Weir, so keys and prompts would travel in clear text`,
      fix: "Set listen.tls, or listen.trusted_proxies to the addresses of the load balancer that terminates TLS, or listen.host to 127.0.0.1.",
      because: [
        ["listen", "tls"],
        ["listen", "trusted_proxies"],
      ],
    }),
  ];
};

/** Whoever can reach a Weir without authentication spends the organisation's money. */
export const publicBindIsAuthenticated: Rule = ({ config: { listen, security } }) => {
  if (security.auth !== "off") return [];
  const text = {
    message: "with auth off, everyone who reaches this address uses your upstream's credential",
    fix: "Remove security.auth (the default asks for keys), or set listen.host to 127.0.0.1.",
  };
  const path = ["security", "auth"];
  return [
    isLoopbackHost(listen.host) ? warning("auth_off", path, text) : refusal("auth_off_on_public_bind", path, text),
  ];
};

/** Believing everybody's `X-Forwarded-For` lets callers choose the address they are judged by. */
export const trustedProxiesAreNamed: Rule = ({ config: { listen }, profile }) =>
  listen.trusted_proxies.flatMap((cidr, i): Finding[] => {
    if (!isWorldWide(cidr)) return [];
    return [
      weakStart(profile, {
        code: "every_proxy_trusted",
        path: ["listen", "trusted_proxies", i],
        message: `${cidr} trusts peers from all over the internet, so callers can forge its address with X-Forwarded-For`,
        fix: "Name the addresses of your load balancers only.",
      }),
    ];
  });

/** Metrics and administration belong on an inner network. */
export const adminPortIsInner: Rule = ({ config: { admin_listen } }) => {
  if (isLoopbackHost(admin_listen.host)) return [];
  return [
    warning("public_admin_bind", ["admin_listen", "host"], {
      message: `the admin port listens on ${admin_listen.host}, which other machines can reach`,
      fix: "Let a firewall or network policy admit only operators and the metrics scraper, or set it to 127.0.0.1.",
    }),
  ];
};

/** Two servers cannot share a port. */
export const portsDiffer: Rule = ({ config: { listen, admin_listen } }) => {
  const overlaps = listen.host === admin_listen.host || isWildcard(listen.host) || isWildcard(admin_listen.host);
  if (listen.port === 0 || listen.port !== admin_listen.port || !overlaps) return [];
  return [
    refusal("port_conflict", ["admin_listen", "port"], {
      message: `port ${admin_listen.port} is also listen.port`,
      fix: "Give the admin port another number, for example 8081.",
    }),
  ];
};

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
