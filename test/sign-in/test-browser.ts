interface BrowserRequest {
  readonly method: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams;
}

/** A browser's way through pages and redirects, with its cookies, without its scripts. */
export class TestBrowser {
  readonly #jar = new Map<string, Map<string, string>>();
  readonly language: string;
  /** Every address that it was at, oldest first. */
  readonly visited: string[] = [];

  constructor(language = "en") {
    this.language = language;
  }

  async get(url: string): Promise<TestPage> {
    return await this.#go(url, { method: "GET" });
  }

  /** Sends the form of a page, from that page. */
  async submit(page: TestPage, fields: Readonly<Record<string, string>>, action?: string): Promise<TestPage> {
    const body = new URLSearchParams({ ...page.fields, ...fields });
    const headers = { origin: new URL(page.url).origin, "sec-fetch-site": "same-origin" };
    return await this.#go(new URL(action ?? page.action, page.url).href, { method: "POST", headers, body });
  }

  /** One request, with the cookies, redirects not followed. */
  async send(url: string, init: BrowserRequest): Promise<Response> {
    const { origin } = new URL(url);
    const cookies = [...(this.#jar.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { "accept-language": this.language, ...(cookies === "" ? {} : { cookie: cookies }) };
    const answer = await fetch(url, { ...init, headers: { ...headers, ...init.headers }, redirect: "manual" });
    this.visited.push(url);
    for (const line of answer.headers.getSetCookie()) this.#keep(origin, line);
    return answer;
  }

  async #go(url: string, init: BrowserRequest): Promise<TestPage> {
    let [at, next] = [url, init];
    for (let hops = 0; hops < 12; hops++) {
      const answer = await this.send(at, next);
      const location = answer.headers.get("location");
      if (location === null) return new TestPage(at, answer.status, answer.headers, await answer.text());
      await answer.body?.cancel();
      [at, next] = [new URL(location, at).href, { method: "GET" }];
    }
    throw new Error(`too many redirects from ${url}`);
  }

  #keep(origin: string, line: string): void {
    const [pair = "", ...attributes] = line.split(/; */);
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    const gone = attributes.some((attribute) => /^max-age=0$|^expires=thu, 01 jan 1970/i.test(attribute));
    const jar = this.#jar.get(origin) ?? new Map<string, string>();
    if (gone) jar.delete(name);
    else jar.set(name, value);
    this.#jar.set(origin, jar);
  }
}

/** A page where a browser ended up. */
export class TestPage {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;

  constructor(url: string, status: number, headers: Headers, html: string) {
    this.url = url;
    this.status = status;
    this.headers = headers;
    this.html = html;
  }

  /** What is to be read on it. */
  get text(): string {
    return this.html
      .replaceAll(/<style>.*?<\/style>/gs, "")
      .replaceAll(/<[^>]*>/g, " ")
      .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
      .replaceAll(/\s+/g, " ")
      .trim();
  }

  get action(): string {
    return /<form[^>]*action="([^"]*)"/.exec(this.html)?.[1] ?? this.url;
  }

  /** Its fields with their values. */
  get fields(): Record<string, string> {
    const inputs = [...this.html.matchAll(/<input[^>]*>/g)].map(([input]) => input);
    const attribute = (input: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(input)?.[1];
    return Object.fromEntries(inputs.map((input) => [attribute(input, "name") ?? "", attribute(input, "value") ?? ""]));
  }
}
