import type { LoadPlan } from "../plan/load-plan.ts";

const DEFAULTS: Readonly<Record<string, string>> = {
  "content-type": "application/json",
  "anthropic-version": "2023-06-01",
  "user-agent": "weir-bench",
};

/** The header lists that the requests carry, flat as undici takes them: one for each key, or one without a key. */
export function requestHeaders({ secrets, request }: LoadPlan): readonly (readonly string[])[] {
  const common: Record<string, string> = {
    ...DEFAULTS,
    accept: request.stream ? "text/event-stream" : "application/json",
  };
  for (const [name, value] of Object.entries(secrets.headers)) common[name.toLowerCase()] = value;
  const flat = Object.entries(common).flat();
  if (secrets.keys.length === 0) return [flat];
  return secrets.keys.map((key) =>
    secrets.keyHeader === "x-api-key" ? [...flat, "x-api-key", key] : [...flat, "authorization", `Bearer ${key}`],
  );
}

/** All texts that must not appear in what the run writes. */
export function secretTexts({ secrets }: LoadPlan): readonly string[] {
  return [...secrets.keys, ...Object.values(secrets.headers)].filter((text) => text.length >= 8);
}
