import { Client } from "pg";

import type { Logger } from "../../core/logger.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { DATABASE_USER } from "./init-cluster.ts";
import { isServerOf, type PostmasterFile } from "./postmaster-file.ts";
import { becomesReady, type ServerProcess, stopServer, watchServer } from "./server-process.ts";
import { waitUntil } from "./system-process.ts";

/** A server that shuts down fast may still write a last checkpoint. */
const SHUTDOWN_PATIENCE_MS = 30_000;
const ANSWER_TIMEOUT_MS = 5_000;

export interface JoinOptions {
  readonly password: string;
  /** Whether the server has the version and the settings that this Weir would start it with. */
  readonly isWanted: boolean;
  /** Whether other processes use the server. */
  readonly isShared: boolean;
  readonly logger: Logger;
}

/**
 * Takes part in a server that runs already: one that another Weir process uses, or one that outlived a killed Weir. Null,
 * with no server running any more, when it has to be started anew: because it was stopping, is of an older Weir or does not
 * answer. Throws when it does not answer while others use it.
 */
export async function joinServer(file: PostmasterFile, options: JoinOptions): Promise<ServerProcess | null> {
  const { pid, dataDirectory } = file;
  const isRunning = (): boolean => isServerOf(pid, dataDirectory);
  if (file.status === "stopping") {
    await waitUntil(() => !isRunning(), { timeoutMs: SHUTDOWN_PATIENCE_MS, everyMs: 10 });
  }
  if (!isRunning()) return null;
  if (!options.isWanted && !options.isShared) {
    options.logger.info({ pid }, "restarting a PostgreSQL that an older Weir started");
    await stopServer(pid, dataDirectory);
    return null;
  }
  if (await becomesReady(dataDirectory, pid, isRunning)) {
    const failure = await tryQuery(file, options.password);
    if (failure === null) {
      options.logger.info({ pid }, "joined the PostgreSQL that is running already");
      return watchServer(pid, dataDirectory);
    }
    if (options.isShared) throw doesNotAnswer(file, failure);
    options.logger.warn({ pid, err: failure }, "a PostgreSQL left behind does not answer; starting it anew");
  }
  await stopServer(pid, dataDirectory);
  return null;
}

/** Null when the server takes our password and serves this very directory. */
async function tryQuery(file: PostmasterFile, password: string): Promise<Error | null> {
  const client = new Client({
    host: file.socketDirectory,
    port: file.port,
    user: DATABASE_USER,
    password,
    database: "postgres",
    connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  // A connection that breaks also fails the pending call, which reports it.
  client.on("error", () => {});
  try {
    await client.connect();
    const result = await client.query<{ directory: string }>("select current_setting('data_directory') as directory");
    const directory = result.rows[0]?.directory;
    return directory === file.dataDirectory ? null : new Error(`it serves ${directory ?? "nothing"}`);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    // A frozen server never acknowledges the goodbye; the socket's end is enough.
    void client.end().catch(() => {});
  }
}

function doesNotAnswer(file: PostmasterFile, cause: Error): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `PostgreSQL (process ${file.pid}) runs on ${file.dataDirectory} for another Weir but does not answer: ${cause.message}`,
    "Stop the other Weir processes of this data directory, then start again.",
  );
}
