import { type JsonObject, type JsonRecord, isObject } from "../openai/json-reader.ts";

/** Where a cited text lies in the answer's whole text, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Citations of one text block: those of web pages as Chat's annotations, all others as Messages gave them. */
export interface ChatCitations {
  readonly annotations: readonly JsonRecord[];
  readonly citations: readonly JsonRecord[];
}

export function chatCitations(list: readonly unknown[], { start, end }: Span): ChatCitations {
  const annotations: JsonRecord[] = [];
  const citations: JsonRecord[] = [];
  for (const citation of list) {
    if (!isObject(citation)) continue;
    if (isWebCitation(citation)) {
      const { url, title } = citation;
      const text = typeof title === "string" ? title : "";
      annotations.push({
        type: "url_citation",
        url_citation: { start_index: start, end_index: end, title: text, url },
      });
    } else citations.push({ ...citation, start_index: start, end_index: end });
  }
  return { annotations, citations };
}

function isWebCitation(citation: JsonObject): boolean {
  return citation["type"] === "web_search_result_location" && typeof citation["url"] === "string";
}
