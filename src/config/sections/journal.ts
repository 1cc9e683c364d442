import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { byteCount } from "../fields/number.ts";

const MIB = 1024 * 1024;

const members = z.strictObject({
  segment_bytes: byteCount(64 * 1024)
    .default(64 * MIB)
    .describe("Size in bytes at which the journal begins a new file."),
  max_backlog_bytes: byteCount(128 * 1024)
    .default(1024 * MIB)
    .describe("Bytes not yet shipped to PostgreSQL beyond which new requests get 503."),
  reserve_bytes: byteCount(0)
    .default(8 * MIB)
    .describe("Disk space in bytes set aside so that open exchanges can still settle when the disk is full."),
  commit_interval_ms: z
    .int()
    .min(0)
    .max(1000)
    .default(5)
    .describe(
      "Least time between the starts of two disk writes, in milliseconds: under load, settled exchanges share one. An idle journal writes at once.",
    ),
});

/** The local file that usage is written to before a response ends. */
export const journal = checkedMembers(members, (value) => {
  if (value.segment_bytes <= value.max_backlog_bytes) return [];
  return [
    {
      path: ["segment_bytes"],
      message: "segment_bytes is larger than max_backlog_bytes, so no segment could ever be filled",
      fix: "Raise journal.max_backlog_bytes or lower journal.segment_bytes.",
    },
  ];
})
  .prefault({})
  .describe("The local file that usage is written to before a response ends, and shipped to PostgreSQL from.");
