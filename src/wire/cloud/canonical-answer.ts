import { WeirError } from "../../core/weir-error.ts";
import { isObject, parseJson } from "./envelope.ts";

/** The answer as it is, when it is a Messages answer. Throws WeirError when it is not. */
export function requireMessage(body: Buffer, platform: string): Buffer {
  const answer = parseJson(body.toString("utf8"));
  if (isObject(answer) && answer["type"] === "message") return body;
  throw new WeirError("weir:upstream:bad_answer", `${platform} answered with something that is no Messages answer.`);
}

/** The count of a count-tokens answer, under whichever of the names. Throws WeirError when there is none. */
export function requireCount(body: Buffer, platform: string, names: readonly string[]): number {
  const answer = parseJson(body.toString("utf8"));
  if (isObject(answer)) {
    for (const name of names) {
      const count = answer[name];
      if (typeof count === "number" && Number.isSafeInteger(count) && count >= 0) return count;
    }
  }
  throw new WeirError("weir:upstream:bad_answer", `${platform} answered a token count without ${names.join(" or ")}.`);
}
