#!/usr/bin/env python3
"""JavaScript as a command of the shell: node, qjs and js run the image of jsexec with streams, files and status of their own."""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boxagnts import BINARY, PATIENCE, Workspace  # noqa: E402

FILES = {"hello.js": "console.log('hello', ...process.argv.slice(2));\n",
         "lib/sum.mjs": "export const sum = (list) => list.reduce((a, b) => a + Number(b), 0);\n",
         "stdin.mjs": "import fs from 'fs';\nimport { sum } from './lib/sum.mjs';\n"
                      "console.log(sum(fs.readFileSync(0, 'utf8').trim().split('\\n')));\n",
         "broken.js": "let a = ;\n", "throws.js": "\nthrow new Error('thrown');\n"}
# command, standard output, status, and what is on standard error
CASES = [
    ("node -e 'console.log(1 + 1)'", "2\n", 0, ""),
    ("node -p '[1,2].map((x) => x * 2)'", "[ 2, 4 ]\n", 0, ""),
    ("node -p '\"text\"'", "text\n", 0, ""),
    ("qjs -e 'print(typeof require)'; js -e 'console.log(3)'", "function\n3\n", 0, ""),
    ("node hello.js a 'b c'", "hello a b c\n", 0, ""),
    ("cd lib && node ../hello.js; node -e 'console.log(process.cwd())'", "hello\n/lib\n", 0, ""),
    ("printf '1\\n2\\n3\\n' | node stdin.mjs", "6\n", 0, ""),
    ("echo 'console.log(\"from stdin\", process.argv.length)' | node - x", "from stdin 2\n", 0, ""),
    ("node -e 'for (let i = 0; i < 5; i++) console.log(i)' | tail -n 1", "4\n", 0, ""),
    ("node -e 'for (;;) console.log(1)' | head -n 2", "1\n1\n", 0, ""),
    ("node -e 'process.exit(7)'; echo $?", "7\n", 0, ""),
    ("node -e 'process.exit(7)'", "", 7, ""),
    ("node throws.js", "", 1, "/throws.js:2\nthrow new Error('thrown');"),
    ("node broken.js", "", 1, "SyntaxError"),
    ("node -c hello.js && echo good; node -c broken.js || echo bad", "good\nbad\n", 0, "SyntaxError"),
    ("node none.js", "", 1, "none.js"),
    ("node --bogus", "", 9, "bad option: --bogus"),
    ("node -e", "", 9, "wants code"),
    ("node --version", "v22.0.0\n", 0, ""),
    ("GREETING=hi node -p 'process.env.GREETING'", "hi\n", 0, ""),
    ("node -e 'console.log(1); console.error(2)' > out.txt 2> err.txt; cat out.txt err.txt", "1\n2\n", 0, ""),
    ("node -e 'require(\"fs\").writeFileSync(\"made.txt\", \"x\")' && cat made.txt", "x", 0, ""),
    ("node --input-type=module -e 'import fs from \"fs\"; console.log(typeof fs.readFileSync)'", "function\n", 0, ""),
]


class Node(unittest.TestCase):
    def test_commands(self):
        workspace = Workspace(files=FILES)
        self.addCleanup(workspace.close)
        for command, out, status, err in CASES:
            with self.subTest(command):
                done = subprocess.run([BINARY, "tool", "run", "bash", "--workspace-dir", workspace.path, "--input", "-", "--json"],
                                      input=json.dumps({"command": command}), capture_output=True, text=True, timeout=PATIENCE,
                                      env=workspace.environment(), cwd=workspace.folder)
                said = json.loads(done.stdout)["metadata"]
                self.assertEqual((said["stdout"], said["exit_status"]), (out, status), said)
                self.assertIn(err, said["stderr"])
                self.assertFalse(said["stderr"] and not err, said["stderr"])

    def test_a_tool_of_that_name(self):
        """A user's own tool may be called like the command: it is called as a tool."""
        workspace = Workspace()
        self.addCleanup(workspace.close)
        folder = os.path.join(workspace.state, "tools")
        os.makedirs(folder)
        with open(os.path.join(folder, "node.js"), "w") as file:
            file.write("export const descriptor = { description: 'Adds one', permission_level: 'none',\n"
                       "  input_schema: { type: 'object', properties: { n: { type: 'integer' } } } };\n"
                       "export default ({ n }) => `is ${n + 1}`;\n")
        done = subprocess.run([BINARY, "tool", "run", "node", "--workspace-dir", workspace.path, "--input", '{"n": 41}', "--json"],
                              capture_output=True, text=True, timeout=PATIENCE, env=workspace.environment(), cwd=workspace.folder)
        self.assertEqual(json.loads(done.stdout)["content"], "is 42", done.stderr)


if __name__ == "__main__":
    unittest.main()
