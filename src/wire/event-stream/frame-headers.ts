import { damaged } from "./damaged.ts";

/** A header's value; the kinds are those of the format. */
export type HeaderValue =
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "byte" | "short" | "integer"; readonly value: number }
  | { readonly kind: "long"; readonly value: bigint }
  | { readonly kind: "binary"; readonly value: Buffer }
  | { readonly kind: "string"; readonly value: string }
  /** Milliseconds since the epoch. */
  | { readonly kind: "timestamp"; readonly value: bigint }
  /** Lower-case, with hyphens. */
  | { readonly kind: "uuid"; readonly value: string };

export type FrameHeaders = ReadonlyMap<string, HeaderValue>;

const CODE = {
  true: 0,
  false: 1,
  byte: 2,
  short: 3,
  integer: 4,
  long: 5,
  binary: 6,
  string: 7,
  timestamp: 8,
  uuid: 9,
} as const;
const MAX_NAME_BYTES = 255;
const MAX_VALUE_BYTES = 65_535;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The headers' bytes as they stand in a frame. Throws RangeError when a name or a value does not fit. */
export function encodeHeaders(headers: Iterable<readonly [string, HeaderValue]>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of headers) {
    const nameBytes = Buffer.from(name, "utf8");
    if (nameBytes.length === 0 || nameBytes.length > MAX_NAME_BYTES) {
      throw new RangeError(`A header's name takes 1 to ${MAX_NAME_BYTES} bytes: ${JSON.stringify(name)}`);
    }
    parts.push(Buffer.of(nameBytes.length), nameBytes, encodeValue(value));
  }
  return Buffer.concat(parts);
}

function encodeValue(header: HeaderValue): Buffer {
  if (header.kind === "uuid") return encodeUuid(header.value);
  switch (header.kind) {
    case "boolean":
      return Buffer.of(header.value ? CODE.true : CODE.false);
    case "byte": {
      const bytes = Buffer.of(CODE.byte, 0);
      bytes.writeInt8(header.value, 1);
      return bytes;
    }
    case "short": {
      const bytes = Buffer.of(CODE.short, 0, 0);
      bytes.writeInt16BE(header.value, 1);
      return bytes;
    }
    case "integer": {
      const bytes = Buffer.of(CODE.integer, 0, 0, 0, 0);
      bytes.writeInt32BE(header.value, 1);
      return bytes;
    }
    case "long":
    case "timestamp": {
      const bytes = Buffer.alloc(9, CODE[header.kind]);
      bytes.writeBigInt64BE(header.value, 1);
      return bytes;
    }
    case "binary":
      return sized(CODE.binary, header.value);
    case "string":
      break;
  }
  return sized(CODE.string, Buffer.from(header.value, "utf8"));
}

function encodeUuid(uuid: string): Buffer {
  if (!UUID.test(uuid)) throw new RangeError(`Not a UUID: ${JSON.stringify(uuid)}`);
  return Buffer.concat([Buffer.of(CODE.uuid), Buffer.from(uuid.replaceAll("-", ""), "hex")]);
}

function sized(code: number, value: Buffer): Buffer {
  if (value.length > MAX_VALUE_BYTES) throw new RangeError(`A header's value takes at most ${MAX_VALUE_BYTES} bytes.`);
  const head = Buffer.of(code, 0, 0);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

/** Reads the headers that stand between two offsets. Throws WeirError when they do not fill them exactly. */
export function decodeHeaders(buffer: Buffer, start: number, end: number): FrameHeaders {
  const headers = new Map<string, HeaderValue>();
  const reader = new HeaderReader(buffer, start, end);
  while (!reader.atEnd) {
    const name = reader.name();
    if (headers.has(name)) throw damaged(`the header ${JSON.stringify(name)} stands twice in one frame`);
    headers.set(name, reader.value());
  }
  return headers;
}

class HeaderReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  name(): string {
    const length = this.#buffer.readUInt8(this.#take(1));
    if (length === 0) throw damaged("a header has no name");
    const start = this.#take(length);
    return this.#buffer.toString("utf8", start, start + length);
  }

  value(): HeaderValue {
    const code = this.#buffer.readUInt8(this.#take(1));
    switch (code) {
      case CODE.true:
        return { kind: "boolean", value: true };
      case CODE.false:
        return { kind: "boolean", value: false };
      case CODE.byte:
        return { kind: "byte", value: this.#buffer.readInt8(this.#take(1)) };
      case CODE.short:
        return { kind: "short", value: this.#buffer.readInt16BE(this.#take(2)) };
      case CODE.integer:
        return { kind: "integer", value: this.#buffer.readInt32BE(this.#take(4)) };
      case CODE.long:
        return { kind: "long", value: this.#buffer.readBigInt64BE(this.#take(8)) };
      case CODE.binary:
        return { kind: "binary", value: this.#sized() };
      case CODE.string:
        return { kind: "string", value: this.#sized().toString("utf8") };
      case CODE.timestamp:
        return { kind: "timestamp", value: this.#buffer.readBigInt64BE(this.#take(8)) };
      case CODE.uuid:
        return { kind: "uuid", value: this.#uuid() };
      default:
        throw damaged(`a header's value is of the unknown type ${code}`);
    }
  }

  #sized(): Buffer {
    const length = this.#buffer.readUInt16BE(this.#take(2));
    const start = this.#take(length);
    return this.#buffer.subarray(start, start + length);
  }

  #uuid(): string {
    const start = this.#take(16);
    const hex = this.#buffer.toString("hex", start, start + 16);
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  /** The offset of the next `length` bytes, which are then behind. */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#end) throw damaged("a header goes beyond the end of the headers");
    this.#at = start + length;
    return start;
  }
}

/** The value of a header of kind string; null when there is none. */
export function stringHeader(headers: FrameHeaders, name: string): string | null {
  const header = headers.get(name);
  return header?.kind === "string" ? header.value : null;
}
