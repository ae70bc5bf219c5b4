"""Tools of the user's own: folders that are watched, precedence, broken files, and the examples of `tool new`."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from boxagnts import Server as PlainServer, Workspace  # noqa: E402
from client import Server  # noqa: E402
from test_same_tools import program as printing  # noqa: E402

BINARY, GENERATED = os.environ["BOXAGNTS"], os.environ["BX_GENERATED"]
PROGRAM = os.path.join(GENERATED, "guests", "read.wasm")


def built(name):
    """The folder of a dependency of the tests (third_party/), built when it is missing."""
    return subprocess.run([os.path.join(HERE, "..", "..", "third_party", "build.sh"), name], check=True, text=True,
                          capture_output=True).stdout.split()[-1]


def descriptor(name, **members):
    return json.dumps({"name": name, "description": f"The tool {name}", "permission_level": "read_only",
                       "input_schema": {"type": "object"}, **members})


class Watched(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.stop)
        self.own = os.path.join(self.server.workspace, ".boxagnts", "tools")
        self.users = os.path.join(self.server.folder.name, "data", "boxagnts", "tools")
        self.page = self.server.websocket()
        self.addCleanup(self.page.socket.close)
        self.list()  # what the start itself changed

    def list(self):
        return self.server.api("GET", "/tools").json

    def until(self, wanted):
        """The list of tools when it is as wanted; every change of it is told on the socket."""
        while True:
            now = self.list()
            found = wanted(now)
            if found:
                return found
            self.page.hear_until(lambda message: message.get("op") == "tools")

    def until_tool(self, name, **members):
        return self.until(lambda now: next((t for t in now["tools"] if t["name"] == name and
                                            all(t[k] == v for k, v in members.items())), None))

    def put(self, folder, name, describing=None, program=PROGRAM):
        if describing:
            with open(os.path.join(folder, name + ".json"), "w") as file:
                file.write(describing)
        shutil.copy(program, os.path.join(folder, name + ".wasm"))

    def test_a_file_comes_changes_and_goes(self):
        self.put(self.own, "look", descriptor("look", description="first"))
        first = self.until_tool("look", description="first")
        self.assertEqual((first["kind"], first["level"]), ("box", "read_only"))
        self.assertIn("look.wasm", first["source"])
        with open(os.path.join(self.own, "look.json"), "w") as file:
            file.write(descriptor("look", description="second"))
        second = self.until_tool("look", description="second")
        self.assertNotEqual(first["digest"], second["digest"])
        os.unlink(os.path.join(self.own, "look.wasm"))
        self.until(lambda now: all(t["name"] != "look" for t in now["tools"]))

    def test_it_runs(self):
        with open(os.path.join(self.server.workspace, "root", "a.txt"), "w") as file:
            file.write("seven\n")
        self.put(self.own, "look")  # its own description, which says that it is called read
        tool = self.until(lambda now: next((t for t in now["tools"] if t["name"] == "read" and t["digest"]), None))
        self.assertIn("look.wasm", tool["source"])
        result = self.server.api("POST", "/tools/read/run", {"input": {"file_path": "a.txt"}}).json
        self.assertIn("seven", result["content"])

    def test_the_workspace_comes_before_the_user_and_both_before_the_built_in(self):
        self.put(self.users, "mine", descriptor("grep", description="the user's"))
        self.until_tool("grep", description="the user's")
        self.put(self.own, "other", descriptor("grep", description="the workspace's"))
        self.until_tool("grep", description="the workspace's")
        own, users = os.path.join(self.own, "other.wasm"), os.path.join(self.users, "mine.wasm")
        self.assertEqual(self.list()["hidden"], [{"name": "grep", "path": users, "by": own},
                                                 {"name": "grep", "path": "built in", "by": own}])
        os.unlink(os.path.join(self.own, "other.wasm"))
        self.until_tool("grep", description="the user's")
        os.unlink(os.path.join(self.users, "mine.wasm"))
        self.until_tool("grep", source="built in")
        self.assertEqual(self.list()["hidden"], [])

    def test_what_is_broken_is_listed_with_its_reason(self):
        bad = {
            "empty": (None, b"", "empty"),
            "words": (None, b"not a program", "WebAssembly"),
            "cut": (descriptor("cut"), b"\0asm\1\0\0\0\xff", None),
            "nameless": ('{"description":3}', None, "description"),
            "taken": (descriptor("Sleep"), None, "Sleep"),
            "foreign": (descriptor("mcp__a__b"), None, "mcp__"),
            "wishes": (descriptor("wishes", wants={"limits": {"time": "soon"}}), None, "time"),
        }
        for name, (describing, program, _) in bad.items():
            path = PROGRAM
            if program is not None:
                path = os.path.join(self.server.folder.name, "program")
                with open(path, "wb") as file:
                    file.write(program)
            self.put(self.own, name, describing, path)
        listed = self.until(lambda now: now["broken"] if len(now["broken"]) == len(bad) else None)
        for entry in listed:
            name = os.path.basename(entry["path"])[:-5]
            self.assertTrue(entry["reason"], entry)
            if bad[name][2]:
                self.assertIn(bad[name][2], entry["reason"])
        self.assertEqual(self.server.api("GET", "/sessions").status, 200)
        shutil.rmtree(self.own)  # the folder itself goes: nothing is left of it
        self.until(lambda now: not now["broken"])

    def test_two_files_of_one_name(self):
        self.put(self.own, "a", descriptor("same", description="a"))
        self.put(self.own, "b", descriptor("same", description="b"))
        listed = self.until(lambda now: now["broken"])
        self.assertIn("b.wasm", listed[0]["path"])
        self.assertIn("a.wasm", listed[0]["reason"])
        self.until_tool("same", description="a")
        os.unlink(os.path.join(self.own, "a.wasm"))  # the other one was as good
        self.until_tool("same", description="b")
        self.assertEqual(self.list()["broken"], [])

    def test_the_folder_goes_and_comes_again(self):
        for round in ("first", "second"):
            self.put(self.own, "look", descriptor("look", description=round))
            self.until_tool("look", description=round)
            shutil.rmtree(self.own)
            self.until(lambda now: all(t["name"] != "look" for t in now["tools"]))
            os.mkdir(self.own)

    def test_links(self):
        place = os.path.join(self.server.folder.name, "project")
        os.mkdir(place)
        self.put(place, "look", descriptor("look", description="first"))
        for suffix in (".wasm", ".json"):
            os.symlink(os.path.join(place, "look" + suffix), os.path.join(self.own, "look" + suffix))
        self.until_tool("look", description="first")
        with open(os.path.join(place, "look.json"), "w") as file:  # nothing changes in the folder itself
            file.write(descriptor("look", description="second"))
        self.until_tool("look", description="second")
        for name, target in (("gone", "/nowhere"), ("loop", "loop.wasm"), ("folder", place), ("device", "/dev/zero")):
            os.symlink(target, os.path.join(self.own, name + ".wasm"))
        os.mkfifo(os.path.join(self.own, "pipe.wasm"))
        listed = self.until(lambda now: now["broken"] if len(now["broken"]) == 5 else None)
        self.assertTrue(all(entry["reason"] for entry in listed))
        os.unlink(os.path.join(place, "look.wasm"))
        self.until(lambda now: len(now["broken"]) == 6)

    def test_a_file_that_is_still_being_copied(self):
        with open(PROGRAM, "rb") as file:
            whole = file.read()
        with open(os.path.join(self.own, "look.json"), "w") as file:
            file.write(descriptor("look"))
        with open(os.path.join(self.own, "look.wasm"), "wb") as file:
            file.write(whole[:len(whole) // 2])
            file.flush()
            self.until(lambda now: now["broken"])
            file.write(whole[len(whole) // 2:])
        self.until_tool("look")
        self.assertEqual(self.list()["broken"], [])

    def test_names_of_odd_bytes(self):
        odd = [b"new\nline.wasm", b"quote\".wasm", b"\xff\xfe.wasm", b"<b>.wasm", b".wasm", b"-.wasm", "söße.wasm".encode(), b"x" * 250 + b".wasm"]
        for i, name in enumerate(odd):
            path = os.path.join(self.own.encode(), name)
            with open(path[:-5] + b".json", "w") as file:
                file.write(descriptor(f"odd-{i}" if i % 2 else ""))
            shutil.copy(PROGRAM.encode(), path)
        listed = self.until(lambda now: now if len(now["broken"]) == 3 and sum(t["name"].startswith("odd-") for t in now["tools"]) == 4 else None)
        self.assertEqual(len([t for t in listed["tools"] if self.own in t["source"]]), 4)  # .wasm is hidden, and none
        self.assertTrue(all("name" in entry["reason"] for entry in listed["broken"]), listed["broken"])

    def test_a_thousand_files(self):
        tiny = os.path.join(self.server.folder.name, "tiny.wasm")
        with open(tiny, "wb") as file:
            file.write(printing("tiny"))
        many = os.path.join(self.server.folder.name, "many")
        os.mkdir(many)
        for i in range(1005):
            with open(f"{many}/t{i:04}.json", "w") as file:
                file.write(descriptor(f"t{i:04}"))
            os.link(tiny, f"{many}/t{i:04}.wasm")
        os.rmdir(self.own)
        os.rename(many, self.own)
        listed = self.until(lambda now: now if now["broken"] and any(t["name"] == "t0999" for t in now["tools"]) else None)
        self.assertEqual(sum(t["name"][1:].isdigit() for t in listed["tools"]), 1000)
        self.assertEqual([entry["path"] for entry in listed["broken"]], [self.own])
        self.assertIn("t1000.wasm", listed["broken"][0]["reason"])
        result = self.server.api("POST", "/tools/t0999/run", {"input": {}}).json
        self.assertEqual(result["content"], "tiny")
        self.assertLess(len(os.listdir(f"/proc/{self.server.process.pid}/fd")), 300)


class Unwritable(unittest.TestCase):
    def test_without_a_folder_of_the_user_the_server_runs(self):
        workspace = Workspace()
        self.addCleanup(workspace.close)
        with open(os.path.join(workspace.folder, "XDG_DATA_HOME"), "w"):
            pass  # a file in the place of the folder
        workspace.start_model({"turns": []})
        server = PlainServer(workspace)
        self.addCleanup(server.end)
        tools = server.call("GET", "/tools")[1]
        self.assertTrue(any(t["name"] == "read" for t in tools["tools"]))


class JavaScript(unittest.TestCase):
    """NAME.js is a tool: one server for all of them; each is put into the folder and called when it is known."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.stop)
        cls.own = os.path.join(cls.server.workspace, ".boxagnts", "tools")
        cls.page = cls.server.websocket()
        cls.addClassCleanup(cls.page.socket.close)

    def until(self, wanted):
        while True:
            now = self.server.api("GET", "/tools").json
            found = wanted(now)
            if found:
                return found
            self.page.hear_until(lambda message: message.get("op") == "tools")

    def put(self, name, source, describing=None, **members):
        with open(f"{self.own}/.{name}", "w") as file:
            file.write(source)
        if describing is not None or members:
            with open(f"{self.own}/{name}.json", "w") as file:
                file.write(describing or descriptor(name, **members))
        os.rename(f"{self.own}/.{name}", f"{self.own}/{name}.js")

    def known(self, name, source, **members):
        self.put(name, source, **dict({"version": "1"}, **members))
        return self.until(lambda now: next((t for t in now["tools"] if t["name"] == name), None))

    def run_tool(self, name, **input):
        limits = input.pop("limits", None)
        return self.server.api("POST", f"/tools/{name}/run", dict({"input": input}, **({"limits": limits} if limits else {}))).json

    def answer(self, name, source, **input):
        self.known(name, source)
        result = self.run_tool(name, **input)
        return result["content"], result["is_error"], result["metadata"]

    def test_what_it_returns_is_the_result(self):
        self.assertEqual(self.answer("text", "export default (input) => `for ${input.who}`;", who="you"), ("for you", False, None))
        self.assertEqual(self.answer("later", "export default async ({ n }) => { await new Promise((go) => setTimeout(go, 1)); return n * 2; }", n=4),
                         ("8", False, None))
        self.assertEqual(self.answer("value", "export default () => ({ a: [1] })"), ('{\n  "a": [\n    1\n  ]\n}', False, None))
        self.assertEqual(self.answer("whole", "export default () => ({ content: 'no', is_error: true, metadata: { code: 7 } })"),
                         ("no", True, {"code": 7}))
        blocks = [{"type": "text", "text": "a"}, {"type": "image", "mime": "image/png", "data": "AAAA"}]
        self.assertEqual(self.answer("blocks", f"export default () => ({{ content: {json.dumps(blocks)} }})")[0], blocks)
        self.assertEqual(self.answer("talks", "export default () => { console.log('a'); console.error('b'); return 'c'; }"),
                         ("c", False, {"stdout": "a\n", "stderr": "b\n"}))
        self.assertEqual(self.answer("common", "module.exports = (input) => input.a;", a="x"), ("x", False, None))

    def test_without_a_function_what_it_prints_is_the_result(self):
        self.assertEqual(self.answer("prints", "console.log(JSON.parse(process.argv[2]).a)", a="x"), ("x", False, None))
        self.known("options", "console.log(process.argv.slice(2).join(' '))", input="argv")
        self.assertEqual(self.run_tool("options", file_path="/a", deep=True)["content"], "--file-path=/a --deep=true")

    def test_errors_are_results(self):
        content, is_error, _ = self.answer("throws", "export default () => {\n  throw new RangeError('too far');\n};")
        self.assertTrue(is_error)
        for part in ("throws.js:2\n", "RangeError: too far", "at default (throws.js:2:"):
            self.assertIn(part, content)
        self.assertEqual(self.answer("exits", "export default () => process.exit(3)")[:2], ("The tool ended with exit status 3.", True))
        self.assertTrue(self.answer("hangs", "export default () => new Promise(() => {})")[1])
        self.assertIn("function", self.answer("wrong", "export default 5")[0])
        self.assertIn("metadata", self.answer("odd", "export default () => ({ content: '', metadata: [] })")[0])
        self.assertIn("RangeError", self.answer("deep", "export default () => { const f = () => f() + 1; f(); }")[0])

    def test_its_limits_and_its_record(self):
        tool = self.known("spins", "export default () => { for (;;); }")
        self.assertEqual((tool["kind"], len(tool["digest"])), ("box", 64))
        self.assertEqual(tool["limits"]["fuel"]["value"], 10000000000)
        stopped = self.run_tool("spins", limits={"fuel": "100M"})
        self.assertEqual(stopped["limit"], "fuel")
        self.assertEqual(self.known("waits", "export default () => new Promise((go) => setTimeout(go, 1e6))", wants={"limits": {"time": "1s"}})["limits"]["time"]["from"], "descriptor")
        self.assertEqual(self.run_tool("waits")["limit"], "time")
        self.assertEqual(self.run_tool("waits", limits={"memory": "2MiB"})["is_error"], True)
        line = self.server.api("GET", "/receipts?tool=spins&limit=1").json["receipts"][0]
        self.assertEqual((line["digest"], line["limit"]), (tool["digest"], "fuel"))
        self.put("spins", "export default () => 'else';")
        self.until(lambda now: any(t["name"] == "spins" and t["digest"] != tool["digest"] for t in now["tools"]))
        self.assertEqual(self.run_tool("spins")["content"], "else")

    def test_what_it_reaches(self):
        with open(os.path.join(self.server.workspace, "root", "data.json"), "w") as file:
            file.write('{"a":1}')
        read = "import fs from 'node:fs'; export default ({ file_path }) => fs.readFileSync(file_path, 'utf8');"
        self.known("reads", read)
        self.assertEqual(self.run_tool("reads", file_path="/data.json")["content"], '{"a":1}')
        self.assertTrue(self.run_tool("reads", file_path="/etc/passwd")["is_error"])
        write = "import fs from 'node:fs'; export default () => { fs.writeFileSync('/new', 'x'); return 'written'; };"
        self.known("writes-not", write)
        self.assertIn("EPERM", self.run_tool("writes-not")["content"])
        self.known("writes", write, permission_level="write")
        self.assertEqual(self.run_tool("writes")["content"], "written")
        # what lies in the root is data: no part of a tool comes from there
        for name, source in (("imports", "export default async () => (await import('./data.json')).default"),
                             ("requires", "export default () => require('/data.json')")):
            self.assertIn("one file", self.answer(name, source)[0])

    def test_the_engine_takes_tools_from_the_host_only(self):
        sent = {"tool": {"op": "run", "file": "a.js", "source": "export default () => 1"}}
        self.assertIn("tool", self.run_tool("jsexec", **sent)["content"])
        self.assertTrue(self.run_tool("jsexec", **sent)["is_error"])

    def test_it_may_describe_itself(self):
        self.put("selfmade", f"export const descriptor = {descriptor('chosen', permission_level='none')};\nexport default () => 'ok';")
        tool = self.until(lambda now: next((t for t in now["tools"] if t["name"] == "chosen"), None))
        self.assertEqual(tool["level"], "none")
        self.assertEqual(self.run_tool("chosen")["content"], "ok")

    def test_broken_ones_say_why(self):
        bad = {"syntax": ("let a = 1;\nlet b = ;", "{}", "syntax.js:2"), "silent": ("export default () => 1", None, "description"),
               "nameless": ("export default () => 1", '{"permission_level":"none"}', "description"), "void": ("", None, "empty"),
               "fails": ("throw new Error('at the start')", None, "at the start"), "slow": ("for (;;);", None, "limit"),
               "words": ("export const descriptor = 'words';", None, "object")}
        for name, (source, describing, _) in bad.items():
            self.put(name, source, describing)
        listed = self.until(lambda now: now["broken"] if len(now["broken"]) == len(bad) else None)
        for entry in listed:
            self.assertIn(bad[os.path.basename(entry["path"])[:-3]][2], entry["reason"])


