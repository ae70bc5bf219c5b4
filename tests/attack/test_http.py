#!/usr/bin/env python3
"""Hostile clients against the real server: BOXAGNTS=path/to/boxagnts python3 tests/attack/test_http.py

Each attack is a function that raises AssertionError when it gets through. Where a build can switch controls off
(BX_CAN_UNWIRE=1), the same functions must raise against a server without the control."""
import json
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from client import Server, read_all, read_reply, request_bytes, statuses  # noqa: E402


def check(condition, *what):
    if not condition:
        raise AssertionError(*what)


def session_count(server):
    return len(server.api("GET", "/sessions?limit=500").json["sessions"])


# --- the attacks --------------------------------------------------------------------------------------------------


def attack_smuggling(server):
    """A request hidden in another one's body: it must never be run, whoever might read the lengths differently."""
    hidden = request_bytes("POST", "/api/v1/sessions", server.host, {}, [("Authorization", "Bearer " + server.bearer)])
    host = f"Host: {server.host}\r\nAuthorization: Bearer {server.bearer}\r\n".encode()
    n = str(len(hidden)).encode()
    short = b"POST /api/v1/sessions/x/stop HTTP/1.1\r\n" + host
    payloads = {
        "both lengths": short + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "both lengths, other order": short + b"Transfer-Encoding: chunked\r\nContent-Length: " + n + b"\r\n\r\n0\r\n\r\n" + hidden,
        "two lengths": short + b"Content-Length: 0\r\nContent-Length: " + n + b"\r\n\r\n" + hidden,
        "list of lengths": short + b"Content-Length: 0, " + n + b"\r\n\r\n" + hidden,
        "signed length": short + b"Content-Length: +0\r\n\r\n" + hidden,
        "negative length": short + b"Content-Length: -1\r\n\r\n" + hidden,
        "length that overflows": short + b"Content-Length: 18446744073709551616\r\n\r\n" + hidden,
        "space before the colon": short + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
        "folded coding": short + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + hidden,
        "strange coding": short + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
        "two codings": short + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
        "identity at the end": short + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + hidden,
        "coding behind a tab": short + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + hidden,
        "line feed only": short + b"X: y\nContent-Length: 0\r\n\r\n" + hidden,
        "return in a value": short + b"X: y\rTransfer-Encoding: chunked\r\n\r\n" + hidden,
        "nul in a value": short + b"X: y\x00\r\n\r\n" + hidden,
        "chunk size too large": short + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + hidden,
        "chunk size with a sign": short + b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n" + hidden,
        "chunk ended by line feed": short + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + hidden,
        "chunk longer than it says": short + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + hidden,
        "space in a name": b"POST /api/v1/sessions/x/stop HTTP/1.1\r\n" + host + b"Content Length: 0\r\n\r\n" + hidden,
        "two hosts": b"POST /api/v1/sessions/x/stop HTTP/1.1\r\n" + host + host + b"\r\n" + hidden,
        "no host": b"POST /api/v1/sessions/x/stop HTTP/1.1\r\n\r\n" + hidden,
        "version 0.9": b"GET /healthz\r\n" + hidden,
    }
    before = session_count(server)
    for name, payload in payloads.items():
        got = statuses(server.raw(payload))
        check(len(got) == 1 and got[0] >= 400, name, got)
        check(session_count(server) == before, name, "the hidden request was run")


