import { request } from "undici";
import { z } from "zod";

import type { Config } from "../../config/schema.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExplainedRoute, ExplainQuestion } from "./explain-options.ts";
import { unknownModel } from "./unknown-model.ts";

const TIMEOUT_MS = 3_000;

const ANSWER = z.looseObject({ asked: z.string(), targets: z.array(z.unknown()), text: z.array(z.string()) });
const UNKNOWN = z.object({ error: z.string(), listed: z.array(z.string()) });

/**
 * Where a request goes, by the Weir that runs on this configuration's data directory; null when none does, or does not answer as
 * a Weir of this version would. Rejects with CliError when it serves no such model.
 */
export async function askRunningWeir(
  { inspect }: CliContext,
  config: Config,
  { model, options }: ExplainQuestion,
): Promise<ExplainedRoute | null> {
  const url = await inspect.runningAdmin(config);
  if (url === null) return null;
  const query = new URLSearchParams({ model });
  const more = {
    key: options.key,
    session: options.session,
    region: options.region,
    tokens: options.tokens?.toString(),
    output_tokens: options.outputTokens?.toString(),
  };
  for (const [name, value] of Object.entries(more)) if (value !== undefined) query.set(name, value);
  const body = await getJson(`${url}/v1/routing/explain?${query.toString()}`);
  const unknown = UNKNOWN.safeParse(body);
  if (unknown.success) throw unknownModel(model, unknown.data.listed);
  const answer = ANSWER.safeParse(body);
  if (!answer.success) return null;
  const { text, ...document } = answer.data;
  return { source: { kind: "running", url }, document, text };
}

/** Null when there is no JSON to be had. */
async function getJson(url: string): Promise<unknown> {
  try {
    const { body } = await request(url, { signal: AbortSignal.timeout(TIMEOUT_MS), reset: true });
    return JSON.parse(await body.text());
  } catch {
    // Nobody there, or somebody else: the configuration is asked instead.
    return null;
  }
}