class Foreign(unittest.TestCase):
    """Programs that other toolchains made: rustc for wasip1, and a component that wasm-tools makes of it."""

    SOURCE = """use std::io::{Read, Write};
        fn main() {
            let arguments: Vec<String> = std::env::args().collect();
            let value = |name: &str| arguments.iter().find_map(|a| a.strip_prefix(name).map(String::from));
            if let Some(path) = value("--file-path=") {
                match std::fs::read_to_string(&path) {
                    Ok(text) if value("--upper-case=").as_deref() == Some("true") => print!("{}", text.to_uppercase()),
                    Ok(text) => print!("{}", text),
                    Err(why) => { writeln!(std::io::stderr(), "{path}: {why}").unwrap(); std::process::exit(3) }
                }
                return;
            }
            let mut input = String::new();
            std::io::stdin().read_to_string(&mut input).unwrap();
            println!("{} {}", arguments.len(), input.trim());
        }"""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="bx-foreign-")
        cls.addClassCleanup(cls.folder.cleanup)
        name, rust, tools = cls.folder.name, built("rust-wasm"), built("wasm-tools")
        with open(name + "/shout.rs", "w") as file:
            file.write(cls.SOURCE)
        with open(rust + "/target") as file:
            target = file.read().strip()
        for command in ([rust + "/rustc", "--edition", "2021", "--target", target, "-C", "opt-level=s", "-o", "module.wasm", "shout.rs"],
                        [tools + "/wasm-tools", "component", "new", "module.wasm", "--adapt",
                         f"wasi_snapshot_preview1={tools}/command.wasm", "-o", "component.wasm"]):
            subprocess.run(command, cwd=name, check=True, capture_output=True)

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.stop)
        self.own = os.path.join(self.server.workspace, ".boxagnts", "tools")
        with open(os.path.join(self.server.workspace, "root", "a.txt"), "w") as file:
            file.write("größer\n")

    def test_they_are_what_they_are_called(self):
        for name, layer in (("module", b"\1\0\0\0"), ("component", b"\x0d\0\1\0")):  # the binary format's version and layer
            with open(f"{self.folder.name}/{name}.wasm", "rb") as file:
                self.assertEqual(file.read(8), b"\0asm" + layer)

    def run_tool(self, name, **input):
        return self.server.api("POST", f"/tools/{name}/run", {"input": input}).json

    def test_with_a_description_beside_them(self):
        page = self.server.websocket()
        self.addCleanup(page.socket.close)
        schema = {"type": "object", "properties": {"file_path": {"type": "string"}, "upper_case": {"type": "boolean"}},
                  "required": ["file_path"]}
        for name in ("module", "component"):
            with open(f"{self.own}/{name}.json", "w") as file:
                file.write(descriptor(name, input="argv", input_schema=schema))
            shutil.copy(f"{self.folder.name}/{name}.wasm", self.own)
            while all(t["name"] != name for t in self.server.api("GET", "/tools").json["tools"]):
                page.hear_until(lambda message: message.get("op") == "tools")
            self.assertEqual(self.run_tool(name, file_path="a.txt")["content"], "größer\n")
            self.assertEqual(self.run_tool(name, file_path="a.txt", upper_case=True)["content"], "GRÖSSER\n")
            failed = self.run_tool(name, file_path="gone.txt")
            self.assertTrue(failed["is_error"])
            self.assertIn("gone.txt", failed["content"])
            self.assertTrue(self.run_tool(name, file_path="/etc/passwd")["is_error"])
            self.assertIn("file_path", self.run_tool(name)["content"])  # its schema is checked
            receipt = self.server.api("GET", f"/receipts?tool={name}&limit=1").json["receipts"]
            self.assertEqual(len(receipt), 1)

    def test_without_any_description_they_run_by_hand(self):
        home = self.server.folder.name
        environment = dict(os.environ, HOME=home, XDG_DATA_HOME=home + "/data", XDG_STATE_HOME=home + "/state",
                           XDG_CACHE_HOME=home + "/cache")
        for name in ("module", "component"):
            done = subprocess.run([BINARY, "tool", "run", f"{self.folder.name}/{name}.wasm", "--root", self.server.workspace + "/root",
                                   "--input", '{"any":[1,2]}'], env=environment, text=True, capture_output=True)
            self.assertEqual(done.stdout.strip(), '1 {"any":[1,2]}', done.stderr)


