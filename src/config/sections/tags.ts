import { z } from "zod";

import { checked } from "../fields/checked.ts";

/** Each allowed tag has counters of its own in memory and series in metrics. */
const MAX_TAGS = 1000;

const tagName = checked(z.string(), (name) =>
  /^[\w.:/@+-]{1,64}$/.test(name)
    ? null
    : { message: "is no tag", fix: "Write 1 to 64 letters, digits or . : / @ + _ -, without spaces." },
);

/** Projects that pay beside the caller. */
export const tags = z
  .strictObject({
    allowed: z
      .array(tagName)
      .max(MAX_TAGS)
      .default([])
      .describe("Project tags that a request may name in the header; budgets may be set on them. At most 1000."),
    header: checked(z.string(), (name) =>
      /^[a-z0-9-]{1,64}$/.test(name)
        ? null
        : { message: "is no header name", fix: "Write small letters, digits and hyphens, such as x-weir-tag." },
    )
      .default("x-weir-tag")
      .describe("Header in which a request names its tag; never sent on to upstreams."),
    unknown: z
      .enum(["refuse", "ignore"])
      .default("refuse")
      .describe("What becomes of a request that names a tag which is not allowed."),
  })
  .prefault({})
  .describe(
    "Project tags: spend of a project, whoever causes it. A key may be given a tag for good (`weir budget tag`); such a key cannot name another.",
  );
