import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A server that does on each connection what a test says, byte for byte. */
export class ScriptedServer {
  readonly sockets: Socket[] = [];
  /** What has come on each connection, in the order of `sockets`. */
  readonly received: string[] = [];
  readonly #server: Server;
  #changed: () => void = () => {};

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<ScriptedServer> {
    const server = createServer({ noDelay: true });
    const scripted = new ScriptedServer(server);
    server.on("connection", (socket) => scripted.#accept(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return scripted;
  }

  get origin(): string {
    // By its type an address may be a pipe's name; this server listens on a port.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get open(): number {
    return this.sockets.filter((socket) => !socket.destroyed).length;
  }

  /** Resolves with the nth connection once `text` has come on it. */
  async got(text: string, connection = 0): Promise<Socket> {
    await this.until(() => this.received[connection]?.includes(text) === true);
    const socket = this.sockets[connection];
    if (socket === undefined) throw new Error("no such connection");
    return socket;
  }

  /** Resolves when `holds` does, looked at whenever something happens on a connection. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    const index = this.sockets.push(socket) - 1;
    this.received[index] = "";
    socket.on("data", (bytes) => {
      this.received[index] += bytes.toString("latin1");
      this.#changed();
    });
    socket.on("error", () => {});
    socket.on("close", () => this.#changed());
    this.#changed();
  }
}
