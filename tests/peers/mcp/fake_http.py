#!/usr/bin/env python3
"""The server of fake.py behind HTTP, with its own authorization server, and hostile on demand. Standard library only.

    fake_http.py [--modern] [--oauth] [--sse-only] [--state FILE]        prints "port N"

POST /mcp: streamable HTTP; GET /sse and POST /messages: the transport of 2024-11-05. GET /_seen: what came, as JSON."""
import base64
import hashlib
import json
import queue
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import fake

OAUTH, SSE_ONLY = "--oauth" in sys.argv, "--sse-only" in sys.argv
seen, sessions, streams = [], set(), {}
codes, tokens, refreshes = {}, set(), set()
life = {"seconds": 3600}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def origin(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def reply(self, status, body=b"", kind="application/json", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def begin_events(self, **headers):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.close_connection = True

    def event(self, data, kind="message"):
        self.wfile.write(f"event: {kind}\r\ndata: {data}\r\n\r\n".encode())
        self.wfile.flush()

    @staticmethod
    def answer_by_stream(message, out):
        fake.local.send = lambda m: out.put(json.dumps(m))
        fake.answer(message)

    def answered(self, message):
        event = fake.answers.get(message["id"])
        if event:
            event.message = message
            event.set()

    def refused(self):
        if not OAUTH or self.headers.get("Authorization", "")[7:] in tokens:
            return False
        self.reply(401, {}, WWW_Authenticate=f'Bearer resource_metadata="{self.origin()}/meta/resource"')
        return True

    # ---- the authorization server ----

    def metadata(self, path):
        if path == "/meta/resource":
            return {"resource": self.origin() + "/mcp", "authorization_servers": [self.origin() + "/as"], "scopes_supported": ["tools"]}
        if path == "/.well-known/oauth-authorization-server/as":
            at = self.origin()
            return {"issuer": at + "/as", "authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token",
                    "registration_endpoint": at + "/register", "code_challenge_methods_supported": ["S256"],
                    "authorization_response_iss_parameter_supported": True}
        return None

    def authorize(self, query):
        code = secrets.token_hex(8)
        codes[code] = query
        back = urlencode({"code": code, "state": query["state"], "iss": self.origin() + "/as"})
        self.reply(302, Location=query["redirect_uri"] + "?" + back)

    def token(self, form):
        if form.get("grant_type") == "refresh_token":
            good = form.get("refresh_token") in refreshes
            refreshes.discard(form.get("refresh_token"))
        else:
            asked = codes.pop(form.get("code"), {})
            digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
            good = asked.get("code_challenge") == digest and asked.get("redirect_uri") == form.get("redirect_uri") and \
                asked.get("resource") == form.get("resource") == self.origin() + "/mcp" and form.get("client_id") == "client-1"
        if not good:
            return self.reply(400, {"error": "invalid_grant"})
        access, refresh = "token-" + secrets.token_hex(8), "refresh-" + secrets.token_hex(8)
        tokens.add(access)
        refreshes.add(refresh)
        return self.reply(200, {"access_token": access, "refresh_token": refresh, "expires_in": life["seconds"], "token_type": "Bearer"})

    # ---- MCP ----

    def do_GET(self):
        path, query = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        if path == "/_seen":
            return self.reply(200, seen)
        if path == "/_expire":
            sessions.clear()
            return self.reply(200, {})
        if path == "/_revoke":
            tokens.clear()
            return self.reply(200, {})
        if path == "/_short":
            life["seconds"] = 1
            return self.reply(200, {})
        if path == "/authorize":
            return self.authorize(query)
        if self.metadata(path):
            return self.reply(200, self.metadata(path))
        if path == "/sse":
            name = secrets.token_hex(4)
            streams[name] = queue.Queue()
            self.begin_events()
            self.event(f"/messages?s={name}", "endpoint")
            while True:
                try:
                    self.event(streams[name].get(timeout=600))
                except OSError:
                    return None
        if path == "/mcp" and not fake.MODERN and self.headers.get("Mcp-Session-Id") in sessions:
            self.begin_events()
            streams["listen"] = queue.Queue()
            while True:
                try:
                    self.event(streams["listen"].get(timeout=600))
                except OSError:
                    return None
        return self.reply(405)

    def do_DELETE(self):
        sessions.discard(self.headers.get("Mcp-Session-Id"))
        self.reply(200, {})

    def do_POST(self):
        path, body = urlsplit(self.path).path, self.body()
        if path == "/register":
            return self.reply(201, {"client_id": "client-1", **json.loads(body)})
        if path == "/token":
            return self.token({k: v[0] for k, v in parse_qs(body.decode()).items()})
        if path == "/messages":
            out = streams[parse_qs(urlsplit(self.path).query)["s"][0]]
            message = json.loads(body)
            seen.append({"method": message.get("method"), "transport": "sse"})
            if "method" not in message:
                self.answered(message)
            elif "id" in message:  # the connection is free for what we ask meanwhile
                threading.Thread(target=self.answer_by_stream, args=(message, out), daemon=True).start()
            return self.reply(202)
        if path != "/mcp" or SSE_ONLY:
            return self.reply(404, b"nothing", "text/plain")
        if self.refused():
            return None
        return self.mcp(json.loads(body))

    def mcp(self, message):
        method, session = message.get("method"), self.headers.get("Mcp-Session-Id")
        seen.append({"method": method, "version": self.headers.get("MCP-Protocol-Version"), "session": session, "x": self.headers.get("X-Test"),
                     "mcp_method": self.headers.get("Mcp-Method"), "mcp_name": self.headers.get("Mcp-Name"), "params": {k: v for k, v in self.headers.items() if k.startswith("Mcp-Param-")}, "id": message.get("params", {}).get("requestId")})
        if method is None:  # an answer to what we asked
            self.answered(message)
            return self.reply(202)
        if not fake.MODERN and method != "initialize" and session not in sessions:
            return self.reply(404 if session else 400, b"no session", "text/plain")
        if "id" not in message:
            return self.reply(202)
        if method == "subscriptions/listen" or method == "tools/call" and message["params"]["name"] in ("progress", "ask_back", "slow", "drip", "storm"):
            self.begin_events()
            fake.local.send = lambda m: self.event(json.dumps(m))
            if method == "subscriptions/listen":
                time.sleep(3600)
            if message["params"]["name"] == "drip":
                text = f'data: {json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": fake.text("dripped")})}\n\n'
                for c in text:
                    self.wfile.write(c.encode())
                    self.wfile.flush()
                return None
            return fake.answer(message)
        if method == "tools/call" and message["params"]["name"] == "crash":
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"half")
            return None
        answers = []
        fake.local.send = answers.append
        fake.answer(message)
        headers = {}
        if method == "initialize":
            session = secrets.token_hex(8)
            sessions.add(session)
            headers["Mcp_Session_Id"] = session
        unknown = answers[-1].get("error", {}).get("code") == -32601 and fake.MODERN
        return self.reply(404 if unknown else 200, answers[-1], **headers)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print("port", server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