def attack_hosts(server):
    """DNS rebinding: the name in Host is the attacker's."""
    port = server.port
    for host in ["evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "127.0.0.1", "localhost",
                 f"localhost:{port + 1}", f"127.0.0.2:{port}", f"0.0.0.0:{port}", f"[::]:{port}", f"127.0.0.1:{port}@evil.example",
                 f"localhost.:{port}", f"127.1:{port}", f"127.0.0.1:0{port}", f"evil.example:{port},127.0.0.1:{port}"]:
        for path in ["/api/v1/sessions", "/", "/healthz"]:
            reply = server.request("GET", path, headers=[("Cookie", server.cookie)], host=host)
            check(reply.status == 421, host, path, reply)
    for host in [f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"]:
        check(server.request("GET", "/healthz", host=host).status == 200, host)


def foreign_origins(server):
    port = server.port
    return ["http://evil.example", "null", "", f"http://127.0.0.1:{port + 1}", "http://127.0.0.1", f"http://localhost.evil.example:{port}",
            f"http://evil.example:{port}", f"ftp://127.0.0.1:{port}", f"127.0.0.1:{port}", "file://", f"http://127.0.0.1:{port}/",
            f"http://127.0.0.1:{port} http://evil.example", f"http://user@127.0.0.1:{port}"]


def attack_origins(server):
    """A page of somebody else's writes to us, or opens a WebSocket, with the cookie of the user's browser."""
    cookie = ("Cookie", server.cookie)
    before = session_count(server)
    for origin in foreign_origins(server):
        reply = server.request("POST", "/api/v1/sessions", {}, [cookie, ("Origin", origin)])
        check(reply.status == 403, "POST", origin, reply)
        with server.websocket([cookie, ("Origin", origin)]) as ws:
            check(ws.status == 403, "WebSocket", origin, ws.status)
    for site in ["cross-site", "same-site"]:
        for method, path, body in [("POST", "/api/v1/sessions", {}), ("GET", "/api/v1/sessions", None)]:
            reply = server.request(method, path, body, [cookie, ("Sec-Fetch-Site", site)])
            check(reply.status == 403, method, site, reply)
    reply = server.request("OPTIONS", "/api/v1/sessions", None,
                           [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "POST")])
    check(reply.status == 403 and not any(name.startswith("access-control") for name in reply.headers), "preflight", reply)
    check(session_count(server) == before, "a foreign page made a session")
    own = ("Origin", f"http://127.0.0.1:{server.port}")
    check(server.request("POST", "/api/v1/sessions", {}, [cookie, own]).status == 201, "our own page")
    with server.websocket([cookie, own]) as ws:
        check(ws.status == 101, "our own page's WebSocket", ws.status)


PATHS = [("GET", "/"), ("GET", "/index.html"), ("GET", "/api/v1/sessions"), ("POST", "/api/v1/sessions"), ("GET", "/api/v1/system"),
         ("GET", "/api/v1/settings"), ("PUT", "/api/v1/settings"), ("PUT", "/api/v1/providers/openai/key"), ("GET", "/api/v1/tools"),
         ("POST", "/api/v1/tools/write/run"), ("GET", "/api/v1/models"), ("GET", "/api/v1/nothing"), ("DELETE", "/"),
         ("GET", "/api/v1/sessions/00000000-0000-7000-8000-000000000000/export"), ("GET", "/nothing")]


def attack_without_cookie(server):
    """Another user or program of this machine that only knows the port."""
    name, value = server.cookie.split("=", 1)
    flipped = value[:-1] + ("0" if value[-1] != "0" else "1")
    attempts = [[], [("Cookie", name + "=")], [("Cookie", f"{name}={value[:-1]}")], [("Cookie", f"{name}={value}0")],
                [("Cookie", f"{name}={flipped}")], [("Cookie", f"x{name}={value}")], [("Cookie", f"{name}={server.bearer}")],
                [("Authorization", "Bearer")], [("Authorization", "Bearer ")], [("Authorization", f"Bearer {value}")],
                [("Authorization", f"Basic {server.bearer}")], [("Authorization", f"Bearer {server.bearer[:-1]}")]]
    for headers in attempts:
        for method, path in PATHS:
            reply = server.request(method, path, {} if method in ("POST", "PUT") else None, headers)
            check(reply.status == 401, method, path, headers, reply)
        with server.websocket(headers) as ws:
            check(ws.status == 401, "WebSocket", headers, ws.status)
    for path in ["/healthz", "/readyz", "/version"]:
        check(server.request("GET", path).status == 200, path)


