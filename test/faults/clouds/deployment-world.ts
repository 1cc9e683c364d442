import { cloudKind } from "../../harness/clouds/clouds.ts";
import type { FaultProxy } from "../../harness/clouds/fault-proxy.ts";
import { ask, jsonOf } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import { MESSAGES } from "./client-format.ts";
import { Fleet } from "./fleet.ts";

/** Several clouds behind one Weir, each reached through a fault proxy; every upstream is named for its kind. */
export class DeploymentWorld {
  readonly fleet: Fleet;
  readonly weir: WeirProcess;
  #asked = 0;

  private constructor(fleet: Fleet, weir: WeirProcess) {
    this.fleet = fleet;
    this.weir = weir;
  }

  static async start(kinds: readonly string[], config: Readonly<Record<string, unknown>>): Promise<DeploymentWorld> {
    const fleet = await Fleet.start(kinds.map(cloudKind));
    const members = await Promise.all(
      kinds.map(async (kind) => ({
        name: kind,
        kind,
        proxy: await fleet.proxyTo(kind, kind),
      })),
    );
    return new DeploymentWorld(fleet, await fleet.weir({ members, config }));
  }

  proxy(kind: string): FaultProxy {
    return this.fleet.proxy(kind);
  }

  /** Asks once; gives the upstream that answered. Throws when the client would have seen a failure. */
  async ask(): Promise<string> {
    const number = ++this.#asked;
    const reply = `answer ${number}`;
    const asking = { model: "claude-sonnet-5-5", text: `Reply with exactly: ${reply}`, isStream: number % 2 === 0 };
    const options = { headers: messageHeaders(this.weir.key), body: MESSAGES.body(asking) };
    const { status, headers, body, isWhole } = await ask(`${this.weir.url}/v1/messages`, options);
    const view = (asking.isStream ? MESSAGES.viewStream : MESSAGES.viewWhole)(body);
    if (status !== 200 || !isWhole || view.text !== reply)
      throw new Error(`${number}: ${status} ${body.toString("utf8")}`);
    return String(headers["x-weir-upstream"]);
  }

  /** Asks so often, some at once; gives how many each upstream answered. */
  async askMany(count: number, lanes = 8): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    let left = count;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const upstream = await this.ask();
        counts.set(upstream, (counts.get(upstream) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return counts;
  }

  /** Asks until one upstream has answered so many in a row; gives how many that took. */
  async askUntil(upstream: string, inARow: number, atMost = 3_000): Promise<number> {
    let row = 0;
    for (let asked = 1; asked <= atMost; asked++) {
      row = (await this.ask()) === upstream ? row + 1 : 0;
      if (row === inARow) return asked;
    }
    throw new Error(
      `${upstream} did not answer ${inARow} in a row within ${atMost}: ${JSON.stringify(await this.failover())}`,
    );
  }

  /** Where an active–passive deployment stands, as Weir says it. */
  async failover(): Promise<FailoverPage> {
    const answer = await ask(`${this.weir.adminUrl}/v1/routing`);
    return (jsonOf(answer) as { failover: FailoverPage }).failover; // the page's own form
  }

  async stop(): Promise<void> {
    await this.weir.dispose();
    await this.fleet.stop();
  }
}

export interface FailoverPage {
  readonly phase: "primary" | "backup" | "returning";
  readonly reason: string | null;
  readonly history: readonly { readonly from: string; readonly to: string; readonly reason: string }[];
}
