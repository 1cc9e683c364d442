import type { JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import type { MessageEvent } from "../message-events.ts";
import type { CloudRequest } from "./cloud-request.ts";

/** An error before it is put into a provider's own form. */
export interface CloudError {
  readonly status: number;
  readonly message: string;
  /** The provider's own name for it, where the status does not say it: `ValidationException`, `DeploymentNotFound`. */
  readonly code?: string;
  /** The field that is at fault, for the formats that name it. */
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole answer, as it goes over the wire. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What is asked of the model, as a Messages request. */
export interface Question {
  readonly body: JsonObject;
  readonly betas: readonly string[];
  /** `anthropic-version`; default 2023-06-01. */
  readonly version?: string;
}

/** How one answer looks in a provider's format. A new one for each answer: it may keep state. */
export interface Framing {
  readonly streamHeaders: Readonly<Record<string, string>>;
  /** A whole Messages answer. */
  whole(message: JsonObject): WholeAnswer;
  /** The wire's events for one event of a Messages stream: what `after so many events` of a fault counts. */
  events(event: MessageEvent): readonly Buffer[];
  /** An error that ends a stream. */
  errorEvent(error: CloudError): Buffer;
  /** An event of this wire, spoilt so that whoever verifies the framing must notice. */
  damage(event: Buffer): Buffer;
}

/** What a provider makes of a request that it accepts. */
export type Verdict =
  | {
      readonly kind: "infer";
      readonly question: Question;
      readonly isStream: boolean;
      /** The model as the request named it. */
      readonly model: string;
      readonly framing: Framing;
    }
  | { readonly kind: "count"; readonly question: Question; readonly render: (inputTokens: number) => WholeAnswer }
  /** `charged`: an inference that needs no language model, such as an embedding. */
  | { readonly kind: "answer"; readonly answer: WholeAnswer; readonly charged: { readonly model: string } | null };

/** A provider's protocol: what it demands of requests and how its answers look. */
export interface Dialect {
  readonly name: string;
  /** Throws a Refusal for a request that the provider would refuse. `report` takes violations that a provider overlooks. */
  judge(request: CloudRequest, report: (problem: string) => void): Verdict;
  /** An error in this provider's words and form, as an answer to this request. */
  error(error: CloudError, request: CloudRequest): WholeAnswer;
  /** How this provider says that the prompt does not fit the model. */
  readonly promptTooLong: CloudError;
}

/** A request refused. `problem` says which rule of the protocol it broke; null when the caller's content is at fault. */
export class Refusal extends Error {
  readonly error: CloudError;
  readonly problem: string | null;

  constructor(error: CloudError, problem: string | null) {
    super(problem ?? error.message);
    this.name = "Refusal";
    this.error = error;
    this.problem = problem;
  }
}

/** A request that breaks the protocol: no gateway may send it. */
export function violation(error: CloudError, problem: string = error.message): Refusal {
  return new Refusal(error, problem);
}

/** A well-formed request whose content is refused, as a caller's mistake would be. */
export function declined(error: CloudError): Refusal {
  return new Refusal(error, null);
}

/** A JSON answer. */
export function jsonAnswer(value: unknown, headers: Readonly<Record<string, string>> = {}, status = 200): WholeAnswer {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}
