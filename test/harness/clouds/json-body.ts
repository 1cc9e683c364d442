import { isObject, type JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import { headerOf, type CloudRequest } from "./cloud-request.ts";
import { violation, type CloudError } from "./dialect.ts";

/** How a provider words the two ways in which a body can be no request at all. */
export interface BodyWording {
  readonly wrongType: (contentType: string) => CloudError;
  readonly notJson: (reason: string) => CloudError;
}

/**
 * The body of a POST as a JSON object. Demands `application/json`, valid UTF-8, valid JSON, and that no member of the
 * top level stands there twice: two parsers may disagree about which one counts.
 */
export function jsonBody(request: CloudRequest, wording: BodyWording): JsonObject {
  const contentType = headerOf(request, "content-type") ?? "";
  if (contentType.split(";", 1)[0]?.trim().toLowerCase() !== "application/json") {
    throw violation(
      wording.wrongType(contentType),
      `the content-type is ${contentType === "" ? "missing" : contentType}`,
    );
  }
  const body = parse(request.body, (reason) => violation(wording.notJson(reason), `the body is no JSON: ${reason}`));
  if (!isObject(body)) throw violation(wording.notJson("not an object"), "the body is no JSON object");
  const names = topLevelNames(request.body.toString("utf8"));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return body;
  throw violation(wording.notJson(`duplicate field ${twice}`), `the body has the member ${twice} twice`);
}

function parse(bytes: Buffer, failure: (reason: string) => Error): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw failure(error instanceof Error ? error.message : String(error));
  }
}

/** The member names of the outermost object of valid JSON, in order and as often as they stand there. */
export function topLevelNames(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let isName = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    if (token === "{" || token === "[") {
      depth += 1;
      isName = depth === 1;
    } else if (token === "}" || token === "]") depth -= 1;
    else if (token === "," && depth === 1) isName = true;
    else if (token === ":" && depth === 1) isName = false;
    else if (depth === 1 && isName) names.push(String(JSON.parse(token)));
  }
  return names;
}
