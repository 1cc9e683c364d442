import {
  type JsonObject,
  type JsonRecord,
  invalidField,
  isObject,
  optionalString,
  pathOf,
  unsupportedField,
} from "./json-reader.ts";

interface DataUrl {
  /** Lower-case, without parameters. */
  readonly mediaType: string;
  readonly data: string;
  readonly base64: boolean;
}

const IMAGE_TYPES: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
/** Base64 of `%PDF-`. */
const PDF_START = "JVBERi";

function parseDataUrl(url: string): DataUrl | null {
  if (!url.startsWith("data:")) return null;
  const comma = url.indexOf(",");
  if (comma < 0) return null;
  const [mediaType = "", ...parameters] = url.slice(5, comma).split(";");
  const base64 = parameters.some((parameter) => parameter.trim().toLowerCase() === "base64");
  return { mediaType: mediaType.trim().toLowerCase(), data: url.slice(comma + 1), base64 };
}

/** An image block for an image's URL: data or http(s). `path` is the URL's own. */
export function imageBlockOfUrl(url: string, path: string): JsonRecord {
  if (url.startsWith("https://") || url.startsWith("http://")) return { type: "image", source: { type: "url", url } };
  const parsed = parseDataUrl(url);
  if (parsed === null) throw invalidField(path, "expected an https URL or a data URL");
  return imageBlockOfData(parsed, path);
}

function imageBlockOfData({ mediaType, data, base64 }: DataUrl, path: string): JsonRecord {
  const type = mediaType === "image/jpg" ? "image/jpeg" : mediaType;
  if (!IMAGE_TYPES.has(type)) {
    throw unsupportedField(
      path,
      `${type || "an image without a media type"} is not taken; send jpeg, png, gif or webp`,
    );
  }
  if (!base64) throw invalidField(path, "expected a data URL in base64");
  return { type: "image", source: { type: "base64", media_type: type, data } };
}

/** A file part's inside, as both OpenAI formats have it: one of `file_data`, `file_id`, `file_url`. */
export function blockOfFile(file: JsonObject, path: string): JsonRecord {
  const filename = optionalString(file, "filename", path);
  const title = filename === undefined ? {} : { title: filename };
  const fileId = optionalString(file, "file_id", path);
  if (fileId !== undefined) return { type: "document", source: { type: "file", file_id: fileId }, ...title };
  const url = optionalString(file, "file_url", path);
  if (url !== undefined) return { type: "document", source: { type: "url", url }, ...title };
  const data = optionalString(file, "file_data", path);
  if (data === undefined) throw invalidField(path, "expected file_data or file_id");
  return blockOfFileData(data, filename, pathOf(path, "file_data"));
}

function blockOfFileData(text: string, filename: string | undefined, path: string): JsonRecord {
  const title = filename === undefined ? {} : { title: filename };
  const parsed = parseDataUrl(text) ?? { mediaType: typeOfBareData(text, filename), data: text, base64: true };
  const { mediaType, data, base64 } = parsed;
  if (mediaType === "application/pdf") {
    if (!base64) throw invalidField(path, "expected a data URL in base64");
    return { type: "document", source: { type: "base64", media_type: mediaType, data }, ...title };
  }
  if (mediaType.startsWith("image/")) return imageBlockOfData(parsed, path);
  if (mediaType.startsWith("text/") || mediaType === "application/json") {
    const plain = base64 ? Buffer.from(data, "base64").toString("utf8") : decodeURIComponentSafe(data, path);
    return { type: "document", source: { type: "text", media_type: "text/plain", data: plain }, ...title };
  }
  throw unsupportedField(
    path,
    `files of type ${mediaType || "unknown"} are not taken by Messages; send PDF, text or images`,
  );
}

/** `file_data` is documented as a data URL, but plain base64 is common: the name or the first bytes tell. */
function typeOfBareData(data: string, filename: string | undefined): string {
  if (data.startsWith(PDF_START) || filename?.toLowerCase().endsWith(".pdf") === true) return "application/pdf";
  return /\.(?:txt|md|csv|json|xml|html|log)$/i.test(filename ?? "") ? "text/plain" : "";
}

function decodeURIComponentSafe(text: string, path: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidField(path, "has a broken % escape in its data URL");
  }
}

/** The URL of a Messages image source; null when it is a file id. Throws for sources that are not known. */
export function urlOfImageSource(source: unknown, path: string): string | null {
  if (isObject(source)) {
    const { type, url, data, media_type } = source;
    if (type === "url" && typeof url === "string") return url;
    if (type === "base64" && typeof data === "string") return `data:${String(media_type)};base64,${data}`;
    if (type === "file") return null;
  }
  throw unsupportedField(pathOf(path, "source"), "this source of an image is not known to OpenAI's formats");
}

/** A document block in no format's words. */
export type Attachment =
  | { readonly kind: "text"; readonly text: string; readonly title: string | null }
  | { readonly kind: "data"; readonly filename: string; readonly dataUrl: string }
  | { readonly kind: "file"; readonly fileId: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "content"; readonly content: readonly unknown[]; readonly title: string | null };

/** Reads a Messages document block. */
export function attachmentOf(block: JsonObject, path: string): Attachment {
  const title = typeof block["title"] === "string" ? block["title"] : null;
  const source = block["source"];
  if (isObject(source)) {
    const { type, data, url, file_id, content } = source;
    if (type === "text" && typeof data === "string") return { kind: "text", text: data, title };
    if (type === "base64" && typeof data === "string") {
      const dataUrl = `data:${String(source["media_type"])};base64,${data}`;
      return { kind: "data", filename: title ?? "document.pdf", dataUrl };
    }
    if (type === "file" && typeof file_id === "string") return { kind: "file", fileId: file_id };
    if (type === "url" && typeof url === "string") return { kind: "url", url };
    if (type === "content" && typeof content === "string") return { kind: "text", text: content, title };
    if (type === "content" && Array.isArray(content)) return { kind: "content", content, title };
  }
  throw unsupportedField(pathOf(path, "source"), "this source of a document is not known to OpenAI's formats");
}
