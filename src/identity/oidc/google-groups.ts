import { readFile } from "node:fs/promises";

import { importPKCS8, SignJWT } from "jose";
import { z } from "zod";

import type { ProviderFetch } from "./oidc-provider.ts";

const SCOPE = "https://www.googleapis.com/auth/admin.directory.group.readonly";
const DIRECTORY = "https://admin.googleapis.com/admin/directory/v1/groups";
const TOKEN_SECONDS = 300;
/** Pages of 200 groups each; nobody is in more. */
const MAX_PAGES = 20;

const serviceAccount = z.object({ client_email: z.string(), private_key: z.string(), token_uri: z.url() });
const tokenAnswer = z.object({ access_token: z.string() });
const groupsAnswer = z.object({
  groups: z.array(z.object({ email: z.string() })).default([]),
  nextPageToken: z.string().optional(),
});

export interface GoogleGroupsOptions {
  readonly keyFile: string;
  readonly adminEmail: string;
  readonly fetch: ProviderFetch;
  /** For tests; absent: Google's. */
  readonly directoryUrl?: string;
}

/** A person's groups in Google Workspace, which Google's ID tokens do not carry (Admin SDK Directory API, groups.list). */
export class GoogleGroups {
  readonly #options: GoogleGroupsOptions;

  constructor(options: GoogleGroupsOptions) {
    this.#options = options;
  }

  /** E-mail addresses of the person's groups. Rejects when Google cannot be asked. */
  async groupsOf(email: string): Promise<readonly string[]> {
    const token = await this.#token();
    const groups: string[] = [];
    let page: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const url = new URL(this.#options.directoryUrl ?? DIRECTORY);
      url.searchParams.set("userKey", email);
      url.searchParams.set("maxResults", "200");
      if (page !== undefined) url.searchParams.set("pageToken", page);
      const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
      const answer = groupsAnswer.parse(await this.#ask(url.href, { method: "GET", headers, body: null }));
      groups.push(...answer.groups.map((group) => group.email));
      page = answer.nextPageToken;
      if (page === undefined) return groups;
    }
    throw new Error(`a person is in more than ${groups.length} Google groups`);
  }

  async #token(): Promise<string> {
    const { keyFile, adminEmail } = this.#options;
    const account = serviceAccount.parse(JSON.parse(await readFile(keyFile, "utf8")));
    const assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: "RS256", typ: "JWT" })
      .setIssuer(account.client_email)
      .setSubject(adminEmail)
      .setAudience(account.token_uri)
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(await importPKCS8(account.private_key, "RS256"));
    const body = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
    const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    return tokenAnswer.parse(await this.#ask(account.token_uri, { method: "POST", headers, body })).access_token;
  }

  async #ask(
    url: string,
    request: { method: "GET" | "POST"; headers: Record<string, string>; body: URLSearchParams | null },
  ): Promise<unknown> {
    const answer = await this.#options.fetch(url, {
      ...request,
      body: request.body ?? undefined,
      redirect: "manual",
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`${new URL(url).host} answered ${answer.status}`);
    return await answer.json();
  }
}
