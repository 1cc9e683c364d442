/** A name as it stands in a path, percent-decoded; one that is badly escaped is nobody's and stays as it is. */
export function decodedSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
