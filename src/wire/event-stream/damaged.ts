import { WeirError } from "../../core/weir-error.ts";

/** The refusal of bytes that are no event stream. `what` goes on from "The upstream's event stream is damaged: ". */
export function damaged(what: string): WeirError {
  return new WeirError("weir:upstream:bad_answer", `The upstream's event stream is damaged: ${what}.`);
}
