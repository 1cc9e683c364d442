import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { ApiError, invalid } from "./api-error.ts";
import { sendBody, sendJson, type Call } from "./call.ts";
import { pageOf, type Listed } from "./page.ts";
import { stableId } from "./seeded-random.ts";

const MAX_STORED_BYTES = 128 * 1024 * 1024;
const MIN_EXPIRY_SECONDS = 3_600;
const MAX_EXPIRY_SECONDS = 7_776_000;

interface StoredFile {
  readonly id: string;
  readonly filename: string;
  readonly mimeType: string;
  readonly content: Buffer;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}

/** /v1/files and all below it. Files live in memory, 128 MiB in all, until they are deleted, expire or the sandbox stops. */
export class FilesEndpoint {
  readonly #files = new Map<string, StoredFile>();
  readonly #clock: Clock;
  #uploaded = 0;
  /** Ids must not come again after a restart: whoever kept one would meet another's file. */
  readonly #start = randomUUID();
  #storedBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Size of a file in bytes, null when there is none that has not expired. */
  size(id: string): number | null {
    const file = this.#files.get(id);
    return file === undefined || this.#hasExpired(file) ? null : file.content.length;
  }

  async upload(call: Call): Promise<void> {
    const form = await readForm(call);
    const part = form.get("file");
    if (part === null || typeof part === "string") throw invalid("file: Field required");
    if (this.#storedBytes + part.size > MAX_STORED_BYTES) {
      throw new ApiError(400, "The organization's file storage quota is exhausted.", {
        errorCode: "storage_quota_exceeded",
      });
    }
    const createdMs = this.#clock.nowMs();
    const expirySeconds = readExpiry(form.get("expires_in_seconds"));
    const file: StoredFile = {
      id: stableId("file_sandbox_", `${this.#start}:${this.#uploaded++}`),
      // Only the last part of a path is kept.
      filename: part.name.split(/[/\\]/).at(-1) || "unnamed",
      mimeType: part.type || "application/octet-stream",
      content: Buffer.from(await part.arrayBuffer()),
      createdMs,
      expiresMs: expirySeconds === null ? null : createdMs + expirySeconds * 1000,
    };
    this.#files.set(file.id, file);
    this.#storedBytes += file.content.length;
    sendJson(call, fileJson(file));
  }

  /** Lists newest first. Answers in both forms in use: `next_page` of the current API, the cursors of the older one. */
  list(call: Call): void {
    const files = [...this.#files.values()].toReversed().map(fileJson);
    const query = new URLSearchParams(call.query);
    const ids = [...query.getAll("ids"), ...query.getAll("ids[]")];
    if (ids.length > 0) {
      const data = files.filter((file) => ids.includes(file.id));
      sendJson(call, {
        data,
        next_page: null,
        has_more: false,
        first_id: data[0]?.id ?? null,
        last_id: data.at(-1)?.id ?? null,
      });
      return;
    }
    const cursor = query.get("page");
    if (cursor !== null) query.set("after_id", cursor);
    const page = pageOf(files, query.toString());
    sendJson(call, { ...page, next_page: page.has_more ? page.last_id : null });
  }

  metadata(call: Call): void {
    sendJson(call, fileJson(this.#find(call)));
  }

  /** Unlike the real service, which hands back only files that a tool made, the sandbox hands back uploads as well. */
  content(call: Call): void {
    const file = this.#find(call);
    if (this.#hasExpired(file)) throw new ApiError(404, `File has expired: ${file.id}`, { errorCode: "file_expired" });
    sendBody(call, file.content, { "content-type": file.mimeType });
  }

  remove(call: Call): void {
    const file = this.#find(call);
    this.#files.delete(file.id);
    this.#storedBytes -= file.content.length;
    sendJson(call, { id: file.id, type: "file_deleted" });
  }

  #find(call: Call): StoredFile {
    const [id = ""] = call.params;
    const file = this.#files.get(id);
    if (file === undefined) throw new ApiError(404, `File not found: ${id}`);
    return file;
  }

  #hasExpired(file: StoredFile): boolean {
    return file.expiresMs !== null && file.expiresMs <= this.#clock.nowMs();
  }
}

/** Node's own parser of multipart forms, reached through a Response around the body. */
async function readForm(call: Call): Promise<FormData> {
  const type = call.request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) throw invalid("content-type: multipart/form-data is required");
  try {
    return await new Response(new Uint8Array(call.body), { headers: { "content-type": type } }).formData();
  } catch {
    throw invalid("The request body is not a valid multipart form");
  }
}

function readExpiry(value: ReturnType<FormData["get"]>): number | null {
  if (value === null) return null;
  const seconds = Number(value);
  if (!Number.isInteger(seconds) || seconds < MIN_EXPIRY_SECONDS || seconds > MAX_EXPIRY_SECONDS) {
    throw invalid(`expires_in_seconds: Input should be between ${MIN_EXPIRY_SECONDS} and ${MAX_EXPIRY_SECONDS}`);
  }
  return seconds;
}

function fileJson(file: StoredFile): Listed {
  return {
    id: file.id,
    type: "file",
    filename: file.filename,
    mime_type: file.mimeType,
    size_bytes: file.content.length,
    created_at: new Date(file.createdMs).toISOString(),
    expires_at: file.expiresMs === null ? null : new Date(file.expiresMs).toISOString(),
    downloadable: true,
  };
}
