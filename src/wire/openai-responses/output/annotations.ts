import { isObject, type JsonObject, type JsonRecord } from "../../openai/json-reader.ts";

/** The annotations that a text block's citations make: a web page's address, or the document with what it is called. */
export function annotationsOf(citations: unknown, text: string): JsonRecord[] {
  if (!Array.isArray(citations)) return [];
  return citations.filter(isObject).map((citation) => annotationOf(citation, text));
}

function annotationOf(citation: JsonObject, text: string): JsonRecord {
  const url = citation["url"] ?? citation["source"];
  if (typeof url === "string") {
    const title = typeof citation["title"] === "string" ? citation["title"] : "";
    return { type: "url_citation", url, title, start_index: 0, end_index: text.length };
  }
  const { file_id: fileId, document_title: title, document_index: index } = citation;
  return {
    type: "file_citation",
    file_id: typeof fileId === "string" ? fileId : `document_${Number(index ?? 0)}`,
    filename: typeof title === "string" ? title : "",
    index: text.length,
  };
}
