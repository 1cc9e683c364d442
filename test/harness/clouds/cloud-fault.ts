import type { CloudRequest } from "./cloud-request.ts";

/** Milliseconds, or whatever a test resolves when it is time. */
export type Until = number | Promise<unknown>;

/**
 * What goes wrong with an inference. "After so many events" counts the events of the provider's own wire from 0; of an
 * answer that is not streamed, half the body stands for "some events".
 *
 * - `status`: an error answer in the provider's form; `body` replaces it (text as it is, anything else as JSON).
 * - `prompt_too_long`: the provider's own 400 for it.
 * - `redirect`: to another place, which no gateway may follow with its credentials.
 * - `late`: the answer, headers included, comes only then.
 * - `silent`: nothing ever comes, no headers either.
 * - `reset`: the connection is reset before any byte of the answer.
 * - `silence`: headers and so many events come, then nothing; with `resumes` the rest comes then.
 * - `error_event`: the provider's in-band error; an answer that is not streamed is that error with its status.
 * - `cut`: the connection ends there: with FIN, with RST, or as a body that HTTP calls complete (`clean`).
 * - `damage`: the event with that index is spoilt.
 * - `slice`: every write has so many bytes, each in a turn of its own; the answer is whole.
 */
export type CloudFault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly message?: string;
      readonly code?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  | { readonly kind: "prompt_too_long" }
  | { readonly kind: "redirect"; readonly location: string; readonly status?: number }
  | { readonly kind: "late"; readonly by: Until }
  | { readonly kind: "silent" }
  | { readonly kind: "reset" }
  | { readonly kind: "silence"; readonly afterEvents: number; readonly resumes?: Until }
  | {
      readonly kind: "error_event";
      readonly afterEvents: number;
      readonly status?: number;
      readonly code?: string;
      readonly message?: string;
    }
  | { readonly kind: "cut"; readonly afterEvents: number; readonly how: "fin" | "rst" | "clean" }
  | { readonly kind: "damage"; readonly atEvent: number }
  | { readonly kind: "slice"; readonly bytes: number };

/** Which requests a fault hits. */
export interface FaultScope {
  /** Default: inferences alone; `all` also counts of tokens and lists. */
  readonly hits?: "inference" | "all";
  readonly when?: (request: CloudRequest) => boolean;
}

export interface NextFaultOptions extends FaultScope {
  /** Default 1. */
  readonly times?: number;
}

interface Planned {
  readonly fault: CloudFault;
  readonly scope: FaultScope;
  left: number;
}

/** What a test has planned to go wrong: first what was queued, in its order, then what is always so. */
export class FaultScript {
  #queue: Planned[] = [];
  #always: Planned | null = null;

  next(fault: CloudFault, { times = 1, ...scope }: NextFaultOptions = {}): void {
    this.#queue.push({ fault, scope, left: times });
  }

  always(fault: CloudFault | null, scope: FaultScope = {}): void {
    this.#always = fault === null ? null : { fault, scope, left: Number.POSITIVE_INFINITY };
  }

  clear(): void {
    this.#queue = [];
    this.#always = null;
  }

  /** The fault that hits this request, used up; null for none. */
  take(request: CloudRequest, isInference: boolean): CloudFault | null {
    const hits = ({ scope }: Planned): boolean =>
      (isInference || scope.hits === "all") && (scope.when?.(request) ?? true);
    const planned = this.#queue.find(hits);
    if (planned === undefined) return this.#always !== null && hits(this.#always) ? this.#always.fault : null;
    planned.left -= 1;
    if (planned.left <= 0) this.#queue.splice(this.#queue.indexOf(planned), 1);
    return planned.fault;
  }
}
