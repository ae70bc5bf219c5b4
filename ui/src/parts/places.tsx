import { Icon, type IconName } from "../icon.tsx";
import type { Page } from "../state.ts";

const places: [page: Page, name: string, icon: IconName][] = [["tools", "Tools", "wrench"], ["permissions", "Permissions", "key"], ["skills", "Skills", "book"], ["agents", "Agents", "bot"], ["memory", "Memory", "notebook"]];

/** The pages beside the conversation. */
export function Places({ page }: { page: Page }) {
    return <ul class="places" aria-label="Pages">{places.map(([name, text, icon]) => <li key={name}>
        <a class="to-tools" href={`#/${name}`} aria-current={page === name ? "page" : undefined}><Icon name={icon} size={14} /> {text}</a></li>)}</ul>;
}
