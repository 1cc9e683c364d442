import { z } from "zod";

import { unwrap } from "./schema-walk.ts";

/** A field's type as the reference page says it: `whole number ≥ 1`, `json \| pretty`, `list of text`. */
export function typeText(schema: z.ZodType): string {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodNumber) return numberText(bare);
  if (bare instanceof z.ZodBoolean) return "true or false";
  if (bare instanceof z.ZodEnum) return bare.options.map((option) => `\`${option}\``).join(", ");
  if (bare instanceof z.ZodLiteral) return [...bare.values].map((value) => `\`${String(value)}\``).join(", ");
  // zod types members by its core; all of them are made by the same factories as the rest.
  if (bare instanceof z.ZodArray) return `list of ${typeText(bare.element as z.ZodType)}`;
  if (bare instanceof z.ZodRecord) return `map of names to ${typeText(bare.valueType as z.ZodType)}`;
  if (bare instanceof z.ZodDiscriminatedUnion || bare instanceof z.ZodObject) return "map";
  if (bare instanceof z.ZodUnion) return bare.options.map((option) => typeText(option as z.ZodType)).join(" or ");
  return bare instanceof z.ZodUnknown ? "anything" : "text";
}

function numberText(schema: z.ZodNumber): string {
  const { minimum, exclusiveMinimum, maximum } = z.toJSONSchema(schema);
  const bounds = [boundText(">", exclusiveMinimum), boundText("≥", minimum), boundText("≤", maximum)].filter(
    (bound) => bound !== "",
  );
  return [schema.isInt ? "whole number" : "number", bounds.join(", ")].filter((part) => part !== "").join(" ");
}

/** The bounds of a safe integer go without saying. */
function boundText(sign: string, bound: unknown): string {
  return typeof bound === "number" && Math.abs(bound) < Number.MAX_SAFE_INTEGER ? `${sign} ${bound}` : "";
}
