import { errors } from "undici";

/**
 * An answer that is not HTTP/1.1 as RFC 9112 has it. The class and the form of the code are undici's, so that whoever judges
 * failures need not know which client met them.
 */
export function malformed(why: string, code: string): Error {
  // A parser's error in undici is no UndiciError by its type; its code is what matters.
  return Object.assign(new errors.HTTPParserError(`Response does not match the HTTP/1.1 protocol (${why})`), {
    code: `HPE_${code}`,
  });
}
