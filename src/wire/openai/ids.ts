import { createHash } from "node:crypto";

/** What Messages allows in the id of a tool use. */
const TOOL_ID = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * A tool call's id as Messages takes it. Ids stay as they are, so that a conversation can change its upstream; one that
 * Messages would refuse is made over in the same way each time, so that call and result still match.
 */
export function messagesToolId(id: string): string {
  if (TOOL_ID.test(id)) return id;
  const readable = id.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, 40);
  return `${readable}_${createHash("sha256").update(id).digest("hex").slice(0, 12)}`;
}

/** An OpenAI object's id, such as `chatcmpl-01A…` or `resp_01A…`, for a message `msg_01A…`. */
export function openaiId(prefix: string, messageId: string): string {
  return prefix + (messageId.startsWith("msg_") ? messageId.slice(4) : messageId);
}

/** A message id for an OpenAI object: the reverse of `openaiId`. */
export function messageId(prefix: string, id: string): string {
  return `msg_${id.startsWith(prefix) ? id.slice(prefix.length) : id}`;
}
