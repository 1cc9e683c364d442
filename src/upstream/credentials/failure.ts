import { IssueError } from "./issuer.ts";

/** Why a value could not be obtained. */
export interface FailureText {
  /** Safe for callers: says what kind of failure it is, names no accounts and no secrets. */
  readonly summary: string;
  /** For operators: the library's or the server's own words, secrets hidden. */
  readonly detail: string;
}

const MAX_DETAIL_CHARS = 600;
/** How deep causes are followed. */
const MAX_CAUSES = 12;

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "UND_ERR_SOCKET",
]);
const TIMED_OUT = /^(ETIMEDOUT|UND_ERR_.*TIMEOUT|ABORT_ERR|TimeoutError|AbortError)$/;
const FILE_ERROR = /^(ENOENT|EACCES|EPERM|EISDIR|ENOTDIR)$/;
/** Names under which the libraries say that they found nothing to try. */
const NO_SOURCE = /^(CredentialsProviderError|CredentialUnavailableError|TokenProviderError)$/;
/** An OAuth or AWS error code, as opposed to free text. */
const ERROR_CODE = /^[A-Za-z][A-Za-z0-9_.]{2,60}$/;

/** Says why obtaining a value failed, in words without secrets. `secrets` are hidden wherever they stand. */
export function describeFailure(error: unknown, secrets: readonly string[]): FailureText {
  const causes = causesOf(error);
  const issue = causes.find((cause) => cause instanceof IssueError);
  const summary = issue === undefined ? summarise(causes) : issue.message;
  const detail = issue === undefined ? wordsOf(causes) : [issue.message, issue.detail].filter(Boolean).join(": ");
  return { summary: scrub(summary, secrets), detail: scrub(detail, secrets) };
}

/** Hides secrets: the given ones, and whatever looks like a token. */
export function scrub(text: string, secrets: readonly string[]): string {
  let hidden = text;
  for (const secret of secrets) if (secret.length >= 4) hidden = hidden.replaceAll(secret, "[hidden]");
  hidden = hidden
    .replaceAll(/[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, looksLikeToken)
    .replaceAll(/\b(ya29\.|sk-ant-|FQoG|IQoJ)[A-Za-z0-9_./+=-]+/g, "[hidden]")
    .replaceAll(/[A-Za-z0-9_+=-]{40,}/g, "[hidden]")
    .replaceAll(/\s+/g, " ");
  return hidden.length > MAX_DETAIL_CHARS ? `${hidden.slice(0, MAX_DETAIL_CHARS)}…` : hidden;
}

/** Three dotted parts are a JWT unless they read like a host name, which has no upper-case letters and is short. */
function looksLikeToken(match: string): string {
  return /^[a-z0-9.-]{1,80}$/.test(match) ? match : "[hidden]";
}

function summarise(causes: readonly unknown[]): string {
  const status = first(causes, statusOf);
  const code = first(causes, codeOf);
  const oauth = first(causes, oauthCodeOf);
  if (status !== null) {
    const words = oauth === null ? String(status) : `${status} ${oauth}`;
    return status >= 500
      ? `its token endpoint answered ${status}`
      : `its token endpoint refused the request (${words})`;
  }
  if (code !== null && UNREACHABLE.has(code)) return `its token endpoint cannot be reached (${code})`;
  if (code !== null && FILE_ERROR.test(code)) return `a file that it needs cannot be read (${code})`;
  if (first(causes, timeoutOf) !== null) return "its token endpoint did not answer in time";
  if (first(causes, noSourceOf) !== null) return "no source of credentials was found";
  return "it could not be obtained";
}

function wordsOf(causes: readonly unknown[]): string {
  const words = causes.map((cause) => text(cause, "message")).filter((message) => message !== null && message !== "");
  return [...new Set(words)].slice(0, 4).join("; ") || "no message";
}

/** The error with what caused it, nearest first. */
function causesOf(error: unknown): unknown[] {
  const found: unknown[] = [];
  const waiting: unknown[] = [error];
  while (waiting.length > 0 && found.length < MAX_CAUSES) {
    const next = waiting.shift();
    if (typeof next !== "object" || next === null || found.includes(next)) continue;
    found.push(next);
    const errors = member(next, "errors");
    waiting.push(member(next, "cause"), ...(Array.isArray(errors) ? errors : []));
  }
  return found;
}

function statusOf(cause: unknown): number | null {
  const metadata = member(cause, "$metadata");
  const response = member(cause, "response");
  const candidates = [
    member(cause, "status"),
    member(cause, "statusCode"),
    member(metadata, "httpStatusCode"),
    member(response, "status"),
  ];
  const found = candidates.map(Number).find((status) => Number.isInteger(status) && status >= 300 && status < 600);
  return found ?? null;
}

function codeOf(cause: unknown): string | null {
  const code = text(cause, "code");
  return code !== null && (UNREACHABLE.has(code) || FILE_ERROR.test(code)) ? code : null;
}

function oauthCodeOf(cause: unknown): string | null {
  const inBody = member(member(cause, "response"), "data");
  const candidates = [
    text(inBody, "error"),
    text(member(cause, "errorResponse"), "error"),
    text(cause, "errorCode"),
    member(cause, "$metadata") === undefined ? null : text(cause, "name"),
  ];
  return candidates.find((code) => code !== null && ERROR_CODE.test(code)) ?? null;
}

function timeoutOf(cause: unknown): true | null {
  return TIMED_OUT.test(text(cause, "code") ?? "") || TIMED_OUT.test(text(cause, "name") ?? "") ? true : null;
}

function noSourceOf(cause: unknown): true | null {
  return NO_SOURCE.test(text(cause, "name") ?? "") ? true : null;
}

function first<T>(causes: readonly unknown[], pick: (cause: unknown) => T | null): T | null {
  for (const cause of causes) {
    const picked = pick(cause);
    if (picked !== null) return picked;
  }
  return null;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown, name: string): string | null {
  const found = member(value, name);
  return typeof found === "string" ? found : null;
}
