import type { JsonObject } from "../../../src/upstream/sandbox/json-value.ts";

/** A picture of one pixel. */
export const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/** The beginning of a PDF, which is enough for stand-ins. */
export const PDF = Buffer.from("%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n").toString("base64");
/** Long enough to be cached. */
export const LONG_TEXT = "You know this by heart. ".repeat(800);
/** A schema that OpenAI enforces too. */
export const CITY_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
} as const;
/** Ends the answer at the limit. */
export const LONG_STORY = "Tell a story. [[sandbox: tokens=400]]";
export const USER_ID = "user-7";

/** Looks into a request's or an answer's JSON wherever it is: whether some object there has these members. */
export function holds(value: unknown, members: JsonObject): boolean {
  if (typeof value !== "object" || value === null) return false;
  const own = Object.entries(members).every(([name, wanted]) => {
    const found: unknown = Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined; // an object
    return JSON.stringify(found) === JSON.stringify(wanted);
  });
  return own || Object.values(value).some((inner) => holds(inner, members));
}
