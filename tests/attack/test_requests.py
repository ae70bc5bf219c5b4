#!/usr/bin/env python3
"""Unlucky and hostile requests to every route of docs/openapi.json, made from the document itself:
BOXAGNTS=path/to/boxagnts SCRIPTED_ENDPOINT=… python3 tests/attack/test_requests.py

Whatever comes, the answer is one that the document knows, below 500; a refusal is a sentence, and holds nothing that a format forgot.
There are some 20,000; every fifth is sent, or with BX_REQUESTS=all each of them."""
import http.client
import json
import os
import re
import sys
import unittest
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "flow"))
from boxagnts import PATIENCE, Server, Workspace  # noqa: E402

EVERY = 1 if os.environ.get("BX_REQUESTS") == "all" else 5
NOBODY = "00000000-0000-7000-8000-000000000000"
HOSTILE_NAMES = ["..", "%2e%2e", "..%2f..%2fsettings", "%2fetc%2fpasswd", "a%00b", "%ff%fe", "%00", "%0a", "-1", "18446744073709551616",
                 "%27%22%3c%3e", "%25n%25s", NOBODY, NOBODY.upper(), NOBODY + ".jsonl", "%f0%9f%92%a9", "*", "%5c", ".", "x" * 3000, "CON", "~",
                 "%e2%80%ae"]
HOSTILE_QUERIES = ["", "-1", "0", "18446744073709551616", "1e9", "%00", "%ff", "x" * 5000, "%25s%25n", "..%2f..%2f", "1%0a2", NOBODY, "true", "*", "%5b"]
DEEP = json.loads("[" * 200 + "]" * 200)
HOSTILE_VALUES = [None, True, 0, -1, 1, 1e308, -1e308, 0.5, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -2**63, "", " ", "x", "../../etc/passwd", "a\0b",
                  "%s%n%s", "\u202e\uffff\ufeff", "\n\r\t\x1b[2J", "x" * 5000, "{{x}} $1 ${HOME} `id`", [], [None], [[]], ["x"], {}, {"": None},
                  {"x": {"x": {"x": 1}}}, DEEP]
