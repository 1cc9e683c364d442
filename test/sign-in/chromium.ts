import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eventually, within } from "../harness/waiting.ts";

const START_TIMEOUT_MS = 30_000;

/** What DevTools answers. */
interface DevToolsMessage {
  readonly id?: number;
  readonly method?: string;
  readonly result?: { readonly result?: { readonly value?: unknown }; readonly data?: string };
  readonly error?: { readonly message: string };
  readonly params?: { readonly entry?: { readonly text: string; readonly level: string } };
}

/** A page of a real Chromium with a profile of its own, driven by its DevTools protocol. */
export class ChromiumPage {
  /** What the browser complained of: refused styles, forms, frames. */
  readonly complaints: string[] = [];
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: DevToolsMessage) => void>();
  #nextId = 1;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#heard(JSON.parse(String(data)) as DevToolsMessage));
  }

  static async open(program: string): Promise<ChromiumPage> {
    const profile = await mkdtemp(join(tmpdir(), "weir-chromium-"));
    // Tests run as root in containers, where its sandbox cannot.
    const options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    const own = [`--user-data-dir=${profile}`, "--remote-debugging-port=0", "--accept-lang=en", "about:blank"];
    const child = spawn(program, [...options, ...own], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const port = await eventually(
      "Chromium listens",
      () => /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1] ?? null,
      START_TIMEOUT_MS,
    );
    const answer = await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, { method: "PUT" });
    const { webSocketDebuggerUrl } = (await answer.json()) as { webSocketDebuggerUrl: string }; // DevTools' own form
    const socket = new WebSocket(webSocketDebuggerUrl);
    await within("the connection to Chromium", once(socket, "open"));
    const page = new ChromiumPage(child, profile, socket);
    for (const domain of ["Page", "Log", "Runtime"]) await page.#send(`${domain}.enable`, {});
    return page;
  }

  async go(url: string): Promise<void> {
    await this.#send("Page.navigate", { url });
  }

  /** The value of an expression in the page. */
  async value(expression: string): Promise<unknown> {
    const message = await this.#send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    return message.result?.result?.value;
  }

  /** Resolves when an expression in the page is true. */
  async until(expression: string): Promise<void> {
    await eventually(`in the browser: ${expression}`, async () => (await this.value(expression)) === true);
  }

  async close(): Promise<void> {
    this.#socket.close();
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #send(method: string, params: Readonly<Record<string, unknown>>): Promise<DevToolsMessage> {
    const id = this.#nextId++;
    const answered = new Promise<DevToolsMessage>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const message = await within(`Chromium's answer to ${method}`, answered);
    if (message.error !== undefined) throw new Error(`${method}: ${message.error.message}`);
    return message;
  }

  #heard(message: DevToolsMessage): void {
    if (message.id !== undefined) {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
    const entry = message.params?.entry;
    if (message.method === "Log.entryAdded" && entry?.level === "error") this.complaints.push(entry.text);
  }
}