def attack_with_large_bodies(server):
    """Each refused by what the head says or by what came, never kept."""
    bearer = ("Authorization", "Bearer " + server.bearer)
    session = server.api("POST", "/sessions", {}).json["id"]
    for method, path, limit in [("POST", "/api/v1/sessions", 16 << 10), ("PUT", "/api/v1/settings", 2 << 20),
                                ("POST", f"/api/v1/sessions/{session}/messages", 2 << 20), ("POST", f"/api/v1/sessions/{session}/stop", 16 << 10),
                                ("POST", "/api/v1/tools/read/run", 2 << 20), ("GET", "/api/v1/sessions", 0), ("GET", "/healthz", 0)]:
        head = request_bytes(method, path, server.host, None, [bearer, ("Content-Type", "application/json"), ("Content-Length", limit + 1)])
        with server.connect() as s:
            s.sendall(head)  # and not a byte of the body
            s.shutdown(socket.SHUT_WR)
            got = statuses(read_all(s))
        check(got == [413], "announced", method, path, got)
        head = request_bytes(method, path, server.host, None, [bearer, ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")])
        size = limit + 1
        got = statuses(server.raw(head + b"%x\r\n" % size + b" " * size + b"\r\n0\r\n\r\n"))
        check(got == [413], "chunked", method, path, got)


def attack_paths(server):
    """Out of the table of files."""
    for path in ["/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/etc/passwd",
                 "/index.html/../../etc/passwd", "/.%2e/auth.json", "/.boxagnts/auth.json", "/%5c..%5cetc%5cpasswd", "/index.html%00.png",
                 "/./index.html", "/static/../index.html", "/%252e%252e/etc/passwd"]:
        reply = server.request("GET", path, headers=[("Cookie", server.cookie)])
        check(reply.status in (400, 404) and b"root:" not in reply.body and server.bearer.encode() not in reply.body, path, reply)
    for path in ["/api/v1/sessions/../settings", "/api/v1/sessions/..%2f..%2fauth.json", "/api/v1/sessions/%2e%2e/events",
                 "/api/v1/sessions/..%2fauth/export", "/api/v1/tools/..%2fread/run", "/api/v1/sessions/%00/export"]:
        reply = server.request("GET", path, headers=[("Cookie", server.cookie)])
        check(reply.status in (400, 404, 405), path, reply)


# --- the tests ----------------------------------------------------------------------------------------------------


class Attacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def tearDown(self):
        self.assertEqual(self.server.request("GET", "/healthz").status, 200)  # it lives on

    def test_smuggling(self):
        attack_smuggling(self.server)

    def test_hosts(self):
        attack_hosts(self.server)

    def test_origins(self):
        attack_origins(self.server)

    def test_without_cookie(self):
        attack_without_cookie(self.server)

    def test_large_bodies(self):
        attack_with_large_bodies(self.server)

    def test_paths(self):
        attack_paths(self.server)

    def test_large_heads(self):
        start = f"GET /healthz HTTP/1.1\r\nHost: {self.server.host}\r\n".encode()
        self.assertEqual(statuses(self.server.raw(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n")), [414])
        self.assertEqual(statuses(self.server.raw(start + b"X: " + b"a" * 17000 + b"\r\n\r\n")), [431])
        self.assertEqual(statuses(self.server.raw(start + b"X: y\r\n" * 5000 + b"\r\n")), [431])
        self.assertEqual(statuses(self.server.raw(b"A" * 200000)), [501])

    def test_header_injection(self):
        for path in ["/%0d%0aSet-Cookie:%20a=b", "/api/v1/sessions/%0d%0aX:y/export", "/?token=a%0d%0aX:%20y"]:
            reply = self.server.request("GET", path, headers=[("Cookie", self.server.cookie)])
            self.assertNotIn("x", reply.headers)
            self.assertNotEqual(reply.headers.get("set-cookie", "").split(";")[0], "a=b")
        title = "a\r\nX-Evil: 1\r\n\r\n<script>"
        row = self.server.api("POST", "/sessions", {"title": title}).json
        reply = self.server.api("GET", f"/sessions/{row['id']}/export")
        self.assertEqual(reply.status, 200)
        self.assertNotIn("x-evil", reply.headers)
        self.assertEqual(reply.json["header"]["title"], title)
        self.assertEqual(reply.headers["content-disposition"], f'attachment; filename="boxagnts-{row["id"]}.json"')

    def test_every_reply_is_closed_to_other_pages(self):
        for method, path in PATHS + [("GET", "/healthz")]:
            for headers in ([], [("Cookie", self.server.cookie)]):
                body = {} if method in ("POST", "PUT") else None
                got = self.server.request(method, path, body, headers).headers
                policy = got["content-security-policy"]
                self.assertIn("default-src 'self'", policy)
                self.assertIn("frame-ancestors 'none'", policy)
                self.assertNotIn("unsafe", policy)
                self.assertEqual(got["x-content-type-options"], "nosniff")
                self.assertEqual(got["referrer-policy"], "no-referrer")
                self.assertEqual(got["cross-origin-opener-policy"], "same-origin")
                self.assertEqual(got["cross-origin-resource-policy"], "same-origin")
                self.assertFalse(any(name.startswith("access-control") for name in got))

    def test_many_half_requests(self):
        """Slowloris: they wait for nothing, everybody else is served, and at last they are told to go."""
        sockets = []
        for _ in range(300):
            s = self.server.connect()
            s.sendall(b"GET / HTTP/1.1\r\nHost: ")
            sockets.append(s)
        for _ in range(20):
            self.assertEqual(self.server.request("GET", "/healthz").status, 200)
        for s in sockets:
            self.assertEqual(statuses(read_all(s)), [408])
            s.close()

    def test_clients_that_leave(self):
        for data in [b"", b"GET", b"GET / HTTP/1.1\r\n", request_bytes("GET", "/api/v1/models", self.server.host),
                     request_bytes("POST", "/api/v1/sessions", self.server.host, b"{" * 100)]:
            for _ in range(20):
                s = self.server.connect()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset instead of a farewell
                s.sendall(data)
                s.close()

    def test_pipelined_flood(self):
        one = f"GET /healthz HTTP/1.1\r\nHost: {self.server.host}\r\n\r\n".encode()
        last = request_bytes("GET", "/healthz", self.server.host)
        with self.server.connect() as s:
            s.sendall(one * 200)
            s.sendall(last)
            self.assertEqual(statuses(read_all(s)), [200] * 201)

    def test_bodies_that_are_not_json(self):
        bearer = [("Authorization", "Bearer " + self.server.bearer)]
        for body in [b"{", b"[]", b"null", b'"x"', b"{} {}", b"\xff", b'{"title":"\xff"}', b'{"title":"\\ud800"}', b"[" * 10000, b'{"a":' * 5000]:
            reply = self.server.request("POST", "/api/v1/sessions", body, bearer)
            self.assertIn(reply.status, (400, 413), (body[:20], reply))
            self.assertEqual(reply.headers["content-type"], "application/problem+json")
        form = request_bytes("POST", "/api/v1/sessions", self.server.host, b"{}", bearer)
        for other in [b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data"]:
            self.assertEqual(statuses(self.server.raw(form.replace(b"application/json", other))), [415])

    def test_unknown_members_are_named(self):
        reply = self.server.api("POST", "/sessions", {"titel": "x"})
        self.assertEqual((reply.status, reply.json["field"]), (400, "titel"))
        self.assertIn("title", reply.json["detail"])

    def test_bypass_cannot_be_switched_on(self):
        session = self.server.api("POST", "/sessions", {}).json["id"]
        for method, path in [("POST", "/sessions"), ("PATCH", f"/sessions/{session}"), ("PUT", "/settings")]:
            reply = self.server.api(method, path, {"mode": "bypass"})
            self.assertIn(reply.status, (400, 403))
            self.assertEqual(reply.json["field"], "mode")

    def test_keys_never_come_back(self):
        key = "sk-test-0123456789abcdef"
        self.assertEqual(self.server.api("PUT", "/providers/openai/key", {"key": key}).status, 204)
        self.assertEqual(os.stat(self.server.workspace + "/.boxagnts/auth.json").st_mode & 0o777, 0o600)
        session = self.server.api("POST", "/sessions", {}).json["id"]
        for path in ["/settings", "/models", "/system", "/tools", "/sessions", f"/sessions/{session}/export"]:
            body = self.server.api("GET", path).body
            for secret in [key, *self.server.secrets.values()]:
                self.assertNotIn(str(secret).encode(), body, path)
        for bad in [{"providers": {"x": {"base_url": "http://127.0.0.1:1/v1", "api_key": key}}}]:
            reply = self.server.api("PUT", "/settings", bad)
            self.assertEqual((reply.status, reply.json["field"]), (400, "providers"))
        self.server.log.flush()
        with open(self.server.log.name) as log:
            text = log.read()
        for secret in [key, self.server.token, self.server.bearer, self.server.secrets["session_key"]]:
            self.assertNotIn(secret, text)


class OneTimeToken(unittest.TestCase):
    def test_works_once(self):
        with Server() as server:
            wrong = server.request("GET", "/?token=" + "0" * 64)
            self.assertEqual(wrong.status, 401)
            self.assertNotIn("set-cookie", wrong.headers)
            first = server.request("GET", f"/?token={server.token}")
            self.assertEqual((first.status, first.headers["location"]), (303, "/"))
            cookie = first.headers["set-cookie"]
            for flag in ["HttpOnly", "SameSite=Strict", "Path=/"]:
                self.assertIn(flag, cookie)
            again = server.request("GET", f"/?token={server.token}")
            self.assertEqual(again.status, 401)
            self.assertNotIn("set-cookie", again.headers)
            empty = server.request("GET", "/?token=")
            self.assertEqual(empty.status, 401)
            known = server.request("GET", "/?token=used", headers=[("Cookie", cookie.split(";")[0])])
            self.assertEqual(known.status, 303)


class WebSockets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_bad_frames(self):
        large = b"x" * ((1 << 20) + 1)
        for name, code, frames in [
                ("unmasked", 1002, [(0x81, b'{"op":"ping"}', False)]), ("reserved bit", 1002, [(0xc1, b"{}", True)]),
                ("unknown opcode", 1002, [(0x83, b"{}", True)]), ("unknown control opcode", 1002, [(0x8f, b"", True)]),
                ("continuation of nothing", 1002, [(0x80, b"{}", True)]), ("fragmented ping", None, [(0x09, b"", True)]),
                ("text inside of a text", 1002, [(0x01, b"{", True), (0x81, b"}", True)]),
                ("oversize", 1009, [(0x81, large, True)]), ("not UTF-8", 1007, [(0x81, b"\xff\xfe", True)]),
                ("overlong UTF-8", 1007, [(0x81, b"\xc0\xaf", True)]), ("binary", 1003, [(0x82, b"{}", True)]),
                ("oversize by fragments", 1009, [(0x01, large[:600000], True), (0x80, large[:600000], True)])]:
            with self.subTest(name), self.server.websocket() as ws:
                self.assertEqual(ws.status, 101)
                for first, payload, masked in frames:
                    try:
                        ws.send_frame(first, payload, masked)
                    except OSError:
                        break  # told to go while we were still sending
                self.assertEqual(ws.close_code(), code)

    def test_length_that_lies(self):
        with self.server.websocket() as ws:
            ws.socket.sendall(b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"\1\2\3\4" + b"x")
            self.assertEqual(ws.close_code(), 1009)
        with self.server.websocket() as ws:
            ws.socket.sendall(b"\x81\xff" + b"\xff" * 8 + b"\1\2\3\4")
            self.assertIsNone(ws.close_code())

    def test_bad_messages(self):
        id_ = self.server.api("POST", "/sessions", {}).json["id"]
        with self.server.websocket() as ws:
            for text, code in [("", "invalid"), ("[]", "invalid"), ("{", "invalid"), ('{"op":"launch"}', "invalid"), ('{"op":1}', "invalid"),
                               ('{"op":"ping","x":1}', "invalid"), ('{"op":"subscribe"}', "invalid"),
                               ('{"op":"subscribe","session":"../auth"}', "notfound"),
                               ('{"op":"subscribe","session":"%s","from":0}' % id_, "invalid"),
                               ('{"op":"subscribe","session":"00000000-0000-7000-8000-000000000000"}', "notfound"),
                               ('{"op":"send","session":"%s","text":" "}' % id_, "invalid"),
                               ('{"op":"answer","session":"%s","question":"q","choice":"maybe"}' % id_, "invalid"),
                               ('{"op":"answer","session":"%s","question":"q","choice":"once"}' % id_, "notfound"),
                               ('{"op":"stop","session":"%s"}' % id_, "notfound")]:
                ws.send_frame(0x81, text.encode())
                message = ws.hear_until(lambda m: m["op"] != "sessions")[-1]
                self.assertEqual((message["op"], message["code"]), ("error", code), (text, message))
                self.assertTrue(message["text"])
            ws.say(op="send", session=id_, text="", ref="r7")
            self.assertEqual(ws.hear_until(lambda m: m["op"] != "sessions")[-1]["ref"], "r7")
            ws.say(op="ping")
            self.assertEqual(ws.hear_until(lambda m: m["op"] != "sessions")[-1], {"op": "pong"})

    def test_floods(self):
        """Pings and requests by the thousand from a page that does not read: it is not read either."""
        with self.server.websocket() as ws:
            ws.socket.settimeout(2)
            piece = ws.frame(0x89, b"x" * 100) * 500
            try:
                for _ in range(400):
                    ws.socket.sendall(piece)
            except OSError:
                pass  # the pipe is full: as it should be
            self.assertEqual(self.server.request("GET", "/healthz").status, 200)

    def test_too_many_subscriptions(self):
        ids = [self.server.api("POST", "/sessions", {}).json["id"] for _ in range(65)]
        with self.server.websocket() as ws:
            for id_ in ids[:64]:
                ws.say(op="subscribe", session=id_)
                ws.hear_until(lambda m: m["op"] == "caught_up")
            ws.say(op="subscribe", session=ids[64], ref="one too many")
            self.assertEqual(ws.hear_until(lambda m: m["op"] == "error")[-1]["code"], "limit")
            ws.say(op="unsubscribe", session=ids[0])
            ws.say(op="subscribe", session=ids[64])
            self.assertEqual(ws.hear_until(lambda m: m["op"] == "caught_up")[-1]["session"], ids[64])


class StartAndStop(unittest.TestCase):
    def test_only_this_machine(self):
        for host in ["0.0.0.0", "::", "192.0.2.1"]:
            with self.assertRaises(RuntimeError) as caught:
                Server(arguments=["--host", host]).stop()
            self.assertIn("--host", str(caught.exception))

    def test_taken_port(self):
        with Server() as first:
            with self.assertRaises(RuntimeError) as caught:
                Server(arguments=["--port", str(first.port)]).stop()
            self.assertIn(f"port {first.port} is taken", str(caught.exception))

    def test_stops_with_clients(self):
        server = Server()
        ws = server.websocket()
        idle = server.connect()
        server.process.terminate()
        self.assertEqual(ws.close_code(), 1001)
        ws.socket.close()
        self.assertEqual(read_all(idle), b"")
        idle.close()
        server.process.wait(60)
        self.assertEqual(server.process.returncode, 0)
        server.stop()


@unittest.skipUnless(os.environ.get("BX_CAN_UNWIRE") == "1", "this build cannot switch controls off")
class Unwired(unittest.TestCase):
    """Without its control each attack gets through: so the tests above would notice."""

    def check(self, control, attack):
        with Server(unwire=control) as server:
            with self.assertRaises(AssertionError):
                attack(server)

    def test_host_check(self):
        self.check("host_check", attack_hosts)

    def test_origin_check(self):
        self.check("origin_check", attack_origins)

    def test_cookie_check(self):
        self.check("cookie_check", attack_without_cookie)

    def test_body_limit(self):
        self.check("body_limit", attack_with_large_bodies)


if __name__ == "__main__":
    unittest.main(verbosity=2 if sys.stdout.isatty() else 1)
