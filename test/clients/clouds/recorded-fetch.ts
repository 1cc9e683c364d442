/** One answer of Weir's as it came over the wire. */
export interface RecordedAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  /** Every byte of the body as one character. */
  readonly body: Promise<string>;
}

/** A `fetch` for the SDKs that keeps what came back: headers that an SDK hides, and bytes to look for secrets in. */
export class RecordedFetch {
  readonly answers: RecordedAnswer[] = [];

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init);
    const copy = response.clone();
    const body = copy.arrayBuffer().then(
      (bytes) => Buffer.from(bytes).toString("latin1"),
      () => "", // An SDK that leaves in the middle cuts the copy too.
    );
    const url = input instanceof Request ? input.url : String(input);
    this.answers.push({ url, status: response.status, headers: response.headers, body });
    return response;
  };

  /** The last answer. */
  get last(): RecordedAnswer {
    const answer = this.answers.at(-1);
    if (answer === undefined) throw new Error("nothing was asked yet");
    return answer;
  }

  /** Forgets what came. */
  clear(): void {
    this.answers.length = 0;
  }
}
