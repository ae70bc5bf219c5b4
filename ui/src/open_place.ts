import { inspect, showList } from "./state.ts";

/** Where a command leads that has nothing to say itself. */
export function openPlace(what: string): void {
    const focus = (selector: string) => requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());
    if (/^(permissions|skills|agents|memory|tools)$/.test(what)) location.hash = `#/${what}`;
    else if (what === "context" || what === "cost") inspect(null);
    else if (what === "model") focus('select[aria-label="Model"], .pick select');
    else if (what === "sessions") { showList(true); focus(".sessions input[type=search]"); }
    else if (what === "export") document.querySelector<HTMLElement>('.chat-head [aria-haspopup="menu"]')?.click();
}
