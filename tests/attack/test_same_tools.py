#!/usr/bin/env python3
"""A file that is replaced while a run works counts from the next run on, and what was granted to the old one is not granted to it."""
import json
import os
import sys
import time
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow"))
from boxagnts import PATIENCE, Conversation  # noqa: E402


def program(text):
    """A command module that prints the text: fd_write of one vector, then the end (WebAssembly 1.0 §5)."""
    data = (0).to_bytes(8, "little") + text.encode()
    data = (8).to_bytes(4, "little") + len(text).to_bytes(4, "little") + data[8:]
    section = lambda id, body: bytes([id, len(body)]) + body  # noqa: E731
    types = bytes([2, 0x60, 4, 0x7F, 0x7F, 0x7F, 0x7F, 1, 0x7F, 0x60, 0, 0])
    imports = bytes([1, 22]) + b"wasi_snapshot_preview1" + bytes([8]) + b"fd_write" + bytes([0, 0])
    exports = bytes([2, 6]) + b"memory" + bytes([2, 0, 6]) + b"_start" + bytes([0, 1])
    body = bytes([0, 0x41, 1, 0x41, 0, 0x41, 1, 0x41, 0xC0, 0x00, 0x10, 0, 0x1A, 0x0B])
    code = bytes([1, len(body)]) + body
    datum = bytes([1, 0, 0x41, 0, 0x0B, len(data)]) + data
    return (b"\0asm\1\0\0\0" + section(1, types) + section(2, imports) + section(3, bytes([1, 1])) + section(5, bytes([1, 0, 1])) +
            section(7, exports) + section(10, code) + section(11, datum))


class SameTools(Conversation):
    def put(self, text, level="read_only"):
        folder = os.path.join(self.workspace.state, "tools")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "own.json"), "w") as file:
            json.dump({"name": "own", "description": text, "permission_level": level, "input_schema": {"type": "object"}}, file)
        with open(os.path.join(folder, "fresh"), "wb") as file:
            file.write(program(text))
        os.rename(os.path.join(folder, "fresh"), os.path.join(folder, "own.wasm"))

    def until_known(self, text):
        give_up = time.monotonic() + PATIENCE
        while True:
            tools = self.server.call("GET", "/tools")[1]["tools"]
            if any(t["name"] == "own" and t["description"] == text for t in tools):
                return
            self.assertLess(time.monotonic(), give_up, f"{text} does not appear")
            time.sleep(0.05)

    def replaced_in_a_run(self, unwired=""):
        """What the tool says in a run in which it is replaced, and in the next."""
        call, write = {"tool": "own", "input": {}}, {"tool": "write", "input": {"file_path": "a", "content": "x"}}
        self.put("first")
        with mock.patch.dict(os.environ, {"BX_UNWIRE": unwired}):
            self.begin({"calls": [write]}, {"calls": [call]}, {"text": "done"}, {"calls": [call]}, {"text": "done"})
        self.until_known("first")
        self.send("go")
        question = self.wait_for({"type": "question"})
        self.put("second")
        self.until_known("second")
        self.answer(question, "once")
        self.wait_for({"type": "run_end"})
        self.send("again")
        self.wait_for({"type": "run_end"}, 2)
        return [e["content"] for e in self.workspace.events(self.session) if e["type"] == "tool_result" and e["tool"] == "own"]

    def test_a_run_keeps_the_tool_it_started_with(self):
        self.assertEqual(self.replaced_in_a_run(), ["first", "second"])

    @unittest.skipUnless(os.environ.get("BX_CAN_UNWIRE") in ("1", "ON"), "this build cannot switch controls off")
    def test_without_the_control_it_changes_under_the_run(self):
        self.assertEqual(self.replaced_in_a_run("same_tools"), ["second", "second"])

    def changed_after_a_yes(self, choice, unwired=""):
        """How many questions two runs with the tool that got a yes cost, and how many after its file was replaced."""
        call = {"tool": "own", "input": {}}
        self.put("first", "write")
        with mock.patch.dict(os.environ, {"BX_UNWIRE": unwired}):
            self.begin(*[{"calls": [call]}, {"text": "done"}] * 3)
        self.until_known("first")
        self.send("go")
        self.answer(self.wait_for({"type": "question"}), choice)
        self.wait_for({"type": "run_end"})
        self.send("again")
        self.wait_for({"type": "run_end"}, 2)
        before = self.questions()
        self.put("second", "write")
        self.until_known("second")
        self.send("once more")
        if not unwired:
            self.answer(self.wait_for({"type": "question"}, 2), "no")
        self.wait_for({"type": "run_end"}, 3)
        return before, self.questions()

    def questions(self):
        return sum(e["type"] == "question" for e in self.workspace.events(self.session))

    def test_what_the_session_granted_is_not_granted_to_another_file(self):
        self.assertEqual(self.changed_after_a_yes("session"), (1, 2))

    def test_what_the_workspace_granted_is_not_granted_to_another_file(self):
        self.assertEqual(self.changed_after_a_yes("always"), (1, 2))

    @unittest.skipUnless(os.environ.get("BX_CAN_UNWIRE") in ("1", "ON"), "this build cannot switch controls off")
    def test_without_the_control_another_file_has_the_grant(self):
        self.assertEqual(self.changed_after_a_yes("session", "rule_digest"), (1, 1))


if __name__ == "__main__":
    unittest.main()
