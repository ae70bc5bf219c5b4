import { toast } from "../state.ts";

/** For a button that is only a sign: what came of it is said at the foot. */
export function copyText(text: string): void {
    void navigator.clipboard.writeText(text).then(() => toast({ text: "Copied." }, 1500), () => toast({ text: "The browser did not allow it." }));
}
