/** A session as affinity remembers it: 52 bits of a hash, never 0. */
export type SessionId = number;

/** No session is known. */
export const NO_SESSION: SessionId = 0;

/**
 * The identity of a session's prompt cache: who asks (so that nobody can steer another's sessions), the session's own name, and
 * the model, since each model has its own cache. Two of 50,000 sessions share an identity with a chance of 3 in 10 million; all
 * that happens then is that they share a target.
 */
export function sessionId(scope: string, session: string, model: string): SessionId {
  const high = fold(fold(fold(0x811c9dc5, scope), session), model) >>> 0;
  const low = fold(fold(fold(0x9e3779b9, session), model), scope) >>> 12;
  return high * 0x10_0000 + low || 1;
}

/** 32 bits that go on from `hash` over a text and its end (FNV-1a, with a shift that carries high bits down). */
function fold(hash: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash ^ END_OF_TEXT, 0x85ebca6b);
}

/** Beyond every UTF-16 code. */
const END_OF_TEXT = 0x1_0000;
