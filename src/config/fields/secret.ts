import { z } from "zod";

import { fieldMarks } from "./mark.ts";

/** Text that must never be shown: not in diagnostics, `config show` or logs. */
export function secret(): z.ZodString {
  return z.string().min(1).register(fieldMarks, { secret: "whole" });
}