class Examples(unittest.TestCase):
    def setUp(self):
        self.server = Server()  # a home of its own
        self.addCleanup(self.server.stop)
        self.home = self.server.folder.name
        self.environment = dict(os.environ, BOXAGNTS=BINARY, HOME=self.home, XDG_DATA_HOME=self.home + "/data",
                                XDG_STATE_HOME=self.home + "/state", XDG_CACHE_HOME=self.home + "/cache")

    def new(self, *arguments):
        return subprocess.run([BINARY, "tool", "new", *arguments], cwd=self.home, env=self.environment, text=True,
                              capture_output=True, timeout=120)

    def make(self, folder, *arguments, **environment):
        done = subprocess.run(["make", "-C", os.path.join(self.home, folder), *arguments], text=True, capture_output=True,
                              env=dict(self.environment, **environment), timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def is_tested_and_installed(self, language, suffix, **environment):
        name = "count-words-" + language
        done = self.new(name, "--lang", language)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("make test", done.stdout)
        self.assertEqual(self.make(name, "test", **environment).count("ok   {"), 3)
        self.make(name, "install", **environment)
        self.assertTrue(os.path.exists(f"{self.home}/data/boxagnts/tools/{name}{suffix}"))
        self.assertIn(name, [tool["name"] for tool in self.listed()])
        return name

    def listed(self):
        done = subprocess.run([BINARY, "tool", "list", "--json", "--root", self.server.workspace + "/root"], env=self.environment,
                              text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [row for row in json.loads(done.stdout) if "name" in row]

    def test_c(self):
        # the tests' compiler cache, not the empty home's
        self.is_tested_and_installed("c", ".wasm", WASM_CC=f"{built('zig')}/zig cc -target wasm32-wasi",
                                     HOME=os.environ.get("HOME", "/root"))

    def test_c_with_another_compiler(self):
        name = "by-clang"
        self.assertEqual(self.new(name).returncode, 0)
        self.assertEqual(self.make(name, "test", WASM_CC=built("clang-wasm") + "/cc").count("ok   {"), 3)

    def test_js(self):
        self.is_tested_and_installed("js", ".js")

    def test_rust(self):
        compiler = built("rust-wasm")
        with open(compiler + "/target") as file:
            target = file.read().strip()
        name = self.is_tested_and_installed("rust", ".wasm", RUSTC=compiler + "/rustc", TARGET=target)
        # the description that is inside is as good as the one beside it
        for suffix in (".wasm", ".json"):
            shutil.copy(f"{self.home}/{name}/{name}{suffix}", f"{self.home}/alone{suffix}")
        beside = self.run_alone()
        os.unlink(self.home + "/alone.json")
        self.assertEqual(beside, self.run_alone())
        self.assertEqual(beside["content"].strip(), "1 lines, 2 words, 8 bytes")

    def run_alone(self):
        with open(self.server.workspace + "/root/notes", "w") as file:
            file.write("one two\n")
        done = subprocess.run([BINARY, "tool", "run", self.home + "/alone.wasm", "--root", self.server.workspace + "/root", "--json",
                               "--input", '{"file_path":"notes"}'], env=self.environment, text=True, capture_output=True)
        return {k: json.loads(done.stdout)[k] for k in ("content", "is_error")}

    def test_bad_words_are_refused_and_nothing_is_written(self):
        for arguments in (["Upper"], ["../up"], ["a b"], [""], ["x" * 65], ["fine", "--lang", "cobol"]):
            before = set(os.listdir(self.home))
            done = self.new(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(set(os.listdir(self.home)), before)
        self.new("twice")
        done = self.new("twice")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--out", done.stderr)


if __name__ == "__main__":
    unittest.main()
