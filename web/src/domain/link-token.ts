/** The one-time token of a link that was sent by mail: `#token=...`. Empty where there is none. */
export function linkToken(fragment: string): string {
  const text = fragment.replace(/^#(token=)?/, "");
  try {
    return decodeURIComponent(text);
  } catch (error) {
    // A link that a mail program broke is a link without a token.
    if (error instanceof URIError) return "";
    throw error;
  }
}
