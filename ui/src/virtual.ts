// A long list of which only what is near the view is drawn. Heights are measured where they are drawn and guessed elsewhere; whatever
// changes above, the entry at the upper edge of the view stays where it is (or the end does, while it is followed).
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Options<T> {
    key(item: T): string;
    guess(item: T): number; // the height of one that was never drawn
    all: number; // as many are drawn without further ado
    follow?: boolean; // begins at the end and stays there
    settled?(): void; // after each layout
}

const ahead = 900; // drawn above and below the view, px

export class Virtual<T> {
    follow: boolean;
    box: HTMLElement | null = null; // what scrolls
    list: HTMLElement | null = null; // holds the slots, nothing else
    from = 0;
    to = 0;
    private items: readonly T[] = [];
    private counted = -1;
    private tops = new Float64Array(1); // of each, and of the end
    private index = new Map<string, number>();
    private heights = new Map<string, number>();
    private stale = true;
    private drawn = 0; // the room above, as it is drawn
    private focused = false;
    private rounds = 0; // of drawing without a frame between
    private known = 0; // where the view was when it was last looked at
    private anchor: { key: string; below: number } | null = null; // below: how far the edge is below the entry's top

    constructor(private readonly options: Options<T>, private readonly redraw: () => void) { this.follow = options.follow ?? false; }

    /** Which are drawn now, and the room that the others take. */
    place(items: readonly T[]): { from: number; to: number; above: number; below: number } {
        this.focused = this.list?.contains(document.activeElement) ?? false;
        if (!this.follow && this.box && Math.abs(this.box.scrollTop - this.known) > 1) this.hold(); // scrolled, and the event is still on its way
        if (items !== this.items || items.length !== this.counted) {
            if (items !== this.items || items.length < this.counted) this.index.clear();
            for (let i = this.index.size; i < items.length; i++) this.index.set(this.options.key(items[i]!), i);
            Object.assign(this, { items, counted: items.length, stale: true });
        }
        if (this.stale) this.count();
        const n = items.length, total = this.tops[n]!;
        if (n <= this.options.all) Object.assign(this, { from: 0, to: n });
        else {
            const height = this.box?.clientHeight || 900, top = Math.max(0, Math.min(this.edge(), total - height));
            this.from = this.at(top - ahead);
            this.to = Math.min(n, this.at(top + height + ahead) + 1);
        }
        return { from: this.from, to: this.to, above: this.tops[this.from]!, below: total - this.tops[this.to]! };
    }

    private count(): void {
        const n = this.items.length;
        if (this.tops.length < n + 1) this.tops = new Float64Array(2 * n + 1);
        for (let i = 0, top = 0; i <= n; i++) {
            this.tops[i] = top;
            const item = this.items[i];
            if (item !== undefined) top += this.heights.get(this.options.key(item)) ?? this.options.guess(item);
        }
        this.stale = false;
    }

    /** Where the upper edge of the view is, in the list. */
    private edge(): number {
        if (this.follow) return this.tops[this.counted]!;
        const i = this.anchor ? this.index.get(this.anchor.key) : undefined;
        if (i !== undefined) return this.tops[i]! + this.anchor!.below;
        return this.box && this.list ? this.box.scrollTop - this.list.offsetTop : 0;
    }

