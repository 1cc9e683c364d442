import { z } from "zod";

import { byteCount } from "../fields/number.ts";

const MIB = 1024 * 1024;

/** Sizes beyond which a request is refused. */
export const limits = z
  .strictObject({
    max_request_bytes: byteCount()
      .default(32 * MIB)
      .describe("Largest request body in bytes, as sent; beyond it 413."),
    max_request_header_bytes: byteCount(1024)
      .default(32 * 1024)
      .describe("Largest sum of a request's header names and values in bytes; beyond it 431."),
    max_url_length: byteCount(128).default(8192).describe("Longest URL in characters; beyond it 414."),
    max_decompressed_bytes: byteCount()
      .default(32 * MIB)
      .describe("Largest request body in bytes after decompression; beyond it 413."),
    max_json_depth: z.int().min(8).max(1000).default(128).describe("Deepest nesting of a JSON body; beyond it 400."),
    max_connections: z.int().min(1).max(1_000_000).default(10_000).describe("Client connections open at once."),
  })
  .prefault({})
  .describe("Sizes beyond which a request is refused.");
