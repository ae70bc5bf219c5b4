#!/usr/bin/env python3
"""scripts/check_rooms.py on small trees that break one rule each."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check_rooms.py"
TABLE = "bx_room(base USES)\nbx_room(json USES base LIBS yyjson)\nbx_room(loop USES base LIBS uv) # last\n"


def check(files, table=TABLE):
    with tempfile.TemporaryDirectory() as root:
        for name, text in {"cmake/rooms.cmake": table, **files}.items():
            path = pathlib.Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True)
        return done.returncode, done.stdout


class CheckRooms(unittest.TestCase):
    def fine(self, name, text):
        self.assertEqual(check({name: text}), (0, ""))

    def wrong(self, name, text, line, part):
        code, out = check({name: text})
        self.assertEqual(code, 1, out)
        self.assertEqual(len(out.splitlines()), 1, out)
        self.assertTrue(out.startswith(f"{name}:{line}: "), out)
        self.assertIn(part, out)

    def test_includes(self):
        self.fine("src/json/a.c", '#include "json/a.h"\n#include <yyjson.h>\n#include "base/x.h"\n')
        self.fine("src/main.c", '#include "json/a.h"\n#include "loop/b.h"\n')
        self.wrong("src/base/a.h", '\n#include "json/a.h"\n', 2, "room base may not include json/a.h")
        self.wrong("src/json/a.c", '#include "loop/a.h"\n', 1, "room json may not")
        self.wrong("src/json/a.c", "#include <uv.h>\n", 1, "loop may")
        self.wrong("src/json/a.c", '#include "engine.h"\n', 1, "no room may")
        self.wrong("src/json/a.c", '#include "none/a.h"\n', 1, "there is no room none")
        self.wrong("src/json/a.c", '#include "a.h"\n', 1, "with the room")
        self.wrong("src/main.c", "#include <uv.h>\n", 1, "belongs to a room")
        self.wrong("src/odd/a.c", "\n", 1, "no room")
        self.wrong("src/json/a.c", '#include "base/x.h"\n#include "json/a.h"\n', 2, "first include")

    def test_calls(self):
        self.wrong("src/json/a.c", "int a;\nvoid f(void) { free(a); }\n", 2, "bx_free")
        self.wrong("src/base/a.c", "strcpy(a, b);\n", 1, "banned")
        self.fine("src/base/a.c", "free(p);\n")
        self.fine("src/json/a.c", "free(p); /* library's */\nbx_free(p); x->free(p); x.free(p);\n")
        self.fine("src/json/a.c", 's = "free(x)"; /* free(x)\n strcpy(a) */ // gmtime(x)\ngmtime_r(a, b);\n')

    def test_tools_are_executed_in_one_place(self):
        self.wrong("src/json/a.c", "int f(void) { return t->execute(t); }\n", 1, "permission")
        self.wrong("src/json/a.c", "int f(void) { return t.execute (t); }\n", 1, "permission")
        self.fine("src/json/a.c", "x = t->execute; bx_registry_execute(t); /* t->execute(t) */\n")

    def test_unfinished(self):
        self.wrong("src/json/a.c", "/* " + "TO" + "DO */\n", 1, "unfinished")

    def test_size_is_a_warning(self):
        code, out = check({"src/json/a.c": "int x;\n" * 601})
        self.assertEqual(code, 0)
        self.assertIn("src/json/a.c:600: warning", out)
        self.assertEqual(check({"src/json/a.c": "int x;\n" * 600}), (0, ""))

    def test_table(self):
        self.assertNotEqual(check({}, table="")[0], 0)
        self.assertNotEqual(check({}, table="bx_room(a USES b)\nbx_room(b USES)\n")[0], 0)


if __name__ == "__main__":
    unittest.main()
