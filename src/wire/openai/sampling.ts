import type { WireWarning } from "../codec.ts";
import { type JsonObject, invalidField, optionalNumber } from "./json-reader.ts";
import { modelTraits } from "./model-traits.ts";

export interface Sampling {
  readonly temperature?: number;
  readonly top_p?: number;
}

/**
 * `temperature` and `top_p` for Messages. How they are drawn differs from model to model anyway, so they are hints: what a
 * model does not take is left out with a warning, and a temperature above 1, the most that Messages knows, becomes 1.
 */
export function samplingOf(
  body: JsonObject,
  { model, thinking }: { model: string; thinking: boolean },
  warnings: WireWarning[],
): Sampling {
  let temperature = optionalNumber(body, "temperature", "");
  let topP = optionalNumber(body, "top_p", "");
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2)) {
    throw invalidField("temperature", `expected a number from 0 to 2, got ${temperature}`);
  }
  if (topP !== undefined && !(topP >= 0 && topP <= 1)) {
    throw invalidField("top_p", `expected a number from 0 to 1, got ${topP}`);
  }
  // 1 is the default of both in both formats: asking for it asks for nothing.
  if (temperature === 1) temperature = undefined;
  if (topP === 1) topP = undefined;
  const { sampling } = modelTraits(model);
  const reason =
    sampling === "none" ? `is not taken by ${model}` : thinking ? "is not taken while the model thinks" : null;
  if (reason !== null) {
    if (temperature !== undefined) warnings.push(leftOut("temperature", reason));
    if (topP !== undefined) warnings.push(leftOut("top_p", reason));
    return {};
  }
  if (temperature !== undefined && temperature > 1) {
    warnings.push({ field: "temperature", message: `goes up to 1 in Messages; 1 was sent for ${temperature}` });
    temperature = 1;
  }
  if (temperature !== undefined && topP !== undefined && sampling === "one") {
    warnings.push(leftOut("top_p", `is not taken beside temperature by ${model}`));
    topP = undefined;
  }
  return { ...(temperature === undefined ? {} : { temperature }), ...(topP === undefined ? {} : { top_p: topP }) };
}

function leftOut(field: string, reason: string): WireWarning {
  return { field, message: `${reason} and was left out` };
}
