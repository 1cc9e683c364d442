import { connect } from "node:net";

/** What came back for bytes sent as they are. */
export interface RawAnswer {
  /** Status codes of the answers, in order. */
  readonly statuses: readonly number[];
  readonly text: string;
  /** Whether the server closed the connection. */
  readonly isClosed: boolean;
}

export interface RawOptions {
  readonly port: number;
  /** `whole`: in one write; `bytes`: one byte a write, each in a turn of its own. */
  readonly mode: "whole" | "bytes";
  /** How long to wait for something that may never come. */
  readonly patienceMs?: number;
}

const DEFAULT_PATIENCE_MS = 1_500;

/** Sends bytes over a connection of their own and collects what comes back until the server closes or nothing comes. */
export function sendRaw(bytes: Buffer, options: RawOptions): Promise<RawAnswer> {
  const { port, mode, patienceMs = DEFAULT_PATIENCE_MS } = options;
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const chunks: Buffer[] = [];
    let isOver = false;
    const finish = (isClosed: boolean): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString("latin1");
      const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map((match) => Number(match[1]));
      resolve({ statuses, text, isClosed });
    };
    const timer = setTimeout(() => finish(false), patienceMs);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("end", () => finish(true)).on("close", () => finish(true));
    socket.on("error", () => finish(true));
    socket.on("connect", () => {
      if (mode === "whole") socket.write(bytes);
      else void writeBytewise(bytes);
    });
    const writeBytewise = async (rest: Buffer): Promise<void> => {
      for (const byte of rest) {
        if (isOver || !socket.writable) return;
        socket.write(Buffer.of(byte));
        await new Promise((resume) => setImmediate(resume));
      }
    };
  });
}

/** Runs `work` for each item, so many at a time; the results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
