import type { Config } from "../../config/schema.ts";
import { explainRoute, USUAL_TOKENS } from "../../routing/explain-route.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExplainedRoute, ExplainQuestion } from "./explain-options.ts";
import { unknownModel } from "./unknown-model.ts";

/** Where a request goes by the configuration alone. Rejects with CliError when nothing serves the model. */
export async function answerFromConfiguration(
  { inspect, clock }: CliContext,
  config: Config,
  { model, options }: ExplainQuestion,
): Promise<ExplainedRoute> {
  const routes = await inspect.routes(config);
  const { table, router } = routes;
  try {
    const question = {
      asked: model,
      keyId: options.key ?? null,
      session: options.session ?? null,
      region: options.region ?? null,
      inputTokens: options.tokens ?? USUAL_TOKENS.input,
      outputTokens: options.outputTokens ?? USUAL_TOKENS.output,
    };
    const answer = explainRoute(question, { table, router, nowMs: clock.monotonicMs() });
    if (answer === null)
      throw unknownModel(
        model,
        table.listed.map(({ id }) => id),
      );
    return { source: { kind: "configuration" }, ...answer };
  } finally {
    await routes.close();
  }
}
