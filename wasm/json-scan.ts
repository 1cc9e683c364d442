// AssemblyScript, compiled by `npm run generate` into src/wire/json/json-scan-module.ts. It validates a JSON text (RFC 8259, as
// JSON.parse does, but for UTF-8, which the caller has checked) in one pass that builds nothing, and notes where the members
// of the top-level object lie. Sixteen bytes of a string are looked at at a time: most of an agent's request is long strings.

/** What `scan` returns. */
const OK: i32 = 0;
const MALFORMED: i32 = 1;
const TOO_DEEP: i32 = 2;
const NOT_OBJECT: i32 = 3;
const TOO_MANY_MEMBERS: i32 = 4;

/** Layout of the memory, in bytes. The result is read as 32-bit numbers: position, flags, count, then four for each member. */
const RESULT: i32 = 0;
const MEMBERS: i32 = 12;
const MAX_MEMBERS: i32 = 1000;
/** How many long strings there are. Where they begin and end, without their quotes, stands behind the text, as two numbers each. */
const LONG_COUNT: i32 = 16016;
const LONG_BYTES: i32 = 256;
/** One byte for each open array (0) or object (1). */
const STACK: i32 = 16384;
export const INPUT: i32 = 20480;

const ONE_HOUR: i32 = 1;
const FILES: i32 = 2;
const WEIR: i32 = 4;

let flags: i32 = 0;
/** Where the next long string is noted. */
let longAt: i32 = 0;

/** The offset after a string whose opening quote is at `at`; negative, minus the offset of the mistake, less one, when it is none. */
function skipString(at: i32, end: i32): i32 {
  const start = at + 1;
  let p = start;
  const quote = i8x16.splat(0x22);
  const backslash = i8x16.splat(0x5c);
  const space = i8x16.splat(0x20);
  while (true) {
    const block = v128.load(p);
    const stops = v128.or(v128.or(i8x16.eq(block, quote), i8x16.eq(block, backslash)), i8x16.lt_u(block, space));
    const mask = i8x16.bitmask(stops);
    if (mask == 0) {
      p += 16;
      if (p >= end) return -end - 1;
      continue;
    }
    p += ctz(mask);
    if (p >= end) return -end - 1;
    const c = load<u8>(p);
    if (c == 0x22) {
      const length = p - start;
      if (length >= LONG_BYTES) {
        store<i32>(longAt, start - INPUT);
        store<i32>(longAt + 4, p - INPUT);
        longAt += 8;
      }
      // "1h", and "file_id" as two numbers that overlap.
      if (length == 2) {
        if (load<u16>(start) == 0x6831) flags |= ONE_HOUR;
      } else if (length == 7) {
        if (load<u32>(start) == 0x656c6966 && load<u32>(start + 3) == 0x64695f65) flags |= FILES;
      } else if (length >= 5 && load<u32>(start) == 0x72696577) {
        // "weir:" or "weir-", at the beginning.
        const after = load<u8>(start + 4);
        if (after == 0x3a || after == 0x2d) flags |= WEIR;
      }
      return p + 1;
    }
    if (c != 0x5c) return -p - 1;
    const escaped = load<u8>(p + 1);
    if (escaped == 0x75) {
      const code = hex4(p + 2);
      if (code < 0 || p + 6 > end) return -p - 1;
      noteEscape(code);
      p += 6;
    } else if (
      escaped == 0x6e ||
      escaped == 0x22 ||
      escaped == 0x5c ||
      escaped == 0x74 ||
      escaped == 0x2f ||
      escaped == 0x72 ||
      escaped == 0x62 ||
      escaped == 0x66
    ) {
      p += 2;
    } else {
      return -p - 1;
    }
  }
}

/** Nobody escapes these letters except to hide what they spell: `1h`, `file_id`. */
function noteEscape(code: i32): void {
  if (code == 0x31 || code == 0x68) flags |= ONE_HOUR;
  else if (code == 0x66 || code == 0x69 || code == 0x6c || code == 0x65 || code == 0x5f || code == 0x64) flags |= FILES;
}

/** Four hexadecimal digits as a number, or a negative number. */
function hex4(at: i32): i32 {
  let code: i32 = 0;
  for (let i: i32 = 0; i < 4; i++) {
    const c: i32 = load<u8>(at + i);
    const lower = c | 0x20;
    let digit: i32;
    if (c >= 0x30 && c <= 0x39) digit = c - 0x30;
    else if (lower >= 0x61 && lower <= 0x66) digit = lower - 0x57;
    else return -1;
    code = (code << 4) | digit;
  }
  return code;
}

function isDigit(at: i32): bool {
  const c: i32 = load<u8>(at);
  return c >= 0x30 && c <= 0x39;
}

/** The offset after a number, or a negative one as above. The bytes after the text are zero, so it never runs away. */
function skipNumber(at: i32): i32 {
  let p = at;
  if (load<u8>(p) == 0x2d) p++;
  if (load<u8>(p) == 0x30) p++;
  else if (isDigit(p)) while (isDigit(p)) p++;
  else return -p - 1;
  if (load<u8>(p) == 0x2e) {
    p++;
    if (!isDigit(p)) return -p - 1;
    while (isDigit(p)) p++;
  }
  if ((load<u8>(p) | 0x20) == 0x65) {
    p++;
    const sign = load<u8>(p);
    if (sign == 0x2b || sign == 0x2d) p++;
    if (!isDigit(p)) return -p - 1;
    while (isDigit(p)) p++;
  }
  return p;
}

