// Markdown to safe HTML. marked parses, DOMPurify sanitises; nothing is loaded from outside: an image becomes a button that
// says where it would come from. The text is split into blocks so that while it streams only the last block is rendered anew.
import DOMPurify from "dompurify";
import { Marked, type Token } from "marked";

const marked = new Marked({ gfm: true, breaks: false });
marked.use({
    renderer: {
        html({ text }) { return escapeHtml(text); },
        image({ href, text }) {
            const label = text || "image";
            return /^https?:/i.test(href)
                ? `<button type="button" class="remote-image" data-src="${escapeHtml(href)}">Show image “${escapeHtml(label)}” from ${escapeHtml(hostOf(href))}</button>`
                : escapeHtml(label);
        },
        code({ text, lang }) {
            const language = (lang ?? "").split(/\s/)[0] ?? "";
            return `<div class="code"><div class="code-head"><span>${escapeHtml(language || "text")}</span><button type="button" class="copy">Copy</button></div>` +
                `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre></div>`;
        },
    },
});

export function escapeHtml(text: string): string {
    return text.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]!);
}

function hostOf(href: string): string {
    try { return new URL(href).host; } catch { return href; }
}

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
    if (node.tagName === "A") {
        node.setAttribute("rel", "noopener noreferrer");
        node.setAttribute("target", "_blank");
    }
});
const allowed = {
    ALLOWED_TAGS: ["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "table",
        "thead", "tbody", "tr", "th", "td", "a", "div", "span", "button", "input"],
    ALLOWED_ATTR: ["href", "class", "data-src", "type", "checked", "disabled", "align", "start", "tabindex"],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
};

/** The blocks of a text; each is source text that can be rendered alone. */
export function blocks(text: string): string[] {
    const out: string[] = [];
    let pending = "";
    for (const token of marked.lexer(text) as Token[]) {
        pending += token.raw;
        if (token.type === "space") continue;
        out.push(pending);
        pending = "";
    }
    if (pending && out.length) out[out.length - 1] += pending;
    return out;
}

const cache = new Map<string, string>();
export function render(block: string): string {
    const known = cache.get(block);
    if (known !== undefined) return known;
    const html = DOMPurify.sanitize(marked.parse(block, { async: false }), allowed);
    if (cache.size > 500) cache.clear();
    cache.set(block, html);
    return html;
}
