// Markdown to safe HTML. marked parses, DOMPurify sanitises; nothing is loaded from outside: an image becomes a button that
// says where it would come from. The text is split into blocks so that while it streams only its end is parsed and drawn anew.
import DOMPurify from "dompurify";
import { Marked } from "marked";

const marked = new Marked({ gfm: true, breaks: false });
marked.use({
    renderer: {
        html({ text }) { return escapeHtml(text); },
        image({ href, text }) {
            const label = text || "image";
            return /^https?:/i.test(href)
                ? `<button type="button" class="remote-image" data-src="${escapeHtml(href)}">Open image “${escapeHtml(label)}” from ${escapeHtml(hostOf(href))}</button>`
                : escapeHtml(label);
        },
        code({ text, lang }) {
            const language = (lang ?? "").split(/\s/)[0] ?? "";
            return `<div class="code"><div class="code-head"><span>${escapeHtml(language || "text")}</span><span class="code-tools">`
                + `<button type="button" class="wrap" aria-pressed="false">Wrap</button><button type="button" class="copy">Copy</button></span></div>`
                + `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre></div>`;
        },
        checkbox({ checked }) { return checked ? "☑ " : "☐ "; },
    },
});

export function escapeHtml(text: string): string {
    return text.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]!);
}

function hostOf(href: string): string {
    try { return new URL(href).host; } catch { return href; }
}

const allowed = {
    ALLOWED_TAGS: ["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "table",
        "thead", "tbody", "tr", "th", "td", "a", "div", "span", "button"],
    ALLOWED_ATTR: ["href", "class", "data-src", "type", "align", "start", "tabindex", "aria-pressed", "rel", "target"],
    ADD_URI_SAFE_ATTR: ["type", "align", "start", "tabindex", "aria-pressed"], // the others must match the expression below
    ALLOW_DATA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
};
let hooked = false;
function sanitize(html: string): string {
    if (!hooked) {
        hooked = true;
        DOMPurify.addHook("afterSanitizeAttributes", (node) => {
            if (node.tagName !== "A") return;
            node.setAttribute("rel", "noopener noreferrer");
            node.setAttribute("target", "_blank");
        });
    }
    return DOMPurify.sanitize(html, allowed);
}

/** One block of a text: its source, and the link definitions of the whole text where it may use one. */
export interface Block { source: string; definitions: string }

/** Splits a text that grows. What lies before the last two blocks cannot change any more and is not parsed again. */
export class Splitter {
    private text = "";
    private parts: { source: string; definition: boolean }[] = [];

    split(given: string): Block[] {
        const text = given.replace(/\r\n?/g, "\n");
        let start = 0;
        if (this.parts.length > 2 && text.startsWith(this.text)) {
            this.parts.length -= 2;
            for (const part of this.parts) start += part.source.length;
        } else {
            this.parts = [];
        }
        let pending = "";
        for (const token of marked.lexer(text.slice(start))) {
            pending += token.raw;
            if (token.type === "space") continue;
            this.parts.push({ source: pending, definition: token.type === "def" });
            pending = "";
        }
        if (pending) this.parts.push({ source: pending, definition: false });
        this.text = text;
        const definitions = this.parts.filter((p) => p.definition).map((p) => p.source).join("\n");
        return this.parts.map(({ source }) => ({ source, definitions: definitions && source.includes("[") ? definitions : "" }));
    }
}

export function render({ source, definitions }: Block): string {
    return sanitize(marked.parse(definitions ? `${source}\n\n${definitions}\n` : source, { async: false }));
}

/** The whole at once: what the blocks one after another must equal. */
export function renderWhole(text: string): string {
    return sanitize(marked.parse(text, { async: false }));
}