TEXT = "---\nname: mine\ndescription: x\ntools: [read]\n---\nDo it.\n"
GOOD = {"input": {"file_path": "a.txt"}, "tool": "read", "model": "scripted/m", "entry": {"command": "/nowhere/at-all", "args": ["x"]}}
RAW_BODIES = [b"", b" ", b"{", b"}", b"null", b"[]", b"7", b'"x"', b"\xef\xbb\xbf{}", b"{}{}", b"{,}", b"{'a':1}", b"\xff\xfe\xfd", b'{"text":"\xff"}',
              b'{"text":"\xc0\xaf"}', b'{"text":"\xed\xa0\x80"}', b'{"text":"\\ud800"}', b'{"text":"\\u0000"}', b'{"a":1,"a":2}', b'{"text":"a","text":"b"}',
              b'{"\xff":1}', b"[" * 100000, b'{"a":' * 50000, b'{"text":' + b"9" * 20000 + b"}", b'{"text":1e999999}', b'{"text":-}', b"NaN",
              b'{"text":"' + b"a" * 9000, b"\0" * 50, b'{"a\\u0000b":1}']


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(HERE, "..", "..", "docs", "openapi.json")) as file:
            cls.document = json.load(file)
        cls.workspace = Workspace(files={"a.txt": "text\n"})
        cls.workspace.start_model({"turns": [{"text": "done"}] * 50})
        cls.server = Server(cls.workspace)
        cls.address = re.search(r"//([^/]+)/", cls.server.url)[1]
        cls.connection = None
        cls.turn = 0
        cls.sessions = [cls.server.call("POST", "/sessions", {"model": "scripted/m"})[1]["id"] for _ in range(3)]
        cls.names = {"session": cls.sessions[0], "tool": "read", "pack": "mine", "skill": "mine", "agent": "mine", "provider": "scripted", "server": "mine"}

    @classmethod
    def tearDownClass(cls):
        code = cls.server.end()
        cls.workspace.close()
        assert code == 0, f"the server ended with {code}"

    def ask(self, method, path, body=None):
        """Raw: the path and the body as they are. A connection that the server closed after a refusal is opened anew."""
        headers = {"Authorization": "Bearer " + self.server.token}
        if body is not None:
            headers["Content-Type"] = "application/json"
        for again in (True, False):
            if not type(self).connection:
                type(self).connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
            try:
                self.connection.request(method, path, body, headers)
                reply = self.connection.getresponse()
                return reply.status, reply.headers.get("content-type", ""), reply.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.connection.close()
                type(self).connection = None
                if not again:
                    raise

    def check(self, operation, method, path, body=None):
        type(self).turn += 1
        if self.turn % EVERY:
            return
        what = (method, path[:200], body[:300] if body else body)
        try:
            status, kind, answer = self.ask(method, path, body)
        except Exception as problem:
            raise AssertionError(f"{what}: {problem!r}; the server: {self.server.process.poll()}") from problem
        with self.subTest(what=what):
            self.assertTrue(status < 500 or status == 503 and "/mcp/" in path, answer[:500]) # a server that does not start
            self.assertIn(str(status), operation["responses"], answer[:500])
            self.assertNotIn(b"(null)", answer)
            self.assertNotIn(self.server.token.encode(), answer)
            if status >= 400:
                self.assertEqual(kind, "application/problem+json", answer[:200])
                detail = json.loads(answer)["detail"]
                self.assertGreater(len(detail), 8, answer)
                self.assertLess(len(detail), 2000, answer)

    def resolve(self, schema):
        while "$ref" in schema:
            at = self.document
            for part in schema["$ref"].split("/")[1:]:
                at = at[part]
            schema = at
        return schema

    def example(self, schema, depth=0):
        """Something that the schema takes."""
        schema = self.resolve(schema)
        for combined in ("oneOf", "anyOf", "allOf"):
            if combined in schema:
                return self.example(schema[combined][0], depth)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "object")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            return {} if depth > 4 else {name: self.example(value, depth + 1) for name, value in schema.get("properties", {}).items()}
        if kind == "array":
            return [] if depth > 4 else [self.example(schema.get("items", {}), depth + 1)]
        return {"string": "x", "integer": 1, "number": 1, "boolean": False, "null": None}[kind]

    def prepare(self, template, method):
        """What the operation is about is there."""
        if template == "/api/v1/sessions/{session}" and method == "DELETE":
            self.server.call("POST", f"/sessions/{self.sessions[2]}/restore", {})
            return {**self.names, "session": self.sessions[2]}
        for kind in ("skill", "agent"):
            if "{" + kind + "}" in template:
                self.server.call("PUT", f"/{kind}s/mine", {"text": TEXT})
        if "pack" in template:
            self.server.call("PUT", "/packs/mine", {"items": [{"kind": "text", "text": "x"}, {"kind": "message", "session": NOBODY, "seq": 1}]})
        return self.names

    def changed(self, value):
        """Copies with one place made hostile: each member, missing, or another."""
        if isinstance(value, dict):
            for name in value:
                yield {k: v for k, v in value.items() if k != name}
                for hostile in HOSTILE_VALUES:
                    yield {**value, name: hostile}
                for below in self.changed(value[name]):
                    yield {**value, name: below}
            yield {**value, "unknown%s": 1}
            yield {**value, "": 1}
        elif isinstance(value, list):
            yield value * 3000
            for hostile in HOSTILE_VALUES:
                yield [hostile]
            for below in self.changed(value[0]) if value else ():
                yield [below]

    def paths(self, template, method):
        """The path with known names, then each name hostile."""
        names = re.findall(r"\{(\w+)\}", template)
        there = self.prepare(template, method)
        known = {name: there.get(name, NOBODY) for name in names}
        yield template.format(**known)
        for name in names:
            for hostile in [*HOSTILE_NAMES, self.sessions[1]]:
                yield template.format(**{**known, name: hostile})

    def each(self):
        for template, operations in self.document["paths"].items():
            if template != "/oauth/callback":
                for method in ("get", "put", "patch", "post", "delete"):
                    if method in operations:
                        yield template, method.upper(), operations[method], operations.get("parameters", [])

    def body_of(self, operation):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        body = self.example(content["application/json"]["schema"])
        if isinstance(body, dict):
            body.update({name: value for name, value in GOOD.items() if name in body})
            if isinstance(body.get("items"), list):
                body["items"] = [{"kind": "text", "text": "x", "path": "a.txt", "session": NOBODY, "seq": 1, "name": "mine"}]
        return body

    def test_names(self):
        for template, method, operation, _ in self.each():
            body = self.body_of(operation)
            for path in list(self.paths(template, method))[1:]:
                self.check(operation, method, path, None if body is None else json.dumps(body).encode())

    def test_queries(self):
        for template, method, operation, _ in self.each():
            path = next(self.paths(template, method))
            if method != "GET":
                continue
            names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
            for name in names:
                for hostile in HOSTILE_QUERIES:
                    self.check(operation, method, f"{path}?{name}={hostile}")
                self.check(operation, method, f"{path}?{name}=1&{name}=2")
            for query in ("unknown=1", "%00=1", "&&&", "=", "%", "%zz=1", "?" * 100, "a=" + quote("\n")):
                self.check(operation, method, f"{path}?{query}")

    def test_values_that_cannot_be_read(self):
        """A filter that is left out would be another question."""
        for query in ("q=%zz", "pinned=%", "kind=%00", "limit=" + "1" * 5000, "pinned=" + "0" * 5000 + "7"):
            with self.subTest(query=query[:20]):
                self.assertEqual(self.ask("GET", "/api/v1/sessions?" + query)[0], 400)
        for query in ("q=" + "x" * 5000, "parent=" + "y" * 5000):
            self.assertEqual(self.ask("GET", "/api/v1/sessions?" + query)[2].count(b'"id"'), 0)

    def test_packs_without_a_nul(self):
        for item in ({"kind": "text", "text": "a\0b"}, {"kind": "file", "path": "a\0b"}, {"kind": "skill", "name": "a\0b"}):
            status, answer = self.server.call("PUT", "/packs/nul", {"items": [item]})
            self.assertEqual((status, "NUL" in answer["detail"]), (400, True), answer)

    def test_bodies(self):
        for template, method, operation, _ in self.each():
            if method == "GET":
                continue
            path = next(self.paths(template, method))
            for raw in RAW_BODIES:
                self.check(operation, method, path, raw)
            body = self.body_of(operation)
            for one in self.changed(body) if isinstance(body, dict) else ():
                self.check(operation, method, path, json.dumps(one).encode())
            if template == "/api/v1/settings": # as it was: the others go on
                self.server.call("PUT", "/settings", {name: None for name in body if name != "providers"})


if __name__ == "__main__":
    unittest.main()