    private at(top: number): number {
        let low = 0, high = Math.max(0, this.counted - 1);
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (this.tops[middle]! <= top) low = middle; else high = middle - 1;
        }
        return low;
    }

    /** After each drawing: `above` and `below` is the room that was drawn. */
    drew(above: number, below: number): void {
        this.list!.style.paddingTop = `${above}px`;
        this.list!.style.paddingBottom = `${below}px`;
        this.drawn = above;
        if (this.focused && document.activeElement === document.body) this.box!.focus({ preventScroll: true }); // what had the focus is no longer drawn
        this.settle();
    }

    /** Whenever a size changed. */
    resized(): void {
        if (!this.follow && Math.abs(this.box!.scrollTop - this.known) > 1) this.hold();
        this.settle();
    }

    private settle(): void {
        const { box, list } = this;
        if (!box || !list || box.clientHeight === 0) return;
        for (const slot of list.children as HTMLCollectionOf<HTMLElement>) {
            const height = slot.getBoundingClientRect().height;
            if (Math.abs((this.heights.get(slot.dataset.key!) ?? -1) - height) < 0.5) continue;
            this.heights.set(slot.dataset.key!, height);
            this.stale = true;
        }
        if (this.follow) {
            if (box.scrollHeight - box.scrollTop - box.clientHeight > 1) box.scrollTop = box.scrollHeight;
        } else if (this.anchor) {
            const slot = this.slot(this.anchor.key);
            const off = slot ? slot.getBoundingClientRect().top - box.getBoundingClientRect().top + this.anchor.below : 0;
            if (Math.abs(off) > 0.5) box.scrollTop += off;
        }
        if (this.stale || !this.covered()) {
            const { from, to } = this;
            this.place(this.items);
            const more = from !== this.from || to !== this.to || Math.abs(this.drawn - this.tops[from]!) > 0.5;
            if (more && this.rounds++ === 0) requestAnimationFrame(() => { this.rounds = 0; });
            if (more && this.rounds < 12) this.redraw(); // heights that never come to rest must not hold up the page
        }
        this.known = box.scrollTop;
        this.options.settled?.();
    }

    private slot(key: string): HTMLElement | undefined {
        for (const el of this.list!.children as HTMLCollectionOf<HTMLElement>) if (el.dataset.key === key) return el;
        return undefined;
    }

    private covered(): boolean {
        const top = this.edge(), height = this.box!.clientHeight;
        return (this.from === 0 || this.tops[this.from]! < top - ahead / 2) && (this.to >= this.counted || this.tops[this.to]! > top + height + ahead / 2);
    }

    scrolled(): void {
        const { box, list } = this;
        if (!box || !list) return;
        this.hold();
        if (!this.covered()) this.redraw();
    }

    /** The entry at the upper edge is what stays in its place. */
    hold(): void {
        const { box, list } = this;
        if (!box || !list) return;
        const edge = box.getBoundingClientRect().top;
        this.known = box.scrollTop;
        for (const slot of list.children as HTMLCollectionOf<HTMLElement>) {
            const rect = slot.getBoundingClientRect();
            if (rect.bottom <= edge) continue;
            if (rect.top > edge + box.clientHeight) break;
            this.anchor = { key: slot.dataset.key!, below: edge - rect.top };
            return;
        }
        if (this.counted === 0) return;
        const top = box.scrollTop - list.offsetTop, i = this.at(top);
        this.anchor = { key: this.options.key(this.items[i]!), below: top - this.tops[i]! };
    }

    /** Brings an entry into the view: `share` of the view's height is left above it. */
    reveal(key: string, share = 0): void {
        if (!this.box) return;
        this.follow = false;
        this.anchor = { key, below: -share * this.box.clientHeight };
        this.known = this.box.scrollTop;
        this.redraw();
    }

    /** Whether all of it is in the view. */
    sees(key: string): boolean {
        const slot = this.slot(key);
        if (!slot) return false;
        const rect = slot.getBoundingClientRect(), box = this.box!.getBoundingClientRect();
        return rect.top >= box.top && rect.bottom <= box.bottom;
    }
}

export function useVirtual<T>(items: readonly T[], options: Options<T>) {
    const [, redraw] = useState(0);
    const kept = useRef<Virtual<T>>(undefined);
    const v = (kept.current ??= new Virtual(options, () => redraw((n) => n + 1)));
    Object.assign(v, { options });
    const place = v.place(items);
    useLayoutEffect(() => {
        const observer = new ResizeObserver(() => v.resized());
        observer.observe(v.list!.parentElement!);
        observer.observe(v.box!);
        return () => observer.disconnect();
    }, []);
    useLayoutEffect(() => {
        v.drew(place.above, place.below);
    });
    return { v, ...place };
}