function skipSpace(at: i32): i32 {
  let p = at;
  while (true) {
    const c = load<u8>(p);
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) return p;
    p++;
  }
}

/** Whether a byte may begin a JSON value other than an object. */
function beginsValue(c: i32): bool {
  return c == 0x5b || c == 0x22 || c == 0x2d || (c >= 0x30 && c <= 0x39) || c == 0x74 || c == 0x66 || c == 0x6e;
}

function fail(status: i32, at: i32): i32 {
  store<i32>(RESULT, at - INPUT);
  return status;
}

/** Where long strings are noted: behind the text and the zero bytes that follow it. */
function longTable(length: i32): i32 {
  return (INPUT + length + 16 + 3) & ~3;
}

/**
 * Checks the text of `length` bytes at `INPUT`, which sixteen zero bytes must follow, and behind them room for eight bytes for
 * each long string. `maxDepth` is at most 4000.
 */
export function scan(length: i32, maxDepth: i32): i32 {
  const end = INPUT + length;
  let p = skipSpace(INPUT);
  let depth: i32 = 0;
  let count: i32 = 0;
  let keyStart: i32 = 0;
  let keyEnd: i32 = 0;
  let valueStart: i32 = 0;
  let isObject = false;
  /** Whether a key comes next, rather than a value. */
  let wantKey = false;
  flags = 0;
  longAt = longTable(length);
  if (p >= end) return fail(MALFORMED, end);
  if (load<u8>(p) != 0x7b) {
    // Only to tell a text that is no JSON from one that is no object.
    if (!beginsValue(load<u8>(p))) return fail(MALFORMED, p);
    return fail(NOT_OBJECT, p);
  }
  while (true) {
    p = skipSpace(p);
    let c = load<u8>(p);
    if (wantKey) {
      if (c != 0x22) return fail(MALFORMED, p);
      const after = skipString(p, end);
      if (after < 0) return fail(MALFORMED, -after - 1);
      if (depth == 1) {
        keyStart = p;
        keyEnd = after;
      }
      p = skipSpace(after);
      if (load<u8>(p) != 0x3a) return fail(MALFORMED, p);
      p = skipSpace(p + 1);
      c = load<u8>(p);
      if (depth == 1) valueStart = p;
      wantKey = false;
    }
    if (c == 0x22) {
      const after = skipString(p, end);
      if (after < 0) return fail(MALFORMED, -after - 1);
      p = after;
    } else if (c == 0x7b || c == 0x5b) {
      if (depth >= maxDepth) return fail(TOO_DEEP, p);
      isObject = c == 0x7b;
      store<u8>(STACK + depth, isObject ? 1 : 0);
      depth++;
      p = skipSpace(p + 1);
      c = load<u8>(p);
      if (isObject ? c != 0x7d : c != 0x5d) {
        wantKey = isObject;
        continue;
      }
      p++;
      depth--;
      if (depth > 0) isObject = load<u8>(STACK + depth - 1) == 1;
    } else if (c == 0x2d || (c >= 0x30 && c <= 0x39)) {
      const after = skipNumber(p);
      if (after < 0) return fail(MALFORMED, -after - 1);
      p = after;
    } else if (c == 0x74) {
      if (load<u32>(p) != 0x65757274) return fail(MALFORMED, p);
      p += 4;
    } else if (c == 0x66) {
      if (load<u32>(p + 1) != 0x65736c61) return fail(MALFORMED, p);
      p += 5;
    } else if (c == 0x6e) {
      if (load<u32>(p) != 0x6c6c756e) return fail(MALFORMED, p);
      p += 4;
    } else {
      return fail(MALFORMED, p);
    }
    // A value has ended: close what ends with it.
    while (true) {
      if (depth == 0) {
        p = skipSpace(p);
        if (p < end) return fail(MALFORMED, p);
        store<i32>(RESULT + 4, flags);
        store<i32>(RESULT + 8, count);
        store<i32>(LONG_COUNT, (longAt - longTable(length)) >> 3);
        return OK;
      }
      if (depth == 1 && isObject && valueStart != 0) {
        if (count == MAX_MEMBERS) return fail(TOO_MANY_MEMBERS, keyStart);
        const row = MEMBERS + count * 16;
        store<i32>(row, keyStart - INPUT);
        store<i32>(row + 4, keyEnd - INPUT);
        store<i32>(row + 8, valueStart - INPUT);
        store<i32>(row + 12, p - INPUT);
        count++;
        valueStart = 0;
      }
      p = skipSpace(p);
      c = load<u8>(p);
      if (c == 0x2c) {
        p++;
        wantKey = isObject;
        break;
      }
      if (isObject ? c != 0x7d : c != 0x5d) return fail(MALFORMED, p);
      p++;
      depth--;
      if (depth > 0) isObject = load<u8>(STACK + depth - 1) == 1;
    }
  }
}
