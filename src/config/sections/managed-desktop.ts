import type { MemberProblem } from "../fields/checked.ts";

/** What Weir itself puts into the answer, and where that is configured. */
const COMPUTED: ReadonlyMap<string, string> = new Map([
  ["inferenceProvider", "Configure upstreams and models."],
  ["inferenceGatewayBaseUrl", "Configure listen.public_url."],
  ["inferenceCredentialKind", "Remove it; people sign in."],
  ["inferenceModels", "Configure models, and availableModels of the policy's cli."],
  ["otlpEndpoint", "Configure telemetry.forward_to."],
  ["otlpProtocol", "Configure telemetry.forward_to."],
  ["otlpResourceAttributes", "Configure telemetry.forward_to."],
  ["expiresAt", "Remove it; it is the end of the caller's token."],
]);

/** Read by Claude Desktop from its own machine alone: it must know these before it can ask a gateway. */
const LOCAL_ONLY: ReadonlySet<string> = new Set(["bootstrapUrl"]);

/** What cannot be served in a `desktop` block. Keys that Weir does not know go out as written: Claude Desktop may be newer. */
export function findDesktopProblems(desktop: Readonly<Record<string, unknown>>): MemberProblem[] {
  return Object.entries(desktop).flatMap(([key, value]) => problemsOf(key, value));
}

function problemsOf(key: string, value: unknown): MemberProblem[] {
  const computed = COMPUTED.get(key);
  if (computed !== undefined)
    return [{ path: [key], message: "is what Weir itself tells Claude Desktop", fix: computed }];
  if (LOCAL_ONLY.has(key)) {
    return [
      {
        path: [key],
        message: "is read by Claude Desktop from its own machine alone",
        fix: "Set it through device management or a local managed configuration.",
      },
    ];
  }
  if (value === "" || value === null) {
    return [{ path: [key], message: "is empty", fix: "Set a value, or remove the key for Claude Desktop's default." }];
  }
  const isList = key === "disabledBuiltinTools" || key === "coworkEgressAllowedHosts";
  if (isList && !(Array.isArray(value) && value.every((item) => typeof item === "string"))) {
    return [{ path: [key], message: "must be a list of texts", fix: `Write for example ${key}: [example].` }];
  }
  if (key === "builtinToolPolicy" && !isToolPolicy(value)) {
    return [{ path: [key], message: "must map tools to allow or ask", fix: "Write for example { Bash: ask }." }];
  }
  return [];
}

function isToolPolicy(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((word) => word === "allow" || word === "ask");
}
