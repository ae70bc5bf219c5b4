import { useEffect, useRef, useState } from "preact/hooks";
import { sessionsApi } from "../api_sessions.ts";
import { Icon } from "../icon.tsx";
import type { Command } from "../types_sessions.ts";

export interface Offer { key: string; name: string; says: string; icon: "slash" | "sparkles" | "users" | "file" | "folder"; put: string; more: boolean }
export interface Completion { offers: Offer[]; at: number; move(by: number): void; close(): void; pick(offer: Offer): void }

const icons = { builtin: "slash", skill: "sparkles", agent: "users" } as const;

/** What the caret stands in: a command at the very beginning, or a file after @. */
export function wordAt(text: string, caret: number): { kind: "command" | "file"; from: number; word: string } | null {
    const before = text.slice(0, caret);
    if (/^\/[^\s/]*$/.test(before)) return { kind: "command", from: 0, word: before.slice(1) };
    const file = /(?:^|[\s("'`])@([^\s@"'`]*)$/.exec(before);
    return file ? { kind: "file", from: caret - file[1]!.length - 1, word: file[1]! } : null;
}

/** Those whose name begins so, then those that have it in their name or in what they say. */
export function matching(commands: Command[], word: string): Command[] {
    const w = word.toLowerCase(), rank = (c: Command) => (c.name.toLowerCase().startsWith(w) ? 0 : c.name.toLowerCase().includes(w) ? 1 : w.length > 2 && c.description.toLowerCase().includes(w) ? 2 : 3);
    return commands.map((c) => [rank(c), c] as const).filter(([r]) => r < 3).sort((a, b) => a[0] - b[0]).map(([, c]) => c);
}

let commands: Command[] | null = null;

/** Offers for what is being typed; `put` replaces the word. A server that cannot tell offers nothing: the text is sent as it is. */
export function useCompletion(text: string, caret: number, put: (text: string, caret: number) => void): Completion {
    const [offers, setOffers] = useState<Offer[]>([]);
    const [at, setAt] = useState(0);
    const closed = useRef(""); // the word that was left with Esc
    const number = useRef(0);
    const word = wordAt(text, caret);
    const id = word ? `${word.kind} ${word.from} ${word.word}` : "";
    useEffect(() => {
        const mine = ++number.current;
        if (!word || closed.current === `${word.kind} ${word.from}`) {
            if (!word) closed.current = "";
            setOffers([]);
            return;
        }
        const show = (list: Offer[]) => { if (number.current === mine) { setOffers(list); setAt(0); } };
        if (word.kind === "command") {
            const list = (all: Command[]) => matching(all, word.word).map((c): Offer => ({ key: `${c.kind} ${c.name}`, name: `/${c.name}${c.args ? ` ${c.args}` : ""}`, says: c.description, icon: icons[c.kind] ?? "slash",
                put: `/${c.name}${c.args ? " " : ""}`, more: Boolean(c.args) }));
            if (commands) show(list(commands));
            if (!commands || word.word === "") void sessionsApi.commands().then((all) => { commands = all.commands; show(list(commands)); }, () => show([]));
        } else {
            const timer = setTimeout(() => {
                void sessionsApi.files(word.word).then(({ files }) => show(files.map((f): Offer => ({ key: f.path, name: f.path, says: "", icon: f.kind, put: `@${f.path}${f.kind === "folder" ? (f.path.endsWith("/") ? "" : "/") : " "}`, more: f.kind === "folder" }))), () => show([]));
            }, 60);
            return () => clearTimeout(timer);
        }
    }, [id]);
    const pick = (o: Offer) => {
        if (!word) return;
        if (!o.more) setOffers([]);
        put(text.slice(0, word.from) + o.put + text.slice(word.from + word.word.length + 1), word.from + o.put.length); // more may have been typed since it was offered
    };
    return { offers: word ? offers : [], at: Math.min(at, Math.max(0, offers.length - 1)), pick,
        move: (by) => setAt((i) => (i + by + offers.length) % Math.max(1, offers.length)),
        close: () => { number.current++; closed.current = word ? `${word.kind} ${word.from}` : ""; setOffers([]); } };
}

export function Offers({ completion, id }: { completion: Completion; id: string }) {
    const { offers, at, pick } = completion;
    const list = useRef<HTMLUListElement>(null);
    useEffect(() => { list.current?.children[at]?.scrollIntoView({ block: "nearest" }); }, [at, offers]);
    if (offers.length === 0) return null;
    return <ul class="offers" role="listbox" id={id} aria-label="Suggestions" ref={list}>{offers.map((o, i) => <li key={o.key} id={`${id}-${i}`} role="option" aria-selected={i === at}
        onPointerDown={(e) => { e.preventDefault(); pick(o); }}>
        <Icon name={o.icon} size={14} /><span class="offer-name">{o.name}</span><span class="offer-says">{o.says}</span></li>)}</ul>;
}
