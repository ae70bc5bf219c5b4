// The server's half of RFC 6455, as much as a page on the same machine needs: text frames, ping, close.
import { createHash } from "node:crypto";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Answers the upgrade; returns { send(object), close() } and calls onMessage(object) and onClose(). */
export function accept(request, socket, onMessage, onClose) {
    const key = createHash("sha1").update(request.headers["sec-websocket-key"] + guid).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
    socket.setNoDelay(true);
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk) => {
        pending = Buffer.concat([pending, chunk]);
        for (;;) {
            const frame = parse(pending);
            if (!frame) return;
            pending = pending.subarray(frame.size);
            if (frame.opcode === 8) { socket.end(encode(8, frame.payload)); return; }
            if (frame.opcode === 9) socket.write(encode(10, frame.payload));
            if (frame.opcode === 1) onMessage(JSON.parse(frame.payload.toString()));
        }
    });
    socket.on("close", onClose);
    socket.on("error", () => socket.destroy());
    return {
        send: (object) => { if (socket.writable) socket.write(encode(1, Buffer.from(JSON.stringify(object)))); },
        close: () => socket.destroy(),
    };
}

function parse(data) {
    if (data.length < 6) return null;
    let size = data[1] & 127, at = 2;
    if (size === 126) { size = data.readUInt16BE(2); at = 4; }
    else if (size === 127) { if (data.length < 14) return null; size = Number(data.readBigUInt64BE(2)); at = 10; }
    if (data.length < at + 4 + size) return null;
    const mask = data.subarray(at, at + 4);
    const payload = Buffer.from(data.subarray(at + 4, at + 4 + size));
    for (let i = 0; i < size; i++) payload[i] ^= mask[i & 3];
    return { opcode: data[0] & 15, payload, size: at + 4 + size };
}

function encode(opcode, payload) {
    const head = payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length])
        : payload.length < 65536 ? Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 255])
        : Buffer.concat([Buffer.from([0x80 | opcode, 127]), (() => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(payload.length)); return b; })()]);
    return Buffer.concat([head, payload]);
}
