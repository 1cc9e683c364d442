import { hash } from "node:crypto";

import { filled, type PageText } from "./page-text.ts";

const STYLE = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; }
main { width: min(28rem, calc(100vw - 2rem)); padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin-top: 1rem; }
input[type=text] { box-sizing: border-box; width: 100%; font: 600 1.75rem ui-monospace, monospace; letter-spacing: .15em;
  text-align: center; text-transform: uppercase; padding: .5rem; border: 2px solid GrayText; border-radius: .4rem; }
button, a.button { box-sizing: border-box; display: block; width: 100%; margin-top: .75rem; padding: .75rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; border: 2px solid #0b57d0; border-radius: .4rem; background: #0b57d0; color: #fff; cursor: pointer; }
button.plain { background: transparent; color: inherit; border-color: GrayText; }
:focus-visible { outline: 3px solid #f5a623; outline-offset: 2px; }
.error { border-left: 4px solid #c5221f; padding: .25rem 1rem; margin: 0 0 1rem; }
.notice { border-left: 4px solid GrayText; padding: .25rem 1rem; }
strong.code { font: 600 1.25rem ui-monospace, monospace; letter-spacing: .1em; white-space: nowrap; }
`;

const STYLE_HASH = hash("sha256", STYLE, "base64");

export interface FormPage {
  readonly code: string;
  readonly formToken: string;
  readonly providers: readonly { readonly name: string; readonly label: string }[];
  readonly error: string | null;
  readonly notice: string | null;
}

/** The page on which a person enters or confirms a code. */
export function formPage(text: PageText, { code, formToken, providers, error, notice }: FormPage): string {
  const shown = error === null ? "" : `<p class="error" role="alert">${escaped(error)}</p>`;
  const [only, ...others] = providers;
  const buttons =
    only !== undefined && others.length === 0
      ? `<button name="provider" value="${escaped(only.name)}">${escaped(text.approve)}</button>`
      : providers
          .map(({ name, label }) => {
            const words = filled(text.approveWith, { provider: label });
            return `<button name="provider" value="${escaped(name)}">${escaped(words)}</button>`;
          })
          .join("\n");
  return document(
    text,
    text.title,
    `${shown}
<p>${escaped(text.intro)}</p>
<form method="post" action="/device" autocomplete="off">
<input type="hidden" name="form_token" value="${escaped(formToken)}">
<label for="user_code">${escaped(text.codeLabel)}</label>
<input type="text" id="user_code" name="user_code" value="${escaped(code)}" required maxlength="20" spellcheck="false"
 autocapitalize="characters" aria-describedby="compare"${code === "" ? " autofocus" : ""}>
<p id="compare">${escaped(text.compare)}</p>
${notice === null ? "" : `<p class="notice">${escaped(notice)}</p>`}
${buttons}
<button class="plain" formaction="/device/deny">${escaped(text.deny)}</button>
</form>`,
  );
}

/** A page that tells how a sign-in ended. `code` stands out. */
export function messagePage(
  text: PageText,
  page: { title: string; lines: readonly string[]; code?: string; isError: boolean },
): string {
  const lines = page.lines.map((line) => `<p>${withCode(escaped(line), page.code)}</p>`).join("\n");
  const body = page.isError
    ? `<div class="error" role="alert">${lines}</div><a class="button" href="/device">${escaped(text.again)}</a>`
    : `<div role="status">${lines}</div>`;
  return document(text, page.title, body);
}

/** Headers of every page: nothing is loaded from anywhere, framed by anyone or kept by caches. */
export function pageHeaders(formOrigins: readonly string[]): Record<string, string> {
  const forms = ["'self'", ...new Set(formOrigins)].join(" ");
  return {
    "content-security-policy": [
      "default-src 'none'",
      `style-src 'sha256-${STYLE_HASH}'`,
      `form-action ${forms}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join("; "),
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    // Not no-referrer: browsers would then send Origin: null with the form.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    vary: "accept-language",
  };
}

function document(text: PageText, title: string, body: string): string {
  return `<!doctype html>
<html lang="${text.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

function withCode(line: string, code: string | undefined): string {
  return code === undefined ? line : line.replace(code, `<strong class="code">${escaped(code)}</strong>`);
}

/** A text as it may stand in HTML, in attributes too. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
