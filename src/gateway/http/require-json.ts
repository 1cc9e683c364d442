import { WeirError } from "../../core/weir-error.ts";

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)/i;

/**
 * A body without a content type is taken for JSON, as the provider does; another type is refused, and so is another charset
 * than UTF-8 (RFC 8259, 8.1): its bytes would be read as what they are not. ASCII is UTF-8. Throws WeirError.
 */
export function requireJson(contentType: string | null): void {
  if (contentType === null) return;
  if (!JSON_TYPE.test(contentType)) {
    throw new WeirError("weir:request:unsupported_media", "The content-type must be application/json.");
  }
  const charset = CHARSET.exec(contentType)?.[1];
  if (charset === undefined || /^(?:utf-?8|us-ascii|ascii)$/i.test(charset)) return;
  throw new WeirError("weir:request:unsupported_media", "The charset of application/json must be UTF-8.");
}
