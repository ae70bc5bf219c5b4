// A session of the mock: its events, who watches it, and the shapes of docs/events.md in short.
import { randomUUID } from "node:crypto";

const MiB = 1024 * 1024;
export const limits = { time: 30000, memory: 256 * MiB, stack: 512 * 1024, cpu: 20000, output: 10 * MiB };

let idNumber = 0;
/** Ids in the order of their making, like UUIDv7. */
export function newId(at = Date.now()) {
    const n = (Math.round(at) * 4096 + (idNumber++ % 4096)).toString(16).padStart(16, "0").slice(-15);
    return `${n.slice(0, 8)}-${n.slice(8, 12)}-7${n.slice(12, 15)}-${randomUUID().slice(19)}`;
}

export class Session {
    constructor({ title = "", model = "scripted/m", mode = "default", at = Date.now() } = {}) {
        Object.assign(this, { id: newId(at), title, model, mode, events: [], deltas: [], watchers: new Set(), clock: at, run: null, turn: 0, waiting: null, stopped: false, queue: [] });
        this.created = new Date(at).toISOString();
    }

    row() {
        return { id: this.id, title: this.title, created_at: this.created, updated_at: this.events.at(-1)?.t ?? this.created, model: this.model, mode: this.mode,
            events: this.events.length, running: this.run !== null, waiting: this.waiting !== null, damaged: this.damaged ?? false, kind: this.kind ?? "chat", parent: this.parent ?? null,
            pinned: this.pinned ?? false, planner: this.planner ?? false, forked_from: this.forked_from ?? null, agent: this.agent };
    }

    /** at: live sessions take the clock's time, canned ones step on. */
    add(type, members = {}, step = 0) {
        this.clock = this.live ? Date.now() : this.clock + step;
        const event = { seq: this.events.length + 1, t: new Date(this.clock).toISOString(), type, ...(this.run ? { run: this.run } : {}), ...members };
        this.events.push(event);
        if (type === "assistant" || type === "run_end") this.deltas = [];
        for (const w of this.watchers) w(event);
    }

    delta(type, members) {
        const event = { type, run: this.run, ...members };
        this.deltas.push(event);
        for (const w of this.watchers) w(event);
    }

    begin(text, maxTurns = 50, queued = undefined) {
        this.run = newId();
        this.turn = 0;
        this.startedAt = this.clock;
        this.add("run_start", { model: this.model, mode: this.mode, max_turns: maxTurns });
        this.add("user", { text, ...(queued ? { queued } : {}) });
        if (!this.title) { this.title = text.split("\n")[0].slice(0, 60); this.add("title", { title: this.title }); }
    }

    assistant(text, calls = [], more = {}) {
        this.turn++;
        this.add("assistant", { turn: this.turn, text, calls, finish: calls.length ? "tool_calls" : "stop", ...more }, 900);
        const input = 1800 + this.events.length * 140 + text.length;
        this.add("usage", { turn: this.turn, input_tokens: input, output_tokens: Math.ceil(text.length / 4) + calls.length * 30, cached_tokens: 1024,
            window: 32768, estimated: input - 20, ms: 900, first_token_ms: 210 });
    }

    allow(call, by = "mode", reason = "reading is allowed in this mode") {
        this.add("permission", { call: call.id, tool: call.tool, decision: "allow", reason, by });
    }

    started(call, level, more = {}) {
        this.add("tool_start", { turn: this.turn, call: call.id, tool: call.tool, level, limits: { ...limits, ...more } }, 1);
    }

    result(call, content, { ms = 3, limit = null, error = false, metadata, denied, used = {} } = {}) {
        this.add("tool_result", { turn: this.turn, call: call.id, tool: call.tool, content, is_error: error || limit !== null, ...(metadata ? { metadata } : {}), ...(denied ? { denied } : {}), limit, ms,
            receipt: { id: newId(), tool: call.tool, limit, walls: 127,
                used: { fuel: 0, peak_memory: 1_310_720, wall_us: ms * 1000, cpu_us: ms * 700, stdout_bytes: String(content).length, ...used } } }, ms);
    }

    end(reason = "done") {
        this.add("run_end", { reason, turns: this.turn, ms: this.clock - this.startedAt });
        this.run = null;
        this.waiting = null;
    }
}

export const call = (tool, input) => ({ id: `call_${newId().slice(9)}`, tool, input });
