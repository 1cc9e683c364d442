import { z } from "zod";

import { fieldMarks } from "./mark.ts";

/** A path in the file system; a relative one counts from the directory of the file that says it. */
export function filePath(): z.ZodString {
  return z.string().min(1).register(fieldMarks, { filePath: true });
}

/** A file with a token that the platform renews: reread at each exchange, so that its changes are no reload. */
export function tokenFilePath(): z.ZodString {
  return z.string().min(1).register(fieldMarks, { filePath: true, rereadInUse: true });
}
